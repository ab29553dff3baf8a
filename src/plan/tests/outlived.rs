//! A lease of one policy that is over says nothing of what another one placed: that stays until its own
//! policy lets it go, its written end has passed, or somebody answers for a policy that is missing. And a
//! policy from whose point of view a person let the device go says nothing of what another one put back.

use std::sync::Arc;

use jiff::Timestamp;

use super::fleet::{Fleet, Machine, ago, marked_until, now};
use super::policies::{isolate, set, tag, workspace};
use super::{planned, rows};
use crate::inventory::What;
use crate::model::ActionKind::{Isolate, Unisolate};
use crate::model::ActionStatus::Succeeded;
use crate::model::Span;
use crate::plan::types::Plan;
use crate::policy::PolicySet;
use crate::policy::selector::{AlertExpr, AlertTerm, DeviceExpr, DeviceTerm};
use crate::policy::set::OnManualRelease::{Ask, Reassert, Respect};
use crate::policy::set::{IsolationPolicy, Lease, Mode, OnExpiry};

/// Placed by `aaa` so many hours ago, for 72.
fn placed(hours: u64) -> Fleet {
    let comment = marked_until("contoso-soc", "aaa", Span::from_hours(72).after(ago(hours)));
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir")]);
    fleet.action("pc-1", Isolate, Succeeded, ago(hours), &comment, "palisade")
}

fn lasting(name: &str, hours: u64, devices: DeviceExpr) -> IsolationPolicy {
    let mut policy = isolate(name, devices);
    policy.containment.lease = Lease::For(Span::from_hours(hours));
    policy
}

fn by_alert() -> DeviceExpr {
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
    // Its own lease is over, and ends as it was promised whatever else there is to read.
    let own = || [lasting("aaa", 72, tag("ir"))];
    let ended = ["do release pc-1 full -> free (lease-ended)"];
    assert_eq!(rows(&plan(&placed(80).lacks(What::Alerts), own())), ended);
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
