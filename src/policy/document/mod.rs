//! Documents exactly as authors write them: the source of the JSON Schemas and of written YAML.
//!
//! Descriptions and examples here are what an editor shows while a policy is written. Reading does
//! not go through these types: `policy::checks` walks the tree, so that every problem is found at its
//! place, and `policy::shape` holds documents against the schemas made here. Defaults stand in the
//! descriptions and are applied by the checks.

pub mod alert;
pub mod contain;
pub mod device;
pub mod exempt;
pub mod guardrails;
pub mod leaf;
pub mod limits;
pub mod rollout;
pub mod scan;
pub mod schemas;
pub mod workspace;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::set::PolicyKind;

pub use alert::{AlertRuleSpec, AlertSelector, VerdictSpec};
pub use contain::{CodeExecutionRestrictionSpec, IsolationSetSpec};
pub use device::DeviceSelector;
pub use exempt::ExemptionSpec;
pub use leaf::OneOrMany;
pub use rollout::RolloutSpec;
pub use scan::ScanScheduleSpec;
pub use workspace::WorkspaceDocument;

/// The only version of the documents so far.
pub const API_VERSION: &str = "palisade/v1";

/// `palisade/v1`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum ApiVersion {
    /// The first version.
    #[default]
    #[serde(rename = "palisade/v1")]
    V1,
}

/// What every policy document has, whatever its kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope<S> {
    /// Version of the document format.
    pub api_version: ApiVersion,
    /// What the policy governs.
    pub kind: PolicyKind,
    /// Name and ownership.
    pub metadata: Metadata,
    /// What is wanted; its keys depend on `kind`.
    pub spec: S,
}

/// Name and ownership of a policy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Metadata {
    /// Name of the policy, unique per kind in the workspace. It stands in the marker of every action.
    /// After a renaming, devices that the policy still selects stay as they are, and leases go on.
    pub name: leaf::NameText,
    /// What the policy is for, in a sentence or two. Also the comment of its actions when the spec
    /// has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"Hosts the incident response team tagged")]
    pub description: Option<leaf::Text>,
    /// Who answers for the policy: a team, a person, a mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"soc-ir")]
    pub owner: Option<leaf::Text>,
    /// Free labels for search and reports.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
}

/// Whether a policy acts or only shows what it would do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum ModeWord {
    /// Changes are planned and applied.
    #[default]
    Enforce,
    /// What would be done is shown, nothing is changed.
    Audit,
}

/// What happens when a lease ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum OnExpiryWord {
    /// The device is released.
    #[default]
    Release,
    /// The device stays as it is and is shown as held until somebody decides.
    Hold,
}

/// What a person's release of a device means to the policy that put it there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum OnManualReleaseWord {
    /// The device is put back, with a lease of its own; the plan says who released it and when.
    Reassert,
    /// The device stays released and is shown as held.
    #[default]
    Respect,
    /// The device stays released until somebody lifts the objection `released-by-hand`.
    Ask,
}

/// A policy document of any kind, for writing.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are the documents' own")]
pub enum PolicyDocument {
    IsolationSet(Metadata, IsolationSetSpec),
    CodeExecutionRestriction(Metadata, CodeExecutionRestrictionSpec),
    ScanSchedule(Metadata, ScanScheduleSpec),
    AlertRule(Metadata, AlertRuleSpec),
    Exemption(Metadata, ExemptionSpec),
}

impl Serialize for PolicyDocument {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        fn put<S: serde::Serializer, T: Serialize>(
            to: S,
            kind: PolicyKind,
            metadata: &Metadata,
            spec: &T,
        ) -> Result<S::Ok, S::Error> {
            let metadata = metadata.clone();
            Envelope { api_version: ApiVersion::V1, kind, metadata, spec }.serialize(to)
        }
        match self {
            Self::IsolationSet(metadata, spec) => put(to, PolicyKind::IsolationSet, metadata, spec),
            Self::CodeExecutionRestriction(metadata, spec) => {
                put(to, PolicyKind::CodeExecutionRestriction, metadata, spec)
            }
            Self::ScanSchedule(metadata, spec) => put(to, PolicyKind::ScanSchedule, metadata, spec),
            Self::AlertRule(metadata, spec) => put(to, PolicyKind::AlertRule, metadata, spec),
            Self::Exemption(metadata, spec) => put(to, PolicyKind::Exemption, metadata, spec),
        }
    }
}
