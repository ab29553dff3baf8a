//! Each guardrail on a draft that it must hold and on one it must let pass.

use super::{Ground, Measured};
use crate::model::ActionKind::Isolate;
use crate::model::ActionStatus::Succeeded;
use crate::model::{Span, Verb};
use crate::plan::draft::Draft;
use crate::plan::order::Proposal;
use crate::plan::scene::Scene;
use crate::plan::tests::fleet::{Fleet, Machine, ago, now};
use crate::plan::tests::policies::{isolate, set, tag, workspace};
use crate::plan::tests::{asked, planned, planned_around};
use crate::plan::types::Plan;
use crate::plan::{Circumstances, Lift};
use crate::policy::selector::DeviceExpr;
use crate::policy::workspace::{Caps, Limit, Rolling};
use crate::policy::{PolicySet, Workspace};

pub(super) fn fleet() -> Fleet {
    let kiosks = (0..10).map(|n| Machine::new(&format!("kiosk-{n}")).group("Kiosks").tag("ir"));
    let office = (0..90).map(|n| Machine::new(&format!("office-{n:02}")));
    Fleet::of(kiosks.chain(office))
}

pub(super) fn policies() -> PolicySet {
    PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() }
}

pub(super) fn capped(caps: Caps) -> Workspace {
    let mut workspace = workspace();
    workspace.guardrails.caps = [(Verb::Isolate, caps)].into();
    workspace
}

/// Codes of what a guardrail says about a draft of one change with this verb.
pub(super) fn over(
    guard: fn(&Ground<'_>) -> Vec<Measured>,
    workspace: &Workspace,
    verb: Verb,
) -> Vec<String> {
    let policies = policies();
    let inventories = [fleet().build()];
    let around = Circumstances::default();
    let mut change = planned(&policies, workspace, fleet().build()).changes.remove(0);
    change.verb = verb;
    let input = asked(&around, &policies, workspace, &inventories);
    let scene = Scene::new(input, &inventories[0]);
    let proposal = Proposal { change, device: None, adds: true };
    let mut draft = Draft::default();
    draft.propose(proposal);
    let measured = guard(&Ground::new(&scene, &draft, false)).into_iter();
    measured.filter(|it| it.over).map(|it| it.breach.code.into_owned()).collect()
}

fn codes(plan: &Plan) -> Vec<(String, u32)> {
    plan.objections.iter().map(|o| (o.code.clone(), o.held)).collect()
}

pub(super) fn percent(percent: u32) -> Limit {
    Limit::Share { basis_points: percent * 100, at_least: 1 }
}

#[track_caller]
fn check(caps: Caps, fleet: &Fleet, done: usize, expected: &[(&str, u32)]) -> Plan {
    let plan = planned(&policies(), &capped(caps), fleet.build());
    let expected: Vec<_> =
        expected.iter().map(|(code, held)| ((*code).to_owned(), *held)).collect();
    assert_eq!((plan.changes.len(), codes(&plan)), (done, expected));
    plan
}

#[test]
fn a_cap_on_the_run_holds_all_or_nothing() {
    let run = |limit| Caps { run: Some(limit), ..Caps::default() };
    check(run(Limit::Count(10)), &fleet(), 10, &[]);
    let plan = check(run(Limit::Count(9)), &fleet(), 0, &[("cap-run", 10)]);
    assert_eq!(plan.held.len(), 10);
    assert_eq!(plan.objections[0].setting, "guardrails.caps.isolate.run");
    assert_eq!(plan.held[0].reason.text("wouldBe").as_deref(), Some("10"));
    check(run(Limit::Count(0)), &fleet(), 0, &[("cap-run", 10)]);
}

#[test]
fn a_cap_on_the_group_counts_those_already_there() {
    let group = |limit| Caps { group: Some(limit), ..Caps::default() };
    check(group(percent(100)), &fleet(), 10, &[]);
    check(group(percent(99)), &fleet(), 0, &[("cap-group", 10)]);
    let half = (0..5)
        .fold(fleet(), |fleet, n| fleet.by_hand(&format!("kiosk-{n}"), Isolate, Succeeded, ago(5)));
    let plan = check(group(percent(90)), &half, 0, &[("cap-group", 5)]);
    let facts = &plan.objections[0].facts;
    assert_eq!((&facts["already"], &facts["wouldBe"]), (&5.into(), &10.into()));
    assert_eq!(plan.objections[0].scope, "group Kiosks");
}

#[test]
fn a_cap_on_the_fleet_counts_every_device_of_the_tenant() {
    let fleet_cap = |limit| Caps { fleet: Some(limit), ..Caps::default() };
    check(fleet_cap(percent(10)), &fleet(), 10, &[]);
    let one_more = fleet().by_hand("office-01", Isolate, Succeeded, ago(5));
    check(fleet_cap(percent(10)), &one_more, 0, &[("cap-fleet", 10)]);
    check(fleet_cap(percent(0)), &fleet(), 0, &[("cap-fleet", 10)]);
}

#[test]
fn shares_round_down_to_a_stated_least_number_and_none_is_none() {
    let share = |basis_points, at_least| Limit::Share { basis_points, at_least };
    for (limit, total, expected) in [
        (share(2_500, 1), 10, 2),
        (share(2_500, 1), 11, 2),
        (share(2_500, 1), 12, 3),
        (share(9_999, 1), 10, 9),
        (share(500, 1), 10, 1),
        (share(500, 3), 10, 3),
        (share(500, 0), 10, 0),
        (share(0, 1), 1_000, 0),
        (share(0, 5), 1_000, 0),
        (share(10_000, 1), 10, 10),
        (share(500, 3), 0, 3),
        (Limit::Count(0), 1_000, 0),
        (Limit::Count(7), 3, 7),
    ] {
        assert_eq!(limit.of(total), expected, "{limit:?} of {total}");
    }
    let group = |limit| Caps { group: Some(limit), ..Caps::default() };
    check(group(share(0, 10)), &fleet(), 0, &[("cap-group", 10)]);
    check(group(share(500, 10)), &fleet(), 10, &[]);
}

#[test]
fn over_the_cap_of_one_group_the_others_go_and_that_one_not_in_part() {
    let mut fleet = fleet();
    fleet.machines[10].tags.push("ir".to_owned());
    let caps = Caps { group: Some(Limit::Count(9)), ..Caps::default() };
    let plan = check(caps, &fleet, 1, &[("cap-group", 10)]);
    assert_eq!(plan.changes[0].target.group, "Workstations");
    assert!(plan.held.iter().all(|entry| entry.target.group == "Kiosks"));
    assert_eq!(plan.held.len(), 10);
}

#[test]
fn a_rolling_cap_counts_every_hand() {
    let window = Span::from_hours(24);
    let rolling = |count| Caps { rolling: Some(Rolling { count, window }), ..Caps::default() };
    check(rolling(10), &fleet(), 10, &[]);
    let recent = fleet().by_hand("office-01", Isolate, Succeeded, ago(23));
    check(rolling(10), &recent, 0, &[("cap-rolling", 10)]);
    let old = fleet().by_hand("office-01", Isolate, Succeeded, ago(24));
    check(rolling(10), &old, 10, &[]);
    // How old it is, the service's clock says where it is behind; ahead it makes nothing older.
    for (read, ahead, done) in [(&old, -1, 0), (&old, 0, 10), (&recent, 2, 0)] {
        let mut read = read.build();
        read.service_at = Some(now() + jiff::SignedDuration::from_hours(ahead));
        let plan = planned(&policies(), &capped(rolling(10)), read);
        assert_eq!(plan.changes.len(), done);
    }
}

#[test]
fn all_guardrails_object_and_the_first_is_shown_with_the_change() {
    let caps = Caps { run: Some(Limit::Count(1)), fleet: Some(Limit::Count(1)), ..Caps::default() };
    let mut workspace = capped(caps);
    workspace.guardrails.protected = Some(tag("ir"));
    let plan = planned(&policies(), &workspace, fleet().build());
    let expected =
        [("protected", 10), ("cap-fleet", 10), ("cap-run", 10)].map(|(c, n)| (c.to_owned(), n));
    assert_eq!(codes(&plan), expected);
    assert!(plan.held.iter().all(|entry| entry.reason.code == "protected"));
}

#[test]
fn protected_devices_are_never_restricted_and_still_released() {
    let mut workspace = workspace();
    workspace.guardrails.protected = Some(DeviceExpr::Everything);
    let held = Fleet::of([Machine::new("kiosk-0").tag("ir"), Machine::new("kiosk-1")]).by_us(
        "kiosk-1",
        Isolate,
        Succeeded,
        ago(5),
        "ir",
    );
    let plan = planned(&policies(), &workspace, held.build());
    assert_eq!(plan.held.len(), 1);
    assert_eq!(plan.changes[0].verb, Verb::Release);
}

#[test]
fn a_lease_longer_than_the_workspace_allows_is_held() {
    let mut workspace = workspace();
    workspace.guardrails.max_lease = Span::from_hours(71);
    let plan = planned(&policies(), &workspace, fleet().build());
    assert_eq!(codes(&plan), [("max-lease".to_owned(), 10)]);
    assert_eq!(plan.objections[0].scope, "policy ir");
}

pub(super) fn lifting_codes(codes: &[&str]) -> Circumstances {
    let lift = |code: &&str| Lift { code: (*code).to_owned(), because: "IR-7781".to_owned() };
    Circumstances { lifts: codes.iter().map(lift).collect(), ..Circumstances::default() }
}

#[test]
fn an_objection_is_lifted_by_its_own_name_and_no_other_with_it() {
    let caps = Caps { run: Some(Limit::Count(9)), group: Some(percent(50)), ..Caps::default() };
    let plan = |codes: &[&str]| {
        planned_around(&lifting_codes(codes), &policies(), &capped(caps), fleet().build())
    };
    let one = plan(&["cap-run"]);
    assert_eq!((one.changes.len(), one.held.len()), (0, 10));
    assert_eq!(one.held[0].reason.code, "cap-group");
    let said = |plan: &Plan| {
        let said = plan.objections.iter().map(|o| (o.code.clone(), o.held, o.lifted.clone()));
        said.collect::<Vec<_>>()
    };
    let because = Some("IR-7781".to_owned());
    assert_eq!(
        said(&one),
        [("cap-group".to_owned(), 10, None), ("cap-run".to_owned(), 0, because.clone())]
    );
    let both = plan(&["cap-run", "cap-group"]);
    assert_eq!((both.changes.len(), both.held.len()), (10, 0));
    assert!(said(&both).iter().all(|(_, held, lifted)| *held == 0 && *lifted == because));
    assert_eq!(both.lifts.len(), 2);
}

#[test]
fn nothing_lifts_the_protection_of_a_device() {
    let mut workspace = workspace();
    workspace.guardrails.protected = Some(tag("ir"));
    let around = lifting_codes(&["protected"]);
    let plan = planned_around(&around, &policies(), &workspace, fleet().build());
    assert_eq!((plan.changes.len(), codes(&plan)), (0, vec![("protected".to_owned(), 10)]));
}
