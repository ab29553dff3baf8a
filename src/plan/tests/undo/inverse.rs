//! What counts as the run's own action, what moved since, and what exactly goes back.

use std::sync::Arc;

use super::*;
use crate::model::ActionKind::RunAntiVirusScan;
use crate::model::ActionStatus::Failed;
use crate::plan::undo::names;

const RELEASED: &str = "do release pc-1 full -> free (undo)";

/// `pc-1` after a run that isolated it.
fn isolated() -> (PolicySet, Fleet, Past) {
    let (mut policies, fleet) = contained();
    policies.restriction.clear();
    let (fleet, past) = ran(&policies, fleet, 10);
    (policies, fleet, past)
}

#[test]
fn a_comment_of_an_undoing_names_the_policies_whose_wish_it_took_back() {
    let undoing = marked(WORKSPACE, "a").replace("for a test", &format!("undo of {RUN}: b, c"));
    let other = marked(WORKSPACE, "a").replace("for a test", "lease ended: b, c");
    let cut = marked(WORKSPACE, "a").replace("for a test", &format!("undo of {RUN}"));
    let one = format!("undo of {RUN}: b");
    for (comment, expected) in [
        (undoing.as_str(), [true, true, true, false]),
        (&cut, [true, false, false, false]),
        (&one, [false, true, false, false]),
        (&other, [false; 4]),
        ("", [false; 4]),
    ] {
        let found = ["a", "b", "c", "d"].map(|name| names(comment, &name.into()));
        assert_eq!(found, expected, "{comment}");
    }
}

#[test]
fn a_restriction_that_was_let_go_is_put_back_too() {
    let (policies, fleet) = contained();
    let (mut fleet, _) = ran(&policies, fleet, 30);
    fleet.machines[1].tags.clear();
    let (fleet, past) = ran(&policies, fleet, 20);
    let expected = ["do restrict pc-2 unrestricted -> restricted (undo)"];
    let plan = check(&policies, &fleet, &past, &expected);
    assert_eq!(plan.changes[0].lease_end, Some(at("2026-11-26T10:00:00Z")));
}

#[test]
fn caps_count_who_is_in_the_state_already() {
    let (policies, fleet) = contained();
    let (mut fleet, _) = ran(&policies, fleet, 30);
    fleet.machines.iter_mut().for_each(|machine| machine.tags.clear());
    let (fleet, past) = ran(&policies, fleet, 20);
    let fleet = fleet.by_hand("pc-3", Isolate, Succeeded, ago(5)).by_hand(
        "pc-3",
        RestrictCodeExecution,
        Succeeded,
        ago(5),
    );
    let mut guarded = workspace();
    for (count, held) in [(1, 2), (2, 0)] {
        let caps = Caps { group: Some(Limit::Count(count)), ..Caps::default() };
        guarded.guardrails.caps = [(Verb::Isolate, caps), (Verb::Restrict, caps)].into();
        let plan = undone(&policies, &guarded, &fleet, &past);
        assert_eq!((plan.changes.len(), plan.held.len()), (2 - held, held), "{:?}", rows(&plan));
    }
}

#[test]
fn other_facets_and_attempts_that_failed_have_moved_nothing() {
    let (policies, fleet, past) = isolated();
    for (kind, status) in [(RunAntiVirusScan, Succeeded), (Unisolate, Failed), (Isolate, Failed)] {
        let later = fleet.clone().by_hand("pc-1", kind, status, minutes_ago(5));
        check(&policies, &later, &past, &[RELEASED]);
    }
    // Nor has a second request of the same change that failed.
    let mut again = fleet.actions[0].clone();
    (again.id, again.status) = ("action-again".into(), Failed);
    (again.created, again.updated) = (minutes_ago(4), minutes_ago(3));
    let mut fleet = fleet;
    fleet.actions.push(again);
    check(&policies, &fleet, &past, &[RELEASED]);
}

#[test]
fn a_comment_alone_has_no_way_back() {
    let words = Verdict { comment: Some(Arc::from("seen")), ..Verdict::default() };
    let policies = PolicySet { alert_rules: vec![rule("words", "*", words)], ..set() };
    let fleet = Fleet::of([Machine::new("pc-1")]).alert(alert("da1", "pc-1"));
    let plan = planned(&policies, &workspace(), fleet.build());
    assert_eq!(plan.changes[0].from, plan.changes[0].to);
    let fleet = done(fleet, &plan, 10);
    let none = ["cannot Mimikatz credential theft tool classification no-inverse"];
    check(&policies, &fleet, &past(&plan, Standing::Done), &none);
    check(&policies, &fleet, &past(&plan, Standing::Open), &[]);
}

#[test]
fn the_pair_of_a_verdict_goes_back_together_and_an_assignee_is_taken_off() {
    let classification = Some(Classification::FalsePositive);
    let determination = Some(Determination::NotMalicious);
    let assigned_to: Option<Arc<str>> = Some(Arc::from("soc@contoso.example"));
    let (pair, nobody) = ((Some("unknown"), Some("unknown")), (None, None));
    for (set_to, expected, assigned) in [
        (Verdict { classification, ..Verdict::default() }, pair, None),
        (Verdict { determination, ..Verdict::default() }, pair, None),
        (Verdict { assigned_to, ..Verdict::default() }, nobody, Some("")),
    ] {
        let policies = PolicySet { alert_rules: vec![rule("a", "*", set_to)], ..set() };
        let fleet = Fleet::of([Machine::new("pc-1")]).alert(alert("da1", "pc-1"));
        let plan = planned(&policies, &workspace(), fleet.build());
        let mut fleet = done(fleet, &plan, 10);
        fleet.alerts[0].assigned_to = plan.changes[0].parameters.assigned_to.clone().map(Arc::from);
        let plan = undone(&policies, &workspace(), &fleet, &past(&plan, Standing::Done));
        let back = &plan.changes[0].parameters;
        assert_eq!((back.classification.as_deref(), back.determination.as_deref()), expected);
        assert_eq!((back.assigned_to.as_deref(), back.status.as_deref()), (assigned, None));
        let said = back.comment.as_deref().unwrap();
        assert_eq!(said.contains(" (verdict undone) [palisade "), expected == pair, "{said}");
    }
}

#[test]
fn what_was_put_back_is_let_go_at_the_very_end_of_its_lease() {
    let (policies, fleet) = contained();
    let (mut fleet, _) = ran(&policies, fleet, 30);
    fleet.machines[0].tags.clear();
    let (fleet, past) = ran(&policies, fleet, 20);
    let plan = undone(&policies, &workspace(), &fleet, &past);
    let mut fleet = done(fleet, &plan, 10);
    let comment = fleet.actions.last().unwrap().comment.clone();
    for (until, expected) in [
        ("until 2026-11-23T10:01Z", "held pc-1 isolation put-back"),
        ("until 2026-11-23T10:00Z", "do release pc-1 full -> free (no-longer-selected)"),
    ] {
        let row = fleet.actions.last_mut().unwrap();
        row.comment = comment.replace("until 2026-11-26T10:00Z", until).into();
        next(&policies, &fleet, &[expected]);
    }
}

/// The device was set up anew, and the service has found out: what was done to the old record counts
/// for the new one, and so does its undoing.
#[test]
fn a_record_that_was_merged_since_is_undone_on_the_one_it_became() {
    let (policies, mut fleet) = contained();
    fleet.machines.truncate(1);
    let (mut fleet, past) = ran(&policies, fleet, 10);
    fleet.machines[0].merged_into = Some("pc-1-new");
    fleet.machines.push(Machine::new("pc-1-new"));
    check(&policies, &fleet, &past, &["do release pc-1-new full -> free (undo)"]);
}

#[test]
fn what_was_put_back_ends_as_written_however_long_its_device_took() {
    let (policies, fleet) = contained();
    let (mut fleet, _) = ran(&policies, fleet, 50);
    let tags = std::mem::take(&mut fleet.machines[0].tags);
    let (mut fleet, past) = ran(&policies, fleet, 40);
    fleet.machines[0].tags = tags;
    let plan = undone(&policies, &workspace(), &fleet, &past);
    let fleet = done(fleet, &plan, 30).last_action(|row| row.updated = minutes_ago(5));
    let plan = planned(&policies, &workspace(), fleet.build());
    assert_eq!(rows(&plan), [] as [&str; 0]);
    // The other device was placed long before its marker thought: that is another matter.
    assert!(plan.leases.iter().all(|row| row.target.name != "pc-1"), "{:?}", plan.leases);
}

#[test]
fn what_was_undone_before_says_so() {
    let (policies, fleet, past) = isolated();
    let plan = undone(&policies, &workspace(), &fleet, &past);
    let fleet = done(fleet, &plan, 5);
    let again = undone(&policies, &workspace(), &fleet, &past);
    assert_eq!(rows(&again), ["held pc-1 isolation already-undone"]);
    // Another undoing is somebody's hand like any other.
    let mut fleet = fleet;
    let row = fleet.actions.last_mut().unwrap();
    row.comment = row.comment.replace(RUN, "20261123T095001Z-7f3c9a").into();
    let again = undone(&policies, &workspace(), &fleet, &past);
    assert_eq!(rows(&again), ["held pc-1 isolation moved-since"]);
}
