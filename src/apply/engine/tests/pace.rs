//! How fast, how many at once, and what is waited for.

use jiff::SignedDuration;

use super::fixture::*;
use super::hand::*;
use crate::apply::Options;
use crate::apply::engine::track::Kind;
use crate::apply::journal::Entry;
use crate::apply::step::{Answer, Event, Filter, Lane, Question, Seen, Send, Step, Wait};
use crate::inventory::ActionRow;
use crate::model::{ActionId, ActionStatus, Verb};
use crate::plan::Plan;
use crate::plan::types::{Change, Parameters};

fn isolations(count: usize) -> Vec<Change> {
    (1..=count).map(|n| change(n, Verb::Isolate)).collect()
}

fn one() -> Plan {
    plan(isolations(1))
}

fn by_ids(ids: &[&str]) -> Filter {
    let ids = ids.iter().map(|id| ActionId::from(*id)).collect();
    Filter { ids, ..Filter::default() }
}

fn pending(changes: &[Change]) -> Vec<ActionRow> {
    let rows = (1..).zip(changes);
    rows.map(|(n, change)| row(change, &format!("act-{n}"), ActionStatus::Pending)).collect()
}

/// A run of isolations that the service has all taken.
fn accepted(count: usize, options: Options) -> (Hand, Vec<ActionRow>) {
    let changes = isolations(count);
    let rows = pending(&changes);
    let mut hand = Hand::new(&plan(changes), options);
    let sent = hand.until_sent(&[]).sent;
    for ((ticket, _), row) in sent.iter().zip(&rows) {
        hand.accept(*ticket, row);
    }
    (hand, rows)
}

#[test]
fn few_actions_are_polled_by_id_and_many_by_time() {
    let two = Options { ids_per_call: 2, ..Options::default() };
    let (mut hand, _) = accepted(2, two.clone());
    assert_eq!(*hand.at(5).filter(), by_ids(&["act-1", "act-2"]));
    let (mut hand, _) = accepted(3, two);
    let since = Some(start() - Options::default().overlap);
    assert_eq!(*hand.at(5).filter(), Filter { since, ..Filter::default() });
}

#[test]
fn old_actions_that_are_cancelled_take_turns_with_new_ones() {
    let old = |n: usize| ActionRow {
        comment: "case 7".into(),
        ..row(&change(n, Verb::Isolate), &format!("old-{n}"), ActionStatus::InProgress)
    };
    let story = |isolate: usize, cancel: usize| {
        let mut changes = isolations(isolate);
        changes.extend((1..=cancel).map(|n| change(10 + n, Verb::Cancel)));
        let rows: Vec<ActionRow> = (1..=cancel).map(|n| old(10 + n)).collect();
        let mut all = pending(&changes[..isolate]);
        let options = Options { ids_per_call: 2, ..Options::default() };
        let mut hand = Hand::new(&plan(changes), options);
        let sent = hand.until_sent(&rows).sent;
        all.extend(rows);
        assert_eq!(sent.len(), all.len());
        for ((ticket, _), row) in sent.iter().zip(&all) {
            hand.accept(*ticket, row);
        }
        (hand, all)
    };
    let (mut hand, all) = story(2, 2);
    for (at, ids) in [
        (5, ["act-1", "act-2"]),
        (10, ["old-11", "old-12"]),
        (15, ["act-1", "act-2"]),
        (20, ["old-11", "old-12"]),
    ] {
        let turn = hand.at(at);
        assert_eq!(*turn.filter(), by_ids(&ids), "after {at} s");
        hand.show(turn.question(), &all);
    }
    // As many as one call can name need no turns.
    let (mut hand, _) = story(1, 1);
    assert_eq!(*hand.at(5).filter(), by_ids(&["act-1", "old-11"]));
}

#[test]
fn alerts_are_read_ahead_for_two_rounds_of_requests() {
    let mut hand = Hand::new(&plan((1..=20).map(classify).collect()), Options::default());
    let turn = hand.turn();
    assert_eq!(turn.asked.len(), 16);
    assert!(turn.asked.iter().all(|(_, question)| matches!(question, Question::Alert(_))));
}

#[test]
fn polls_are_seldom_while_there_is_more_to_send() {
    // One is sent, the other waits for the budget unread: polls are four times the shortest pause.
    let changes = isolations(2);
    let rows = pending(&changes);
    let mut hand = Hand::new(&plan(changes), Options::default());
    hand.pace(Lane::Action, 0, 1);
    let ticket = hand.until_sent(&[]).request();
    hand.accept(ticket, &rows[0]);
    let poll = hand.at(5).question();
    assert_eq!(hand.show(poll, &rows[..1]).wait, Some((25, Wait::Devices)));
    // The same when it has been read and waits.
    let options = Options { concurrency: 1, ..Options::default() };
    let mut hand = Hand::new(&plan(isolations(2)), options);
    let ticket = hand.until_sent(&[]).request();
    hand.pace(Lane::Action, 50, 5);
    hand.accept(ticket, &rows[0]);
    let poll = hand.at(5).question();
    assert_eq!(hand.show(poll, &rows[..1]).wait, Some((25, Wait::Devices)));
    // And when nothing is left to send, the shortest.
    let (mut hand, rows) = accepted(1, Options::default());
    let poll = hand.at(5).question();
    assert_eq!(hand.show(poll, &rows).wait, Some((10, Wait::Devices)));
}

#[test]
fn a_reading_is_fresh_for_a_minute_and_no_longer() {
    for (at, sent, asked) in [(60, 1, 0), (61, 0, 1)] {
        let mut hand = Hand::new(&one(), Options::default());
        let look = hand.turn().question();
        hand.pace(Lane::Action, at, 5);
        let turn = hand.show(look, &[]);
        assert_eq!((turn.is_idle(), turn.wait), (true, Some((at, Wait::Budget))));
        let turn = hand.at(at);
        assert_eq!((turn.sent.len(), turn.asked.len()), (sent, asked), "after {at} s");
    }
}

#[test]
fn a_budget_is_spent_without_being_told_again() {
    let mut hand = Hand::new(&plan(isolations(5)), Options::default());
    hand.pace(Lane::Action, 0, 2);
    // What cannot leave yet is not read yet: in a minute its reading would be a minute old.
    let look = hand.turn().question();
    let turn = hand.show(look, &[]);
    assert_eq!((turn.sent.len(), turn.asked.len()), (2, 0));
    assert_eq!(turn.wait, Some((60, Wait::Budget)));
}

#[test]
fn each_kind_of_request_has_a_budget_of_its_own() {
    let old = ActionRow {
        comment: "case 7".into(),
        ..row(&change(2, Verb::Isolate), "old-2", ActionStatus::Pending)
    };
    let changes = vec![change(1, Verb::Isolate), change(2, Verb::Cancel), classify(3)];
    for (lane, free) in [(Lane::Action, [1, 2]), (Lane::Cancel, [0, 2]), (Lane::Alert, [0, 1])] {
        let mut hand = Hand::new(&plan(changes.clone()), Options::default());
        hand.pace(lane, 3_600, 0);
        let turn = hand.turn();
        for (ticket, question) in &turn.asked {
            let seen = match question {
                Question::Actions(_) => Seen::Actions(vec![old.clone()]),
                Question::Alert(_) => Seen::Alert(Some(Box::new(alert(3)))),
            };
            hand.tell(Event::Read(*ticket, Ok(seen)));
        }
        hand.turn();
        let sent: Vec<usize> = (0..3).filter(|index| hand.track(*index).sent).collect();
        assert_eq!(sent, free, "{lane:?}");
    }
}

#[test]
fn a_throttled_lane_waits_as_a_whole() {
    let options = Options { concurrency: 1, ..Options::default() };
    let mut hand = Hand::new(&plan(isolations(2)), options);
    let ticket = hand.until_sent(&[]).request();
    let turn = hand.answer(ticket, Answer::Throttled { retry_at: after(40) });
    assert_eq!((turn.is_idle(), turn.wait), (true, Some((40, Wait::Budget))));
    // It is the budget, too, that the last of them waits for, and no start of its own.
    let mut hand = Hand::new(&one(), Options::default());
    let ticket = hand.until_sent(&[]).request();
    let turn = hand.answer(ticket, Answer::Throttled { retry_at: after(40) });
    assert_eq!((turn.is_idle(), turn.wait), (true, Some((40, Wait::Budget))));
}

#[test]
fn no_more_than_so_many_are_on_their_way() {
    let options = Options { concurrency: 2, ..Options::default() };
    let mut hand = Hand::new(&plan(isolations(5)), options);
    let look = hand.turn().question();
    hand.tell(Event::Read(look, Ok(Seen::Actions(Vec::new()))));
    let Step::Record(ticket, entries) = hand.engine.poll(hand.now) else { panic!("no record") };
    let intents = entries.iter().filter(|entry| matches!(entry, Entry::Intent { .. })).count();
    assert_eq!(intents, 2);
    // While they are being written no more are taken up.
    let step = hand.engine.poll(hand.now);
    assert!(matches!(step, Step::WaitUntil(..)), "{step:?}");
    assert_eq!(hand.engine.tracks.count(Kind::Recording), 2);
    hand.tell(Event::Recorded(ticket));
    assert_eq!(hand.turn().sent.len(), 2);
}

#[test]
fn a_run_waits_for_what_comes_first() {
    let changes = isolations(2);
    let rows = pending(&changes);
    let mut hand = Hand::new(&plan(changes), Options::default());
    let turn = hand.until_sent(&[]);
    assert_eq!(turn.wait, Some((600, Wait::Answers)));
    let turn = hand.accept(turn.sent[0].0, &rows[0]);
    assert_eq!(turn.wait, Some((5, Wait::Devices)));
    let mut later = change(1, Verb::Scan);
    later.parameters.not_before = Some(after(7_200));
    let mut hand = Hand::new(&plan(vec![later]), Options::default());
    assert_eq!(hand.turn().wait, Some((7_200, Wait::Spread)));
}

#[test]
fn what_is_never_answered_counts_as_lost() {
    let mut hand = Hand::new(&one(), Options::default());
    let look = hand.turn();
    assert_eq!(look.wait, Some((600, Wait::Answers)));
    assert!(hand.at(599).is_idle());
    let turn = hand.at(600);
    assert_eq!((turn.is_idle(), turn.wait), (true, Some((602, Wait::Retry))));

    let mut hand = Hand::new(&one(), Options::default());
    hand.until_sent(&[]);
    hand.at(599);
    assert_eq!(hand.phase(0).kind(), Kind::Sent);
    let turn = hand.at(600);
    assert_eq!((turn.is_idle(), turn.wait), (true, Some((602, Wait::Settling))));
    assert_eq!(hand.noted().len(), 1);
}

#[test]
fn pauses_after_failed_reads_double_until_one_succeeds() {
    let mut hand = Hand::new(&one(), Options::default());
    let mut turn = hand.turn();
    for next in [2, 6, 14, 30, 62, 122] {
        turn = hand.fail(turn.question());
        assert_eq!((turn.is_idle(), turn.wait), (true, Some((next, Wait::Retry))));
        assert!(hand.at(next - 1).is_idle());
        turn = hand.at(next);
    }
    let ticket = hand.show(turn.question(), &[]).request();
    hand.accept(ticket, &row(&change(1, Verb::Isolate), "act-1", ActionStatus::Pending));
    // One success, and the count begins anew: two seconds, less than the pause between polls.
    let poll = hand.at(127).question();
    assert_eq!(hand.fail(poll).wait, Some((132, Wait::Devices)));
}

#[test]
fn a_start_may_lie_as_far_ahead_as_the_run_waits() {
    let day = SignedDuration::from_hours(24);
    for (beyond, kind) in [(0, Kind::Idle), (1, Kind::Ended)] {
        let mut later = change(1, Verb::Scan);
        later.parameters.not_before = Some(start() + day + SignedDuration::from_secs(beyond));
        let hand = Hand::new(&plan(vec![later]), Options::default());
        assert_eq!(hand.phase(0).kind(), kind);
    }
}

#[test]
fn a_comment_alone_waits_for_the_budget_of_alerts() {
    let mut only_comment = classify(1);
    let comment = only_comment.parameters.comment.take();
    only_comment.parameters = Parameters { comment, ..Parameters::default() };
    let mut hand = Hand::new(&plan(vec![only_comment]), Options::default());
    hand.pace(Lane::Alert, 30, 5);
    assert_eq!(hand.turn().wait, Some((30, Wait::Budget)));
    let look = hand.at(30).question();
    let turn = hand.show_alert(look, Some(&alert(1)));
    assert!(matches!(turn.sent[..], [(_, Send::Comment { .. })]), "{turn:?}");
}
