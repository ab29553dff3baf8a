//! How long what we placed lasts at least, and what ends it nevertheless.

use crate::model::ActionKind::{Isolate, RestrictCodeExecution};
use crate::model::ActionStatus::Succeeded;
use crate::model::Span;
use crate::plan::tests::fleet::{Fleet, Machine, ago, marked_until, now};
use crate::plan::tests::policies::{isolate, set, tag, workspace};
use crate::plan::tests::{asked, planned, rows};
use crate::plan::{Circumstances, Input, plan};
use crate::policy::set::{Lease, Mode};
use crate::policy::{PolicySet, Workspace};

fn dwelling(hours: u64) -> Workspace {
    let mut workspace = workspace();
    workspace.guardrails.dwell = Span::from_hours(hours);
    workspace
}

fn policies() -> PolicySet {
    PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() }
}

/// A device that nobody selects and that we isolated so many hours (and not a minute more) ago.
fn fleet(hours: u64) -> Fleet {
    let fleet =
        Fleet::of([Machine::new("pc-1")]).by_us("pc-1", Isolate, Succeeded, ago(hours), "ir");
    fleet.last_action(|action| action.updated = ago(hours))
}

#[track_caller]
fn check(policies: &PolicySet, workspace: &Workspace, fleet: &Fleet, row: &str) {
    assert_eq!(rows(&planned(policies, workspace, fleet.build())), [row]);
}

#[test]
fn a_device_is_not_released_before_it_was_held_so_long() {
    let done = "do release pc-1 full -> free (no-longer-selected)";
    check(&policies(), &dwelling(2), &fleet(1), "held pc-1 isolation dwell");
    check(&policies(), &dwelling(2), &fleet(2), done);
    check(&policies(), &dwelling(0), &fleet(0), done);
    // Without it no clock counts, the service's own that is ahead of ours neither.
    let ahead = fleet(0).last_action(|action| action.updated = Span::from_hours(1).after(now()));
    check(&policies(), &dwelling(0), &ahead, done);
    // How long ago that was, the service's clock says where it is behind; a plan for another time says so itself.
    for (hours, ahead, study, held) in
        [(2, -1, false, true), (2, -1, true, false), (1, 1, false, true)]
    {
        let mut inventory = fleet(hours).build();
        inventory.service_at = Some(now() + jiff::SignedDuration::from_hours(ahead));
        let (around, policies, workspace) = (Circumstances::default(), policies(), dwelling(2));
        let read = [inventory];
        let plan = plan(&Input { study, ..asked(&around, &policies, &workspace, &read) }).unwrap();
        assert_eq!(plan.changes.is_empty(), held, "{hours} {ahead} {study}");
    }
    let plan = planned(&policies(), &dwelling(2), fleet(1).build());
    let objection = &plan.objections[0];
    assert_eq!((objection.scope.as_str(), objection.held), ("policy ir", 1));
    assert_eq!(objection.facts["until"], "2026-11-23T11:00:00Z");
}

#[test]
fn a_policy_that_is_gone_or_only_reports_dwells_too() {
    check(&set(), &dwelling(2), &fleet(1), "held pc-1 isolation dwell");
    let mut audit = policies();
    audit.isolation[0].containment.mode = Mode::Audit;
    check(&audit, &dwelling(2), &fleet(1), "held pc-1 isolation dwell");
}

#[test]
fn the_end_of_a_lease_is_never_held() {
    let mut short = policies();
    short.isolation[0].containment.lease = Lease::For(Span::from_secs(60));
    let mut fleet = fleet(1);
    fleet.machines[0].tags.push("ir".to_owned());
    check(&short, &dwelling(2), &fleet, "do release pc-1 full -> free (lease-ended)");
}

#[test]
fn a_lease_that_an_edit_cut_short_dwells() {
    let mut short = policies();
    short.isolation[0].containment.lease = Lease::For(Span::from_secs(60));
    let device = Fleet::of([Machine::new("pc-1").tag("ir")]);
    let comment = marked_until("contoso-soc", "ir", Span::from_hours(72).after(ago(1)));
    let fleet = device.action("pc-1", Isolate, Succeeded, ago(1), &comment, "palisade");
    let fleet = fleet.last_action(|action| action.updated = ago(1));
    check(&short, &dwelling(2), &fleet, "held pc-1 isolation dwell");
    let done = "do release pc-1 full -> free (lease-shortened)";
    check(&short, &dwelling(1), &fleet, done);
}

#[test]
fn strengthening_does_not_begin_it_anew() {
    let again = fleet(3).by_us("pc-1", Isolate, Succeeded, ago(1), "ir");
    let done = "do release pc-1 full -> free (no-longer-selected)";
    check(&policies(), &dwelling(3), &again, done);
}

#[test]
fn code_restriction_dwells_too() {
    let fleet = Fleet::of([Machine::new("pc-1")]);
    let fleet = fleet.by_us("pc-1", RestrictCodeExecution, Succeeded, ago(1), "kiosks");
    check(&set(), &dwelling(2), &fleet, "held pc-1 codeExecution dwell");
}
