//! How long a device that we let go is left alone.

use crate::model::ActionKind::{
    Isolate, RestrictCodeExecution, Unisolate, UnrestrictCodeExecution,
};
use crate::model::ActionStatus::{Failed, Succeeded};
use crate::model::{ActionStatus, Span};
use crate::plan::tests::fleet::{Fleet, Machine, ago, now};
use crate::plan::tests::policies::{isolate, restrict, set, tag, workspace};
use crate::plan::tests::{planned, rows};
use crate::policy::{PolicySet, Workspace};

fn cooling(hours: u64) -> Workspace {
    let mut workspace = workspace();
    workspace.guardrails.cooldown = Span::from_hours(hours);
    workspace
}

fn policies() -> PolicySet {
    PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() }
}

/// A selected device that we isolated a day ago and let go so many hours ago.
fn fleet(hours: u64, status: ActionStatus) -> Fleet {
    Fleet::of([Machine::new("pc-1").tag("ir")])
        .by_us("pc-1", Isolate, Succeeded, ago(24), "ir")
        .by_us("pc-1", Unisolate, status, ago(hours), "ir")
        .last_action(|action| action.updated = ago(hours))
}

#[track_caller]
fn check(policies: &PolicySet, workspace: &Workspace, fleet: &Fleet, expected: &[&str]) {
    assert_eq!(rows(&planned(policies, workspace, fleet.build())), expected);
}

#[test]
fn a_device_that_we_released_is_not_taken_again_at_once() {
    let again = ["do isolate pc-1 free -> full"];
    check(&policies(), &cooling(2), &fleet(1, Succeeded), &["held pc-1 isolation cooldown"]);
    check(&policies(), &cooling(2), &fleet(2, Succeeded), &again);
    check(&policies(), &cooling(0), &fleet(0, Succeeded), &again);
    // Without it no clock counts, the service's own that is ahead of ours neither.
    let later = Span::from_hours(1).after(now());
    let ahead = fleet(0, Succeeded).last_action(|action| action.updated = later);
    check(&policies(), &cooling(0), &ahead, &again);
    for (hours, ahead, done) in [(2, -1, 0), (2, 0, 1), (1, 1, 0)] {
        let mut read = fleet(hours, Succeeded).build();
        read.service_at = Some(now() + jiff::SignedDuration::from_hours(ahead));
        assert_eq!(planned(&policies(), &cooling(2), read).changes.len(), done);
    }
    // A release that failed let nobody go: the device is still ours.
    check(&policies(), &cooling(2), &fleet(1, Failed), &[]);
    let plan = planned(&policies(), &cooling(2), fleet(1, Succeeded).build());
    assert_eq!(plan.objections[0].facts["until"], "2026-11-23T11:00:00Z");
    assert_eq!(plan.objections[0].setting, "guardrails.cooldown");
}

#[test]
fn each_facet_cools_down_by_itself() {
    let fleet = fleet(1, Succeeded).by_us("pc-1", RestrictCodeExecution, Succeeded, ago(9), "k");
    let both = PolicySet { restriction: vec![restrict("k", tag("ir"))], ..policies() };
    check(&both, &cooling(2), &fleet, &["held pc-1 isolation cooldown"]);
    let freed = fleet.by_us("pc-1", UnrestrictCodeExecution, Succeeded, ago(3), "k");
    let expected = ["do restrict pc-1 unrestricted -> restricted", "held pc-1 isolation cooldown"];
    check(&both, &cooling(2), &freed, &expected);
}

#[test]
fn what_others_released_does_not_cool_down() {
    let by_hand = Fleet::of([Machine::new("pc-1").tag("ir")])
        .by_hand("pc-1", Isolate, Succeeded, ago(24))
        .by_hand("pc-1", Unisolate, Succeeded, ago(1));
    check(&policies(), &cooling(2), &by_hand, &["do isolate pc-1 free -> full"]);
}
