//! What answers, last looks and looks for lost requests come to, one by one.

use jiff::SignedDuration;

use super::fixture::*;
use super::hand::*;
use super::tables::{fault, only, run, run_with};
use super::world::*;
use crate::apply::Options;
use crate::apply::engine::track::{Kind, Phase};
use crate::apply::journal::{Entry, Noted, Part};
use crate::apply::judge::device::settled;
use crate::apply::outcome::Outcome;
use crate::apply::step::{Answer, Question, Send, Wait};
use crate::inventory::{ActionRow, AlertRow};
use crate::model::{ActionStatus, AlertStatus, Classification, Determination, Verb};
use crate::plan::types::{Change, Parameters};

/// The action that `change(n, Verb::Cancel)` is to cancel: a foreign one.
fn foreign(n: usize, id: &str, status: ActionStatus) -> ActionRow {
    ActionRow { comment: "case 7".into(), ..row(&change(n, Verb::Isolate), id, status) }
}

/// Alert `n` as `classify(n)` leaves it.
fn resolved(n: usize) -> AlertRow {
    AlertRow {
        status: AlertStatus::Resolved,
        classification: Classification::InformationalExpectedActivity,
        determination: Determination::SecurityTesting,
        comments: vec![classify(n).parameters.comment.unwrap().into()],
        updated: after(1),
        ..alert(n)
    }
}

fn looked(entry: &Entry) -> bool {
    matches!(entry, Entry::Looked { .. })
}

#[test]
fn an_actions_state_settles_its_change() {
    use ActionStatus as Is;
    for (status, own, cancelling) in [
        (Is::Pending, None, None),
        (Is::InProgress, None, None),
        (Is::from_wire("Parked"), None, None),
        (Is::Succeeded, Some(Outcome::Done), Some(Outcome::Moved)),
        (Is::Failed, Some(Outcome::Failed), Some(Outcome::Moved)),
        (Is::TimeOut, Some(Outcome::TimedOut), Some(Outcome::Moved)),
        (Is::Cancelled, Some(Outcome::Failed), Some(Outcome::Done)),
    ] {
        assert_eq!(settled(Some(Verb::Isolate), &status), own, "{status:?}");
        assert_eq!(settled(Some(Verb::Cancel), &status), cancelling, "{status:?}");
    }
}

/// A run that is to cancel a foreign action and has sent so.
fn cancelling() -> (Hand, crate::apply::Ticket) {
    let mut hand = Hand::new(&plan(vec![change(1, Verb::Cancel)]), Options::default());
    let turn = hand.turn();
    // Only that action is read, however many others there are.
    assert_eq!(turn.filter().ids, ["old-1".into()]);
    assert_eq!((&turn.filter().device, turn.filter().since), (&None, None));
    let sent = hand.show(turn.question(), &[foreign(1, "old-1", ActionStatus::Pending)]);
    (hand, sent.request())
}

#[test]
fn a_cancel_is_answered_by_the_action_that_is_cancelled() {
    let (mut hand, ticket) = cancelling();
    hand.accept(ticket, &foreign(1, "old-1", ActionStatus::Cancelled));
    assert_eq!(hand.noted(), [&Noted::Accepted { action: Some("old-1".into()) }]);
    assert_eq!(hand.count(looked), 0);
    // Another one says nothing about it, and is looked past.
    let (mut hand, ticket) = cancelling();
    let turn = hand.accept(ticket, &foreign(1, "old-2", ActionStatus::Cancelled));
    assert!(matches!(hand.noted()[..], [Noted::AlreadyExists { .. }]));
    assert_eq!(turn.filter().ids, ["old-1".into()]);
}

#[test]
fn a_cancel_that_is_refused_is_explained_by_the_action() {
    for (status, outcome, code) in [
        (ActionStatus::Succeeded, Outcome::Moved, "action-ended"),
        (ActionStatus::Pending, Outcome::Refused, "refused"),
    ] {
        let (mut hand, ticket) = cancelling();
        let look = hand.refuse(ticket, 400).question();
        let turn = hand.show(look, &[foreign(1, "old-1", status)]);
        assert_eq!(turn.only(), (outcome, code.to_owned()), "without more looks");
        assert_eq!(hand.now, start());
    }
    let (mut hand, ticket) = cancelling();
    let turn = hand.refuse(ticket, 403);
    assert_eq!(turn.only(), (Outcome::Refused, "refused".to_owned()));
}

#[test]
fn limits_are_used_up_and_not_passed() {
    let options = Options { throttles: 2, ..Options::default() };
    for (times, outcome) in [(2, Outcome::Done), (3, Outcome::NotAttempted)] {
        let mut world = World::new();
        world.faults.extend(std::iter::repeat_n(Fault::Throttle(60), times));
        let (summary, runner) = run_with(world, &plan(vec![change(1, Verb::Isolate)]), &options);
        assert_eq!(only(&summary).0, outcome, "throttled {times} times");
        assert_eq!(runner.world.requests.len(), 3);
    }
    // The last look before acting, then the look for a lost request: six may fail in a row.
    for (times, outcome) in [(6, Outcome::Done), (7, Outcome::NotAttempted)] {
        let mut world = World::new();
        world.read_faults.extend(std::iter::repeat_n(true, times));
        let (summary, _) = run(world, vec![change(1, Verb::Isolate)]);
        assert_eq!(only(&summary).0, outcome, "{times} last looks failed");
    }
    for times in [6, 7] {
        let mut world = fault(Fault::LostAfter(0));
        world.read_faults.push_back(false);
        world.read_faults.extend(std::iter::repeat_n(true, times));
        let (summary, runner) = run(world, vec![change(1, Verb::Isolate)]);
        assert_eq!(only(&summary).0, Outcome::Done, "found in the end, or by the look at the end");
        assert_eq!(runner.words().contains(&"looked".to_owned()), times == 6, "{times}");
    }
}

#[test]
fn without_a_connection_the_pauses_grow() {
    let mut world = World::new();
    world.faults.extend(std::iter::repeat_n(Fault::NoConnection, 3));
    let (summary, runner) = run(world, vec![change(1, Verb::Isolate)]);
    assert_eq!(only(&summary).0, Outcome::Done);
    let times: Vec<_> = runner.world.requests.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [start(), after(10), after(30), after(70)]);
}

#[test]
fn each_intent_says_how_often_it_was_sent() {
    let mut hand = Hand::new(&plan(vec![change(1, Verb::Isolate)]), Options::default());
    let ticket = hand.until_sent(&[]).request();
    let reread = hand.lose(ticket, &[]).question();
    assert!(!hand.show(reread, &[]).sent.is_empty());
    let attempts: Vec<u32> = hand
        .entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Intent { attempt, .. } => Some(*attempt),
            _ => None,
        })
        .collect();
    assert_eq!(attempts, [1, 2]);
    assert_eq!(hand.engine.progress(hand.now).sent, 1, "one change, however often it was sent");
}

#[test]
fn what_arrived_after_the_last_look_is_still_ours() {
    for (status, outcome, code) in [
        (ActionStatus::Succeeded, Outcome::Done, ""),
        (ActionStatus::Failed, Outcome::Failed, "action-ended"),
    ] {
        let isolate = change(1, Verb::Isolate);
        let mut hand = Hand::new(&plan(vec![isolate.clone()]), Options::default());
        let ticket = hand.until_sent(&[]).request();
        let reread = hand.lose(ticket, &[]).question();
        let late = [row(&isolate, "act-1", status)];
        let mut turn = hand.show(reread, &late);
        if turn.done.is_none() {
            turn = hand.show(turn.question(), &late);
        }
        assert_eq!(turn.only(), (outcome, code.to_owned()));
    }
}

#[test]
fn a_foreign_action_does_not_hide_ours_that_is_still_to_come() {
    let mut world = fault(Fault::LostAfter(9));
    world.rival = Some((device(1), "case 7".to_owned()));
    let (summary, runner) = run(world, vec![change(1, Verb::Isolate)]);
    assert_eq!(only(&summary), (Outcome::Done, String::new()));
    assert_eq!((runner.world.requests.len(), runner.world.ours(&device(1)).len()), (1, 1));
}

#[test]
fn an_alert_that_is_as_wanted_is_ours_only_when_we_sent() {
    let plan = plan(vec![classify(1)]);
    let mut hand = Hand::new(&plan, Options::default());
    let look = hand.turn().question();
    let turn = hand.show_alert(look, Some(&resolved(1)));
    assert_eq!(turn.only(), (Outcome::AlreadySo, "set-since".to_owned()));

    let mut hand = Hand::new(&plan, Options::default());
    let look = hand.turn().question();
    let ticket = hand.show_alert(look, Some(&alert(1))).request();
    hand.answer(ticket, crate::apply::Answer::Ambiguous { why: "reset".to_owned() });
    let mut look = hand.at(2).question();
    for at in [10, 30] {
        hand.show_alert(look, Some(&alert(1)));
        look = hand.at(at).question();
    }
    // It was not there in the last look for it, and is in the look before it would be sent again.
    let reread = hand.show_alert(look, Some(&alert(1))).question();
    let verify = hand.show_alert(reread, Some(&resolved(1))).question();
    let turn = hand.show_alert(verify, Some(&resolved(1)));
    assert_eq!(turn.only(), (Outcome::Done, String::new()));
}

#[test]
fn an_alert_that_is_only_commented_on_is_not_patched() {
    let mut only_comment = classify(1);
    let comment = only_comment.parameters.comment.take();
    only_comment.parameters = Parameters { comment, ..Parameters::default() };
    let mut hand = Hand::new(&plan(vec![only_comment]), Options::default());
    let look = hand.turn().question();
    let turn = hand.show_alert(look, Some(&alert(1)));
    assert!(matches!(turn.sent[..], [(_, Send::Comment { .. })]), "{turn:?}");
    let parts: Vec<Part> = hand
        .entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::Intent { part, .. } => Some(*part),
            _ => None,
        })
        .collect();
    assert_eq!(parts, [Part::Comment]);
}

/// A run of one isolation that the service has taken.
fn accepted() -> (Hand, Change) {
    let isolate = change(1, Verb::Isolate);
    let mut hand = Hand::new(&plan(vec![isolate.clone()]), Options::default());
    let ticket = hand.until_sent(&[]).request();
    let turn = hand.accept(ticket, &row(&isolate, "act-1", ActionStatus::Pending));
    assert_eq!(turn.wait, Some((5, Wait::Devices)), "not polled at once");
    (hand, isolate)
}

#[test]
fn each_state_of_an_action_is_recorded_once() {
    let (mut hand, isolate) = accepted();
    let states = |hand: &Hand| hand.count(|entry| matches!(entry, Entry::State { .. }));
    assert_eq!(states(&hand), 0);
    for (at, status, recorded) in [
        (5, ActionStatus::Pending, 0),
        (10, ActionStatus::InProgress, 1),
        (15, ActionStatus::InProgress, 1),
        (20, ActionStatus::Succeeded, 2),
    ] {
        let poll = hand.at(at).question();
        hand.show(poll, &[row(&isolate, "act-1", status)]);
        assert_eq!(states(&hand), recorded, "after {at} s");
    }
    // One that has ended when it is first seen, too.
    let mut hand = Hand::new(&plan(vec![isolate.clone()]), Options::default());
    let ticket = hand.until_sent(&[]).request();
    hand.accept(ticket, &row(&isolate, "act-1", ActionStatus::Succeeded));
    assert_eq!(states(&hand), 1);
}

#[test]
fn a_device_has_exactly_as_long_as_it_is_waited_for() {
    for (at, kind) in [(1_799, Kind::Accepted), (1_800, Kind::Shelved)] {
        let (mut hand, isolate) = accepted();
        let poll = hand.at(at).question();
        hand.show(poll, &[row(&isolate, "act-1", ActionStatus::Pending)]);
        assert_eq!(hand.phase(0).kind(), kind, "after {at} s");
    }
}

#[test]
fn an_action_that_somebody_cancelled_was_not_cancelled_by_a_rollout() {
    let (mut hand, isolate) = accepted();
    let poll = hand.at(5).question();
    let turn = hand.show(poll, &[row(&isolate, "act-1", ActionStatus::Cancelled)]);
    assert_eq!(turn.only(), (Outcome::Failed, "action-ended".to_owned()));
}

#[test]
fn a_due_poll_is_not_put_off_by_another_answer() {
    let both = [change(1, Verb::Isolate), change(2, Verb::Isolate)];
    let mut hand = Hand::new(&plan(both.to_vec()), Options::default());
    let turn = hand.until_sent(&[]);
    let [(one, _), (two, _)] = turn.sent[..] else { panic!("{turn:?}") };
    hand.accept(one, &row(&both[0], "act-1", ActionStatus::Pending));
    hand.now = after(5);
    let turn = hand.accept(two, &row(&both[1], "act-2", ActionStatus::Pending));
    assert_eq!(turn.filter().ids, ["act-1".into(), "act-2".into()]);
    assert!(matches!(turn.asked[0].1, Question::Actions(_)));
    assert!(matches!(hand.phase(1), Phase::Accepted(_)));
}

/// Rows of the history have the times of the service's clock; one that is said to be ahead hides nothing.
#[test]
fn what_moved_since_is_asked_by_the_clock_that_is_behind() {
    let since = |ahead: Option<i64>| {
        let mut plan = plan(vec![change(1, Verb::Isolate)]);
        let observed = plan.tenants[0].observed_at;
        plan.tenants[0].service_at =
            ahead.map(|hours| observed + SignedDuration::from_hours(hours));
        let turn = Hand::new(&plan, Options::default()).turn();
        let since = turn.filter().since.unwrap();
        (since + Options::default().overlap).duration_since(observed).as_hours()
    };
    assert_eq!((since(None), since(Some(3)), since(Some(-3))), (0, 0, -3));
}

/// An alert that was set and whose comment cannot be posted is not one that nothing was done to.
#[test]
fn an_alert_that_was_set_and_has_no_comment_has_failed() {
    for answer in [
        Answer::Throttled { retry_at: after(40) },
        Answer::NotSent { why: "down".to_owned() },
        Answer::Refused { status: 403, code: "Forbidden".to_owned(), message: "no".to_owned() },
    ] {
        let options = Options { throttles: 0, failed_reads: 0, ..Options::default() };
        let mut hand = Hand::new(&plan(vec![classify(1)]), options);
        let look = hand.turn().question();
        let patch = hand.show_alert(look, Some(&alert(1))).request();
        let mut set = resolved(1);
        set.comments.clear();
        let comment = hand.answer(patch, Answer::Patched(Box::new(set))).request();
        let mut turn = hand.answer(comment, answer.clone());
        if turn.done.is_none() {
            turn = hand.at(100);
        }
        assert_eq!(turn.only(), (Outcome::Failed, "comment-missing".to_owned()), "{answer:?}");
    }
}
