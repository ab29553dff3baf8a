//! From policies over a plan and an apply to an empty plan; faults at every call in turn; pace.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use palisade::apply::{Engine, Options, Outcome, Progress};
use palisade::drive::apply::{Ports, StopFlag, run};
use palisade::emulator::{Config, Emulator};
use palisade::model::Verb;

use crate::apply_rig::{Memory, Rig, paused, start};

const POLICIES: &str = "\
apiVersion: palisade/v1
kind: IsolationSet
metadata: {name: ir-7781}
spec:
  devices: {tag: case}
  isolation: full
  lease: 72h
  comment: IR-7781 containment
---
apiVersion: palisade/v1
kind: CodeExecutionRestriction
metadata: {name: kiosks}
spec:
  devices: {tag: kiosk}
  lease: 30d
  comment: kiosks run signed code only
---
apiVersion: palisade/v1
kind: ScanSchedule
metadata: {name: weekly}
spec:
  devices: {tag: lab}
  scan: quick
  every: 7d
  comment: weekly scan
";

const ALERTS: &str = "\
---
apiVersion: palisade/v1
kind: AlertRule
metadata: {name: exercise}
spec:
  alerts: {status: [new, inProgress], classification: unknown, severity: \"<=medium\"}
  set:
    status: resolved
    classification: informationalExpectedActivity
    determination: securityTesting
    comment: red team range
";

#[test]
fn a_plan_after_its_apply_is_empty() {
    paused(async {
        let policies = format!("{POLICIES}{ALERTS}");
        let mut emulator = Emulator::new(Config { devices: 120, ..Config::default() }, start());
        for row in 0..30 {
            let tag = ["case", "kiosk", "lab"][row as usize % 3];
            emulator.tenant_mut().machine_mut(row).unwrap().add_tag(tag);
        }
        let rig = Rig::around(emulator, &policies, Rig::calendar());
        let client = rig.client();
        let plan = rig.plan(&client).await;
        let changes = plan.changes.len();
        assert!(plan.changes.iter().any(|change| change.verb == Verb::Classify));
        assert!(plan.changes.iter().any(|change| change.verb == Verb::Isolate));
        let (summary, entries) = rig.apply(&rig.check(plan)).await;
        assert_eq!(usize::try_from(summary.total).unwrap(), changes);
        let well = summary.count(Outcome::Done) + summary.count(Outcome::PendingOffline);
        assert_eq!(well, summary.total, "{summary:#?}");
        assert!(summary.count(Outcome::Done) > 0);
        assert!(rig.twice().is_empty(), "{:?}", rig.twice());
        assert!(entries.len() > changes * 2);
        let again = rig.plan(&client).await;
        assert!(again.changes.is_empty(), "{:#?}", again.changes);
    });
}

/// A small tenant where every kind of call occurs.
/// A run needs a client for every tenant of its plan; without one nothing is sent at all.
#[test]
fn a_run_without_a_client_for_its_tenant_does_not_begin() {
    paused(async {
        let mut emulator = Emulator::new(Config { devices: 5, ..Config::default() }, start());
        emulator.tenant_mut().machine_mut(0).unwrap().add_tag("case");
        let rig = Rig::around(emulator, POLICIES, Rig::calendar());
        let plan = rig.check(rig.plan(&rig.client()).await);
        let mut engine = Engine::new(&plan, &[], Options::default(), "palisade/test").unwrap();
        let (services, mut memory) = (BTreeMap::new(), Memory::default());
        let stop = StopFlag::default();
        let ports =
            Ports { services: &services, journal: &mut memory, clock: &*rig.clock, stop: &stop };
        let refused = run(&mut engine, ports, &mut |_: &Progress| {}).await.unwrap_err();
        assert!(refused.to_string().contains("contoso"), "{refused}");
        assert_eq!(memory.revive().len(), 0);
    });
}

fn small() -> Rig {
    let mut emulator = Emulator::new(Config { devices: 18, ..Config::default() }, start());
    let tenant = emulator.tenant_mut();
    let rows: Vec<u32> = (0..u32::try_from(tenant.machines().len()).unwrap())
        .filter(|row| {
            let machine = tenant.machine(*row).unwrap();
            machine.online
                && machine.platform.as_ref() == "Windows11"
                && machine.merged_into.is_none()
        })
        .collect();
    for (at, row) in rows.into_iter().enumerate() {
        let machine = tenant.machine_mut(row).unwrap();
        machine.add_tag(["case", "kiosk", "lab"][at % 3]);
        // Where the seed says that a device was scanned lately, no scan would be due.
        machine.av = None;
    }
    Rig::around(emulator, &format!("{POLICIES}{ALERTS}"), Rig::calendar())
}

#[test]
fn faults_at_every_call_in_turn_do_nothing_twice_and_end() {
    let calls = paused(async {
        let rig = small();
        let plan = rig.plan(&rig.client()).await;
        let verbs: std::collections::BTreeSet<Verb> =
            plan.changes.iter().map(|change| change.verb).collect();
        assert!(verbs.len() >= 4, "{verbs:?}");
        let before = rig.emulator().log().len();
        let (summary, _) = rig.apply(&rig.check(plan)).await;
        assert!(summary.is_complete(), "{summary:#?}");
        rig.emulator().log().len() - before
    });
    let faults = [
        "429 x2 retry-after 3",
        "503",
        "500 after-effect",
        "502 html",
        "reset before",
        "reset after",
        "hang after",
        "truncate half",
        "refuse x2",
        "lose-rows all",
        "body \"not json\"",
    ];
    for fault in faults {
        for nth in 1..=calls {
            paused(async {
                let rig = small();
                let plan = rig.plan(&rig.client()).await;
                rig.play(&format!("fault {fault} nth {nth} on ANY /**"));
                let (summary, _) = rig.apply(&rig.check(plan)).await;
                let story = format!("{fault} at call {nth}");
                assert!(rig.twice().is_empty(), "{story}: {:?}", rig.twice());
                rig.play("clear faults");
                let left = rig.plan(&rig.client()).await;
                // One fault is never more than the run can get over.
                assert!(summary.is_complete(), "{story}: {summary:#?}");
                assert!(left.changes.is_empty(), "{story}: {:#?}", left.changes);
                if !fault.starts_with("lose-rows") && !fault.starts_with("body") {
                    let emulator = rig.emulator();
                    let met = |logged: &palisade::emulator::Logged| {
                        logged.cut.is_some() || !logged.status.is_success()
                    };
                    assert!(emulator.log().iter().any(met), "{story}: nobody met it");
                }
            });
        }
    }
}

/// Three hundred changes take what the windows dictate, and the service never says 429.
#[test]
fn three_hundred_changes_take_the_time_the_windows_dictate() {
    paused(async {
        let rig = Rig::plain(300, &["case"], POLICIES, Rig::calendar());
        // A request travels for a fifth of a second.
        rig.play("fault delay 200ms x* on ANY /**");
        let plan = rig.check(rig.plan(&rig.client()).await);
        assert_eq!(plan.changes.len(), 300);
        let began = rig.clock.now();
        let (summary, _) = rig.apply(&plan).await;
        assert_eq!(summary.count(Outcome::Done), 300);
        let took = rig.clock.now().duration_since(began);
        let emulator = rig.emulator();
        let throttled =
            emulator.log().iter().filter(|logged| logged.status.as_u16() == 429).count();
        assert_eq!(throttled, 0);
        let sent: Vec<_> = emulator
            .log()
            .iter()
            .filter(|logged| logged.uri.path().ends_with("/isolate"))
            .map(|logged| logged.at)
            .collect();
        assert_eq!(sent.len(), 300);
        // 100 a minute: the last hundred leaves two minutes after the first.
        let dictated = SignedDuration::from_secs(120);
        let sending = sent[299].duration_since(began);
        let ratio = sending.as_secs_f64() / dictated.as_secs_f64();
        assert!(ratio <= 1.05, "the last request left after {sending:#}: {ratio:.3}");
        // And then the device takes its time, which is read off the last action that ended.
        let ended = emulator.tenant().actions().iter().map(|action| action.updated).max().unwrap();
        let least = ended.duration_since(began);
        let ratio = took.as_secs_f64() / least.as_secs_f64();
        assert!(ratio <= 1.05, "{took:#} for {least:#}: {ratio:.3}");
    });
}

/// The hour's window too: the readings are fresh when it opens.
#[test]
fn the_hours_window_is_waited_for() {
    paused(async {
        let rig = Rig::plain(1_700, &["case"], POLICIES, Rig::calendar());
        let plan = rig.check(rig.plan(&rig.client()).await);
        let began = rig.clock.now();
        // Somebody releases a device while the window is closed: the reading moved.
        rig.play("at 40m act ada@contoso.example scan quick host-1699.contoso.example comment \"by hand\"");
        rig.play("at 41m act ada@contoso.example isolate full host-1698.contoso.example comment \"case 9\"");
        let (summary, _) = rig.apply(&plan).await;
        let emulator = rig.emulator();
        assert_eq!(emulator.log().iter().filter(|logged| logged.status.as_u16() == 429).count(), 0);
        assert_eq!(summary.count(Outcome::Done), 1_699, "{:?}", summary.counts);
        assert_eq!(summary.count(Outcome::AlreadySo), 1);
        let took = rig.clock.now().duration_since(began);
        let most = SignedDuration::from_secs((3_600 + 60 + 120) * 105 / 100);
        assert!(took >= SignedDuration::from_hours(1) && took <= most, "{took:#}");
    });
}

#[test]
fn waiting_for_offline_devices_ends() {
    paused(async {
        let rig = Rig::plain(6, &["case"], POLICIES, Rig::calendar());
        rig.play("offline host-0002.contoso.example");
        let plan = rig.check(rig.plan(&rig.client()).await);
        let began = rig.clock.now();
        let (summary, _) = rig.apply(&plan).await;
        assert_eq!(summary.count(Outcome::Done), 5);
        assert_eq!(summary.count(Outcome::PendingOffline), 1);
        let took = rig.clock.now().duration_since(began);
        assert!(took < SignedDuration::from_mins(33), "{took:#}");
        let again = rig.plan(&rig.client()).await;
        assert!(again.changes.is_empty());
        assert_eq!(again.changing.len(), 1);
    });
}
