//! Cancelling on a person's word: our own pending actions and nobody else's.

use std::collections::BTreeSet;

use super::fleet::{Fleet, Machine, WORKSPACE, ago, device_id, marked};
use super::policies::{set, workspace};
use super::{planned_around, rows};
use crate::model::ActionKind::{Isolate, RestrictCodeExecution, RunAntiVirusScan, Unisolate};
use crate::model::ActionStatus::{InProgress, Pending, Succeeded};
use crate::plan::cancel::Pending as Wanted;
use crate::plan::check::{Fault, structure};
use crate::plan::types::{Aim, Plan};
use crate::plan::undo::{Past, PastChange, Standing};
use crate::plan::{Circumstances, Purpose};

fn planned(fleet: &Fleet, wanted: Wanted) -> Plan {
    let around = Circumstances { purpose: Purpose::Cancel(wanted), ..Circumstances::default() };
    let plan = planned_around(&around, &set(), &workspace(), fleet.build());
    assert_eq!(plan.purpose, Aim::Cancel);
    plan
}

fn busy() -> Fleet {
    let ours = marked(WORKSPACE, "ir");
    Fleet::of(["a", "b", "c", "d", "e"].map(Machine::new))
        .by_us("a", Isolate, Pending, ago(3), "ir")
        .by_us("b", RunAntiVirusScan, InProgress, ago(3), "nightly")
        .by_us("c", Unisolate, Succeeded, ago(3), "ir")
        .by_hand("c", RestrictCodeExecution, Pending, ago(2))
        .action("d", Isolate, Pending, ago(2), &marked("another", "ir"), "palisade")
        // A marker that a person pasted in the portal is not ours.
        .action("e", Isolate, Pending, ago(2), &ours, "ana")
        .last_action(|row| row.source = "Portal".into())
}

#[test]
fn only_ours_are_cancelled_and_the_others_are_shown() {
    let plan = planned(&busy(), Wanted::default());
    assert_eq!(
        rows(&plan),
        [
            "do cancel a Pending -> Cancelled (cancel-asked)",
            "do cancel b InProgress -> Cancelled (cancel-asked)",
            "changing d isolation in-flight-foreign",
            "changing e isolation in-flight-foreign",
            "changing c codeExecution in-flight-foreign",
        ]
    );
    assert_eq!(plan.changes[0].parameters.action_id.as_deref(), Some("action-00000"));
    assert_eq!(plan.summary.total, 5);
    assert!(plan.objections.is_empty(), "{:?}", plan.objections);
}

#[test]
fn filters_narrow_and_are_joined() {
    let changes = |id: &str| Some(BTreeSet::from([id.into()]));
    let devices = |name: &str| Some(BTreeSet::from([device_id(name)]));
    for (wanted, names) in [
        (Wanted { policy: Some("ir".into()), ..Wanted::default() }, vec!["a"]),
        (Wanted { changes: changes("0123456789ab"), ..Wanted::default() }, vec!["a", "b"]),
        (Wanted { changes: changes("ffffffffffff"), ..Wanted::default() }, vec![]),
        (Wanted { devices: devices("b"), ..Wanted::default() }, vec!["b"]),
        (Wanted { action: Some("action-00001".into()), ..Wanted::default() }, vec!["b"]),
        (Wanted { action: Some("action-00004".into()), ..Wanted::default() }, vec![]),
        (Wanted { policy: Some("ir".into()), devices: devices("b"), ..Wanted::default() }, vec![]),
    ] {
        let plan = planned(&busy(), wanted.clone());
        let found: Vec<&str> =
            plan.changes.iter().map(|change| change.target.name.as_str()).collect();
        assert_eq!(found, names, "{wanted:?}");
    }
}

#[test]
fn several_on_one_device_are_a_change_each() {
    let fleet = Fleet::of([Machine::new("a")])
        .by_us("a", Isolate, Pending, ago(3), "ir")
        .by_us("a", Unisolate, InProgress, ago(2), "ir")
        .by_us("a", RunAntiVirusScan, Pending, ago(1), "nightly");
    let plan = planned(&fleet, Wanted::default());
    let actions = |plan: &Plan| -> BTreeSet<String> {
        plan.changes.iter().filter_map(|change| change.parameters.action_id.clone()).collect()
    };
    let all = ["action-00000", "action-00001", "action-00002"].map(str::to_owned);
    assert_eq!(actions(&plan), BTreeSet::from(all));
    assert_eq!((plan.summary.total, plan.objections.len()), (3, 0));
    // Three markers tell them apart, and the file passes its checks.
    let ids: BTreeSet<_> = plan.changes.iter().map(|change| &change.id).collect();
    assert_eq!((ids.len(), structure(&plan)), (3, Vec::new()));
    // The same action twice, or a plan that is for something else, does not.
    let mut twice = plan.clone();
    for change in &mut twice.changes {
        change.parameters.action_id = Some("action-00000".to_owned());
    }
    let two = |faults: Vec<Fault>| {
        faults.iter().filter(|fault| matches!(fault, Fault::TwoDispositions { .. })).count()
    };
    assert_eq!(two(structure(&twice)), 1);
    assert_eq!(two(structure(&Plan { purpose: Aim::Policies, ..plan.clone() })), 1);
    // That a cancelled action has no way back is said once for each facet.
    let done = |change: &crate::plan::Change| PastChange {
        change: change.clone(),
        standing: Standing::Done,
    };
    let past = Past { run: "run".to_owned(), changes: plan.changes.iter().map(done).collect() };
    let around = Circumstances { purpose: Purpose::Undo(past), ..Circumstances::default() };
    let undo = planned_around(&around, &set(), &workspace(), fleet.build());
    assert_eq!((undo.cannot.len(), undo.summary.total), (2, 3));
}

#[test]
fn of_what_others_have_in_flight_only_what_was_asked_about_is_shown() {
    let changes = |id: &str| Some(BTreeSet::from([id.into()]));
    let devices = |name: &str| Some(BTreeSet::from([device_id(name)]));
    let (a, b) = (
        "do cancel a Pending -> Cancelled (cancel-asked)",
        "do cancel b InProgress -> Cancelled (cancel-asked)",
    );
    let d = "changing d isolation in-flight-foreign";
    for (wanted, expected) in [
        (Wanted { policy: Some("ir".into()), ..Wanted::default() }, &[a][..]),
        (Wanted { policy: Some("gone".into()), ..Wanted::default() }, &[]),
        (Wanted { changes: changes("0123456789ab"), ..Wanted::default() }, &[a, b]),
        (Wanted { devices: devices("b"), ..Wanted::default() }, &[b]),
        (Wanted { devices: devices("d"), ..Wanted::default() }, &[d]),
        (Wanted { action: Some("action-00004".into()), ..Wanted::default() }, &[d]),
        (Wanted { policy: Some("ir".into()), devices: devices("d"), ..Wanted::default() }, &[]),
    ] {
        assert_eq!(rows(&planned(&busy(), wanted.clone())), expected, "{wanted:?}");
    }
}

#[test]
fn the_reason_is_the_policy_of_the_marker_with_the_kind_that_moves_the_facet() {
    let fleet = Fleet::of(["a", "b", "c"].map(Machine::new))
        .by_us("a", Isolate, Pending, ago(3), "ir")
        .by_us("b", RunAntiVirusScan, Pending, ago(3), "nightly")
        .by_us("c", RestrictCodeExecution, Pending, ago(3), "kiosks");
    let plan = planned(&fleet, Wanted::default());
    let mut why: Vec<_> = plan
        .changes
        .iter()
        .map(|change| (change.because[0].kind.as_str(), change.because[0].name.as_str()))
        .collect();
    why.sort_unstable();
    let expected = [
        ("CodeExecutionRestriction", "kiosks"),
        ("IsolationSet", "ir"),
        ("ScanSchedule", "nightly"),
    ];
    assert_eq!(why, expected);
}

#[test]
fn ours_on_a_device_that_is_not_listed_is_unknown_and_told() {
    let fleet = Fleet::of([Machine::new("a")]).by_us("gone", Isolate, Pending, ago(1), "ir");
    let plan = planned(&fleet, Wanted::default());
    let found: Vec<_> = plan.unknown.iter().map(|it| (&*it.target.id, &*it.reason.code)).collect();
    assert_eq!(found, [(device_id("gone").to_string().as_str(), "device-missing")]);
    assert_eq!((plan.changes.len(), plan.summary.dispositions.values().sum::<u32>()), (0, 1));
}
