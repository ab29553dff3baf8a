//! The end of a run: targets are observed again, every change gets its outcome, the counts add up.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::apply::engine::track::{Kind, Phase};
use crate::apply::engine::{Engine, Stage};
use crate::apply::journal::{Entry, Part};
use crate::apply::judge::{After, alert, device};
use crate::apply::outcome::{CHANGED_SINCE, COMMENT_MISSING, Ended, Outcome, Progress, Summary};
use crate::inventory::{ActionRow, AlertRow};
use crate::model::{ActionId, ActionStatus, Verb};
use crate::plan::types::{Change, Reason};

/// Whether an alert was set as planned and only its comment is left to post.
fn is_half_said(change: &Change, part: Part) -> bool {
    part == Part::Comment && alert::sets_something(&change.parameters)
}

/// The end of a change of which something was done: an alert that was set and has no comment is not one that was
/// not attempted. The facts of why stay.
pub(super) fn not_nothing(change: &Change, part: Part, ended: Ended) -> Ended {
    let nothing = matches!(ended.outcome, Outcome::NotAttempted | Outcome::Refused);
    if !nothing || !is_half_said(change, part) {
        return ended;
    }
    let mut reason = Reason::new(COMMENT_MISSING);
    if let Some(why) = ended.reason {
        reason.facts = why.facts;
        reason = reason.with("why", why.code);
    }
    Ended::because(Outcome::Failed, reason)
}

/// The end of a change whose request the service has refused: also for who reads a journal alone.
pub(crate) fn refused(change: &Change, part: Part, why: Reason) -> Ended {
    not_nothing(change, part, Ended::because(Outcome::Refused, why))
}

impl Engine {
    /// The action that stands for a settled change, and how it was shelved if it was.
    fn standing(&self, index: usize) -> (Option<ActionId>, Option<Ended>) {
        match self.phase(index) {
            Some(Phase::Claimed(action)) => (action.clone(), None),
            Some(Phase::Shelved(ended)) => (ended.action.clone(), Some(ended.clone())),
            _ => (None, None),
        }
    }

    pub(super) fn verify_device(&mut self, index: usize, rows: &[&ActionRow]) {
        let (action, shelved) = self.standing(index);
        let Some((change, newer)) = self.newer(index, rows) else { return };
        let verb = change.verb;
        let after = device::after(change, action.as_ref(), &newer, self.own(change));
        let ended = match after {
            After::Verified => self.done(index).by(action.or_else(|| {
                device::standing(change, &newer, self.own(change)).0.map(|row| row.id.clone())
            })),
            After::Different(reason) => Ended::because(Outcome::Moved, reason).by(action),
            After::Pending(row) => still_pending(shelved, &row),
            After::Ended(row) => {
                let outcome = device::settled(Some(verb), &row.status).unwrap_or(Outcome::Failed);
                Ended::because(outcome, self.end_of(index, &row)).by(Some(row.id.clone()))
            }
            After::Absent => shelved.unwrap_or_else(|| {
                Ended::because(Outcome::Failed, Reason::new("action-gone")).by(action)
            }),
        };
        self.verified(index, ended);
    }

    pub(super) fn verify_action(&mut self, index: usize, row: Option<&ActionRow>) {
        let (action, shelved) = self.standing(index);
        let ended = match row {
            None => shelved.unwrap_or_else(|| {
                Ended::because(Outcome::Failed, Reason::new("action-gone")).by(action)
            }),
            Some(row) => match device::settled(Some(Verb::Cancel), &row.status) {
                Some(Outcome::Done) => Ended::plain(Outcome::Done).by(action),
                Some(outcome) => {
                    Ended::because(outcome, device::seen("action-ended", row)).by(action)
                }
                None => still_pending(shelved, row),
            },
        };
        self.verified(index, ended);
    }

    pub(super) fn verify_alert(&mut self, index: usize, row: Option<&AlertRow>) {
        let (_, shelved) = self.standing(index);
        let Some(change) = self.change(index) else { return };
        let ended = match row {
            None => Ended::because(Outcome::Moved, Reason::new("alert-gone")),
            Some(row) if !alert::is_set(&change.parameters, row) => {
                let reason = Reason::new("changed-after").with("found", alert::value(row));
                shelved.unwrap_or_else(|| Ended::because(Outcome::Moved, reason))
            }
            Some(row)
                if !alert::is_commented(&change.parameters, &row.comments, self.own(change)) =>
            {
                let reason = Reason::new("comment-gone");
                shelved.unwrap_or_else(|| Ended::because(Outcome::Failed, reason))
            }
            Some(_) => Ended::plain(Outcome::Done),
        };
        self.verified(index, ended);
    }

    /// What was confirmed before the run went on, once everything has ended: the same read answers for
    /// it.
    pub(super) fn earlier(&self) -> impl Iterator<Item = usize> + '_ {
        let all = self.tracks.in_phase(Kind::Ended).filter(|_| self.tracks.unsettled() == 0);
        all.filter(|index| self.is_earlier(*index))
    }

    pub(super) fn is_earlier(&self, index: usize) -> bool {
        self.tracks.get(index).is_some_and(|track| track.earlier)
    }

    /// A later look at what was confirmed already. Its outcome stays, and what has come since is told.
    pub(super) fn look_again(&mut self, index: usize, rows: &[&ActionRow]) {
        self.tracks.looked_again(index);
        let Some(Phase::Ended(ended)) = self.phase(index).cloned() else { return };
        let Some((change, newer)) = self.newer(index, rows) else { return };
        let after = device::after(change, ended.action.as_ref(), &newer, self.own(change));
        if let After::Different(reason) = after {
            let reason = Reason { code: CHANGED_SINCE.to_owned(), ..reason };
            self.end(index, Ended { reason: Some(reason), ..ended });
        }
    }

    fn verified(&mut self, index: usize, ended: Ended) {
        let name = self.tracks.get(index).map(|track| track.tenant.clone());
        if let Some(tenant) = name.and_then(|name| self.tenants.get_mut(&name)) {
            if ended.outcome == Outcome::Done {
                tenant.confirmed += 1;
            } else {
                tenant.different += 1;
            }
        }
        self.end(index, ended);
    }

    /// The look at the end could not be taken: what the service said last is all there is, and it
    /// does not count as success.
    pub(super) fn verification_failed(&mut self, changes: &[usize]) {
        for index in changes {
            if self.is_earlier(*index) {
                self.tracks.looked_again(*index);
                continue;
            }
            let (action, shelved) = self.standing(*index);
            let ended = shelved.unwrap_or_else(|| {
                Ended::because(Outcome::Failed, Reason::new("not-verified")).by(action)
            });
            self.verified(*index, ended);
        }
    }

    /// Whether nothing is left to do but to say so.
    pub(super) fn is_over(&self) -> bool {
        if self.stage != Stage::Running || self.recording.is_some() {
            return false;
        }
        if self.stop.is_some() {
            return self.submitted.is_empty();
        }
        self.all_ended() && self.earlier().next().is_none()
    }

    pub(super) fn close(&mut self) {
        if let Some(reason) = self.stop.clone().filter(|_| !self.all_ended()) {
            self.outbox.push(Entry::Stopped { reason });
        } else {
            self.stop = None;
            for (name, tenant) in &self.tenants {
                self.outbox.push(Entry::Verification {
                    tenant: name.to_string(),
                    confirmed: tenant.confirmed,
                    different: tenant.different,
                });
            }
            let summary = self.summary();
            debug_assert_eq!(summary.counts.values().sum::<u32>(), summary.total);
            self.outbox.push(Entry::Finished { counts: summary.counts, total: summary.total });
        }
        self.stage = Stage::Closing;
    }

    fn all_ended(&self) -> bool {
        self.tracks.count(Kind::Ended) == self.tracks.len()
    }

    /// How every change ended, or stands when the run was stopped.
    #[must_use]
    pub fn summary(&self) -> Summary {
        let outcomes: BTreeMap<_, _> = self
            .plan
            .changes
            .iter()
            .enumerate()
            .map(|(index, change)| (change.id.clone(), self.standing_outcome(index)))
            .collect();
        Summary::of(outcomes, self.stop.clone())
    }

    fn standing_outcome(&self, index: usize) -> Ended {
        if let Some(ended) = self.cut_short(index) {
            return ended;
        }
        match self.phase(index) {
            Some(Phase::Ended(ended) | Phase::Shelved(ended)) => ended.clone(),
            Some(Phase::Claimed(action)) => {
                Ended::because(Outcome::Done, Reason::new("not-verified")).by(action.clone())
            }
            // A run that went on was stopped before it looked again at what had succeeded by then.
            Some(Phase::Accepted(accepted)) if self.has_succeeded(index, &accepted.status) => {
                let reason = Reason::new("not-verified");
                Ended::because(Outcome::Done, reason).by(Some(accepted.action.clone()))
            }
            Some(Phase::Accepted(accepted)) => {
                let reason = Reason::new("not-waited-for").with("status", accepted.status.wire());
                Ended::because(Outcome::UnderWay, reason).by(Some(accepted.action.clone()))
            }
            Some(Phase::Lost(_) | Phase::Sent) => {
                Ended::because(Outcome::Failed, Reason::new("answer-lost"))
            }
            // Its verdict was set: that is not nothing.
            Some(_)
                if self.at_part(index).is_some_and(|(change, part)| is_half_said(change, part)) =>
            {
                Ended::because(Outcome::UnderWay, Reason::new(COMMENT_MISSING))
            }
            Some(
                Phase::Idle(_) | Phase::Reading | Phase::Fresh(_) | Phase::Recording | Phase::Armed,
            )
            | None => {
                let reason = self.stop.clone().unwrap_or_else(|| Reason::new("not-begun"));
                Ended::because(Outcome::NotAttempted, reason)
            }
        }
    }

    /// The change with the request of it that is next.
    pub(super) fn at_part(&self, index: usize) -> Option<(&Change, Part)> {
        self.change(index).zip(self.tracks.get(index).map(|track| track.part))
    }

    fn has_succeeded(&self, index: usize, status: &ActionStatus) -> bool {
        let verb = self.change(index).map(|change| change.verb);
        device::settled(verb, status) == Some(Outcome::Done)
    }

    /// Where the run is.
    #[must_use]
    pub fn progress(&self, now: Timestamp) -> Progress {
        let count = |kind| u32::try_from(self.tracks.count(kind)).unwrap_or(u32::MAX);
        let waiting = [Kind::Idle, Kind::Reading, Kind::Fresh, Kind::Recording, Kind::Armed];
        let waiting: u32 = waiting.into_iter().map(count).sum();
        let unclear = count(Kind::Sent) + count(Kind::Lost);
        let pending = count(Kind::Accepted);
        let total = u32::try_from(self.tracks.len()).unwrap_or(u32::MAX);
        let settled = total.saturating_sub(waiting + unclear + pending);
        let succeeded = count(Kind::Claimed) + self.tracks.good;
        let (failed, offline) = (self.tracks.failed, self.tracks.offline);
        let lefts =
            self.tenants.values().flat_map(|tenant| tenant.lanes.values()).filter_map(|p| p.left);
        let left = lefts.reduce(u32::saturating_add);
        let ahead = self.bakes_left(now);
        let at_most = waiting + unclear == 0 && ahead.is_zero();
        let work = match self.overdue(now) {
            // It may be what a next wave waits for, so what comes after it comes on top.
            Some(bound) => bound.saturating_add(estimate(waiting, left, unclear)),
            None => estimate(waiting, left, pending + unclear),
        };
        Progress {
            total,
            sent: self.tracks.sent,
            accepted: self.tracks.sent.saturating_sub(unclear),
            pending,
            succeeded,
            failed,
            offline,
            left: settled.saturating_sub(succeeded + failed + offline),
            waiting,
            courses: self.moments(),
            budget_left: left,
            eta: now.checked_add(work.saturating_add(ahead)).ok(),
            at_most: at_most && self.overdue(now).is_some(),
            stopping: self.stop.is_some(),
        }
    }

    /// What is left of the longest wait, once a device takes longer than devices do: it may be
    /// offline, and then nothing but the bound ends the wait.
    fn overdue(&self, now: Timestamp) -> Option<SignedDuration> {
        let mut late = false;
        let mut longest = SignedDuration::ZERO;
        for index in self.tracks.in_phase(Kind::Accepted) {
            let Some(Phase::Accepted(accepted)) = self.phase(index) else { continue };
            let Some(change) = self.change(index) else { continue };
            let waited = now.duration_since(accepted.since);
            late |= waited > USUAL;
            longest = longest.max(self.options.wait_for(change.verb).saturating_sub(waited));
        }
        late.then_some(longest)
    }
}

/// How long a device that is online takes.
const USUAL: SignedDuration = SignedDuration::from_secs(60);

/// Time for so many more requests under 100 a minute and 1,500 an hour, and for the last devices.
fn estimate(waiting: u32, left: Option<u32>, pending: u32) -> SignedDuration {
    let later = waiting.saturating_sub(left.unwrap_or(0).max(100));
    let (hours, rest) = (later / 1_500, later % 1_500);
    let sending = u64::from(hours) * 3_600 + u64::from(rest.div_ceil(100)) * 60;
    let devices = if waiting + pending > 0 { USUAL } else { SignedDuration::ZERO };
    let sending = SignedDuration::from_secs(i64::try_from(sending).unwrap_or(i64::MAX));
    sending.saturating_add(devices)
}

fn still_pending(shelved: Option<Ended>, row: &ActionRow) -> Ended {
    let ended = shelved.filter(|ended| ended.action.is_some());
    ended.unwrap_or_else(|| {
        let outcome = match row.status {
            ActionStatus::Pending => Outcome::PendingOffline,
            _ => Outcome::TimedOut,
        };
        Ended::because(outcome, device::seen("still-running", row)).by(Some(row.id.clone()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_windows_say_how_long_it_takes() {
        for (waiting, left, pending, seconds) in [
            (0, None, 0, 0),
            (1, None, 0, 60),
            (0, None, 1, 60),
            // A hundred leave at once, or as many as the window has left.
            (100, None, 0, 60),
            (101, None, 0, 120),
            (300, None, 5, 180),
            (300, Some(250), 0, 120),
            // Fifteen hundred take an hour, not a quarter of one.
            (1_700, None, 0, 3_600 + 120),
            (3_350, None, 0, 2 * 3_600 + 180 + 60),
        ] {
            let found = estimate(waiting, left, pending).as_secs();
            assert_eq!(found, seconds, "{waiting} waiting, {left:?} left, {pending} pending");
        }
    }
}
