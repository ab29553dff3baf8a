//! Brakes: what must not be sent any more, although the run goes on to settle what was.
//!
//! A freeze window that opens holds its verbs from that moment; a run that goes on from another
//! workspace, or too late, sends nothing at all. Such changes end `notAttempted` with the reason. What
//! has begun is finished, or nobody could tell whose it is: an alert's comment after its verdict, the
//! cancels of a stopped rollout. In a frozen workspace not even that: the run settles and stops.

use jiff::Timestamp;

use crate::apply::engine::Engine;
use crate::apply::engine::track::{Kind, Phase};
use crate::apply::journal::{Entry, Noted, Part};
use crate::apply::judge::alert;
use crate::apply::outcome::Outcome;
use crate::plan::sending::Sending;
use crate::plan::types::{Change, Reason};

/// Changes that are not to be sent.
#[derive(Clone, Debug)]
struct Brake {
    reason: Reason,
    /// Those of which it is not clear yet whether they were.
    left: Vec<usize>,
}

/// All brakes of a run.
#[derive(Clone, Debug)]
pub(super) struct Brakes {
    pub(super) sending: Sending,
    /// When the windows are looked at next; none looks at once.
    look_at: Option<Timestamp>,
    on: Vec<Brake>,
    /// Why nothing leaves and the run stops when what was sent is settled.
    pub(super) settling: Option<Reason>,
}

impl Brakes {
    pub(super) const fn of(sending: Sending) -> Self {
        Self { sending, look_at: None, on: Vec::new(), settling: None }
    }
}

impl Engine {
    /// Sends nothing from now on, settles what was sent, and stops for this reason. The run can be
    /// resumed.
    pub fn settle_only(&mut self, reason: Reason) {
        self.brakes.settling = Some(reason);
    }

    /// Sends nothing from now on, settles what was sent, and ends the rest for this reason for good. Called
    /// before the first step, so that the journal says it where the run goes on.
    pub fn withhold(&mut self, reason: Reason) {
        for entry in &mut self.outbox {
            if let Entry::Resumed { withheld, .. } = entry {
                *withheld = Some(reason.clone());
            }
        }
        self.brakes.sending.withhold(reason);
    }

    /// Changes whose action may still be sent, those among them of which nobody knows yet whether it was.
    pub fn ahead(&self) -> impl Iterator<Item = &Change> {
        (0..self.tracks.len()).filter_map(|index| {
            let track = self.tracks.get(index)?;
            let settled = matches!(
                track.phase.kind(),
                Kind::Sent | Kind::Accepted | Kind::Claimed | Kind::Shelved | Kind::Ended
            );
            self.change(index).filter(|_| track.part == Part::Action && !settled)
        })
    }

    /// Puts brakes on as the windows say, and brings what they hold to rest.
    pub(super) fn brake(&mut self, now: Timestamp) {
        self.look_at_windows(now);
        let mut on = std::mem::take(&mut self.brakes.on);
        for brake in &mut on {
            let Brake { reason, left } = brake;
            left.retain(|index| !self.is_held(*index, reason));
        }
        on.retain(|brake| !brake.left.is_empty());
        self.brakes.on = on;
    }

    /// When a window opens or ends, as long as something is still to be sent.
    pub(super) fn next_window(&self) -> Option<Timestamp> {
        self.brakes.look_at.filter(|_| self.tracks.unsettled() > 0)
    }

    fn look_at_windows(&mut self, now: Timestamp) {
        if self.brakes.look_at.is_some_and(|at| now < at) {
            return;
        }
        let all = 0..self.tracks.len();
        let mut on = Vec::new();
        if let (None, Some(reason)) = (self.brakes.look_at, self.brakes.sending.withheld()) {
            on.push(Brake { reason: reason.clone(), left: all.clone().collect() });
        }
        for opening in self.brakes.sending.open(now) {
            let held = |index: &usize| {
                self.change(*index).is_some_and(|change| opening.holds(change.verb))
            };
            let left = all.clone().filter(held).collect();
            on.push(Brake { reason: opening.reason, left });
        }
        self.brakes.on.extend(on);
        let next = self.brakes.sending.next(now);
        self.brakes.look_at = Some(next.unwrap_or(Timestamp::MAX));
    }

    /// Whether a change is at rest under a brake; ends it when nothing of it has left.
    fn is_held(&mut self, index: usize, reason: &Reason) -> bool {
        let Some(track) = self.tracks.get(index) else { return true };
        if self.is_finishing(index) {
            return true;
        }
        match &track.phase {
            Phase::Ended(_) | Phase::Claimed(_) | Phase::Shelved(_) | Phase::Accepted(_) => true,
            Phase::Idle(_) | Phase::Fresh(_) => {
                self.end_because(index, Outcome::NotAttempted, reason.clone());
                true
            }
            // Its intent is on the disk: say that nothing has left.
            Phase::Armed => {
                let part = track.part;
                if let Some(change) = self.change(index).map(|change| change.id.clone()) {
                    let why = "the run may send nothing more of it".to_owned();
                    self.outbox.push(Entry::Answer {
                        change,
                        part,
                        answer: Noted::NotSent { why },
                    });
                }
                self.end_because(index, Outcome::NotAttempted, reason.clone());
                true
            }
            Phase::Reading | Phase::Recording | Phase::Sent | Phase::Lost(_) => false,
        }
    }

    /// Until when a request that is taken up now may leave: as long as its reading counts, and not
    /// into a window that holds it.
    pub(super) fn leave_by(&self, index: usize, now: Timestamp) -> Timestamp {
        let fresh = now.checked_add(self.options.reading_age).unwrap_or(Timestamp::MAX);
        let opens = match self.change(index) {
            Some(change) if !self.is_finishing(index) => {
                self.brakes.sending.opens(now, change.verb)
            }
            _ => None,
        };
        opens.map_or(fresh, |opens| opens.min(fresh))
    }

    /// Whether what is left of a change finishes what was begun: the cancelling of what was sent, or
    /// the comment of an alert whose verdict is set.
    fn is_finishing(&self, index: usize) -> bool {
        match self.tracks.get(index).map(|track| track.part) {
            Some(Part::Cancel) => true,
            Some(Part::Comment) => {
                self.change(index).is_some_and(|it| alert::sets_something(&it.parameters))
            }
            Some(Part::Action | Part::Patch) | None => false,
        }
    }

    /// Stops a run that only settles, when everything that was sent has come to something.
    pub(super) fn stop_settled(&mut self) {
        let Some(reason) = &self.brakes.settling else { return };
        let confirmed = self.tracks.count(Kind::Claimed) == 0 && self.asked.is_empty();
        if self.stop.is_none() && self.is_settled_down() && confirmed && self.recording.is_none() {
            self.stop = Some(reason.clone());
        }
    }

    /// Whether a run that only settles has nothing under way.
    pub(super) fn is_settled_down(&self) -> bool {
        let moving =
            [Kind::Reading, Kind::Recording, Kind::Armed, Kind::Sent, Kind::Lost, Kind::Accepted];
        self.brakes.settling.is_some()
            && moving.into_iter().all(|kind| self.tracks.count(kind) == 0)
    }
}
