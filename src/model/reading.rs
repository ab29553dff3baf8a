//! What is known of a facet, and who put it there.
//!
//! `Unknown` never collapses into "absent": a failed read must not look like a free device.

use std::sync::Arc;

use crate::model::ids::{ActionId, ChangeId, PolicyName, WorkspaceId};

/// What the observation says about one facet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading<T> {
    /// Settled.
    Known(T),
    /// An action is in flight.
    Changing {
        /// The settled value before it.
        from: T,
        /// Where it leads.
        to: T,
        /// The action in flight.
        action: ActionId,
        /// Who asked for it.
        by: Holder,
    },
    /// Nothing may be concluded.
    Unknown(UnknownReason),
}

/// Why a facet cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnknownReason {
    /// The action history is incomplete: a later action may be missing.
    HistoryPartial,
    /// The device list is incomplete and this device is not in what was read.
    DeviceMissing,
    /// Two sources disagree; both are named.
    Disputed {
        /// What the action history says.
        history: Arc<str>,
        /// What the other source says.
        other: Arc<str>,
    },
    /// Several records claim to be this device and none is clearly the live one.
    Ambiguous {
        /// How many records.
        records: u32,
    },
    /// A read was refused or failed.
    ReadFailed {
        /// The read and its status, for people.
        what: Arc<str>,
    },
}

impl UnknownReason {
    /// The kebab-case code in plan files.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::HistoryPartial => "history-partial",
            Self::DeviceMissing => "device-missing",
            Self::Disputed { .. } => "disputed",
            Self::Ambiguous { .. } => "ambiguous-record",
            Self::ReadFailed { .. } => "read-failed",
        }
    }
}

/// Who put a device in its state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Holder {
    /// A marker of this workspace.
    Ours {
        /// The policy of the marker.
        policy: PolicyName,
        /// The change of the marker.
        change: ChangeId,
    },
    /// A marker of another workspace.
    OtherWorkspace {
        /// That workspace.
        workspace: WorkspaceId,
    },
    /// No marker: the action's `requestor`, a person's UPN or an application's name.
    Named {
        /// As the service gave it.
        requestor: Arc<str>,
    },
    /// Nobody is named.
    Nobody,
}

impl Holder {
    /// Whether this workspace put it there.
    #[must_use]
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Ours { .. })
    }
}
