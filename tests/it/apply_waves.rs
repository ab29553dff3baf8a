//! Waves end to end: a bad first wave keeps the others from going, a pause is kept on disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade::apply::{Options, Outcome, Summary};
use palisade::drive::apply::{OpenRun, Ports, Service, StopFlag, apply, run};
use palisade::model::ActionStatus;
use palisade::plan::{CheckedPlan, Plan};

use crate::apply_rig::{Rig, paused};

fn policies(rollout: &str) -> String {
    format!(
        "\
apiVersion: palisade/v1
kind: IsolationSet
metadata: {{name: ir-7781}}
spec:
  devices: {{tag: case}}
  isolation: full
  lease: 72h
  comment: IR-7781 containment
  rollout: {rollout}
"
    )
}

fn rig(devices: u32, rollout: &str) -> Rig {
    Rig::plain(devices, &["case"], &policies(rollout), Rig::calendar())
}

/// Names of the devices of a wave.
fn wave(plan: &Plan, wave: u32) -> Vec<String> {
    let members = plan.changes.iter().filter(|change| change.wave == wave);
    members.map(|change| change.target.name.clone()).collect()
}

fn isolations(rig: &Rig) -> usize {
    rig.taken().keys().filter(|path| path.ends_with("/isolate")).count()
}

#[test]
fn a_bad_first_wave_keeps_the_others_from_going() {
    paused(async {
        let rig = rig(40, "{waves: [5], bake: 10m, failureLimit: 1}");
        let plan = rig.check(rig.plan(&rig.client()).await);
        let first = wave(&plan, 1);
        assert_eq!((first.len(), plan.changes.len()), (5, 40));
        rig.play(&format!("fail {}\nfail {}\noffline {}", first[0], first[1], first[2]));
        let (summary, entries) = rig.apply(&plan).await;
        assert_eq!(isolations(&rig), 5);
        assert_eq!(summary.count(Outcome::NotAttempted), 35);
        assert_eq!(summary.count(Outcome::Done), 2, "{:?}", summary.counts);
        // The one that was waiting for its device waits no more.
        let cancels = rig.taken().into_keys().filter(|path| path.ends_with("/cancel")).count();
        assert_eq!(cancels, 1);
        {
            let emulator = rig.emulator();
            let actions = emulator.tenant().actions();
            assert!(actions.iter().all(|action| action.status.is_terminal()));
            let cancelled = |status| actions.iter().filter(|it| it.status == status).count();
            assert_eq!(cancelled(ActionStatus::Cancelled), 1);
        }
        let halted = |entry: &&palisade::apply::JournalEntry| {
            matches!(entry.entry, palisade::apply::Entry::RolloutHalted { .. })
        };
        assert_eq!(entries.iter().filter(halted).count(), 1);
    });
}

#[test]
fn waves_go_out_one_after_the_other_with_a_bake_between() {
    paused(async {
        let rig = rig(30, "{waves: [10%, 50%], bake: 20m}");
        let plan = rig.check(rig.plan(&rig.client()).await);
        let sizes: Vec<u32> = plan.rollouts[0].waves.iter().map(|wave| wave.changes).collect();
        assert_eq!(sizes, [3, 15, 12]);
        let began = rig.clock.now();
        let (summary, _) = rig.apply(&plan).await;
        assert!(summary.is_complete(), "{:?}", summary.counts);
        let took = rig.clock.now().duration_since(began).as_mins();
        assert!((40..50).contains(&took), "{took} minutes");
        let again = rig.plan(&rig.client()).await;
        assert!(again.changes.is_empty(), "{:#?}", again.changes);
    });
}

/// Goes on with the last run of a folder.
async fn resume(rig: &Rig, root: &std::path::Path, services: &Services<'_>) -> Summary {
    let options = Options::default();
    let (mut open, _, mut engine) =
        OpenRun::resume(root, "last", &rig.against(), options, "palisade/test").unwrap();
    let stop = StopFlag::default();
    let journal = &mut open.ledger;
    let ports = Ports { services, journal, clock: &*rig.clock, stop: &stop };
    run(&mut engine, ports, &mut |_| {}).await.unwrap()
}

type Services<'s> = BTreeMap<Arc<str>, &'s dyn Service>;

#[test]
fn a_run_on_disk_stops_after_each_wave_and_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("runs");
    paused(async {
        let rig = rig(20, "{waves: [1, 4], bake: 5m, pause: each}");
        let client = rig.client();
        let services: Services<'_> = [(Arc::from("contoso"), &client as &dyn Service)].into();
        let plan: CheckedPlan = rig.check(rig.plan(&client).await);
        let stop = StopFlag::default();
        let (options, clock) = (Options::default(), &*rig.clock);
        let (_, summary) =
            apply(&plan, options, &root, &services, clock, &stop, &mut |_| {}).await.unwrap();
        let paused = |summary: &Summary, done: u32| {
            let reason = summary.stopped.as_ref().map(|reason| reason.code.as_str());
            assert_eq!((reason, summary.count(Outcome::Done)), (Some("paused"), done));
            assert_eq!(isolations(&rig), done as usize);
        };
        paused(&summary, 1);
        paused(&resume(&rig, &root, &services).await, 5);
        let summary = resume(&rig, &root, &services).await;
        assert!(summary.is_complete(), "{:?}", summary.counts);
        assert_eq!(isolations(&rig), 20);
        // There is nothing left to go on with.
        assert_eq!(resume(&rig, &root, &services).await, summary);
    });
}

/// Waves that a pause has confirmed are looked at once more when everything has ended, with the read
/// that is taken anyway: what somebody changed is told, and the outcome stays.
#[test]
fn what_was_changed_after_its_wave_is_told_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("runs");
    paused(async {
        let rig = rig(12, "{waves: [3], pause: first}");
        let client = rig.client();
        let services: Services<'_> = [(Arc::from("contoso"), &client as &dyn Service)].into();
        let plan: CheckedPlan = rig.check(rig.plan(&client).await);
        let first = wave(&plan, 1);
        let stop = StopFlag::default();
        let (options, clock) = (Options::default(), &*rig.clock);
        let (_, summary) =
            apply(&plan, options, &root, &services, clock, &stop, &mut |_| {}).await.unwrap();
        assert_eq!(summary.count(Outcome::Done), 3);
        rig.play(&format!("act ana@contoso.example release {}", first[1]));
        let summary = resume(&rig, &root, &services).await;
        assert!(summary.is_complete(), "{:?}", summary.counts);
        let since = plan.changes.iter().filter(|change| {
            summary.outcomes.get(&change.id).is_some_and(palisade::apply::Ended::is_changed_since)
        });
        let since: Vec<&str> = since.map(|change| change.target.name.as_str()).collect();
        assert_eq!(since, [first[1].as_str()]);
        // The journal keeps it, and a finished run says the same again.
        assert_eq!(resume(&rig, &root, &services).await, summary);
    });
}
