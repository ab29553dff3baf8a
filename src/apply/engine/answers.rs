//! What answers mean for a change on its way, and what its action's state means.
//!
//! The one rule behind all of it: nothing is sent a second time unless it is certain that the first
//! did not arrive. Certain are 429, a connection that never came about, and looks that found no
//! marker after the settling time. Everything else is looked for.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::apply::engine::Engine;
use crate::apply::engine::track::{Accepted, Lost, Phase};
use crate::apply::journal::{Entry, Noted, Part};
use crate::apply::judge::{alert, device};
use crate::apply::outcome::{Ended, Outcome};
use crate::apply::step::{Answer, Ticket};
use crate::inventory::{ActionRow, AlertRow};
use crate::model::{ActionId, ActionStatus, ChangeId, Verb};
use crate::plan::types::Reason;

impl Engine {
    /// The answer to a request.
    pub(super) fn answered(&mut self, ticket: Ticket, answer: Answer, now: Timestamp) {
        let Some(sent) = self.submitted.remove(&ticket) else { return };
        let index = sent.change;
        match answer {
            Answer::Accepted(row) => self.accepted_row(index, &row, now),
            Answer::Patched(row) => self.patched(index, Some(&row), now),
            Answer::Commented(comments) => self.commented(index, &comments, now),
            Answer::Taken => self.taken(index, now),
            Answer::AlreadyExists { message } => self.exists(index, message, now),
            Answer::Refused { status, code, message } => {
                self.refused(index, status, code, message, now);
            }
            Answer::Ambiguous { why } => {
                self.note(index, Noted::Ambiguous { why });
                self.lose(index, None, now);
            }
            Answer::Throttled { retry_at } => self.throttled(index, retry_at, now),
            Answer::NotSent { why } => self.not_sent(index, why, now),
        }
    }

    pub(super) fn id_and_part(&self, index: usize) -> Option<(ChangeId, Part)> {
        let part = self.tracks.get(index)?.part;
        Some((self.change(index)?.id.clone(), part))
    }

    fn note(&mut self, index: usize, answer: Noted) {
        if let Some((change, part)) = self.id_and_part(index) {
            self.outbox.push(Entry::Answer { change, part, answer });
        }
    }

    /// Starts looking for a request whose answer is lost.
    fn lose(&mut self, index: usize, exists: Option<String>, now: Timestamp) {
        let first = self.options.looks.first().copied().unwrap_or_default();
        // When the service itself says that there is an action, it is there to be seen at once.
        let next = if exists.is_some() { Some(now) } else { now.checked_add(first).ok() };
        let lost = Lost { exists, ..Lost::new(next.unwrap_or(now)) };
        self.tracks.put(index, Phase::Lost(lost));
    }

    fn accepted_row(&mut self, index: usize, row: &ActionRow, now: Timestamp) {
        let Some(change) = self.change(index) else { return };
        let own = self.own(change);
        let ours = match change.verb {
            _ if self.cancelling(index).is_some() => self.cancelling(index) == Some(row.id.clone()),
            Verb::Cancel => change.parameters.action_id.as_deref() == Some(row.id.as_str()),
            _ => own.wrote(&row.comment),
        };
        if ours {
            self.adopt(index, row, now);
        } else {
            // Success with an older action: the service returns the one that is active already.
            self.exists(index, format!("action {} was returned", row.id), now);
        }
    }

    /// The action stands for the change from now on.
    pub(super) fn adopt(&mut self, index: usize, row: &ActionRow, now: Timestamp) {
        self.note(index, Noted::Accepted { action: Some(row.id.clone()) });
        self.wait_for(index, row.id.clone(), row.status.clone(), now);
        self.saw_status(index, row);
    }

    pub(super) fn wait_for(
        &mut self,
        index: usize,
        action: ActionId,
        status: ActionStatus,
        now: Timestamp,
    ) {
        self.tracks.mark_sent(index);
        self.tracks.edit(index, |track| track.action = Some(action.clone()));
        self.tracks.put(index, Phase::Accepted(Accepted { action, since: now, status }));
        let least = self.options.poll_least;
        let name = self.tracks.get(index).map(|track| track.tenant.clone());
        if let Some(tenant) = name.and_then(|name| self.tenants.get_mut(&name)) {
            tenant.last_accepted = tenant.last_accepted.max(now);
            if tenant.next_poll < now {
                tenant.next_poll = now.checked_add(least).unwrap_or(Timestamp::MAX);
            }
        }
    }

    fn exists(&mut self, index: usize, message: String, now: Timestamp) {
        self.note(index, Noted::AlreadyExists { message: message.clone() });
        self.lose(index, Some(message), now);
    }

    fn refused(
        &mut self,
        index: usize,
        status: u16,
        code: String,
        message: String,
        now: Timestamp,
    ) {
        let verb = self.change(index).map(|change| change.verb);
        self.note(index, Noted::Refused { status, code: code.clone(), message: message.clone() });
        let cancels = verb == Some(Verb::Cancel) || self.cancelling(index).is_some();
        if cancels && status == 400 {
            // Too late is the likely reason; the action itself says.
            self.lose(index, Some(message), now);
            return;
        }
        self.give_up(index, Outcome::Refused, refusal(status, &code, &message));
    }

    fn throttled(&mut self, index: usize, retry_at: Timestamp, now: Timestamp) {
        self.note(index, Noted::Throttled);
        self.throttle(index, retry_at);
        self.tracks.edit(index, |track| track.throttled += 1);
        let times = self.tracks.get(index).map_or(0, |track| track.throttled);
        if times > self.options.throttles {
            let reason = Reason::new("throttled").with("times", times);
            self.give_up(index, Outcome::NotAttempted, reason);
        } else {
            self.tracks.put(index, Phase::Idle(retry_at.max(now)));
        }
    }

    fn not_sent(&mut self, index: usize, why: String, now: Timestamp) {
        self.note(index, Noted::NotSent { why: why.clone() });
        self.tracks.edit(index, |track| track.unsent += 1);
        let times = self.tracks.get(index).map_or(0, |track| track.unsent);
        if times > self.options.failed_reads {
            let reason = Reason::new("unreachable").with("why", why);
            self.give_up(index, Outcome::NotAttempted, reason);
        } else {
            let pause = self.options.poll_least.checked_mul(1 << times.min(6));
            let at = pause.and_then(|pause| now.checked_add(pause).ok()).unwrap_or(now);
            self.tracks.put(index, Phase::Idle(at));
        }
    }

    fn taken(&mut self, index: usize, now: Timestamp) {
        let part = self.tracks.get(index).map(|track| track.part);
        match part {
            Some(Part::Patch) => self.patched(index, None, now),
            Some(Part::Action | Part::Comment | Part::Cancel) | None => {
                self.note(index, Noted::Ambiguous { why: "accepted without a body".to_owned() });
                self.lose(index, None, now);
            }
        }
    }

    /// The alert's properties are set; its comment, if it has one, comes next.
    pub(super) fn patched(&mut self, index: usize, row: Option<&AlertRow>, now: Timestamp) {
        self.note(index, Noted::Accepted { action: None });
        let Some(change) = self.change(index) else { return };
        let comments = row.map_or(&[][..], |row| &row.comments);
        if alert::is_commented(&change.parameters, comments, self.own(change)) {
            self.tracks.put(index, Phase::Claimed(None));
            return;
        }
        self.tracks.edit(index, |track| {
            (track.part, track.absent) = (Part::Comment, 0);
        });
        // Without the alert in the answer, whether somebody has commented is not known: read first.
        let next = if row.is_some() { Phase::Fresh(now) } else { Phase::Idle(now) };
        self.tracks.put(index, next);
    }

    fn commented(&mut self, index: usize, comments: &[Arc<str>], now: Timestamp) {
        let Some(change) = self.change(index) else { return };
        if alert::is_commented(&change.parameters, comments, self.own(change)) {
            self.note(index, Noted::Accepted { action: None });
            self.tracks.put(index, Phase::Claimed(None));
        } else {
            let why = "the comments that were returned lack ours".to_owned();
            self.note(index, Noted::Ambiguous { why });
            self.lose(index, None, now);
        }
    }

    // --- waiting for actions -------------------------------------------------------------------

    pub(super) fn polled(
        &mut self,
        index: usize,
        rows: &BTreeMap<&ActionId, &ActionRow>,
        now: Timestamp,
    ) {
        let Some(Phase::Accepted(accepted)) = self.phase(index) else { return };
        if let Some(row) = rows.get(&accepted.action).copied() {
            self.saw_status(index, row);
        }
        self.check_deadline(index, now);
    }

    /// Takes the state of the action that stands for a change.
    pub(super) fn saw_status(&mut self, index: usize, row: &ActionRow) {
        let Some(Phase::Accepted(accepted)) = self.phase(index) else { return };
        let mut accepted = accepted.clone();
        if accepted.status != row.status || row.status.is_terminal() {
            accepted.status = row.status.clone();
            if let Some((change, _)) = self.id_and_part(index) {
                let (action, status) = (row.id.clone(), row.status.wire().to_owned());
                self.outbox.push(Entry::State { change, action, status });
            }
        }
        let verb = self.change(index).map(|change| change.verb);
        match device::settled(verb, &row.status) {
            None => self.tracks.put(index, Phase::Accepted(accepted)),
            Some(Outcome::Done) => self.tracks.put(index, Phase::Claimed(Some(row.id.clone()))),
            Some(outcome) => {
                let reason = self.end_of(index, row);
                self.end(index, Ended::because(outcome, reason).by(Some(row.id.clone())));
            }
        }
    }

    /// Gives up waiting when it has taken as long as the run waits for the verb.
    pub(super) fn check_deadline(&mut self, index: usize, now: Timestamp) {
        let Some(Phase::Accepted(accepted)) = self.phase(index) else { return };
        let Some(change) = self.change(index) else { return };
        let wait = self.options.wait_for(change.verb);
        if now.duration_since(accepted.since) < wait {
            return;
        }
        let (outcome, code) = match accepted.status {
            ActionStatus::Pending => (Outcome::PendingOffline, "not-picked-up"),
            _ => (Outcome::TimedOut, "still-running"),
        };
        let reason = Reason::new(code).with("waitedSeconds", wait.as_secs());
        let ended = Ended::because(outcome, reason).by(Some(accepted.action.clone()));
        self.tracks.put(index, Phase::Shelved(ended));
    }
}

/// Why the service refused. A code that it did not give is left out.
pub(crate) fn refusal(status: u16, code: &str, message: &str) -> Reason {
    let mut reason = Reason::new("refused").with("status", status);
    if !code.is_empty() {
        reason = reason.with("serviceCode", code);
    }
    reason.with("message", message)
}
