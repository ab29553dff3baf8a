//! What a look shows: the last one before a change is sent, and those for a request whose answer was
//! lost.
//!
//! Called by `reads` with what the service listed. Decides nothing on one empty look: a request counts
//! as not arrived after the last of them only.

use jiff::Timestamp;

use crate::apply::engine::Engine;
use crate::apply::engine::answers::refusal;
use crate::apply::engine::track::{Lost, Phase};
use crate::apply::journal::{Entry, Part};
use crate::apply::judge::{Before, alert, device};
use crate::apply::outcome::{Ended, Outcome};
use crate::inventory::{ActionRow, AlertRow};
use crate::model::ActionStatus;
use crate::plan::types::{Change, Reason};

impl Engine {
    pub(super) fn reread_device(&mut self, index: usize, rows: &[&ActionRow], now: Timestamp) {
        let Some((change, newer)) = self.newer(index, rows) else { return };
        let sent = self.tracks.get(index).is_some_and(|track| track.attempts > 0);
        let before = device::before(change, &newer, self.own(change), sent);
        self.judged(index, before, now);
    }

    pub(super) fn reread_action(&mut self, index: usize, row: Option<&ActionRow>, now: Timestamp) {
        self.judged(index, device::before_cancel(row), now);
    }

    pub(super) fn reread_alert(&mut self, index: usize, row: Option<&AlertRow>, now: Timestamp) {
        let (Some(change), Some(track)) = (self.change(index), self.tracks.get(index)) else {
            return;
        };
        match alert::before(change, track.part, row, self.own(change)) {
            // What we sent before brought it here: the look at the end confirms it.
            Before::AlreadySo(_) if track.attempts > 0 => {
                self.tracks.put(index, Phase::Claimed(None));
            }
            before => self.judged(index, before, now),
        }
    }

    pub(super) fn newer<'a>(
        &self,
        index: usize,
        rows: &[&'a ActionRow],
    ) -> Option<(&Change, Vec<&'a ActionRow>)> {
        let change = self.change(index)?;
        let tenant = &self.tracks.get(index)?.tenant;
        let from = self.tenants.get(tenant)?.from;
        Some((change, device::newer(change, rows, from)))
    }

    fn judged(&mut self, index: usize, before: Before, now: Timestamp) {
        match before {
            Before::Unmoved => self.tracks.put(index, Phase::Fresh(now)),
            Before::Ours(row) => self.adopt(index, &row, now),
            Before::AlreadySo(reason) => self.end_because(index, Outcome::AlreadySo, reason),
            Before::Moved(reason) => self.end_because(index, Outcome::Moved, reason),
        }
    }

    pub(super) fn reread_failed(&mut self, changes: &[usize], given_up: bool, now: Timestamp) {
        for index in changes {
            if given_up {
                let reason = Reason::new("reading-failed");
                self.give_up(*index, Outcome::NotAttempted, reason);
            } else {
                self.tracks.put(*index, Phase::Idle(now));
            }
        }
    }

    pub(super) fn looked_device(&mut self, index: usize, rows: &[&ActionRow], now: Timestamp) {
        let Some((change, newer)) = self.newer(index, rows) else { return };
        let own = self.own(change);
        let (ours, active) = device::standing(change, &newer, own);
        let exists = matches!(self.phase(index), Some(Phase::Lost(Lost { exists: Some(_), .. })));
        match (ours, active) {
            (Some(row), _) => self.found(index, row, now),
            (None, Some(row)) if exists && own.is_of_workspace(&row.comment) => {
                // Another run of this workspace asked for the same: its action serves us too.
                self.found(index, row, now);
            }
            (None, Some(row)) if exists => {
                let reason = device::seen("active-already", row);
                self.end_because(index, Outcome::Moved, reason);
            }
            (None, _) => self.not_found(index, now),
        }
    }

    fn found(&mut self, index: usize, row: &ActionRow, now: Timestamp) {
        if let Some((change, part)) = self.id_and_part(index) {
            let action = Some(row.id.clone());
            self.outbox.push(Entry::Looked { change, part, found: true, action, absent: false });
        }
        self.wait_for(index, row.id.clone(), row.status.clone(), now);
        self.saw_status(index, row);
    }

    pub(super) fn looked_action(&mut self, index: usize, row: Option<&ActionRow>, now: Timestamp) {
        let Some(Phase::Lost(lost)) = self.phase(index) else { return };
        match row {
            Some(row) if row.status == ActionStatus::Cancelled => self.found(index, row, now),
            Some(row) if row.status.is_terminal() && self.cancelling(index).is_some() => {
                self.found(index, row, now);
            }
            Some(row) if row.status.is_terminal() => {
                let reason = device::seen("action-ended", row);
                self.end_because(index, Outcome::Moved, reason);
            }
            Some(_) if lost.exists.is_some() => {
                let message = lost.exists.clone().unwrap_or_default();
                self.give_up(index, Outcome::Refused, refusal(400, "", &message));
            }
            Some(_) | None => self.not_found(index, now),
        }
    }

    pub(super) fn looked_alert(&mut self, index: usize, row: Option<&AlertRow>, now: Timestamp) {
        let part = self.tracks.get(index).map(|track| track.part);
        let (Some(change), Some(part), Some(row)) = (self.change(index), part, row) else {
            self.not_found(index, now);
            return;
        };
        let there = match part {
            Part::Comment => {
                alert::is_commented(&change.parameters, &row.comments, self.own(change))
            }
            Part::Patch | Part::Action | Part::Cancel => alert::is_set(&change.parameters, row),
        };
        if !there {
            self.not_found(index, now);
            return;
        }
        if let Some((change, part)) = self.id_and_part(index) {
            self.outbox.push(Entry::Looked {
                change,
                part,
                found: true,
                action: None,
                absent: false,
            });
        }
        match part {
            Part::Comment => self.tracks.put(index, Phase::Claimed(None)),
            Part::Patch | Part::Action | Part::Cancel => self.patched(index, Some(row), now),
        }
    }

    /// A look that found nothing; after the last one the request is known not to have arrived.
    fn not_found(&mut self, index: usize, now: Timestamp) {
        let Some(Phase::Lost(lost)) = self.phase(index) else { return };
        let mut lost = lost.clone();
        (lost.looks, lost.failed, lost.looking) = (lost.looks + 1, 0, false);
        let absent = lost.looks >= self.options.looks.len();
        if let Some((change, part)) = self.id_and_part(index) {
            let entry = Entry::Looked { change, part, found: false, action: None, absent };
            self.outbox.push(entry);
        }
        if !absent {
            let pause = self.options.looks.get(lost.looks).copied().unwrap_or_default();
            lost.next = now.checked_add(pause).unwrap_or(Timestamp::MAX);
            self.tracks.put(index, Phase::Lost(lost));
            return;
        }
        if let Some(message) = lost.exists {
            let reason = refusal(400, "ActiveRequestAlreadyExists", &message);
            self.give_up(index, Outcome::Refused, reason);
            return;
        }
        self.tracks.edit(index, |track| track.absent += 1);
        let times = self.tracks.get(index).map_or(0, |track| track.absent);
        if times >= self.options.sends {
            let reason = Reason::new("not-arrived").with("times", times);
            self.give_up(index, Outcome::Failed, reason);
        } else {
            self.tracks.put(index, Phase::Idle(now));
        }
    }

    pub(super) fn look_failed(&mut self, changes: &[usize], now: Timestamp) {
        for index in changes {
            let Some(Phase::Lost(lost)) = self.phase(*index) else { continue };
            let mut lost = lost.clone();
            (lost.failed, lost.looking, lost.next) = (lost.failed + 1, false, now);
            if lost.failed > self.options.failed_reads {
                let reason = Reason::new("answer-lost");
                if self.cancelling(*index).is_some() {
                    self.give_up(*index, Outcome::Failed, reason);
                    continue;
                }
                self.tracks.put(*index, Phase::Shelved(Ended::because(Outcome::Failed, reason)));
            } else {
                self.tracks.put(*index, Phase::Lost(lost));
            }
        }
    }
}
