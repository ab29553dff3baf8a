//! Exemptions and protections whose selectors read what is missing: a failed read never looks like a device that
//! is neither.

use std::sync::Arc;

use super::behind::IN_FLIGHT;
use super::fleet::{Fleet, ago, alert, marked_until, now};
use super::not_stronger::{pc, placed};
use super::outlived::{by_alert, lasting};
use super::policies::{exempt, restrict, scan, set, tag, workspace};
use super::{planned, planned_around, rows};
use crate::inventory::What;
use crate::model::ActionKind::{Isolate, Unisolate};
use crate::model::ActionStatus::{Pending, Succeeded};
use crate::model::{Facet, Isolation, Span};
use crate::plan::undo::{Past, PastChange, Standing};
use crate::plan::{Circumstances, Purpose};
use crate::policy::PolicySet;
use crate::policy::selector::DeviceExpr;
use crate::policy::set::OnExpiry;

const UNREAD: [&str; 1] = ["unknown pc-1 isolation selector-partial"];

/// With the alert that `by_alert` means.
fn alerted(fleet: Fleet) -> Fleet {
    let mut row = alert("da1", "pc-1");
    row.category = Arc::from("Malware");
    fleet.alert(row)
}

/// As it looks when the alerts could not be read.
fn unread(fleet: &Fleet) -> Fleet {
    let mut fleet = fleet.clone().lacks(What::Alerts);
    fleet.alerts.clear();
    fleet
}

fn exempting(devices: DeviceExpr, facets: &[Facet]) -> PolicySet {
    let end = Span::from_days(30).after(now());
    let isolation = vec![lasting("aaa", 72, tag("ir"))];
    PolicySet { isolation, exemptions: vec![exempt("vip", devices, facets, end)], ..set() }
}

fn not(devices: DeviceExpr) -> DeviceExpr {
    DeviceExpr::Not(Box::new(devices))
}

fn plan(fleet: &Fleet, policies: &PolicySet) -> Vec<String> {
    rows(&planned(policies, &workspace(), fleet.build()))
}

#[test]
fn nobody_is_touched_who_may_be_exempt() {
    let policies = exempting(by_alert(), &[Facet::Isolation]);
    let over = placed(pc(), "aaa", 80, 72, Isolation::Full);
    for fleet in [alerted(pc()), alerted(over)] {
        assert_eq!(plan(&fleet, &policies), ["held pc-1 isolation exemption"]);
        assert_eq!(plan(&unread(&fleet), &policies), UNREAD);
        // Nor is it taken for exempt.
        assert_eq!(plan(&unread(&fleet), &exempting(not(by_alert()), &[Facet::Isolation])), UNREAD);
    }
    let plan_of = planned(&policies, &workspace(), unread(&pc()).build());
    let said = crate::report::reason::sentence(&plan_of.unknown[0].reason);
    assert_eq!(said, "the selector of the exemption vip reads alerts and those are incomplete");
    // One exemption that can be answered is enough.
    let mut both = policies.clone();
    both.exemptions.extend(exempting(tag("ir"), &[Facet::Isolation]).exemptions);
    assert_eq!(plan(&unread(&pc()), &both), ["held pc-1 isolation exemption"]);
    // Other aspects are what they are.
    let scans = exempting(by_alert(), &[Facet::Scan]);
    assert_eq!(plan(&unread(&pc()), &scans), ["do isolate pc-1 free -> full"]);
    let mut scans = PolicySet { isolation: Vec::new(), ..scans };
    scans.restriction = vec![restrict("kiosk", tag("ir"))];
    scans.scans = vec![scan("daily", tag("ir"), "0 8 * * *")];
    let expected =
        ["do restrict pc-1 unrestricted -> restricted", "unknown pc-1 scan selector-partial"];
    assert_eq!(plan(&unread(&pc()), &scans), expected);
}

#[test]
fn nothing_is_undone_on_who_may_be_exempt() {
    let policies = exempting(by_alert(), &[Facet::Isolation]);
    let run = planned(&policies, &workspace(), pc().build());
    assert_eq!(rows(&run), ["do isolate pc-1 free -> full"]);
    let changes = run.changes.iter();
    let changes = changes
        .map(|change| PastChange { change: change.clone(), standing: Standing::Done })
        .collect();
    let fleet = super::world::applied(pc(), &run);
    let purpose = Purpose::Undo(Past { run: "20261123T095000Z-7f3c9a".to_owned(), changes });
    let around = Circumstances { purpose, ..Circumstances::default() };
    let undo =
        |fleet: Fleet| rows(&planned_around(&around, &policies, &workspace(), fleet.build()));
    assert_eq!(undo(fleet.clone()), ["do release pc-1 full -> free (undo)"]);
    assert_eq!(undo(alerted(fleet.clone())), ["held pc-1 isolation exemption"]);
    assert_eq!(undo(unread(&fleet)), UNREAD);
}

/// What somebody may be spared neither takes back a placement that is wanted nor a release.
#[test]
fn what_is_pending_is_not_taken_back_on_a_guess() {
    let sent = |fleet: Fleet, kind| {
        let comment = marked_until("contoso-soc", "aaa", Span::from_hours(72).after(ago(2)));
        fleet.action("pc-1", kind, Pending, ago(2), &comment, "palisade")
    };
    let isolation = sent(pc(), Isolate);
    let release = sent(placed(pc(), "aaa", 3, 72, Isolation::Full), Unisolate);
    let taken_back = ["do cancel pc-1 free -> full (no-longer-wanted)"];
    for devices in [by_alert(), not(by_alert())] {
        let policies = exempting(devices.clone(), &[Facet::Isolation]);
        assert_eq!(plan(&unread(&isolation), &policies), IN_FLIGHT);
        assert_eq!(plan(&unread(&release), &policies), IN_FLIGHT);
        // A placement that nobody wants is taken back for either answer.
        let unwanted = PolicySet { isolation: Vec::new(), ..policies.clone() };
        let found = plan(&unread(&isolation), &unwanted);
        assert_eq!(found, ["do cancel pc-1 full -> free (policy-gone)"]);
        let mut guarded = workspace();
        guarded.guardrails.protected = Some(devices);
        let policies = PolicySet { exemptions: Vec::new(), ..policies };
        for fleet in [&isolation, &release] {
            let found = rows(&planned(&policies, &guarded, unread(fleet).build()));
            assert_eq!(found, IN_FLIGHT);
        }
    }
    let policies = exempting(by_alert(), &[Facet::Isolation]);
    assert_eq!(plan(&release, &policies), taken_back);
    assert_eq!(plan(&alerted(release), &policies), IN_FLIGHT);
}

/// What nobody could read of policies says nothing of a device that is certainly protected or exempt.
#[test]
fn whoever_wants_it_a_protected_device_is_not_isolated() {
    let comment = marked_until("contoso-soc", "aaa", Span::from_hours(72).after(ago(2)));
    let fleet = pc().action("pc-1", Isolate, Pending, ago(2), &comment, "palisade");
    let mut guarded = workspace();
    guarded.guardrails.protected = Some(tag("ir"));
    let beside = vec![lasting("aaa", 72, tag("ir")), lasting("bbb", 72, by_alert())];
    let itself = vec![lasting("aaa", 72, DeviceExpr::Any(vec![tag("ir"), by_alert()]))];
    let certainly = || lasting("ccc", 72, tag("ir"));
    let both = vec![lasting("aaa", 72, not(by_alert())), certainly()];
    for isolation in [beside, itself, both] {
        let policies = PolicySet { isolation, ..set() };
        for fleet in [fleet.clone(), unread(&fleet)] {
            let found = planned(&policies, &guarded, fleet.build());
            assert_eq!(rows(&found), ["do cancel pc-1 full -> free (protected-pending)"]);
            // Whoever began it is named.
            assert_eq!(found.changes[0].because[0].name, "aaa");
        }
        let exemptions = exempting(tag("ir"), &[Facet::Isolation]).exemptions;
        let policies = PolicySet { exemptions, ..policies };
        let found = plan(&unread(&fleet), &policies);
        assert_eq!(found, ["do cancel pc-1 full -> free (no-longer-wanted)"]);
    }
}

#[test]
fn who_may_be_a_domain_controller_is_let_go_by_what_is_pending() {
    let policies = PolicySet { isolation: vec![lasting("aaa", 72, tag("ir"))], ..set() };
    let comment = marked_until("contoso-soc", "aaa", Span::from_hours(72).after(ago(2)));
    let fleet = placed(pc(), "aaa", 3, 72, Isolation::Full);
    let fleet = fleet.action("pc-1", Unisolate, Pending, ago(2), &comment, "palisade");
    let mut signed = fleet.clone();
    signed.machines[0].tags.push("domain-controller".to_owned());
    let taken_back = ["do cancel pc-1 free -> full (no-longer-wanted)"];
    let with = |also: Option<DeviceExpr>, except: Option<DeviceExpr>, fleet: &Fleet| {
        let mut guarded = workspace();
        guarded.guardrails.domain_controllers.also = also;
        guarded.guardrails.domain_controllers.except = except;
        rows(&planned(&policies, &guarded, fleet.build()))
    };
    assert_eq!(with(Some(by_alert()), None, &fleet), taken_back);
    assert_eq!(with(Some(by_alert()), None, &unread(&fleet)), IN_FLIGHT);
    assert_eq!(with(None, Some(by_alert()), &alerted(signed.clone())), taken_back);
    assert_eq!(with(None, Some(by_alert()), &unread(&signed)), IN_FLIGHT);
    // Who is certainly excepted is none, whatever else there is to read.
    assert_eq!(with(Some(by_alert()), Some(tag("ir")), &unread(&signed)), taken_back);
    // Who carries no sign is none, whoever is excepted.
    assert_eq!(with(None, Some(by_alert()), &unread(&fleet)), taken_back);
}

/// Whatever another policy says that nobody could read.
#[test]
fn a_lease_that_certainly_runs_takes_a_release_back() {
    let isolation = vec![lasting("aaa", 72, tag("ir")), lasting("bbb", 72, by_alert())];
    let policies = PolicySet { isolation, ..set() };
    let held = placed(pc(), "aaa", 12, 72, Isolation::Full);
    let released = |by: &str, text: &str| {
        let comment = marked_until("contoso-soc", by, Span::from_hours(60).after(now()));
        let comment = comment.replace("for a test", text);
        let fleet = held.clone().action("pc-1", Unisolate, Pending, ago(2), &comment, "palisade");
        plan(&unread(&fleet), &policies)
    };
    let taken_back = ["do cancel pc-1 free -> full (no-longer-wanted)"];
    assert_eq!(released("aaa", "no longer selected"), taken_back);
    assert_eq!(released("aaa", "undo of 20261120T020000Z-7f3c9a: aaa"), IN_FLIGHT);
    // So does one that keeps the device although its lease is over; and only those are named that certainly want it.
    let mut aaa = lasting("aaa", 5, tag("ir"));
    aaa.containment.on_expiry = OnExpiry::Hold;
    let isolation = vec![aaa, lasting("bbb", 72, not(by_alert()))];
    let policies = PolicySet { isolation, ..set() };
    let comment = marked_until("contoso-soc", "aaa", ago(1));
    let fleet = held.clone().action("pc-1", Unisolate, Pending, ago(2), &comment, "palisade");
    let found = planned(&policies, &workspace(), unread(&fleet).build());
    assert_eq!(rows(&found), taken_back);
    let names: Vec<_> = found.changes[0].because.iter().map(|why| why.name.as_str()).collect();
    assert_eq!(names, ["aaa"]);
    // One that does not certainly select it may or may not keep it.
    for devices in [by_alert(), not(by_alert())] {
        let doubtful = PolicySet { isolation: vec![lasting("bbb", 72, devices)], ..set() };
        assert_eq!(plan(&unread(&fleet), &doubtful), IN_FLIGHT);
    }
}

/// The rest of what an undoing put back runs, whoever selects the device.
#[test]
fn what_was_put_back_is_not_let_go_by_what_was_sent_before() {
    let later = Span::from_hours(50).after(now());
    let comment = marked_until("contoso-soc", "aaa", later);
    let back = comment.replace("for a test", "undo of 20261120T020000Z-7f3c9a: aaa");
    let fleet = pc().action("pc-1", Isolate, Succeeded, ago(3), &back, "palisade");
    let fleet = fleet.action("pc-1", Unisolate, Pending, ago(2), &comment, "palisade");
    for isolation in [vec![], vec![lasting("aaa", 72, by_alert()), lasting("bbb", 72, by_alert())]]
    {
        let policies = PolicySet { isolation, ..set() };
        let found = plan(&unread(&fleet), &policies);
        assert!(found[0].starts_with("do cancel pc-1 free -> full ("), "{found:?}");
    }
}

/// What such an exemption accepts is neither taken for accepted nor for moved.
#[test]
fn nobody_knows_of_whom_an_accepted_value_speaks() {
    let over = placed(pc(), "aaa", 80, 72, Isolation::Full);
    for accepted in [Isolation::Full, Isolation::Free] {
        let mut policies = exempting(not(by_alert()), &[Facet::Isolation]);
        policies.exemptions[0].accepted.isolation = Some(accepted);
        assert_eq!(plan(&unread(&over), &policies), UNREAD);
        assert_eq!(plan(&unread(&pc()), &policies), UNREAD);
    }
}
