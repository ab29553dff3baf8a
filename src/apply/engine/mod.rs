//! The engine: a plan on its way to its end, without I/O.
//!
//! Four doors: `new` from plan and history, `handle` an event, `poll` for the next step, `progress`.
//! A change goes from its last look (`reads`) over a recorded intent to its request and answer
//! (`answers`), is waited for by polling and confirmed by the look at the end (`finish`). Killed at
//! any point, `replay` rebuilds it from the journal: an intent without an answer is looked for,
//! never sent again unseen. `brakes` holds what may not be sent any more. Called by `drive::apply`; must never do I/O or read a clock.

mod answers;
mod asked;
mod brakes;
mod cancel;
mod courses;
mod finish;
mod looks;
mod reads;
mod replay;
mod rollouts;
mod send;
mod track;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::apply::journal::{Entry, JournalEntry};
use crate::apply::judge::Own;
use crate::apply::options::Options;
use crate::apply::outcome::{Ended, Outcome};
use crate::apply::step::{Event, Lane, Step, Ticket, Wait};
use crate::model::WorkspaceId;
use crate::plan::Plan;
use crate::plan::file::CheckedPlan;
use crate::plan::sending::Sending;
use crate::plan::types::{Change, Reason};

pub(crate) use answers::refusal;
use asked::{Asked, Purpose, Recorded, Submitted};
use brakes::Brakes;
use courses::Courses;
pub(crate) use finish::refused;
pub use replay::WrongJournal;
use track::{Kind, Phase, Tracks};

/// A run.
#[derive(Clone, Debug)]
pub struct Engine {
    plan: Plan,
    options: Options,
    workspace: WorkspaceId,
    tracks: Tracks,
    tenants: BTreeMap<Arc<str>, Tenant>,
    outbox: Vec<Entry>,
    recording: Option<Recorded>,
    asked: BTreeMap<Ticket, Asked>,
    submitted: BTreeMap<Ticket, Submitted>,
    tickets: u64,
    /// Why the run stops, when it is told to.
    stop: Option<Reason>,
    /// Where each rollout is.
    courses: Courses,
    /// What must not be sent any more.
    brakes: Brakes,
    stage: Stage,
}

/// How far the run as a whole is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Changes are under way.
    Running,
    /// The last entry is being written.
    Closing,
    /// Everything is recorded.
    Closed,
}

/// What the engine keeps of one tenant.
#[derive(Clone, Debug)]
struct Tenant {
    /// From when on the history is read.
    from: Timestamp,
    /// When the next poll is due.
    next_poll: Timestamp,
    /// Polls so far.
    polls: usize,
    /// When an action was last taken by the service.
    last_accepted: Timestamp,
    /// Reads that failed in a row.
    failed: u32,
    /// No read before this.
    retry_at: Timestamp,
    lanes: BTreeMap<Lane, Pace>,
    confirmed: u32,
    different: u32,
}

/// What the client's budget allows.
#[derive(Clone, Copy, Debug)]
struct Pace {
    ready_at: Timestamp,
    left: Option<u32>,
    /// The service itself asked to wait until then.
    throttled_until: Timestamp,
}

impl Default for Pace {
    fn default() -> Self {
        Self { ready_at: Timestamp::MIN, left: None, throttled_until: Timestamp::MIN }
    }
}

impl Engine {
    /// A run of `plan`; `history` is empty for a new one and the journal's entries for one that was
    /// stopped or killed.
    ///
    /// # Errors
    /// When the history is of another plan.
    pub fn new(
        plan: &CheckedPlan,
        history: &[JournalEntry],
        options: Options,
        tool: &str,
    ) -> Result<Self, WrongJournal> {
        Self::of(plan, plan.sending(), history, options, tool)
    }

    /// `new`, also for tests of the engine alone: their plans are made by hand.
    fn of(
        plan: &Plan,
        sending: &Sending,
        history: &[JournalEntry],
        options: Options,
        tool: &str,
    ) -> Result<Self, WrongJournal> {
        let mut engine = Self {
            workspace: WorkspaceId::from(plan.workspace.as_str()),
            tenants: tenants(plan, options.overlap),
            courses: Courses::of(plan),
            brakes: Brakes::of(sending.clone()),
            plan: plan.clone(),
            options,
            tracks: Tracks::default(),
            outbox: Vec::new(),
            recording: None,
            asked: BTreeMap::new(),
            submitted: BTreeMap::new(),
            tickets: 0,
            stop: None,
            stage: Stage::Running,
        };
        engine.replay(history, tool)?;
        Ok(engine)
    }

    /// Names of the tenants that changes are for.
    pub fn tenants(&self) -> impl Iterator<Item = &str> {
        let names: BTreeSet<&str> =
            self.plan.changes.iter().map(|change| change.tenant.as_str()).collect();
        names.into_iter()
    }

    /// Takes an event in.
    pub fn handle(&mut self, event: Event, now: Timestamp) {
        match event {
            Event::Recorded(ticket) => self.recorded(ticket),
            Event::Read(ticket, seen) => self.read(ticket, seen, now),
            Event::Answered(ticket, answer) => self.answered(ticket, answer, now),
            Event::Pace { tenant, lane, ready_at, left } => {
                if let Some(tenant) = self.tenants.get_mut(&tenant) {
                    let pace = tenant.lanes.entry(lane).or_default();
                    (pace.ready_at, pace.left) = (ready_at, Some(left));
                }
            }
            Event::Stop(reason) => {
                self.stop.get_or_insert(reason);
            }
        }
    }

    /// What is to be done next. Call it again after each step until it waits.
    pub fn poll(&mut self, now: Timestamp) -> Step {
        match self.stage {
            Stage::Closed => return Step::Done(self.summary()),
            Stage::Running | Stage::Closing => {}
        }
        self.expire(now);
        if self.stop.is_some() {
            self.wind_down();
        } else if self.brakes.settling.is_none() {
            self.brake(now);
            self.advance(now);
            self.arm(now);
        }
        if let Some(step) = self.record() {
            return step;
        }
        if self.stop.is_none()
            && let Some(step) = self.submit(now)
        {
            return step;
        }
        if self.stop.is_none()
            && self.stage == Stage::Running
            && let Some(step) = self.ask(now)
        {
            return step;
        }
        self.stop_at_rest();
        self.stop_settled();
        if self.is_over() {
            self.close();
            if let Some(step) = self.record() {
                return step;
            }
        }
        self.wait(now)
    }

    /// The entries to write, if no others are being written.
    fn record(&mut self) -> Option<Step> {
        if self.outbox.is_empty() || self.recording.is_some() {
            return None;
        }
        let ticket = self.ticket();
        let intents = self.tracks.in_phase(Kind::Recording).collect();
        self.recording = Some(Recorded { ticket, intents });
        Some(Step::Record(ticket, std::mem::take(&mut self.outbox)))
    }

    fn recorded(&mut self, ticket: Ticket) {
        let Some(recorded) = self.recording.take_if(|recorded| recorded.ticket == ticket) else {
            return;
        };
        for index in recorded.intents {
            if self.kind(index) == Some(Kind::Recording) {
                self.tracks.put(index, Phase::Armed);
            }
        }
        if self.stage == Stage::Closing {
            self.stage = Stage::Closed;
        }
    }

    /// Waits until the next thing is due. The instant is always in the future, and answers in flight
    /// are waited for no longer than `answer_within`, so that every wait ends.
    fn wait(&self, now: Timestamp) -> Step {
        let flight = self.asked.values().map(|asked| asked.until);
        let flight = flight.chain(self.submitted.values().map(|sent| sent.until));
        let mut best = flight.min().map(|at| (at, Wait::Answers));
        let mut offer = |at: Timestamp, why: Wait| {
            // What is due and yet not done waits for something else that is under way.
            if at > now && best.is_none_or(|(earliest, _)| at < earliest) {
                best = Some((at, why));
            }
        };
        if self.stop.is_none() {
            self.due(&mut offer);
        }
        let soon = now.checked_add(SignedDuration::from_secs(1)).unwrap_or(Timestamp::MAX);
        let (at, why) = best.unwrap_or((soon, Wait::Answers));
        Step::WaitUntil(at, why)
    }

    /// Names everything that becomes due by itself.
    fn due(&self, offer: &mut dyn FnMut(Timestamp, Wait)) {
        for index in self.tracks.in_phase(Kind::Lost) {
            if let Some(Phase::Lost(lost)) = self.phase(index)
                && !lost.looking
            {
                offer(lost.next.max(self.retry_at(index)), Wait::Settling);
            }
        }
        let polled: Vec<&Arc<str>> =
            self.asked_for(Purpose::Poll).map(|asked| &asked.tenant).collect();
        for index in self.tracks.in_phase(Kind::Accepted) {
            let Some(track) = self.tracks.get(index) else { continue };
            if let Some(tenant) = self.tenants.get(&track.tenant)
                && !polled.contains(&&track.tenant)
            {
                offer(tenant.next_poll.max(tenant.retry_at), Wait::Devices);
            }
        }
        for index in self.tracks.in_phase(Kind::Fresh) {
            offer(self.ready_at(index), Wait::Budget);
        }
        for (at, index) in self.tracks.queued() {
            let ready = self.ready_at(index).max(self.retry_at(index));
            if at > ready {
                offer(at, Wait::Spread);
                // The queue is by time: what follows is due later.
                break;
            }
            offer(ready, if ready == self.retry_at(index) { Wait::Retry } else { Wait::Budget });
        }
        self.bakes(offer);
        if let Some(at) = self.next_window() {
            offer(at, Wait::Window);
        }
        if self.may_verify() {
            for tenant in self.tenants.values() {
                offer(tenant.retry_at, Wait::Retry);
            }
        }
    }

    /// Calls that take too long count as lost: the driver's own bounds have failed.
    fn expire(&mut self, now: Timestamp) {
        let lost: Vec<Ticket> =
            self.submitted.iter().filter(|(_, sent)| sent.until <= now).map(|(t, _)| *t).collect();
        for ticket in lost {
            let why = "no answer within the bounds of the run".to_owned();
            self.answered(ticket, crate::apply::step::Answer::Ambiguous { why }, now);
        }
        let failed: Vec<Ticket> =
            self.asked.iter().filter(|(_, asked)| asked.until <= now).map(|(t, _)| *t).collect();
        for ticket in failed {
            self.read(ticket, Err("no answer within the bounds of the run".to_owned()), now);
        }
    }

    fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    fn phase(&self, index: usize) -> Option<&Phase> {
        self.tracks.get(index).map(|track| &track.phase)
    }

    fn kind(&self, index: usize) -> Option<Kind> {
        self.phase(index).map(Phase::kind)
    }

    fn change(&self, index: usize) -> Option<&Change> {
        self.plan.changes.get(index)
    }

    /// The markers that are ours.
    fn own<'a>(&'a self, change: &'a Change) -> Own<'a> {
        Own { workspace: &self.workspace, change: &change.id }
    }

    fn asked_for(&self, purpose: Purpose) -> impl Iterator<Item = &Asked> {
        self.asked.values().filter(move |asked| asked.purpose == purpose)
    }

    fn retry_at(&self, index: usize) -> Timestamp {
        let tenant = self.tracks.get(index).and_then(|track| self.tenants.get(&track.tenant));
        tenant.map_or(Timestamp::MIN, |tenant| tenant.retry_at)
    }

    /// Settles a change for good.
    fn end(&mut self, index: usize, ended: Ended) {
        let ended = match self.at_part(index) {
            Some((change, part)) => finish::not_nothing(change, part, ended),
            None => ended,
        };
        if let Some(change) = self.change(index).map(|change| change.id.clone()) {
            self.outbox.push(Entry::Outcome { change, ended: ended.clone() });
        }
        self.tracks.put(index, Phase::Ended(ended));
    }

    fn end_because(&mut self, index: usize, outcome: Outcome, reason: Reason) {
        self.end(index, Ended::because(outcome, reason));
    }
}

fn tenants(plan: &Plan, overlap: SignedDuration) -> BTreeMap<Arc<str>, Tenant> {
    let tenant = |observed: Timestamp| Tenant {
        from: observed.checked_sub(overlap).unwrap_or(Timestamp::MIN),
        next_poll: Timestamp::MIN,
        polls: 0,
        last_accepted: Timestamp::MIN,
        failed: 0,
        retry_at: Timestamp::MIN,
        lanes: BTreeMap::new(),
        confirmed: 0,
        different: 0,
    };
    plan.tenants
        .iter()
        .map(|section| {
            // Rows of the history have the times of the service's own clock. By whichever was earlier: one that is
            // said to be ahead must not hide what was done since.
            let observed =
                section.service_at.unwrap_or(section.observed_at).min(section.observed_at);
            (Arc::from(section.name.as_str()), tenant(observed))
        })
        .collect()
}
