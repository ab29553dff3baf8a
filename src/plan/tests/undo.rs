//! Undoing a run: what is inverted, what is left alone and why, and what later plans make of it.

mod inverse;

use proptest::prelude::*;

use super::fleet::{Fleet, Machine, WORKSPACE, ago, alert, at, device_id, marked, now};
use super::policies::{exempt, isolate, restrict, rule, scan, set, tag, workspace};
use super::world::{self, Draw, NAMES, applied};
use super::{planned, planned_around, rows};
use crate::inventory::{ActionRow, readings};
use crate::model::ActionKind::{Isolate, RestrictCodeExecution, Unisolate};
use crate::model::ActionStatus::{Pending, Succeeded};
use crate::model::{
    AlertStatus, Classification, Determination, Facet, IsolationMode, Span, Verb, WorkspaceId,
};
use crate::plan::types::{Aim, Plan};
use crate::plan::undo::{Past, PastChange, Standing};
use crate::plan::{Circumstances, Purpose, alerts};
use crate::policy::set::{Lease, OnManualRelease, Verdict};
use crate::policy::workspace::{Caps, Limit};
use crate::policy::{PolicySet, Workspace};

const RUN: &str = "20261123T095000Z-7f3c9a";

fn past(plan: &Plan, standing: Standing) -> Past {
    let changes = plan.changes.iter();
    let changes = changes.map(|change| PastChange { change: change.clone(), standing });
    Past { run: RUN.to_owned(), changes: changes.collect() }
}

fn minutes_ago(minutes: u64) -> jiff::Timestamp {
    Span::from_secs(minutes * 60).before(now())
}

/// The fleet after a run of what is planned, so many minutes ago, and the run.
fn ran(policies: &PolicySet, fleet: Fleet, minutes: u64) -> (Fleet, Past) {
    let plan = planned(policies, &workspace(), fleet.build());
    assert!(!plan.changes.is_empty());
    (done(fleet, &plan, minutes), past(&plan, Standing::Done))
}

fn done(fleet: Fleet, plan: &Plan, minutes: u64) -> Fleet {
    let before = fleet.actions.len();
    let mut fleet = applied(fleet, plan);
    for row in fleet.actions.iter_mut().skip(before) {
        (row.created, row.updated) = (minutes_ago(minutes), minutes_ago(minutes));
    }
    fleet
}

fn undone(policies: &PolicySet, workspace: &Workspace, fleet: &Fleet, past: &Past) -> Plan {
    let purpose = Purpose::Undo(past.clone());
    let around = Circumstances { purpose, ..Circumstances::default() };
    let plan = planned_around(&around, policies, workspace, fleet.build());
    assert_eq!((plan.purpose, plan.undoes.as_deref()), (Aim::Undo, Some(RUN)));
    plan
}

fn check(policies: &PolicySet, fleet: &Fleet, past: &Past, expected: &[&str]) -> Plan {
    let plan = undone(policies, &workspace(), fleet, past);
    assert_eq!(rows(&plan), expected);
    plan
}

fn next(policies: &PolicySet, fleet: &Fleet, expected: &[&str]) {
    assert_eq!(rows(&planned(policies, &workspace(), fleet.build())), expected);
}

fn contained() -> (PolicySet, Fleet) {
    let policies = PolicySet {
        isolation: vec![isolate("ir", tag("ir"))],
        restriction: vec![restrict("kiosk", tag("kiosk"))],
        ..set()
    };
    let fleet = Fleet::of([
        Machine::new("pc-1").tag("ir"),
        Machine::new("pc-2").tag("kiosk"),
        Machine::new("pc-3"),
    ]);
    (policies, fleet)
}

#[test]
fn what_was_taken_is_given_back_and_not_simply_taken_again() {
    let (mut policies, fleet) = contained();
    let (fleet, past) = ran(&policies, fleet, 10);
    let expected = [
        "do release pc-1 full -> free (undo)",
        "do unrestrict pc-2 restricted -> unrestricted (undo)",
    ];
    let plan = check(&policies, &fleet, &past, &expected);
    let comment = plan.changes[0].parameters.comment.clone().unwrap();
    assert_eq!(
        comment,
        format!("undo of {RUN}: ir [palisade {WORKSPACE}/ir {}]", plan.changes[0].id)
    );
    assert_eq!((plan.summary.total, plan.changes[0].because[0].name.as_str()), (2, "ir"));
    let fleet = done(fleet, &plan, 0);
    let held = ["held pc-1 isolation released-by-hand", "held pc-2 codeExecution released-by-hand"];
    next(&policies, &fleet, &held);
    // A second lease does not follow what a person took back.
    policies.isolation[0].containment.renewal = 2;
    next(&policies, &fleet, &held);
    // Nor what another policy wants, until the lease would have ended.
    policies.isolation[0].header.name = "ir-2".into();
    next(&policies, &fleet, &held);
}

#[test]
fn a_release_is_taken_back_for_the_rest_of_its_lease() {
    let (policies, fleet) = contained();
    let (mut fleet, _) = ran(&policies, fleet, 30);
    fleet.machines[0].tags.clear();
    let (fleet, past) = ran(&policies, fleet, 20);
    let expected = ["do isolate pc-1 free -> full (undo)"];
    let plan = check(&policies, &fleet, &past, &expected);
    assert_eq!(plan.changes[0].lease_end, Some(at("2026-11-26T10:00:00Z")));
    assert_eq!(plan.changes[0].parameters.isolation_type.as_deref(), Some("Full"));
    let fleet = done(fleet, &plan, 10);
    // Nobody selects it, and yet it is not released again before its end.
    next(&policies, &fleet, &["held pc-1 isolation put-back"]);
    // The undoing is undone like any run.
    let again = self::past(&plan, Standing::Done);
    check(&policies, &fleet, &again, &["do release pc-1 full -> free (undo)"]);
}

#[test]
fn a_posture_that_was_put_back_ends_with_the_lease_it_had() {
    let (mut policies, fleet) = contained();
    policies.isolation[0].containment.lease = Lease::For(Span::from_hours(1));
    let (mut fleet, _) = ran(&policies, fleet, 50);
    // The marker is to the minute; the run was when it says.
    let until = "until 2026-11-23T11:00Z";
    let comment = fleet.actions[0].comment.replace(until, "until 2026-11-23T10:05Z");
    fleet.actions[0].comment = comment.into();
    let tags = std::mem::take(&mut fleet.machines[0].tags);
    let (mut fleet, past) = ran(&policies, fleet, 20);
    fleet.machines[0].tags = tags;
    let plan = undone(&policies, &workspace(), &fleet, &past);
    assert_eq!(plan.changes[0].lease_end, Some(at("2026-11-23T10:05:00Z")));
    let mut fleet = done(fleet, &plan, 10);
    next(&policies, &fleet, &[]);
    // Its time has come: released, although a new lease would last longer.
    let comment = &fleet.actions.last().unwrap().comment;
    let comment = comment.replace("T10:05Z", "T09:59Z");
    fleet.actions.last_mut().unwrap().comment = comment.into();
    next(&policies, &fleet, &["do release pc-1 full -> free (lease-ended)"]);
}

#[test]
fn nothing_is_put_back_without_an_end() {
    let (policies, fleet) = contained();
    for (until, code) in [("until 2026-11-23T09:59Z]", "lease-over"), ("]", "lease-unknown")] {
        let (mut fleet, _) = ran(&policies, fleet.clone(), 30);
        let comment = fleet.actions[0].comment.replace("until 2026-11-26T10:00Z]", until);
        fleet.actions[0].comment = comment.replace(" ]", "]").into();
        fleet.machines[0].tags.clear();
        let (fleet, past) = ran(&policies, fleet, 20);
        check(&policies, &fleet, &past, &[&format!("cannot pc-1 isolation {code}")]);
    }
    // Nor with one that somebody typed in the portal, who came between our look and our release.
    let (mut fleet, _) = ran(&policies, fleet, 30);
    fleet.machines[0].tags.clear();
    let (mut fleet, past) = ran(&policies, fleet, 20);
    fleet.actions[0].source = "Portal".into();
    check(&policies, &fleet, &past, &["cannot pc-1 isolation lease-unknown"]);
}

#[test]
fn what_moved_since_is_left_alone() {
    let (policies, fleet) = contained();
    let (fleet, past) = ran(&policies, fleet, 10);
    let moved = fleet.clone().by_hand("pc-1", Unisolate, Succeeded, minutes_ago(5)).by_hand(
        "pc-2",
        RestrictCodeExecution,
        Pending,
        minutes_ago(5),
    );
    let expected =
        ["held pc-1 isolation moved-since", "changing pc-2 codeExecution in-flight-foreign"];
    check(&policies, &moved, &past, &expected);
    // Isolated again by somebody else: it is theirs now.
    let theirs = fleet.by_hand("pc-1", Isolate, Succeeded, minutes_ago(5));
    let plan = undone(&policies, &workspace(), &theirs, &past);
    assert_eq!(rows(&plan)[1], "held pc-1 isolation moved-since");
}

#[test]
fn what_has_no_way_back_says_so() {
    let policies = PolicySet { scans: vec![scan("nightly", tag("ir"), "0 9 * * *")], ..set() };
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir")]);
    let (fleet, past) = ran(&policies, fleet, 10);
    check(&policies, &fleet, &past, &["cannot pc-1 scan no-inverse"]);

    let (mut policies, fleet) = contained();
    policies.isolation[0].isolation = IsolationMode::Selective;
    policies.restriction.clear();
    let (fleet, _) = ran(&policies, fleet, 30);
    policies.isolation[0].isolation = IsolationMode::Full;
    let (fleet, past) = ran(&policies, fleet, 20);
    check(&policies, &fleet, &past, &["cannot pc-1 isolation weakening-needs-release"]);
}

#[test]
fn the_tenant_says_what_came_of_a_run_that_was_stopped() {
    let (policies, fleet) = contained();
    let plan = planned(&policies, &workspace(), fleet.build());
    let open = past(&plan, Standing::Open);
    // Nothing has arrived.
    check(&policies, &fleet, &open, &[]);
    // It took effect after the run had ended.
    let mut fleet = done(fleet, &plan, 10);
    fleet.actions[1].status = Pending;
    let expected = ["do release pc-1 full -> free (undo)", "changing pc-2 codeExecution in-flight"];
    check(&policies, &fleet, &open, &expected);
    check(&policies, &fleet, &past(&plan, Standing::Nothing), &[]);
    // What the journal calls done and the history does not have is nothing to build upon.
    fleet.actions.clear();
    let expected = ["unknown pc-1 isolation action-gone", "unknown pc-2 codeExecution action-gone"];
    check(&policies, &fleet, &past(&plan, Standing::Done), &expected);
}

#[test]
fn guardrails_and_exemptions_hold_for_the_inverse() {
    let (mut policies, fleet) = contained();
    let (mut fleet, _) = ran(&policies, fleet, 30);
    fleet.machines[0].tags = vec!["dc".to_owned()];
    let (fleet, past) = ran(&policies, fleet, 20);
    let mut guarded = workspace();
    guarded.guardrails.protected = Some(tag("dc"));
    let plan = undone(&policies, &guarded, &fleet, &past);
    assert_eq!(rows(&plan), ["held pc-1 isolation protected"]);
    guarded.guardrails.protected = None;
    let none = Caps { run: Some(Limit::Count(0)), ..Caps::default() };
    guarded.guardrails.caps.insert(Verb::Isolate, none);
    let plan = undone(&policies, &guarded, &fleet, &past);
    assert_eq!(rows(&plan), ["held pc-1 isolation cap-run"]);
    let facets = [Facet::Isolation];
    policies.exemptions.push(exempt("vip", tag("dc"), &facets, at("2026-12-24T00:00:00Z")));
    check(&policies, &fleet, &past, &["held pc-1 isolation exemption"]);
}

#[test]
fn a_verdict_goes_back_to_what_it_was() {
    let verdict = Verdict {
        status: Some(AlertStatus::Resolved),
        classification: Some(Classification::FalsePositive),
        determination: Some(Determination::NotMalicious),
        assigned_to: None,
        comment: None,
    };
    let policies = PolicySet { alert_rules: vec![rule("noise", "*", verdict)], ..set() };
    let fleet = Fleet::of([Machine::new("pc-1")]).alert(alert("da1", "pc-1"));
    let (fleet, past) = ran(&policies, fleet, 10);
    let title = "Mimikatz credential theft tool";
    let expected = format!(
        "do classify {title} resolved/falsePositive/notMalicious/ -> new/unknown/unknown/ (undo)"
    );
    let plan = check(&policies, &fleet, &past, &[&expected]);
    let set = &plan.changes[0].parameters;
    assert_eq!(
        (set.status.as_deref(), set.classification.as_deref()),
        (Some("new"), Some("unknown"))
    );
    assert_eq!((set.determination.as_deref(), set.assigned_to.as_deref()), (Some("unknown"), None));
    let after = done(fleet.clone(), &plan, 0);
    next(&policies, &after, &[&format!("held {title} classification undone")]);
    // Comments stay.
    assert_eq!(after.alerts[0].comments.len(), 2);
    // Somebody judged it otherwise since.
    let mut moved = fleet;
    moved.alerts[0].determination = Determination::Other;
    check(&policies, &moved, &past, &[&format!("held {title} classification moved-since")]);
}

/// What is the case, device by device and alert by alert.
fn facts(fleet: &Fleet) -> Vec<((String, Facet), String)> {
    let inventory = fleet.build();
    let ours = WorkspaceId::from(WORKSPACE);
    let mut facts = Vec::new();
    for device in inventory.devices() {
        let id = inventory.id(device).to_string();
        let isolation = readings::isolation(&inventory, device, &ours).reading;
        let restriction = readings::restriction(&inventory, device, &ours).reading;
        facts.push(((id.clone(), Facet::Isolation), format!("{isolation:?}")));
        facts.push(((id, Facet::CodeExecution), format!("{restriction:?}")));
    }
    for alert in inventory.alerts() {
        facts.push(((alert.id.to_string(), Facet::Classification), alerts::value_of(alert)));
    }
    facts
}

fn touches(plan: &Plan, (id, facet): &(String, Facet)) -> bool {
    plan.changes.iter().any(|change| change.target.id == *id && change.facet == *facet)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn an_undoing_restores_what_its_run_changed_and_touches_nothing_else(seed: u64) {
        let mut draw = Draw(seed);
        let (fleet, mut policies) = (world::fleet(&mut draw), world::policies(&mut draw));
        // `reassert` says in so many words that what a person took back is put back.
        let isolation = policies.isolation.iter_mut().map(|policy| &mut policy.containment);
        let restriction = policies.restriction.iter_mut().map(|policy| &mut policy.containment);
        for containment in isolation.chain(restriction) {
            containment.on_manual_release = OnManualRelease::Respect;
        }
        let run = planned(&policies, &workspace(), fleet.build());
        let before = facts(&fleet);
        let mut after = done(fleet, &run, 20);
        let mut rivals = Vec::new();
        for _ in 0..draw.below(4) {
            let name = NAMES[usize::try_from(draw.below(NAMES.len() as u64)).unwrap()];
            let kind = if draw.chance(50) { Isolate } else { Unisolate };
            after = after.by_hand(name, kind, Succeeded, minutes_ago(15));
            rivals.push((device_id(name).to_string(), Facet::Isolation));
        }
        let middle = facts(&after);
        let undo = undone(&policies, &workspace(), &after, &past(&run, Standing::Done));
        let end = done(after, &undo, 10);
        for ((was, is), becomes) in before.iter().zip(&middle).zip(&facts(&end)) {
            let target = &is.0;
            if touches(&undo, target) {
                prop_assert!(touches(&run, target) && !rivals.contains(target));
                prop_assert_eq!(becomes, was);
            } else {
                prop_assert_eq!(becomes, is);
            }
        }
        // Nothing is passed over in silence: what the run did has an inverse or a row.
        let silent = run.changes.len() - undo.changes.len() - rows_of(&undo);
        prop_assert_eq!(silent, 0, "{:?}", rows(&undo));
        // Nor simply done again.
        let next = planned(&policies, &workspace(), end.build());
        for change in &undo.changes {
            let target = (change.target.id.clone(), change.facet);
            prop_assert!(!touches(&next, &target), "{:?}", rows(&next));
        }
        // And the undoing is undone.
        let redo = undone(&policies, &workspace(), &end, &past(&undo, Standing::Done));
        for ((is, now), then) in middle.iter().zip(&facts(&end)).zip(&facts(&done(end.clone(), &redo, 0))) {
            let target = &now.0;
            prop_assert_eq!(then, if touches(&redo, target) { is } else { now });
        }
        let taken_back = |change: &&crate::plan::Change| change.verb == Verb::Release;
        let of_run = undo.changes.iter().filter(taken_back).count();
        let again = redo.changes.iter().filter(|change| change.verb == Verb::Isolate).count();
        prop_assert!(again <= of_run);
    }
}

fn rows_of(plan: &Plan) -> usize {
    let lists = [&plan.held, &plan.cannot, &plan.unknown, &plan.foreign, &plan.changing];
    lists.into_iter().map(Vec::len).sum()
}

#[test]
fn a_run_of_another_workspace_is_not_ours_to_undo() {
    let (policies, fleet) = contained();
    let (mut fleet, past) = ran(&policies, fleet, 10);
    let foreign = |row: &mut ActionRow| {
        row.comment = row.comment.replace(WORKSPACE, "another").into();
    };
    fleet.actions.iter_mut().for_each(foreign);
    let plan = undone(&policies, &workspace(), &fleet, &past);
    assert!(plan.changes.is_empty(), "{:?}", rows(&plan));
    // Nor what was pasted into the portal.
    let portal = marked(WORKSPACE, "ir");
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir")])
        .action("pc-1", Isolate, Succeeded, ago(1), &portal, "ana")
        .last_action(|row| row.source = "Portal".into());
    let plan = undone(&policies, &workspace(), &fleet, &past);
    assert!(plan.changes.is_empty(), "{:?}", rows(&plan));
}
