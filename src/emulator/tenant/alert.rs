//! Alerts and incidents as the tenant keeps them; the Defender API and Graph spell them differently.

use std::sync::Arc;

use jiff::Timestamp;

use crate::emulator::random::Guid;
use crate::model::{AlertStatus, Classification, Determination, Severity};

/// A comment on an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The text.
    pub text: Arc<str>,
    /// Who wrote it.
    pub by: Arc<str>,
    /// When.
    pub at: Timestamp,
}

/// A file or process seen with an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessEvidence {
    /// File name.
    pub file: Arc<str>,
    /// Folder.
    pub folder: Arc<str>,
    /// SHA-1, forty hexadecimal digits.
    pub sha1: Arc<str>,
    /// SHA-256, sixty-four hexadecimal digits.
    pub sha256: Arc<str>,
    /// Process id.
    pub pid: u32,
    /// Command line.
    pub command: Arc<str>,
    /// Parent process id.
    pub parent: u32,
}

/// A user seen with an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserEvidence {
    /// Account name.
    pub account: Arc<str>,
    /// Domain.
    pub domain: Arc<str>,
    /// Security identifier.
    pub sid: Arc<str>,
    /// User principal name.
    pub upn: Arc<str>,
}

/// One alert.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "the fields are the service's own")]
pub struct Alert {
    /// `da<ticks>_<number>`.
    pub id: Arc<str>,
    pub incident: u64,
    pub investigation: Option<u64>,
    /// In the Defender API's spelling.
    pub investigation_state: Option<&'static str>,
    pub assigned_to: Option<Arc<str>>,
    pub severity: Severity,
    pub status: AlertStatus,
    /// `Unknown` is "no verdict".
    pub classification: Classification,
    pub determination: Determination,
    /// In the Defender API's spelling (`WindowsDefenderAtp`).
    pub detection_source: &'static str,
    /// In Graph's spelling (`microsoftDefenderForEndpoint`).
    pub service_source: &'static str,
    pub detector_id: Guid,
    pub category: Arc<str>,
    pub threat_family: Option<Arc<str>>,
    pub threat_name: Option<Arc<str>>,
    pub title: Arc<str>,
    pub description: Arc<str>,
    pub recommended: Arc<str>,
    pub created: Timestamp,
    pub first_event: Timestamp,
    pub last_event: Timestamp,
    pub updated: Timestamp,
    pub resolved: Option<Timestamp>,
    /// Rows of the devices in evidence; the first one is the alert's own machine. May be empty.
    pub machines: Vec<u32>,
    pub mitre: Vec<Arc<str>>,
    pub comments: Vec<Comment>,
    pub process: Option<ProcessEvidence>,
    pub user: Option<UserEvidence>,
}

impl Alert {
    /// Sets the status and keeps the time of resolution in step.
    pub fn set_status(&mut self, status: AlertStatus, now: Timestamp) {
        if status == AlertStatus::Resolved && self.status != AlertStatus::Resolved {
            self.resolved = Some(now);
        } else if status != AlertStatus::Resolved {
            self.resolved = None;
        }
        self.status = status;
    }

    /// What people and programs have made of it.
    #[must_use]
    pub fn handling(&self) -> Handling {
        Handling {
            status: self.status,
            classification: self.classification,
            determination: self.determination,
            assigned_to: self.assigned_to.clone(),
        }
    }
}

/// What people and programs change of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the service's own")]
pub struct Handling {
    pub status: AlertStatus,
    pub classification: Classification,
    pub determination: Determination,
    pub assigned_to: Option<Arc<str>>,
}

/// What somebody did to an alert. No API shows it: tests ask it who did what, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertEdit {
    /// Row of the alert.
    pub alert: u32,
    /// The person, or the name of the application.
    pub by: Arc<str>,
    /// When.
    pub at: Timestamp,
    /// As it was.
    pub before: Handling,
    /// As it was left.
    pub after: Handling,
    /// The comment that was added.
    pub comment: Option<Arc<str>>,
}

/// An incident: each alert belongs to exactly one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its number.
    pub id: u64,
    /// Display name.
    pub name: Arc<str>,
    /// When it was made.
    pub created: Timestamp,
    /// Rows of its alerts.
    pub alerts: Vec<u32>,
    /// Severity: the highest of its alerts.
    pub severity: Severity,
}
