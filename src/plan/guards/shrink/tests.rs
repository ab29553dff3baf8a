//! What a jump in a count holds, which jumps are none, and that one is not forgotten.

use crate::inventory::What;
use crate::model::ActionKind::Isolate;
use crate::model::ActionStatus::Succeeded;
use crate::model::Facet;
use crate::plan::circumstances::{LastRun, LastSeen};
use crate::plan::standing::PolicyRow;
use crate::plan::tests::fleet::{Fleet, Machine, TENANT_ID, ago};
use crate::plan::tests::planned_around;
use crate::plan::tests::policies::{isolate, scan, set, tag, workspace};
use crate::plan::types::{Baseline, Plan};
use crate::plan::{Circumstances, Level, Lift};
use crate::policy::limits::Shrink;
use crate::policy::workspace::Limit;
use crate::policy::{PolicySet, Workspace};

const POLICY: &str = "IsolationSet/ir";

/// So many devices with the tag `ir`, and so many without.
fn fleet(tagged: usize, others: usize) -> Fleet {
    let tagged = (0..tagged).map(|n| Machine::new(&format!("ir-{n:02}")).tag("ir"));
    Fleet::of(tagged.chain((0..others).map(|n| Machine::new(&format!("pc-{n:02}")))))
}

fn policies() -> PolicySet {
    PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() }
}

fn guarded() -> Workspace {
    let share = |percent: u32, at_least| Limit::Share { basis_points: percent * 100, at_least };
    let mut workspace = workspace();
    workspace.guardrails.shrink =
        Shrink { inventory: Some(share(20, 5)), selection: Some(share(50, 4)) };
    workspace
}

/// The last run saw so many devices, of which the policy selected so many.
fn saw(devices: u32, selected: u32) -> Circumstances {
    let counts = Baseline { devices, selected: [(POLICY.to_owned(), selected)].into() };
    let seen = LastSeen { run: "run-1".to_owned(), counts };
    let last = LastRun { tenants: [(TENANT_ID.to_owned(), seen)].into(), ..LastRun::default() };
    Circumstances { last, ..Circumstances::default() }
}

#[track_caller]
fn check(around: &Circumstances, fleet: &Fleet, done: usize, expected: &[(&str, u32)]) -> Plan {
    let plan = planned_around(around, &policies(), &guarded(), fleet.build());
    let said: Vec<_> = plan.objections.iter().map(|o| (o.code.as_str(), o.held)).collect();
    assert_eq!((plan.changes.len(), said), (done, expected.to_vec()));
    plan
}

#[test]
fn nothing_to_compare_with_is_no_objection() {
    check(&Circumstances::default(), &fleet(20, 20), 20, &[]);
    let mut new = saw(40, 0);
    new.last.tenants.values_mut().for_each(|seen| seen.counts.selected.clear());
    check(&new, &fleet(20, 20), 20, &[]);
    let elsewhere = saw(1, 0).last.tenants.into_values().map(|seen| ("other".to_owned(), seen));
    let last = LastRun { tenants: elsewhere.collect(), ..LastRun::default() };
    check(&Circumstances { last, ..Circumstances::default() }, &fleet(20, 20), 20, &[]);
}

#[test]
fn the_next_run_is_compared_with_what_policies_selected_of_this_tenants_devices() {
    let plan = check(&Circumstances::default(), &fleet(7, 33), 7, &[]);
    let own = |plan: &Plan| plan.seen(&plan.tenants[0]);
    let expected = Baseline { devices: 40, selected: [(POLICY.to_owned(), 7)].into() };
    assert_eq!(own(&plan), expected);
    let changes: [fn(&mut PolicyRow); 2] =
        [|row| row.tenant = "fabrikam".into(), |row| row.facet = Facet::Classification];
    for change in changes {
        let mut plan = plan.clone();
        let mut other = PolicyRow { name: "other".into(), ..plan.policies[0].clone() };
        change(&mut other);
        plan.policies.push(other);
        assert_eq!(own(&plan), expected);
    }
}

#[test]
fn an_inventory_that_shrank_holds_restrictions_and_the_releases_that_follow() {
    let held = fleet(3, 37).by_us("pc-00", Isolate, Succeeded, ago(5), "ir");
    check(&saw(50, 3), &held, 4, &[]);
    let plan = check(&saw(51, 3), &held, 0, &[("inventory-shrank", 4)]);
    let facts = &plan.objections[0].facts;
    assert_eq!(
        (&facts["before"], &facts["now"], &facts["limit"]),
        (&51.into(), &40.into(), &10.into())
    );
    assert_eq!(plan.objections[0].setting, "guardrails.shrink.inventory");
    // The end of a lease does not follow from it.
    let ended = fleet(0, 40).by_us("pc-00", Isolate, Succeeded, ago(80), "gone");
    check(&saw(60, 0), &ended, 1, &[("inventory-shrank", 0)]);
    // A few devices fewer are none too few.
    check(&saw(9, 4), &fleet(4, 0), 4, &[]);
}

#[test]
fn an_inventory_that_grew_holds_restrictions_alone() {
    let held = fleet(3, 37).by_us("pc-00", Isolate, Succeeded, ago(5), "ir");
    check(&saw(33, 3), &held, 1, &[("inventory-grew", 3)]);
    check(&saw(34, 3), &held, 4, &[]);
}

#[test]
fn a_policy_that_selects_many_more_does_not_place_them() {
    check(&saw(40, 2), &fleet(6, 34), 6, &[]);
    let plan = check(&saw(40, 2), &fleet(7, 33), 0, &[("selection-grew", 7)]);
    assert_eq!(plan.objections[0].scope, format!("policy {POLICY}"));
    assert_eq!(plan.objections[0].setting, "guardrails.shrink.selection");
    check(&saw(40, 20), &fleet(30, 10), 30, &[]);
    check(&saw(40, 20), &fleet(31, 9), 0, &[("selection-grew", 31)]);
    // One to three is no alarm.
    check(&saw(40, 1), &fleet(3, 37), 3, &[]);
}

/// A name is no way past: what the new policy selects is held against those of its kind that are gone.
#[test]
fn a_policy_under_another_name_is_no_new_one() {
    let saw = |policies: &[(&str, u32)]| {
        let mut around = saw(40, 0);
        let selected = policies.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
        around.last.tenants.values_mut().for_each(|seen| {
            seen.counts = Baseline { devices: 40, selected: Clone::clone(&selected) };
        });
        around
    };
    let gone = "IsolationSet/before";
    check(&saw(&[(gone, 2)]), &fleet(6, 34), 6, &[]);
    let plan = check(&saw(&[(gone, 2)]), &fleet(7, 33), 0, &[("selection-grew", 7)]);
    assert_eq!(plan.objections[0].scope, format!("policy {POLICY} in place of {gone}"));
    // The next run is held against the old name too.
    assert_eq!(plan.tenants[0].baseline.as_ref().unwrap().selected, [(gone.to_owned(), 2)].into());
    let two = saw(&[(gone, 2), ("IsolationSet/other", 1)]);
    check(&two, &fleet(7, 33), 7, &[]);
    let plan = check(&two, &fleet(8, 32), 0, &[("selection-grew", 8)]);
    assert_eq!(plan.objections[0].scope, format!("policy {POLICY} in place of 2 policies"));
    // Fewer devices than the old ones had are no jump, and a policy of another kind is another.
    check(&saw(&[(gone, 30)]), &fleet(7, 33), 7, &[]);
    check(&saw(&[("ScanSchedule/before", 2)]), &fleet(7, 33), 7, &[]);
    // It stands beside one that is still there.
    check(&saw(&[(POLICY, 7), (gone, 0)]), &fleet(7, 33), 7, &[]);
}

#[test]
fn policies_that_share_out_what_one_selected_are_no_new_ones() {
    let gone = "IsolationSet/before";
    let mut around = saw(40, 0);
    around.last.tenants.values_mut().for_each(|seen| {
        seen.counts.selected = [(gone.to_owned(), 2), ("ScanSchedule/weekly".to_owned(), 4)].into();
    });
    let parts = |sizes: [usize; 3]| {
        let names = ["a", "b", "c"];
        let part = |name: &str| isolate(name, tag(name));
        let isolation = names.map(part).into();
        let weekly = vec![scan("weekly", tag("none"), "0 8 * * *")];
        let tagged = names.into_iter().zip(sizes);
        let machines = tagged
            .flat_map(|(name, size)| (0..size).map(move |n| (format!("{name}-{n}"), name)))
            .map(|(host, name)| Machine::new(&host).tag(name));
        let others =
            (0..40 - sizes.iter().sum::<usize>()).map(|n| Machine::new(&format!("pc-{n}")));
        let fleet = Fleet::of(machines.chain(others));
        let policies = PolicySet { isolation, scans: weekly, ..set() };
        planned_around(&around, &policies, &guarded(), fleet.build())
    };
    let said = |plan: &Plan| -> Vec<(String, u32)> {
        let grew = plan.objections.iter().filter(|it| it.code == "selection-grew");
        grew.map(|it| (it.scope.clone(), it.held)).collect()
    };
    // Six in all are what the one might have grown to.
    let few = parts([3, 3, 0]);
    assert_eq!((few.changes.len(), said(&few)), (6, vec![]));
    let many = parts([3, 3, 1]);
    let scope = |name: &str| format!("policy IsolationSet/{name} and 2 more in place of {gone}");
    let expected = [("a", 3), ("b", 3), ("c", 1)].map(|(name, held)| (scope(name), held));
    assert_eq!((many.changes.len(), said(&many)), (0, expected.to_vec()));
    assert_eq!(
        (&many.objections[0].facts["now"], &many.objections[0].facts["before"]),
        (&7.into(), &2.into())
    );
    // What is not lifted is held by the next run as well.
    let next = many.tenants[0].baseline.clone().unwrap();
    assert_eq!(next.selected, [(gone.to_owned(), 2), ("ScanSchedule/weekly".to_owned(), 0)].into());
}

#[test]
fn a_policy_that_selects_many_fewer_does_not_release_them() {
    let held = (0..6).fold(fleet(1, 39), |fleet, n| {
        fleet.by_us(&format!("pc-{n:02}"), Isolate, Succeeded, ago(5), "ir")
    });
    check(&saw(40, 7), &held, 1, &[("selection-shrank", 6)]);
    check(&saw(40, 5), &held, 7, &[]);
}

#[test]
fn scans_are_placements_too() {
    let scans = PolicySet { scans: vec![scan("weekly", tag("ir"), "0 8 * * *")], ..set() };
    let mut around = saw(40, 0);
    for seen in around.last.tenants.values_mut() {
        seen.counts.selected = [("ScanSchedule/weekly".to_owned(), 2)].into();
    }
    let plan = planned_around(&around, &scans, &guarded(), fleet(10, 30).build());
    assert_eq!((plan.changes.len(), plan.held.len()), (0, 10));
}

#[test]
fn a_jump_is_not_the_measure_of_the_next_run_until_it_is_lifted() {
    let plan = check(&saw(60, 3), &fleet(3, 37), 0, &[("inventory-shrank", 3)]);
    let section = &plan.tenants[0];
    assert_eq!((section.devices, plan.policies[0].selected), (40, 3));
    assert_eq!(plan.seen(section).devices, 60);
    let lift = Lift { code: "inventory-shrank".to_owned(), because: "sold a site".to_owned() };
    let lifted = Circumstances { lifts: vec![lift], ..saw(60, 3) };
    let plan = check(&lifted, &fleet(3, 37), 3, &[("inventory-shrank", 0)]);
    assert_eq!(
        (plan.tenants[0].baseline.as_ref(), plan.seen(&plan.tenants[0]).devices),
        (None, 40)
    );
    let plan = check(&saw(40, 2), &fleet(7, 33), 0, &[("selection-grew", 7)]);
    assert_eq!(plan.seen(&plan.tenants[0]).selected[POLICY], 2);
    // What was not read whole is no measure either.
    let partial = fleet(3, 37).lacks(What::Devices);
    let plan = planned_around(&saw(42, 3), &policies(), &guarded(), partial.build());
    assert_eq!(plan.seen(&plan.tenants[0]).devices, 42);
}

#[test]
fn a_run_that_cannot_be_read_is_said_and_holds_nothing() {
    let mut around = saw(40, 3);
    around.last.unreadable.insert("run-2".to_owned(), "the plan was edited".to_owned());
    let plan = check(&around, &fleet(3, 37), 3, &[("last-run-unreadable", 0)]);
    assert_eq!(plan.objections[0].level, Level::Warn);
    around.last.tenants.values_mut().for_each(|seen| seen.counts.devices = 60);
    check(&around, &fleet(3, 37), 0, &[("inventory-shrank", 3), ("last-run-unreadable", 0)]);
}
