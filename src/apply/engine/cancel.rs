//! A rollout that has stopped: what has not left stays, and our own pending actions are cancelled.
//!
//! A cancel is a request like any other: a last look, an intent on the disk, an answer, a look when
//! the answer is lost. It is for the action that stands for the change and carries its marker, never
//! for another one. When the action ends before it is reached, that end is what counts.

use jiff::Timestamp;

use crate::apply::engine::Engine;
use crate::apply::engine::track::{Accepted, Phase};
use crate::apply::journal::{Entry, Noted, Part};
use crate::apply::judge::device;
use crate::apply::outcome::{Ended, Outcome};
use crate::apply::step::Send;
use crate::inventory::ActionRow;
use crate::model::{ActionId, ActionStatus, Marker};
use crate::plan::types::Reason;

impl Engine {
    /// Brings the members of a stopped rollout to rest.
    pub(super) fn dismantle(&mut self, at: usize, now: Timestamp) {
        let Some(course) = self.courses.all.get_mut(at) else { return };
        let Some(halt) = course.halt.clone() else { return };
        let mut left = std::mem::take(&mut course.left);
        left.retain(|index| !self.at_rest(*index, &halt, now));
        if let Some(course) = self.courses.all.get_mut(at) {
            course.left = left;
        }
    }

    /// Whether a member of a stopped rollout is at rest; does what brings it there.
    fn at_rest(&mut self, index: usize, halt: &Reason, now: Timestamp) -> bool {
        let Some(track) = self.tracks.get(index) else { return true };
        // What has begun is finished: an alert's comment, a cancel.
        let own = track.part == Part::Cancel || (track.part == Part::Comment && track.attempts > 0);
        match &track.phase {
            Phase::Ended(_) | Phase::Claimed(_) => true,
            Phase::Shelved(_) if own => true,
            Phase::Idle(_) | Phase::Fresh(_) if !own => {
                self.end_because(index, Outcome::NotAttempted, halt.clone());
                true
            }
            // Its intent is on the disk or on its way there: say that nothing has left.
            Phase::Armed if !own => {
                if let Some(change) = self.change(index).map(|change| change.id.clone()) {
                    let part = self.tracks.get(index).map_or(Part::Action, |track| track.part);
                    let answer = Noted::NotSent { why: "the rollout was stopped".to_owned() };
                    self.outbox.push(Entry::Answer { change, part, answer });
                }
                self.end_because(index, Outcome::NotAttempted, halt.clone());
                true
            }
            Phase::Accepted(_) | Phase::Shelved(_) if !own => {
                self.begin_cancel(index, now);
                self.cancelling(index).is_none()
            }
            Phase::Idle(_)
            | Phase::Reading
            | Phase::Fresh(_)
            | Phase::Recording
            | Phase::Armed
            | Phase::Sent
            | Phase::Lost(_)
            | Phase::Accepted(_)
            | Phase::Shelved(_) => false,
        }
    }

    /// The action of the change is to be cancelled, when it has one.
    fn begin_cancel(&mut self, index: usize, now: Timestamp) {
        if self.tracks.get(index).is_none_or(|track| track.action.is_none()) {
            return;
        }
        self.tracks.edit(index, |track| {
            track.part = Part::Cancel;
            (track.absent, track.throttled, track.unsent) = (0, 0, 0);
        });
        self.tracks.put(index, Phase::Idle(now));
    }

    /// The action that is being cancelled because its rollout has stopped.
    pub(super) fn cancelling(&self, index: usize) -> Option<ActionId> {
        let track = self.tracks.get(index).filter(|track| track.part == Part::Cancel)?;
        track.action.clone()
    }

    /// The request that cancels it.
    pub(super) fn cancel_request(&self, index: usize) -> Option<Send> {
        let action = self.cancelling(index)?;
        let comment = self.change(index)?.parameters.comment.as_deref().unwrap_or_default();
        let said = Marker::find(comment).map(|marker| marker.comment("rollout stopped"));
        Some(Send::Cancel { action, comment: said.unwrap_or_default().into() })
    }

    /// How a change stands whose action was about to be cancelled when the run was stopped.
    pub(super) fn cut_short(&self, index: usize) -> Option<Ended> {
        let under_way = self.phase(index)?;
        if under_way.is_settled() || matches!(under_way, Phase::Accepted(_)) {
            return None;
        }
        let action = self.cancelling(index)?;
        let why = self.stop.clone().unwrap_or_else(|| Reason::new("not-begun"));
        Some(Ended::because(Outcome::PendingOffline, not_cancelled(&why)).by(Some(action)))
    }

    /// The last look at our own action before it is cancelled.
    pub(super) fn reread_own(&mut self, index: usize, row: Option<&ActionRow>, now: Timestamp) {
        let Some(row) = row else {
            return self.give_up(index, Outcome::Failed, Reason::new("action-gone"));
        };
        if row.status.is_terminal() {
            return self.take_end(index, row, now);
        }
        let ours = self.change(index).is_some_and(|change| self.own(change).wrote(&row.comment));
        if ours {
            self.tracks.put(index, Phase::Fresh(now));
        } else {
            // An action of another run that served this change, too: that run may still want it.
            self.give_up(index, Outcome::Failed, Reason::new("of-another-run"));
        }
    }

    /// The action ended before a cancel left.
    fn take_end(&mut self, index: usize, row: &ActionRow, now: Timestamp) {
        if row.status != ActionStatus::Cancelled {
            self.tracks.edit(index, |track| track.part = Part::Action);
        }
        let (action, status) = (row.id.clone(), row.status.clone());
        self.tracks.put(index, Phase::Accepted(Accepted { action, since: now, status }));
        self.saw_status(index, row);
    }

    /// A change that came out as wanted, and whether that was too late to be stopped.
    pub(super) fn done(&self, index: usize) -> Ended {
        match self.cancelling(index) {
            Some(_) => Ended::because(Outcome::Done, Reason::new("cancel-too-late")),
            None => Ended::plain(Outcome::Done),
        }
    }

    /// Why an action that ended otherwise did so.
    pub(super) fn end_of(&self, index: usize, row: &ActionRow) -> Reason {
        let cancelled = row.status == ActionStatus::Cancelled && self.cancelling(index).is_some();
        device::seen(if cancelled { "rollout-cancelled" } else { "action-ended" }, row)
    }

    /// Gives a request up. A change whose action could not be cancelled stands where it stood: its
    /// action is pending, and the look at the end may still find better.
    pub(super) fn give_up(&mut self, index: usize, outcome: Outcome, reason: Reason) {
        match self.cancelling(index) {
            None => self.end_because(index, outcome, reason),
            Some(action) => {
                let kept = not_cancelled(&reason);
                let ended = Ended::because(Outcome::PendingOffline, kept).by(Some(action));
                self.tracks.put(index, Phase::Shelved(ended));
            }
        }
    }
}

/// Why an action is still pending although it was to be cancelled.
pub(super) fn not_cancelled(why: &Reason) -> Reason {
    let mut reason = Reason::new("not-cancelled").with("why", why.code.as_str());
    reason.facts.extend(why.facts.clone());
    reason
}
