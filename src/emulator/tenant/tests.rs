//! Life cycle under a clock moved by hand: durations, offline devices, conflicts, cancellation.

use super::action::Containment;
use super::machine::Posture;
use super::*;
use crate::emulator::config::Conflicts;
use crate::model::{ActionKind, ActionStatus, Health, ScanType};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_772_000_000 + seconds).unwrap()
}

const HOUR: i64 = 3_600;

/// A tenant with one Windows device in row 0 and one Linux device in row 1.
fn tenant() -> Tenant {
    let config = Config { devices: 0, ..Config::default() };
    let mut tenant = Tenant::empty(&config, at(0));
    tenant.add_machine(Machine::plain(
        MachineId([1; 20]),
        "pc1.contoso.example",
        "Windows11",
        at(0),
    ));
    tenant.add_machine(Machine::plain(MachineId([2; 20]), "lx1.contoso.example", "Linux", at(0)));
    tenant
}

fn bot() -> Actor {
    Actor::app("containment-bot")
}

fn full() -> Order {
    Order::isolate(Containment::Full, "case 1")
}

fn release() -> Order {
    Order::new(ActionKind::Unisolate, "over")
}

fn new(tenant: &mut Tenant, order: Order, now: Timestamp) -> u32 {
    match tenant.submit(0, &bot(), order, now) {
        Submission::New(row) => row,
        other => panic!("{other:?}"),
    }
}

fn status(tenant: &Tenant, row: u32) -> ActionStatus {
    tenant.action(row).unwrap().status.clone()
}

fn isolation(tenant: &Tenant) -> Isolation {
    tenant.posture("pc1.contoso.example").unwrap().0
}

/// Lives until nothing is due any more, or `end`.
fn run(tenant: &mut Tenant, end: Timestamp) {
    tenant.advance(end);
}

#[test]
fn an_action_is_picked_up_and_ends_in_the_documented_time() {
    let scan = |kind| Order::scan(kind, "look");
    for (order, typical) in [
        (full(), 66),
        (scan(ScanType::Quick), 34),
        (Order::new(ActionKind::StopAndQuarantineFile, "x"), 34),
        (Order::new(ActionKind::CollectInvestigationPackage, "x"), 88),
    ] {
        let mut tenant = tenant();
        let row = new(&mut tenant, order.clone(), at(0));
        assert_eq!(status(&tenant, row), ActionStatus::Pending);
        let fresh = tenant.action(row).unwrap();
        let lag = fresh.updated.duration_since(fresh.created).as_nanos();
        assert!((200..2_000).contains(&lag), "a few hundred nanoseconds: {lag}");
        run(&mut tenant, at(12));
        assert_eq!(status(&tenant, row), ActionStatus::InProgress, "{order:?}");
        run(&mut tenant, at(500));
        assert_eq!(status(&tenant, row), ActionStatus::Succeeded);
        let action = tenant.action(row).unwrap();
        let took = action.updated.duration_since(action.created).as_secs();
        assert!((typical * 80 / 100..=typical * 120 / 100).contains(&took), "{order:?}: {took}");
        assert_eq!(tenant.next_event(), None, "nothing is left to happen");
    }
}

#[test]
fn posture_follows_what_succeeded() {
    let mut tenant = tenant();
    new(&mut tenant, Order::isolate(Containment::Selective, "x"), at(0));
    assert_eq!(isolation(&tenant), Isolation::Free, "not before it has ended");
    run(&mut tenant, at(200));
    assert_eq!(isolation(&tenant), Isolation::Selective);
    new(&mut tenant, full(), at(201));
    run(&mut tenant, at(400));
    assert_eq!(isolation(&tenant), Isolation::Full, "isolating an isolated device is accepted");
    new(&mut tenant, release(), at(401));
    new(&mut tenant, Order::new(ActionKind::RestrictCodeExecution, "x"), at(402));
    run(&mut tenant, at(600));
    assert_eq!(
        tenant.posture("PC1.contoso.example"),
        Some((Isolation::Free, Restriction::Restricted))
    );
    new(&mut tenant, Order::new(ActionKind::UnrestrictCodeExecution, "x"), at(601));
    run(&mut tenant, at(800));
    assert_eq!(
        tenant.posture(&MachineId([1; 20]).to_string()).unwrap().1,
        Restriction::Unrestricted
    );
    assert_eq!(tenant.posture("nobody"), None);
}

#[test]
fn a_scan_shows_in_antivirus_health_however_it_ends() {
    let mut tenant = tenant();
    let health = |tenant: &Tenant| tenant.machine(0).unwrap().av.as_deref().unwrap().clone();
    let row = new(&mut tenant, Order::scan(ScanType::Full, "x"), at(0));
    assert_eq!(health(&tenant).full.result, "");
    run(&mut tenant, at(500));
    assert_eq!(health(&tenant).full.result, "Completed");
    assert_eq!(health(&tenant).full.at, Some(tenant.action(row).unwrap().updated));
    assert_eq!(health(&tenant).quick.at, None);

    tenant.fail_next(0, 1);
    let row = new(&mut tenant, Order::scan(ScanType::Quick, "x"), at(501));
    run(&mut tenant, at(900));
    assert_eq!(status(&tenant, row), ActionStatus::Failed);
    assert!(tenant.action(row).unwrap().error < 0);
    assert_eq!(health(&tenant).quick.result, "Failed");

    let row = new(&mut tenant, Order::scan(ScanType::Quick, "x"), at(901));
    assert!(tenant.cancel(row, &Actor::person("anna@contoso.example"), Some("no"), at(915)));
    assert_eq!(health(&tenant).quick.result, "Canceled");
}

#[test]
fn an_offline_device_leaves_its_actions_pending_until_it_is_back() {
    let mut tenant = tenant();
    tenant.set_online(0, false, at(0));
    let row = new(&mut tenant, full(), at(1));
    run(&mut tenant, at(30 * HOUR));
    assert_eq!(status(&tenant, row), ActionStatus::Pending);
    tenant.set_online(0, true, at(30 * HOUR));
    run(&mut tenant, at(30 * HOUR + 200));
    assert_eq!(status(&tenant, row), ActionStatus::Succeeded);
    assert_eq!(isolation(&tenant), Isolation::Full);
}

#[test]
fn a_device_can_be_told_to_come_back_later() {
    let mut tenant = tenant();
    tenant.set_online(0, false, at(0));
    tenant.set_online_at(0, true, at(HOUR));
    let row = new(&mut tenant, full(), at(1));
    assert_eq!(tenant.next_event(), Some(at(HOUR)));
    run(&mut tenant, at(2 * HOUR));
    assert_eq!(status(&tenant, row), ActionStatus::Succeeded);
    let ended = tenant.action(row).unwrap().updated;
    assert!(
        ended > at(HOUR) && ended < at(HOUR + 120),
        "at its own time, not when it was looked at"
    );
}

#[test]
fn patience_ends_after_72_hours() {
    let mut tenant = tenant();
    tenant.set_online(0, false, at(0));
    let row = new(&mut tenant, full(), at(0));
    run(&mut tenant, at(72 * HOUR - 1));
    assert_eq!(status(&tenant, row), ActionStatus::Pending);
    run(&mut tenant, at(72 * HOUR));
    assert_eq!(status(&tenant, row), ActionStatus::TimeOut);
    assert_eq!(tenant.action(row).unwrap().updated, at(72 * HOUR));
    tenant.set_online(0, true, at(73 * HOUR));
    run(&mut tenant, at(74 * HOUR));
    assert_eq!(status(&tenant, row), ActionStatus::TimeOut, "nothing comes after the end");
    assert_eq!(isolation(&tenant), Isolation::Free);
}

#[test]
fn a_device_that_goes_away_midway_goes_on_where_it_stopped() {
    let mut tenant = tenant();
    let row = new(&mut tenant, full(), at(0));
    run(&mut tenant, at(15));
    assert_eq!(status(&tenant, row), ActionStatus::InProgress);
    tenant.set_online(0, false, at(20));
    run(&mut tenant, at(10 * HOUR));
    assert_eq!(status(&tenant, row), ActionStatus::InProgress);
    tenant.set_online(0, true, at(10 * HOUR));
    run(&mut tenant, at(11 * HOUR));
    assert_eq!(status(&tenant, row), ActionStatus::Succeeded);
}

#[test]
fn the_three_ways_to_answer_a_duplicate() {
    let submit = |tenant: &mut Tenant, seconds| tenant.submit(0, &bot(), full(), at(seconds));
    for (mode, soon, late) in [
        (Conflicts::ReturnExisting, Submission::Existing(0), Submission::Existing(0)),
        (Conflicts::Reject, Submission::Conflict, Submission::Conflict),
        (Conflicts::TimeBased, Submission::Existing(0), Submission::Conflict),
    ] {
        let mut tenant = tenant();
        tenant.behaviour.conflicts = mode;
        tenant.set_online(0, false, at(0));
        assert_eq!(submit(&mut tenant, 0), Submission::New(0));
        assert_eq!(submit(&mut tenant, 30), soon, "{mode:?}");
        assert_eq!(submit(&mut tenant, 300), late, "{mode:?}");
        let other = tenant.submit(0, &bot(), release(), at(301));
        assert_eq!(other, Submission::New(1), "an opposite action does not conflict");
        let other = tenant.submit(1, &bot(), full(), at(301));
        assert_eq!(other, Submission::New(2), "nor one of another device");
    }
}

#[test]
fn the_newer_action_may_overtake_the_opposite_one() {
    let mut tenant = tenant();
    tenant.behaviour.out_of_order = true;
    let first = new(&mut tenant, full(), at(0));
    let second = new(&mut tenant, release(), at(2));
    run(&mut tenant, at(500));
    let ended = |row| tenant.action(row).unwrap().updated;
    assert!(ended(first) > ended(second));
    assert_eq!(isolation(&tenant), Isolation::Full, "the last to end wins, not the last submitted");
}

#[test]
fn isolating_an_isolated_device_may_stick_and_win_after_the_release() {
    let mut tenant = tenant();
    tenant.behaviour.reisolation_sticks = true;
    new(&mut tenant, full(), at(0));
    run(&mut tenant, at(200));
    let stuck = new(&mut tenant, full(), at(200));
    run(&mut tenant, at(HOUR));
    assert_eq!(status(&tenant, stuck), ActionStatus::Pending);
    let free = new(&mut tenant, release(), at(HOUR));
    run(&mut tenant, at(HOUR + 75));
    assert_eq!(status(&tenant, free), ActionStatus::Succeeded);
    assert_eq!(isolation(&tenant), Isolation::Free);
    run(&mut tenant, at(2 * HOUR));
    assert_eq!(status(&tenant, stuck), ActionStatus::Succeeded);
    assert_eq!(isolation(&tenant), Isolation::Full);
}

#[test]
fn only_what_has_not_ended_can_be_cancelled() {
    let mut tenant = tenant();
    let anna = Actor::person("anna@contoso.example");
    let row = new(&mut tenant, full(), at(0));
    assert!(tenant.cancel(row, &anna, Some("mistake"), at(5)));
    assert!(!tenant.cancel(row, &anna, None, at(6)));
    let action = tenant.action(row).unwrap().clone();
    assert_eq!(action.status, ActionStatus::Cancelled);
    let cancelled = action.cancellation.unwrap();
    assert_eq!(
        (&*cancelled.requestor, cancelled.comment.as_deref()),
        ("anna@contoso.example", Some("mistake"))
    );
    assert_eq!(tenant.next_event(), None, "neither end nor expiry is left");
    run(&mut tenant, at(500));
    assert_eq!(isolation(&tenant), Isolation::Free);

    let row = new(&mut tenant, full(), at(501));
    run(&mut tenant, at(900));
    assert!(!tenant.cancel(row, &anna, None, at(901)), "it has ended");
    assert!(!tenant.cancel(99, &anna, None, at(901)));
}

#[test]
fn a_cancelled_action_does_not_release_an_isolated_device() {
    let mut tenant = tenant();
    new(&mut tenant, full(), at(0));
    run(&mut tenant, at(200));
    let again = new(&mut tenant, full(), at(200));
    tenant.cancel(again, &bot(), None, at(201));
    run(&mut tenant, at(500));
    assert_eq!(isolation(&tenant), Isolation::Full);
}

#[test]
fn analysts_act_and_posture_drifts() {
    let mut tenant = tenant();
    let anna = Actor::person("anna@contoso.example");
    let row = tenant.act_as(&anna, "lx1.contoso.example", full(), at(0)).unwrap();
    run(&mut tenant, at(200));
    assert_eq!(&*tenant.action(row).unwrap().requestor, "anna@contoso.example");
    assert_eq!(tenant.posture("lx1.contoso.example").unwrap().0, Isolation::Full);
    // An administrator adds an iptables rule: no action says so.
    tenant.set_posture(1, Posture::FREE);
    assert_eq!(tenant.posture("lx1.contoso.example").unwrap().0, Isolation::Free);
    assert_eq!(tenant.actions().len(), 1);
    assert_eq!(tenant.act_as(&anna, "nobody", full(), at(1)), None);
}

#[test]
fn offboarding_silences_the_device_and_its_record_turns_inactive() {
    let mut tenant = tenant();
    new(&mut tenant, Order::new(ActionKind::Offboard, "sold"), at(0));
    run(&mut tenant, at(HOUR));
    let machine = tenant.machine(0).unwrap();
    assert!(!machine.online);
    assert_eq!(machine.onboarding.wire(), "Onboarded");
    assert_eq!(machine.health(at(6 * 24 * HOUR)), Health::Active);
    assert_eq!(machine.health(at(8 * 24 * HOUR)), Health::Inactive);
}

#[test]
fn an_online_device_keeps_reporting_once_a_day() {
    let tenant = tenant();
    let machine = tenant.machine(0).unwrap();
    for (now, seen) in [(0, 0), (23, 0), (24, 24), (100, 96), (24 * 400, 24 * 400)] {
        assert_eq!(machine.last_seen(at(now * HOUR)), at(seen * HOUR), "{now}");
    }
    assert_eq!(machine.health(at(24 * 400 * HOUR)), Health::Active);
}

#[test]
fn some_actions_fail_when_the_switch_says_so() {
    let mut tenant = tenant();
    tenant.behaviour.failures_per_mille = 1_000;
    let row = new(&mut tenant, full(), at(0));
    run(&mut tenant, at(500));
    assert_eq!(status(&tenant, row), ActionStatus::Failed);
    assert_eq!(isolation(&tenant), Isolation::Free);
}

#[test]
fn small_steps_and_one_leap_lead_to_the_same_tenant() {
    let script = |step: i64| {
        let mut tenant = tenant();
        tenant.set_online_at(0, false, at(20));
        tenant.set_online_at(0, true, at(5_000));
        new(&mut tenant, full(), at(0));
        tenant.submit(1, &bot(), Order::scan(ScanType::Quick, "x"), at(3));
        let mut now = 3;
        while now < 10_000 {
            now += step;
            tenant.advance(at(now.min(10_000)));
        }
        format!("{:?}{:?}", tenant.machines(), tenant.actions())
    };
    assert_eq!(script(1), script(10_000));
}

#[test]
fn of_several_records_with_a_name_the_live_one_answers() {
    let mut tenant = tenant();
    let mut stale =
        Machine::plain(MachineId([3; 20]), "PC1.contoso.example", "Windows11", at(-9_000_000));
    stale.online = false;
    tenant.add_machine(stale);
    let mut merged = Machine::plain(MachineId([4; 20]), "pc1.contoso.example", "Windows11", at(50));
    merged.merged_into = Some(MachineId([1; 20]));
    tenant.add_machine(merged);
    assert_eq!(tenant.find("pc1.CONTOSO.example"), Some(0));
    assert_eq!(tenant.find(&MachineId([3; 20]).to_string().to_uppercase()), Some(2));
    assert_eq!(tenant.find(""), None);
}

#[test]
fn time_does_not_go_back() {
    let mut tenant = tenant();
    new(&mut tenant, full(), at(100));
    run(&mut tenant, at(500));
    tenant.advance(at(0));
    assert_eq!(tenant.now(), at(500));
}
