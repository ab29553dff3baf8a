//! What the builder takes in: borrowed rows as a page yields them, before interning.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::model::{
    ActionId, ActionKind, ActionStatus, AlertId, AlertStatus, AvStatus, Classification,
    Determination, DeviceId, DeviceValue, Exposure, Health, IncidentId, Isolation, Onboarding,
    Risk, ScanType, Severity,
};

/// One machine record.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are the service's own, described in the reference")]
pub struct DeviceRow<'a> {
    pub id: DeviceId,
    pub name: &'a str,
    pub merged_into: Option<DeviceId>,
    pub potential_duplicate: bool,
    pub platform: &'a str,
    pub version: &'a str,
    pub os_build: Option<i64>,
    pub agent_version: &'a str,
    pub group_id: i64,
    /// Empty when ungrouped.
    pub group: &'a str,
    pub tags: Vec<&'a str>,
    pub health: Health,
    pub risk: Risk,
    pub exposure: Exposure,
    pub value: DeviceValue,
    pub onboarding: Onboarding,
    pub av_status: AvStatus,
    pub joined: bool,
    pub managed_by: &'a str,
    pub first_seen: Option<Timestamp>,
    pub last_seen: Option<Timestamp>,
    /// `lastIpAddress` first, then the interfaces' addresses.
    pub ips: Vec<IpAddr>,
}

/// One machine action.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the service's own, described in the reference")]
pub struct ActionRow {
    pub id: ActionId,
    pub device: DeviceId,
    pub kind: ActionKind,
    pub status: ActionStatus,
    pub requestor: Arc<str>,
    pub comment: Arc<str>,
    pub source: Arc<str>,
    pub created: Timestamp,
    /// Last update: for an ended action, when it ended.
    pub updated: Timestamp,
    /// Isolation type of an `Isolate`, when `scope` says so; the wire often has null.
    pub isolation: Option<Isolation>,
    /// Scan type of a scan, when `scope` says so.
    pub scan: Option<ScanType>,
    /// Who cancelled it, as far as the service tells.
    pub cancelled: Option<Box<Cancelled>>,
}

/// The cancelling of a machine action.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cancelled {
    /// `cancellationRequestor`; empty when the service names nobody.
    pub requestor: Arc<str>,
    /// `cancellationComment`.
    pub comment: Arc<str>,
    /// When.
    pub at: Timestamp,
}

/// One row of antivirus health.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are the service's own, described in the reference")]
pub struct AvRow {
    pub device: DeviceId,
    /// End of the last completed quick scan, whoever started it.
    pub quick_scan: Option<Timestamp>,
    /// End of the last completed full scan, whoever started it.
    pub full_scan: Option<Timestamp>,
}

/// One alert with its device evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the service's own, described in the reference")]
pub struct AlertRow {
    pub id: AlertId,
    pub title: Arc<str>,
    pub severity: Severity,
    pub status: AlertStatus,
    pub classification: Classification,
    pub determination: Determination,
    pub assigned_to: Option<Arc<str>>,
    pub category: Arc<str>,
    pub detection_source: Arc<str>,
    pub service_source: Arc<str>,
    pub mitre: Vec<Arc<str>>,
    pub incident: Option<IncidentId>,
    pub created: Timestamp,
    pub updated: Timestamp,
    /// `mdeDeviceId` of the alert's device evidence, in the service's order, each once.
    pub devices: Vec<DeviceId>,
    /// Texts of all comments, oldest first.
    pub comments: Vec<Arc<str>>,
}

/// A read that stayed incomplete.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    /// What was read.
    pub what: What,
    /// Why it is incomplete, for people: status, page, role.
    pub why: Arc<str>,
}

/// The parts of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum What {
    Devices,
    Actions,
    AvHealth,
    Alerts,
    Scores,
}

impl What {
    /// The word in plan files and on screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Devices => "devices",
            Self::Actions => "machine actions",
            Self::AvHealth => "antivirus health",
            Self::Alerts => "alerts",
            Self::Scores => "scores",
        }
    }
}
