//! Scans: due, satisfied, in flight, spread, missed.

use super::fleet::{Fleet, Machine, ago, at, now};
use super::policies::{exempt, scan, set, workspace};
use super::{planned, rows};
use crate::inventory::What;
use crate::model::ActionKind::RunAntiVirusScan as Scan;
use crate::model::ActionStatus::{Failed, Pending, Succeeded};
use crate::model::{Facet, Health, ScanType, Span};
use crate::plan::types::Plan;
use crate::policy::PolicySet;
use crate::policy::schedule::Tick;
use crate::policy::selector::DeviceExpr;
use crate::policy::set::{Mode, ScanPolicy};

/// Every day at eight, which is two hours ago, until four in the afternoon.
fn daily() -> ScanPolicy {
    scan("daily", DeviceExpr::Everything, "0 8 * * *")
}

fn with(policies: impl IntoIterator<Item = ScanPolicy>) -> PolicySet {
    PolicySet { scans: policies.into_iter().collect(), ..set() }
}

fn check(policies: &PolicySet, fleet: &Fleet, expected: &[&str]) -> Plan {
    let plan = planned(policies, &workspace(), fleet.build());
    assert_eq!(rows(&plan), expected);
    plan
}

fn one() -> Fleet {
    Fleet::of([Machine::new("pc-1")])
}

#[test]
fn a_device_is_scanned_while_the_window_is_open() {
    let plan = check(&with([daily()]), &one(), &["do scan pc-1 never -> full"]);
    assert_eq!(plan.changes[0].parameters.scan_type.as_deref(), Some("Full"));
    assert_eq!(plan.changes[0].parameters.not_before, None);
    let closed = scan("early", DeviceExpr::Everything, "0 1 * * *");
    check(&with([closed.clone()]), &one(), &["held pc-1 scan window-missed"]);
    let mut made_up = closed;
    made_up.schedule.catch_up = true;
    check(&with([made_up]), &one(), &["do scan pc-1 never -> full"]);
}

#[test]
fn any_completed_scan_deep_enough_satisfies_whoever_started_it() {
    check(&with([daily()]), &one().scanned("pc-1", ScanType::Full, ago(1)), &[]);
    let shallow = one().scanned("pc-1", ScanType::Quick, ago(1));
    check(&with([daily()]), &shallow, &["do scan pc-1 never -> full"]);
    let by_hand = one()
        .by_hand("pc-1", Scan, Succeeded, ago(1))
        .last_action(|action| action.scan = Some(ScanType::Full));
    check(&with([daily()]), &by_hand, &[]);
    let old = one().scanned("pc-1", ScanType::Full, ago(3));
    check(&with([daily()]), &old, &["do scan pc-1 2026-11-23T07:00:00Z -> full"]);
}

#[test]
fn a_scan_in_flight_is_waited_for() {
    let ours = one().by_us("pc-1", Scan, Pending, ago(1), "daily");
    check(&with([daily()]), &ours, &["changing pc-1 scan in-flight"]);
    let theirs = one().by_hand("pc-1", Scan, Pending, ago(1));
    check(&with([daily()]), &theirs, &["changing pc-1 scan in-flight-foreign"]);
}

#[test]
fn a_failed_scan_waits_for_the_retry_delay() {
    let failed = one().by_us("pc-1", Scan, Failed, ago(1), "daily");
    let plan = check(&with([daily()]), &failed, &["held pc-1 scan retry-delay"]);
    assert_eq!(plan.held[0].reason.text("at").as_deref(), Some("2026-11-23T13:01:00Z"));
    let mut eager = daily();
    eager.retry_delay = Span::from_secs(600);
    check(&with([eager]), &failed, &["do scan pc-1 never -> full"]);
}

#[test]
fn the_deepest_due_scan_wins_and_all_due_policies_are_reasons() {
    let mut quick = daily();
    quick.scan = ScanType::Quick;
    quick.header.name = "quick".into();
    let plan = check(&with([quick, daily()]), &one(), &["do scan pc-1 never -> full"]);
    assert_eq!(plan.changes[0].because.len(), 2);
}

#[test]
fn a_turn_beyond_the_plans_validity_comes_in_a_later_plan() {
    let mut spread = daily();
    spread.schedule.spread = Span::from_hours(8);
    let machines = (0..64).map(|number| Machine::new(&format!("pc-{number:02}")));
    let plan = planned(&with([spread]), &workspace(), Fleet::of(machines).build());
    assert_eq!(plan.changes.len() + plan.held.len(), 64);
    assert!(plan.changes.len() > 8, "two hours of eight have passed: {}", plan.changes.len());
    assert!(plan.held.iter().all(|entry| entry.reason.code == "not-yet"));
    let latest = plan.valid_until;
    for change in &plan.changes {
        assert!(change.parameters.not_before.is_none_or(|at| at <= latest && at > plan.created_at));
    }
}

#[test]
fn an_interval_counts_from_the_last_scan() {
    let mut every = daily();
    every.schedule.tick = Tick::Every(Span::from_days(7));
    check(&with([every.clone()]), &one(), &["do scan pc-1 never -> full"]);
    let recent = one().scanned("pc-1", ScanType::Full, ago(100));
    check(&with([every.clone()]), &recent, &[]);
    let old = one().scanned("pc-1", ScanType::Full, ago(168));
    check(&with([every]), &old, &["do scan pc-1 2026-11-16T10:00:00Z -> full"]);
}

#[test]
fn offline_exempt_and_unsupported_devices_are_not_scanned() {
    let mut machine = Machine::new("pc-1");
    machine.health = Health::Inactive;
    let offline = Fleet::of([machine]);
    check(&with([daily()]), &offline, &["held pc-1 scan offline"]);
    let mut queue = daily();
    queue.queue_offline = true;
    check(&with([queue]), &offline, &["do scan pc-1 never -> full"]);
    let phone = Fleet::of([Machine::new("pc-1").platform("Android")]);
    check(&with([daily()]), &phone, &["cannot pc-1 scan platform-unsupported"]);
    let expires = at("2027-01-01T00:00:00Z");
    let exempted = |facet| PolicySet {
        exemptions: vec![exempt("vip", DeviceExpr::Everything, &[facet], expires)],
        ..with([daily()])
    };
    check(&exempted(Facet::Scan), &one(), &["held pc-1 scan exemption"]);
    check(&exempted(Facet::Isolation), &one(), &["do scan pc-1 never -> full"]);
}

#[test]
fn without_antivirus_health_nobody_knows_who_was_scanned() {
    let partial = one().lacks(What::AvHealth);
    check(&with([daily()]), &partial, &["unknown pc-1 scan read-failed"]);
    let seen = partial
        .by_hand("pc-1", Scan, Succeeded, ago(1))
        .last_action(|action| action.scan = Some(ScanType::Full));
    check(&with([daily()]), &seen, &[]);
    let unread = one().lacks(What::Actions);
    check(&with([daily()]), &unread, &["unknown pc-1 scan history-partial"]);
}

#[test]
fn audit_mode_shows_what_is_due() {
    let mut audit = daily();
    audit.mode = Mode::Audit;
    check(&with([audit.clone()]), &one(), &["audit pc-1 scan audit-mode"]);
    check(&with([audit]), &one().scanned("pc-1", ScanType::Full, ago(1)), &[]);
}

#[test]
fn a_turn_at_the_very_end_of_the_validity_is_planned_and_says_when() {
    let mut spread = daily();
    spread.schedule.spread = Span::from_hours(8);
    let policies = with([spread]);
    let fleet = Fleet::of((0..64).map(|number| Machine::new(&format!("pc-{number:02}"))));
    let plan = planned(&policies, &workspace(), fleet.build());
    let (later, turn) = (&plan.held[0].target.id, plan.held[0].reason.text("at").unwrap());
    let turn = at(&turn);
    let wait = u64::try_from(turn.duration_since(now()).as_secs()).unwrap();
    let of = |validity| {
        let mut workspace = workspace();
        workspace.plan_validity = Span::from_secs(validity);
        let plan = planned(&policies, &workspace, fleet.build());
        let change = plan.changes.iter().find(|change| change.target.id == *later);
        change.map(|change| change.parameters.not_before)
    };
    assert_eq!((of(wait), of(wait - 1)), (Some(Some(turn)), None));
    // What has its turn right now needs no time.
    let plan = check(
        &with([scan("now", DeviceExpr::Everything, "0 10 * * *")]),
        &one(),
        &["do scan pc-1 never -> full"],
    );
    assert_eq!(plan.changes[0].parameters.not_before, None);
}

#[test]
fn audit_mode_says_nothing_of_what_was_not_read() {
    let mut audit = daily();
    audit.mode = Mode::Audit;
    for what in [What::Actions, What::AvHealth] {
        check(&with([audit.clone()]), &one().lacks(what), &[]);
    }
}
