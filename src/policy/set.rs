//! Compiled policies: typed, checked, total. The planner sees nothing of YAML.
//!
//! A `PolicySet` exists only when no finding was an error. Order inside it is by kind and name, so
//! that the order of files and documents changes nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{
    AlertStatus, Classification, Determination, Facet, Isolation, IsolationMode, PolicyName,
    Restriction, ScanType, Span,
};
use crate::policy::digest::Sources;
use crate::policy::load::SourceText;
use crate::policy::rollout::Rollout;
use crate::policy::schedule::Schedule;
use crate::policy::selector::{AlertExpr, DeviceExpr};
use crate::policy::workspace::Workspace;

/// All policies of a workspace.
#[derive(Clone, Debug, Default)]
pub struct PolicySet {
    /// `IsolationSet` documents by name.
    pub isolation: Vec<IsolationPolicy>,
    /// `CodeExecutionRestriction` documents by name.
    pub restriction: Vec<RestrictionPolicy>,
    /// `ScanSchedule` documents by name.
    pub scans: Vec<ScanPolicy>,
    /// `AlertRule` documents by priority, then name.
    pub alert_rules: Vec<AlertRule>,
    /// `Exemption` documents by name.
    pub exemptions: Vec<Exemption>,
    /// Organization rules in Rego, by file.
    pub rules: Vec<SourceText>,
    /// SHA-256, in lower-case hexadecimal, over what a plan is made from: the workspace file, every
    /// document and the text of every rule. The same for any order of files, other formatting and
    /// other comments in YAML.
    pub digest: String,
    /// The same of each file alone.
    pub files: BTreeMap<Arc<str>, String>,
}

impl PolicySet {
    /// No policies: what is done whatever policies say rests on the workspace alone.
    #[must_use]
    pub fn none(workspace: &Workspace) -> Self {
        let mut sources = Sources::default();
        sources.add(&workspace.file, workspace.digest.clone());
        let (digest, files) = sources.finish();
        Self { digest, files, ..Self::default() }
    }
}

/// The kinds of policy documents.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[expect(missing_docs, reason = "the names are the documents' own")]
pub enum PolicyKind {
    IsolationSet,
    CodeExecutionRestriction,
    ScanSchedule,
    AlertRule,
    Exemption,
}

impl PolicyKind {
    /// Every kind.
    pub const ALL: &'static [Self] = &[
        Self::IsolationSet,
        Self::CodeExecutionRestriction,
        Self::ScanSchedule,
        Self::AlertRule,
        Self::Exemption,
    ];
    /// The word after `kind:`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::IsolationSet => "IsolationSet",
            Self::CodeExecutionRestriction => "CodeExecutionRestriction",
            Self::ScanSchedule => "ScanSchedule",
            Self::AlertRule => "AlertRule",
            Self::Exemption => "Exemption",
        }
    }
}

/// What every policy has.
#[derive(Clone, Debug)]
pub struct Header {
    /// Kind of the document.
    pub kind: PolicyKind,
    /// `metadata.name`.
    pub name: PolicyName,
    /// `metadata.description`.
    pub description: Option<Arc<str>>,
    /// `metadata.owner`.
    pub owner: Option<Arc<str>>,
    /// `metadata.labels`.
    pub labels: BTreeMap<Arc<str>, Arc<str>>,
    /// File, relative to the workspace, with `/` on every platform.
    pub file: Arc<str>,
    /// Line of the document's first key, from 1.
    pub line: u32,
}

/// Whether a policy acts or only reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Changes are planned.
    Enforce,
    /// What would be done is shown, nothing else.
    Audit,
}

/// How long a restrictive posture may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lease {
    /// So long after the placing action succeeded.
    For(Span),
    /// Until this instant.
    Until(Timestamp),
}

impl Lease {
    /// The end of a lease that started at `start`.
    #[must_use]
    pub fn end(self, start: Timestamp) -> Timestamp {
        match self {
            Self::For(span) => span.after(start),
            Self::Until(until) => until,
        }
    }
}

/// What happens when a lease ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExpiry {
    /// The device is released.
    Release,
    /// The device stays as it is and is shown as held.
    Hold,
}

/// What a person's release means to the policy that put the device there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnManualRelease {
    /// The device is put back.
    Reassert,
    /// It stays released.
    Respect,
    /// It is put back when somebody lifts the objection.
    Ask,
}

/// What the restrictive kinds share.
#[derive(Clone, Debug)]
pub struct Containment {
    /// Enforce or audit.
    pub mode: Mode,
    /// Which devices.
    pub devices: DeviceExpr,
    /// How long.
    pub lease: Lease,
    /// What then.
    pub on_expiry: OnExpiry,
    /// How many leases the policy may take on one device in all; 1 unless the author says more.
    pub renewal: u32,
    /// Take over a device that somebody else put into the wanted state.
    pub adopt: bool,
    /// What a person's release means; `respect` unless the author says otherwise.
    pub on_manual_release: OnManualRelease,
    /// Whether a device that is offline is queued (default) or held.
    pub queue_offline: bool,
    /// In which waves its changes go out; all at once when there is none.
    pub rollout: Option<Rollout>,
    /// The author's comment, with the workspace's suffix.
    pub comment: Arc<str>,
}

/// `IsolationSet`.
#[derive(Clone, Debug)]
pub struct IsolationPolicy {
    /// What every policy has.
    pub header: Header,
    /// What restrictive kinds share.
    pub containment: Containment,
    /// The isolation wanted.
    pub isolation: IsolationMode,
}

/// `CodeExecutionRestriction`.
#[derive(Clone, Debug)]
pub struct RestrictionPolicy {
    /// What every policy has.
    pub header: Header,
    /// What restrictive kinds share.
    pub containment: Containment,
}

/// `ScanSchedule`.
#[derive(Clone, Debug)]
pub struct ScanPolicy {
    /// What every policy has.
    pub header: Header,
    /// Enforce or audit.
    pub mode: Mode,
    /// Which devices.
    pub devices: DeviceExpr,
    /// How deep.
    pub scan: ScanType,
    /// When.
    pub schedule: Schedule,
    /// After a failed or timed-out scan, how long until the next try in the same window.
    pub retry_delay: Span,
    /// Whether an offline device is queued; by default it is held.
    pub queue_offline: bool,
    /// In which waves its changes go out; all at once when there is none.
    pub rollout: Option<Rollout>,
    /// The author's comment, with the workspace's suffix.
    pub comment: Arc<str>,
}

/// `AlertRule`.
#[derive(Clone, Debug)]
pub struct AlertRule {
    /// What every policy has.
    pub header: Header,
    /// Enforce or audit.
    pub mode: Mode,
    /// Lower numbers go first; 100 unless the author says otherwise.
    pub priority: u32,
    /// Which alerts.
    pub alerts: AlertExpr,
    /// What is set; at least one member is present.
    pub set: Verdict,
    /// Whether a verdict that a person gave is overwritten.
    pub overwrite_analyst: bool,
    /// In which waves its changes go out; all at once when there is none.
    pub rollout: Option<Rollout>,
}

/// What an alert rule sets; absent members stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Work status.
    pub status: Option<AlertStatus>,
    /// Classification.
    pub classification: Option<Classification>,
    /// Determination; fits the classification.
    pub determination: Option<Determination>,
    /// Assignee.
    pub assigned_to: Option<Arc<str>>,
    /// A comment, posted once.
    pub comment: Option<Arc<str>>,
}

/// Values that an exemption accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Of isolation.
    pub isolation: Option<Isolation>,
    /// Of code execution.
    pub code_execution: Option<Restriction>,
}

impl Accepted {
    /// The word of the value accepted for a facet.
    #[must_use]
    pub fn word(&self, facet: Facet) -> Option<&'static str> {
        match facet {
            Facet::Isolation => self.isolation.map(Isolation::word),
            Facet::CodeExecution => self.code_execution.map(Restriction::word),
            _ => None,
        }
    }
}

/// `Exemption`: a ceiling over every policy.
#[derive(Clone, Debug)]
pub struct Exemption {
    /// What every policy has.
    pub header: Header,
    /// Which devices.
    pub devices: DeviceExpr,
    /// Which facets are never touched; all restrictive ones when the author names none.
    pub facets: Vec<Facet>,
    /// Values that the devices are accepted to have, by their facets.
    pub accepted: Accepted,
    /// Why.
    pub reason: Arc<str>,
    /// Who agreed.
    pub approver: Arc<str>,
    /// When it stops holding.
    pub expires: Timestamp,
}
