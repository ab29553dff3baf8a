//! Comparing what is read with what the plan expects before acting and wants afterwards.
//!
//! Pure tables over the records of one target. The plan decides what is wanted; nothing here weighs
//! a policy. Called by the engine with everything read since the observation.

pub mod alert;
pub mod device;

#[cfg(test)]
mod tests;

use crate::inventory::ActionRow;
use crate::model::{ChangeId, Marker, WorkspaceId};
use crate::plan::types::Reason;

/// What the last look before acting says.
#[derive(Clone, Debug, PartialEq)]
pub enum Before {
    /// As the plan read it: go on.
    Unmoved,
    /// An action with this very change's marker is under way: a run whose journal is gone sent it.
    Ours(Box<ActionRow>),
    /// As wanted, without our doing anything now.
    AlreadySo(Reason),
    /// Something else than the plan read.
    Moved(Reason),
}

/// What the look at the end says.
#[derive(Clone, Debug, PartialEq)]
pub enum After {
    /// As wanted.
    Verified,
    /// Our action succeeded and yet something else is the case.
    Different(Reason),
    /// Our action has not ended.
    Pending(Box<ActionRow>),
    /// Our action ended otherwise.
    Ended(Box<ActionRow>),
    /// Nothing of ours is there.
    Absent,
}

/// Who we are, for telling our markers from others.
#[derive(Clone, Copy, Debug)]
pub struct Own<'a> {
    /// This workspace.
    pub workspace: &'a WorkspaceId,
    /// The change.
    pub change: &'a ChangeId,
}

impl Own<'_> {
    /// Whether a comment ends with this change's marker.
    #[must_use]
    pub fn wrote(&self, comment: &str) -> bool {
        Marker::find(comment).is_some_and(|marker| {
            marker.workspace == *self.workspace && marker.change == *self.change
        })
    }

    /// Whether a comment ends with a marker of this workspace.
    #[must_use]
    pub fn is_of_workspace(&self, comment: &str) -> bool {
        Marker::find(comment).is_some_and(|marker| marker.workspace == *self.workspace)
    }
}
