//! `AlertRule` and the selector of alerts as authors write them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{AlertStatus, Classification, Determination};
use crate::policy::document::ModeWord;
use crate::policy::document::device::DeviceSelector;
use crate::policy::document::leaf::{
    AgeText, AssigneeText, CommentText, GlobText, IncidentText, OneOrMany, SeverityText,
    TechniqueText, Text,
};
use crate::policy::document::rollout::RolloutSpec;

/// Gives alerts a status, verdict, assignee or comment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertRuleSpec {
    /// `enforce` (the default) or `audit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<ModeWord>,
    /// Rules go by priority, lower numbers first, then by name; the first that matches decides. 100
    /// when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100_000), example = 50)]
    pub priority: Option<u32>,
    /// Which alerts.
    pub alerts: AlertSelector,
    /// What they are given; members that are not written stay as they are.
    pub set: VerdictSpec,
    /// Whether a verdict that a person gave is overwritten; `false` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overwrite_analyst: Option<bool>,
    /// In which waves the alerts are changed; all at once when it is not given. `pendingOffline` means
    /// nothing here: alerts are never pending.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutSpec>,
}

/// What an alert is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(extend("minProperties" = 1))]
pub struct VerdictSpec {
    /// Work status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusWord>,
    /// Verdict.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification: Option<Classification>,
    /// Finer verdict; must fit the classification and needs one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub determination: Option<Determination>,
    /// Who takes care of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"soc@contoso.example")]
    pub assigned_to: Option<Text>,
    /// A comment, posted once for each alert.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comment: Option<CommentText>,
}

/// A work status that can be set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum StatusWord {
    /// Nobody works on it.
    New,
    /// Somebody does.
    InProgress,
    /// Closed.
    Resolved,
}

/// Which alerts. Terms of one mapping must all match; a list is a choice; `all`, `any` and `not` nest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(extend("minProperties" = 1))]
pub struct AlertSelector {
    /// Every one of these selectors matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub all: Option<Vec<Self>>,
    /// At least one of these selectors matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub any: Option<Vec<Self>>,
    /// This selector does not match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Self>>,
    /// Alert id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<OneOrMany<Text>>,
    /// Title, without regard to case; `*`, `?` and `[…]` stand for characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"*Mimikatz*")]
    pub title: Option<OneOrMany<GlobText>>,
    /// Severity, or a comparison such as `"<=medium"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<OneOrMany<SeverityText>>,
    /// Work status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<OneOrMany<AlertStatus>>,
    /// Category, without regard to case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"CredentialAccess")]
    pub category: Option<OneOrMany<Text>>,
    /// What detected it, without regard to case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"antivirus")]
    pub detection_source: Option<OneOrMany<Text>>,
    /// Which product raised it, without regard to case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"microsoftDefenderForEndpoint")]
    pub service_source: Option<OneOrMany<Text>>,
    /// The verdict as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification: Option<OneOrMany<Classification>>,
    /// Assignee, without regard to case; `nobody` means unassigned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned_to: Option<OneOrMany<AssigneeText>>,
    /// MITRE technique; `T1059` also means its sub-techniques.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mitre_technique: Option<OneOrMany<TechniqueText>>,
    /// Incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<OneOrMany<IncidentText>>,
    /// Age since creation: `"<7d"` is younger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<OneOrMany<AgeText>>,
    /// A device among the alert's evidence matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Box<DeviceSelector>>,
}
