//! One change of a plan: what is done to what, for whom, and on which reading.
//!
//! Names are a contract with other programs, like all of `types`, whose part it is.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{ChangeId, Facet, Verb};
use crate::plan::types::Reason;

/// One verb on one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// Twelve hexadecimal digits; stands in the marker of the action.
    pub id: ChangeId,
    /// Name of the tenant.
    pub tenant: String,
    /// What is done.
    pub verb: Verb,
    /// To which aspect.
    pub facet: Facet,
    /// To what.
    pub target: Target,
    /// The value before, as a word.
    pub from: String,
    /// The value after, as a word.
    pub to: String,
    /// The service's own values.
    pub parameters: Parameters,
    /// When the lease is expected to end, counted from the plan's making (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub lease_end: Option<Timestamp>,
    /// Why; never empty.
    pub because: Vec<Why>,
    /// Why a release happens, or another reason beyond the policies, as a kebab-case code:
    /// `lease-ended`, `no-longer-selected`, `policy-gone`, `superseded`, …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// How carefully to look.
    pub risk: Risk,
    /// The rollout it goes by, as its policy is named in `rollouts`; none for what is done at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<String>,
    /// Wave of the rollout, from 1; 1 without a rollout.
    pub wave: u32,
    /// What apply must find on its last look before it acts; otherwise the change is dropped as
    /// `moved`.
    pub expects: Expectation,
}

/// What something is done to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// Device, alert or incident.
    pub kind: TargetKind,
    /// The service's id.
    pub id: String,
    /// Device name or alert title; untrusted text.
    pub name: String,
    /// Device group, empty when there is none.
    pub group: String,
    /// Device value; `high` ones never fold away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<crate::model::DeviceValue>,
}

/// Kinds of targets.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum TargetKind {
    Device,
    Alert,
    Incident,
}

/// The service's own values, spelled as they are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are the service's own")]
pub struct Parameters {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isolation_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scan_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha1: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classification: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub determination: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<String>,
    /// The whole comment with its marker, as it is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The action to cancel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action_id: Option<String>,
    /// Earliest instant at which the action is sent (spread of scans, UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub not_before: Option<Timestamp>,
}

/// A policy that wants it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Why {
    /// Kind of the document.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// File, relative to the workspace.
    pub file: String,
    /// Line of the document, from 1.
    pub line: u32,
    /// The terms that matched, with the facts: `tag=ir-7781`, `os=windows`.
    pub terms: Vec<String>,
}

/// How carefully to look at a change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Risk {
    Low,
    Medium,
    High,
}

/// The reading a change was planned on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Expectation {
    /// The facet's value, as a word (`free`, `selective`, …). For an alert: `status`,
    /// `classification`, `determination` and `assignedTo`, joined by `/`.
    pub value: String,
    /// The newest action of that facet's kinds on the device, whatever its state; absent when the
    /// history has none. For an alert: its `lastUpdateDateTime`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}
