//! Brakes: a freeze window that opens during a run, a run that goes on and may send nothing more, one
//! that only settles.

use std::sync::Arc;

use super::fixture::*;
use super::halts::strict;
use super::hand::{Hand, row};
use super::world::*;
use crate::apply::journal::decode;
use crate::apply::outcome::Outcome;
use crate::apply::step::{Answer, Event, Lane, Seen, Send, Step, Ticket, Wait};
use crate::apply::{Options, Summary};
use crate::inventory::AlertRow;
use crate::model::{
    ActionStatus, AlertStatus, Classification, Determination, DeviceId, Span, Verb,
};
use crate::plan::Plan;
use crate::plan::sending::Sending;
use crate::plan::types::{Change, Reason};
use crate::policy::schedule::Cron;
use crate::policy::workspace::Freeze;

/// Seconds from the start at which the window opens.
const OPENS: i64 = 300;

/// A window from five minutes after the start, for an hour.
fn window(verbs: &[Verb]) -> Sending {
    Sending::within(vec![Freeze {
        name: Arc::from("closing"),
        cron: Cron::parse("7 10 * * *").unwrap(),
        zone: jiff::tz::TimeZone::UTC,
        window: Span::from_hours(1),
        verbs: verbs.iter().copied().collect(),
    }])
}

fn isolate(count: usize) -> Vec<Change> {
    (1..=count).map(|n| change(n, Verb::Isolate)).collect()
}

fn run(runner: &mut Runner, plan: &Plan) -> Summary {
    let summary = runner.run(plan, &Options::default(), usize::MAX, 0).unwrap();
    assert_eq!(summary.counts.values().sum::<u32>(), summary.total);
    assert!(twice(&runner.world).is_empty());
    summary
}

/// Changes that ended without an attempt, by the code of the reason.
fn withheld(summary: &Summary, code: &str) -> usize {
    let ended = summary.outcomes.values().filter(|it| it.outcome == Outcome::NotAttempted);
    ended.filter(|it| it.reason.as_ref().is_some_and(|reason| reason.code == code)).count()
}

#[test]
fn a_window_that_opens_stops_what_it_holds_and_nothing_else() {
    let mut changes = isolate(3);
    // Its turn comes when the window has been open for a while.
    let mut later = change(9, Verb::Release);
    later.parameters.not_before = Some(after(OPENS + 600));
    changes.push(later);
    let plan = staged(changes, vec![wave(1), wave(1), wave(1)], 600);
    let mut runner = Runner { sending: window(&[]), ..Runner::new(World::new()) };
    let summary = run(&mut runner, &plan);
    assert_eq!(summary.count(Outcome::Done), 2, "{summary:#?}");
    assert_eq!(withheld(&summary, "freeze-window"), 2);
    assert!(summary.stopped.is_none() && !summary.is_complete());
    let late = |(at, _): &&(jiff::Timestamp, Send)| *at >= after(OPENS);
    let late: Vec<_> = runner.world.requests.iter().filter(late).collect();
    assert!(matches!(&late[..], [(_, Send::Release { .. })]), "{late:?}");

    // A run that is left with nothing to do ends when the window opens, not when its bake ends.
    let plan = staged(isolate(2), vec![wave(1), wave(1)], 86_400);
    let mut runner = Runner { sending: window(&[]), ..Runner::new(World::new()) };
    assert_eq!(withheld(&run(&mut runner, &plan), "freeze-window"), 1);
    assert!(runner.waits.contains(&Wait::Window));
    assert!((after(OPENS)..after(OPENS + 5)).contains(&runner.world.now));

    // A window for other verbs changes nothing.
    let plan = staged(isolate(2), vec![wave(1), wave(1)], 600);
    let mut runner = Runner { sending: window(&[Verb::Scan]), ..Runner::new(World::new()) };
    assert_eq!(run(&mut runner, &plan).count(Outcome::Done), 2);
}

#[test]
fn what_was_sent_before_the_window_is_settled_in_it() {
    let plan = plan(isolate(40));
    let mut world = World::new();
    world.slow = 900;
    // Answers take so long that the window opens between two of them; some requests are lost.
    world.faults.extend([Fault::LostBefore, Fault::LostAfter(40), Fault::Throttle(60)]);
    let mut runner = Runner { sending: window(&[]), ..Runner::new(world) };
    runner.delays.extend(std::iter::repeat_n(40, 200));
    let summary = run(&mut runner, &plan);
    let sent = runner.world.actions.len();
    assert!((9..40).contains(&sent), "{sent}");
    assert_eq!(usize::try_from(summary.count(Outcome::Done)).unwrap(), sent);
    assert_eq!(withheld(&summary, "freeze-window"), 40 - sent);
    assert!(runner.world.requests.iter().all(|(at, _)| *at < after(OPENS)));
}

/// A run that is killed after so many steps, or nothing when it ends before.
fn killed(plan: &Plan, steps: usize) -> Option<Runner> {
    let mut world = World::new();
    for n in 1..=plan.changes.len() {
        world.alerts.insert(alert(n).id, alert(n));
    }
    world.faults.extend([Fault::Fine, Fault::LostAfter(3), Fault::LostBefore]);
    let mut runner = Runner::new(world);
    let ended = runner.run(plan, &Options::default(), steps, 25).is_some();
    (!ended).then_some(runner)
}

fn mixed() -> Plan {
    let mut changes = isolate(3);
    changes.extend([classify(4), classify(5)]);
    staged(changes, vec![wave(2), wave(1)], 60)
}

#[test]
fn a_run_that_may_send_nothing_more_settles_what_it_sent_wherever_it_was_killed() {
    let plan = mixed();
    let mut lives = 0;
    for steps in 1.. {
        let Some(mut runner) = killed(&plan, steps) else { break };
        lives += 1;
        let before = runner.world.requests.len();
        let verdicts = |runner: &Runner| {
            let patches = runner.world.requests.iter();
            patches.filter(|(_, send)| matches!(send, Send::Patch { .. })).count()
        };
        let set = verdicts(&runner);
        runner.sending = Sending::nothing(Reason::new("stale"));
        let summary = run(&mut runner, &plan);
        // Only an alert whose verdict was set still gets the comment that tells whose it is.
        let comment = |send: &Send| matches!(send, Send::Comment { .. });
        let late = &runner.world.requests[before..];
        assert!(late.iter().all(|(_, send)| comment(send)), "{steps}: {late:?}");
        assert_eq!(verdicts(&runner), set);
        let done = usize::try_from(summary.count(Outcome::Done)).unwrap();
        assert_eq!(done + withheld(&summary, "stale"), 5, "{steps}: {summary:#?}");
        assert!(summary.stopped.is_none());
        assert!(said_twice(&runner.world).is_empty());
        // It is over: a later life adds nothing.
        let (journal, sent) = (runner.journal.clone(), runner.world.requests.len());
        runner.sending = Sending::default();
        assert_eq!(run(&mut runner, &plan), summary);
        assert_eq!((runner.journal.len(), runner.world.requests.len()), (journal.len(), sent));
    }
    assert!(lives > 20, "{lives}");
}

#[test]
fn a_run_without_room_sends_nothing_more_and_its_journal_says_why() {
    let plan = mixed();
    let mut lives = 0;
    for steps in 1.. {
        let Some(mut runner) = killed(&plan, steps) else { break };
        lives += 1;
        let asked = |runner: &Runner, change: &Change| {
            let requests = runner.world.requests.iter();
            let device = DeviceId::parse(&change.target.id);
            requests
                .filter(|(_, send)| matches!(send, Send::Isolate { device: d, .. } if *d == device))
                .count()
        };
        let isolations: Vec<&Change> =
            plan.changes.iter().filter(|it| it.verb == Verb::Isolate).collect();
        let before: Vec<usize> = isolations.iter().map(|change| asked(&runner, change)).collect();
        runner.crowded = Some(Reason::new("crowded"));
        let summary = run(&mut runner, &plan);
        for (change, before) in isolations.iter().zip(before) {
            assert_eq!(asked(&runner, change), before, "{steps}");
            // What nobody has asked for is ahead; what is ahead has no answer.
            let ahead = runner.ahead.contains(&change.id);
            assert!(ahead || before > 0, "{steps}: {change:?}");
            let ended = &summary.outcomes[&change.id];
            assert!(ahead || ended.reason.as_ref().is_none_or(|it| it.code != "crowded"));
        }
        assert!(
            plan.changes
                .iter()
                .all(|it| it.verb == Verb::Isolate || !runner.ahead.contains(&it.id))
        );
        let done = usize::try_from(summary.count(Outcome::Done)).unwrap();
        assert_eq!(done + withheld(&summary, "crowded"), 5, "{steps}: {summary:#?}");
        let read = decode(&runner.journal).unwrap();
        let said = crate::apply::past::begun(&read.entries).withheld.map(|reason| reason.code);
        let resumed = runner.words().iter().any(|word| word == "resumed");
        assert_eq!(said.as_deref(), resumed.then_some("crowded"), "{steps}");
    }
    assert!(lives > 20, "{lives}");
}

#[test]
fn a_run_that_only_settles_sends_nothing_and_goes_on_later() {
    let plan = mixed();
    for steps in 1.. {
        let Some(mut runner) = killed(&plan, steps) else { break };
        let before = runner.world.requests.len();
        runner.settles = true;
        let summary = run(&mut runner, &plan);
        assert_eq!(runner.world.requests.len(), before, "{steps}");
        let code = summary.stopped.as_ref().map(|reason| reason.code.as_str());
        assert!(code == Some("frozen") || summary.is_complete(), "{steps}: {summary:#?}");
        // Nothing that was sent is left in the dark.
        assert_eq!(summary.count(Outcome::Failed), 0, "{steps}: {summary:#?}");
        assert_eq!(summary.count(Outcome::PendingOffline), 0, "{steps}: {summary:#?}");
        runner.settles = false;
        assert!(run(&mut runner, &plan).is_complete(), "{steps}");
        assert!(said_twice(&runner.world).is_empty());
    }
}

#[test]
fn an_alert_whose_verdict_was_set_before_the_window_gets_its_comment_in_it() {
    // The answer to the verdict comes when the window has opened.
    for (answers, sent) in [(vec![0, 400], 2), (vec![], 2)] {
        let mut world = World::new();
        world.alerts.insert(alert(1).id, alert(1));
        let mut runner = Runner { sending: window(&[]), ..Runner::new(world) };
        runner.delays.extend(&answers);
        let summary = run(&mut runner, &plan(vec![classify(1)]));
        assert_eq!(summary.count(Outcome::Done), 1, "{answers:?} {summary:#?}");
        let requests = &runner.world.requests;
        assert_eq!(requests.len(), sent, "{requests:?}");
        let (at, comment) = requests.last().unwrap();
        assert!(matches!(comment, Send::Comment { .. }), "{comment:?}");
        assert_eq!(*at >= after(OPENS), !answers.is_empty());
    }
    // One that is only commented on has not begun.
    let mut only = classify(1);
    only.parameters = crate::plan::types::Parameters {
        comment: only.parameters.comment.take(),
        ..Default::default()
    };
    let mut world = World::new();
    world.alerts.insert(alert(1).id, alert(1));
    let mut runner =
        Runner { sending: Sending::nothing(Reason::new("stale")), ..Runner::new(world) };
    let summary = run(&mut runner, &plan(vec![only]));
    assert_eq!((withheld(&summary, "stale"), runner.world.requests.len()), (1, 0));
}

/// The next request, and until when it may leave, in seconds from the start.
fn leaves(hand: &mut Hand) -> (Ticket, Send, i64) {
    match hand.step() {
        Step::Submit { ticket, send, leave_by, .. } => {
            (ticket, send, leave_by.duration_since(start()).as_secs())
        }
        step => panic!("nothing is sent: {step:?}"),
    }
}

#[test]
fn a_request_that_waits_leaves_neither_into_a_window_nor_on_an_old_reading() {
    let age = Options::default().reading_age.as_secs();
    let until = |verbs: &[Verb], from: i64| {
        let plan = plan(isolate(1));
        let mut hand = Hand::within(&plan, &window(verbs));
        hand.now = after(from);
        let look = hand.turn().question();
        hand.tell(Event::Read(look, Ok(Seen::Actions(Vec::new()))));
        leaves(&mut hand).2
    };
    assert_eq!(until(&[], 0), age);
    assert_eq!(until(&[], OPENS - 20), OPENS);
    // It is not held by this one.
    assert_eq!(until(&[Verb::Scan], OPENS - 20), OPENS - 20 + age);
}

#[test]
fn what_finishes_a_change_may_leave_in_a_window() {
    let age = Options::default().reading_age.as_secs();
    let mut hand = Hand::within(&plan(vec![classify(1)]), &window(&[]));
    hand.now = after(OPENS - 20);
    let look = hand.turn().question();
    hand.tell(Event::Read(look, Ok(Seen::Alert(Some(Box::new(alert(1)))))));
    let (verdict, _, by) = leaves(&mut hand);
    assert_eq!(by, OPENS);
    let set = AlertRow {
        status: AlertStatus::Resolved,
        classification: Classification::InformationalExpectedActivity,
        determination: Determination::SecurityTesting,
        ..alert(1)
    };
    hand.tell(Event::Answered(verdict, Answer::Patched(Box::new(set))));
    let (_, comment, by) = leaves(&mut hand);
    assert!(matches!(comment, Send::Comment { .. }), "{comment:?}");
    assert_eq!(by, OPENS - 20 + age);
}

#[test]
fn a_window_does_not_keep_a_stopped_rollout_from_cancelling() {
    let changes = isolate(2);
    let taken = row(&changes[1], "act-2", ActionStatus::Pending);
    let mut hand = Hand::within(&staged(changes, vec![strict(2)], 0), &window(&[]));
    hand.now = after(OPENS - 20);
    let turn = hand.until_sent(&[]);
    let [(one, _), (two, _)] = turn.sent[..] else { panic!("{turn:?}") };
    hand.pace(Lane::Cancel, OPENS + 5, 0);
    assert!(hand.refuse(one, 403).is_idle());
    assert!(hand.accept(two, &taken).is_idle());
    // The window opens while the cancel waits for a place.
    assert!(hand.at(OPENS).is_idle());
    hand.now = after(OPENS + 5);
    hand.pace(Lane::Cancel, OPENS + 5, 1);
    let look = hand.turn().question();
    hand.tell(Event::Read(look, Ok(Seen::Actions(vec![taken.clone()]))));
    let (_, cancel, by) = leaves(&mut hand);
    assert!(matches!(&cancel, Send::Cancel { action, .. } if *action == taken.id), "{cancel:?}");
    assert!(by > OPENS + 5);
}

#[test]
fn a_run_that_only_settles_waits_until_what_came_out_is_confirmed() {
    let plan = plan(isolate(1));
    let mut hand = Hand::new(&plan, Options::default());
    let sent = hand.until_sent(&[]).request();
    let succeeded = row(&plan.changes[0], "act-1", ActionStatus::Succeeded);
    hand.engine.settle_only(Reason::new("frozen"));
    let turn = hand.accept(sent, &succeeded);
    // The look at the end fails; it is tried again before the run says that it has stopped.
    let turn = hand.fail(turn.question());
    assert!(turn.is_idle() && turn.done.is_none(), "{turn:?}");
    let (again, _) = turn.wait.unwrap();
    let look = hand.at(again).question();
    let turn = hand.show(look, &[succeeded]);
    assert_eq!(turn.done.unwrap().count(Outcome::Done), 1);
}
