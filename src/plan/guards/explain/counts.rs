//! The numbers that each guardrail tells, below its limit and above it, and that they are those by
//! which it holds.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::tests::{of, over};
use super::*;
use crate::model::ActionKind::{Isolate, Unisolate};
use crate::model::ActionStatus::Succeeded;
use crate::model::Span;
use crate::plan::Circumstances;
use crate::plan::circumstances::{LastRun, LastSeen, Runner};
use crate::plan::guards::tests::percent;
use crate::plan::tests::fleet::{Fleet, Machine, TENANT_ID, ago};
use crate::plan::tests::policies::{isolate, set, tag, workspace};
use crate::plan::tests::{drawn, planned_around};
use crate::plan::types::Baseline;
use crate::policy::schedule::Cron;
use crate::policy::{PolicySet, SourceText, Workspace};

/// Four servers and four office devices; the servers are wanted.
fn fleet() -> Fleet {
    let servers = (1..5).map(|n| Machine::new(&format!("srv-{n}")).group("Servers").tag("ir"));
    Fleet::of(servers.chain((1..5).map(|n| Machine::new(&format!("pc-{n}")))))
}

fn wanting() -> PolicySet {
    PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() }
}

fn rails(fleet: Fleet, workspace: &Workspace) -> Vec<Guardrail> {
    over(fleet, &wanting(), workspace, &Circumstances::default())
}

/// Whether it objects, how many changes it is about, how far it is from its limit, and these facts.
#[track_caller]
fn check(
    rails: &[Guardrail],
    code: &str,
    at: usize,
    expected: (bool, u32, Option<u64>),
    facts: &[(&str, Value)],
) {
    let counted = &of(rails, code)[0].counted[at];
    let left = counted.left.or(counted.left_seconds);
    assert_eq!((counted.over, counted.about, left), expected, "{counted:?}");
    for (key, value) in facts {
        assert_eq!(&counted.facts[*key], value, "{key}: {counted:?}");
    }
}

#[test]
fn devices_that_nothing_may_restrict_are_counted_with_the_changes_that_would() {
    let mut workspace = workspace();
    workspace.guardrails.protected = Some(tag("vip"));
    let mut fleet = fleet();
    fleet.machines[7].tags.push("vip".to_owned());
    fleet.machines[6].tags.push("adc".to_owned());
    let facts = |devices: u32, hits: u32| {
        [("devices", devices.into()), ("hits", hits.into()), ("changes", 4.into())]
    };
    let told = rails(fleet.clone(), &workspace);
    check(&told, "protected", 0, (false, 0, None), &facts(1, 0));
    check(&told, "domain-controller", 0, (false, 0, None), &facts(1, 0));
    fleet.machines[0].tags.extend(["vip".to_owned(), "adc".to_owned()]);
    let told = rails(fleet.clone(), &workspace);
    check(&told, "protected", 0, (true, 1, None), &facts(2, 1));
    check(&told, "domain-controller", 0, (true, 1, None), &facts(2, 1));
    for (host, hits) in [("pc-2", 0), ("srv-2", 1)] {
        let runner = Some(Runner::new([host.to_owned()], []));
        let around = Circumstances { runner, ..Circumstances::default() };
        let told = over(fleet.clone(), &wanting(), &workspace, &around);
        check(&told, "self-lockout", 0, (hits > 0, hits, None), &facts(1, hits));
    }
}

#[test]
fn a_group_says_how_many_more_may_be_taken_from_it() {
    let mut workspace = workspace();
    workspace.guardrails.remaining = Remaining { least: percent(25), groups_from: 4 };
    let mut fleet = fleet();
    fleet.machines[0].tags.clear();
    fleet.machines[1].tags.clear();
    let told = rails(fleet.clone(), &workspace);
    check(&told, "remaining", 0, (false, 2, Some(1)), &[("free", 2.into()), ("least", 1.into())]);
    workspace.guardrails.remaining.least = percent(75);
    check(&rails(fleet, &workspace), "remaining", 0, (true, 2, None), &[("free", 2.into())]);
}

#[test]
fn times_say_how_long_ago_and_how_much_is_left() {
    let mut workspace = workspace();
    workspace.guardrails.dwell = Span::from_hours(2);
    workspace.guardrails.cooldown = Span::from_hours(2);
    let placed = |hours| {
        let fleet = fleet().by_us("pc-1", Isolate, Succeeded, ago(hours), "ir");
        fleet.last_action(|action| action.updated = ago(hours))
    };
    let since = |hours: u64| [("sinceSeconds", (hours * 3_600).into()), ("changes", 1.into())];
    let told = rails(placed(5), &workspace);
    check(&told, "dwell", 0, (false, 0, Some(3 * 3_600)), &since(5));
    check(&rails(placed(1), &workspace), "dwell", 0, (true, 1, None), &since(1));
    check(&told, "cooldown", 0, (false, 0, None), &[]);

    let released = |hours| {
        let fleet = fleet().by_us("srv-1", Isolate, Succeeded, ago(24), "ir");
        let fleet = fleet.by_us("srv-1", Unisolate, Succeeded, ago(hours), "ir");
        fleet.last_action(|action| action.updated = ago(hours))
    };
    let told = rails(released(3), &workspace);
    check(&told, "cooldown", 0, (false, 0, Some(3_600)), &since(3));
    check(&rails(released(1), &workspace), "cooldown", 0, (true, 1, None), &since(1));
    check(&told, "dwell", 0, (false, 0, None), &[]);
}

#[test]
fn leases_say_how_long_the_longest_is_and_how_many_have_none() {
    let mut workspace = workspace();
    workspace.guardrails.max_lease = Span::from_hours(73);
    let longest = [("leaseSeconds", (72 * 3_600).into())];
    let told = rails(fleet(), &workspace);
    check(&told, "max-lease", 0, (false, 0, Some(3_600)), &longest);
    check(&told, "lease-missing", 0, (false, 0, None), &[("without", 0.into())]);
    workspace.guardrails.max_lease = Span::from_hours(71);
    check(&rails(fleet(), &workspace), "max-lease", 0, (true, 4, None), &longest);
    // What is in force is counted from its start, whether a plan changes anything or not.
    workspace.guardrails.max_lease = Span::from_hours(73);
    let kept = (1..5).fold(fleet(), |fleet, n| {
        fleet.by_us(&format!("srv-{n}"), Isolate, Succeeded, ago(20), "ir")
    });
    check(&rails(kept, &workspace), "max-lease", 0, (false, 0, Some(3_600)), &longest);
}

#[test]
fn a_freeze_says_when_it_opens_next_and_what_it_would_hold() {
    let freeze = |cron: &str| Freeze {
        name: Arc::from("closing"),
        cron: Cron::parse(cron).unwrap(),
        zone: jiff::tz::TimeZone::UTC,
        window: Span::from_hours(1),
        verbs: BTreeSet::new(),
    };
    let mut workspace = workspace();
    workspace.guardrails.freeze = vec![freeze("0 12 * * *"), freeze("30 9 * * *")];
    let told = rails(fleet(), &workspace);
    let opens = [("opens", "2026-11-23T12:00:00Z".into())];
    check(&told, "freeze-window", 0, (false, 4, Some(2 * 3_600)), &opens);
    check(&told, "freeze-window", 1, (true, 4, None), &[("ends", "2026-11-23T10:30:00Z".into())]);
}

#[test]
fn jumps_say_how_far_counts_may_still_move_either_way() {
    let workspace = workspace();
    let devices = |devices: u32| {
        let counts = Baseline { devices, selected: [("IsolationSet/ir".to_owned(), 9)].into() };
        let seen = LastSeen { run: "run-1".to_owned(), counts };
        let last = LastRun { tenants: [(TENANT_ID.to_owned(), seen)].into(), ..LastRun::default() };
        over(fleet(), &wanting(), &workspace, &Circumstances { last, ..Circumstances::default() })
    };
    // At most ten more or fewer: from 15 to 8 leaves three fewer, or seven back and ten more.
    let told = devices(15);
    check(&told, "inventory-shrank", 0, (false, 4, Some(3)), &[("before", 15.into())]);
    check(&told, "inventory-grew", 0, (false, 4, Some(17)), &[("now", 8.into())]);
    // Nine selected before and four now, at most 25.
    check(&told, "selection-shrank", 0, (false, 0, Some(20)), &[("now", 4.into())]);
    check(&told, "selection-grew", 0, (false, 4, Some(30)), &[("before", 9.into())]);
    check(&devices(19), "inventory-shrank", 0, (true, 4, None), &[("limit", 10.into())]);
    let first = rails(fleet(), &workspace);
    check(&first, "inventory-shrank", 0, (false, 4, None), &[("now", 8.into())]);
    assert!(!of(&first, "inventory-shrank")[0].counted[0].facts.contains_key("before"));
}

#[test]
fn releases_of_a_policy_that_is_gone_and_rules_are_counted() {
    let orphaned = fleet().by_us("pc-1", Isolate, Succeeded, ago(5), "gone");
    let mut workspace = workspace();
    workspace.guardrails.hold_orphaned_releases = true;
    check(&rails(fleet(), &workspace), "orphaned-releases", 0, (false, 0, None), &[]);
    let told = rails(orphaned.clone(), &workspace);
    check(&told, "orphaned-releases", 0, (true, 1, None), &[("devices", 1.into())]);
    check(&told, "released-by-hand", 0, (false, 0, None), &[("asked", 0.into())]);
    check(&told, "destructive", 0, (false, 0, None), &[("state", "off".into())]);
    workspace.guardrails.hold_orphaned_releases = false;
    let told = rails(orphaned, &workspace);
    check(&told, "orphaned-releases", 0, (false, 1, None), &[("devices", 1.into())]);

    let rules = |text: &str| {
        let file = SourceText { file: "guardrails/own.rego".into(), text: text.into() };
        let policies = PolicySet { rules: vec![file], ..wanting() };
        over(fleet(), &policies, &workspace, &Circumstances::default())
    };
    let told =
        rules("package own\ndeny contains \"no\"\nwarn contains m if some m in [\"a\", \"b\"]\n");
    let facts = [("files", 1.into()), ("denials", 1.into()), ("warnings", 2.into())];
    check(&told, "rego-failed", 0, (false, 0, None), &facts);
    assert!(of(&told, "rego-own").iter().any(|rail| rail.counted.iter().any(|it| it.note)));
    let told = rules("package own\ndeny contains 7\n");
    check(&told, "rego-failed", 0, (true, 4, None), &[("line", 2.into())]);
    assert_eq!(of(&told, "rego-failed").len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    /// Explaining objects to exactly what the plan objects to, with the same numbers.
    #[test]
    fn what_is_explained_is_what_holds(seed: u64) {
        let (fleet, policies, workspace) = drawn(seed);
        let around = Circumstances::default();
        let plan = planned_around(&around, &policies, &workspace, fleet.build());
        let told = over(fleet, &policies, &workspace, &around);
        let told = told.iter().flat_map(|rail| &rail.counted).filter(|it| it.over || it.note);
        // What is over without a change of this plan is told here only.
        let told = told.filter(|it| !it.facts.contains_key("beyond"));
        let mut told: Vec<&Counted> = told.collect();
        for objection in plan.objections.iter().filter(|it| lifting(&it.code).is_some()) {
            let at = told.iter().position(|it| {
                (&it.code, &it.scope, it.verb, it.about)
                    == (&objection.code, &objection.scope, objection.verb, objection.about)
                    && objection.facts.iter().all(|(key, fact)| it.facts.get(key) == Some(fact))
            });
            let Some(at) = at else { panic!("{objection:?} is not among {told:?}") };
            told.swap_remove(at);
        }
        prop_assert!(told.is_empty(), "{:?}", told);
    }
}
