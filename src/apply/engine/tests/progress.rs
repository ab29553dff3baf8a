//! Where a run is: the numbers of a progress line, and where its rollouts are.

use jiff::Timestamp;

use super::fixture::*;
use super::hand::*;
use crate::apply::journal::{Entry, Noted, Part};
use crate::apply::outcome::{CourseState, Ended, Outcome, Progress};
use crate::apply::{Lane, Options};
use crate::model::{ActionStatus, ChangeId, Verb};
use crate::plan::Plan;
use crate::plan::types::{Change, Reason, Rollout};

fn isolations(count: usize) -> Vec<Change> {
    (1..=count).map(|n| change(n, Verb::Isolate)).collect()
}

fn ended(change: &Change, outcome: Outcome) -> Entry {
    Entry::Outcome { change: change.id.clone(), ended: Ended::plain(outcome) }
}

fn intent(change: &ChangeId) -> Entry {
    Entry::Intent { change: change.clone(), part: Part::Action, attempt: 1 }
}

fn taken(change: &ChangeId) -> [Entry; 2] {
    let answer = Noted::Accepted { action: Some("a".into()) };
    [intent(change), Entry::Answer { change: change.clone(), part: Part::Action, answer }]
}

/// The progress of a run that is taken up after these entries.
fn after_entries(plan: &Plan, entries: Vec<(i64, Entry)>, now: Timestamp) -> Progress {
    Hand::resumed(plan, Options::default(), &journal(plan, entries)).engine.progress(now)
}

#[test]
fn every_change_is_counted_where_it_is() {
    let plan = plan(isolations(8));
    let of = |n: usize| &plan.changes[n];
    let mut entries = vec![
        ended(of(0), Outcome::Done),
        ended(of(1), Outcome::AlreadySo),
        ended(of(2), Outcome::Failed),
        ended(of(3), Outcome::Moved),
        ended(of(4), Outcome::PendingOffline),
        intent(&of(5).id),
    ];
    entries.extend(taken(&of(6).id));
    let entries = entries.into_iter().map(|entry| (10, entry)).collect();
    let found = after_entries(&plan, entries, start());
    let expected = Progress {
        total: 8,
        sent: 2,
        accepted: 1,
        pending: 1,
        succeeded: 2,
        failed: 1,
        offline: 1,
        left: 1,
        waiting: 1,
        eta: Some(after(60)),
        ..Progress::default()
    };
    assert_eq!(found, expected);
}

#[test]
fn what_is_only_waited_for_takes_its_time_too() {
    let plan = plan(isolations(1));
    let entries = taken(&plan.changes[0].id).map(|entry| (10, entry)).to_vec();
    assert_eq!(after_entries(&plan, entries, after(20)).eta, Some(after(80)));
    let entries = vec![(10, ended(&plan.changes[0], Outcome::Done))];
    assert_eq!(after_entries(&plan, entries, after(20)).eta, Some(after(20)));
}

/// A device that does not answer within a minute is waited for until the bound, and it is said so.
#[test]
fn what_does_not_answer_is_told_by_what_is_left_of_the_wait() {
    let options = Options::default();
    let wait = options.wait_for(Verb::Isolate).as_secs();
    let one = plan(isolations(1));
    let entries = |plan: &Plan| taken(&plan.changes[0].id).map(|entry| (10, entry)).to_vec();
    let told = |plan: &Plan, seconds| {
        let Progress { eta, at_most, .. } = after_entries(plan, entries(plan), after(seconds));
        (eta.unwrap().duration_since(start()).as_secs() - seconds, at_most)
    };
    assert_eq!(told(&one, 70), (60, false));
    let left = told(&one, 71);
    assert!(left.1 && (wait - 71..=wait).contains(&left.0), "{left:?}");
    assert_eq!(told(&one, 371), (left.0 - 300, true));
    // What is still to be sent may take as long again.
    assert_eq!(told(&plan(isolations(2)), 371), (left.0 - 300 + 60, false));
}

#[test]
fn a_change_that_is_sent_is_counted_once() {
    let isolate = change(1, Verb::Isolate);
    let mut hand = Hand::new(&plan(vec![isolate.clone()]), Options::default());
    hand.pace(Lane::Action, 0, 100);
    let sent = |hand: &Hand| hand.engine.progress(hand.now).sent;
    assert_eq!(sent(&hand), 0);
    let ticket = hand.until_sent(&[]).request();
    assert_eq!((sent(&hand), hand.engine.progress(hand.now).budget_left), (1, Some(99)));
    hand.accept(ticket, &row(&isolate, "act-1", ActionStatus::Pending));
    assert_eq!(sent(&hand), 1);
}

/// Three devices in three waves with a bake of 900 s, and a rollout that has only one wave.
fn rolled_out() -> Plan {
    let mut plan = staged(isolations(3), vec![wave(1); 3], 900);
    let policy = "IsolationSet/one".to_owned();
    plan.changes.push(Change { rollout: Some(policy.clone()), ..change(9, Verb::Isolate) });
    plan.rollouts.push(Rollout { policy, waves: vec![wave(1)], ..plan.rollouts[0].clone() });
    plan
}

fn told(plan: &Plan, wave: u32, began: bool) -> Entry {
    let (tenant, policy) = ("contoso".to_owned(), plan.rollouts[0].policy.clone());
    if began {
        Entry::WaveBegun { tenant, policy, wave }
    } else {
        Entry::WaveEnded { tenant, policy, wave, failures: 0, offline: 0 }
    }
}

#[test]
fn rollouts_are_told_with_their_waves() {
    let plan = rolled_out();
    let done = |n: usize| (100, ended(&plan.changes[n], Outcome::Done));
    let [sent, answer] = taken(&plan.changes[0].id);
    let end = |wave| (100, told(&plan, wave, false));
    let begin = |wave| (100, told(&plan, wave, true));
    let halt = Entry::RolloutHalted {
        tenant: "contoso".to_owned(),
        policy: plan.rollouts[0].policy.clone(),
        wave: 1,
        reason: Reason::new("rollout-halted"),
    };
    let baking = CourseState::Baking(after(1_000));
    let last = vec![done(0), end(1), begin(2), done(1), end(2), begin(3)];
    // With the bakes that are left, and a minute for what is to be sent.
    for (entries, wave, state, eta) in [
        (vec![], 1, CourseState::Running, 1_800 + 60),
        (vec![done(0), end(1)], 1, baking, 600 + 900 + 60),
        (vec![done(0), end(1), begin(2)], 2, CourseState::Running, 900 + 60),
        (last.clone(), 3, CourseState::Running, 60),
        ([&last[..], &[done(2), end(3)]].concat(), 3, CourseState::Ended, 60),
        (vec![done(0), (100, halt)], 1, CourseState::Halted, 60),
        // Given up, and waited for once more since the run was resumed: nothing bakes meanwhile.
        // It took longer than devices do, and what is left of its wait comes first.
        (vec![(90, sent), (90, answer), end(1)], 1, CourseState::Running, 1_490 + 1_800 + 60),
    ] {
        let found = after_entries(&plan, entries, after(400));
        assert_eq!(found.courses.len(), 1, "one wave is no rollout to tell of");
        let course = &found.courses[0];
        assert_eq!((&*course.name, course.wave, course.waves), ("ir-7781", wave, 3));
        assert_eq!((course.state, found.eta), (state, Some(after(400 + eta))), "{course:?}");
    }
}
