//! Who counts as newly taken, towards which limit, and what is asked before it is decided.

use std::collections::BTreeMap;

use super::{LOOKS, Newcomers};
use crate::inventory::ActionRow;
use crate::model::ActionKind::{
    Isolate, RestrictCodeExecution, Unisolate, UnrestrictCodeExecution,
};
use crate::model::ActionStatus::{Cancelled, Failed, InProgress, Pending, Succeeded, TimeOut};
use crate::model::{ActionKind, ActionStatus, DeviceId, Facet, Span, Verb};
use crate::plan::recount::Recount;
use crate::plan::tests::fleet::{Fleet, Machine, ago, device_id, now};
use crate::plan::tests::planned;
use crate::plan::tests::policies::{isolate, set, tag, workspace};
use crate::plan::types::{Change, Plan, Room, RoomLimit, TargetKind};
use crate::policy::limits::Remaining;
use crate::policy::workspace::{Caps, Limit};
use crate::policy::{PolicySet, Workspace};

/// Ten servers of which two are wanted, ten office devices of which one is somebody else's.
fn fleet() -> Fleet {
    let servers = (0..10).map(|n| {
        let machine = Machine::new(&format!("srv-{n}")).group("Servers");
        if n < 2 { machine.tag("ir") } else { machine }
    });
    let office = (0..10).map(|n| Machine::new(&format!("pc-{n}")));
    Fleet::of(servers.chain(office)).by_hand("pc-9", Isolate, Succeeded, ago(5))
}

fn limited(fleet: Option<u32>, group: Option<u32>, least: u32) -> Workspace {
    let mut workspace = workspace();
    let [fleet, group] = [fleet, group].map(|limit| limit.map(Limit::Count));
    workspace.guardrails.caps = [(Verb::Isolate, Caps { fleet, group, ..Caps::default() })].into();
    let groups_from = if least == 0 { u32::MAX } else { 5 };
    workspace.guardrails.remaining = Remaining { least: Limit::Count(least), groups_from };
    workspace
}

fn plan(workspace: &Workspace) -> Plan {
    let policies = PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() };
    let plan = planned(&policies, workspace, fleet().build());
    assert_eq!(plan.changes.len(), 2);
    plan
}

/// Minutes after the plan was made.
fn later(minutes: u64) -> jiff::Timestamp {
    Span::from_secs(minutes * 60).after(now())
}

type Did<'a> = (&'a str, ActionKind, ActionStatus, u64);

fn history(did: &[Did<'_>]) -> Vec<ActionRow> {
    let all = did.iter().fold(fleet(), |fleet, (name, kind, status, minutes)| {
        fleet.by_hand(name, kind.clone(), status.clone(), later(*minutes))
    });
    all.actions
}

fn newcomers<'a>(plan: &'a Plan, workspace: &'a Workspace, did: &[Did<'_>]) -> Newcomers<'a> {
    Recount::new(plan, workspace, "contoso", &plan.changes, later(60)).newcomers(&history(did))
}

fn known(devices: &[DeviceId], group: &str) -> BTreeMap<DeviceId, String> {
    devices.iter().map(|device| (device.clone(), group.to_owned())).collect()
}

/// Devices that count towards the fleet.
fn taken(did: &[Did<'_>]) -> usize {
    let workspace = limited(Some(10), None, 0);
    let plan = plan(&workspace);
    newcomers(&plan, &workspace, did).taken[&Some(Verb::Isolate)].len()
}

#[test]
fn a_plan_says_what_its_limits_leave() {
    let room = |limit, verb, group: Option<&str>, left| Room {
        limit,
        verb,
        group: group.map(str::to_owned),
        left,
    };
    let isolate = Some(Verb::Isolate);
    let plan = plan(&limited(Some(5), Some(4), 3));
    let expected = [
        room(RoomLimit::CapFleet, isolate, None, 2),
        room(RoomLimit::CapGroup, isolate, Some("Servers"), 2),
        room(RoomLimit::Remaining, None, Some("Servers"), 5),
    ];
    assert_eq!(plan.tenants[0].room, expected);
    // By the newest action that was read, when that was before the reading began.
    let newest = ago(5) + jiff::SignedDuration::from_nanos(100);
    assert_eq!(plan.tenants[0].room_since, Some(newest));
}

#[test]
fn each_device_counts_once_while_it_is_taken() {
    for (did, expected) in [
        (&[][..], 0),
        (&[("pc-1", Isolate, Succeeded, 5)], 1),
        (&[("pc-1", Isolate, Pending, 5), ("pc-2", Isolate, InProgress, 5)], 2),
        (&[("pc-1", Isolate, Cancelled, 5)], 0),
        // They may have taken effect.
        (&[("pc-1", Isolate, Failed, 5), ("pc-2", Isolate, TimeOut, 6)], 2),
        (&[("pc-1", Isolate, Succeeded, 5), ("pc-1", Isolate, Failed, 9)], 1),
        (&[("pc-1", Isolate, Succeeded, 5), ("pc-1", Unisolate, Succeeded, 9)], 0),
        (&[("pc-1", Isolate, Succeeded, 5), ("pc-1", Unisolate, Failed, 9)], 1),
        (&[("pc-1", Isolate, Succeeded, 5), ("pc-1", Unisolate, Pending, 9)], 1),
        (&[("pc-1", Unisolate, Succeeded, 5), ("pc-1", Isolate, Succeeded, 9)], 1),
        // What is under way may still win.
        (&[("pc-1", Isolate, Pending, 5), ("pc-1", Unisolate, Succeeded, 9)], 1),
        (&[("pc-1", RestrictCodeExecution, Succeeded, 5)], 0),
        // Of a device that nobody has read.
        (&[("new-1", Isolate, Succeeded, 5)], 1),
        // In the plan's own count: its own, and one in other hands.
        (&[("srv-0", Isolate, Succeeded, 5), ("pc-9", Isolate, Succeeded, 5)], 0),
    ] {
        assert_eq!(taken(did), expected, "{did:?}");
    }
}

/// Rows of another tenant or aspect say nothing of who is in the plan's own count.
#[test]
fn only_rows_of_the_same_tenant_and_aspect_are_in_the_plans_count() {
    let workspace = limited(Some(10), None, 0);
    let did = [("srv-0", Isolate, Succeeded, 5), ("pc-9", Isolate, Succeeded, 5)];
    type Edit = fn(&mut Plan);
    let cases: [(Edit, usize); 8] = [
        (|_| (), 0),
        (|plan| plan.foreign[0].tenant = "fabrikam".into(), 1),
        (|plan| plan.foreign[0].facet = Facet::CodeExecution, 1),
        (|plan| plan.foreign[0].target.kind = TargetKind::Alert, 1),
        (|plan| plan.changes[0].tenant = "fabrikam".into(), 1),
        (|plan| plan.changes[0].verb = Verb::Restrict, 1),
        (|plan| plan.changes[0].target.kind = TargetKind::Alert, 1),
        // What it lets go was taken when it was made.
        (|plan| plan.changes[0].verb = Verb::Release, 0),
    ];
    for (at, (change, expected)) in cases.into_iter().enumerate() {
        let mut plan = plan(&workspace);
        assert_eq!((plan.changes[0].target.name.as_str(), plan.foreign.len()), ("srv-0", 1));
        change(&mut plan);
        let found = newcomers(&plan, &workspace, &did);
        assert_eq!(found.taken[&Some(Verb::Isolate)].len(), expected, "{at}");
    }
}

#[test]
fn a_limit_counts_what_takes_in_its_group() {
    let room = |verb, group: Option<&str>| Room {
        limit: RoomLimit::CapGroup,
        verb,
        group: group.map(str::to_owned),
        left: 1,
    };
    for (room, verb, group, expected) in [
        (room(Some(Verb::Isolate), None), Verb::Isolate, "Servers", true),
        (room(Some(Verb::Isolate), None), Verb::Restrict, "Servers", false),
        (room(Some(Verb::Isolate), Some("Servers")), Verb::Isolate, "Servers", true),
        (room(Some(Verb::Isolate), Some("Servers")), Verb::Isolate, "Kiosks", false),
        (room(Some(Verb::Isolate), Some("Servers")), Verb::Restrict, "Servers", false),
        (room(None, Some("Servers")), Verb::Restrict, "Servers", true),
        (room(None, Some("Servers")), Verb::Release, "Servers", false),
        (room(None, Some("Servers")), Verb::Restrict, "Kiosks", false),
    ] {
        assert_eq!(room.counts(verb, group), expected, "{room:?} {verb} {group}");
    }
}

#[test]
fn the_fleet_is_decided_without_asking_for_groups() {
    let workspace = limited(Some(5), Some(3), 0);
    let plan = plan(&workspace);
    let two = [("pc-1", Isolate, Succeeded, 5), ("pc-2", Isolate, Succeeded, 5)];
    let three = [&two[..], &[("pc-3", Isolate, Pending, 6)]].concat();
    let crowded = newcomers(&plan, &workspace, &three);
    assert_eq!(crowded.to_look_up(), []);
    let refused = crowded.fit(&BTreeMap::new()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "by now the plan would exceed `guardrails.caps.isolate.fleet` in tenant `contoso`: \
         3 devices taken since it was made, room for 2"
    );
    let reason = refused.reason();
    assert_eq!((reason.text("taken"), reason.text("left")), (Some("3".into()), Some("2".into())));
    // Two pass by the fleet, and might be too many for the group.
    let fits = newcomers(&plan, &workspace, &two);
    let asked = fits.to_look_up();
    assert_eq!(asked.len(), 2);
    assert_eq!(fits.fit(&known(&asked, "Workstations")), Ok(()));
}

#[test]
fn of_a_group_those_count_that_are_in_it_or_that_nobody_can_place() {
    let workspace = limited(None, Some(3), 0);
    let plan = plan(&workspace);
    let one = [("srv-5", Isolate, Succeeded, 5)];
    assert_eq!(newcomers(&plan, &workspace, &one).to_look_up(), []);
    assert_eq!(newcomers(&plan, &workspace, &one).fit(&BTreeMap::new()), Ok(()));
    let two = [&one[..], &[("pc-1", Isolate, Succeeded, 5)]].concat();
    let newcomers = newcomers(&plan, &workspace, &two);
    let asked = newcomers.to_look_up();
    let mut expected = vec![device_id("srv-5"), device_id("pc-1")];
    expected.sort();
    assert_eq!(asked, expected);
    let mut groups = known(&[device_id("srv-5")], "Servers");
    let refused = newcomers.fit(&groups).unwrap_err().to_string();
    assert!(
        refused.ends_with(
            "2 devices of group `Servers` taken since it was made, room for 1; \
             of 1 of them the group is not known"
        ),
        "{refused}"
    );
    groups.extend(known(&[device_id("pc-1")], "Workstations"));
    assert_eq!(newcomers.fit(&groups), Ok(()));
    groups.extend(known(&[device_id("pc-1")], "Servers"));
    newcomers.fit(&groups).unwrap_err();
}

#[test]
fn what_stays_free_counts_isolation_and_restriction_of_one_device_once() {
    let workspace = limited(None, None, 6);
    let plan = plan(&workspace);
    assert_eq!(plan.tenants[0].room[0].left, 2);
    let both = |name| [(name, Isolate, Succeeded, 5), (name, RestrictCodeExecution, Succeeded, 6)];
    let two = [both("srv-5"), both("srv-6")].concat();
    assert_eq!(newcomers(&plan, &workspace, &two).to_look_up(), []);
    // The plan's own device is not taken twice by a restriction.
    let three = [&two[..], &[("srv-0", RestrictCodeExecution, Succeeded, 7)]].concat();
    assert_eq!(newcomers(&plan, &workspace, &three).to_look_up(), []);
    let three = [&two[..], &[("srv-7", RestrictCodeExecution, Pending, 7)]].concat();
    let crowded = newcomers(&plan, &workspace, &three);
    let asked = crowded.to_look_up();
    let refused = crowded.fit(&known(&asked, "Servers")).unwrap_err().to_string();
    let says =
        "fall below `guardrails.remaining` in tenant `contoso`: 3 devices of group `Servers`";
    assert!(refused.contains(says), "{refused}");
    // Let go of one aspect it is still held by the other.
    let half = [&three[..], &[("srv-5", UnrestrictCodeExecution, Succeeded, 9)]].concat();
    assert_eq!(newcomers(&plan, &workspace, &half).to_look_up().len(), 3);
    let free = [&half[..], &[("srv-5", Unisolate, Succeeded, 9)]].concat();
    assert_eq!(newcomers(&plan, &workspace, &free).to_look_up(), []);
}

#[test]
fn so_many_are_asked_and_no_more() {
    let workspace = limited(None, Some(8), 0);
    let plan = plan(&workspace);
    let names: Vec<String> = (0..LOOKS + 7).map(|n| format!("x-{n}")).collect();
    let did: Vec<Did<'_>> = names.iter().map(|name| (&**name, Isolate, Succeeded, 5)).collect();
    let asked = |count| newcomers(&plan, &workspace, &did[..count]).to_look_up().len();
    assert_eq!((asked(6), asked(7), asked(LOOKS)), (0, 7, LOOKS));
    // Six that nobody asks for may all be in the group; of seven it is decided already.
    assert_eq!((asked(LOOKS + 6), asked(LOOKS + 7)), (LOOKS, 0));
    let most = newcomers(&plan, &workspace, &did[..LOOKS + 6]);
    assert_eq!(most.fit(&known(&most.to_look_up(), "Workstations")), Ok(()));
}

#[test]
fn what_is_older_than_the_plans_reading_and_what_is_sent_already_counts_no_more() {
    let workspace = limited(Some(3), None, 0);
    let plan = plan(&workspace);
    let since =
        |ahead: &[Change]| Recount::new(&plan, &workspace, "contoso", ahead, later(60)).since();
    assert_eq!(since(&plan.changes), plan.tenants[0].room_since);
    assert_eq!(since(&[]), None);
    let recount = Recount::new(&plan, &workspace, "contoso", &plan.changes[..1], later(60));
    let older = fleet().by_hand("pc-1", Isolate, Succeeded, ago(6)).actions;
    assert_eq!(recount.newcomers(&older).fit(&BTreeMap::new()), Ok(()));
    let fresh = history(&[("pc-1", Isolate, Succeeded, 5)]);
    recount.newcomers(&fresh).fit(&BTreeMap::new()).unwrap_err();
    let done = Recount::new(&plan, &workspace, "contoso", [], later(60));
    assert_eq!(done.newcomers(&fresh).fit(&BTreeMap::new()), Ok(()));
}
