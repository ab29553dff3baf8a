//! One story each: what is sent, what is recorded, how it ends.

use jiff::SignedDuration;

use super::fixture::*;
use super::world::*;
use crate::apply::outcome::Outcome;
use crate::apply::step::{Event, Lane, Send, Step};
use crate::apply::{Engine, Options, Summary};
use crate::model::{ActionKind, ActionStatus, AlertStatus, ChangeId, Isolation, Verb};
use crate::plan::Plan;
use crate::plan::sending::Sending;
use crate::plan::types::Change;

pub(super) fn run(world: World, changes: Vec<Change>) -> (Summary, Runner) {
    run_with(world, &plan(changes), &Options::default())
}

pub(super) fn run_with(world: World, plan: &Plan, options: &Options) -> (Summary, Runner) {
    let mut runner = Runner::new(world);
    let summary = runner.run(plan, options, usize::MAX, 0).unwrap();
    assert_eq!(summary.counts.values().sum::<u32>(), summary.total);
    assert_eq!(usize::try_from(summary.total).unwrap(), plan.changes.len());
    assert!(twice(&runner.world).is_empty());
    assert!(said_twice(&runner.world).is_empty());
    (summary, runner)
}

/// How the only change ended: outcome and the reason's code.
pub(super) fn only(summary: &Summary) -> (Outcome, String) {
    let ended = summary.outcomes.values().next().unwrap();
    let code = ended.reason.as_ref().map(|reason| reason.code.clone());
    (ended.outcome, code.unwrap_or_default())
}

pub(super) fn fault(fault: Fault) -> World {
    let mut world = World::new();
    world.faults.push_back(fault);
    world
}

#[test]
fn a_change_is_read_recorded_sent_waited_for_and_confirmed() {
    let (summary, runner) = run(World::new(), vec![change(1, Verb::Isolate)]);
    assert_eq!(only(&summary), (Outcome::Done, String::new()));
    assert!(summary.is_complete());
    let ended = summary.outcomes.values().next().unwrap();
    assert_eq!(ended.action, Some("act-1".into()));
    assert_eq!(
        runner.words(),
        ["started", "intent", "answer", "state", "outcome", "verification", "finished"]
    );
    let (at, send) = &runner.world.requests[0];
    assert_eq!(*at, start());
    assert!(matches!(send, Send::Isolate { comment, .. } if comment.contains("[palisade ")));
}

#[test]
fn every_verb_reaches_its_end() {
    let verbs = [Verb::Isolate, Verb::Release, Verb::Restrict, Verb::Unrestrict, Verb::Scan];
    let mut changes: Vec<Change> = verbs.iter().map(|verb| change(1, *verb)).collect();
    changes[1].target.id = device(2).to_string();
    changes[3].target.id = device(2).to_string();
    let (summary, runner) = run(World::new(), changes);
    assert_eq!(summary.count(Outcome::Done), 5, "{summary:?}");
    assert_eq!(runner.world.requests.len(), 5);
}

#[test]
fn what_moved_since_the_plan_is_left_alone() {
    let d = device(1);
    for (kind, status, outcome, code) in [
        (ActionKind::Unisolate, ActionStatus::Pending, Outcome::Moved, "action-in-flight"),
        (ActionKind::Unisolate, ActionStatus::Succeeded, Outcome::Moved, "changed-since-plan"),
        (ActionKind::Isolate, ActionStatus::Failed, Outcome::Moved, "tried-since"),
        (ActionKind::Isolate, ActionStatus::Succeeded, Outcome::AlreadySo, "placed-since"),
    ] {
        let mut world = World::new();
        world.act(&d, kind, status, "ada@contoso.example", "case 7");
        let (summary, runner) = run(world, vec![change(1, Verb::Isolate)]);
        assert_eq!(only(&summary), (outcome, code.to_owned()));
        assert!(runner.world.requests.is_empty());
    }
    // Another facet, another device, and what the plan has seen itself do not count.
    let mut world = World::new();
    world.act(&d, ActionKind::RunAntiVirusScan, ActionStatus::Pending, "ada", "");
    world.act(&device(2), ActionKind::Isolate, ActionStatus::Pending, "ada", "");
    let seen = world.act(&d, ActionKind::Unisolate, ActionStatus::Succeeded, "ada", "");
    let mut isolate = change(1, Verb::Isolate);
    isolate.expects.evidence = Some(seen.to_string());
    let (summary, _) = run(world, vec![isolate]);
    assert_eq!(only(&summary).0, Outcome::Done);
}

#[test]
fn an_action_of_a_run_whose_journal_is_gone_is_taken_over() {
    let isolate = change(1, Verb::Isolate);
    let text = isolate.parameters.comment.clone().unwrap();
    let mut world = World::new();
    world.act(&device(1), ActionKind::Isolate, ActionStatus::Pending, "palisade", &text);
    let (summary, runner) = run(world, vec![isolate.clone()]);
    assert_eq!(only(&summary).0, Outcome::Done);
    assert!(runner.world.requests.is_empty());

    let mut world = World::new();
    world.act(&device(1), ActionKind::Isolate, ActionStatus::Succeeded, "palisade", &text);
    let (summary, _) = run(world, vec![isolate]);
    assert_eq!(only(&summary), (Outcome::AlreadySo, "applied-before".to_owned()));
}

#[test]
fn a_lost_answer_is_looked_for_and_found() {
    for delay in [0, 1, 9, 29] {
        let (summary, runner) = run(fault(Fault::LostAfter(delay)), vec![change(1, Verb::Isolate)]);
        assert_eq!(only(&summary).0, Outcome::Done);
        assert_eq!(runner.world.requests.len(), 1, "delay {delay}");
        assert!(runner.words().contains(&"looked".to_owned()));
    }
    let (summary, runner) = run(fault(Fault::Mute), vec![change(1, Verb::Isolate)]);
    assert_eq!((only(&summary).0, runner.world.requests.len()), (Outcome::Done, 1));
}

#[test]
fn a_request_that_did_not_arrive_is_sent_again_after_the_settling_time() {
    let (summary, runner) = run(fault(Fault::LostBefore), vec![change(1, Verb::Isolate)]);
    assert_eq!(only(&summary).0, Outcome::Done);
    let times: Vec<_> = runner.world.requests.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [start(), after(30)]);
}

#[test]
fn a_request_that_never_arrives_is_given_up() {
    let mut world = World::new();
    world.faults.extend(std::iter::repeat_n(Fault::LostBefore, 50));
    let (summary, runner) = run(world, vec![change(1, Verb::Isolate)]);
    assert_eq!(only(&summary), (Outcome::Failed, "not-arrived".to_owned()));
    assert_eq!(runner.world.requests.len(), 3);
}

#[test]
fn what_cannot_be_looked_for_is_not_sent_again() {
    let mut world = fault(Fault::LostBefore);
    world.read_faults.push_back(false);
    world.read_faults.extend(std::iter::repeat_n(true, 100));
    let (summary, runner) = run(world, vec![change(1, Verb::Isolate)]);
    assert_eq!(only(&summary), (Outcome::Failed, "answer-lost".to_owned()));
    assert_eq!(runner.world.requests.len(), 1);
}

#[test]
fn an_active_action_is_told_apart_by_its_marker() {
    let foreign = ("ada@contoso.example", "case 7");
    let other_run = comment("ffffffffffff");
    for duplicates in [Duplicates::Reject, Duplicates::ReturnExisting] {
        for (by, text, outcome) in [
            (foreign.0, foreign.1, Outcome::Moved),
            ("palisade", other_run.as_str(), Outcome::Done),
        ] {
            let mut world = World::new();
            world.duplicates = duplicates;
            let plan = plan(vec![change(1, Verb::Isolate)]);
            let mut runner = Runner::new(world);
            // It appears between the last look and the request.
            runner.delays.extend([5]);
            assert!(runner.run(&plan, &Options::default(), 2, 0).is_none());
            runner.world.act(&device(1), ActionKind::Isolate, ActionStatus::Pending, by, text);
            let mut engine =
                Engine::of(&plan, &Sending::default(), &[], Options::default(), "test").unwrap();
            let summary = race(&mut engine, &mut runner.world);
            assert_eq!(only(&summary).0, outcome, "{duplicates:?} {by}");
            assert_eq!(runner.world.actions.len(), 1);
        }
    }
}

/// Runs an engine whose first look sees nothing of what there is.
fn race(engine: &mut Engine, world: &mut World) -> Summary {
    let hidden = std::mem::take(&mut world.actions);
    let mut hidden = Some(hidden);
    let mut flying = Vec::new();
    for _ in 0..10_000 {
        let now = world.now;
        match engine.poll(now) {
            Step::Record(ticket, _) => engine.handle(Event::Recorded(ticket), now),
            Step::Ask { ticket, question, .. } => {
                flying.push(Event::Read(ticket, world.ask(&question)));
            }
            Step::Submit { ticket, send, .. } => {
                world.actions.extend(hidden.take().into_iter().flatten());
                flying.push(Event::Answered(ticket, world.submit(&send)));
            }
            Step::WaitUntil(at, _) if flying.is_empty() => world.advance(at),
            Step::WaitUntil(..) => {
                for event in flying.drain(..) {
                    engine.handle(event, now);
                }
            }
            Step::Done(summary) => return summary,
        }
    }
    panic!("the run does not end");
}

#[test]
fn a_throttled_request_waits_as_long_as_it_is_told() {
    let (summary, runner) = run(fault(Fault::Throttle(40)), vec![change(1, Verb::Isolate)]);
    assert_eq!(only(&summary).0, Outcome::Done);
    let times: Vec<_> = runner.world.requests.iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [start(), after(40)]);

    let mut world = World::new();
    world.faults.extend(std::iter::repeat_n(Fault::Throttle(60), 100));
    let (summary, _) = run(world, vec![change(1, Verb::Isolate)]);
    assert_eq!(only(&summary), (Outcome::NotAttempted, "throttled".to_owned()));
}

#[test]
fn a_refusal_ends_the_change_with_the_services_code() {
    let world = fault(Fault::Refuse(400, "OsPlatformNotSupported"));
    let (summary, _) = run(world, vec![change(1, Verb::Isolate)]);
    assert_eq!(only(&summary), (Outcome::Refused, "refused".to_owned()));
    let reason = summary.outcomes.values().next().unwrap().reason.clone().unwrap();
    assert_eq!(reason.text("serviceCode").as_deref(), Some("OsPlatformNotSupported"));
    assert_eq!(reason.text("status").as_deref(), Some("400"));
}

#[test]
fn an_unreachable_service_ends_the_run_too() {
    let mut world = World::new();
    world.faults.extend(std::iter::repeat_n(Fault::NoConnection, 100));
    let (summary, _) = run(world, vec![change(1, Verb::Isolate)]);
    assert_eq!(only(&summary), (Outcome::NotAttempted, "unreachable".to_owned()));
    let mut world = World::new();
    world.read_faults.extend(std::iter::repeat_n(true, 100));
    let (summary, runner) = run(world, vec![change(1, Verb::Isolate)]);
    assert_eq!(only(&summary), (Outcome::NotAttempted, "reading-failed".to_owned()));
    assert!(runner.world.requests.is_empty());
}

#[test]
fn devices_decide_how_it_ends() {
    for (fate, outcome, code) in [
        (Fate::Fails, Outcome::Failed, "action-ended"),
        (Fate::TimesOut, Outcome::TimedOut, "action-ended"),
        (Fate::Offline, Outcome::PendingOffline, "not-picked-up"),
    ] {
        let mut world = World::new();
        world.fates.insert(device(1), fate);
        let (summary, runner) = run(world, vec![change(1, Verb::Isolate)]);
        assert_eq!(only(&summary), (outcome, code.to_owned()));
        let waited = runner.world.now.duration_since(start());
        assert!(waited < SignedDuration::from_mins(32), "{waited}");
    }
}

#[test]
fn a_state_that_changed_at_the_last_moment_is_reported() {
    let mut world = World::new();
    let plan = plan(vec![change(1, Verb::Isolate), change(2, Verb::Isolate)]);
    world.fates.insert(device(2), Fate::Offline);
    let mut runner = Runner::new(world);
    // The first device has been isolated, the second is waited for.
    while runner.world.now < after(600) {
        let steps = runner.steps;
        assert!(runner.run(&plan, &Options::default(), 12, 0).is_none());
        assert!(runner.steps > steps);
    }
    runner.world.act(&device(1), ActionKind::Unisolate, ActionStatus::Succeeded, "ada", "");
    let summary = runner.run(&plan, &Options::default(), usize::MAX, 0).unwrap();
    assert_eq!(summary.count(Outcome::Moved), 1, "{summary:?}");
    assert_eq!(summary.count(Outcome::PendingOffline), 1);
    assert!(twice(&runner.world).is_empty());
}

#[test]
fn what_cannot_be_confirmed_is_no_success() {
    let (_, clean) = run(World::new(), vec![change(1, Verb::Isolate)]);
    let mut world = World::new();
    // Every read but the last, which is the look at the end.
    world.read_faults.extend(std::iter::repeat_n(false, clean.world.reads - 1));
    world.read_faults.extend(std::iter::repeat_n(true, 100));
    let (summary, runner) = run(world, vec![change(1, Verb::Isolate)]);
    let words = runner.words();
    assert!(words.contains(&"state".to_owned()), "{words:?}");
    assert_eq!(only(&summary), (Outcome::Failed, "not-verified".to_owned()));
}

#[test]
fn a_spread_start_is_kept_and_one_beyond_bounds_refused() {
    let mut later = change(1, Verb::Scan);
    later.parameters.not_before = Some(after(7_200));
    let mut never = change(2, Verb::Scan);
    never.parameters.not_before = Some(after(200 * 3_600));
    let (summary, runner) = run(World::new(), vec![later, never]);
    assert_eq!(runner.world.requests[0].0, after(7_200));
    assert_eq!(summary.count(Outcome::Done), 1);
    assert_eq!(summary.count(Outcome::NotAttempted), 1);
}

#[test]
fn a_stop_sends_no_more_and_leaves_a_run_that_can_go_on() {
    let plan = plan((1..=30).map(|n| change(n, Verb::Isolate)).collect());
    let mut runner = Runner::new(World::new());
    runner.stop_after = Some(14);
    runner.delays.extend(std::iter::repeat_n(2, 100));
    let summary = runner.run(&plan, &Options::default(), usize::MAX, 0).unwrap();
    assert!(summary.stopped.is_some() && !summary.is_complete());
    let sent = runner.world.requests.len();
    assert!(sent > 0 && sent < 30, "{sent}");
    let not = summary.count(Outcome::NotAttempted);
    assert_eq!(usize::try_from(not).unwrap() + sent, 30);
    assert_eq!(runner.words().last().map(String::as_str), Some("stopped"));
    // Every answer that was under way has been taken in.
    let words = runner.words();
    let count = |word: &str| words.iter().filter(|w| *w == word).count();
    assert!(count("answer") >= sent);

    runner.stop_after = None;
    let summary = runner.run(&plan, &Options::default(), usize::MAX, 0).unwrap();
    assert_eq!(summary.count(Outcome::Done), 30);
    assert_eq!(runner.world.requests.len(), 30);
    assert!(twice(&runner.world).is_empty());
    assert_eq!(runner.words().last().map(String::as_str), Some("finished"));
    let again = runner.run(&plan, &Options::default(), usize::MAX, 0).unwrap();
    assert_eq!(again.counts, summary.counts, "a finished run only tells its end");
}

#[test]
fn a_pending_action_of_ours_is_cancelled_or_found_ended() {
    let cancel = |status: ActionStatus| {
        let mut world = World::new();
        let id = world.act(&device(1), ActionKind::Isolate, status, "other", "");
        let mut change = change(1, Verb::Cancel);
        change.parameters.action_id = Some(id.to_string());
        (world, change)
    };
    let (world, change) = cancel(ActionStatus::Pending);
    let (summary, runner) = run(world, vec![change]);
    assert_eq!(only(&summary).0, Outcome::Done);
    assert_eq!(runner.world.actions[0].status, ActionStatus::Cancelled);
    let (world, change) = cancel(ActionStatus::Succeeded);
    assert_eq!(only(&run(world, vec![change]).0), (Outcome::Moved, "action-ended".to_owned()));
    let (world, change) = cancel(ActionStatus::Cancelled);
    assert_eq!(only(&run(world, vec![change]).0).0, Outcome::AlreadySo);
    // Several on one device are told apart by their actions.
    let (mut world, first) = cancel(ActionStatus::Pending);
    let id = world.act(&device(1), ActionKind::Unisolate, ActionStatus::Pending, "other", "");
    let mut second = first.clone();
    second.id = "000000000099".into();
    second.parameters.action_id = Some(id.to_string());
    second.parameters.comment = Some(comment("000000000099"));
    let (summary, runner) = run(world, vec![first, second]);
    assert_eq!(summary.count(Outcome::Done), 2);
    assert!(runner.world.actions.iter().all(|row| row.status == ActionStatus::Cancelled));
    // Lost answers of a cancelling are looked for like any other.
    for fault in [Fault::LostAfter(1), Fault::LostBefore, Fault::Refuse(400, "BadRequest")] {
        let (mut world, change) = cancel(ActionStatus::InProgress);
        let refused = matches!(fault, Fault::Refuse(..));
        world.faults.push_back(fault);
        let (summary, _) = run(world, vec![change]);
        assert_eq!(only(&summary).0, if refused { Outcome::Refused } else { Outcome::Done });
    }
}

#[test]
fn an_alert_is_set_and_commented_once() {
    let wanted = |world: &World| {
        let row = &world.alerts[&alert(1).id];
        (row.status, row.comments.len())
    };
    let with = |faults: &[Fault]| {
        let mut world = World::new();
        world.alerts.insert(alert(1).id, alert(1));
        world.faults.extend(faults.iter().cloned());
        world
    };
    for faults in [
        vec![],
        vec![Fault::LostAfter(1)],
        vec![Fault::LostBefore],
        vec![Fault::Fine, Fault::LostAfter(5)],
        vec![Fault::Fine, Fault::LostBefore, Fault::LostAfter(9)],
        vec![Fault::Mute, Fault::Mute],
        vec![Fault::Throttle(5), Fault::Fine, Fault::Throttle(5)],
    ] {
        let (summary, runner) = run(with(&faults), vec![classify(1)]);
        assert_eq!(only(&summary).0, Outcome::Done, "{faults:?}");
        assert_eq!(wanted(&runner.world), (AlertStatus::Resolved, 1), "{faults:?}");
    }
}

#[test]
fn an_alert_that_moved_is_left_alone() {
    let mut world = World::new();
    let mut row = alert(1);
    row.assigned_to = Some("ada@contoso.example".into());
    world.alerts.insert(row.id.clone(), row);
    let (summary, runner) = run(world, vec![classify(1)]);
    assert_eq!(only(&summary), (Outcome::Moved, "alert-changed".to_owned()));
    assert!(runner.world.requests.is_empty());

    let mut world = World::new();
    let mut row = alert(1);
    row.updated = after(-1);
    world.alerts.insert(row.id.clone(), row);
    assert_eq!(only(&run(world, vec![classify(1)]).0).0, Outcome::Moved);
    assert_eq!(only(&run(World::new(), vec![classify(1)]).0).1, "alert-gone");
}

#[test]
fn budgets_are_kept_and_readings_stay_fresh() {
    let plan = plan((1..=25).map(|n| change(n, Verb::Isolate)).collect());
    let mut engine =
        Engine::of(&plan, &Sending::default(), &[], Options::default(), "test").unwrap();
    let mut world = World::new();
    let mut sent_at = Vec::new();
    let mut looks = Vec::new();
    // Ten a minute, all at once.
    let tell = |engine: &mut Engine, sent: usize, now| {
        let window = i64::try_from(sent / 10).unwrap() * 60;
        let left = u32::try_from(10 - sent % 10).unwrap();
        let event = Event::Pace {
            tenant: "contoso".into(),
            lane: Lane::Action,
            ready_at: after(window),
            left,
        };
        engine.handle(event, now);
    };
    loop {
        let now = world.now;
        tell(&mut engine, sent_at.len(), now);
        match engine.poll(now) {
            Step::Record(ticket, _) => engine.handle(Event::Recorded(ticket), now),
            Step::Ask { ticket, question, .. } => {
                looks.push(now);
                let seen = world.ask(&question);
                engine.handle(Event::Read(ticket, seen), now);
            }
            Step::Submit { ticket, send, .. } => {
                sent_at.push(now);
                let answer = world.submit(&send);
                engine.handle(Event::Answered(ticket, answer), now);
            }
            Step::WaitUntil(at, _) => world.advance(at),
            Step::Done(_) => break,
        }
        let progress = engine.progress(now);
        let sum = progress.waiting + progress.pending + progress.succeeded;
        assert!(sum <= progress.total && progress.total == 25);
    }
    let expected: Vec<_> = (0..25).map(|n| after(n / 10 * 60)).collect();
    assert_eq!(sent_at, expected);
    for at in [start(), after(60), after(120)] {
        assert!(looks.contains(&at), "no look at {at}");
    }
}

#[test]
fn a_journal_of_another_plan_is_refused() {
    let mut runner = Runner::new(World::new());
    let mine = plan(vec![change(1, Verb::Isolate)]);
    runner.run(&mine, &Options::default(), usize::MAX, 0).unwrap();
    let entries = crate::apply::journal::decode(&runner.journal).unwrap().entries;
    let mut other = mine.clone();
    other.plan_hash = "00".to_owned();
    assert!(Engine::of(&other, &Sending::default(), &entries, Options::default(), "t").is_err());
    assert!(
        Engine::of(&mine, &Sending::default(), &entries[1..], Options::default(), "t").is_err()
    );
    let mut fewer = mine.clone();
    fewer.changes.clear();
    assert!(Engine::of(&fewer, &Sending::default(), &entries, Options::default(), "t").is_err());
}

#[test]
fn nothing_to_do_ends_at_once() {
    let (summary, runner) = run(World::new(), Vec::new());
    assert_eq!((summary.total, runner.world.reads), (0, 0));
    assert!(summary.is_complete());
    assert_eq!(runner.words(), ["started", "verification", "finished"]);
    let id: ChangeId = "x".into();
    assert!(!summary.outcomes.contains_key(&id));
    assert_eq!(Isolation::Free.word(), "free");
}
