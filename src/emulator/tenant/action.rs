//! A machine action as the tenant keeps it.
//!
//! What the wire shows is in `defender::actions`; here also what it hides: when the device will pick
//! the action up and when it will end.

use std::sync::Arc;

use jiff::Timestamp;

use crate::emulator::random::Guid;
use crate::model::{ActionKind, ActionStatus, Isolation, ScanType};

/// The isolation an action asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Containment {
    /// Everything but the sensor's own traffic.
    Full,
    /// With exceptions.
    Selective,
    /// Neighbours block an unmanaged device.
    UnManagedDevice,
}

impl Containment {
    /// The service's spelling.
    #[must_use]
    pub const fn wire(self) -> &'static str {
        match self {
            Self::Full => "Full",
            Self::Selective => "Selective",
            Self::UnManagedDevice => "UnManagedDevice",
        }
    }

    /// What it puts in force.
    #[must_use]
    pub const fn posture(self) -> Isolation {
        match self {
            Self::Selective => Isolation::Selective,
            Self::Full | Self::UnManagedDevice => Isolation::Full,
        }
    }
}

/// A file an action is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileRef {
    /// The hash.
    pub identifier: Arc<str>,
    /// `Sha1`, `Sha256`, `Md5`.
    pub kind: &'static str,
}

/// Who cancelled, why and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancellation {
    /// User or application.
    pub requestor: Arc<str>,
    /// The comment, if one was given.
    pub comment: Option<Arc<str>>,
    /// When.
    pub at: Timestamp,
}

/// One machine action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its id.
    pub id: Guid,
    /// Its type.
    pub kind: ActionKind,
    /// User principal name of a person, display name of an application.
    pub requestor: Arc<str>,
    /// Why, in the requestor's words.
    pub comment: Arc<str>,
    /// Its state.
    pub status: ActionStatus,
    /// Row of the machine.
    pub machine: u32,
    /// When it was accepted.
    pub created: Timestamp,
    /// When it last changed; for an ended one, when it ended.
    pub updated: Timestamp,
    /// Its cancellation.
    pub cancellation: Option<Box<Cancellation>>,
    /// The device's HRESULT; 0 is fine.
    pub error: i32,
    /// Isolation asked for.
    pub isolation: Option<Containment>,
    /// Scan asked for.
    pub scan: Option<ScanType>,
    /// Correlation id the caller gave.
    pub external_id: Option<Arc<str>>,
    /// `requestSource`.
    pub source: Arc<str>,
    /// The file to quarantine.
    pub file: Option<Box<FileRef>>,
    /// When the device turns to the next state by itself; `None` while it waits for the device.
    pub next: Option<Timestamp>,
    /// When it will end, once it is picked up.
    pub ends: Option<Timestamp>,
    /// It stays pending until a later release has succeeded, then wins.
    pub stuck: bool,
}

impl Action {
    /// The scope without regard to what a fresh answer hides.
    #[must_use]
    pub fn scope(&self) -> Option<&'static str> {
        match (&self.kind, self.isolation, self.scan) {
            (ActionKind::Isolate, Some(isolation), _) => Some(isolation.wire()),
            (ActionKind::RunAntiVirusScan, _, Some(scan)) => Some(scan.wire()),
            _ => None,
        }
    }

    /// Whether it has not ended.
    #[must_use]
    pub fn is_active(&self) -> bool {
        !self.status.is_terminal()
    }
}

/// The type that takes back what the given one does.
#[must_use]
pub const fn opposite(kind: &ActionKind) -> Option<ActionKind> {
    match kind {
        ActionKind::Isolate => Some(ActionKind::Unisolate),
        ActionKind::Unisolate => Some(ActionKind::Isolate),
        ActionKind::RestrictCodeExecution => Some(ActionKind::UnrestrictCodeExecution),
        ActionKind::UnrestrictCodeExecution => Some(ActionKind::RestrictCodeExecution),
        _ => None,
    }
}
