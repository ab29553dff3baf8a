//! How each change of a run ended, and the counts that add up to the plan's changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{ActionId, ChangeId};
use crate::plan::types::Reason;

/// Every change of a run ends in exactly one of these.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Outcome {
    /// The wanted state was read back at the end of the run.
    Done,
    /// The target was in the wanted state before anything was sent.
    AlreadySo,
    /// Accepted by the service; the device has not picked it up within the waiting time.
    PendingOffline,
    /// Accepted by the service; the run stopped before its end was known. No journal has it: the run
    /// can go on.
    UnderWay,
    /// The action ended in failure, or its end could not be established.
    Failed,
    /// The service would not take it.
    Refused,
    /// The action ran out of time, at the service or in our waiting.
    TimedOut,
    /// The target was, or became, something else than the plan had read.
    Moved,
    /// Nothing was sent.
    NotAttempted,
}

impl Outcome {
    /// Every outcome, best first: the order on screen.
    pub const ALL: &'static [Self] = &[
        Self::Done,
        Self::AlreadySo,
        Self::PendingOffline,
        Self::UnderWay,
        Self::TimedOut,
        Self::Failed,
        Self::Refused,
        Self::Moved,
        Self::NotAttempted,
    ];

    /// The words on screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::AlreadySo => "already so",
            Self::PendingOffline => "pending offline",
            Self::UnderWay => "under way",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::TimedOut => "timed out",
            Self::Moved => "moved",
            Self::NotAttempted => "not attempted",
        }
    }

    /// Whether the target is as the plan wants it.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Done | Self::AlreadySo)
    }

    /// Whether it counts against a failure limit.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Refused | Self::TimedOut)
    }
}

/// The reason beside `UnderWay` of an alert that was set and whose comment is still to come, and beside `Failed` of
/// one whose comment could not be posted.
pub const COMMENT_MISSING: &str = "comment-missing";

/// The reason beside `Done` of what somebody changed after an earlier wave had confirmed it.
pub(super) const CHANGED_SINCE: &str = "changed-since";

/// How one change ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ended {
    /// In what.
    pub outcome: Outcome,
    /// Why, when there is something to say beyond the outcome.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The machine action that carried it out, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<ActionId>,
}

impl Ended {
    /// An end without more to say.
    #[must_use]
    pub const fn plain(outcome: Outcome) -> Self {
        Self { outcome, reason: None, action: None }
    }
    /// An end with its reason.
    #[must_use]
    pub const fn because(outcome: Outcome, reason: Reason) -> Self {
        Self { outcome, reason: Some(reason), action: None }
    }
    /// Whether it counts against a rollout's failure limit: a failure, or a service that could not be
    /// asked although it was the change's turn.
    #[must_use]
    pub fn counts_against(&self) -> bool {
        let code = self.reason.as_ref().map(|reason| reason.code.as_str());
        let unasked = matches!(code, Some("throttled" | "unreachable" | "reading-failed"));
        self.outcome.is_failure() || (self.outcome == Outcome::NotAttempted && unasked)
    }
    /// Whether somebody changed it after it had been confirmed, in a run that stopped and went on.
    #[must_use]
    pub fn is_changed_since(&self) -> bool {
        let code = self.reason.as_ref().map(|reason| reason.code.as_str());
        self.outcome == Outcome::Done && code == Some(CHANGED_SINCE)
    }
    /// Names the action.
    #[must_use]
    pub fn by(mut self, action: Option<ActionId>) -> Self {
        self.action = action;
        self
    }
}

/// The end of a run: `outcomes` has every change of the plan, `counts` adds up to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Changes of the plan.
    pub total: u32,
    /// Changes by outcome; the values add up to `total`.
    pub counts: BTreeMap<Outcome, u32>,
    /// How each change ended.
    #[schemars(with = "BTreeMap<String, Ended>")]
    pub outcomes: BTreeMap<ChangeId, Ended>,
    /// Why the run stopped before its end, if it did: such a run can be resumed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Reason>,
}

impl Summary {
    /// Counts what is there.
    #[must_use]
    pub fn of(outcomes: BTreeMap<ChangeId, Ended>, stopped: Option<Reason>) -> Self {
        let mut counts = BTreeMap::new();
        for ended in outcomes.values() {
            *counts.entry(ended.outcome).or_insert(0) += 1;
        }
        let total = u32::try_from(outcomes.len()).unwrap_or(u32::MAX);
        Self { total, counts, outcomes, stopped }
    }

    /// How many ended so.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> u32 {
        self.counts.get(&outcome).copied().unwrap_or(0)
    }

    /// Whether every target is as the plan wants it and the run came to its end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.stopped.is_none() && self.outcomes.values().all(|ended| ended.outcome.is_good())
    }
}

/// A moment of a run, for a progress line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Changes of the plan.
    pub total: u32,
    /// Changes that were sent at least once, or taken over as already sent.
    pub sent: u32,
    /// Of those, taken by the service.
    pub accepted: u32,
    /// Accepted and not ended.
    pub pending: u32,
    /// Ended well: succeeded, done or already so.
    pub succeeded: u32,
    /// Failed, refused or timed out.
    pub failed: u32,
    /// Given up waiting for: the device is offline.
    pub offline: u32,
    /// Left alone: something else than the plan had read, or not sent for another reason.
    pub left: u32,
    /// Not begun.
    pub waiting: u32,
    /// Rollouts with more than one wave, in the plan's order.
    pub courses: Vec<Course>,
    /// Calls that may still be sent in the present window, when the client has told.
    pub budget_left: Option<u32>,
    /// When the remaining changes will have been sent and ended, roughly.
    pub eta: Option<Timestamp>,
    /// Whether `eta` is a bound rather than an estimate: only what does not answer is waited for.
    pub at_most: bool,
    /// Whether the run is being stopped.
    pub stopping: bool,
}

/// Where a rollout is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Course {
    /// The policy's name.
    pub name: Arc<str>,
    /// Wave under way, or the last that was, from 1.
    pub wave: u32,
    /// Waves in all.
    pub waves: u32,
    /// What it does.
    pub state: CourseState,
}

/// What a rollout does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CourseState {
    /// Its wave is under way.
    Running,
    /// Nothing is sent until then.
    Baking(Timestamp),
    /// A person has to go on.
    Paused,
    /// Too many devices are pending offline.
    Offline,
    /// Too much failed: nothing more of it is sent.
    Halted,
    /// Its last wave has ended.
    Ended,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_failures_and_an_unreachable_service_count_against_a_rollout() {
        let because = |outcome, code| Ended::because(outcome, Reason::new(code)).counts_against();
        for outcome in Outcome::ALL {
            let failed = matches!(outcome, Outcome::Failed | Outcome::Refused | Outcome::TimedOut);
            assert_eq!(Ended::plain(*outcome).counts_against(), failed, "{outcome:?}");
            assert_eq!(because(*outcome, "action-ended"), failed, "{outcome:?}");
        }
        for code in ["throttled", "unreachable", "reading-failed"] {
            assert!(because(Outcome::NotAttempted, code), "{code}");
            assert!(!because(Outcome::PendingOffline, code), "{code}");
        }
        assert!(!because(Outcome::NotAttempted, "rollout-halted"));
    }
}
