//! Intended posture against actual posture, read off a plan: the plan is the comparison.
//!
//! A deviation is a target whose facet is not as the policies intend, or is in a state that nobody
//! intends, with the kind of cause and the action that it rests on. What policies in audit mode
//! would do is counted and is none. Published as JSON (`schemas/audit.schema.json`); `text`,
//! `markdown` and `junit` write the same. Called by `cli::commands::audit`.

mod junit;
mod markdown;
mod text;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::Facet;
use crate::plan::standing::{ExemptionRow, LeaseRow, PolicyRow};
use crate::plan::types::{Change, Disposition, Entry, Plan, Reason, Target, TenantSection, Why};

pub use junit::junit;
pub use markdown::markdown;
pub use text::text;

/// Version of the JSON form.
pub const FORMAT_VERSION: u32 = 1;

/// Intended against actual posture at one time.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Audit {
    /// Version of this format.
    pub format_version: u32,
    /// Name and version of the program.
    pub tool: String,
    /// The workspace's `id`.
    pub workspace: String,
    /// The instant that is looked at (UTC).
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Digest of the policies.
    pub policy_digest: String,
    /// What was read of each tenant.
    pub tenants: Vec<TenantSection>,
    /// Targets and facets in scope that are as intended.
    pub as_intended: u32,
    /// Targets and facets in scope that are not, by cause.
    pub deviating: BTreeMap<Cause, u32>,
    /// Each policy in each tenant.
    pub policies: Vec<PolicyAudit>,
    /// Everything that is not as intended.
    pub deviations: Vec<Deviation>,
    /// Leases that end within 24 hours.
    pub ending: Vec<LeaseRow>,
    /// Leases that an edit of the policies moved.
    pub leases: Vec<LeaseRow>,
    /// The exemptions and how they stand.
    pub exemptions: Vec<ExemptionRow>,
}

/// How one policy stands in one tenant.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyAudit {
    /// The policy and how many targets it selects.
    #[serde(flatten)]
    pub policy: PolicyRow,
    /// Of those, how many are as intended. A policy in audit mode intends nothing.
    pub as_intended: u32,
    /// The others by cause.
    pub deviating: BTreeMap<Cause, u32>,
    /// What a policy in audit mode would do.
    pub would_do: u32,
}

/// Why something is not as intended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Cause {
    /// Nothing can be concluded about it.
    Unknown,
    /// An apply would do it now, or it is not its turn yet.
    Pending,
    /// A lease has ended.
    Expired,
    /// Somebody else put it there.
    Foreign,
    /// A guardrail, a person's release or another rule holds it.
    Held,
    /// It is not possible on that target.
    Cannot,
    /// An action is in flight.
    Changing,
    /// It left the value that an exemption accepts.
    Moved,
    /// An exemption allows it: shown, and no fault.
    Exempt,
}

impl Cause {
    /// The word in JSON and on screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Pending => "pending",
            Self::Expired => "expired",
            Self::Foreign => "foreign",
            Self::Held => "held",
            Self::Cannot => "cannot",
            Self::Changing => "changing",
            Self::Moved => "moved",
            Self::Exempt => "exempt",
        }
    }

    /// Whether somebody has to look at it.
    #[must_use]
    pub const fn is_fault(self) -> bool {
        !matches!(self, Self::Exempt)
    }

    fn of(disposition: Disposition, reason: Option<&Reason>) -> Self {
        let code = reason.map_or("", |reason| reason.code.as_str());
        match (disposition, code) {
            (_, "exemption") => Self::Exempt,
            (_, "accepted-moved") => Self::Moved,
            (
                _,
                "lease-ended"
                | "lease-shortened"
                | "lease-spent"
                | "on-expiry-hold"
                | "adopted-lease-ended",
            ) => Self::Expired,
            (_, "not-yet" | "retry-delay") | (Disposition::Do, _) => Self::Pending,
            (Disposition::Unknown, _) => Self::Unknown,
            (Disposition::Foreign, _) => Self::Foreign,
            (Disposition::Cannot, _) => Self::Cannot,
            (Disposition::Changing, _) => Self::Changing,
            _ => Self::Held,
        }
    }
}

/// One target whose facet is not as intended.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deviation {
    /// Name of the tenant.
    pub tenant: String,
    /// What.
    pub target: Target,
    /// Which aspect.
    pub facet: Facet,
    /// Why it is not as intended.
    pub cause: Cause,
    /// The value intended, as a word; absent when no policy intends one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intended: Option<String>,
    /// The value there is, as a word; absent when it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub actual: Option<String>,
    /// The policies concerned.
    pub because: Vec<Why>,
    /// The reason with its facts; absent for a plain change that is pending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// What it rests on.
    pub evidence: Evidence,
}

/// The action that a state rests on, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The action's id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// Who asked for it, as the service gave it; untrusted text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requestor: Option<String>,
    /// When it took effect (UTC).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
}

impl Evidence {
    fn of(reason: Option<&Reason>) -> Self {
        let fact = |keys: &[&str]| keys.iter().find_map(|key| reason?.text(key));
        Self {
            action: fact(&["action"]),
            requestor: fact(&["requestor", "by", "cancelledBy", "workspace"]),
            at: fact(&["since", "ended", "at"]),
        }
    }
}

impl Deviation {
    fn of_change(change: &Change) -> Self {
        let mut evidence = Evidence::of(change.reason.as_ref());
        let newest = || change.expects.evidence.clone();
        let device = change.target.kind == crate::plan::types::TargetKind::Device;
        evidence.action = evidence.action.or_else(|| newest().filter(|_| device));
        Self {
            tenant: change.tenant.clone(),
            target: change.target.clone(),
            facet: change.facet,
            cause: Cause::of(Disposition::Do, change.reason.as_ref()),
            intended: Some(change.to.clone()),
            actual: Some(change.from.clone()),
            because: change.because.clone(),
            reason: change.reason.clone(),
            evidence,
        }
    }

    fn of_entry(disposition: Disposition, entry: &Entry) -> Self {
        Self {
            tenant: entry.tenant.clone(),
            target: entry.target.clone(),
            facet: entry.facet,
            cause: Cause::of(disposition, Some(&entry.reason)),
            intended: entry.to.clone(),
            actual: entry.from.clone(),
            because: entry.because.clone(),
            reason: Some(entry.reason.clone()),
            evidence: Evidence::of(Some(&entry.reason)),
        }
    }

    /// What the deviation is about, for an order that is the same every time.
    fn key(&self) -> impl Ord + '_ {
        let target = &self.target;
        let reason = self.reason.as_ref().map(|reason| reason.code.as_str());
        let place = (&target.group, &target.name, target.kind, &target.id);
        (&self.tenant, self.facet, self.cause, reason, place)
    }

    fn concerns(&self, policy: &PolicyRow) -> bool {
        let same = |why: &Why| why.kind == policy.kind && why.name == policy.name;
        self.tenant == policy.tenant && self.because.iter().any(same)
    }
}

impl Audit {
    /// Reads the comparison off a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let mut deviations: Vec<Deviation> =
            plan.changes.iter().map(Deviation::of_change).collect();
        for (disposition, list) in [
            (Disposition::Held, &plan.held),
            (Disposition::Cannot, &plan.cannot),
            (Disposition::Unknown, &plan.unknown),
            (Disposition::Foreign, &plan.foreign),
            (Disposition::Changing, &plan.changing),
        ] {
            deviations.extend(list.iter().map(|entry| Deviation::of_entry(disposition, entry)));
        }
        deviations.sort_by(|left, right| left.key().cmp(&right.key()));
        let unchanged = plan.summary.dispositions.get(&Disposition::Unchanged).copied();
        let would_do = u32::try_from(plan.audit.len()).unwrap_or(u32::MAX);
        Self {
            format_version: FORMAT_VERSION,
            tool: plan.tool.clone(),
            workspace: plan.workspace.clone(),
            at: plan.created_at,
            policy_digest: plan.policy_digest.clone(),
            tenants: plan.tenants.clone(),
            // What only an audit would change is as intended.
            as_intended: unchanged.unwrap_or(0).saturating_add(would_do),
            deviating: tally(deviations.iter()),
            policies: policies(plan, &deviations),
            deviations,
            ending: plan.ending.clone(),
            leases: plan.leases.clone(),
            exemptions: plan.exemptions.clone(),
        }
    }

    /// Whether every tenant was read whole.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.tenants.iter().all(|tenant| tenant.complete)
    }

    /// Deviations that somebody has to look at: what an exemption allows is none.
    #[must_use]
    pub fn faults(&self) -> u32 {
        self.deviating.iter().filter(|(cause, _)| cause.is_fault()).map(|(_, count)| count).sum()
    }

    /// As JSON, with a line feed at its end.
    #[must_use]
    pub fn json(&self) -> String {
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        format!("{text}\n")
    }
}

/// The schema of the JSON form.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Audit).to_value()
}

fn tally<'a>(deviations: impl Iterator<Item = &'a Deviation>) -> BTreeMap<Cause, u32> {
    let mut counts = BTreeMap::new();
    deviations.for_each(|deviation| *counts.entry(deviation.cause).or_default() += 1);
    counts
}

fn policies(plan: &Plan, deviations: &[Deviation]) -> Vec<PolicyAudit> {
    let one = |policy: &PolicyRow| {
        // A release of what a policy no longer selects is not one of its targets.
        let own: Vec<&Deviation> = deviations
            .iter()
            .filter(|deviation| deviation.concerns(policy))
            .filter(|deviation| !is_left(deviation))
            .collect();
        let targets: BTreeSet<&str> = own.iter().map(|it| it.target.id.as_str()).collect();
        let deviating = u32::try_from(targets.len()).unwrap_or(u32::MAX);
        let would_do = plan.audit.iter().filter(|entry| {
            let same = |why: &Why| why.kind == policy.kind && why.name == policy.name;
            entry.tenant == policy.tenant && entry.because.iter().any(same)
        });
        let selected = if policy.audit { 0 } else { policy.selected };
        PolicyAudit {
            as_intended: selected.saturating_sub(deviating),
            deviating: tally(own.into_iter()),
            would_do: u32::try_from(would_do.count()).unwrap_or(u32::MAX),
            policy: policy.clone(),
        }
    };
    plan.policies.iter().map(one).collect()
}

/// Whether the policy named is only the one that had placed it.
fn is_left(deviation: &Deviation) -> bool {
    let code = deviation.reason.as_ref().map(|reason| reason.code.as_str());
    // What holds a release that has one of the first three reasons.
    let held = ["orphaned-releases", "selection-shrank"];
    let left = ["no-longer-selected", "policy-gone", "policy-in-audit"];
    code.is_some_and(|code| left.contains(&code) || held.contains(&code))
}
