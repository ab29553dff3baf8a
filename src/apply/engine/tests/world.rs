//! A small model of the service and a runner: faults, slow devices, kills.
//!
//! Requests take effect, or do not, at an instant of their own, apart from their answer; a kill
//! loses answers and never effects.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::fixture::start;
use crate::apply::journal::{Chain, decode};
use crate::apply::step::{Answer, Event, Filter, Question, Seen, Send, Step, Wait};
use crate::apply::{Engine, Options, Outcome, Summary};
use crate::inventory::{ActionRow, AlertRow};
use crate::model::{ActionId, ActionKind, ActionStatus, AlertId, ChangeId, DeviceId, Isolation};
use crate::plan::Plan;
use crate::plan::sending::Sending;
use crate::plan::types::{Change, Reason};

/// What happens to a request.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// Nothing special.
    Fine,
    /// It is lost on the way.
    LostBefore,
    /// It takes effect after so many seconds; the answer is lost.
    LostAfter(i64),
    /// 429.
    Throttle(i64),
    /// No connection.
    NoConnection,
    /// 4xx.
    Refuse(u16, &'static str),
    /// 201 with no word about what was made.
    Mute,
}

/// What happens to a device's action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Succeeds,
    Fails,
    TimesOut,
    Offline,
}

/// How the service answers a second request of a kind that is active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Duplicates {
    Reject,
    ReturnExisting,
    /// Makes another one: the strictest test of ours.
    Make,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) now: Timestamp,
    pub(super) actions: Vec<ActionRow>,
    pub(super) alerts: BTreeMap<AlertId, AlertRow>,
    pub(super) faults: VecDeque<Fault>,
    pub(super) read_faults: VecDeque<bool>,
    pub(super) fates: BTreeMap<DeviceId, Fate>,
    pub(super) duplicates: Duplicates,
    /// Seconds from taking to the end of an action, by count of actions.
    pub(super) slow: i64,
    /// The same for single devices.
    pub(super) slower: BTreeMap<DeviceId, i64>,
    /// A comment with which somebody isolates a device in the moment before our first request.
    pub(super) rival: Option<(DeviceId, String)>,
    /// Effects that are still to come: when, and what.
    late: Vec<(Timestamp, Send)>,
    pub(super) requests: Vec<(Timestamp, Send)>,
    pub(super) reads: usize,
    made: usize,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            now: start(),
            actions: Vec::new(),
            alerts: BTreeMap::new(),
            faults: VecDeque::new(),
            read_faults: VecDeque::new(),
            fates: BTreeMap::new(),
            duplicates: Duplicates::Make,
            slow: 30,
            slower: BTreeMap::new(),
            rival: None,
            late: Vec::new(),
            requests: Vec::new(),
            reads: 0,
            made: 0,
        }
    }

    /// An action that somebody took.
    pub(super) fn act(
        &mut self,
        device: &DeviceId,
        kind: ActionKind,
        status: ActionStatus,
        by: &str,
        comment: &str,
    ) -> ActionId {
        self.made += 1;
        let id = ActionId::from(format!("act-{}", self.made));
        self.actions.push(ActionRow {
            id: id.clone(),
            device: device.clone(),
            isolation: (kind == ActionKind::Isolate).then_some(Isolation::Full),
            scan: None,
            cancelled: None,
            kind,
            status,
            requestor: by.into(),
            comment: comment.into(),
            source: "PublicApi".into(),
            created: self.now,
            updated: self.now,
        });
        id
    }

    /// Moves time; what is due happens.
    pub(super) fn advance(&mut self, to: Timestamp) {
        self.now = self.now.max(to);
        let due: Vec<Send> = self
            .late
            .iter()
            .filter(|(at, _)| *at <= self.now)
            .map(|(_, send)| send.clone())
            .collect();
        self.late.retain(|(at, _)| *at > self.now);
        for send in due {
            self.effect(&send);
        }
        for row in &mut self.actions {
            let slow = self.slower.get(&row.device).unwrap_or(&self.slow);
            let end = row.created + SignedDuration::from_secs(slow + row.id.as_str().len() as i64);
            if row.status.is_terminal() || row.requestor.as_ref() != "palisade" || self.now < end {
                continue;
            }
            row.status = match self.fates.get(&row.device).unwrap_or(&Fate::Succeeds) {
                Fate::Succeeds => ActionStatus::Succeeded,
                Fate::Fails => ActionStatus::Failed,
                Fate::TimesOut => ActionStatus::TimeOut,
                Fate::Offline => continue,
            };
            row.updated = end;
        }
    }

    /// Lets a request take effect and says what is returned.
    fn effect(&mut self, send: &Send) -> Answer {
        let (device, kind, comment) = match send {
            Send::Isolate { device, comment, .. } => (device, ActionKind::Isolate, comment),
            Send::Release { device, comment } => (device, ActionKind::Unisolate, comment),
            Send::Restrict { device, comment } => {
                (device, ActionKind::RestrictCodeExecution, comment)
            }
            Send::Unrestrict { device, comment } => {
                (device, ActionKind::UnrestrictCodeExecution, comment)
            }
            Send::Scan { device, comment, .. } => (device, ActionKind::RunAntiVirusScan, comment),
            Send::Cancel { action, .. } => return self.cancel(action),
            Send::Patch { .. } | Send::Comment { .. } => return self.alert_effect(send),
        };
        let active = self
            .actions
            .iter()
            .find(|row| row.device == *device && row.kind == kind && !row.status.is_terminal());
        match (active, self.duplicates) {
            (Some(_), Duplicates::Reject) => {
                return Answer::AlreadyExists {
                    message: "Action is already in progress".to_owned(),
                };
            }
            (Some(row), Duplicates::ReturnExisting) => {
                return Answer::Accepted(Box::new(row.clone()));
            }
            (Some(_), Duplicates::Make) | (None, _) => {}
        }
        let (device, comment) = (device.clone(), comment.clone());
        let id = self.act(&device, kind, ActionStatus::Pending, "palisade", &comment);
        let row = self.actions.iter().find(|row| row.id == id).unwrap();
        Answer::Accepted(Box::new(row.clone()))
    }

    fn cancel(&mut self, action: &ActionId) -> Answer {
        let now = self.now;
        match self.actions.iter_mut().find(|row| row.id == *action) {
            None => refused(404, "ResourceNotFound"),
            Some(row) if row.status.is_terminal() => refused(400, "BadRequest"),
            Some(row) => {
                (row.status, row.updated) = (ActionStatus::Cancelled, now);
                Answer::Accepted(Box::new(row.clone()))
            }
        }
    }

    fn alert_effect(&mut self, send: &Send) -> Answer {
        let now = self.now;
        let id = match send {
            Send::Patch { alert, .. } | Send::Comment { alert, .. } => alert,
            other => panic!("not about an alert: {other:?}"),
        };
        let Some(row) = self.alerts.get_mut(id) else { return refused(404, "NotFound") };
        row.updated = now;
        match send {
            Send::Patch { status, classification, determination, assigned_to, .. } => {
                row.status = status.unwrap_or(row.status);
                row.classification = classification.unwrap_or(row.classification);
                row.determination = determination.unwrap_or(row.determination);
                if let Some(text) = assigned_to {
                    row.assigned_to = Some(text.clone());
                }
                Answer::Patched(Box::new(row.clone()))
            }
            Send::Comment { comment, .. } => {
                row.comments.push(comment.clone());
                Answer::Commented(row.comments.clone())
            }
            other => panic!("not about an alert: {other:?}"),
        }
    }

    pub(super) fn submit(&mut self, send: &Send) -> Answer {
        self.requests.push((self.now, send.clone()));
        if let Some((device, comment)) = self.rival.take() {
            self.act(&device, ActionKind::Isolate, ActionStatus::Pending, "another", &comment);
        }
        let lost = |why: &str| Answer::Ambiguous { why: why.to_owned() };
        match self.faults.pop_front().unwrap_or(Fault::Fine) {
            Fault::Fine => self.effect(send),
            Fault::LostBefore => lost("reset"),
            Fault::LostAfter(seconds) => {
                self.late.push((self.now + SignedDuration::from_secs(seconds), send.clone()));
                self.advance(self.now);
                lost("timeout")
            }
            Fault::Throttle(seconds) => {
                Answer::Throttled { retry_at: self.now + SignedDuration::from_secs(seconds) }
            }
            Fault::NoConnection => Answer::NotSent { why: "no route".to_owned() },
            Fault::Refuse(status, code) => refused(status, code),
            Fault::Mute => {
                self.effect(send);
                Answer::Taken
            }
        }
    }

    pub(super) fn ask(&mut self, question: &Question) -> Result<Seen, String> {
        self.reads += 1;
        if self.read_faults.pop_front() == Some(true) {
            return Err("503".to_owned());
        }
        Ok(match question {
            Question::Alert(id) => Seen::Alert(self.alerts.get(id).cloned().map(Box::new)),
            Question::Actions(Filter { ids, device, since }) => {
                let rows = self.actions.iter().filter(|row| {
                    (ids.is_empty() || ids.contains(&row.id))
                        && device.as_ref().is_none_or(|device| row.device == *device)
                        && since.is_none_or(|since| row.created >= since)
                });
                Seen::Actions(rows.cloned().collect())
            }
        })
    }

    /// Actions of ours on a device.
    pub(super) fn ours(&self, device: &DeviceId) -> Vec<&ActionRow> {
        let ours = |row: &&ActionRow| row.device == *device && &*row.requestor == "palisade";
        self.actions.iter().filter(ours).collect()
    }
}

fn refused(status: u16, code: &str) -> Answer {
    Answer::Refused { status, code: code.to_owned(), message: "said the service".to_owned() }
}

/// A run that can be killed.
#[derive(Debug)]
pub(super) struct Runner {
    pub(super) world: World,
    pub(super) journal: Vec<u8>,
    pub(super) steps: usize,
    pub(super) waits: Vec<Wait>,
    /// Seconds an answer takes, in turn; zero when there are none.
    pub(super) delays: VecDeque<i64>,
    /// Told to stop after so many steps.
    pub(super) stop_after: Option<usize>,
    /// What may be sent.
    pub(super) sending: Sending,
    /// Whether it only settles what was sent.
    pub(super) settles: bool,
    /// Why nothing more is sent, when that is found after the journal was read.
    pub(super) crowded: Option<Reason>,
    /// Changes that could still be sent when a life began.
    pub(super) ahead: Vec<ChangeId>,
}

impl Runner {
    pub(super) fn new(world: World) -> Self {
        Self {
            world,
            journal: Vec::new(),
            steps: 0,
            waits: Vec::new(),
            delays: VecDeque::new(),
            stop_after: None,
            sending: Sending::default(),
            settles: false,
            crowded: None,
            ahead: Vec::new(),
        }
    }

    /// Runs to the end, or for `most` steps of this life; then everything but journal and world is
    /// gone. A record that is being written when the end comes is torn after `tear` bytes.
    pub(super) fn run(
        &mut self,
        plan: &Plan,
        options: &Options,
        most: usize,
        tear: usize,
    ) -> Option<Summary> {
        let read = decode(&self.journal).unwrap();
        self.journal.truncate(usize::try_from(read.valid).unwrap());
        let mut chain: Chain = read.chain;
        let mut engine =
            Engine::of(plan, &self.sending, &read.entries, options.clone(), "test").unwrap();
        self.ahead = engine.ahead().map(|change| change.id.clone()).collect();
        if let Some(reason) = &self.crowded {
            engine.withhold(reason.clone());
        }
        if self.settles {
            engine.settle_only(Reason::new("frozen"));
        }
        let mut flying: Vec<(Timestamp, Event)> = Vec::new();
        for life in 0.. {
            assert!(self.steps < 500_000, "the run does not end: {:?}", self.waits.last());
            self.steps += 1;
            let now = self.world.now;
            if self.stop_after.is_some_and(|after| life >= after) {
                engine.handle(Event::Stop(Reason::new("interrupted")), now);
            }
            match engine.poll(now) {
                Step::Record(ticket, entries) => {
                    let mut bytes = Vec::new();
                    for entry in entries {
                        bytes.extend(chain.line(now, entry).unwrap().0);
                    }
                    if life >= most {
                        bytes.truncate(tear);
                        self.journal.extend(bytes);
                        return None;
                    }
                    self.journal.extend(bytes);
                    engine.handle(Event::Recorded(ticket), now);
                }
                Step::Ask { ticket, question, .. } => {
                    let seen = self.world.ask(&question);
                    flying.push((self.due(), Event::Read(ticket, seen)));
                }
                Step::Submit { ticket, send, .. } => {
                    let answer = self.world.submit(&send);
                    flying.push((self.due(), Event::Answered(ticket, answer)));
                }
                Step::WaitUntil(at, why) => {
                    self.waits.push(why);
                    assert!(at > now, "a wait into the past: {why:?}");
                    let next = flying.iter().map(|(due, _)| *due).min();
                    self.world.advance(next.map_or(at, |next| next.min(at)));
                    let now = self.world.now;
                    let (due, later): (Vec<_>, Vec<_>) =
                        flying.into_iter().partition(|(due, _)| *due <= now);
                    flying = later;
                    for (_, event) in due {
                        engine.handle(event, now);
                    }
                }
                Step::Done(summary) => {
                    let done =
                        |change: &Change| summary.outcomes[&change.id].outcome == Outcome::Done;
                    assert!(!engine.ahead().any(done), "what is done is ahead of nobody");
                    return Some(summary);
                }
            }
            if life >= most {
                return None;
            }
        }
        None
    }

    fn due(&mut self) -> Timestamp {
        let delay = self.delays.pop_front().unwrap_or(0);
        self.world.now + SignedDuration::from_secs(delay)
    }

    /// The words of the journal's entries.
    pub(super) fn words(&self) -> Vec<String> {
        let read = decode(&self.journal).unwrap();
        let word = |line: &crate::apply::JournalEntry| {
            let value = serde_json::to_value(&line.entry).unwrap();
            value["type"].as_str().unwrap().to_owned()
        };
        read.entries.iter().map(word).collect()
    }
}

/// Devices with more than one action of ours of a kind: there must be none.
pub(super) fn twice(world: &World) -> BTreeSet<(DeviceId, ActionKind)> {
    let mut seen = BTreeSet::new();
    let ours = world.actions.iter().filter(|row| &*row.requestor == "palisade");
    ours.map(|row| (row.device.clone(), row.kind.clone()))
        .filter(|pair| !seen.insert(pair.clone()))
        .collect()
}

/// Alerts with more than one comment of the same text.
pub(super) fn said_twice(world: &World) -> Vec<Arc<str>> {
    let mut seen = BTreeSet::new();
    let comments = world.alerts.values().flat_map(|row| &row.comments);
    comments.filter(|comment| !seen.insert((*comment).clone())).cloned().collect()
}
