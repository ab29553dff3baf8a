//! What each entry of a journal says about its change: tables of entries in, phases out.

use super::fixture::*;
use super::hand::*;
use crate::apply::Options;
use crate::apply::engine::track::{Accepted, Lost, Phase};
use crate::apply::journal::{Entry, Noted, Part};
use crate::apply::outcome::{Ended, Outcome};
use crate::model::{ActionStatus, Verb};
use crate::plan::types::{Change, Reason};

/// What a change is at after these entries: its next request, and a word for its phase.
fn at(change: &Change, entries: &[Entry]) -> (Part, String) {
    let plan = plan(vec![change.clone()]);
    let entries = entries.iter().cloned().map(|entry| (10, entry)).collect();
    let hand = Hand::resumed(&plan, Options::default(), &journal(&plan, entries));
    let word = match hand.phase(0) {
        Phase::Idle(_) => "idle".to_owned(),
        Phase::Lost(Lost { exists: None, .. }) => "lost".to_owned(),
        Phase::Lost(Lost { exists: Some(text), .. }) => format!("exists {text}"),
        Phase::Accepted(Accepted { action, since, status }) => {
            assert_eq!(*since, after(10));
            format!("{action} {}", status.wire())
        }
        Phase::Claimed(_) => "claimed".to_owned(),
        Phase::Shelved(Ended { outcome, action, .. }) => format!("shelved {outcome:?} {action:?}"),
        Phase::Ended(Ended { outcome, .. }) => format!("ended {outcome:?}"),
        other => panic!("no phase to begin in: {other:?}"),
    };
    (hand.track(0).part, word)
}

struct Words(Change);

impl Words {
    fn intent(&self, part: Part) -> Entry {
        Entry::Intent { change: self.0.id.clone(), part, attempt: 1 }
    }
    fn answer(&self, part: Part, answer: Noted) -> Entry {
        Entry::Answer { change: self.0.id.clone(), part, answer }
    }
    fn accepted(&self, part: Part, action: Option<&str>) -> Entry {
        self.answer(part, Noted::Accepted { action: action.map(Into::into) })
    }
    fn refused(&self, part: Part, status: u16) -> Entry {
        let (code, message) = ("Bad".to_owned(), "late".to_owned());
        self.answer(part, Noted::Refused { status, code, message })
    }
    fn state(&self, action: &str, status: &ActionStatus) -> Entry {
        let status = status.wire().to_owned();
        Entry::State { change: self.0.id.clone(), action: action.into(), status }
    }
    fn found(&self, part: Part) -> Entry {
        let change = self.0.id.clone();
        Entry::Looked { change, part, found: true, action: None, absent: false }
    }
    fn is(&self, entries: &[Entry], part: Part, word: &str) {
        assert_eq!(at(&self.0, entries), (part, word.to_owned()), "{entries:?}");
    }
}

#[test]
fn entries_about_an_action() {
    use Part::{Action, Cancel};
    let of = Words(change(1, Verb::Isolate));
    let sent = of.intent(Action);
    let taken = of.accepted(Action, Some("a"));
    of.is(&[], Action, "idle");
    of.is(std::slice::from_ref(&sent), Action, "lost");
    let exists = of.answer(Action, Noted::AlreadyExists { message: "active".to_owned() });
    of.is(&[sent.clone(), exists], Action, "exists active");
    of.is(&[sent.clone(), taken.clone()], Action, "a Pending");
    let state = |action| of.state(action, &ActionStatus::InProgress);
    of.is(&[sent.clone(), taken.clone(), state("a")], Action, "a InProgress");
    of.is(&[sent.clone(), taken.clone(), state("b")], Action, "a Pending");
    of.is(&[sent.clone(), of.refused(Action, 400)], Action, "ended Refused");
    of.is(&[sent.clone(), of.answer(Action, Noted::Throttled)], Action, "idle");
    // Its rollout has stopped and its action is to be cancelled.
    let stop = [sent, taken, of.intent(Cancel)];
    of.is(&stop, Cancel, "lost");
    let with = |entry: Entry| [&stop[..], &[entry]].concat();
    of.is(&with(of.refused(Cancel, 400)), Cancel, "exists late");
    let kept = format!("shelved PendingOffline {:?}", Some(crate::model::ActionId::from("a")));
    of.is(&with(of.refused(Cancel, 403)), Cancel, &kept);
}

#[test]
fn entries_about_the_cancelling_of_an_action() {
    let of = Words(change(1, Verb::Cancel));
    let sent = of.intent(Part::Action);
    of.is(&[sent.clone(), of.refused(Part::Action, 400)], Part::Action, "exists late");
    of.is(&[sent, of.refused(Part::Action, 403)], Part::Action, "ended Refused");
}

#[test]
fn what_had_succeeded_is_done_when_a_run_stops_before_it_looks_again() {
    for (verb, status, expected) in [
        (Verb::Isolate, ActionStatus::Succeeded, (Outcome::Done, "not-verified")),
        (Verb::Isolate, ActionStatus::InProgress, (Outcome::UnderWay, "not-waited-for")),
        (Verb::Cancel, ActionStatus::Cancelled, (Outcome::Done, "not-verified")),
        (Verb::Cancel, ActionStatus::Succeeded, (Outcome::UnderWay, "not-waited-for")),
    ] {
        let of = Words(change(1, verb));
        let plan = plan(vec![of.0.clone()]);
        let taken = of.accepted(Part::Action, Some("a"));
        let entries = [of.intent(Part::Action), taken, of.state("a", &status)];
        let entries = entries.map(|entry| (10, entry)).to_vec();
        let hand = Hand::resumed(&plan, Options::default(), &journal(&plan, entries));
        let ended = &hand.engine.summary().outcomes[&of.0.id];
        let code = ended.reason.as_ref().map(|reason| reason.code.as_str());
        assert_eq!((ended.outcome, code), (expected.0, Some(expected.1)), "{verb} {status:?}");
    }
}

#[test]
fn entries_about_an_alert() {
    use Part::{Comment, Patch};
    let of = Words(classify(1));
    let patch = of.intent(Patch);
    of.is(&[], Patch, "idle");
    of.is(&[patch.clone(), of.accepted(Patch, None)], Comment, "idle");
    // That it was found is followed by what that means; without it the look is taken again.
    of.is(&[patch.clone(), of.found(Patch)], Patch, "lost");
    let set = [patch, of.accepted(Patch, None), of.intent(Comment)];
    let with = |entry: Entry| [&set[..], &[entry]].concat();
    of.is(&with(of.accepted(Comment, None)), Comment, "claimed");
    of.is(&with(of.found(Comment)), Comment, "claimed");
    of.is(&with(of.refused(Comment, 403)), Comment, "ended Failed");
    // Nothing is said of it: setting it is all there is.
    let mut quiet = classify(1);
    quiet.parameters.comment = None;
    let of = Words(quiet);
    of.is(&[of.intent(Patch), of.accepted(Patch, None)], Patch, "claimed");
}

#[test]
fn what_was_sent_in_an_earlier_life_counts() {
    let changes = vec![change(1, Verb::Isolate), change(2, Verb::Isolate)];
    let plan = plan(changes.clone());
    let entries = changes.into_iter().map(|change| (10, Words(change).intent(Part::Action)));
    let history = journal(&plan, entries.collect());
    let hand = Hand::resumed(&plan, Options::default(), &history);
    assert_eq!(hand.engine.progress(start()).sent, 2);
    let outcomes = hand.engine.summary().outcomes;
    assert!(outcomes.values().all(|ended| ended.outcome == Outcome::Failed), "answers are lost");
}

#[test]
fn only_what_was_confirmed_as_wanted_is_looked_at_again() {
    for (reason, looks) in [(None, true), (Some("cancel-too-late"), false)] {
        let plan = plan(vec![change(1, Verb::Isolate)]);
        let of = Words(plan.changes[0].clone());
        let reason = reason.map(Reason::new);
        let ended = Ended { reason, ..Ended::plain(Outcome::Done).by(Some("a".into())) };
        let entries = vec![
            (1, of.intent(Part::Action)),
            (2, of.accepted(Part::Action, Some("a"))),
            (3, Entry::Outcome { change: of.0.id.clone(), ended }),
        ];
        let mut hand = Hand::resumed(&plan, Options::default(), &journal(&plan, entries));
        let turn = hand.turn();
        assert_eq!((turn.asked.len() == 1, turn.done.is_none()), (looks, looks), "{turn:?}");
    }
}

/// An alert that was set and whose comment was not sent when the run stopped is not one that was not attempted.
#[test]
fn what_is_half_said_is_under_way() {
    let change = classify(1);
    let of = Words(change.clone());
    let plan = plan(vec![change]);
    for (entries, outcome, code) in [
        (vec![], Outcome::NotAttempted, "not-begun"),
        (
            vec![of.intent(Part::Patch), of.accepted(Part::Patch, None)],
            Outcome::UnderWay,
            "comment-missing",
        ),
    ] {
        let entries = entries.into_iter().map(|entry| (10, entry)).collect();
        let hand = Hand::resumed(&plan, Options::default(), &journal(&plan, entries));
        let ended = hand.engine.summary().outcomes.into_values().next().unwrap();
        let said = ended.reason.map(|reason| reason.code);
        assert_eq!((ended.outcome, said.as_deref()), (outcome, Some(code)));
    }
}
