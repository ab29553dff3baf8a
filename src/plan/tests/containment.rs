//! Isolation and code execution: one device at a time, one thing changed at a time.

use std::sync::Arc;

use super::fleet::{Fleet, Machine, ago, at, marked, now};
use super::policies::{exempt, isolate, restrict, set, tag, workspace};
use super::{planned, rows};
use crate::inventory::What;
use crate::model::ActionKind::{Isolate, RestrictCodeExecution, Unisolate};
use crate::model::ActionStatus::{Cancelled, Failed, InProgress, Pending, Succeeded, TimeOut};
use crate::model::{DeviceValue, Facet, Health, Isolation, IsolationMode, Onboarding, Span};
use crate::plan::types::{Disposition, Plan, Risk};
use crate::policy::PolicySet;
use crate::policy::selector::DeviceExpr;
use crate::policy::set::{IsolationPolicy, Lease, Mode, OnExpiry};

fn tagged(name: &str) -> Machine {
    Machine::new(name).tag("ir")
}

fn policy() -> IsolationPolicy {
    isolate("ir", tag("ir"))
}

fn with(policies: impl IntoIterator<Item = IsolationPolicy>) -> PolicySet {
    PolicySet { isolation: policies.into_iter().collect(), ..set() }
}

fn check(policies: &PolicySet, fleet: &Fleet, expected: &[&str]) -> Plan {
    let plan = planned(policies, &workspace(), fleet.build());
    assert_eq!(rows(&plan), expected);
    plan
}

#[test]
fn a_selected_free_device_is_isolated() {
    let fleet = Fleet::of([tagged("pc-1"), Machine::new("pc-2")]);
    let plan = check(&with([policy()]), &fleet, &["do isolate pc-1 free -> full"]);
    let change = &plan.changes[0];
    assert_eq!(change.parameters.isolation_type.as_deref(), Some("Full"));
    assert_eq!(change.lease_end, Some(at("2026-11-26T10:00:00Z")));
    assert_eq!(change.because[0].terms, ["tag=ir"]);
    assert_eq!((change.wave, change.risk), (1, Risk::Medium));
    assert_eq!(change.expects.value, "free");
    assert_eq!(
        change.parameters.comment,
        Some(format!("for a test [palisade contoso-soc/ir {} until 2026-11-26T10:00Z]", change.id))
    );
    assert_eq!(plan.summary.total, 2);
    assert_eq!(plan.summary.dispositions[&Disposition::Unchanged], 1);
}

#[test]
fn what_is_as_wanted_is_unchanged() {
    let fleet = Fleet::of([tagged("pc-1")]).by_us("pc-1", Isolate, Succeeded, ago(2), "ir");
    check(&with([policy()]), &fleet, &[]);
}

#[test]
fn attempts_that_did_not_succeed_change_nothing() {
    for status in [Failed, TimeOut, Cancelled] {
        let fleet = Fleet::of([tagged("pc-1")]).by_us("pc-1", Isolate, status, ago(2), "ir");
        let plan = check(&with([policy()]), &fleet, &["do isolate pc-1 free -> full"]);
        assert_eq!(plan.changes[0].expects.evidence.as_deref(), Some("action-00000"));
    }
}

#[test]
fn the_strongest_policy_wins_and_all_are_reasons_whatever_their_order() {
    let mut weak = isolate("a-weak", tag("ir"));
    weak.isolation = IsolationMode::Selective;
    weak.containment.lease = Lease::For(Span::from_days(30));
    let fleet = Fleet::of([tagged("pc-1")]);
    for policies in [[weak.clone(), policy()], [policy(), weak.clone()]] {
        let plan = check(&with(policies), &fleet, &["do isolate pc-1 free -> full"]);
        let names: Vec<_> = plan.changes[0].because.iter().map(|why| &*why.name).collect();
        assert_eq!(names.len(), 2);
        assert_eq!(plan.changes[0].lease_end, Some(at("2026-12-23T10:00:00Z")), "latest end");
    }
}

#[test]
fn a_lease_that_has_ended_releases_and_is_spent() {
    let fleet = Fleet::of([tagged("pc-1")]).by_us("pc-1", Isolate, Succeeded, ago(73), "ir");
    let plan = check(&with([policy()]), &fleet, &["do release pc-1 full -> free (lease-ended)"]);
    let comment = plan.changes[0].parameters.comment.clone().unwrap();
    assert!(comment.starts_with("lease ended: ir [palisade contoso-soc/ir "), "{comment}");
    // Our own release, as it will be read later.
    let after = fleet.action("pc-1", Unisolate, Succeeded, ago(1), &comment, "palisade");
    check(&with([policy()]), &after, &["held pc-1 isolation lease-spent"]);
    let mut renewed = policy();
    renewed.containment.renewal = 2;
    check(&with([renewed]), &after, &["do isolate pc-1 free -> full"]);
    // A policy that shared the lease is spent too, another one is not.
    check(&with([isolate("other", tag("ir"))]), &after, &["do isolate pc-1 free -> full"]);
}

#[test]
fn a_policy_that_shared_a_lease_does_not_take_the_device_again() {
    let mut longer = isolate("longer", tag("ir"));
    longer.containment.lease = Lease::For(Span::from_days(4));
    let both = with([policy(), longer]);
    let fleet = Fleet::of([tagged("pc-1")]).by_us("pc-1", Isolate, Succeeded, ago(80), "longer");
    check(&both, &fleet, &[]);
    let fleet = Fleet::of([tagged("pc-1")]).by_us("pc-1", Isolate, Succeeded, ago(97), "longer");
    let plan = check(&both, &fleet, &["do release pc-1 full -> free (lease-ended)"]);
    let comment = plan.changes[0].parameters.comment.clone().unwrap();
    let after = fleet.action("pc-1", Unisolate, Succeeded, ago(0), &comment, "palisade");
    let later = after.build();
    let plan = planned(&both, &workspace(), later);
    assert_eq!(rows(&plan), ["held pc-1 isolation lease-spent"]);
}

#[test]
fn leases_that_are_left_follow_each_other_without_a_gap() {
    let mut twice = policy();
    twice.containment.renewal = 2;
    let held = Fleet::of([tagged("pc-1")]).by_us("pc-1", Isolate, Succeeded, ago(73), "ir");
    check(&with([twice.clone()]), &held, &[]);
    let longer = Fleet::of([tagged("pc-1")]).by_us("pc-1", Isolate, Succeeded, ago(145), "ir");
    check(&with([twice]), &longer, &["do release pc-1 full -> free (lease-ended)"]);
}

#[test]
fn a_policy_whose_lease_is_spent_has_no_say_in_what_another_placed() {
    let spent = marked("contoso-soc", "ir").replace("for a test", "lease ended: ir");
    let fleet = Fleet::of([tagged("pc-1")])
        .by_us("pc-1", Isolate, Succeeded, ago(100), "ir")
        .action("pc-1", Unisolate, Succeeded, ago(20), &spent, "palisade")
        .by_us("pc-1", Isolate, Succeeded, ago(5), "gone");
    check(&with([policy()]), &fleet, &["do release pc-1 full -> free (policy-gone)"]);
}

#[test]
fn a_lease_that_runs_is_kept_when_renewals_are_lowered_however_long_the_name() {
    for name in ["ir".to_owned(), "n".repeat(63)] {
        let spent =
            marked("contoso-soc", &name).replace("for a test", &format!("lease ended: {name}"));
        let fleet = Fleet::of([tagged("pc-1")])
            .by_us("pc-1", Isolate, Succeeded, ago(200), &name)
            .action("pc-1", Unisolate, Succeeded, ago(120), &spent, "palisade")
            .by_us("pc-1", Isolate, Succeeded, ago(5), &name);
        // Placed when `renewal` was 2, now 1: the lease that was begun is still the policy's own.
        check(&with([isolate(&name, tag("ir"))]), &fleet, &[]);
    }
}

#[test]
fn extending_a_lease_is_an_edit_that_touches_no_device() {
    let fleet = Fleet::of([tagged("pc-1")]).by_us("pc-1", Isolate, Succeeded, ago(73), "ir");
    let mut longer = policy();
    longer.containment.lease = Lease::For(Span::from_hours(96));
    check(&with([longer.clone()]), &fleet, &[]);
    longer.containment.lease = Lease::Until(at("2026-11-24T00:00:00Z"));
    check(&with([longer]), &fleet, &[]);
}

#[test]
fn until_bounds_taking_too() {
    let mut past = policy();
    past.containment.lease = Lease::Until(ago(1));
    let fleet = Fleet::of([tagged("pc-1")]);
    check(&with([past.clone()]), &fleet, &["held pc-1 isolation lease-spent"]);
    let held = fleet.by_us("pc-1", Isolate, Succeeded, ago(5), "ir");
    check(&with([past]), &held, &["do release pc-1 full -> free (lease-ended)"]);
}

#[test]
fn an_ended_lease_may_hold_instead() {
    let mut policy = policy();
    policy.containment.on_expiry = OnExpiry::Hold;
    let fleet = Fleet::of([tagged("pc-1")]).by_us("pc-1", Isolate, Succeeded, ago(73), "ir");
    check(&with([policy]), &fleet, &["held pc-1 isolation on-expiry-hold"]);
}

#[test]
fn a_device_that_nobody_wants_any_longer_is_released_with_the_reason() {
    let fleet = Fleet::of([Machine::new("pc-1")]).by_us("pc-1", Isolate, Succeeded, ago(2), "ir");
    let released = |code: &str| format!("do release pc-1 full -> free ({code})");
    check(&with([policy()]), &fleet, &[&released("no-longer-selected")]);
    check(&with([]), &fleet, &[&released("policy-gone")]);
    let mut audit = policy();
    audit.containment.mode = Mode::Audit;
    check(&with([audit]), &fleet, &[&released("policy-in-audit")]);
    // Another policy that still wants it keeps it.
    check(&with([isolate("other", DeviceExpr::Everything)]), &fleet, &[]);
    // Selected again, the device is contained again: that lease was not spent.
    let again = Fleet { machines: vec![tagged("pc-1")], ..fleet };
    let comment = marked("contoso-soc", "ir");
    let again = again.action("pc-1", Unisolate, Succeeded, ago(1), &comment, "palisade");
    check(&with([policy()]), &again, &["do isolate pc-1 free -> full"]);
}

#[test]
fn what_a_person_released_is_not_taken_again_by_the_same_policy() {
    let fleet = Fleet::of([tagged("pc-1")])
        .by_us("pc-1", Isolate, Succeeded, ago(5), "ir")
        .by_hand("pc-1", Unisolate, Succeeded, ago(2));
    let plan = check(&with([policy()]), &fleet, &["held pc-1 isolation released-by-hand"]);
    assert_eq!(plan.held[0].reason.text("by").as_deref(), Some("ana@contoso.example"));
}

#[test]
fn what_somebody_else_placed_is_foreign_selected_or_not() {
    for machine in [tagged("pc-1"), Machine::new("pc-1")] {
        let fleet = Fleet::of([machine]).by_hand("pc-1", Isolate, Succeeded, ago(900));
        check(&with([policy()]), &fleet, &["foreign pc-1 isolation held-by-other"]);
        check(&with([]), &fleet, &["foreign pc-1 isolation held-by-other"]);
    }
    let comment = marked("another", "ir");
    let other =
        Fleet::of([tagged("pc-1")]).action("pc-1", Isolate, Succeeded, ago(9), &comment, "x");
    let mut adopting = policy();
    adopting.containment.adopt = true;
    let plan = check(&with([adopting]), &other, &["foreign pc-1 isolation held-by-other"]);
    assert_eq!(plan.foreign[0].reason.text("workspace").as_deref(), Some("another"));
}

#[test]
fn adoption_counts_the_wish_as_fulfilled_may_strengthen_and_never_releases() {
    let mut adopting = policy();
    adopting.containment.adopt = true;
    let fleet = Fleet::of([tagged("pc-1")]).by_hand("pc-1", Isolate, Succeeded, ago(5));
    check(&with([adopting.clone()]), &fleet, &[]);
    let selective = fleet.clone().last_action(|a| a.isolation = Some(Isolation::Selective));
    let strengthened = ["do isolate pc-1 selective -> full (adopted)"];
    check(&with([adopting.clone()]), &selective, &strengthened);
    let old = Fleet::of([tagged("pc-1")]).by_hand("pc-1", Isolate, Succeeded, ago(90));
    check(&with([adopting]), &old, &["foreign pc-1 isolation adopted-lease-ended"]);
}

#[test]
fn strengthening_is_one_more_isolation_and_weakening_waits() {
    let mut weak = policy();
    weak.isolation = IsolationMode::Selective;
    let full = Fleet::of([tagged("pc-1")]).by_us("pc-1", Isolate, Succeeded, ago(5), "ir");
    check(&with([weak.clone()]), &full, &["held pc-1 isolation weakening-needs-release"]);
    let selective = full.clone().last_action(|a| a.isolation = Some(Isolation::Selective));
    let strengthened = ["do isolate pc-1 selective -> full (strengthened)"];
    check(&with([policy()]), &selective, &strengthened);
    // The service does not say how strong: ours is taken for what we asked for.
    let unsaid = full.last_action(|a| a.isolation = None);
    check(&with([weak]), &unsaid, &[]);
}

#[test]
fn an_action_in_flight_is_waited_for_or_cancelled_when_it_is_ours_and_unwanted() {
    let ours =
        |machine, kind, status| Fleet::of([machine]).by_us("pc-1", kind, status, ago(1), "ir");
    for status in [Pending, InProgress] {
        let wanted = ours(tagged("pc-1"), Isolate, status.clone());
        check(&with([policy()]), &wanted, &["changing pc-1 isolation in-flight"]);
        let unwanted = ours(Machine::new("pc-1"), Isolate, status);
        let cancel = ["do cancel pc-1 full -> free (no-longer-selected)"];
        let plan = check(&with([policy()]), &unwanted, &cancel);
        assert_eq!(plan.changes[0].parameters.action_id.as_deref(), Some("action-00000"));
    }
    let theirs = Fleet::of([Machine::new("pc-1")]).by_hand("pc-1", Isolate, Pending, ago(1));
    check(&with([policy()]), &theirs, &["changing pc-1 isolation in-flight-foreign"]);
    let releasing = Fleet::of([tagged("pc-1")])
        .by_us("pc-1", Isolate, Succeeded, ago(5), "ir")
        .by_us("pc-1", Unisolate, Pending, ago(1), "ir");
    let cancel = ["do cancel pc-1 free -> full (no-longer-wanted)"];
    check(&with([policy()]), &releasing, &cancel);
}

#[test]
fn an_exemption_is_a_ceiling_and_keeps_hands_off() {
    let exempted = |expires| PolicySet {
        exemptions: vec![exempt("vip", DeviceExpr::Everything, &[Facet::Isolation], expires)],
        ..with([policy()])
    };
    let fleet = Fleet::of([tagged("pc-1")]);
    let later = Span::from_days(3).after(now());
    let plan = check(&exempted(later), &fleet, &["held pc-1 isolation exemption"]);
    assert_eq!(plan.held[0].reason.text("name").as_deref(), Some("vip"));
    assert_eq!(plan.held[0].because.len(), 2);
    check(&exempted(now()), &fleet, &["do isolate pc-1 free -> full"]);
    let held = fleet.clone().by_us("pc-1", Isolate, Succeeded, ago(80), "ir");
    check(&exempted(later), &held, &["held pc-1 isolation exemption"]);
    let pending = fleet.by_us("pc-1", Isolate, Pending, ago(1), "ir");
    check(&exempted(later), &pending, &["do cancel pc-1 full -> free (no-longer-wanted)"]);
}

#[test]
fn the_platform_matrix_says_what_cannot_be_done() {
    let on = |platform: &str, version: &str| {
        let mut machine = tagged("pc-1").platform(platform);
        version.clone_into(&mut machine.version);
        machine
    };
    let mut selective = policy();
    selective.isolation = IsolationMode::Selective;
    let can = "do isolate pc-1 free -> selective";
    for (machine, expected) in [
        (on("Windows11", ""), can),
        (on("Windows10", "1709"), can),
        (on("Windows10", "20H2"), can),
        (on("Windows10", "1703"), "cannot pc-1 isolation version-unsupported"),
        (on("Windows7", ""), "cannot pc-1 isolation platform-unsupported"),
        (on("WindowsServer2012R2", ""), can),
        (on("WindowsServer2008R2", ""), "cannot pc-1 isolation platform-unsupported"),
        (on("Ubuntu", ""), "cannot pc-1 isolation isolation-type-unsupported"),
        (on("iOS", ""), "cannot pc-1 isolation platform-unsupported"),
        (on("ToasterOS", ""), "cannot pc-1 isolation platform-unsupported"),
    ] {
        check(&with([selective.clone()]), &Fleet::of([machine]), &[expected]);
    }
    let mut discovered = tagged("pc-1");
    discovered.onboarding = Onboarding::CanBeOnboarded;
    check(&with([policy()]), &Fleet::of([discovered]), &["cannot pc-1 isolation not-onboarded"]);
}

#[test]
fn offline_devices_queue_unless_the_policy_says_no() {
    let mut machine = tagged("pc-1");
    machine.health = Health::Inactive;
    let fleet = Fleet::of([machine]);
    let plan = check(&with([policy()]), &fleet, &["do isolate pc-1 free -> full"]);
    assert_eq!(plan.tenants[0].offline, 1);
    let mut now_only = policy();
    now_only.containment.queue_offline = false;
    check(&with([now_only]), &fleet, &["held pc-1 isolation offline"]);
}

#[test]
fn nothing_is_done_on_what_is_not_known() {
    let fleet = Fleet::of([tagged("pc-1"), Machine::new("pc-2"), Machine::new("pc-3")])
        .by_us("pc-2", Isolate, Succeeded, ago(80), "ir")
        .lacks(What::Actions);
    let plan = check(
        &with([policy()]),
        &fleet,
        &["unknown pc-2 isolation history-partial", "unknown pc-1 isolation history-partial"],
    );
    assert!(!plan.tenants[0].complete);
}

#[test]
fn devices_that_somebody_names_and_a_partial_list_lacks_are_unknown() {
    let mut fleet = Fleet::of([tagged("pc-1")])
        .by_us("pc-9", Isolate, Succeeded, ago(80), "ir")
        .lacks(What::Devices);
    fleet.named.push("pc-8".to_owned());
    let plan = planned(&with([policy()]), &workspace(), fleet.build());
    let codes: Vec<_> = plan.unknown.iter().map(|entry| &*entry.reason.code).collect();
    assert_eq!(codes, ["device-missing", "device-missing"]);
    assert_eq!((plan.changes.len(), plan.summary.total), (1, 3));
}

#[test]
fn alerts_that_were_not_read_release_nobody() {
    use crate::policy::selector::{AlertExpr, AlertTerm, DeviceTerm};
    let severe = AlertExpr::Term(AlertTerm::Category(vec![Arc::from("Malware")]));
    let by_alert = DeviceExpr::Term(DeviceTerm::Alert(Box::new(severe)));
    let policies = with([isolate("ir", by_alert)]);
    let fleet = Fleet::of([Machine::new("pc-1")]).by_us("pc-1", Isolate, Succeeded, ago(5), "ir");
    check(&policies, &fleet, &["do release pc-1 full -> free (no-longer-selected)"]);
    let partial = fleet.lacks(What::Alerts);
    check(&policies, &partial, &["unknown pc-1 isolation selector-partial"]);
}

#[test]
fn audit_mode_shows_and_does_nothing() {
    let mut audit = policy();
    audit.containment.mode = Mode::Audit;
    let fleet = Fleet::of([tagged("pc-1")]);
    check(&with([audit.clone()]), &fleet, &["audit pc-1 isolation audit-mode"]);
    // It does not join the lattice.
    audit.header.name = "watching".into();
    let mut weak = policy();
    weak.isolation = IsolationMode::Selective;
    check(&with([weak, audit]), &fleet, &["do isolate pc-1 free -> selective"]);
}

#[test]
fn restriction_follows_the_same_rules() {
    let policies = PolicySet { restriction: vec![restrict("kiosks", tag("ir"))], ..set() };
    let fleet = Fleet::of([tagged("pc-1"), tagged("srv").platform("WindowsServer2016")]).by_us(
        "pc-2",
        RestrictCodeExecution,
        Succeeded,
        ago(1),
        "kiosks",
    );
    let plan = check(
        &policies,
        &fleet,
        &[
            "do restrict pc-1 unrestricted -> restricted",
            "cannot srv codeExecution platform-unsupported",
        ],
    );
    assert_eq!(plan.changes[0].parameters.isolation_type, None);
}

#[test]
fn a_change_of_a_device_of_high_value_is_of_high_risk() {
    let mut machine = tagged("sql-1");
    machine.value = DeviceValue::High;
    let plan = check(&with([policy()]), &Fleet::of([machine]), &["do isolate sql-1 free -> full"]);
    assert_eq!(plan.changes[0].risk, Risk::High);
}
