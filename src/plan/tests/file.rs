//! Sealing, reading and verifying plan files.

use jiff::Timestamp;

use super::fleet::{Fleet, Machine, ago, now};
use super::planned;
use super::policies::{isolate, set, tag, workspace};
use crate::inventory::What;
use crate::model::ActionKind::Isolate;
use crate::model::ActionStatus::Succeeded;
use crate::model::Span;
use crate::plan::file::{
    Begun, FILE_MAX, PlanFileError, VerifyContext, go_on, read, seal, to_bytes, verify,
};
use crate::plan::freeze::Freeze;
use crate::plan::types::{Aim, Objection, Plan, Reason};
use crate::policy::{PolicySet, Workspace};

fn made(workspace: &Workspace) -> Plan {
    let policies = PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() };
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir"), Machine::new("pc-2")]).by_us(
        "pc-2",
        Isolate,
        Succeeded,
        ago(5),
        "gone",
    );
    planned(&policies, workspace, fleet.build())
}

fn refused(plan: Plan, workspace: &Workspace, digest: &str, now: Timestamp) -> PlanFileError {
    let context = VerifyContext { workspace, policy_digest: Some(digest), now };
    verify(plan, &context).unwrap_err()
}

#[test]
fn a_plan_round_trips_and_its_hash_is_stable() {
    let plan = made(&workspace());
    let bytes = to_bytes(&plan);
    assert_eq!(read(&bytes).unwrap(), plan);
    assert_eq!(seal(plan.clone()).plan_hash, plan.plan_hash);
    assert_eq!(to_bytes(&made(&workspace())), bytes);
    let context =
        VerifyContext { workspace: &workspace(), policy_digest: Some(&"d".repeat(64)), now: now() };
    assert_eq!(verify(plan.clone(), &context).unwrap().plan_hash, plan.plan_hash);
}

#[test]
fn every_flipped_byte_is_refused() {
    let plan = made(&workspace());
    let bytes = to_bytes(&plan);
    for at in 0..bytes.len() {
        for flip in [0x01, 0x20, 0x80] {
            let mut flipped = bytes.clone();
            flipped[at] ^= flip;
            assert!(read(&flipped).is_err(), "byte {at} of {} flipped by {flip:#x}", bytes.len());
        }
    }
    assert!(read(&bytes[..bytes.len() - 1]).is_err());
    assert!(read(&[&bytes[..], b" "].concat()).is_err());
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let plan = made(&workspace());
    let text = String::from_utf8(to_bytes(&plan)).unwrap();
    let edited = text.replace("pc-1", "pc-9");
    assert_eq!(read(edited.as_bytes()), Err(PlanFileError::Edited));
    let newer = text.replace("\"formatVersion\": 1", "\"formatVersion\": 2");
    assert_eq!(read(newer.as_bytes()), Err(PlanFileError::Version { found: "2".into() }));
    let odd = text.replace("\"wave\": 1", "\"wave\": \"first\"");
    let error = read(odd.as_bytes()).unwrap_err();
    assert!(
        matches!(&error, PlanFileError::Schema { place, .. } if place == "/changes/0/wave"),
        "{error}"
    );
    let unknown = text.replace("\"tool\"", "\"extra\": 1, \"tool\"");
    assert!(matches!(read(unknown.as_bytes()), Err(PlanFileError::Schema { .. })));
    assert!(matches!(read(b"apiVersion: palisade/v1"), Err(PlanFileError::Unreadable(_))));
}

#[test]
fn a_plan_is_applied_where_and_when_it_was_made_for() {
    let here = workspace();
    let plan = made(&here);
    let digest = "d".repeat(64);
    let late = Span::from_secs(30 * 60 + 1).after(now());
    assert_eq!(
        refused(plan.clone(), &here, &digest, late),
        PlanFileError::Expired { valid_until: Span::from_secs(30 * 60).after(now()) }
    );
    let last = VerifyContext { workspace: &here, policy_digest: None, now: plan.valid_until };
    assert!(verify(plan.clone(), &last).is_ok());
    let stale = refused(plan.clone(), &here, "e", now());
    assert!(matches!(stale, PlanFileError::Stale { .. }), "{stale}");
    let mut elsewhere = workspace();
    elsewhere.id = "fabrikam".into();
    let wrong = refused(plan.clone(), &elsewhere, &digest, now());
    assert!(matches!(wrong, PlanFileError::WrongWorkspace { .. }), "{wrong}");
    let mut other_id = workspace();
    other_id.tenants[0].tenant_id = "99999999-2222-3333-4444-555555555555".into();
    let wrong = refused(plan.clone(), &other_id, &digest, now());
    assert!(matches!(&wrong, PlanFileError::WrongTenant { expected: Some(_), .. }), "{wrong}");
    let pinned = "which has id `99999999-2222-3333-4444-555555555555` in this workspace";
    assert!(wrong.to_string().ends_with(pinned), "{wrong}");
    let mut renamed = workspace();
    renamed.tenants[0].name = "renamed".into();
    let wrong = refused(plan.clone(), &renamed, &digest, now());
    assert!(matches!(&wrong, PlanFileError::WrongTenant { expected: None, .. }), "{wrong}");
    assert!(wrong.to_string().ends_with("which this workspace does not have"), "{wrong}");
    let mut tampered = plan;
    tampered.changes.clear();
    assert_eq!(refused(tampered, &here, &digest, now()), PlanFileError::Edited);
}

#[test]
fn a_plan_that_contradicts_itself_is_refused_even_when_sealed() {
    let mut plan = made(&workspace());
    plan.changes.clear();
    let error = refused(seal(plan), &workspace(), &"d".repeat(64), now());
    assert!(matches!(error, PlanFileError::Faulty(_)), "{error}");
}

#[test]
fn a_study_plan_is_for_loopback_tenants_only() {
    let mut plan = made(&workspace());
    plan.study = true;
    let plan = seal(plan);
    let digest = "d".repeat(64);
    let loopback = workspace();
    let context = VerifyContext { workspace: &loopback, policy_digest: Some(&digest), now: now() };
    assert!(verify(plan.clone(), &context).is_ok());
    let mut real = workspace();
    real.tenants[0].endpoints.defender = "https://api.security.microsoft.com".parse().unwrap();
    let error = refused(plan, &real, &digest, now());
    assert!(matches!(error, PlanFileError::StudyOnRealTenant { .. }), "{error}");
}

#[test]
fn changes_that_rest_on_an_incomplete_observation_are_refused() {
    let policies = PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() };
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir")]).lacks(What::Devices);
    let plan = planned(&policies, &workspace(), fleet.build());
    assert_eq!(plan.changes.len(), 1);
    let error = refused(plan, &workspace(), &"d".repeat(64), now());
    assert!(
        matches!(&error, PlanFileError::Incomplete { missing, .. } if missing.contains("devices"))
    );
    let scores = Fleet::of([Machine::new("pc-1").tag("ir")]).lacks(What::Scores);
    let plan = planned(&policies, &workspace(), scores.build());
    let context = VerifyContext { workspace: &workspace(), policy_digest: None, now: now() };
    assert!(verify(plan, &context).is_ok());
}

#[test]
fn a_run_goes_on_with_sending_only_while_its_plan_holds() {
    let here = workspace();
    let plan = made(&here);
    let digest = "d".repeat(64);
    let minutes = |minutes: u64| Span::from_secs(60 * minutes).after(now());
    let going = |digest: Option<&str>, now: Timestamp, begun: Begun| {
        let context = VerifyContext { workspace: &here, policy_digest: digest, now };
        let checked = go_on(plan.clone(), &context, begun).unwrap();
        let code = checked.sending().withheld().map(|reason| reason.code.clone());
        code.unwrap_or_default()
    };
    let alive = |last: u64| Begun { last: Some(minutes(last)), ..Begun::default() };
    let same = Some(digest.as_str());
    // A run that was killed before its journal began has the time of its plan.
    assert_eq!(going(same, minutes(30), Begun::default()), "");
    assert_eq!(going(same, minutes(31), Begun::default()), "expired");
    // Later it has the plan's validity from when it was last alive, and no less than the plan itself.
    assert_eq!(going(same, minutes(30), alive(0)), "");
    assert_eq!(going(same, minutes(150), alive(120)), "");
    assert_eq!(going(same, minutes(151), alive(120)), "expired");
    // For a person a run waits a day.
    let paused = |last: u64| Begun { paused: true, ..alive(last) };
    assert_eq!(going(same, minutes(120 + 24 * 60), paused(120)), "");
    assert_eq!(going(same, minutes(121 + 24 * 60), paused(120)), "expired");
    assert_eq!(going(Some("e"), minutes(60), paused(0)), "stale");
    // Other files, or files that cannot be read: the earliest word against it counts.
    assert_eq!(going(Some("e"), minutes(1), alive(0)), "stale");
    assert_eq!(going(None, minutes(1), alive(0)), "stale");
    let said = Begun { withheld: Some(Reason::new("expired")), ..alive(0) };
    assert_eq!(going(same, minutes(1), said), "expired");
    // What does not change with time refuses the run as it refuses the plan.
    let mut elsewhere = workspace();
    elsewhere.id = "fabrikam".into();
    let context = VerifyContext { workspace: &elsewhere, policy_digest: same, now: now() };
    let refused = go_on(plan.clone(), &context, Begun::default()).unwrap_err();
    assert!(matches!(refused, PlanFileError::WrongWorkspace { .. }), "{refused}");
    let mut faulty = plan.clone();
    faulty.changes.clear();
    let context = VerifyContext { workspace: &here, policy_digest: same, now: now() };
    let refused = go_on(seal(faulty), &context, Begun::default()).unwrap_err();
    assert!(matches!(refused, PlanFileError::Faulty(_)), "{refused}");
}

#[test]
fn what_a_plan_is_for_and_what_its_objections_are_about_survive_the_file() {
    let mut plan = made(&workspace());
    let objection = Freeze::default().objection();
    plan.objections = [0, 2].map(|about| Objection { about, ..objection.clone() }).into();
    for aim in [Aim::Policies, Aim::Undo, Aim::Cancel] {
        plan.purpose = aim;
        let sealed = seal(plan.clone());
        assert_eq!(read(&to_bytes(&sealed)).unwrap(), sealed);
        assert_eq!(read(&to_bytes(&sealed)).unwrap().purpose, aim);
    }
}

#[test]
fn a_file_beyond_any_plan_is_not_looked_at() {
    let said = |length: usize| read(&vec![0; length]).unwrap_err().to_string();
    // Zeros nobody reads take no memory.
    let large = format!("the file is not a plan: larger than {FILE_MAX} bytes");
    assert_eq!(said(FILE_MAX + 1), large);
    assert_ne!(said(FILE_MAX), large);
}
