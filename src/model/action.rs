//! Machine actions: kinds, states and scan types with the service's spelling.
//!
//! `type` and `status` are open sets: portal actions and newer features have members the
//! documentation does not list. Source: Microsoft Learn, `machineaction` (2025-11-13).

use std::sync::Arc;

use crate::model::device::words;
use serde::{Deserialize, Serialize};

words!(
    /// An antivirus scan's depth; a full scan satisfies a wish for a quick one.
    ScanType, default Quick {
        /// Common places.
        Quick = "Quick" / "quick",
        /// Everything.
        Full = "Full" / "full",
    }
);

/// `type` of a machine action.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the members are the service's own names")]
pub enum ActionKind {
    Isolate,
    Unisolate,
    RestrictCodeExecution,
    UnrestrictCodeExecution,
    RunAntiVirusScan,
    StopAndQuarantineFile,
    CollectInvestigationPackage,
    Offboard,
    LiveResponse,
    /// A kind that is not documented; kept as it was read.
    Other(Arc<str>),
}

impl ActionKind {
    /// The documented kinds.
    pub const KNOWN: &'static [Self] = &[
        Self::Isolate,
        Self::Unisolate,
        Self::RestrictCodeExecution,
        Self::UnrestrictCodeExecution,
        Self::RunAntiVirusScan,
        Self::StopAndQuarantineFile,
        Self::CollectInvestigationPackage,
        Self::Offboard,
        Self::LiveResponse,
    ];

    /// The service's spelling.
    #[must_use]
    pub fn wire(&self) -> &str {
        match self {
            Self::Isolate => "Isolate",
            Self::Unisolate => "Unisolate",
            Self::RestrictCodeExecution => "RestrictCodeExecution",
            Self::UnrestrictCodeExecution => "UnrestrictCodeExecution",
            Self::RunAntiVirusScan => "RunAntiVirusScan",
            Self::StopAndQuarantineFile => "StopAndQuarantineFile",
            Self::CollectInvestigationPackage => "CollectInvestigationPackage",
            Self::Offboard => "Offboard",
            Self::LiveResponse => "LiveResponse",
            Self::Other(text) => text,
        }
    }

    /// Reads the service's spelling, without regard to case.
    #[must_use]
    pub fn from_wire(text: &str) -> Self {
        Self::KNOWN
            .iter()
            .find(|kind| kind.wire().eq_ignore_ascii_case(text))
            .cloned()
            .unwrap_or_else(|| Self::Other(Arc::from(text)))
    }
}

/// `status` of a machine action.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ActionStatus {
    /// Accepted, the device has not picked it up.
    Pending,
    /// The device is at it.
    InProgress,
    /// Done. For a scan this says that it ran, not what it found.
    Succeeded,
    /// Gave up with an error; may still have taken effect on the device.
    Failed,
    /// The device did not answer in time (capital O on the wire).
    TimeOut,
    /// Cancelled before it ended (two Ls on the wire).
    Cancelled,
    /// A state that is not documented: treated as not ended.
    Other(Arc<str>),
}

impl ActionStatus {
    /// Whether nothing more will happen to the action.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::TimeOut | Self::Cancelled)
    }

    /// The service's spelling.
    #[must_use]
    pub fn wire(&self) -> &str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::TimeOut => "TimeOut",
            Self::Cancelled => "Cancelled",
            Self::Other(text) => text,
        }
    }

    /// Reads the service's spelling, without regard to case; the one-L `Canceled` is accepted.
    #[must_use]
    pub fn from_wire(text: &str) -> Self {
        let known = [
            Self::Pending,
            Self::InProgress,
            Self::Succeeded,
            Self::Failed,
            Self::TimeOut,
            Self::Cancelled,
        ];
        if text.eq_ignore_ascii_case("Canceled") {
            return Self::Cancelled;
        }
        known
            .into_iter()
            .find(|status| status.wire().eq_ignore_ascii_case(text))
            .unwrap_or_else(|| Self::Other(Arc::from(text)))
    }
}
