//! A lease of one policy that is over says nothing of what another one placed: that stays until its own
//! policy lets it go, its written end has passed, or somebody answers for a policy that is missing. And a
//! policy from whose point of view a person let the device go says nothing of what another one put back.

use std::sync::Arc;

use jiff::Timestamp;

use super::fleet::{Fleet, Machine, TENANT_ID, ago, marked, marked_until, now};
use super::policies::{exempt, isolate, set, tag, workspace};
use super::{planned, planned_around, rows};
use crate::inventory::What;
use crate::model::ActionKind::{Isolate, Unisolate};
use crate::model::ActionStatus::{Pending, Succeeded};
use crate::model::{ActionStatus, Facet, Span, Verb};
use crate::plan::Circumstances;
use crate::plan::circumstances::{LastRun, LastSeen};
use crate::plan::types::{Baseline, Plan};
use crate::policy::PolicySet;
use crate::policy::limits::Shrink;
use crate::policy::selector::{AlertExpr, AlertTerm, DeviceExpr, DeviceTerm};
use crate::policy::set::OnManualRelease::{Ask, Reassert, Respect};
use crate::policy::set::{IsolationPolicy, Lease, Mode, OnExpiry};
use crate::policy::workspace::Limit;

/// Placed by `aaa` so many hours ago, for 72.
fn placed(hours: u64) -> Fleet {
    let comment = marked_until("contoso-soc", "aaa", Span::from_hours(72).after(ago(hours)));
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir")]);
    fleet.action("pc-1", Isolate, Succeeded, ago(hours), &comment, "palisade")
}

pub(super) fn lasting(name: &str, hours: u64, devices: DeviceExpr) -> IsolationPolicy {
    let mut policy = isolate(name, devices);
    policy.containment.lease = Lease::For(Span::from_hours(hours));
    policy
}

pub(super) fn by_alert() -> DeviceExpr {
    let category = AlertExpr::Term(AlertTerm::Category(vec![Arc::from("Malware")]));
    DeviceExpr::Term(DeviceTerm::Alert(Box::new(category)))
}

/// Beside `bbb`, whose lease of an hour is over.
fn plan(fleet: &Fleet, others: impl IntoIterator<Item = IsolationPolicy>) -> Plan {
    let short = lasting("bbb", 1, tag("ir"));
    let isolation = others.into_iter().chain([short]).collect();
    planned(&PolicySet { isolation, ..set() }, &workspace(), fleet.build())
}

#[test]
fn a_shorter_lease_that_is_over_lets_nothing_go_that_another_policy_placed() {
    let long = || lasting("aaa", 72, tag("ir"));
    let audit = || {
        let mut audit = long();
        audit.containment.mode = Mode::Audit;
        audit
    };
    let released = |code: &str| vec![format!("do release pc-1 full -> free ({code})")];
    let read = placed(3);
    for (what, others, expected) in [
        ("it runs", vec![long()], vec![]),
        ("gone", vec![], released("policy-gone")),
        ("narrowed", vec![lasting("aaa", 72, tag("else"))], released("no-longer-selected")),
        ("in audit", vec![audit()], released("policy-in-audit")),
        ("no alert", vec![lasting("aaa", 72, by_alert())], released("no-longer-selected")),
        ("shortened", vec![lasting("aaa", 2, tag("ir"))], released("lease-shortened")),
    ] {
        let plan = plan(&read, others);
        assert_eq!(rows(&plan), expected, "{what}");
        // `bbb` has had its lease whatever the reason, and does not begin another one.
        if let Some(change) = plan.changes.first() {
            let comment = change.parameters.comment.as_deref().unwrap();
            assert!(comment.starts_with("lease ended: "), "{what}: {comment}");
            assert!(comment.contains("bbb"), "{what}: {comment}");
        }
    }
}

#[test]
fn what_could_not_be_read_may_be_what_keeps_it() {
    let unread = ["unknown pc-1 isolation selector-partial"];
    let alerts = || [lasting("aaa", 72, by_alert())];
    assert_eq!(rows(&plan(&placed(3).lacks(What::Alerts), alerts())), unread);
    // Another policy than the one that placed it, after the end that was written.
    let other = || [lasting("ccc", 200, by_alert())];
    assert_eq!(rows(&plan(&placed(80).lacks(What::Alerts), other())), unread);
    // Its own lease is over; another policy may keep the device for all that anybody can tell.
    let own = || lasting("aaa", 72, tag("ir"));
    let ended = ["do release pc-1 full -> free (lease-ended)"];
    let both = [own(), lasting("ccc", 200, by_alert())];
    assert_eq!(rows(&plan(&placed(80).lacks(What::Alerts), both)), unread);
    // One that watches has no say, whatever there is to read; one whose lease would be over has: it would be used up.
    let mut watching = lasting("ccc", 200, by_alert());
    watching.containment.mode = Mode::Audit;
    assert_eq!(rows(&plan(&placed(80).lacks(What::Alerts), [own(), watching])), ended);
    let short = lasting("ccc", 1, by_alert());
    assert_eq!(rows(&plan(&placed(80).lacks(What::Alerts), [own(), short])), unread);
    // Who is certainly exempt is held for that.
    let isolation = vec![own(), lasting("ccc", 200, by_alert())];
    let end = Span::from_days(30).after(now());
    let exemptions = vec![exempt("vip", tag("ir"), &[Facet::Isolation], end)];
    let policies = PolicySet { isolation, exemptions, ..set() };
    for hours in [80, 3] {
        let mut policies = policies.clone();
        if hours == 3 {
            // Its policy is gone, and the end that was written has not come.
            policies.isolation.remove(0);
        }
        let fleet = placed(hours).lacks(What::Alerts);
        let found = planned(&policies, &workspace(), fleet.build());
        assert_eq!(rows(&found), ["held pc-1 isolation exemption"], "{hours}");
    }
    // What nobody reads is missed by nobody.
    assert_eq!(rows(&plan(&placed(80).lacks(What::Alerts), [own()])), ended);
}

#[test]
fn after_the_written_end_it_goes_although_its_policy_is_gone() {
    let ended = ["do release pc-1 full -> free (lease-ended)"];
    assert_eq!(rows(&plan(&placed(80), [])), ended);
    let mut hold = lasting("ccc", 1, tag("ir"));
    hold.containment.on_expiry = OnExpiry::Hold;
    assert_eq!(rows(&plan(&placed(3), [hold])), ["held pc-1 isolation on-expiry-hold"]);
}

/// `aaa` placed it until then, a person let it go, and `bbb` put it back three hours ago, for one hour.
fn put_back(until: Timestamp) -> Fleet {
    let comment = |policy, until| marked_until("contoso-soc", policy, until);
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir")]);
    let fleet =
        fleet.action("pc-1", Isolate, Succeeded, ago(6), &comment("aaa", until), "palisade");
    let fleet = fleet.by_hand("pc-1", Unisolate, Succeeded, ago(5));
    fleet.action("pc-1", Isolate, Succeeded, ago(3), &comment("bbb", ago(2)), "palisade")
}

#[test]
fn what_one_policy_puts_back_another_does_not_keep_that_left_it_released() {
    let beside = |manual, until| {
        let policy = |name, hours, manual| {
            let mut policy = lasting(name, hours, tag("ir"));
            policy.containment.on_manual_release = manual;
            policy
        };
        let isolation = vec![policy("bbb", 1, Reassert), policy("ccc", 72, manual)];
        rows(&planned(&PolicySet { isolation, ..set() }, &workspace(), put_back(until).build()))
    };
    let ended = ["do release pc-1 full -> free (lease-ended)"];
    let runs = Span::from_hours(1).after(now());
    assert_eq!(beside(Respect, runs), ended);
    assert_eq!(beside(Ask, runs), ended);
    // Whoever may put back keeps as well; and so may all when the end has come that was written.
    assert_eq!(beside(Reassert, runs), [] as [&str; 0]);
    for manual in [Respect, Ask] {
        assert_eq!(beside(manual, ago(1)), [] as [&str; 0]);
    }
}

/// A tag that an automation takes from everybody, while the hour of another policy is over.
#[test]
fn what_stands_against_a_selection_that_shrank_stands_beside_another_policys_lease() {
    let share = |percent: u32| Some(Limit::Share { basis_points: percent * 100, at_least: 4 });
    let mut workspace = workspace();
    workspace.guardrails.shrink = Shrink { inventory: None, selection: share(50) };
    let selected = ["aaa", "bbb"].map(|name| (format!("IsolationSet/{name}"), 10));
    let counts = Baseline { devices: 10, selected: selected.into() };
    let seen = LastSeen { run: "run-1".to_owned(), counts };
    let last = LastRun { tenants: [(TENANT_ID.to_owned(), seen)].into(), ..LastRun::default() };
    let around = Circumstances { last, ..Circumstances::default() };
    let names: Vec<String> = (0..10).map(|n| format!("pc-{n}")).collect();
    let fleet = |status: ActionStatus| {
        let comment = marked_until("contoso-soc", "aaa", Span::from_hours(72).after(ago(3)));
        let fleet = Fleet::of(names.iter().map(|name| Machine::new(name).tag("ir")));
        names.iter().fold(fleet, |fleet, name| {
            fleet.action(name, Isolate, status.clone(), ago(3), &comment, "palisade")
        })
    };
    let aaa = || lasting("aaa", 72, tag("else"));
    let alone = PolicySet { isolation: vec![aaa()], ..set() };
    let beside = PolicySet { isolation: vec![aaa(), lasting("bbb", 1, tag("ir"))], ..set() };
    // What is pending is no less: ten isolations that nobody wants are not all abandoned.
    for (policies, status, verb) in [
        (&alone, Succeeded, Verb::Release),
        (&beside, Succeeded, Verb::Release),
        (&alone, Pending, Verb::Cancel),
    ] {
        let plan = planned_around(&around, policies, &workspace, fleet(status).build());
        let held: Vec<_> = plan.objections.iter().map(|it| (it.code.as_str(), it.held)).collect();
        assert!(held.contains(&("selection-shrank", 10)), "{held:?}");
        assert!(plan.held.iter().all(|row| row.verb == Some(verb)), "{:?}", plan.held);
        assert_eq!((plan.changes.len(), plan.held.len()), (0, 10));
        // It is whose wish is over, and not who selects the device as well.
        assert!(plan.held.iter().all(|row| row.because[0].name == "aaa"));
    }
}

#[test]
fn what_another_lease_let_go_uses_up_none_of_the_policy_that_had_placed_it() {
    let released = |by: &str| {
        let comment = marked("contoso-soc", "aaa").replace("for a test", by);
        let fleet = placed(10);
        let mut fleet = fleet.action("pc-1", Unisolate, Succeeded, ago(5), &comment, "palisade");
        fleet.machines[0].tags.push("back".to_owned());
        fleet
    };
    let back = || lasting("aaa", 72, tag("back"));
    for (by, expected) in [
        ("no longer selected", "do isolate pc-1 free -> full"),
        ("lease ended: bbb", "do isolate pc-1 free -> full"),
        ("lease ended: aaa, bbb", "held pc-1 isolation lease-spent"),
        // The list was cut, and its own name may have been behind.
        ("lease ended: bbb, cc…", "held pc-1 isolation lease-spent"),
    ] {
        assert_eq!(rows(&plan(&released(by), [back()])), [expected], "{by}");
    }
}

/// Asked for 80 hours ago and done ten hours ago: the 72 hours of `aaa` run for 62 more.
#[test]
fn the_written_end_counts_from_the_verified_start() {
    let late = placed(80).last_action(|action| action.updated = ago(10));
    let gone = ["do release pc-1 full -> free (policy-gone)"];
    assert_eq!(rows(&plan(&late, [])), gone);
    // What an undoing put back has the end that it wrote.
    let mut undone = late.clone();
    let comment =
        undone.actions[0].comment.replace("for a test", "undo of 20261120T020000Z-7f3c9a");
    undone.actions[0].comment = comment.into();
    assert_eq!(rows(&plan(&undone, [])), ["do release pc-1 full -> free (lease-ended)"]);
}

/// What an undoing put back six hours after it was asked for, and another policy holds three hours longer.
#[test]
fn a_lease_is_told_against_the_end_that_an_undoing_wrote() {
    let comment = marked_until("contoso-soc", "aaa", Span::from_hours(70).after(now()));
    let comment = comment.replace("for a test", "undo of 20261120T020000Z-7f3c9a");
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir")]);
    let fleet = fleet.action("pc-1", Isolate, Succeeded, ago(8), &comment, "palisade");
    let fleet = fleet.last_action(|action| action.updated = ago(2));
    let isolation = vec![lasting("aaa", 72, tag("else")), lasting("bbb", 75, tag("ir"))];
    let plan = planned(&PolicySet { isolation, ..set() }, &workspace(), fleet.build());
    let code = plan.leases[0].reason.as_ref().map(|reason| reason.code.as_str());
    assert_eq!(code, Some("lease-later"));
}

/// An `until` is absolute, and a device that was off has it no later.
#[test]
fn a_fixed_end_is_not_moved_by_how_long_the_action_took() {
    let comment = marked_until("contoso-soc", "aaa", ago(2));
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir")]);
    let fleet = fleet.action("pc-1", Isolate, Succeeded, ago(20), &comment, "palisade");
    let fleet = fleet.last_action(|action| action.updated = ago(8));
    let mut narrowed = lasting("aaa", 72, tag("else"));
    // To the minute, as a marker has it.
    for until in [ago(2), Span::from_secs(59).after(ago(2))] {
        narrowed.containment.lease = Lease::Until(until);
        let found = rows(&plan(&fleet, [narrowed.clone()]));
        assert_eq!(found, ["do release pc-1 full -> free (lease-ended)"]);
    }
    // One that has another end by now was not what had been written.
    for until in [ago(1), Span::from_secs(60).after(ago(2)), Span::from_secs(1).before(ago(2))] {
        narrowed.containment.lease = Lease::Until(until);
        let found = rows(&plan(&fleet, [narrowed.clone()]));
        assert_eq!(found, ["do release pc-1 full -> free (no-longer-selected)"]);
    }
    // But that of another policy, which wanted the device longer than the one that the marker names.
    let mut other = lasting("ccc", 72, tag("else"));
    other.containment.lease = Lease::Until(ago(2));
    for (until, code) in [
        (Lease::Until(ago(5)), "lease-ended"),
        (Lease::Until(ago(1)), "no-longer-selected"),
        (Lease::For(Span::from_hours(72)), "no-longer-selected"),
    ] {
        narrowed.containment.lease = until;
        let found = rows(&plan(&fleet, [narrowed.clone(), other.clone()]));
        assert_eq!(found, [format!("do release pc-1 full -> free ({code})")]);
    }
}

/// Who wants the device is whom a reviewer has to know when its pending release is taken back.
#[test]
fn a_pending_release_is_taken_back_for_those_that_want_the_device() {
    let comment = marked("contoso-soc", "aaa");
    let fleet = placed(10).action("pc-1", Unisolate, Pending, ago(1), &comment, "palisade");
    let isolation = vec![lasting("aaa", 72, tag("else")), lasting("bbb", 72, tag("ir"))];
    let plan = planned(&PolicySet { isolation, ..set() }, &workspace(), fleet.build());
    assert_eq!(rows(&plan), ["do cancel pc-1 free -> full (no-longer-wanted)"]);
    assert_eq!(plan.changes[0].because.iter().map(|why| &*why.name).collect::<Vec<_>>(), ["bbb"]);
}
