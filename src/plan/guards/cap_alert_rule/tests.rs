//! The cap for what triggers a policy: what counts, what does not, and that small runs add up.

use std::sync::Arc;

use super::plain;
use crate::inventory::AlertRow;
use crate::model::ActionKind::{Isolate, RestrictCodeExecution};
use crate::model::ActionStatus::{Cancelled, Succeeded};
use crate::model::{Span, Verb};
use crate::plan::tests::fleet::{Fleet, Machine, ago, alert, now};
use crate::plan::tests::planned;
use crate::plan::tests::policies::{isolate, restrict, set, tag, workspace};
use crate::plan::types::Plan;
use crate::policy::selector::ast::Glob;
use crate::policy::selector::{AlertExpr, AlertTerm, DeviceExpr, DeviceTerm};
use crate::policy::workspace::{Caps, Rolling};
use crate::policy::{PolicySet, Workspace};

fn capped(count: u32) -> Workspace {
    let alert_rule = Some(Rolling { count, window: Span::from_hours(24) });
    let mut workspace = workspace();
    workspace.guardrails.caps = [(Verb::Isolate, Caps { alert_rule, ..Caps::default() })].into();
    workspace
}

fn by_alert() -> DeviceExpr {
    let category = AlertExpr::Term(AlertTerm::Category(vec![Arc::from("CredentialAccess")]));
    DeviceExpr::Term(DeviceTerm::Alert(Box::new(category)))
}

fn by_incident(id: &str) -> DeviceExpr {
    DeviceExpr::Term(DeviceTerm::Incident(vec![id.into()]))
}

fn policy(devices: DeviceExpr) -> PolicySet {
    PolicySet { isolation: vec![isolate("ir", devices)], ..set() }
}

fn titled(device: &str, title: &str) -> AlertRow {
    AlertRow { title: Arc::from(title), ..alert(&format!("da-{device}-{title}"), device) }
}

/// Devices `pc-0` and so on, each with an alert of a title that differs in what an attacker steers.
fn fleet(alerts: u32) -> Fleet {
    let machines = (0..9).map(|n| Machine::new(&format!("pc-{n}")));
    (0..alerts).fold(Fleet::of(machines), |fleet, n| {
        fleet.alert(titled(&format!("pc-{n}"), &format!("'Tool{n}' malware was seen on PC-{n}")))
    })
}

#[track_caller]
fn check(plan: &Plan, done: usize, held: &[(&str, u64, u64)]) {
    let objection = |o: &crate::plan::Objection| {
        assert_eq!((o.code.as_str(), o.held as usize), ("cap-alert-rule", plan.held.len()));
        let number = |key: &str| o.facts[key].as_u64().unwrap();
        (o.facts["trigger"].as_str().unwrap().to_owned(), number("already"), number("planned"))
    };
    let found: Vec<_> = plan.objections.iter().map(objection).collect();
    let held: Vec<_> = held.iter().map(|(text, a, p)| ((*text).to_owned(), *a, *p)).collect();
    assert_eq!((plan.changes.len(), found), (done, held));
}

const RULE: &str = "microsoftDefenderForEndpoint: * malware was seen on *";

#[test]
fn alerts_of_one_rule_take_no_more_than_the_cap() {
    check(&planned(&policy(by_alert()), &capped(5), fleet(5).build()), 5, &[]);
    let plan = planned(&policy(by_alert()), &capped(5), fleet(6).build());
    check(&plan, 0, &[(RULE, 0, 6)]);
    assert_eq!(plan.objections[0].setting, "guardrails.caps.isolate.alertRule");
    assert_eq!(plan.objections[0].scope, RULE);
    assert_eq!(plan.objections[0].facts["policy"], "ir");
    let none = workspace();
    check(&planned(&policy(by_alert()), &none, fleet(6).build()), 6, &[]);
}

#[test]
fn what_is_old_is_said_by_the_clock_that_is_behind() {
    let taken = |hours| fleet(6).by_us("pc-0", Isolate, Succeeded, ago(hours), "ir");
    for (hours, ahead, already) in [(25, -2, 1), (25, 0, 0), (23, 2, 1)] {
        let mut read = taken(hours).build();
        read.service_at = Some(now() + jiff::SignedDuration::from_hours(ahead));
        let plan = planned(&policy(by_alert()), &capped(0), read);
        assert_eq!(plan.objections[0].facts["already"], already);
    }
}

#[test]
fn another_rule_has_a_cap_of_its_own() {
    let mut fleet = fleet(3);
    for n in 3..6 {
        fleet = fleet.alert(titled(&format!("pc-{n}"), "Suspicious sign-in"));
    }
    check(&planned(&policy(by_alert()), &capped(3), fleet.build()), 6, &[]);
    // A device with alerts of both belongs to both groups, and one that breaches holds it.
    let both = fleet.alert(titled("pc-0", "Suspicious sign-in"));
    let plan = planned(&policy(by_alert()), &capped(3), both.build());
    let names: Vec<_> = plan.changes.iter().map(|change| change.target.name.as_str()).collect();
    assert_eq!(names, ["pc-1", "pc-2"]);
}

fn named(pattern: &str) -> DeviceExpr {
    let text = Arc::from(pattern);
    DeviceExpr::Term(DeviceTerm::Name(vec![Glob { text }]))
}

#[test]
fn a_policy_that_is_split_in_two_gains_nothing() {
    let first = || DeviceExpr::All(vec![by_alert(), named("pc-0")]);
    let rest = || DeviceExpr::All(vec![by_alert(), DeviceExpr::Not(Box::new(named("pc-0")))]);
    let split = PolicySet { isolation: vec![isolate("a", first()), isolate("b", rest())], ..set() };
    check(&planned(&split, &capped(6), fleet(6).build()), 6, &[]);
    let plan = planned(&split, &capped(5), fleet(6).build());
    check(&plan, 0, &[(RULE, 0, 6)]);
    assert_eq!(plan.objections[0].facts["policies"], "a, b");
    // What one of them took counts against the other.
    let taken = fleet(6).by_us("pc-0", Isolate, Succeeded, ago(20), "a");
    check(&planned(&split, &capped(5), taken.build()), 0, &[(RULE, 1, 5)]);
}

#[test]
fn a_policy_that_is_renamed_keeps_what_it_took() {
    let ran = |policy: &str| {
        let fleet = fleet(6).by_us("pc-7", Isolate, Succeeded, ago(20), policy);
        fleet.alert(titled("pc-7", "'Older' malware was seen on pc-7"))
    };
    check(&planned(&policy(by_alert()), &capped(6), ran("ir").build()), 0, &[(RULE, 1, 6)]);
    check(&planned(&policy(by_alert()), &capped(6), ran("before").build()), 0, &[(RULE, 1, 6)]);
    // A policy that needs no alert took it for a reason of its own.
    let by_tag = isolate("case", tag("ir"));
    let beside = PolicySet { isolation: vec![isolate("ir", by_alert()), by_tag], ..set() };
    let mut tagged = ran("case");
    tagged.machines[7].tags.push("ir".to_owned());
    check(&planned(&beside, &capped(6), tagged.build()), 6, &[]);
    check(&planned(&beside, &capped(6), ran("case").build()), 0, &[(RULE, 1, 6)]);
}

#[test]
fn code_restrictions_are_counted_like_isolations() {
    let by_alert = restrict("code", by_alert());
    let by_tag = restrict("case", tag("ir"));
    let policies = PolicySet { restriction: vec![by_alert, by_tag], ..set() };
    let alert_rule = Some(Rolling { count: 6, window: Span::from_hours(24) });
    let mut workspace = workspace();
    workspace.guardrails.caps = [(Verb::Restrict, Caps { alert_rule, ..Caps::default() })].into();
    let mut ran = fleet(6).by_us("pc-7", RestrictCodeExecution, Succeeded, ago(20), "case");
    ran = ran.alert(titled("pc-7", "'Older' malware was seen on pc-7"));
    check(&planned(&policies, &workspace, ran.build()), 0, &[(RULE, 1, 6)]);
    // The policy that took it needs no alert.
    ran.machines[7].tags.push("ir".to_owned());
    check(&planned(&policies, &workspace, ran.build()), 6, &[]);
}

#[test]
fn two_negations_do_not_hide_the_trigger() {
    let not = |expr| DeviceExpr::Not(Box::new(expr));
    let plan = planned(&policy(not(not(by_alert()))), &capped(5), fleet(6).build());
    check(&plan, 0, &[(RULE, 0, 6)]);
    assert_eq!(plan.held[0].because[0].terms.len(), 1);
}

#[test]
fn small_runs_add_up_over_the_window() {
    let ran = |hours, status| {
        let fleet = fleet(6).by_us("pc-7", Isolate, status, ago(hours), "ir");
        let fleet = fleet.alert(titled("pc-7", "'Older' malware was seen on pc-7"));
        planned(&policy(by_alert()), &capped(6), fleet.build())
    };
    check(&ran(23, Succeeded), 0, &[(RULE, 1, 6)]);
    check(&ran(24, Succeeded), 6, &[]);
    // Cancelled, it took nothing: the device is planned now and is the seventh.
    check(&ran(1, Cancelled), 0, &[(RULE, 0, 7)]);
    // Taken for another reason: it has no alert of the rule, and is let go.
    let other = fleet(6).by_us("pc-7", Isolate, Succeeded, ago(20), "ir");
    check(&planned(&policy(by_alert()), &capped(6), other.build()), 7, &[]);
}

#[test]
fn what_is_selected_without_an_alert_is_not_triggered_by_one() {
    let mut fleet = fleet(6);
    fleet.machines.iter_mut().for_each(|machine| machine.tags.push("ir".to_owned()));
    let either = DeviceExpr::Any(vec![by_alert(), tag("ir")]);
    assert_eq!(planned(&policy(either), &capped(2), fleet.build()).changes.len(), 9);
    let both = DeviceExpr::All(vec![by_alert(), tag("ir")]);
    check(&planned(&policy(both), &capped(2), fleet.build()), 0, &[(RULE, 0, 6)]);
    let other = PolicySet {
        isolation: vec![isolate("by-tag", tag("ir")), isolate("ir", by_alert())],
        ..set()
    };
    assert_eq!(planned(&other, &capped(2), fleet.build()).changes.len(), 9);
    let mut weaker = other;
    weaker.isolation[0].isolation = crate::model::IsolationMode::Selective;
    let plan = planned(&weaker, &capped(2), fleet.build());
    assert_eq!((plan.changes.len(), plan.held.len()), (3, 6), "full because of the alert alone");
}

#[test]
fn an_incident_is_a_trigger_too() {
    let mut fleet = fleet(6);
    fleet.alerts.iter_mut().for_each(|alert| alert.incident = Some("77".into()));
    let plan = planned(&policy(by_incident("77")), &capped(2), fleet.build());
    check(&plan, 0, &[("incident 77", 0, 6)]);
}

#[test]
fn titles_are_compared_without_what_differs_from_device_to_device() {
    for (title, expected) in [
        ("'Mimikatz' malware was detected", "* malware was detected"),
        ("Logon from 10.1.22.3 on LON-0231", "logon from *.*.*.* on *"),
        ("A user's \u{201c}odd\u{201d} file \"x.exe\"", "a user's * file *"),
        ("Open \"quote", "open *"),
        ("", ""),
    ] {
        assert_eq!(plain(title, ["lon-0231.contoso.example"].into_iter()), expected, "{title}");
    }
}
