//! Seeded runs: faults of every kind, answers out of order, killed at every step and resumed.

use super::fixture::*;
use super::world::*;
use crate::apply::outcome::Outcome;
use crate::apply::{Options, Summary};
use crate::model::{ActionKind, ActionStatus, AlertStatus, DeviceId, Verb};
use crate::plan::Plan;
use crate::plan::types::{Change, Wave};

/// A small generator: the same numbers for the same seed, everywhere.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    fn below(&mut self, most: u64) -> u64 {
        self.next() % most
    }
    fn fault(&mut self) -> Fault {
        match self.below(12) {
            0 => Fault::LostBefore,
            1 => Fault::LostAfter(0),
            2 => Fault::LostAfter(i64::try_from(self.below(25)).unwrap()),
            3 => Fault::Throttle(7),
            4 => Fault::NoConnection,
            5 => Fault::Mute,
            _ => Fault::Fine,
        }
    }
}

/// What must come of a change, whatever the faults.
fn expected(n: usize) -> Outcome {
    match n % 10 {
        3 => Outcome::Failed,
        5 => Outcome::PendingOffline,
        7 => Outcome::Moved,
        8 => Outcome::AlreadySo,
        _ => Outcome::Done,
    }
}

fn story(seed: u64, devices: usize, alerts: usize) -> (Plan, Runner, Draw) {
    let mut draw = Draw(seed);
    let mut world = World::new();
    world.duplicates = match draw.below(3) {
        0 => Duplicates::Reject,
        1 => Duplicates::ReturnExisting,
        _ => Duplicates::Make,
    };
    let mut changes = Vec::new();
    for n in 0..devices {
        let verb = if n % 10 == 8 { Verb::Isolate } else { [Verb::Isolate, Verb::Scan][n % 2] };
        let change = change(n, verb);
        let id: DeviceId = device(n);
        match expected(n) {
            Outcome::Failed => drop(world.fates.insert(id, Fate::Fails)),
            Outcome::PendingOffline => drop(world.fates.insert(id, Fate::Offline)),
            Outcome::Moved => {
                let kind = verb.action().unwrap();
                world.act(&id, kind, ActionStatus::Pending, "ada", "case 7");
            }
            Outcome::AlreadySo => {
                world.act(&id, ActionKind::Isolate, ActionStatus::Succeeded, "ada", "case 7");
            }
            _ => {}
        }
        changes.push(change);
    }
    for n in 1_000..1_000 + alerts {
        world.alerts.insert(alert(n).id, alert(n));
        changes.push(classify(n));
    }
    for _ in 0..devices * 4 {
        let fault = draw.fault();
        world.faults.push_back(fault);
        let failed = draw.below(12) == 0;
        world.read_faults.push_back(failed);
    }
    let mut runner = Runner::new(world);
    for _ in 0..devices * 20 {
        let delay = i64::try_from(draw.below(5)).unwrap();
        runner.delays.push_back(delay);
    }
    (waves(seed, changes, devices), runner, draw)
}

/// The devices in three waves or four, by seed with a bake and pauses; the alerts wait for nobody.
fn waves(seed: u64, changes: Vec<Change>, devices: usize) -> Plan {
    let mut left = u32::try_from(devices).unwrap();
    let mut waves = Vec::new();
    while left > 0 {
        let size = left.min(u32::try_from(devices / 3).unwrap());
        left -= size;
        waves.push(Wave { pause: seed.is_multiple_of(3) && left > 0, ..wave(size) });
    }
    staged(changes, waves, seed % 2 * 300)
}

/// Goes on whenever the run stops for a person.
fn to_the_end(runner: &mut Runner, plan: &Plan) -> Summary {
    loop {
        let summary = runner.run(plan, &options(), usize::MAX, 0).unwrap();
        match &summary.stopped {
            None => return summary,
            Some(reason) => assert_eq!(reason.code, "paused"),
        }
    }
}

/// Scans are waited for as long as isolations here, to keep the runs short. Requests may be lost
/// several times in a row: more sends than usual keep the outcome a matter of the device alone.
fn options() -> Options {
    let wait = Options::default().wait_containment;
    Options { wait_scan: wait, sends: 12, ..Options::default() }
}

fn check(seed: u64, plan: &Plan, runner: &Runner, summary: &Summary) {
    let world = &runner.world;
    assert!(twice(world).is_empty(), "seed {seed}: {:?}", twice(world));
    assert!(said_twice(world).is_empty(), "seed {seed}");
    assert_eq!(usize::try_from(summary.total).unwrap(), plan.changes.len());
    assert_eq!(summary.counts.values().sum::<u32>(), summary.total);
    assert!(summary.stopped.is_none());
    for (n, change) in plan.changes.iter().enumerate() {
        let ended = &summary.outcomes[&change.id];
        if change.verb == Verb::Classify {
            let row = &world.alerts[&change.target.id.as_str().into()];
            assert_eq!(ended.outcome, Outcome::Done, "seed {seed}: {ended:?}");
            assert_eq!((row.status, row.comments.len()), (AlertStatus::Resolved, 1));
            continue;
        }
        assert_eq!(ended.outcome, expected(n), "seed {seed}, change {n}: {ended:?}");
        let ours = world.ours(&device(n));
        match ended.outcome {
            Outcome::Done => assert_eq!(ours[0].status, ActionStatus::Succeeded),
            Outcome::Moved | Outcome::AlreadySo => assert!(ours.is_empty()),
            _ => assert_eq!(ours.len(), 1),
        }
    }
    let outcomes = runner.words().iter().filter(|word| *word == "outcome").count();
    assert_eq!(outcomes, plan.changes.len(), "seed {seed}: each end is recorded once");
}

#[test]
fn faults_of_every_kind_change_no_outcome() {
    for seed in 0..200 {
        let (plan, mut runner, _) = story(seed, 40, 4);
        let summary = to_the_end(&mut runner, &plan);
        check(seed, &plan, &runner, &summary);
    }
}

#[test]
fn killed_at_random_and_resumed_it_ends_the_same_and_does_nothing_twice() {
    for seed in 0..300 {
        let (plan, mut runner, mut draw) = story(seed, 25, 3);
        let mut lives = 0;
        let summary = loop {
            lives += 1;
            // Later lives last longer, so that the run gets to its end.
            let most = usize::try_from(draw.below(30 + 20 * lives)).unwrap();
            let tear = usize::try_from(draw.below(400)).unwrap();
            let life = runner.run(&plan, &options(), most, tear);
            if let Some(summary) = life.filter(|summary| summary.stopped.is_none()) {
                break summary;
            }
        };
        check(seed, &plan, &runner, &summary);
    }
}

#[test]
fn killed_at_every_single_step_it_ends_the_same() {
    // One seed with a bake, one with pauses, each with more than one wave.
    for seed in [7, 6] {
        let steps = {
            let (plan, mut runner, _) = story(seed, 10, 2);
            to_the_end(&mut runner, &plan);
            runner.steps
        };
        for kill in 0..steps {
            for tear in [0, 150, 10_000] {
                let (plan, mut runner, _) = story(seed, 10, 2);
                // The very last step tells the end, and so does every run of a finished journal.
                runner.run(&plan, &options(), kill, tear);
                let summary = to_the_end(&mut runner, &plan);
                check(seed, &plan, &runner, &summary);
            }
        }
    }
}
