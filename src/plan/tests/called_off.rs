//! Our pending placements that somebody else cancels: a release by hand before there was anything to
//! release. Our own cancellings, and those that nobody can tell from ours, are none.

use std::sync::Arc;

use jiff::Timestamp;

use super::fleet::{Fleet, Machine, ago, marked, marked_until, now};
use super::policies::{isolate, restrict, set, tag, workspace};
use super::world::applied_at;
use super::{planned, planned_around, rows};
use crate::inventory::Cancelled;
use crate::model::ActionKind::{Isolate, RestrictCodeExecution, Unisolate};
use crate::model::ActionStatus::{Cancelled as Ended, Pending, Succeeded};
use crate::model::{ActionKind, Isolation, IsolationMode, Span};
use crate::plan::types::Plan;
use crate::plan::{Circumstances, Lift};
use crate::policy::PolicySet;
use crate::policy::set::Lease;
use crate::policy::set::OnManualRelease::{self, Ask, Reassert, Respect};

fn pc() -> Fleet {
    Fleet::of([Machine::new("pc-1").tag("ir")])
}

fn policies(what: OnManualRelease) -> PolicySet {
    let (mut isolation, mut restriction) = (isolate("ir", tag("ir")), restrict("ir", tag("x")));
    isolation.containment.on_manual_release = what;
    restriction.containment.on_manual_release = what;
    PolicySet { isolation: vec![isolation], restriction: vec![restriction], ..set() }
}

/// An action of our policy that ended cancelled two hours ago.
fn cancelled(fleet: Fleet, kind: ActionKind, by: &str, comment: &str) -> Fleet {
    let until = Span::from_hours(72).after(ago(5));
    let own = marked_until("contoso-soc", "ir", until);
    fleet.action("pc-1", kind, Ended, ago(5), &own, "palisade").last_action(|row| {
        row.updated = ago(2);
        let (requestor, comment) = (Arc::from(by), Arc::from(comment));
        row.cancelled = Some(Box::new(Cancelled { requestor, comment, at: ago(2) }));
    })
}

fn plan(fleet: &Fleet, what: OnManualRelease, around: &Circumstances) -> Plan {
    planned_around(around, &policies(what), &workspace(), fleet.build())
}

const ANA: &str = "ana@contoso.example";

#[test]
fn who_cancels_our_pending_placement_has_released_the_device() {
    let nobody = Circumstances::default();
    let off = cancelled(pc(), Isolate, ANA, "false alarm");
    let respected = plan(&off, Respect, &nobody);
    assert_eq!(rows(&respected), ["held pc-1 isolation released-by-hand"]);
    let reason = &respected.held[0].reason;
    let facts = ["cancelledBy", "by", "ended", "action"].map(|key| reason.text(key));
    let expected = [Some(ANA), None, Some("2026-11-23T08:00:00Z"), Some("action-00000")];
    assert_eq!(facts, expected.map(|text| text.map(str::to_owned)));

    let again = plan(&off, Reassert, &nobody);
    assert_eq!(rows(&again), ["do isolate pc-1 free -> full (reasserted)"]);
    assert_eq!(again.changes[0].reason.as_ref().unwrap().text("cancelledBy").unwrap(), ANA);

    let asked = plan(&off, Ask, &nobody);
    assert_eq!(rows(&asked), ["held pc-1 isolation released-by-hand"]);
    let objection = &asked.objections[0];
    assert_eq!((objection.code.as_str(), objection.held), ("released-by-hand", 1));
    assert_eq!(objection.scope, format!("cancelled by {ANA}"));
    let lift = Lift { code: "released-by-hand".to_owned(), because: "IR-7781".to_owned() };
    let lifted = plan(&off, Ask, &Circumstances { lifts: vec![lift], ..nobody });
    assert_eq!(rows(&lifted), ["do isolate pc-1 free -> full (released-by-hand)"]);
    // What was placed after that is a taking like any other.
    let after = applied_at(off, &lifted, now());
    assert_eq!(rows(&planned(&policies(Ask), &workspace(), after.build())), [] as [&str; 0]);
}

#[test]
fn code_restriction_is_no_other_case() {
    let mut policies = policies(Respect);
    policies.restriction = vec![restrict("ir", tag("ir"))];
    policies.isolation = Vec::new();
    let off = cancelled(pc(), RestrictCodeExecution, ANA, "");
    let plan = planned(&policies, &workspace(), off.build());
    assert_eq!(rows(&plan), ["held pc-1 codeExecution released-by-hand"]);
}

#[test]
fn our_own_cancelling_and_one_that_nobody_can_tell_from_ours_mean_nothing() {
    let ours = marked("contoso-soc", "ir");
    for (by, comment) in [
        ("palisade", &*ours),
        // Another account of ours.
        ("palisade-ci", &ours),
        ("", &ours),
        // The account that had asked for the action, with a comment that was lost or never was.
        ("palisade", ""),
        ("Palisade", "typed"),
        ("", "typed"),
        (" ", ""),
    ] {
        let off = cancelled(pc(), Isolate, by, comment);
        let plan = plan(&off, Respect, &Circumstances::default());
        assert_eq!(rows(&plan), ["do isolate pc-1 free -> full"], "{by:?} {comment:?}");
    }
    let silent = cancelled(pc(), Isolate, "", "").last_action(|row| row.cancelled = None);
    let found = plan(&silent, Respect, &Circumstances::default());
    assert_eq!(rows(&found), ["do isolate pc-1 free -> full"]);
    // Nor is it a release when it came too late, or when it was not ours that was cancelled.
    let late = cancelled(pc(), Isolate, ANA, "").last_action(|row| row.status = Succeeded);
    assert_eq!(rows(&plan(&late, Respect, &Circumstances::default())), [] as [&str; 0]);
    let theirs = cancelled(pc(), Isolate, ANA, "")
        .last_action(|row| row.comment = Arc::from(marked("fab", "ir")));
    let found = plan(&theirs, Respect, &Circumstances::default());
    assert_eq!(rows(&found), ["do isolate pc-1 free -> full"]);
}

#[test]
fn what_another_workspace_cancelled_is_respected_whatever_the_policy_says() {
    let off = cancelled(pc(), Isolate, "palisade", &marked("fab", "x"));
    for what in [Respect, Reassert, Ask] {
        let plan = plan(&off, what, &Circumstances::default());
        assert_eq!(rows(&plan), ["held pc-1 isolation released-by-hand"], "{what:?}");
        let by = plan.held[0].reason.text("cancelledBy");
        assert_eq!(by.as_deref(), Some("workspace fab"));
    }
}

#[test]
fn another_policy_waits_until_the_end_that_the_cancelled_action_named() {
    let other = |read: Timestamp| {
        let off = cancelled(pc(), Isolate, ANA, "");
        let policies = PolicySet { isolation: vec![isolate("other", tag("ir"))], ..set() };
        rows(&planned(&policies, &workspace(), off.build_at(read)))
    };
    assert_eq!(other(now()), ["held pc-1 isolation released-by-hand"]);
    assert_eq!(other(Span::from_hours(67).after(now())), ["do isolate pc-1 free -> full"]);
}

#[test]
fn a_cancelling_counts_until_the_policy_has_the_device_again() {
    let before = cancelled(pc(), Isolate, ANA, "").by_us("pc-1", Isolate, Succeeded, ago(1), "ir");
    assert_eq!(rows(&plan(&before, Respect, &Circumstances::default())), [] as [&str; 0]);
    // It had the device since and let it go itself: the cancelling is over.
    let since = before.by_us("pc-1", Unisolate, Succeeded, ago(0), "ir");
    let since = since.build_at(Span::from_hours(1).after(now()));
    let found = planned(&policies(Respect), &workspace(), since);
    assert_eq!(rows(&found), ["do isolate pc-1 free -> full"]);
    let pending = cancelled(pc(), Isolate, ANA, "").by_us("pc-1", Isolate, Pending, ago(1), "ir");
    let found = plan(&pending, Respect, &Circumstances::default());
    // What was sent before somebody's word was heard is taken back.
    assert_eq!(rows(&found), ["do cancel pc-1 full -> free (no-longer-wanted)"]);
}

#[test]
fn what_a_person_kept_from_becoming_stronger_stays_as_it_is_while_its_lease_runs() {
    let selective = pc()
        .by_us("pc-1", Isolate, Succeeded, ago(20), "ir")
        .last_action(|row| row.isolation = Some(Isolation::Selective));
    let off = cancelled(selective.clone(), Isolate, ANA, "");
    for (what, expected) in [
        (Respect, "held pc-1 isolation released-by-hand"),
        (Ask, "held pc-1 isolation released-by-hand"),
        (Reassert, "do isolate pc-1 selective -> full (reasserted)"),
    ] {
        let plan = plan(&off, what, &Circumstances::default());
        assert_eq!(rows(&plan), [expected], "{what:?}");
        assert_eq!(plan.objections.len(), usize::from(what == Ask), "{what:?}");
    }
    let plain = plan(&selective, Respect, &Circumstances::default());
    assert_eq!(rows(&plain), ["do isolate pc-1 selective -> full (strengthened)"]);
    // Its end comes all the same.
    let later = off.build_at(Span::from_hours(60).after(now()));
    let over = planned(&policies(Ask), &workspace(), later);
    assert_eq!(rows(&over), ["do release pc-1 selective -> free (lease-ended)"]);
}

#[test]
fn a_policy_whose_lease_is_over_argues_with_nobody() {
    let selective = pc()
        .by_us("pc-1", Isolate, Succeeded, ago(20), "hold")
        .last_action(|row| row.isolation = Some(Isolation::Selective));
    let off = cancelled(selective, Isolate, ANA, "");
    let reasserted = "do isolate pc-1 selective -> full (reasserted)";
    for (hours, expected) in [(10, vec![]), (72, vec![reasserted])] {
        let mut both = policies(Reassert);
        both.isolation[0].containment.lease = Lease::For(Span::from_hours(hours));
        let mut hold = isolate("hold", tag("ir"));
        hold.isolation = IsolationMode::Selective;
        both.isolation.push(hold);
        assert_eq!(rows(&planned(&both, &workspace(), off.build())), expected, "{hours}");
    }
}
