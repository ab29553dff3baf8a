//! Waves: what waits for what, how long, and what becomes of a rollout that stops.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::fixture::*;
use super::world::*;
use crate::apply::outcome::Outcome;
use crate::apply::step::{Send, Wait};
use crate::apply::{Options, Summary};
use crate::model::{ActionId, ActionKind, ActionStatus, DeviceId, Verb};
use crate::plan::Plan;
use crate::plan::types::{Change, Wave};

fn isolate(count: usize) -> Vec<Change> {
    (1..=count).map(|n| change(n, Verb::Isolate)).collect()
}

fn run(runner: &mut Runner, plan: &Plan) -> Summary {
    let summary = runner.run(plan, &Options::default(), usize::MAX, 0).unwrap();
    assert_eq!(summary.counts.values().sum::<u32>(), summary.total);
    assert_eq!(summary.outcomes.len(), plan.changes.len());
    assert!(twice(&runner.world).is_empty());
    summary
}

/// When each device was isolated, in seconds from the start.
fn sent(runner: &Runner) -> BTreeMap<DeviceId, i64> {
    let isolations = runner.world.requests.iter().filter_map(|(at, send)| match send {
        Send::Isolate { device, .. } => {
            Some((device.clone(), at.duration_since(start()).as_secs()))
        }
        _ => None,
    });
    isolations.collect()
}

fn cancelled(runner: &Runner) -> Vec<ActionId> {
    let cancels = runner.world.requests.iter().filter_map(|(_, send)| match send {
        Send::Cancel { action, .. } => Some(action.clone()),
        _ => None,
    });
    cancels.collect()
}

/// How a device's change ended: outcome and the reason's code.
fn ended(plan: &Plan, summary: &Summary, n: usize) -> (Outcome, String) {
    let change = plan.changes.iter().find(|it| it.target.id == device(n).to_string()).unwrap();
    let ended = &summary.outcomes[&change.id];
    let code = ended.reason.as_ref().map(|reason| reason.code.clone());
    (ended.outcome, code.unwrap_or_default())
}

fn code(summary: &Summary) -> Option<&str> {
    summary.stopped.as_ref().map(|reason| reason.code.as_str())
}

#[test]
fn a_wave_begins_when_the_one_before_has_ended_and_baked() {
    for bake in [0, 600] {
        let plan = staged(isolate(4), vec![wave(1), wave(2), wave(1)], bake);
        let mut runner = Runner::new(World::new());
        let summary = run(&mut runner, &plan);
        assert_eq!(summary.count(Outcome::Done), 4);
        let at = sent(&runner);
        let bake = i64::try_from(bake).unwrap();
        assert_eq!((at[&device(1)], at[&device(2)]), (0, at[&device(3)]));
        // An action takes a little over half a minute, and polls find it within a few seconds.
        for (before, after) in [(1, 2), (3, 4)] {
            let waited = at[&device(after)] - at[&device(before)] - bake;
            assert!((35..60).contains(&waited), "{at:?}");
        }
        assert_eq!(runner.waits.contains(&Wait::Bake), bake > 0);
        let ends = runner.words().iter().filter(|word| *word == "waveEnded").count();
        assert_eq!(ends, 3);
    }
}

#[test]
fn what_has_no_rollout_waits_for_none() {
    let mut changes = isolate(3);
    changes.push(change(9, Verb::Release));
    let mut plan = staged(changes, vec![wave(1), wave(2)], 3_600);
    let other = change(20, Verb::Restrict);
    let mut rollout = plan.rollouts[0].clone();
    rollout.policy = "CodeExecutionRestriction/kiosks".to_owned();
    rollout.waves = vec![wave(1)];
    plan.changes.push(Change { rollout: Some(rollout.policy.clone()), ..other });
    plan.rollouts.insert(0, rollout);
    let mut runner = Runner::new(World::new());
    let summary = run(&mut runner, &plan);
    assert_eq!(summary.count(Outcome::Done), 5);
    let first: Vec<&Send> =
        runner.world.requests.iter().filter(|(at, _)| *at == start()).map(|(_, it)| it).collect();
    assert_eq!(first.len(), 3, "{first:?}");
    assert!(first.iter().any(|send| matches!(send, Send::Release { .. })));
    assert!(first.iter().any(|send| matches!(send, Send::Restrict { .. })));
}

#[test]
fn a_bake_is_as_long_for_a_run_that_was_killed_in_it() {
    let plan = staged(isolate(2), vec![wave(1), wave(1)], 900);
    let whole = {
        let mut runner = Runner::new(World::new());
        run(&mut runner, &plan);
        sent(&runner)[&device(2)]
    };
    // Killed at the very step that records the end of the wave.
    let killed = (1..).find_map(|most| {
        let mut runner = Runner::new(World::new());
        assert!(runner.run(&plan, &Options::default(), most, 10_000).is_none());
        runner.words().contains(&"waveEnded".to_owned()).then_some(runner)
    });
    let runner = killed.unwrap();
    assert!(runner.world.now < after(60));
    // The machine is away for a while, and then for longer than the bake.
    for (away, expected) in [(300, whole), (2_000, 2_000)] {
        let mut runner = Runner { journal: runner.journal.clone(), ..Runner::new(World::new()) };
        let id = runner.world.act(
            &device(1),
            ActionKind::Isolate,
            ActionStatus::Succeeded,
            "palisade",
            plan.changes[0].parameters.comment.as_deref().unwrap(),
        );
        assert_eq!(id, ActionId::from("act-1"));
        runner.world.advance(after(away));
        run(&mut runner, &plan);
        let late = sent(&runner)[&device(2)] - expected;
        assert!((0..=10).contains(&late), "{late} seconds late after {away}");
    }
}

/// Four devices in the first wave: one succeeds, two fail, one does not pick it up.
fn breaking() -> (Plan, Runner) {
    let bears_one = |changes| Wave { failure_limit: 1, ..wave(changes) };
    let plan = staged(isolate(10), vec![bears_one(4), bears_one(6)], 60);
    let mut world = World::new();
    for (n, fate) in [(2, Fate::Fails), (3, Fate::TimesOut), (4, Fate::Offline)] {
        world.fates.insert(device(n), fate);
    }
    (plan, Runner::new(world))
}

#[test]
fn too_many_failures_stop_the_rollout_and_cancel_what_is_pending() {
    let (plan, mut runner) = breaking();
    // Somebody else's pending actions, on a device of ours and on another one, are not touched.
    for (n, kind) in [(4, ActionKind::RunAntiVirusScan), (30, ActionKind::Isolate)] {
        runner.world.act(&device(n), kind, ActionStatus::Pending, "ada", "case 7");
    }
    let summary = run(&mut runner, &plan);
    assert_eq!(code(&summary), None, "such a run has ended: it cannot go on");
    assert_eq!(ended(&plan, &summary, 1), (Outcome::Done, String::new()));
    assert_eq!(ended(&plan, &summary, 2).0, Outcome::Failed);
    assert_eq!(ended(&plan, &summary, 3).0, Outcome::TimedOut);
    assert_eq!(ended(&plan, &summary, 4), (Outcome::Failed, "rollout-cancelled".to_owned()));
    for n in 5..=10 {
        let left = (Outcome::NotAttempted, "rollout-halted".to_owned());
        assert_eq!(ended(&plan, &summary, n), left);
    }
    assert_eq!(sent(&runner).len(), 4);
    let ours = runner.world.ours(&device(4))[0];
    assert_eq!(cancelled(&runner), std::slice::from_ref(&ours.id));
    assert_eq!(ours.status, ActionStatus::Cancelled);
    let others = runner.world.actions.iter().filter(|row| &*row.requestor == "ada");
    assert!(others.clone().count() == 2 && others.clone().all(|row| !row.status.is_terminal()));
    // The cancel was on the disk before it left, like every request.
    let words = runner.words();
    let halted = words.iter().position(|word| word == "rolloutHalted").unwrap();
    assert!(words[halted..].contains(&"intent".to_owned()), "{words:?}");
    assert_eq!(words.last().map(String::as_str), Some("finished"));
}

#[test]
fn other_rollouts_go_on_when_one_stops() {
    let (mut plan, mut runner) = breaking();
    plan.changes.push(change(20, Verb::Release));
    let mut rollout = plan.rollouts[0].clone();
    rollout.policy = "IsolationSet/other".to_owned();
    rollout.waves = vec![wave(1), wave(1)];
    for (n, wave) in [(21, 1), (22, 2)] {
        let policy = Some(rollout.policy.clone());
        plan.changes.push(Change { rollout: policy, wave, ..change(n, Verb::Isolate) });
    }
    plan.rollouts.push(rollout);
    let summary = run(&mut runner, &plan);
    assert_eq!(summary.count(Outcome::NotAttempted), 6);
    for n in [20, 21, 22] {
        assert_eq!(ended(&plan, &summary, n).0, Outcome::Done);
    }
}

#[test]
fn a_stopped_rollout_ends_the_same_wherever_it_is_killed() {
    let story = |runner: &mut Runner| {
        // Answers take their time, so that there is something in flight when the limit breaks.
        runner.delays.extend((0..200).map(|n| n % 4));
        runner.world.faults.extend(std::iter::repeat_n(Fault::Fine, 4));
        runner.world.faults.extend([Fault::LostAfter(3), Fault::LostBefore]);
    };
    let told = |plan: &Plan, summary: &Summary| -> Vec<(Outcome, String)> {
        (1..=10).map(|n| ended(plan, summary, n)).collect()
    };
    let (plan, mut runner) = breaking();
    story(&mut runner);
    let whole = told(&plan, &run(&mut runner, &plan));
    assert!(whole.contains(&(Outcome::Failed, "rollout-cancelled".to_owned())), "{whole:?}");
    for kill in 0..runner.steps {
        for tear in [0, 90, 10_000] {
            let (plan, mut runner) = breaking();
            story(&mut runner);
            runner.run(&plan, &Options::default(), kill, tear);
            let summary = run(&mut runner, &plan);
            assert_eq!(told(&plan, &summary), whole, "killed at step {kill}, torn at {tear}");
            assert_eq!(sent(&runner).len(), 4);
            assert_eq!(runner.world.ours(&device(4))[0].status, ActionStatus::Cancelled);
        }
    }
}

#[test]
fn a_stopped_rollout_comes_to_its_end_when_the_run_is_interrupted_anywhere() {
    let steps = {
        let (plan, mut runner) = breaking();
        run(&mut runner, &plan);
        runner.steps
    };
    let mut unclear = 0;
    for after in 0..steps {
        let (plan, mut runner) = breaking();
        runner.stop_after = Some(after);
        runner.delays.extend((0..200).map(|n| n % 4));
        let summary = run(&mut runner, &plan);
        let left = ended(&plan, &summary, 4);
        unclear += usize::from(left == (Outcome::PendingOffline, "not-cancelled".to_owned()));
        runner.stop_after = None;
        let summary = run(&mut runner, &plan);
        assert_eq!(ended(&plan, &summary, 4), (Outcome::Failed, "rollout-cancelled".to_owned()));
        assert_eq!((summary.count(Outcome::NotAttempted), sent(&runner).len()), (6, 4));
    }
    assert!(unclear > 0, "never interrupted just before a cancel");
}

#[test]
fn a_cancel_that_comes_too_late_is_told() {
    let (plan, mut runner) = breaking();
    // It takes a minute: it is pending when the limit breaks, and done when the cancel arrives.
    runner.world.fates.remove(&device(4));
    runner.world.slower.insert(device(4), 60);
    runner.world.faults.extend(std::iter::repeat_n(Fault::Fine, 4));
    runner.world.faults.push_back(Fault::LostAfter(40));
    let summary = run(&mut runner, &plan);
    assert_eq!(cancelled(&runner).len(), 1);
    assert_eq!(ended(&plan, &summary, 4), (Outcome::Done, "cancel-too-late".to_owned()));
    assert_eq!(runner.world.ours(&device(4))[0].status, ActionStatus::Succeeded);
}

#[test]
fn a_cancel_that_is_refused_leaves_the_action_pending_and_says_so() {
    for (fault, tries) in [
        (Fault::Refuse(403, "Forbidden"), 1),
        (Fault::Refuse(400, "BadRequest"), 1),
        (Fault::LostBefore, 3),
        (Fault::NoConnection, 7),
    ] {
        let (plan, mut runner) = breaking();
        runner.world.faults.extend(std::iter::repeat_n(Fault::Fine, 4));
        runner.world.faults.extend(std::iter::repeat_n(fault.clone(), 50));
        let summary = run(&mut runner, &plan);
        let kept = (Outcome::PendingOffline, "not-cancelled".to_owned());
        assert_eq!(ended(&plan, &summary, 4), kept, "{fault:?}");
        assert_eq!(cancelled(&runner).len(), tries, "{fault:?}");
        assert!(!summary.is_complete());
    }
}

#[test]
fn an_action_that_serves_another_run_too_is_not_cancelled() {
    // Another run of the workspace asks for the same a moment before: its action is taken over.
    let (plan, mut runner) = breaking();
    runner.world.duplicates = Duplicates::Reject;
    runner.world.rival = Some((device(4), comment("ffffffffffff")));
    let summary = run(&mut runner, &plan);
    let kept = (Outcome::PendingOffline, "not-cancelled".to_owned());
    assert_eq!(ended(&plan, &summary, 4), kept);
    assert!(runner.world.ours(&device(4)).is_empty() && cancelled(&runner).is_empty());
    let theirs = runner.world.actions.iter().find(|row| row.device == device(4)).unwrap();
    assert_eq!(theirs.status, ActionStatus::Pending);
}

/// Ten changes in waves of two and eight; a person goes on after the first.
fn pausing(bake: u64) -> Plan {
    let mut waves = vec![wave(2), wave(8)];
    waves[0].pause = true;
    staged(isolate(10), waves, bake)
}

#[test]
fn a_pause_stops_the_run_until_a_person_goes_on() {
    let plan = pausing(900);
    let mut runner = Runner::new(World::new());
    let summary = run(&mut runner, &plan);
    assert_eq!(code(&summary), Some("paused"));
    assert_eq!((summary.count(Outcome::Done), summary.count(Outcome::NotAttempted)), (2, 8));
    // What the first wave came to has been confirmed and recorded.
    let words = runner.words();
    assert_eq!(words.iter().filter(|word| *word == "outcome").count(), 2);
    assert_eq!(words[words.len() - 2..], ["wavePaused", "stopped"]);
    // It does not wait for the bake to ask: the bake goes on while nobody is there.
    let paused_at = runner.world.now;
    assert!(paused_at < after(120));
    let summary = run(&mut runner, &plan);
    assert_eq!((code(&summary), summary.count(Outcome::Done)), (None, 10));
    let second = sent(&runner)[&device(3)];
    assert!((900..1_000).contains(&second), "the bake counts from the end of the wave: {second}");
}

#[test]
fn only_a_run_that_has_stopped_has_asked_a_person() {
    let plan = pausing(0);
    let mut runner = Runner::new(World::new());
    run(&mut runner, &plan);
    let text = String::from_utf8(runner.journal.clone()).unwrap();
    // The power went while the stop was being written: what asks is there, the stop is not.
    let line = text.lines().find(|line| line.contains("\"stopped\"")).unwrap();
    let cut = text.find(line).unwrap();
    runner.journal.truncate(cut + 20);
    let summary = run(&mut runner, &plan);
    assert_eq!(code(&summary), Some("paused"), "it asks again");
    assert_eq!(sent(&runner).len(), 2);
    // A person goes on, and that is remembered however often the run is killed afterwards.
    for _ in 0..4 {
        runner.run(&plan, &Options::default(), 3, 10_000);
    }
    assert_eq!(run(&mut runner, &plan).count(Outcome::Done), 10);
}

#[test]
fn too_many_pending_devices_stop_the_run_until_they_have_come_back() {
    let bears_one = Wave { offline_limit: 1, ..wave(4) };
    let plan = staged(isolate(8), vec![bears_one, wave(4)], 0);
    let offline = |count: usize| {
        let mut world = World::new();
        world.fates.extend((1..=count).map(|n| (device(n), Fate::Offline)));
        Runner::new(world)
    };
    let mut runner = offline(1);
    let summary = run(&mut runner, &plan);
    assert_eq!((code(&summary), summary.count(Outcome::Done)), (None, 7));

    let mut runner = offline(2);
    let summary = run(&mut runner, &plan);
    assert_eq!(code(&summary), Some("offline-limit"));
    assert_eq!((summary.count(Outcome::PendingOffline), sent(&runner).len()), (2, 4));
    let waited = runner.world.now;
    // Nothing has changed: it says so again, without waiting another half hour.
    assert_eq!(code(&run(&mut runner, &plan)), Some("offline-limit"));
    assert!(runner.world.now.duration_since(waited) < SignedDuration::from_mins(5));
    assert_eq!(sent(&runner).len(), 4);
    runner.world.fates.remove(&device(2));
    let later: Timestamp = runner.world.now + SignedDuration::from_hours(1);
    runner.world.advance(later);
    let summary = run(&mut runner, &plan);
    assert_eq!((code(&summary), summary.count(Outcome::Done)), (None, 7));
    assert_eq!(summary.count(Outcome::PendingOffline), 1);
}

#[test]
fn a_service_that_cannot_be_reached_stops_a_rollout_too() {
    let bears_none = |changes| Wave { failure_limit: 0, ..wave(changes) };
    let plan = staged(isolate(4), vec![bears_none(1), bears_none(3)], 0);
    let mut world = World::new();
    world.faults.extend(std::iter::repeat_n(Fault::NoConnection, 8));
    let mut runner = Runner::new(world);
    let summary = run(&mut runner, &plan);
    assert_eq!(ended(&plan, &summary, 1), (Outcome::NotAttempted, "unreachable".to_owned()));
    assert_eq!(summary.count(Outcome::NotAttempted), 4);
    assert!(runner.world.actions.is_empty());
}
