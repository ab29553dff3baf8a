//! The end of a run: what the last look makes of each change, and that the end is told.

use super::fixture::*;
use super::hand::*;
use super::tables::{fault, only, run};
use super::world::*;
use crate::apply::Options;
use crate::apply::journal::{Entry, decode};
use crate::apply::outcome::Outcome;
use crate::apply::step::{Answer, Event, Seen, Step, Ticket, Wait};
use crate::inventory::AlertRow;
use crate::model::{ActionStatus, AlertStatus, Verb};

#[test]
fn the_last_look_at_an_alert_decides() {
    let plan = plan(vec![classify(1)]);
    let none: fn(&mut AlertRow) = |_| ();
    let reopen: fn(&mut AlertRow) = |row| row.status = AlertStatus::New;
    let silence: fn(&mut AlertRow) = |row| row.comments.clear();
    for (edit, outcome, code) in [
        (none, Outcome::Done, ""),
        (reopen, Outcome::Moved, "changed-after"),
        (silence, Outcome::Failed, "comment-gone"),
    ] {
        let mut world = World::new();
        world.alerts.insert(alert(1).id, alert(1));
        let mut hand = Hand::new(&plan, Options::default());
        let look = hand.turn().question();
        let mut turn = hand.show_alert(look, Some(&alert(1)));
        for _ in ["patch", "comment"] {
            let (ticket, send) = turn.sent.pop().unwrap();
            turn = hand.answer(ticket, world.submit(&send));
        }
        let mut row = world.alerts[&alert(1).id].clone();
        edit(&mut row);
        let turn = hand.show_alert(turn.question(), Some(&row));
        assert_eq!(turn.only(), (outcome, code.to_owned()));
    }
}

#[test]
fn the_last_look_is_counted() {
    let mut world = World::new();
    for n in [3, 4, 5] {
        world.fates.insert(device(n), Fate::Offline);
    }
    let (summary, runner) = run(world, (1..=5).map(|n| change(n, Verb::Isolate)).collect());
    assert_eq!(summary.count(Outcome::PendingOffline), 3);
    let entries = decode(&runner.journal).unwrap().entries;
    let counts: Vec<(u32, u32)> = entries
        .iter()
        .filter_map(|line| match line.entry {
            Entry::Verification { confirmed, different, .. } => Some((confirmed, different)),
            _ => None,
        })
        .collect();
    assert_eq!(counts, [(2, 3)]);
}

#[test]
fn an_action_that_only_the_last_look_finds_may_be_pending() {
    let mut world = fault(Fault::LostAfter(0));
    world.fates.insert(device(1), Fate::Offline);
    world.read_faults.push_back(false);
    world.read_faults.extend(std::iter::repeat_n(true, 7));
    let (summary, _) = run(world, vec![change(1, Verb::Isolate)]);
    assert_eq!(only(&summary), (Outcome::PendingOffline, "still-running".to_owned()));
    let ended = summary.outcomes.values().next().unwrap();
    assert_eq!(ended.action, Some("act-1".into()), "it is named");
}

/// A run that has come to its look at the end.
fn at_the_end() -> (Hand, Ticket, Vec<crate::inventory::ActionRow>) {
    let isolate = change(1, Verb::Isolate);
    let mut hand = Hand::new(&plan(vec![isolate.clone()]), Options::default());
    let ticket = hand.until_sent(&[]).request();
    let rows = vec![row(&isolate, "act-1", ActionStatus::Succeeded)];
    let verify = hand.accept(ticket, &rows[0]).question();
    (hand, verify, rows)
}

#[test]
fn a_last_look_that_fails_is_taken_again() {
    let (mut hand, verify, rows) = at_the_end();
    let turn = hand.fail(verify);
    assert_eq!((turn.is_idle(), turn.wait), (true, Some((2, Wait::Retry))));
    let verify = hand.at(2).question();
    assert_eq!(hand.show(verify, &rows).only(), (Outcome::Done, String::new()));
}

#[test]
fn the_end_is_on_the_disk_before_it_is_told() {
    // Told to stop when everything has ended: it has come to its end all the same.
    for stop in [false, true] {
        let (mut hand, verify, rows) = at_the_end();
        hand.tell(Event::Read(verify, Ok(Seen::Actions(rows))));
        let Step::Record(outcomes, entries) = hand.engine.poll(hand.now) else {
            panic!("no outcome is recorded");
        };
        assert!(matches!(entries[..], [.., Entry::Outcome { .. }]));
        if stop {
            hand.stop();
        }
        // The disk is slow: nothing is begun meanwhile.
        let step = hand.engine.poll(hand.now);
        assert!(matches!(step, Step::WaitUntil(..)), "{step:?}");
        hand.tell(Event::Recorded(outcomes));
        let summary = hand.turn().done.unwrap();
        assert!(summary.is_complete(), "{summary:?}");
        assert!(matches!(hand.entries.last(), Some(Entry::Finished { .. })), "{:?}", hand.entries);
    }
}

#[test]
fn a_run_that_is_stopped_reads_nothing_more_and_takes_back_what_has_not_left() {
    let both = plan(vec![change(1, Verb::Isolate), change(2, Verb::Isolate)]);
    let mut hand = Hand::new(&both, Options::default());
    hand.stop();
    let turn = hand.turn();
    assert!(turn.is_idle() && turn.done.is_some(), "{turn:?}");

    let mut hand = Hand::new(&both, Options::default());
    let look = hand.turn().question();
    hand.tell(Event::Read(look, Ok(Seen::Actions(Vec::new()))));
    let Step::Submit { ticket, .. } = hand.step() else { panic!("nothing is sent") };
    hand.stop();
    let turn = hand.turn();
    assert!(turn.is_idle() && turn.done.is_none(), "the answer in flight is waited for: {turn:?}");
    hand.answer(ticket, Answer::Ambiguous { why: "reset".to_owned() });
    // Of the second one the journal says that it has not left: nobody has to look for it.
    let not_sent = |entry: &Entry| match entry {
        Entry::Answer { change, answer, .. } => {
            *change == both.changes[1].id
                && matches!(answer, crate::apply::journal::Noted::NotSent { .. })
        }
        _ => false,
    };
    assert_eq!(hand.count(not_sent), 1);
}
