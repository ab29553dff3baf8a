//! What became of a call that changes something.

use std::sync::Arc;

use jiff::SignedDuration;

use crate::inventory::{ActionRow, AlertRow};
use crate::wire::ApiError;

/// What became of a call that changes something. Exactly one of: it is in force, it is not, or it
/// cannot be known without looking.
#[derive(Clone, Debug)]
pub enum Submitted {
    /// The service took it (any 2xx). A machine action may be an older one of somebody else: compare
    /// its comment with the one sent.
    Accepted(Accepted),
    /// 400 `ActiveRequestAlreadyExists`: an action of that kind is active; whose is not said.
    AlreadyExists(ApiError),
    /// The service refused it; nothing happened.
    Refused(ApiError),
    /// It may have taken effect: look for the marker before anything is sent again.
    Ambiguous(ApiError),
    /// 429: not accepted, safe to send again after the wait.
    Throttled {
        /// How long to wait at least; one minute when the service does not say.
        retry_after: SignedDuration,
        /// The answer.
        error: ApiError,
    },
    /// Nothing reached the service (sign-in, connection, address): safe to send again.
    NotSent(ApiError),
}

/// The answer to a call that was accepted.
#[derive(Clone, Debug)]
pub enum Accepted {
    /// The machine action, ours or an older one that is still active.
    Action(Box<ActionRow>),
    /// The alert as it stands after the update.
    Alert(Box<AlertRow>),
    /// All comments of the alert, oldest first.
    Comments(Vec<Arc<str>>),
    /// No body came (204): read again to see the effect.
    Nothing,
}

impl Submitted {
    /// The machine action, when one was answered.
    #[must_use]
    pub fn action(&self) -> Option<&ActionRow> {
        match self {
            Self::Accepted(Accepted::Action(row)) => Some(row),
            _ => None,
        }
    }

    /// The error, when there is one.
    #[must_use]
    pub const fn error(&self) -> Option<&ApiError> {
        match self {
            Self::Accepted(_) => None,
            Self::AlreadyExists(error)
            | Self::Refused(error)
            | Self::Ambiguous(error)
            | Self::NotSent(error)
            | Self::Throttled { error, .. } => Some(error),
        }
    }
}
