//! What a window holds while it is open, and what it says of plans made before it.

use std::sync::Arc;

use super::*;
use crate::model::ActionKind::Isolate;
use crate::model::ActionStatus::Succeeded;
use crate::model::Span;
use crate::plan::tests::fleet::{Fleet, Machine, ago, at, now};
use crate::plan::tests::policies::{isolate, set, tag, workspace};
use crate::plan::tests::{planned, planned_around};
use crate::plan::types::Plan;
use crate::plan::{Circumstances, Lift};
use crate::policy::schedule::Cron;
use crate::policy::workspace::Freeze;
use crate::policy::{PolicySet, Workspace};

/// `NOW` is a Monday, ten o'clock UTC.
fn freeze(cron: &str, hours: u64, verbs: &[Verb]) -> Freeze {
    Freeze {
        name: Arc::from("change-freeze"),
        cron: Cron::parse(cron).unwrap(),
        zone: jiff::tz::TimeZone::get("Europe/Berlin").unwrap(),
        window: Span::from_hours(hours),
        verbs: verbs.iter().copied().collect(),
    }
}

fn frozen(freezes: &[Freeze]) -> Workspace {
    let mut workspace = workspace();
    workspace.guardrails.freeze = freezes.to_vec();
    workspace
}

/// One device to isolate, one to release.
fn fleet() -> Fleet {
    Fleet::of([Machine::new("pc-1").tag("ir"), Machine::new("pc-2")]).by_us(
        "pc-2",
        Isolate,
        Succeeded,
        ago(5),
        "ir",
    )
}

fn policies() -> PolicySet {
    PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() }
}

fn verbs(plan: &Plan) -> Vec<Verb> {
    plan.changes.iter().map(|change| change.verb).collect()
}

#[test]
fn an_open_window_holds_what_it_names_and_says_when_it_ends() {
    let both = [Verb::Isolate, Verb::Release];
    for (cron, hours, named, left) in [
        // 10:00 UTC is 11:00 in Berlin.
        ("0 11 * * *", 1, &[][..], &[Verb::Release][..]),
        ("0 10 * * *", 1, &[], &both),
        ("0 10 * * *", 2, &[], &[Verb::Release]),
        ("0 12 * * *", 2, &[], &both),
        ("0 18 * * FRI", 72, &[], &[Verb::Release]),
        ("0 18 * * FRI", 64, &[], &both),
        ("0 10 * * *", 2, &[Verb::Restrict], &both),
        ("0 10 * * *", 2, &[Verb::Release], &[Verb::Isolate]),
    ] {
        let workspace = frozen(&[freeze(cron, hours, named)]);
        let plan = planned(&policies(), &workspace, fleet().build());
        assert_eq!(verbs(&plan), left, "{cron} {hours} {named:?}");
        assert_eq!(plan.objections.len(), 2 - left.len(), "{cron} {hours} {named:?}");
    }
    let plan = planned(&policies(), &frozen(&[freeze("0 10 * * *", 2, &[])]), fleet().build());
    let objection = &plan.objections[0];
    assert_eq!((objection.code.as_str(), objection.held), ("freeze-window", 1));
    assert_eq!(objection.scope, "freeze change-freeze");
    assert_eq!(objection.facts["ends"], "2026-11-23T11:00:00Z");
    assert_eq!(plan.held[0].reason.code, "freeze-window");
}

#[test]
fn every_open_window_objects_and_one_word_lifts_them() {
    let mut other = freeze("0 9 * * *", 5, &[Verb::Isolate]);
    other.name = Arc::from("audit-week");
    let workspace = frozen(&[freeze("0 10 * * *", 2, &[]), other]);
    let plan = planned(&policies(), &workspace, fleet().build());
    let scopes: Vec<_> = plan.objections.iter().map(|it| it.scope.as_str()).collect();
    assert_eq!(scopes, ["freeze audit-week", "freeze change-freeze"]);
    let lift = Lift { code: "freeze-window".to_owned(), because: "IR-7781".to_owned() };
    let around = Circumstances { lifts: vec![lift], ..Circumstances::default() };
    let plan = planned_around(&around, &policies(), &workspace, fleet().build());
    assert_eq!(verbs(&plan), [Verb::Isolate, Verb::Release]);
    assert!(plan.objections.iter().all(|it| it.lifted.is_some() && it.about == 1));
}

#[test]
fn a_plan_ends_before_a_window_that_would_hold_it() {
    let ends =
        |freezes: &[Freeze]| planned(&policies(), &frozen(freezes), fleet().build()).valid_until;
    let usual = ends(&[]);
    assert_eq!(usual, at("2026-11-23T10:30:00Z"));
    assert_eq!(ends(&[freeze("10 11 * * *", 1, &[])]), at("2026-11-23T10:10:00Z"));
    assert_eq!(ends(&[freeze("40 11 * * *", 1, &[])]), usual);
    assert_eq!(ends(&[freeze("10 11 * * *", 1, &[Verb::Scan])]), usual);
    assert!(first(&frozen(&[]).guardrails, &[], now()).is_none());
}
