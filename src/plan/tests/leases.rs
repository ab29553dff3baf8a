//! Leases of devices that stay as they are: those that end soon, those that an edit moved.

use jiff::Timestamp;

use super::fleet::{Fleet, Machine, ago, alert, at, marked_until, now};
use super::policies::{exempt, isolate, restrict, rule, scan, set, tag, workspace};
use super::{planned, planned_around, rows};
use crate::model::ActionKind::{Isolate, Unisolate};
use crate::model::ActionStatus::Succeeded;
use crate::model::{Facet, Isolation, IsolationMode, Span};
use crate::plan::standing::{PolicyRow, Then};
use crate::plan::types::Plan;
use crate::plan::{Circumstances, Lift};
use crate::policy::PolicySet;
use crate::policy::selector::DeviceExpr;
use crate::policy::set::{IsolationPolicy, Lease, Mode, OnExpiry, Verdict};

/// A device placed so many hours ago by a plan that expected a lease of so many hours.
fn placed(hours: u64, lease: u64) -> Fleet {
    let until = Span::from_hours(lease).after(ago(hours));
    let comment = marked_until("contoso-soc", "ir", until);
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir")]);
    // The request left some minutes after the plan was made.
    fleet.action("pc-1", Isolate, Succeeded, ago(hours), &comment, "palisade").last_action(|row| {
        row.created = Span::from_secs(600).after(row.created);
        row.updated = Span::from_secs(1_500).after(row.created);
    })
}

fn plan(fleet: &Fleet, change: impl FnOnce(&mut IsolationPolicy)) -> Plan {
    let mut policy = isolate("ir", tag("ir"));
    change(&mut policy);
    let policies = PolicySet { isolation: vec![policy], ..set() };
    let plan = planned(&policies, &workspace(), fleet.build());
    assert_eq!(rows(&plan), [] as [&str; 0], "no device is touched");
    plan
}

fn ending(plan: &Plan) -> Vec<(Timestamp, Then)> {
    plan.ending.iter().map(|row| (row.ends, row.then)).collect()
}

fn moved(plan: &Plan) -> Vec<&str> {
    plan.leases.iter().map(|row| row.reason.as_ref().unwrap().code.as_str()).collect()
}

#[test]
fn leases_that_end_within_a_day_are_listed_with_what_happens_then() {
    let far = plan(&placed(47, 72), |_| {});
    assert_eq!((ending(&far), moved(&far)), (vec![], vec![]));
    let soon = plan(&placed(49, 72), |_| {});
    let end = at("2026-11-24T09:35:00Z");
    assert_eq!((ending(&soon), moved(&soon)), (vec![(end, Then::Release)], vec![]));
    assert_eq!(soon.ending[0].because[0].name, "ir");
    assert_eq!(soon.ending[0].since, at("2026-11-21T09:35:00Z"));
    let held = plan(&placed(49, 72), |policy| policy.containment.on_expiry = OnExpiry::Hold);
    assert_eq!(ending(&held), [(end, Then::Hold)]);
}

#[test]
fn an_edit_that_moves_a_lease_is_shown_and_makes_no_call() {
    let lease = |hours| {
        move |policy: &mut IsolationPolicy| {
            policy.containment.lease = Lease::For(Span::from_hours(hours));
        }
    };
    for (hours, expected) in [(96, "lease-later"), (75, "lease-later"), (71, "lease-sooner")] {
        let plan = plan(&placed(5, 72), lease(hours));
        assert_eq!(moved(&plan), [expected], "{hours}");
        let row = &plan.leases[0];
        assert_eq!(row.written, Some(Span::from_hours(72).after(ago(5))));
        assert_eq!(row.ends, Span::from_secs(hours * 3_600 + 2_100).after(ago(5)));
    }
    let until =
        |end| move |policy: &mut IsolationPolicy| policy.containment.lease = Lease::Until(end);
    let written = Span::from_hours(72).after(ago(5));
    assert_eq!(moved(&plan(&placed(5, 72), until(written))), [] as [&str; 0]);
    let later = Span::from_secs(120).after(written);
    assert_eq!(moved(&plan(&placed(5, 72), until(later))), ["lease-later"]);
    assert_eq!(
        moved(&plan(&placed(5, 72), until(Span::from_hours(3).after(now())))),
        ["lease-sooner"]
    );
}

#[test]
fn a_release_says_that_an_edit_ended_the_lease() {
    let released = |fleet: &Fleet, lease| {
        let mut policy = isolate("ir", tag("ir"));
        policy.containment.lease = lease;
        let policies = PolicySet { isolation: vec![policy], ..set() };
        let plan = planned(&policies, &workspace(), fleet.build());
        let reason = plan.changes[0].reason.clone().unwrap();
        (reason.code.clone(), reason.facts.get("written").map(ToString::to_string))
    };
    let hours = |hours| Lease::For(Span::from_hours(hours));
    let written = format!("\"{}\"", Span::from_hours(72).after(ago(5)));
    let cut = ("lease-shortened".to_owned(), Some(written));
    assert_eq!(released(&placed(5, 72), hours(1)), cut);
    assert_eq!(released(&placed(5, 72), Lease::Until(ago(1))), cut);
    let ended = ("lease-ended".to_owned(), None);
    assert_eq!(released(&placed(5, 3), hours(3)), ended);
    // The edit came after the lease had ended anyway.
    assert_eq!(released(&placed(5, 3), hours(1)), ended);
}

/// What is planned of a device so many hours after it was placed for 72, `maxLease` being as long.
fn lengthened(hours: u64, lifted: bool, change: impl FnOnce(&mut Lease, &mut u32)) -> Plan {
    let mut policy = isolate("ir", tag("ir"));
    change(&mut policy.containment.lease, &mut policy.containment.renewal);
    let mut workspace = workspace();
    workspace.guardrails.max_lease = Span::from_hours(72);
    let lift = Lift { code: "max-lease".to_owned(), because: "IR-7781".to_owned() };
    let lifts = if lifted { vec![lift] } else { Vec::new() };
    let around = Circumstances { lifts, ..Circumstances::default() };
    let policies = PolicySet { isolation: vec![policy], ..set() };
    planned_around(&around, &policies, &workspace, placed(hours, 72).build())
}

#[test]
fn what_is_in_force_is_not_lengthened_beyond_the_longest_lease() {
    let renewed = |_: &mut Lease, renewal: &mut u32| *renewal = 1_000;
    let plan = lengthened(50, false, renewed);
    assert_eq!(rows(&plan), ["held pc-1 isolation max-lease"]);
    let old = Span::from_secs(72 * 3_600 + 2_100).after(ago(50));
    let reason = &plan.held[0].reason;
    let facts = ["leaseSeconds", "mostSeconds", "kept", "policy"].map(|key| reason.text(key));
    let (length, most) = (72_000 * 3_600, 72 * 3_600);
    let expected = [length.to_string(), most.to_string(), old.to_string(), "ir".to_owned()];
    assert_eq!(facts, expected.map(Some));
    assert_eq!((ending(&plan), moved(&plan)), (vec![(old, Then::Release)], vec![]));
    let [objection] = plan.objections.as_slice() else { panic!("{:?}", plan.objections) };
    assert_eq!((objection.code.as_str(), objection.held), ("max-lease", 0));
    let numbers =
        ["leaseSeconds", "mostSeconds", "devices"].map(|key| objection.facts[key].as_u64());
    assert_eq!(numbers, [length, most, 1].map(Some));

    // The old end comes, and nothing takes the device again.
    assert_eq!(
        rows(&lengthened(73, false, renewed)),
        ["do release pc-1 full -> free (lease-ended)"]
    );
    // Who lifts it has said so, in the plan too.
    for hours in [50, 73] {
        let lifted = lengthened(hours, true, renewed);
        assert_eq!(rows(&lifted), [] as [&str; 0]);
        assert_eq!(lifted.objections[0].lifted.as_deref(), Some("IR-7781"));
        assert_eq!(lifted.unused_lifts().count(), 0);
    }
    // Up to the limit an edit moves the end as ever.
    let shorter = |lease: &mut Lease, renewal: &mut u32| {
        (*lease, *renewal) = (Lease::For(Span::from_hours(36)), 2);
    };
    let plan = lengthened(50, false, shorter);
    assert_eq!((rows(&plan).len(), plan.objections.len()), (0, 0));
    // `until` is no way around it.
    let until = |lease: &mut Lease, _: &mut u32| {
        *lease = Lease::Until(Span::from_hours(71).after(now()));
    };
    let plan = lengthened(50, false, until);
    assert_eq!(rows(&plan), ["held pc-1 isolation max-lease"]);
    let written = Span::from_hours(72).after(ago(50)).to_string();
    assert_eq!(plan.held[0].reason.text("kept"), Some(written));
}

#[test]
fn a_device_that_is_exempt_or_stronger_than_wanted_still_has_a_lease_that_ends() {
    let mut policy = isolate("ir", tag("ir"));
    policy.isolation = crate::model::IsolationMode::Selective;
    let expires = Span::from_days(90).after(now());
    let exemption = exempt("vip", DeviceExpr::Everything, &[Facet::Isolation], expires);
    for exemptions in [vec![], vec![exemption]] {
        let policies = PolicySet { isolation: vec![policy.clone()], exemptions, ..set() };
        let plan = planned(&policies, &workspace(), placed(60, 72).build());
        assert_eq!((plan.held.len(), plan.ending.len()), (1, 1), "{:?}", rows(&plan));
    }
}

#[test]
fn what_ends_first_comes_first() {
    let until = |hours| Span::from_hours(hours).after(now());
    let mut fleet = Fleet::of(["pc-1", "pc-2"].map(|name| Machine::new(name).tag("ir")));
    for (name, hours) in [("pc-1", 20), ("pc-2", 10)] {
        let comment = marked_until("contoso-soc", "gone", until(hours));
        fleet = fleet.action(name, Isolate, Succeeded, ago(72 - hours), &comment, "palisade");
    }
    let plan = plan(&fleet, |_| {});
    for list in [&plan.ending, &plan.leases] {
        let names: Vec<&str> = list.iter().map(|row| row.target.name.as_str()).collect();
        assert_eq!(names, ["pc-2", "pc-1"]);
    }
}

#[test]
fn every_policy_and_exemption_is_listed_with_what_it_selects() {
    let mut watching = isolate("b", DeviceExpr::Everything);
    watching.containment.mode = Mode::Audit;
    let mut quick = scan("daily", tag("nobody"), "0 8 * * *");
    quick.mode = Mode::Audit;
    let expires = Span::from_days(90).after(now());
    let exempt = |name| exempt(name, tag("ir"), &[Facet::Scan], expires);
    let policies = PolicySet {
        isolation: vec![watching, isolate("a", tag("ir"))],
        restriction: vec![restrict("kiosks", tag("ir"))],
        scans: vec![quick],
        alert_rules: vec![rule("noise", "*", Verdict::default())],
        exemptions: vec![exempt("z"), exempt("y")],
        ..set()
    };
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir"), Machine::new("pc-2")]);
    let plan = planned(&policies, &workspace(), fleet.alert(alert("da1", "pc-1")).build());
    let found: Vec<_> = plan
        .policies
        .iter()
        .map(|row| (row.facet, row.name.as_str(), row.audit, row.selected))
        .collect();
    // The keys under which the next run compares the counts.
    let counted: Vec<_> = plan.policies.iter().map(PolicyRow::counted).collect();
    assert!(counted.contains(&("IsolationSet/b".to_owned(), 2)), "{counted:?}");
    let mut expected = [
        (Facet::Isolation, "a", false, 1),
        (Facet::Isolation, "b", true, 2),
        (Facet::CodeExecution, "kiosks", false, 1),
        (Facet::Scan, "daily", true, 0),
        (Facet::Classification, "noise", false, 1),
    ];
    expected.sort();
    assert_eq!(found, expected);
    let exemptions: Vec<_> =
        plan.exemptions.iter().map(|row| (row.name.as_str(), row.devices)).collect();
    assert_eq!(exemptions, [("y", 1), ("z", 1)]);
}

#[test]
fn a_policy_without_leases_left_strengthens_nothing_that_was_put_back() {
    let until = at("2026-11-26T10:00:00Z");
    let comment = |text: &str| marked_until("contoso-soc", "ir", until).replace("for a test", text);
    let weak = |fleet: Fleet| fleet.last_action(|row| row.isolation = Some(Isolation::Selective));
    let act = |fleet: Fleet, kind, hours, text: &str| {
        fleet.action("pc-1", kind, Succeeded, ago(hours), &comment(text), "palisade")
    };
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir")]);
    let fleet = weak(act(fleet, Isolate, 30, "for a test"));
    let fleet = act(fleet, Unisolate, 20, "lease ended: ir");
    let fleet = weak(act(fleet, Isolate, 10, "undo of 20261123-0800-ab12: ir"));
    for (renewal, expected) in [
        (1, "held pc-1 isolation lease-spent"),
        (2, "do isolate pc-1 selective -> full (strengthened)"),
    ] {
        let mut policy = isolate("ir", tag("ir"));
        policy.containment.renewal = renewal;
        let policies = PolicySet { isolation: vec![policy], ..set() };
        let plan = planned(&policies, &workspace(), fleet.build());
        assert_eq!(rows(&plan), [expected], "{renewal}");
    }
}

/// Another policy wants more, but the time it would have had from that start is over.
#[test]
fn a_policy_whose_lease_is_over_makes_nothing_stronger() {
    let comment = marked_until("contoso-soc", "ir", Span::from_hours(72).after(ago(5)));
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir")])
        .action("pc-1", Isolate, Succeeded, ago(5), &comment, "palisade")
        .last_action(|row| row.isolation = Some(Isolation::Selective));
    let mut held = isolate("ir", tag("ir"));
    held.isolation = IsolationMode::Selective;
    let stronger = "do isolate pc-1 selective -> full (strengthened)";
    for (hours, expected) in [(4, vec![]), (6, vec![stronger])] {
        let mut full = isolate("short", tag("ir"));
        full.containment.lease = Lease::For(Span::from_hours(hours));
        let policies = PolicySet { isolation: vec![held.clone(), full], ..set() };
        assert_eq!(rows(&planned(&policies, &workspace(), fleet.build())), expected, "{hours}");
    }
}
