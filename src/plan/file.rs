//! The plan file: sealed when written, verified before anything is applied.
//!
//! `seal` puts the hash of everything else into `planHash`; `read` refuses what is not byte for byte
//! what `to_bytes` wrote; `verify` asks whether this plan may be applied here and now, `go_on` whether
//! a run of it may go on: only these make a `CheckedPlan`. Called by `cli`; must never read a file or a clock.

use std::ops::Deref;
use std::sync::OnceLock;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::plan::canonical;
use crate::plan::check;
use crate::plan::sending::Sending;
use crate::plan::types::{FORMAT_VERSION, Plan, Reason, TenantSection};
use crate::policy::workspace::Endpoints;
use crate::policy::{PolicySet, Workspace};

pub use crate::plan::refusal::PlanFileError;

/// Largest plan file that is read, in bytes: a million changes of a kilobyte.
pub const FILE_MAX: usize = 1 << 30;

/// How long a run that stopped for a person waits for one.
const PAUSE: SignedDuration = SignedDuration::from_hours(24);

/// A plan that may be applied: only `verify` makes one, and `go_on` for a run that has begun.
#[derive(Clone, Debug)]
pub struct CheckedPlan {
    plan: Plan,
    sending: Sending,
}

impl Deref for CheckedPlan {
    type Target = Plan;
    fn deref(&self) -> &Plan {
        &self.plan
    }
}

impl CheckedPlan {
    /// What a run of it may still send.
    #[must_use]
    pub const fn sending(&self) -> &Sending {
        &self.sending
    }
}

/// What a plan is held against before it is applied.
#[derive(Clone, Copy, Debug)]
pub struct VerifyContext<'a> {
    /// The workspace it is to be applied from.
    pub workspace: &'a Workspace,
    /// Digest of workspace file, policies and rules now; none skips that question.
    pub policy_digest: Option<&'a str>,
    /// The present (UTC).
    pub now: Timestamp,
}

/// Fills in `planHash`; the rest of the plan must be final.
#[must_use]
pub fn seal(mut plan: Plan) -> Plan {
    plan.plan_hash = hash(&plan);
    plan
}

/// The hash over everything but `planHash`; empty, which no plan passes with, when the plan holds a
/// number that is not whole.
#[must_use]
pub(super) fn hash(plan: &Plan) -> String {
    canonical::hash(plan, "planHash").unwrap_or_default()
}

/// Whether the plan is as it was sealed.
fn is_sealed(plan: &Plan) -> bool {
    !plan.plan_hash.is_empty() && hash(plan) == plan.plan_hash
}

/// The file's bytes: indented, stable, with a newline at the end.
#[must_use]
pub fn to_bytes(plan: &Plan) -> Vec<u8> {
    // Serialization of plain data into memory does not fail; an empty file is refused by `read`.
    let mut bytes = serde_json::to_vec_pretty(plan).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

/// Reads a plan file and refuses whatever `to_bytes` did not write.
///
/// # Errors
/// `Unreadable`, `Version`, `Schema`, `Edited`.
pub fn read(bytes: &[u8]) -> Result<Plan, PlanFileError> {
    if bytes.len() > FILE_MAX {
        return Err(PlanFileError::Unreadable(format!("larger than {FILE_MAX} bytes")));
    }
    let unreadable = |error: serde_json::Error| PlanFileError::Unreadable(error.to_string());
    let value: Value = serde_json::from_slice(bytes).map_err(unreadable)?;
    let version = value.get("formatVersion");
    if version.is_some_and(|version| *version != FORMAT_VERSION) {
        let found = version.map(ToString::to_string).unwrap_or_default();
        return Err(PlanFileError::Version { found });
    }
    validate(&value)?;
    let typed = |error: serde_json::Error| PlanFileError::Schema {
        place: String::new(),
        why: error.to_string(),
    };
    let plan = <Plan as serde::Deserialize>::deserialize(&value).map_err(typed)?;
    // The hash holds the content; comparing the bytes also holds what JSON would let pass: space,
    // a second spelling of a time, the same key twice.
    if !is_sealed(&plan) || to_bytes(&plan) != bytes {
        return Err(PlanFileError::Edited);
    }
    Ok(plan)
}

fn validate(value: &Value) -> Result<(), PlanFileError> {
    static SCHEMA: OnceLock<Option<jsonschema::Validator>> = OnceLock::new();
    let schema = SCHEMA.get_or_init(|| jsonschema::validator_for(&schema()).ok());
    let Some(schema) = schema else {
        let why = "this program's own schema is broken".to_owned();
        return Err(PlanFileError::Schema { place: String::new(), why });
    };
    schema.validate(value).map_err(|error| PlanFileError::Schema {
        place: error.instance_path().to_string(),
        why: error.to_string().chars().take(200).collect(),
    })
}

/// The JSON Schema of plan files, made from the types.
#[must_use]
pub fn schema() -> Value {
    schemars::schema_for!(Plan).to_value()
}

/// Asks whether the plan may be applied from this workspace now.
///
/// A plan that rests on an incomplete observation is refused for as long as it has changes for that
/// tenant: caps and shares were counted over too few devices.
///
/// # Errors
/// Everything that `read` does not refuse, the most telling first.
pub fn verify(plan: Plan, context: &VerifyContext<'_>) -> Result<CheckedPlan, PlanFileError> {
    let VerifyContext { workspace, policy_digest, now } = *context;
    belongs(&plan, workspace)?;
    if let Some(current) = policy_digest.filter(|digest| *digest != plan.policy_digest) {
        let current = current.to_owned();
        let Plan { policy_digest: planned, sources, .. } = plan;
        return Err(PlanFileError::Stale { planned, current, sources });
    }
    if now > plan.valid_until {
        return Err(PlanFileError::Expired { valid_until: plan.valid_until });
    }
    sound(plan, workspace, None)
}

/// What is known of a run that is to go on.
#[derive(Clone, Debug, Default)]
pub struct Begun {
    /// When its journal was last written to; none when it never was.
    pub last: Option<Timestamp>,
    /// Whether it stopped there because a wave waits for a person.
    pub paused: bool,
    /// Why it sends nothing more, when that was said already: that is not taken back.
    pub withheld: Option<Reason>,
}

/// Asks whether a run of the plan may go on from this workspace, and what it may send.
///
/// Settling what was sent is always right. More is sent only while every file says what it said when
/// the plan was made, and until the plan expires: at `validUntil`, or its own validity after the run
/// was last seen alive, or a day after it stopped for a person. Files that cannot be read count as
/// changed.
///
/// # Errors
/// Everything that neither `read` nor the passing of time refuses.
pub fn go_on(
    plan: Plan,
    context: &VerifyContext<'_>,
    begun: Begun,
) -> Result<CheckedPlan, PlanFileError> {
    let VerifyContext { workspace, policy_digest, now } = *context;
    belongs(&plan, workspace)?;
    let alone = plan.only_cancels().then(|| PolicySet::none(workspace).digest);
    let current = alone.as_deref().or(policy_digest);
    let stale = current != Some(plan.policy_digest.as_str());
    let until = sends_until(&plan, &begun);
    let expired =
        || (now > until).then(|| Reason::new("expired").with("validUntil", until.to_string()));
    let withheld = begun.withheld.or_else(|| stale.then(|| Reason::new("stale")));
    let withheld = withheld.or_else(expired);
    sound(plan, workspace, withheld)
}

/// Until when a run that goes on may send. Who approved a plan with a pause in it approved that
/// somebody looks first, which takes longer than a plan is valid.
fn sends_until(plan: &Plan, begun: &Begun) -> Timestamp {
    let validity = plan.valid_until.duration_since(plan.created_at);
    let validity = if begun.paused { validity.max(PAUSE) } else { validity };
    let again = begun.last.map(|last| last.checked_add(validity).unwrap_or(Timestamp::MAX));
    again.map_or(plan.valid_until, |again| again.max(plan.valid_until))
}

/// Whether the plan is what was written, and for this workspace and its tenants.
fn belongs(plan: &Plan, workspace: &Workspace) -> Result<(), PlanFileError> {
    if !is_sealed(plan) {
        return Err(PlanFileError::Edited);
    }
    if plan.workspace != workspace.id.as_str() {
        return Err(PlanFileError::WrongWorkspace {
            found: plan.workspace.clone(),
            expected: workspace.id.to_string(),
        });
    }
    plan.tenants.iter().try_for_each(|section| verify_tenant(plan, section, workspace))
}

/// The last question, and the only place where a `CheckedPlan` is made.
fn sound(
    plan: Plan,
    workspace: &Workspace,
    withheld: Option<Reason>,
) -> Result<CheckedPlan, PlanFileError> {
    match check::structure(&plan).into_iter().next() {
        Some(fault) => Err(PlanFileError::Faulty(fault)),
        None => Ok(CheckedPlan { sending: Sending::of(&plan, workspace, withheld), plan }),
    }
}

fn verify_tenant(
    plan: &Plan,
    section: &TenantSection,
    workspace: &Workspace,
) -> Result<(), PlanFileError> {
    let tenant = workspace.tenants.iter().find(|tenant| *tenant.name == *section.name);
    let Some(tenant) = tenant.filter(|tenant| *tenant.tenant_id == *section.tenant_id) else {
        return Err(PlanFileError::WrongTenant {
            name: section.name.clone(),
            found: section.tenant_id.clone(),
            expected: tenant.map(|tenant| tenant.tenant_id.to_string()),
        });
    };
    let changed = plan.changes.iter().any(|change| change.tenant == section.name);
    if changed && !section.complete {
        let missing = section.missing.join(", ");
        return Err(PlanFileError::Incomplete { tenant: section.name.clone(), missing });
    }
    if plan.study && !is_loopback(&tenant.endpoints) {
        return Err(PlanFileError::StudyOnRealTenant { tenant: section.name.clone() });
    }
    Ok(())
}

/// Whether every API root of the tenant is on this machine.
fn is_loopback(endpoints: &Endpoints) -> bool {
    let Endpoints { authority, defender, graph, defender_scope: _, graph_scope: _ } = endpoints;
    [authority, defender, graph].into_iter().all(|url| match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    })
}
