//! The plan as data, and as it is published: the plan file's body is exactly this.
//!
//! Names are a contract with other programs (`schemas/plan.schema.json`): add freely, change only
//! with a new `formatVersion`. Reasons are kebab-case codes with their numbers; sentences are made
//! by `report`.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Facet, Verb};
use crate::plan::circumstances::{Lift, Purpose};
use crate::plan::standing::{ExemptionRow, LeaseRow, PolicyRow};

mod change;
mod rollout;
mod room;

pub use change::{Change, Expectation, Parameters, Risk, Target, TargetKind, Why};
pub use rollout::{Rollout, Wave};
pub use room::{Room, RoomLimit};

/// The version of the plan file's format.
pub const FORMAT_VERSION: u32 = 1;

/// A plan: what would be done, and what would not and why.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    /// Version of this format.
    pub format_version: u32,
    /// SHA-256 in lower-case hexadecimal over the canonical form of everything else in this file.
    pub plan_hash: String,
    /// Name and version of the program that made the plan.
    pub tool: String,
    /// The workspace's `id`.
    pub workspace: String,
    /// When the plan was made (UTC).
    #[schemars(with = "String")]
    pub created_at: Timestamp,
    /// Until when an apply may start (UTC).
    #[schemars(with = "String")]
    pub valid_until: Timestamp,
    /// Whether `--now` moved the plan's clock by more than five minutes: such a plan is applied to
    /// loopback tenants only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub study: bool,
    /// What the plan is for.
    #[serde(default, skip_serializing_if = "Aim::is_policies")]
    pub purpose: Aim,
    /// The run that it undoes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
    /// SHA-256, in lower-case hexadecimal, over what the plan was made from: the workspace file, the
    /// policies and the rules, whatever the order of files and their formatting.
    pub policy_digest: String,
    /// The same of each of these files alone, by its path below the workspace.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sources: BTreeMap<String, String>,
    /// One section for each tenant.
    pub tenants: Vec<TenantSection>,
    /// Counts that add up.
    pub summary: Summary,
    /// What apply will do, in order of wave, danger and name.
    pub changes: Vec<Change>,
    /// Wanted, and held back by a rule, a window or an exemption.
    pub held: Vec<Entry>,
    /// Wanted, and not possible on that target.
    pub cannot: Vec<Entry>,
    /// Nothing may be concluded.
    pub unknown: Vec<Entry>,
    /// In a state that somebody else put there.
    pub foreign: Vec<Entry>,
    /// An action is in flight.
    pub changing: Vec<Entry>,
    /// What policies in audit mode would do.
    pub audit: Vec<Entry>,
    /// Leases of devices that stay as they are and that end within 24 hours.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ending: Vec<LeaseRow>,
    /// Leases whose end, or whose policy, is not the one written on the device any longer: an edit of
    /// the policies moved them. No call is made for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub leases: Vec<LeaseRow>,
    /// How many targets each policy selects in each tenant.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<PolicyRow>,
    /// The exemptions and how they stand.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exemptions: Vec<ExemptionRow>,
    /// What guardrails and checks say about the plan as a whole.
    pub objections: Vec<Objection>,
    /// Objections that somebody lifted for this plan, in order of their codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lifts: Vec<Lift>,
    /// The rollouts that changes go by, in order of tenant and policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rollouts: Vec<Rollout>,
}

/// What a plan is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Aim {
    /// To bring the tenants to what the policies want.
    #[default]
    Policies,
    /// To undo a run.
    Undo,
    /// To cancel actions of this workspace that are pending.
    Cancel,
}

impl Aim {
    /// The published word for a purpose.
    pub(super) const fn of(purpose: &Purpose) -> Self {
        match purpose {
            Purpose::Policies => Self::Policies,
            Purpose::Undo(_) => Self::Undo,
            Purpose::Cancel(_) => Self::Cancel,
        }
    }

    const fn is_policies(&self) -> bool {
        matches!(self, Self::Policies)
    }
}

/// What was read of one tenant.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantSection {
    /// Name in the workspace.
    pub name: String,
    /// Entra tenant id: an apply to any other is refused.
    pub tenant_id: String,
    /// When the observation was made (UTC).
    #[schemars(with = "String")]
    pub observed_at: Timestamp,
    /// What the service's clock showed then at least (UTC), where it told another time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub service_at: Option<Timestamp>,
    /// Whether every read was complete.
    pub complete: bool,
    /// What is missing, when not.
    pub missing: Vec<String>,
    /// Devices in the observation, each once.
    pub devices: u32,
    /// Devices in each group, by name; ungrouped ones under the empty name.
    pub groups: BTreeMap<String, u32>,
    /// What the next run is compared with, when it is not `devices` and what `policies` counts: one that
    /// jumped and was not lifted, or was not read whole, stays as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Baseline>,
    /// API calls an apply of this tenant's changes needs at least.
    pub calls: u32,
    /// Seconds the service's rate windows ask for at least.
    pub at_least_seconds: u64,
    /// Targets of changes that are offline and would queue.
    pub offline: u32,
    /// What limits on devices leave when every change is done, in order: those that changes count
    /// towards and that nobody lifts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub room: Vec<Room>,
    /// From when on (UTC, by the service's clock) actions are not in `room` yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub room_since: Option<Timestamp>,
}

impl TenantSection {
    /// How far the service's clock was ahead of ours, below zero when it was behind.
    #[must_use]
    pub fn service_ahead(&self) -> SignedDuration {
        self.service_at.map(|at| at.duration_since(self.observed_at)).unwrap_or_default()
    }
}

/// Numbers of devices that a later run is compared with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Baseline {
    /// Devices of the tenant.
    pub devices: u32,
    /// Devices that each policy selects, by `KIND/NAME`.
    pub selected: BTreeMap<String, u32>,
}

/// Counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Summary {
    /// Changes by verb.
    pub verbs: BTreeMap<Verb, u32>,
    /// Targets and facets in scope by disposition; the values add up to `total`.
    pub dispositions: BTreeMap<Disposition, u32>,
    /// Pairs of target and facet in scope.
    pub total: u32,
}

/// Exactly one for each target and facet in scope.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the lists of `Plan` say what each means")]
pub enum Disposition {
    Do,
    Held,
    Cannot,
    Unknown,
    Foreign,
    Changing,
    Audit,
    Unchanged,
}

/// A target and facet that is not acted upon, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Entry {
    /// Name of the tenant.
    pub tenant: String,
    /// What.
    pub target: Target,
    /// Which aspect.
    pub facet: Facet,
    /// What would have been done, when something was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<Verb>,
    /// The value read, as a word; absent when it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The value wanted, as a word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Policies concerned; empty when the target is in scope only because of its state.
    pub because: Vec<Why>,
    /// Why nothing is done.
    pub reason: Reason,
}

/// A kebab-case code with its numbers and names.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reason {
    /// The code; screens say it as a sentence.
    pub code: String,
    /// Numbers and names, by camelCase key: whatever the sentence needs.
    #[serde(flatten)]
    pub facts: BTreeMap<String, serde_json::Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Plan {
    /// Whether it cancels and nothing else. Whatever a file says of itself, its changes are looked at.
    #[must_use]
    pub fn only_cancels(&self) -> bool {
        self.purpose == Aim::Cancel && self.changes.iter().all(|it| it.verb == Verb::Cancel)
    }

    /// What the next run of a tenant is compared with.
    #[must_use]
    pub fn seen(&self, section: &TenantSection) -> Baseline {
        let of_devices =
            |row: &&PolicyRow| row.tenant == section.name && row.facet != Facet::Classification;
        let own = || Baseline {
            devices: section.devices,
            selected: self.policies.iter().filter(of_devices).map(PolicyRow::counted).collect(),
        };
        section.baseline.clone().unwrap_or_else(own)
    }

    /// Lifts that no objection needed.
    pub fn unused_lifts(&self) -> impl Iterator<Item = &Lift> {
        let used = |lift: &Lift| {
            let mut objections = self.objections.iter();
            objections.any(|it| it.code == lift.code && it.lifted.is_some())
        };
        self.lifts.iter().filter(move |lift| !used(lift))
    }
}

impl Reason {
    /// A reason without facts.
    #[must_use]
    pub fn new(code: &str) -> Self {
        Self { code: code.to_owned(), facts: BTreeMap::new() }
    }
    /// Adds a fact.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<serde_json::Value>) -> Self {
        self.facts.insert(key.to_owned(), value.into());
        self
    }
    /// A fact as text, for sentences; numbers print as they are.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<String> {
        match self.facts.get(key)? {
            serde_json::Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        }
    }
}

/// What a guardrail or check says about the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Objection {
    /// Kebab-case code (`cap-group`, `cap-run`, `protected`, …).
    pub code: String,
    /// `hold` keeps changes back, `warn` only says so.
    pub level: Level,
    /// Tenant, empty for the whole plan.
    pub tenant: String,
    /// What it is about: `group APAC-Kiosk`, `run`, `fleet`.
    pub scope: String,
    /// The verb concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<Verb>,
    /// Changes it is about, held or lifted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub about: u32,
    /// Changes held by it; none when it is lifted.
    pub held: u32,
    /// Why somebody lifted it: the changes it was about are not held by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted: Option<String>,
    /// The setting that would change it: `guardrails.caps.restrict.group`.
    pub setting: String,
    /// Its numbers and names.
    pub facts: BTreeMap<String, serde_json::Value>,
}

/// Whether an objection holds changes.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Level {
    Hold,
    Warn,
}
