//! By which rollout a change goes, and what the plan says about its waves.

use super::fleet::{Fleet, Machine, ago};
use super::planned;
use super::policies::{isolate, restrict, set, tag, workspace};
use crate::model::ActionKind::Isolate;
use crate::model::ActionStatus::{Pending, Succeeded};
use crate::model::{DeviceValue, IsolationMode, Span, Verb};
use crate::plan::types::{Plan, Rollout as Published, Wave};
use crate::policy::PolicySet;
use crate::policy::rollout::{Pause, Rollout};
use crate::policy::set::IsolationPolicy;
use crate::policy::workspace::Limit;

fn share(percent: u32) -> Limit {
    Limit::Share { basis_points: percent * 100, at_least: 1 }
}

/// Ten percent first, then half, then the rest.
fn staged() -> Rollout {
    Rollout {
        bake: Span::from_secs(1_800),
        pause: Pause::First,
        ..Rollout::in_waves(vec![share(10), share(50)])
    }
}

fn fleet(count: usize) -> Fleet {
    Fleet::of((0..count).map(|n| Machine::new(&format!("pc-{n:02}")).tag("ir")))
}

fn policy(name: &str, rollout: Option<Rollout>) -> IsolationPolicy {
    let mut policy = isolate(name, tag("ir"));
    policy.containment.rollout = rollout;
    policy
}

fn isolating(policies: impl IntoIterator<Item = IsolationPolicy>) -> PolicySet {
    PolicySet { isolation: policies.into_iter().collect(), ..set() }
}

fn sizes(plan: &Plan) -> Vec<usize> {
    let last = plan.changes.iter().map(|change| change.wave).max().unwrap_or(0);
    let size = |wave| plan.changes.iter().filter(|change| change.wave == wave).count();
    (1..=last).map(size).collect()
}

#[test]
fn the_plan_says_the_numbers_of_every_wave() {
    let policies = isolating([policy("ir", Some(staged()))]);
    let plan = planned(&policies, &workspace(), fleet(25).build());
    assert_eq!(sizes(&plan), [2, 12, 11]);
    let wave = |changes, failure_limit, offline_limit, pause| Wave {
        changes,
        failure_limit,
        offline_limit,
        pause,
    };
    let expected = Published {
        tenant: "contoso".to_owned(),
        policy: "IsolationSet/ir".to_owned(),
        bake_seconds: 1_800,
        // A tenth of 2, 14 and 25 changes; half of 2, 12 and 11.
        waves: vec![wave(2, 1, 1, true), wave(12, 1, 6, false), wave(11, 2, 5, false)],
    };
    assert_eq!(plan.rollouts, [expected]);
    let named = |change: &crate::plan::Change| change.rollout.as_deref() == Some("IsolationSet/ir");
    assert!(plan.changes.iter().all(named));
}

#[test]
fn pauses_are_where_the_author_wants_them() {
    for (pause, expected) in [
        (Pause::Never, [false, false, false]),
        (Pause::First, [true, false, false]),
        (Pause::Each, [true, true, false]),
    ] {
        let policies = isolating([policy("ir", Some(Rollout { pause, ..staged() }))]);
        let plan = planned(&policies, &workspace(), fleet(10).build());
        let pauses: Vec<bool> = plan.rollouts[0].waves.iter().map(|wave| wave.pause).collect();
        assert_eq!(pauses, expected, "{pause:?}");
    }
}

#[test]
fn without_a_rollout_there_are_no_waves() {
    let plan = planned(&isolating([policy("ir", None)]), &workspace(), fleet(10).build());
    assert_eq!(sizes(&plan), [10]);
    assert!(plan.rollouts.is_empty() && plan.changes.iter().all(|it| it.rollout.is_none()));
}

#[test]
fn of_several_policies_the_first_by_name_leads_and_one_without_a_rollout_is_not_held_up() {
    let counted = |count| Some(Rollout::in_waves(vec![Limit::Count(count)]));
    let both = isolating([policy("a", counted(3)), policy("b", counted(1))]);
    let plan = planned(&both, &workspace(), fleet(10).build());
    assert_eq!(sizes(&plan), [3, 7]);
    assert_eq!(plan.rollouts.len(), 1);
    assert_eq!(plan.rollouts[0].policy, "IsolationSet/a");

    let urgent = isolating([policy("a", counted(3)), policy("b", None)]);
    assert_eq!(sizes(&planned(&urgent, &workspace(), fleet(10).build())), [10]);

    // One that wants less does not decide.
    let mut weaker = policy("a", None);
    weaker.isolation = IsolationMode::Selective;
    let plan =
        planned(&isolating([weaker, policy("b", counted(2))]), &workspace(), fleet(10).build());
    assert_eq!(sizes(&plan), [2, 8]);
    assert_eq!(plan.rollouts[0].policy, "IsolationSet/b");
}

#[test]
fn each_policy_has_waves_of_its_own() {
    let mut policies = isolating([policy("ir", Some(staged()))]);
    let mut kiosks = restrict("kiosks", tag("ir"));
    kiosks.containment.rollout = Some(Rollout::in_waves(vec![share(50)]));
    policies.restriction.push(kiosks);
    let plan = planned(&policies, &workspace(), fleet(10).build());
    let names: Vec<&str> = plan.rollouts.iter().map(Published::name).collect();
    assert_eq!(names, ["kiosks", "ir"]);
    assert_eq!(sizes(&plan), [6, 10, 4]);
}

#[test]
fn what_gives_back_waits_for_no_wave() {
    let fleet = fleet(4).by_us("pc-00", Isolate, Succeeded, ago(100), "ir").by_us(
        "pc-01",
        Isolate,
        Pending,
        ago(1),
        "gone",
    );
    let mut fleet = fleet;
    fleet.machines[1].tags.clear();
    let mut policy = policy("ir", Some(staged()));
    policy.containment.renewal = 1;
    let plan = planned(&isolating([policy]), &workspace(), fleet.build());
    let back = |change: &&crate::plan::Change| change.verb != Verb::Isolate;
    let verbs: Vec<Verb> = plan.changes.iter().filter(back).map(|change| change.verb).collect();
    assert_eq!(verbs, [Verb::Release, Verb::Cancel], "{:#?}", plan.changes);
    let free = |change: &crate::plan::Change| change.wave == 1 && change.rollout.is_none();
    assert!(plan.changes.iter().filter(back).all(free));
    assert_eq!(plan.rollouts[0].waves.iter().map(|wave| wave.changes).sum::<u32>(), 2);
}

#[test]
fn high_value_never_goes_first() {
    let mut fleet = fleet(12);
    for machine in fleet.machines.iter_mut().take(9) {
        machine.value = DeviceValue::High;
    }
    let policies = isolating([policy("ir", Some(staged()))]);
    let plan = planned(&policies, &workspace(), fleet.build());
    assert_eq!(sizes(&plan), [1, 6, 5]);
    let high = plan.changes.iter().filter(|it| it.target.value == Some(DeviceValue::High));
    assert!(high.clone().count() == 9 && high.clone().all(|change| change.wave > 1));
}

#[test]
fn the_first_by_name_leads_in_whatever_order_the_policies_are() {
    let counted = |count| Some(Rollout::in_waves(vec![Limit::Count(count)]));
    let both = isolating([policy("b", counted(1)), policy("a", counted(3))]);
    let plan = planned(&both, &workspace(), fleet(10).build());
    assert_eq!((sizes(&plan), plan.rollouts[0].policy.as_str()), (vec![3, 7], "IsolationSet/a"));
}

#[test]
fn high_value_may_be_in_the_first_wave_when_there_is_no_other() {
    let mut fleet = fleet(4);
    fleet.machines[0].value = DeviceValue::High;
    let all = Rollout::in_waves(vec![share(100)]);
    let plan = planned(&isolating([policy("ir", Some(all))]), &workspace(), fleet.build());
    assert_eq!(sizes(&plan), [4]);
}
