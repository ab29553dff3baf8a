//! The very instant at which something ends, and other small differences in one device's state.

use super::fleet::{Fleet, Machine, ago, marked, marked_until, now};
use super::policies::{isolate, restrict, scan, set, tag, workspace};
use super::{planned, rows};
use crate::model::ActionKind::{Isolate, RestrictCodeExecution, Unisolate};
use crate::model::ActionStatus::{Pending, Succeeded};
use crate::model::{Isolation, IsolationMode, Span};
use crate::plan::types::Plan;
use crate::policy::PolicySet;
use crate::policy::set::{IsolationPolicy, Lease, OnExpiry, OnManualRelease};

fn tagged() -> Fleet {
    Fleet::of([Machine::new("pc-1").tag("ir")])
}

/// What the policy placed exactly so many seconds ago.
fn placed(seconds: u64) -> Fleet {
    let when = Span::from_secs(seconds).before(now());
    tagged()
        .by_us("pc-1", Isolate, Succeeded, ago(100), "ir")
        .last_action(|row| (row.created, row.updated) = (when, when))
}

fn policy(change: impl FnOnce(&mut IsolationPolicy)) -> IsolationPolicy {
    let mut policy = isolate("ir", tag("ir"));
    change(&mut policy);
    policy
}

fn with(policies: impl IntoIterator<Item = IsolationPolicy>) -> PolicySet {
    PolicySet { isolation: policies.into_iter().collect(), ..set() }
}

#[track_caller]
fn check(policies: &PolicySet, fleet: &Fleet, expected: &[&str]) -> Plan {
    let plan = planned(policies, &workspace(), fleet.build());
    assert_eq!(rows(&plan), expected);
    plan
}

/// Seconds of the lease of the tests.
const LEASE: u64 = 72 * 3_600;

// ── leases ───────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_lease_is_over_at_the_instant_at_which_it_ends() {
    let release = ["do release pc-1 full -> free (lease-ended)"];
    for (seconds, expected) in [(LEASE - 1, &[][..]), (LEASE, &release)] {
        check(&with([policy(|_| {})]), &placed(seconds), expected);
    }
    // What another one placed and a policy has adopted.
    let adopting = with([policy(|it| it.containment.adopt = true)]);
    for (seconds, expected) in
        [(LEASE - 1, &[][..]), (LEASE, &["foreign pc-1 isolation adopted-lease-ended"])]
    {
        let theirs = placed(seconds).last_action(|row| row.comment = "by hand".into());
        check(&adopting, &theirs, expected);
    }
}

#[test]
fn a_release_in_flight_is_as_wanted_from_the_end_of_the_lease_on() {
    let cancel = "do cancel pc-1 free -> full (no-longer-wanted)";
    for (seconds, expected) in [
        (LEASE - 1, cancel),
        (LEASE, "changing pc-1 isolation in-flight"),
        (LEASE + 60, "changing pc-1 isolation in-flight"),
    ] {
        let fleet = placed(seconds).by_us("pc-1", Unisolate, Pending, now(), "ir");
        check(&with([policy(|_| {})]), &fleet, &[expected]);
    }
}

#[test]
fn a_lease_that_ends_within_a_day_or_has_moved_by_a_minute() {
    let day = 24 * 3_600;
    for (seconds, listed) in [(LEASE - day - 1, 0), (LEASE - day, 1), (LEASE - 1, 1)] {
        let plan = check(&with([policy(|_| {})]), &placed(seconds), &[]);
        assert_eq!(plan.ending.len(), listed, "{seconds}");
    }
    let holding = with([policy(|it| it.containment.on_expiry = OnExpiry::Hold)]);
    let over = check(&holding, &placed(LEASE), &["held pc-1 isolation on-expiry-hold"]);
    assert_eq!(over.ending.len(), 0, "it has no lease any longer");

    let written = Span::from_hours(60).after(now());
    let comment = marked_until("contoso-soc", "ir", written);
    let fleet = tagged().action("pc-1", Isolate, Succeeded, ago(12), &comment, "palisade");
    let late = |seconds| Span::from_secs(seconds).after(written);
    let early = |seconds| Span::from_secs(seconds).before(written);
    for (until, expected) in [
        (late(60), None),
        (late(61), Some("lease-later")),
        (early(60), None),
        (early(61), Some("lease-sooner")),
    ] {
        let until = with([policy(|it| it.containment.lease = Lease::Until(until))]);
        let plan = check(&until, &fleet, &[]);
        let code = plan.leases.first().and_then(|row| row.reason.as_ref());
        assert_eq!(code.map(|reason| reason.code.as_str()), expected);
    }
}

#[test]
fn a_release_says_how_many_leases_it_ends() {
    let twice = || with([policy(|it| it.containment.renewal = 2)]);
    let release = ["do release pc-1 full -> free (lease-ended)"];
    let plan = check(&twice(), &placed(2 * LEASE), &release);
    let comment = plan.changes[0].parameters.comment.clone().unwrap();
    assert!(comment.starts_with("lease ended: ir x2 [palisade "), "{comment}");
    let after =
        placed(2 * LEASE).action("pc-1", Unisolate, Succeeded, ago(0), &comment, "palisade");
    check(&twice(), &after, &["held pc-1 isolation lease-spent"]);
}

// ── what a person released ───────────────────────────────────────────────────────────────────────

fn released(until: jiff::Timestamp) -> Fleet {
    let comment = marked_until("contoso-soc", "gone", until);
    tagged().action("pc-1", Isolate, Succeeded, ago(72), &comment, "palisade").by_hand(
        "pc-1",
        Unisolate,
        Succeeded,
        ago(20),
    )
}

#[test]
fn another_policy_may_take_the_device_from_the_end_that_was_written() {
    let policies = with([policy(|_| {})]);
    let minute = Span::from_secs(60).after(now());
    check(&policies, &released(minute), &["held pc-1 isolation released-by-hand"]);
    check(&policies, &released(now()), &["do isolate pc-1 free -> full"]);
}

#[test]
fn a_policy_that_asks_does_not_stand_in_the_way_of_one_that_may() {
    let asking = policy(|it| {
        it.header.name = "gone".into();
        it.containment.on_manual_release = OnManualRelease::Ask;
    });
    check(&with([asking.clone()]), &released(now()), &["held pc-1 isolation released-by-hand"]);
    let both = with([asking, policy(|_| {})]);
    let plan = check(&both, &released(now()), &["do isolate pc-1 free -> full"]);
    let names: Vec<&str> = plan.changes[0].because.iter().map(|why| why.name.as_str()).collect();
    assert_eq!(names, ["ir"]);
}

#[test]
fn whoever_puts_back_what_a_person_released_has_a_say_in_what_another_placed() {
    use OnManualRelease::{Ask, Reassert, Respect};
    let fleet = placed(20 * 3_600).by_hand("pc-1", Unisolate, Succeeded, ago(10)).by_us(
        "pc-1",
        Isolate,
        Succeeded,
        ago(5),
        "gone",
    );
    let release = ["do release pc-1 full -> free (policy-gone)"];
    for (what, expected) in [(Respect, &release[..]), (Ask, &release), (Reassert, &[])] {
        let policies = with([policy(|it| it.containment.on_manual_release = what)]);
        check(&policies, &fleet, expected);
    }
}

#[test]
fn a_policy_that_may_take_nothing_more_makes_nothing_stronger() {
    let over = |it: &mut IsolationPolicy| {
        it.containment.adopt = true;
        it.containment.lease = Lease::Until(ago(1));
    };
    let theirs = tagged()
        .by_hand("pc-1", Isolate, Succeeded, ago(5))
        .last_action(|row| row.isolation = Some(Isolation::Selective));
    let policies = with([policy(over)]);
    check(&policies, &theirs, &["foreign pc-1 isolation adopted-lease-ended"]);
    // Nor is what it began in vain waited for.
    let pending = tagged().by_us("pc-1", Isolate, Pending, ago(2), "ir");
    check(&policies, &pending, &["do cancel pc-1 full -> free (no-longer-wanted)"]);
}

// ── other states ─────────────────────────────────────────────────────────────────────────────────

#[test]
fn what_a_policy_that_is_gone_placed_is_let_go_in_its_name() {
    let fleet = Fleet::of(["pc-1", "pc-2"].map(Machine::new))
        .by_us("pc-1", Isolate, Succeeded, ago(5), "ir")
        .by_us("pc-2", RestrictCodeExecution, Succeeded, ago(5), "kiosks");
    let expected = [
        "do release pc-1 full -> free (policy-gone)",
        "do unrestrict pc-2 restricted -> unrestricted (policy-gone)",
    ];
    let plan = check(&set(), &fleet, &expected);
    let why = plan.changes.iter().map(|change| &change.because[0]);
    let why: Vec<_> = why.map(|why| (why.kind.as_str(), why.name.as_str())).collect();
    assert_eq!(why, [("IsolationSet", "ir"), ("CodeExecutionRestriction", "kiosks")]);
}

#[test]
fn sensors_on_unix_are_new_enough_or_their_release_is_not_known() {
    for platform in ["Ubuntu", "macOS"] {
        for (version, new) in [
            ("101.98.84", true),
            ("101.98.85", true),
            ("101.99.0", true),
            ("102.1", true),
            ("101.98.83", false),
            ("101.98", false),
            ("30.999.999", false),
            ("", true),
            ("unknown", true),
        ] {
            let mut machine = Machine::new("pc-1").tag("ir").platform(platform);
            version.clone_into(&mut machine.agent_version);
            let policies = PolicySet {
                scans: vec![scan("daily", tag("ir"), "0 8 * * *")],
                ..with([policy(|_| {})])
            };
            let plan = planned(&policies, &workspace(), Fleet::of([machine]).build());
            let old = plan.cannot.iter().filter(|row| row.reason.code == "sensor-too-old").count();
            let expected = if new { (2, 0) } else { (0, 2) };
            assert_eq!((plan.changes.len(), old), expected, "{platform} {version}");
        }
    }
}

#[test]
fn restrictions_are_not_made_on_unix_and_selective_isolation_not_on_linux() {
    let machine = |platform: &str| {
        let mut machine = Machine::new("pc-1").tag("ir").platform(platform);
        "101.99.0".clone_into(&mut machine.agent_version);
        Fleet::of([machine])
    };
    let selective = with([policy(|it| it.isolation = IsolationMode::Selective)]);
    let unsupported = ["cannot pc-1 isolation isolation-type-unsupported"];
    check(&selective, &machine("Ubuntu"), &unsupported);
    check(&selective, &machine("macOS"), &["do isolate pc-1 free -> selective"]);
    let restricting = PolicySet { restriction: vec![restrict("k", tag("ir"))], ..set() };
    for platform in ["Ubuntu", "macOS"] {
        let unsupported = ["cannot pc-1 codeExecution platform-unsupported"];
        check(&restricting, &machine(platform), &unsupported);
    }
}

#[test]
fn a_marker_of_ours_on_a_release_by_another_way_is_no_marker() {
    let comment = marked("contoso-soc", "ir").replace("for a test", "lease ended: ir");
    let pasted = placed(20 * 3_600)
        .action("pc-1", Unisolate, Succeeded, ago(5), &comment, "ana")
        .last_action(|row| row.source = "Portal".into());
    check(&with([policy(|_| {})]), &pasted, &["held pc-1 isolation released-by-hand"]);
}
