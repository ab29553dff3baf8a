//! What must stay free: who counts, which groups, and what is held.

use crate::model::ActionKind::{Isolate, RestrictCodeExecution, Unisolate};
use crate::model::ActionStatus::{Failed, Pending, Succeeded};
use crate::plan::tests::fleet::{Fleet, Machine, ago};
use crate::plan::tests::planned;
use crate::plan::tests::policies::{isolate, restrict, set, tag, workspace};
use crate::plan::types::Plan;
use crate::policy::limits::Remaining;
use crate::policy::workspace::Limit;
use crate::policy::{PolicySet, Workspace};

/// Ten servers and some office devices; the first `tagged` servers are wanted.
fn fleet(tagged: usize) -> Fleet {
    let servers = (0..10).map(|n| {
        let machine = Machine::new(&format!("srv-{n}")).group("Servers");
        if n < tagged { machine.tag("ir") } else { machine }
    });
    Fleet::of(servers.chain((0..90).map(|n| Machine::new(&format!("pc-{n:02}")))))
}

fn policies() -> PolicySet {
    PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() }
}

fn remaining(least: Limit, groups_from: u32) -> Workspace {
    let mut workspace = workspace();
    workspace.guardrails.remaining = Remaining { least, groups_from };
    workspace
}

fn percent(percent: u32) -> Limit {
    Limit::Share { basis_points: percent * 100, at_least: 1 }
}

#[track_caller]
fn check(fleet: &Fleet, workspace: &Workspace, done: usize, held: usize) -> Plan {
    let plan = planned(&policies(), workspace, fleet.build());
    assert_eq!((plan.changes.len(), plan.held.len()), (done, held));
    let codes: Vec<_> = plan.objections.iter().map(|o| o.code.as_str()).collect();
    assert_eq!(codes, if held == 0 { vec![] } else { vec!["remaining"] });
    plan
}

#[test]
fn a_share_of_each_group_stays_free() {
    check(&fleet(6), &remaining(percent(40), 5), 6, 0);
    let plan = check(&fleet(7), &remaining(percent(40), 5), 0, 7);
    let facts = &plan.objections[0].facts;
    let number = |key: &str| facts[key].as_u64().unwrap();
    let numbers = ["free", "least", "already", "planned", "size"].map(number);
    assert_eq!((plan.objections[0].scope.as_str(), numbers), ("group Servers", [3, 4, 0, 7, 10]));
    assert_eq!(plan.objections[0].setting, "guardrails.remaining");
    check(&fleet(7), &remaining(Limit::Count(3), 5), 7, 0);
    check(&fleet(7), &remaining(Limit::Count(4), 5), 0, 7);
    check(&fleet(10), &remaining(Limit::Count(0), 0), 10, 0);
}

#[test]
fn more_than_the_group_has_holds_everything_and_small_groups_are_left_out() {
    check(&fleet(1), &remaining(Limit::Count(50), 5), 0, 1);
    check(&fleet(10), &remaining(percent(100), 11), 10, 0);
    let one = Fleet::of([Machine::new("alone").group("One").tag("ir")]);
    check(&one, &remaining(percent(100), 2), 1, 0);
    check(&one, &remaining(percent(100), 1), 0, 1);
}

#[test]
fn whoever_restricted_a_device_it_is_not_free() {
    let limit = remaining(Limit::Count(4), 5);
    let and = |name: &str, kind, status| fleet(5).by_hand(name, kind, status, ago(3));
    check(&and("srv-9", Isolate, Succeeded), &limit, 5, 0);
    for two in [
        and("srv-9", Isolate, Succeeded).by_hand("srv-8", RestrictCodeExecution, Succeeded, ago(2)),
        and("srv-9", Isolate, Pending).by_hand("srv-8", Isolate, Succeeded, ago(2)),
    ] {
        check(&two, &limit, 0, 5);
    }
    // Isolated and restricted is still one device; a failed try takes nothing.
    let twice =
        and("srv-9", Isolate, Succeeded).by_hand("srv-9", RestrictCodeExecution, Succeeded, ago(2));
    check(&twice.by_hand("srv-8", Isolate, Failed, ago(1)), &limit, 5, 0);
    // Of the planned ones, those that are already restricted take nothing more.
    let wanted = and("srv-0", RestrictCodeExecution, Succeeded);
    check(&wanted.by_hand("srv-1", RestrictCodeExecution, Succeeded, ago(2)), &limit, 5, 0);
}

#[test]
fn one_device_that_two_policies_restrict_counts_once_and_all_its_changes_are_held() {
    let both = PolicySet { restriction: vec![restrict("kiosks", tag("ir"))], ..policies() };
    let plan = planned(&both, &remaining(Limit::Count(5), 5), fleet(5).build());
    assert_eq!((plan.changes.len(), plan.held.len()), (10, 0));
    let plan = planned(&both, &remaining(Limit::Count(6), 5), fleet(5).build());
    assert_eq!((plan.changes.len(), plan.held.len()), (0, 10));
}

#[test]
fn releases_are_never_held_by_it() {
    let held = fleet(0).by_us("srv-0", Isolate, Succeeded, ago(80), "ir");
    check(&held, &remaining(Limit::Count(10), 1), 1, 0);
    let free = held.by_hand("srv-0", Unisolate, Succeeded, ago(1));
    check(&free, &remaining(Limit::Count(10), 1), 0, 0);
}
