//! What limits on devices leave when the plan is done: right before a run begins they are held against
//! what others took since.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Verb;

/// What one limit leaves, counted as its guardrail counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Room {
    /// Code of the guardrail.
    pub limit: RoomLimit,
    /// The verb it counts; absent for `remaining`, which counts devices that any takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<Verb>,
    /// The device group, empty for ungrouped devices; absent for the whole tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// So many more devices may be taken after every change of the plan.
    pub left: u32,
}

/// Guardrails that count devices, by the codes of their objections.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum RoomLimit {
    CapFleet,
    CapGroup,
    Remaining,
}

impl RoomLimit {
    const ALL: [Self; 3] = [Self::CapFleet, Self::CapGroup, Self::Remaining];

    /// The code of its objections.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CapFleet => "cap-fleet",
            Self::CapGroup => "cap-group",
            Self::Remaining => "remaining",
        }
    }

    /// The one whose objections have this code.
    #[must_use]
    pub fn of(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|limit| limit.code() == code)
    }
}

impl Room {
    /// The setting that it goes by.
    #[must_use]
    pub fn setting(&self) -> String {
        let verb = self.verb.map_or("VERB", Verb::word);
        match self.limit {
            RoomLimit::CapFleet => format!("guardrails.caps.{verb}.fleet"),
            RoomLimit::CapGroup => format!("guardrails.caps.{verb}.group"),
            RoomLimit::Remaining => "guardrails.remaining".to_owned(),
        }
    }

    /// Whether a change of this verb in this device group would count towards it.
    #[must_use]
    pub fn counts(&self, verb: Verb, group: &str) -> bool {
        let verb = self.verb.map_or(verb.is_restrictive(), |counted| counted == verb);
        verb && self.group.as_deref().is_none_or(|counted| counted == group)
    }
}
