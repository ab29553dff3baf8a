//! Whose posture it is: people, other workspaces, policies that are gone; and rounds of plan and
//! apply in which several of them want the same device.

use std::sync::Arc;

use jiff::Timestamp;

use super::fleet::{Fleet, Machine, ago, marked, marked_until, now};
use super::policies::{isolate, set, tag, workspace};
use super::world::applied_at;
use super::{planned, planned_around, rows};
use crate::inventory::Inventory;
use crate::model::ActionKind::{Isolate, Unisolate};
use crate::model::ActionStatus::{Pending, Succeeded};
use crate::model::{IsolationMode, Span, WorkspaceId};
use crate::plan::standing::Then;
use crate::plan::types::Plan;
use crate::plan::{Circumstances, Lift};
use crate::policy::set::{IsolationPolicy, Lease, OnExpiry, OnManualRelease};
use crate::policy::{PolicySet, Workspace};

fn tagged() -> Fleet {
    Fleet::of([Machine::new("pc-1").tag("ir")])
}

fn with(policies: impl IntoIterator<Item = IsolationPolicy>) -> PolicySet {
    PolicySet { isolation: policies.into_iter().collect(), ..set() }
}

fn on_release(what: OnManualRelease) -> IsolationPolicy {
    let mut policy = isolate("ir", tag("ir"));
    policy.containment.on_manual_release = what;
    policy
}

fn lifting(code: &str) -> Circumstances {
    let lift = Lift { code: code.to_owned(), because: "IR-7781".to_owned() };
    Circumstances { lifts: vec![lift], ..Circumstances::default() }
}

fn held_until(fleet: Fleet, hours: u64, policy: &str) -> Fleet {
    let until = Span::from_hours(72).after(ago(hours));
    let comment = marked_until("contoso-soc", policy, until);
    fleet.action("pc-1", Isolate, Succeeded, ago(hours), &comment, "palisade")
}

#[test]
fn a_release_by_a_person_is_respected_reasserted_or_asked_about() {
    use OnManualRelease::{Ask, Reassert, Respect};
    let released = held_until(tagged(), 5, "ir").by_hand("pc-1", Unisolate, Succeeded, ago(2));
    let plan = |what, around: &Circumstances| {
        planned_around(around, &with([on_release(what)]), &workspace(), released.build())
    };
    let nobody = Circumstances::default();
    let respected = plan(Respect, &nobody);
    assert_eq!(rows(&respected), ["held pc-1 isolation released-by-hand"]);
    assert!(respected.objections.is_empty());

    let again = plan(Reassert, &nobody);
    assert_eq!(rows(&again), ["do isolate pc-1 free -> full (reasserted)"]);
    let reason = again.changes[0].reason.clone().unwrap();
    assert_eq!(reason.text("by").as_deref(), Some("ana@contoso.example"));
    assert_eq!(reason.text("ended").as_deref(), Some("2026-11-23T08:01:00Z"));
    assert_eq!(reason.text("action").as_deref(), Some("action-00001"));
    assert_eq!(again.changes[0].lease_end, Some(Span::from_hours(72).after(now())));

    let asked = plan(Ask, &nobody);
    assert_eq!(rows(&asked), ["held pc-1 isolation released-by-hand"]);
    let [objection] = asked.objections.as_slice() else { panic!("{:?}", asked.objections) };
    assert_eq!((objection.code.as_str(), objection.held), ("released-by-hand", 1));
    assert_eq!(objection.facts["by"], "ana@contoso.example");
    let lifted = plan(Ask, &lifting("released-by-hand"));
    assert_eq!(rows(&lifted), ["do isolate pc-1 free -> full (released-by-hand)"]);
    assert_eq!(lifted.objections[0].lifted.as_deref(), Some("IR-7781"));
    // No other word lifts it.
    assert!(plan(Ask, &lifting("cap-run")).changes.is_empty());
    // A lease that a person lifted the objection for runs like any other.
    let after = applied_at(released.clone(), &lifted, now());
    let later = planned(&with([on_release(Ask)]), &workspace(), after.build_at(ago(0)));
    assert_eq!(rows(&later), [] as [&str; 0]);
}

/// What a person ended long ago does not give a policy leases without end.
#[test]
fn who_may_reassert_has_no_more_leases_than_anybody() {
    use OnManualRelease::{Ask, Reassert};
    let fleet = held_until(tagged(), 90, "ir").by_hand("pc-1", Unisolate, Succeeded, ago(88));
    // Put back by another policy for both, and ended by us when the leases were over.
    let until = Span::from_hours(72).after(ago(80));
    let other = marked_until("contoso-soc", "other", until);
    let ended = marked("contoso-soc", "other").replace("for a test", "lease ended: other, ir");
    let fleet = fleet.action("pc-1", Isolate, Succeeded, ago(80), &other, "palisade");
    let fleet = fleet.action("pc-1", Unisolate, Succeeded, ago(8), &ended, "palisade");
    for what in [Ask, Reassert] {
        let plan = planned(&with([on_release(what)]), &workspace(), fleet.build());
        assert_eq!(rows(&plan), ["held pc-1 isolation lease-spent"], "{what:?}");
    }
}

#[test]
fn renewals_that_are_left_do_not_undo_what_a_person_did() {
    let released = held_until(tagged(), 5, "ir").by_hand("pc-1", Unisolate, Succeeded, ago(2));
    let mut twice = on_release(OnManualRelease::Respect);
    twice.containment.renewal = 3;
    let plan = planned(&with([twice]), &workspace(), released.build());
    assert_eq!(rows(&plan), ["held pc-1 isolation released-by-hand"]);
}

#[test]
fn another_policy_waits_until_the_lease_that_a_person_ended_would_have_ended() {
    let released = held_until(tagged(), 5, "ir").by_hand("pc-1", Unisolate, Succeeded, ago(2));
    let other = with([isolate("other", tag("ir"))]);
    let plan = planned(&other, &workspace(), released.build());
    assert_eq!(rows(&plan), ["held pc-1 isolation released-by-hand"]);
    // Each policy by its own word.
    let mut arguing = isolate("other", tag("ir"));
    arguing.containment.on_manual_release = OnManualRelease::Reassert;
    let plan = planned(&with([arguing]), &workspace(), released.build());
    assert_eq!(rows(&plan), ["do isolate pc-1 free -> full (reasserted)"]);
    let old = held_until(tagged(), 100, "ir").by_hand("pc-1", Unisolate, Succeeded, ago(90));
    let plan = planned(&other, &workspace(), old.build());
    assert_eq!(rows(&plan), ["do isolate pc-1 free -> full"]);
}

/// One policy may put back what a person let go: that is no word for another one to ask for more.
#[test]
fn what_one_policy_puts_back_another_does_not_make_stronger() {
    use OnManualRelease::{Ask, Reassert, Respect};
    let released = held_until(tagged(), 5, "ir").by_hand("pc-1", Unisolate, Succeeded, ago(2));
    let mut back = isolate("back", tag("ir"));
    back.containment.on_manual_release = Reassert;
    back.isolation = IsolationMode::Selective;
    for (what, lifted) in [(Respect, false), (Ask, true)] {
        let mut more = isolate("more", tag("ir"));
        more.containment.on_manual_release = what;
        let both = with([back.clone(), more]);
        let first = planned(&both, &workspace(), released.build());
        assert_eq!(rows(&first), ["do isolate pc-1 free -> selective (reasserted)"]);
        let put_back = applied_at(released.clone(), &first, now());
        let then = planned(&both, &workspace(), put_back.build_at(ago(0)));
        assert_eq!(rows(&then), ["held pc-1 isolation released-by-hand"], "{what:?}");
        let lifting = lifting("released-by-hand");
        let asked = planned_around(&lifting, &both, &workspace(), put_back.build());
        assert_eq!(asked.changes.len(), usize::from(lifted), "{what:?}");
    }
}

#[test]
fn undoing_a_run_counts_as_a_release_by_a_person() {
    use OnManualRelease::{Ask, Reassert, Respect};
    let comment = marked("contoso-soc", "ir").replace("for a test", "undo of 20261123-0800-ab12");
    let undone =
        held_until(tagged(), 5, "ir").action("pc-1", Unisolate, Succeeded, ago(2), &comment, "p");
    for (what, expected) in [
        (Respect, "held pc-1 isolation released-by-hand"),
        (Ask, "held pc-1 isolation released-by-hand"),
        (Reassert, "do isolate pc-1 free -> full (reasserted)"),
    ] {
        let plan = planned(&with([on_release(what)]), &workspace(), undone.build());
        assert_eq!(rows(&plan), [expected]);
        let reason = plan.held.first().map(|entry| &entry.reason);
        let reason = reason.or_else(|| plan.changes.first().and_then(|c| c.reason.as_ref()));
        assert_eq!(reason.and_then(|it| it.text("run")).as_deref(), Some("20261123-0800-ab12"));
    }
}

#[test]
fn a_marker_that_a_person_pasted_in_the_portal_claims_nothing() {
    let pasted = tagged()
        .by_us("pc-1", Isolate, Succeeded, ago(5), "ir")
        .last_action(|action| action.source = Arc::from("Portal"));
    let plan = planned(&with([]), &workspace(), pasted.build());
    assert_eq!(rows(&plan), ["foreign pc-1 isolation held-by-other"]);
    let reason = &plan.foreign[0].reason;
    for (key, value) in [("by", "palisade"), ("source", "Portal"), ("action", "action-00000")] {
        assert_eq!(reason.text(key).as_deref(), Some(value), "{key}");
    }
    // Nor does a pasted release end a lease: it is a person's.
    let released = held_until(tagged(), 5, "ir")
        .by_us("pc-1", Unisolate, Succeeded, ago(2), "ir")
        .last_action(|action| action.source = Arc::from("Portal"));
    let plan = planned(&with([isolate("ir", tag("ir"))]), &workspace(), released.build());
    assert_eq!(rows(&plan), ["held pc-1 isolation released-by-hand"]);
}

#[test]
fn attack_disruption_and_nameless_holders_are_foreign() {
    for (requestor, source, by) in [
        ("Microsoft Defender XDR", "AttackDisruption", "Microsoft Defender XDR"),
        ("", "AttackDisruption", "nobody named"),
        (" ", "PublicApi", "nobody named"),
    ] {
        let fleet = tagged()
            .action(
                "pc-1",
                Isolate,
                Succeeded,
                ago(80),
                "contained by attack disruption",
                requestor,
            )
            .last_action(|action| action.source = Arc::from(source));
        let plan = planned(&with([isolate("ir", tag("ir"))]), &workspace(), fleet.build());
        assert_eq!(rows(&plan), ["foreign pc-1 isolation held-by-other"]);
        assert_eq!(plan.foreign[0].reason.text("by").as_deref(), Some(by));
        let pending = tagged()
            .action("pc-1", Isolate, Pending, ago(1), "", requestor)
            .last_action(|action| action.source = Arc::from(source));
        let plan = planned(&with([]), &workspace(), pending.build());
        assert_eq!(rows(&plan), ["changing pc-1 isolation in-flight-foreign"]);
    }
}

// ── policies that are gone ───────────────────────────────────────────────────────────────────────

fn guarded() -> Workspace {
    let mut workspace = workspace();
    workspace.guardrails.hold_orphaned_releases = true;
    workspace
}

fn case(devices: usize) -> Fleet {
    let machines = (0..devices).map(|n| Machine::new(&format!("pc-{n}")).tag("ir"));
    (0..devices).fold(Fleet::of(machines), |fleet, n| {
        let comment = marked_until("contoso-soc", "ir", Span::from_hours(67).after(now()));
        let name = format!("pc-{n}");
        fleet.action(&name, Isolate, Succeeded, ago(5), &comment, "palisade")
    })
}

fn said(plan: &Plan) -> Vec<(&str, &str, u32)> {
    let objections = plan.objections.iter();
    objections.map(|it| (it.code.as_str(), it.scope.as_str(), it.held)).collect()
}

#[test]
fn a_policy_that_is_gone_releases_nobody_until_somebody_says_so() {
    let mut fleet = case(3).by_us("pc-9", Isolate, Pending, ago(1), "ir");
    fleet.machines.push(Machine::new("pc-9"));
    let plan = planned(&with([]), &guarded(), fleet.build());
    assert!(plan.changes.is_empty());
    let held: Vec<_> = plan.held.iter().map(|row| row.reason.code.as_str()).collect();
    assert_eq!(held, ["orphaned-releases"; 4]);
    let orphaned = "orphaned-releases";
    assert_eq!(said(&plan), [(orphaned, "policy ir", 3), (orphaned, "policy ir", 1)]);
    let around = lifting(orphaned);
    let lifted = planned_around(&around, &with([]), &guarded(), fleet.build());
    assert_eq!((lifted.changes.len(), lifted.held.len()), (4, 0));
    assert!(lifted.objections.iter().all(|it| it.lifted.as_deref() == Some("IR-7781")));
    // One that is there and selects nobody any longer is another matter.
    let plan = planned(&with([isolate("ir", tag("nobody"))]), &guarded(), case(3).build());
    assert_eq!((plan.changes.len(), said(&plan)), (3, vec![]));
}

#[test]
fn a_policy_that_was_renamed_keeps_its_devices_and_is_recognized() {
    let renamed = with([isolate("ir-7781", tag("ir"))]);
    let plan = planned(&renamed, &guarded(), case(3).build());
    assert_eq!(rows(&plan), [] as [&str; 0]);
    assert_eq!(plan.leases.len(), 3);
    let row = &plan.leases[0];
    let reason = row.reason.as_ref().unwrap();
    assert_eq!(
        (reason.code.as_str(), reason.text("policy").as_deref()),
        ("policy-renamed", Some("ir"))
    );
    assert_eq!(row.because[0].name, "ir-7781");
    // A shorter lease under the new name ends before the end that was written: only a lift releases then.
    let then = |lease, on_expiry, workspace: &Workspace| {
        let mut renamed = isolate("ir-7781", tag("ir"));
        renamed.containment.on_expiry = on_expiry;
        renamed.containment.lease = Lease::For(Span::from_hours(lease));
        planned(&with([renamed]), workspace, case(3).build()).leases[0].then
    };
    use OnExpiry::{Hold, Release};
    for (lease, on_expiry, workspace, expected) in [
        (72, Release, guarded(), Then::Release),
        (24, Release, guarded(), Then::Orphan),
        (24, Hold, guarded(), Then::Hold),
        (24, Release, workspace(), Then::Release),
    ] {
        assert_eq!(then(lease, on_expiry, &workspace), expected, "{lease}");
    }
    // Where the new one selects fewer, the objection about the rest names it.
    let mut fleet = case(3);
    fleet.machines[2].tags.clear();
    let plan = planned(&renamed, &guarded(), fleet.build());
    assert_eq!(said(&plan), [("orphaned-releases", "policy ir", 1)]);
    let facts = &plan.objections[0].facts;
    assert_eq!((&facts["kept"], &facts["keptBy"]), (&2.into(), &["ir-7781"].as_slice().into()));
}

// ── several who want the same device ─────────────────────────────────────────────────────────────

/// One workspace with its policies.
struct Side {
    workspace: Workspace,
    policies: PolicySet,
}

fn side(id: &str, policy: IsolationPolicy) -> Side {
    let mut workspace = workspace();
    workspace.id = WorkspaceId::from(id);
    Side { workspace, policies: with([policy]) }
}

impl Side {
    fn plan(&self, inventory: Inventory) -> Plan {
        planned(&self.policies, &self.workspace, inventory)
    }
}

/// Plans and applies each side in turn, so many hours apart, and says what each did.
fn rounds(mut fleet: Fleet, sides: &[&Side], hours: impl IntoIterator<Item = u64>) -> Vec<String> {
    let mut did = Vec::new();
    for hour in hours {
        for (turn, side) in (0..).zip(sides) {
            let at: Timestamp = Span::from_secs(hour * 3_600 + turn * 60).after(now());
            let plan = side.plan(fleet.build_at(at));
            for change in &plan.changes {
                did.push(format!("{hour} {} {}", side.workspace.id, change.verb));
            }
            fleet = applied_at(fleet, &plan, at);
        }
    }
    did
}

#[test]
fn two_workspaces_that_want_one_device_take_no_turns() {
    for adopt in [false, true] {
        for (what, renewal) in [
            (OnManualRelease::Respect, 1),
            (OnManualRelease::Reassert, 1),
            (OnManualRelease::Reassert, 4),
        ] {
            let mut policy = on_release(what);
            (policy.containment.adopt, policy.containment.renewal) = (adopt, renewal);
            let (mut first, mut second) =
                (side("contoso-soc", policy.clone()), side("fab", policy));
            second.policies.isolation[0].containment.lease = Lease::For(Span::from_hours(30));
            let did = rounds(tagged(), &[&first, &second], (0..400).step_by(6));
            // The first has it for its leases, then the second for its own; nobody takes it twice.
            let (end, other) = (72 * u64::from(renewal), 30 * u64::from(renewal));
            let (end, other) = (end, (end + other).next_multiple_of(6));
            let mut expected = vec!["0 contoso-soc isolate".to_owned()];
            if end < 400 {
                expected.push(format!("{end} contoso-soc release"));
                expected.push(format!("{end} fab isolate"));
                if other < 400 {
                    expected.push(format!("{other} fab release"));
                }
            }
            assert_eq!(did, expected, "adopt {adopt}, {what:?}, renewal {renewal}");
            // The order of turns changes who is first and nothing else.
            std::mem::swap(&mut first.policies, &mut second.policies);
            assert!(rounds(tagged(), &[&second, &first], (0..400).step_by(6)).len() <= 4);
        }
    }
}

#[test]
fn what_another_workspace_released_is_respected_whatever_the_policy_says() {
    let mut comment = marked("fab", "ir");
    comment = comment.replace("for a test", "undo of 20261123-0800-ab12");
    let released =
        held_until(tagged(), 5, "ir").action("pc-1", Unisolate, Succeeded, ago(2), &comment, "p");
    for what in [OnManualRelease::Respect, OnManualRelease::Reassert, OnManualRelease::Ask] {
        let plan = planned(&with([on_release(what)]), &workspace(), released.build());
        assert_eq!(rows(&plan), ["held pc-1 isolation released-by-hand"], "{what:?}");
        assert_eq!(plan.held[0].reason.text("workspace").as_deref(), Some("fab"));
        assert!(plan.objections.is_empty());
    }
}

#[test]
fn what_another_workspace_placed_over_ours_and_let_go_is_ours_to_take_again() {
    // Both were sent at once; the other's took effect last.
    let raced = held_until(tagged(), 5, "ir").action(
        "pc-1",
        Isolate,
        Succeeded,
        ago(4),
        &marked("fab", "x"),
        "p",
    );
    let policies = with([isolate("ir", tag("ir"))]);
    let plan = planned(&policies, &workspace(), raced.build());
    assert_eq!(rows(&plan), ["foreign pc-1 isolation held-by-other"]);
    let gone = raced.action("pc-1", Unisolate, Succeeded, ago(2), &marked("fab", "x"), "p");
    let plan = planned(&policies, &workspace(), gone.build());
    assert_eq!(rows(&plan), ["do isolate pc-1 free -> full"]);
}
