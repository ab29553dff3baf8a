//! Plans with one thing wrong each: the check must name it, and nothing when nothing is wrong.

use super::{Fault, check};
use crate::inventory::{Inventory, What};
use crate::model::ActionKind::{Isolate, RestrictCodeExecution};
use crate::model::ActionStatus::Succeeded;
use crate::model::{DeviceValue, Facet, Verb};
use crate::plan::circumstances::Runner;
use crate::plan::tests::asked;
use crate::plan::tests::fleet::{Fleet, Machine, ago, now};
use crate::plan::tests::policies::{exempt, isolate, restrict, scan, set, tag, workspace};
use crate::plan::tests::world::by_alert;
use crate::plan::types::{Change, Disposition, Plan, Wave};
use crate::plan::{Circumstances, Input, Lift, plan};
use crate::policy::rollout::Rollout;
use crate::policy::selector::DeviceExpr;
use crate::policy::workspace::{Caps, Guardrails, Limit};
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
        asked(&self.around, &self.policies, &self.workspace, &self.inventories)
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

/// A plan whose isolations a cap would hold, were it not lifted.
fn lifted() -> World {
    let mut world = World::new();
    let run = Some(Limit::Count(1));
    world.workspace.guardrails.caps = [(Verb::Isolate, Caps { run, ..Caps::default() })].into();
    let lift = Lift { code: "cap-run".to_owned(), because: "IR-7781".to_owned() };
    world.around.lifts = vec![lift];
    world
}

#[test]
fn what_is_lifted_is_lifted_by_somebody_and_the_rest_is_held() {
    let faults = |change: &dyn Fn(&mut Plan)| {
        let world = lifted();
        let mut plan = plan(&world.input()).unwrap();
        assert_eq!((plan.objections.len(), plan.objections[0].about), (1, 2));
        change(&mut plan);
        named(check(&plan, &world.input()))
    };
    assert_eq!(faults(&|_| ()), Vec::<String>::new());
    assert_eq!(faults(&|plan| plan.lifts.clear()), ["LiftedByNobody"]);
    assert_eq!(faults(&|plan| plan.lifts[0].because = "else".to_owned()), ["LiftedByNobody"]);
    assert_eq!(faults(&|plan| plan.lifts[0].code = "cap-group".to_owned()), ["LiftedByNobody"]);
    assert_eq!(faults(&|plan| plan.lifts.push(plan.lifts[0].clone())), ["LiftedByNobody"]);
    assert_eq!(faults(&|plan| plan.objections[0].held = 1), ["LiftedAndHeld"]);
    assert_eq!(faults(&|plan| plan.objections[0].lifted = None), ["NotHeld"]);
    let as_if = |code: &'static str| {
        move |plan: &mut Plan| {
            plan.objections[0].code = code.to_owned();
            plan.lifts[0].code = code.to_owned();
        }
    };
    for code in ["protected", "protected-unknown", "lease-missing", "rule-conflict"] {
        assert_eq!(faults(&as_if(code)), ["NeverLifted"], "{code}");
    }
}

#[test]
fn each_objection_knows_what_it_is_about() {
    let faults = |code: &str, facts: &[(&str, serde_json::Value)]| {
        let world = lifted();
        let mut plan = plan(&world.input()).unwrap();
        let objection = &mut plan.objections[0];
        objection.code = code.to_owned();
        objection.lifted = None;
        for (key, value) in facts {
            objection.facts.insert((*key).to_owned(), value.clone());
        }
        check(&plan, &world.input()).len()
    };
    let group = |name: &str| [("group", name.into())];
    let lease = |name: &str, most: i64| [("policy", name.into()), ("mostSeconds", most.into())];
    for code in ["cap-run", "cap-fleet", "cap-rolling", "protected-unknown"] {
        assert_eq!(faults(code, &[]), 2, "{code}");
    }
    let own = fleet().machines[0].group.clone();
    assert_eq!((faults("cap-group", &group(&own)), faults("cap-group", &group("Else"))), (2, 0));
    assert_eq!(faults("max-lease", &lease("ir", 60)), 2);
    assert_eq!(faults("max-lease", &lease("else", 60)), 0);
    assert_eq!(faults("max-lease", &lease("ir", 366 * 86_400)), 0);
    assert_eq!((faults("lease-missing", &[]), faults("of-tomorrow", &[])), (0, 0));
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
    let controllers = |world: &mut World| {
        world.workspace.guardrails.domain_controllers.also = Some(tag("ir"));
    };
    assert_eq!(faults_with(controllers), ["DomainController"]);
    let excepted = |world: &mut World| {
        let rails = &mut world.workspace.guardrails.domain_controllers;
        rails.also = Some(tag("ir"));
        rails.except = Some(DeviceExpr::Everything);
    };
    assert_eq!(faults_with(excepted), Vec::<String>::new());
    let runs = |world: &mut World| {
        world.around.runner = Some(Runner::new(["PC-2.corp.example".to_owned()], []));
    };
    assert_eq!(faults_with(runs), ["SelfLockout"]);
    let offboards = |allow: fn(&mut World)| {
        let mut world = World::new();
        allow(&mut world);
        let mut plan = plan(&world.input()).unwrap();
        plan.changes[0].verb = Verb::Offboard;
        named(check(&plan, &world.input())).contains(&"Destructive".to_owned())
    };
    assert!(offboards(|_| ()));
    assert!(!offboards(|world| {
        world.workspace.guardrails.destructive.insert(Verb::Offboard);
    }));
    assert!(!offboards(|world| {
        let (code, because) = ("destructive".to_owned(), "IR-7781".to_owned());
        world.around.lifts.push(Lift { code, because });
    }));
    let exempted = |world: &mut World| {
        let expires = crate::model::Span::from_hours(1).after(now());
        let facets = [Facet::Isolation];
        world.policies.exemptions.push(exempt("vip", tag("ir"), &facets, expires));
    };
    assert_eq!(faults_with(exempted), ["Exempt"]);
    let unread = |world: &mut World| world.inventories = [fleet().lacks(What::Actions).build()];
    assert_eq!(faults_with(unread), ["Unknown"]);
    let maybe_exempt = |world: &mut World| {
        let expires = crate::model::Span::from_hours(1).after(now());
        let (facets, devices) = ([Facet::Isolation], by_alert());
        world.policies.exemptions.push(exempt("vip", devices, &facets, expires));
    };
    assert_eq!(faults_with(maybe_exempt), Vec::<String>::new());
    let silent = |world: &mut World| {
        maybe_exempt(world);
        world.inventories = [fleet().lacks(What::Alerts).build()];
    };
    assert_eq!(faults_with(silent), ["Unknown"]);
    for unguarded in [
        |rails: &mut Guardrails| rails.protected = Some(by_alert()),
        |rails: &mut Guardrails| rails.domain_controllers.also = Some(by_alert()),
    ] {
        let silent = |world: &mut World| {
            unguarded(&mut world.workspace.guardrails);
            world.inventories = [fleet().lacks(What::Alerts).build()];
        };
        assert_eq!(faults_with(silent), ["Unknown"]);
    }
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

/// A world whose policy goes out in two waves, one device first.
fn staged() -> World {
    let mut world = World::new();
    let rollout = Rollout::in_waves(vec![Limit::Count(1)]);
    world.policies.isolation[0].containment.rollout = Some(rollout);
    world
}

#[test]
fn waves_that_are_not_as_their_policies_say() {
    let faults = |change: &dyn Fn(&mut Plan)| {
        let world = staged();
        let mut plan = plan(&world.input()).unwrap();
        assert_eq!(plan.changes.last().unwrap().wave, 2, "one isolation waits");
        change(&mut plan);
        named(check(&plan, &world.input()))
    };
    let isolation = |plan: &Plan, wave| {
        let is = |change: &Change| change.verb == Verb::Isolate && change.wave == wave;
        plan.changes.iter().position(is).unwrap()
    };
    assert_eq!(faults(&|_| ()), Vec::<String>::new());
    let more = |plan: &mut Plan| plan.rollouts[0].waves[0].changes = 2;
    assert_eq!(faults(&more), ["Count"]);
    let gone = |plan: &mut Plan| plan.rollouts.clear();
    assert_eq!(faults(&gone), ["NoRollout"]);
    let empty = |plan: &mut Plan| plan.rollouts[0].waves.push(Wave::default());
    assert_eq!(faults(&empty), ["EmptyWave"]);
    let baked = |plan: &mut Plan| plan.rollouts[0].bake_seconds = 60;
    assert_eq!(faults(&baked), ["OtherBake"]);
    let at_once = |plan: &mut Plan| {
        let first = isolation(plan, 1);
        plan.changes[first].rollout = None;
    };
    assert_eq!(faults(&at_once), ["Count", "OtherRollout"]);
    let unnamed = |plan: &mut Plan| plan.changes.last_mut().unwrap().rollout = None;
    assert_eq!(faults(&unnamed), ["Count", "NoRollout", "OtherRollout"]);
    let gated = |plan: &mut Plan| {
        let is = |change: &&mut Change| change.verb == Verb::Release;
        let release = plan.changes.iter_mut().find(is).unwrap();
        release.rollout = Some("IsolationSet/ir".to_owned());
    };
    assert_eq!(faults(&gated), ["Count", "Gated", "OtherRollout"]);
    let high = |plan: &mut Plan| {
        let first = isolation(plan, 1);
        plan.changes[first].target.value = Some(DeviceValue::High);
    };
    assert_eq!(faults(&high), ["HighValueFirst"]);
    let twice = |plan: &mut Plan| {
        let again = plan.rollouts[0].clone();
        plan.rollouts.push(again);
    };
    assert!(faults(&twice).contains(&"Unsorted".to_owned()));
}

#[test]
fn a_rollout_that_only_the_plan_or_only_the_policies_have() {
    let (policies, world) = (|world: &mut World| world.policies = World::new().policies, staged());
    let mut plan = plan(&world.input()).unwrap();
    let mut without = staged();
    policies(&mut without);
    assert_eq!(named(check(&plan, &without.input())), ["OtherRollout", "OtherBake"]);
    plan.rollouts.clear();
    for change in &mut plan.changes {
        (change.rollout, change.wave) = (None, 1);
    }
    let faults = named(check(&plan, &world.input()));
    assert!(faults.contains(&"OtherRollout".to_owned()), "{faults:?}");
}

#[test]
fn what_code_execution_starts_from_is_read_too() {
    let restricted = || fleet().by_us("pc-3", RestrictCodeExecution, Succeeded, ago(5), "gone");
    let mut world = World::new();
    world.policies.restriction = vec![restrict("kiosks", tag("ir"))];
    world.inventories = [restricted().build()];
    let plan = plan(&world.input()).unwrap();
    let mut faults = |fleet: Fleet| {
        world.inventories = [fleet.build()];
        named(check(&plan, &world.input()))
    };
    assert_eq!(faults(restricted()), Vec::<String>::new());
    let taken = restricted().by_hand("pc-1", RestrictCodeExecution, Succeeded, ago(1));
    assert_eq!(faults(taken), ["WrongStart"]);
    // Released although nobody had taken it.
    assert_eq!(faults(fleet()), ["ForeignRelease", "WrongStart"]);
    let mut free = restricted();
    free.actions.remove(0);
    assert_eq!(faults(free), ["ForeignRelease", "WrongStart"]);
}

#[test]
fn scans_rest_on_antivirus_health_and_nothing_else_does() {
    let unread = |world: &mut World| world.inventories = [fleet().lacks(What::AvHealth).build()];
    assert_eq!(faults_with(unread), Vec::<String>::new());
    let mut world = World::new();
    world.policies.scans = vec![scan("daily", tag("ir"), "0 8 * * *")];
    let plan = plan(&world.input()).unwrap();
    assert!(plan.changes.iter().any(|change| change.verb == Verb::Scan));
    unread(&mut world);
    assert_eq!(named(check(&plan, &world.input())), ["Unknown"]);
}
