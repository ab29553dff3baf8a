//! Checked selectors as trees: what every term means, without reference to an inventory.
//!
//! Built by `policy::checks`, read by `compile`, `interpret` and `explain`. An empty `Any` or `All`
//! cannot be written by an author (it is an error) and matches nothing: no input may ever shrink a
//! selector to "everything".

use std::sync::Arc;

use ipnet::IpNet;

use crate::model::{
    AlertStatus, AvStatus, Classification, DeviceId, DeviceValue, Exposure, Health, IncidentId,
    Onboarding, OsFamily, Risk, Severity, Span,
};

/// A selector over devices.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DeviceExpr {
    /// `everything: true`: each device of the inventory.
    Everything,
    /// Every part matches. Empty: nothing matches.
    All(Vec<Self>),
    /// Some part matches.
    Any(Vec<Self>),
    /// The part does not match.
    Not(Box<Self>),
    /// One term; a list in YAML is one term with several alternatives.
    Term(DeviceTerm),
}

/// One term over one field of a device. Lists are alternatives and never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum DeviceTerm {
    /// Device id.
    Id(Vec<DeviceId>),
    /// Name globs (`*`, `?`, `[…]`), case-insensitive, against the full name and its host part.
    Name(Vec<Glob>),
    /// Device group (`rbacGroupName`), case-insensitive; `ungrouped` devices have none.
    Group(Vec<Arc<str>>),
    /// Site path of the workspace (`acme/emea`), already resolved to what it maps to.
    Site(Vec<SiteRef>),
    /// Tag, case-insensitive; a text with `*` or `?` is a glob.
    Tag(Vec<Glob>),
    /// Operating system.
    Os(Vec<OsMatch>),
    /// OS release such as `24H2`; globs.
    Version(Vec<Glob>),
    /// Last internal address or any reported interface address lies in the network.
    Ip(Vec<IpNet>),
    /// Sensor health.
    Health(Vec<Health>),
    /// Risk score.
    Risk(Vec<OrderedMatch<Risk>>),
    /// Exposure level.
    Exposure(Vec<OrderedMatch<Exposure>>),
    /// Device value.
    Value(Vec<OrderedMatch<DeviceValue>>),
    /// Onboarding status.
    Onboarding(Vec<Onboarding>),
    /// Whether the device is joined to Entra (`isAadJoined`); a null is not joined.
    Joined(bool),
    /// Manager (`Intune`, …), case-insensitive.
    ManagedBy(Vec<Arc<str>>),
    /// Antivirus status.
    AvStatus(Vec<AvStatus>),
    /// Age of the last full report.
    Seen(Vec<AgeMatch>),
    /// Devices that are device evidence of an alert that matches.
    Alert(Box<AlertExpr>),
    /// Devices of an incident.
    Incident(Vec<IncidentId>),
}

/// A selector over alerts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AlertExpr {
    /// Every part matches. Empty: nothing matches.
    All(Vec<Self>),
    /// Some part matches.
    Any(Vec<Self>),
    /// The part does not match.
    Not(Box<Self>),
    /// One term.
    Term(AlertTerm),
}

/// One term over one field of an alert. Lists are alternatives and never empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AlertTerm {
    /// Alert id.
    Id(Vec<Arc<str>>),
    /// Title globs, case-insensitive.
    Title(Vec<Glob>),
    /// Severity.
    Severity(Vec<OrderedMatch<Severity>>),
    /// Work status.
    Status(Vec<AlertStatus>),
    /// Category, case-insensitive.
    Category(Vec<Arc<str>>),
    /// Detection source, case-insensitive.
    DetectionSource(Vec<Arc<str>>),
    /// Service source, case-insensitive.
    ServiceSource(Vec<Arc<str>>),
    /// Classification as it stands.
    Classification(Vec<Classification>),
    /// Assignee, case-insensitive; `None` is the word `nobody`.
    AssignedTo(Vec<Option<Arc<str>>>),
    /// MITRE technique; `T1059` also means its sub-techniques `T1059.001`.
    MitreTechnique(Vec<Arc<str>>),
    /// Incident.
    Incident(Vec<IncidentId>),
    /// Age since creation.
    Created(Vec<AgeMatch>),
    /// A device among the alert's device evidence matches.
    Device(Box<DeviceExpr>),
}

/// A glob as the author wrote it, checked to compile.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Glob {
    /// The author's text.
    pub text: Arc<str>,
}

/// How an operating system is named.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OsMatch {
    /// A family.
    Family(OsFamily),
    /// An exact `osPlatform` string, case-insensitive.
    Platform(Arc<str>),
}

/// A comparison over an ordered enum; a bare word is `Eq`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OrderedMatch<T> {
    /// The comparison.
    pub op: Op,
    /// What to compare with.
    pub value: T,
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Op {
    Eq,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Op {
    /// Whether `left op right` holds.
    #[must_use]
    pub fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Eq => left == right,
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::Gt => left > right,
            Self::Ge => left >= right,
        }
    }
    /// As an author writes it; equality is written as the bare value.
    #[must_use]
    pub const fn sign(self) -> &'static str {
        match self {
            Self::Eq => "",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
        }
    }
}

/// `"<7d"`, `">30d"`: an age compared with a length of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AgeMatch {
    /// The comparison; never `Eq`.
    pub op: Op,
    /// The age to compare with.
    pub age: Span,
}

/// One node of the workspace's site hierarchy with what it maps to. A site term becomes one of these
/// for the site and each of its descendants that maps to something, so that each keeps its own
/// tenants. A node that names neither groups nor tags is the whole of its tenants; one that names
/// nothing at all is never built.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SiteRef {
    /// The path as written.
    pub path: Arc<str>,
    /// Devices of the node: in any of these groups or with any of the tags, in its tenants only.
    pub groups: Vec<Arc<str>>,
    /// Tags that put a device into the site.
    pub tags: Vec<Arc<str>>,
    /// Tenant names the site is confined to; empty: any tenant.
    pub tenants: Vec<Arc<str>>,
}
