//! An engine led by hand, one answer at a time: for the moments that a whole run passes over.

use jiff::Timestamp;

use super::fixture::*;
use crate::apply::engine::track::{Phase, Track};
use crate::apply::journal::{Chain, Entry, JournalEntry, Noted};
use crate::apply::outcome::{Outcome, Summary};
use crate::apply::step::{Answer, Event, Filter, Lane, Question, Seen, Send, Step, Ticket, Wait};
use crate::apply::{Engine, Options};
use crate::inventory::{ActionRow, AlertRow};
use crate::model::{ActionStatus, DeviceId, Isolation, Verb};
use crate::plan::Plan;
use crate::plan::sending::Sending;
use crate::plan::types::{Change, Reason};

/// What an engine did until it waited.
#[derive(Debug, Default)]
pub(super) struct Turn {
    pub(super) asked: Vec<(Ticket, Question)>,
    pub(super) sent: Vec<(Ticket, Send)>,
    /// Until when it waits, in seconds from the start, and why.
    pub(super) wait: Option<(i64, Wait)>,
    pub(super) done: Option<Summary>,
}

impl Turn {
    /// The only question.
    pub(super) fn question(&self) -> Ticket {
        assert_eq!(self.asked.len(), 1, "{self:?}");
        self.asked[0].0
    }

    /// The only request.
    pub(super) fn request(&self) -> Ticket {
        assert_eq!(self.sent.len(), 1, "{self:?}");
        self.sent[0].0
    }

    /// What the only question about actions is for.
    pub(super) fn filter(&self) -> &Filter {
        assert_eq!(self.asked.len(), 1, "{self:?}");
        match &self.asked[0].1 {
            Question::Actions(filter) => filter,
            Question::Alert(id) => panic!("a question about alert {id}"),
        }
    }

    /// Neither asked nor sent anything.
    pub(super) fn is_idle(&self) -> bool {
        self.asked.is_empty() && self.sent.is_empty()
    }

    /// How the only change ended: outcome and the reason's code.
    pub(super) fn only(&self) -> (Outcome, String) {
        super::tables::only(self.done.as_ref().expect("a run that has ended"))
    }
}

#[derive(Debug)]
pub(super) struct Hand {
    pub(super) engine: Engine,
    pub(super) now: Timestamp,
    /// What was recorded.
    pub(super) entries: Vec<Entry>,
}

impl Hand {
    pub(super) fn new(plan: &Plan, options: Options) -> Self {
        Self::resumed(plan, options, &[])
    }

    /// With freeze windows.
    pub(super) fn within(plan: &Plan, sending: &Sending) -> Self {
        let engine = Engine::of(plan, sending, &[], Options::default(), "test").unwrap();
        Self { engine, now: start(), entries: Vec::new() }
    }

    pub(super) fn resumed(plan: &Plan, options: Options, history: &[JournalEntry]) -> Self {
        let engine = Engine::of(plan, &Sending::default(), history, options, "test").unwrap();
        Self { engine, now: start(), entries: Vec::new() }
    }

    /// The next step that is not a record: those are on the disk at once.
    pub(super) fn step(&mut self) -> Step {
        loop {
            match self.engine.poll(self.now) {
                Step::Record(ticket, entries) => {
                    self.entries.extend(entries);
                    self.engine.handle(Event::Recorded(ticket), self.now);
                }
                step => return step,
            }
        }
    }

    /// Everything that it does until it waits.
    pub(super) fn turn(&mut self) -> Turn {
        let mut turn = Turn::default();
        for _ in 0..1_000 {
            match self.step() {
                Step::Ask { ticket, question, .. } => turn.asked.push((ticket, question)),
                Step::Submit { ticket, send, .. } => turn.sent.push((ticket, send)),
                Step::WaitUntil(at, why) => {
                    turn.wait = Some((at.duration_since(start()).as_secs(), why));
                    return turn;
                }
                Step::Done(summary) => {
                    turn.done = Some(summary);
                    return turn;
                }
                Step::Record(..) => {}
            }
        }
        panic!("it does not come to rest: {turn:?}");
    }

    /// The same at another time.
    pub(super) fn at(&mut self, seconds: i64) -> Turn {
        self.now = after(seconds);
        self.turn()
    }

    pub(super) fn tell(&mut self, event: Event) {
        self.engine.handle(event, self.now);
    }

    pub(super) fn answer(&mut self, ticket: Ticket, answer: Answer) -> Turn {
        self.tell(Event::Answered(ticket, answer));
        self.turn()
    }

    pub(super) fn accept(&mut self, ticket: Ticket, row: &ActionRow) -> Turn {
        self.answer(ticket, Answer::Accepted(Box::new(row.clone())))
    }

    pub(super) fn refuse(&mut self, ticket: Ticket, status: u16) -> Turn {
        let (code, message) = ("BadRequest".to_owned(), "said the service".to_owned());
        self.answer(ticket, Answer::Refused { status, code, message })
    }

    pub(super) fn show(&mut self, ticket: Ticket, rows: &[ActionRow]) -> Turn {
        self.tell(Event::Read(ticket, Ok(Seen::Actions(rows.to_vec()))));
        self.turn()
    }

    pub(super) fn show_alert(&mut self, ticket: Ticket, row: Option<&AlertRow>) -> Turn {
        let row = row.cloned().map(Box::new);
        self.tell(Event::Read(ticket, Ok(Seen::Alert(row))));
        self.turn()
    }

    /// A read fails.
    pub(super) fn fail(&mut self, ticket: Ticket) -> Turn {
        self.tell(Event::Read(ticket, Err("503".to_owned())));
        self.turn()
    }

    pub(super) fn pace(&mut self, lane: Lane, ready: i64, left: u32) {
        let (tenant, ready_at) = ("contoso".into(), after(ready));
        self.tell(Event::Pace { tenant, lane, ready_at, left });
    }

    pub(super) fn stop(&mut self) {
        self.tell(Event::Stop(Reason::new("interrupted")));
    }

    /// Answers the last looks with these actions until requests leave.
    pub(super) fn until_sent(&mut self, rows: &[ActionRow]) -> Turn {
        let turn = self.turn();
        for (ticket, _) in &turn.asked {
            self.tell(Event::Read(*ticket, Ok(Seen::Actions(rows.to_vec()))));
        }
        let turn = self.turn();
        assert!(!turn.sent.is_empty(), "{turn:?}");
        turn
    }

    /// An answer is lost, and the three looks see these actions: what comes after the last.
    pub(super) fn lose(&mut self, ticket: Ticket, rows: &[ActionRow]) -> Turn {
        let lost = self.now.duration_since(start()).as_secs();
        let mut turn = self.answer(ticket, Answer::Ambiguous { why: "reset".to_owned() });
        for pause in [2, 10, 30] {
            assert!(turn.is_idle(), "{turn:?}");
            let look = self.at(lost + pause).question();
            turn = self.show(look, rows);
        }
        turn
    }

    pub(super) fn track(&self, index: usize) -> &Track {
        self.engine.tracks.get(index).unwrap()
    }

    pub(super) fn phase(&self, index: usize) -> &Phase {
        &self.track(index).phase
    }

    /// The answers that were recorded.
    pub(super) fn noted(&self) -> Vec<&Noted> {
        let answers = self.entries.iter().filter_map(|entry| match entry {
            Entry::Answer { answer, .. } => Some(answer),
            _ => None,
        });
        answers.collect()
    }

    /// How many entries of a kind were recorded.
    pub(super) fn count(&self, is: impl Fn(&Entry) -> bool) -> usize {
        self.entries.iter().filter(|entry| is(entry)).count()
    }
}

/// The action of a change as the service lists it, with our marker.
pub(super) fn row(change: &Change, id: &str, status: ActionStatus) -> ActionRow {
    ActionRow {
        id: id.into(),
        device: DeviceId::parse(&change.target.id),
        isolation: (change.verb == Verb::Isolate).then_some(Isolation::Full),
        scan: None,
        cancelled: None,
        kind: change.verb.action().expect("a verb with an action"),
        status,
        requestor: "palisade".into(),
        comment: change.parameters.comment.as_deref().unwrap_or_default().into(),
        source: "PublicApi".into(),
        created: start(),
        updated: start(),
    }
}

/// A journal of this plan: its start, and these entries at so many seconds.
pub(super) fn journal(plan: &Plan, entries: Vec<(i64, Entry)>) -> Vec<JournalEntry> {
    let mut first = Hand::new(plan, Options::default());
    let Step::Record(_, started) = first.engine.poll(start()) else { panic!("no start") };
    let started = started.into_iter().take(1).map(|entry| (0, entry));
    let mut chain = Chain::default();
    started.chain(entries).map(|(at, entry)| chain.line(after(at), entry).unwrap().1).collect()
}
