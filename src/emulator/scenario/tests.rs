//! Lines and what is wrong with them; what lines do to a tenant.

use bytes::Bytes;
use http::Request;
use jiff::{SignedDuration, Timestamp};

use super::Scenario;
use crate::emulator::config::Conflicts;
use crate::emulator::tenant::Handling;
use crate::emulator::tenant::machine::{Machine, MachineId};
use crate::emulator::{Config, Emulator, Tenant};
use crate::model::{
    ActionStatus, AlertStatus, Classification, Determination, Isolation, Restriction,
};

fn start() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn after(span: &str) -> Timestamp {
    start().checked_add(super::line::span(span).unwrap()).unwrap()
}

fn emulator() -> Emulator {
    let config = Config { devices: 0, ..Config::default() };
    let mut tenant = Tenant::empty(&config, start());
    for (byte, name) in [(1, "pc-1"), (2, "pc-2")] {
        tenant.add_machine(Machine::plain(MachineId([byte; 20]), name, "Windows11", start()));
    }
    Emulator::with_tenant(config, tenant)
}

fn play(emulator: &mut Emulator, text: &str) {
    emulator.play(&Scenario::parse(text).unwrap(), start()).unwrap();
}

/// Lets time pass by a request that nobody minds.
fn pass(emulator: &mut Emulator, now: Timestamp) {
    let request = Request::get("/").body(Bytes::new()).unwrap();
    emulator.handle(&request, now);
}

#[test]
fn every_wrong_line_is_named_with_its_number() {
    for (line, message) in [
        ("explode", "`explode` is not a statement"),
        ("at", "a time is missing"),
        ("at 10 offline pc-1", "`10` has no unit"),
        ("at -5m offline pc-1", "a scenario cannot act in the past"),
        ("at 2026-99-99T00:00:00Z offline pc-1", "is not a time"),
        ("at 10m", "a statement is missing"),
        ("offline", "a device is missing"),
        ("offline pc-1 pc-2", "`pc-2` is too much"),
        ("switch", "the name of a switch is missing"),
        ("switch colour red", "`colour` is not a switch; there are conflicts,"),
        ("switch conflicts maybe", "`maybe` is not one of return-existing, reject, time-based"),
        ("switch limits yes", "`yes` is neither `on` nor `off`"),
        ("switch page-size many", "`many` is not a number"),
        ("switch patience -1h", "the time cannot be negative"),
        ("clear devices", "`devices` cannot be cleared"),
        ("roles", "a role is missing"),
        ("act a@b", "a verb is missing"),
        ("act a@b explode pc-1", "`explode` is not an action"),
        ("act a@b isolate gently pc-1", "`isolate gently` is not an action"),
        ("act a@b quarantine abc pc-1", "`quarantine abc` is not an action"),
        ("act a@b release full pc-1", "`release full` is not an action"),
        ("classify a@b", "an alert is missing"),
        ("classify a@b da1", "what is done to the alert is missing"),
        ("classify a@b da1 status", "a value is missing"),
        ("classify a@b da1 status shut", "`shut` is no status"),
        ("classify a@b da1 classification wrong", "`wrong` is no classification"),
        ("classify a@b da1 determination clean", "`clean` is no determination"),
        ("classify a@b da1 verdict x", "`verdict` is not one of status,"),
        ("drift pc-1", "a posture is missing"),
        ("drift pc-1 sideways", "`sideways` is not one of"),
        ("fault", "what goes wrong is missing"),
        ("fault 99 on GET /x", "`99` is not a fault"),
        ("fault 700 on GET /x", "`700` is not a fault"),
        ("fault 503", "`on METHOD PATH` is missing"),
        ("fault 503 on", "a method is missing"),
        ("fault 503 on FETCH /x", "`FETCH` is not a method"),
        ("fault 503 on GET", "a path is missing"),
        ("fault 503 on GET api/machines", "does not begin with `/`"),
        ("fault 503 x0 on GET /x", "calls are counted from 1"),
        ("fault 503 nth 0 on GET /x", "calls are counted from 1"),
        ("fault 503 loudly on GET /x", "`loudly` is not an option"),
        ("fault delay 1s retry-after 2 on GET /x", "`retry-after` does not belong to this fault"),
        ("fault delay -1s on GET /x", "a delay cannot be negative"),
        ("fault truncate most on GET /x", "`most` is not a number"),
        ("fault next-link lost on GET /x", "`lost` is not one of"),
        ("fault 503 body \"x on GET /x", "a quotation mark is missing"),
        ("fault 503 body \"\\q\" on GET /x", "are escapes"),
    ] {
        let text = format!("# first\n\nswitch limits on\n{line}\n");
        let errors = Scenario::parse(&text).unwrap_err();
        assert_eq!(errors.len(), 1, "{line}: {errors:?}");
        assert_eq!(errors[0].line, 4, "{line}");
        assert!(errors[0].message.contains(message), "{line}: {}", errors[0].message);
    }
    let errors = Scenario::parse("explode\nswitch limits on\nimplode").unwrap_err();
    assert_eq!(errors.iter().map(|error| error.line).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(
        errors[0].to_string().split(';').next(),
        Some("line 1: `explode` is not a statement")
    );
}

#[test]
fn unknown_devices_are_errors_and_nothing_is_played() {
    let scenario = Scenario::parse("switch limits off\nat 1h offline pc-1\noffline pc-9").unwrap();
    let mut emulator = emulator();
    let errors = emulator.play(&scenario, start()).unwrap_err();
    assert_eq!(errors[0].to_string(), "line 3: there is no device `pc-9`");
    assert!(emulator.tenant().behaviour.enforce_limits);
    assert_eq!(emulator.next_event(), None);
}

#[test]
fn lines_without_a_time_hold_at_once() {
    let mut emulator = emulator();
    play(
        &mut emulator,
        "switch conflict reject   # the singular too\nswitch limits off\nswitch page-size 5\n\
         switch most-rows 0\nswitch patience 1h\nswitch isolate-takes 300ms\nroles none Machine.Read.All Machine.Scan -Machine.Scan\n\
         offline pc-2\ntag pc-1 \"case 7\"\ndrift pc-1 selective restricted\nfail pc-1 2\n\
         fault 503 on GET /x\n",
    );
    let behaviour = &emulator.tenant().behaviour;
    assert_eq!(behaviour.conflicts, Conflicts::Reject);
    assert!(!behaviour.enforce_limits);
    assert_eq!(behaviour.page_size, 5);
    assert_eq!(behaviour.most_rows, 1, "a page of no rows would never end");
    assert_eq!(behaviour.patience, SignedDuration::from_hours(1));
    assert_eq!(behaviour.durations.isolate, SignedDuration::from_millis(300));
    assert_eq!(emulator.config().roles, ["Machine.Read.All"]);
    let machine = |name: &str| {
        let tenant = emulator.tenant();
        tenant.machine(tenant.find(name).unwrap()).unwrap()
    };
    assert!(!machine("pc-2").online);
    assert_eq!(&*machine("pc-1").tags[0], "case 7");
    assert_eq!(machine("pc-1").failures, 2);
    let posture = emulator.tenant().posture("pc-1").unwrap();
    assert_eq!(posture, (Isolation::Selective, Restriction::Restricted));
    assert_eq!(emulator.faults.lines().count(), 1);
    play(&mut emulator, "clear faults\nuntag pc-1 \"case 7\"\nroles all");
    assert_eq!(emulator.faults.lines().count(), 0);
    assert!(emulator.config().roles.len() > 10);
}

#[test]
fn the_timeline_is_lived_in_order_between_requests() {
    let mut emulator = emulator();
    play(
        &mut emulator,
        "at 1h act analyst@contoso.example release pc-1 comment \"false alarm\"\n\
         act Containment isolate selective pc-1\n\
         at 10m offline pc-2\nat 11m act analyst@contoso.example scan full pc-2\n\
         at 2026-03-02T12:00:00Z act analyst@contoso.example cancel pc-2\n",
    );
    let posture = |emulator: &Emulator| emulator.tenant().posture("pc-1").unwrap().0;
    pass(&mut emulator, after("5m"));
    assert_eq!(posture(&emulator), Isolation::Selective);
    assert_eq!(emulator.next_event(), Some(after("10m")));
    // One long step: the release began an hour in and has ended since.
    pass(&mut emulator, after("3h"));
    assert_eq!(posture(&emulator), Isolation::Free);
    let actions = emulator.tenant().actions();
    let told: Vec<_> = actions
        .iter()
        .map(|action| (&*action.requestor, &*action.source, &*action.comment, &action.status))
        .collect();
    let done = &ActionStatus::Succeeded;
    let person = "analyst@contoso.example";
    assert_eq!(
        told,
        [
            ("Containment", "PublicApi", "isolate pc-1", done),
            (person, "Portal", "scan pc-2", &ActionStatus::Cancelled),
            (person, "Portal", "false alarm", done),
        ]
    );
    assert_eq!(actions[2].created, after("1h"));
}

#[test]
fn somebody_works_on_an_alert_and_it_is_known_who() {
    let mut emulator = Emulator::new(Config { devices: 10, ..Config::default() }, start());
    let id = emulator.tenant().alerts()[0].id.to_string();
    let before = emulator.tenant().alerts()[0].handling();
    play(
        &mut emulator,
        &format!(
            "at 5m classify ana@contoso.example {id} status resolved classification falsePositive \
             determination notMalicious assigned-to bob@contoso.example comment \"a test\"\n\
             at 6m classify soar {id} assigned-to nobody"
        ),
    );
    pass(&mut emulator, after("5m"));
    let alert = &emulator.tenant().alerts()[0];
    let judged = Handling {
        status: AlertStatus::Resolved,
        classification: Classification::FalsePositive,
        determination: Determination::NotMalicious,
        assigned_to: Some("bob@contoso.example".into()),
    };
    assert_eq!(alert.handling(), judged);
    assert_eq!((alert.updated, alert.resolved), (after("5m"), Some(after("5m"))));
    let comment = alert.comments.last().unwrap();
    assert_eq!((&*comment.text, &*comment.by), ("a test", "ana@contoso.example"));
    pass(&mut emulator, after("10m"));
    assert_eq!(emulator.tenant().alerts()[0].assigned_to, None);
    let edits = emulator.tenant().alert_edits();
    assert_eq!((edits.len(), &*edits[1].by, edits[1].at), (2, "soar", after("6m")));
    assert_eq!((&edits[0].before, &edits[0].after), (&before, &judged));
    assert_eq!((edits[0].comment.as_deref(), &edits[1].comment), (Some("a test"), &None));
    let unknown = Scenario::parse("classify ana@contoso.example da0 status new").unwrap();
    let errors = emulator.play(&unknown, start()).unwrap_err();
    assert_eq!(errors[0].to_string(), "line 1: there is no alert `da0`");
}

#[test]
fn every_switch_can_be_read() {
    for name in super::SWITCHES {
        let read = |value: &str| Scenario::parse(&format!("switch {name} {value}")).is_ok();
        let values = ["on", "5", "5m", "reject", "never", "older", "business"];
        assert!(values.into_iter().any(read), "{name}");
    }
}
