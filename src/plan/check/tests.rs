//! Plans with one thing wrong each: the check must name it, and nothing when nothing is wrong.

use super::{Fault, check};
use crate::inventory::{Inventory, What};
use crate::model::ActionKind::Isolate;
use crate::model::ActionStatus::Succeeded;
use crate::model::{Facet, Verb};
use crate::plan::tests::fleet::{Fleet, Machine, ago, now};
use crate::plan::tests::policies::{exempt, isolate, set, tag, workspace};
use crate::plan::types::{Disposition, Plan};
use crate::plan::{Circumstances, Input, plan};
use crate::policy::selector::DeviceExpr;
use crate::policy::{PolicySet, Workspace};

struct World {
    policies: PolicySet,
    workspace: Workspace,
    inventories: [Inventory; 1],
    around: Circumstances,
}

impl World {
    fn new() -> Self {
        let fleet = fleet();
        let policies = PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() };
        Self {
            policies,
            workspace: workspace(),
            inventories: [fleet.build()],
            around: Circumstances::default(),
        }
    }

    fn input(&self) -> Input<'_> {
        Input {
            policies: &self.policies,
            workspace: &self.workspace,
            inventories: &self.inventories,
            now: now(),
            around: &self.around,
            study: false,
            tool: "palisade 0.1.0",
        }
    }
}

fn fleet() -> Fleet {
    Fleet::of([
        Machine::new("pc-1").tag("ir"),
        Machine::new("pc-2").tag("ir"),
        Machine::new("pc-3"),
        Machine::new("pc-4"),
    ])
    .by_us("pc-3", Isolate, Succeeded, ago(5), "ir")
    .by_hand("pc-4", Isolate, Succeeded, ago(5))
}

/// Faults after the plan was changed, by the names of their kinds.
fn faults(change: impl FnOnce(&mut Plan)) -> Vec<String> {
    let world = World::new();
    let mut plan = plan(&world.input()).unwrap();
    change(&mut plan);
    named(check(&plan, &world.input()))
}

/// Faults of a good plan held against inputs that were changed.
fn faults_with(change: impl FnOnce(&mut World)) -> Vec<String> {
    let mut world = World::new();
    let plan = plan(&world.input()).unwrap();
    change(&mut world);
    named(check(&plan, &world.input()))
}

fn named(faults: Vec<Fault>) -> Vec<String> {
    let mut names: Vec<String> = faults
        .iter()
        .map(|fault| format!("{fault:?}").split([' ', '{']).next().unwrap().to_owned())
        .collect();
    names.dedup();
    names
}

#[test]
fn a_good_plan_has_no_fault() {
    assert_eq!(faults(|_| ()), Vec::<String>::new());
}

#[test]
fn what_the_plans_own_words_give_away() {
    let first = |plan: &Plan| plan.changes[0].clone();
    assert_eq!(faults(|plan| plan.changes[0].because.clear()), ["NoReason"]);
    assert_eq!(faults(|plan| plan.changes[0].wave = 0), ["NoWave"]);
    assert_eq!(faults(|plan| plan.changes[0].lease_end = None), ["NoLease"]);
    assert_eq!(faults(|plan| plan.changes[0].lease_end = Some(ago(1))), ["LeaseOver"]);
    assert_eq!(faults(|plan| plan.changes[0].expects.value.clear()), ["NoExpectation"]);
    assert_eq!(faults(|plan| plan.changes[0].parameters.isolation_type = None), ["NoParameter"]);
    assert_eq!(faults(|plan| plan.changes[0].parameters.comment = None), ["NoMarker"]);
    assert_eq!(
        faults(
            |plan| plan.changes[0].parameters.comment = plan.changes[1].parameters.comment.clone()
        ),
        ["NoMarker"]
    );
    assert_eq!(faults(|plan| plan.changes.swap(0, 1)), ["Unsorted"]);
    let counted = faults(|plan| {
        plan.summary.dispositions.insert(Disposition::Unchanged, 7);
    });
    assert_eq!(counted, ["Count"]);
    let twice = faults(|plan| {
        let change = first(plan);
        plan.changes.push(change);
    });
    assert!(twice.contains(&"DuplicateId".to_owned()), "{twice:?}");
    assert!(twice.contains(&"TwoDispositions".to_owned()), "{twice:?}");
}

#[test]
fn both_directions_for_one_device_are_found() {
    let found = faults(|plan| {
        let mut release = plan.changes.last().unwrap().clone();
        assert_eq!(release.verb, Verb::Release);
        release.target = plan.changes[0].target.clone();
        plan.changes.push(release);
    });
    assert!(found.contains(&"TwoDispositions".to_owned()), "{found:?}");
}

#[test]
fn what_the_inputs_forbid() {
    let protect = |world: &mut World| {
        world.workspace.guardrails.protected = Some(DeviceExpr::Everything);
    };
    assert_eq!(faults_with(protect), ["Protected"]);
    let exempted = |world: &mut World| {
        let expires = crate::model::Span::from_hours(1).after(now());
        let facets = [Facet::Isolation];
        world.policies.exemptions.push(exempt("vip", tag("ir"), &facets, expires));
    };
    assert_eq!(faults_with(exempted), ["Exempt"]);
    let unread = |world: &mut World| world.inventories = [fleet().lacks(What::Actions).build()];
    assert_eq!(faults_with(unread), ["Unknown"]);
    let gone = |world: &mut World| {
        let mut fleet = fleet();
        fleet.machines.remove(0);
        world.inventories = [fleet.build()];
    };
    assert_eq!(faults_with(gone), ["Count", "NoDevice"]);
    let moved = |world: &mut World| {
        world.inventories = [fleet().by_hand("pc-1", Isolate, Succeeded, ago(1)).build()];
    };
    assert_eq!(faults_with(moved), ["WrongStart"]);
    let foreign = faults(|plan| {
        let target = plan.foreign[0].target.clone();
        plan.foreign.clear();
        plan.changes.last_mut().unwrap().target = target;
    });
    assert!(foreign.contains(&"ForeignRelease".to_owned()), "{foreign:?}");
}
