//! The control routes over `handle`.

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::emulator::tenant::machine::{Machine, MachineId};
use crate::emulator::{Config, Emulator, Tenant};

fn start() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn emulator() -> Emulator {
    let config = Config { devices: 0, ..Config::default() };
    let mut tenant = Tenant::empty(&config, start());
    tenant.add_machine(Machine::plain(MachineId([1; 20]), "pc-1", "Windows11", start()));
    Emulator::with_tenant(config, tenant)
}

fn call(emulator: &mut Emulator, line: &str, body: &str) -> (u16, Value) {
    let (method, path) = line.split_once(' ').unwrap();
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("user-agent", "test/1")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap();
    let response = emulator.handle(&request, start()).response;
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}

#[test]
fn time_is_advanced_and_never_goes_back() {
    let mut emulator = emulator();
    let act = json!({"actor": "a@contoso.example", "verb": "isolate", "device": "PC-1"});
    let (status, body) = call(&mut emulator, "POST /_emulator/act", &act.to_string());
    assert_eq!(status, 200, "{body}");
    let (_, body) = call(&mut emulator, "GET /_emulator/devices/pc-1", "");
    assert_eq!(
        (&body["isolation"], &body["actions"][0]["status"]),
        (&json!("free"), &json!("Pending"))
    );
    let (_, body) = call(&mut emulator, "POST /_emulator/advance", r#"{"by":"2m"}"#);
    assert_eq!(body, json!({"now": "2026-03-02T10:02:00Z"}));
    let (_, body) = call(&mut emulator, "GET /_emulator/devices/pc-1", "");
    assert_eq!(
        (&body["isolation"], &body["actions"][0]["status"]),
        (&json!("full"), &json!("Succeeded"))
    );
    let (_, body) =
        call(&mut emulator, "POST /_emulator/advance", r#"{"to":"2020-01-01T00:00:00Z"}"#);
    assert_eq!(body, json!({"now": "2026-03-02T10:02:00Z"}));
    let (_, body) =
        call(&mut emulator, "POST /_emulator/advance", r#"{"to":"2026-03-03T00:00:00Z"}"#);
    assert_eq!(body, json!({"now": "2026-03-03T00:00:00Z"}));
    let (_, body) = call(&mut emulator, "GET /_emulator", "");
    assert_eq!(body["now"], "2026-03-03T00:00:00Z");
    assert_eq!(body["actions"], json!({"Succeeded": 1}));
    assert_eq!(body["devices"], json!({"records": 1, "online": 1}));
    for wrong in ["", "{}", r#"{"by":"soon"}"#, r#"{"by":"1h","to":"2030-01-01T00:00:00Z"}"#] {
        let (status, body) = call(&mut emulator, "POST /_emulator/advance", wrong);
        assert_eq!((status, body["error"].is_string()), (400, true), "{wrong}");
    }
}

#[test]
fn the_log_is_read_in_parts() {
    let mut emulator = emulator();
    for path in ["GET /api/machines?$top=1", "POST /x/oauth2/token", "GET /api/machines/1"] {
        call(&mut emulator, path, "client_secret=hunter2");
    }
    let (_, body) = call(&mut emulator, "GET /_emulator/requests?path=/api/**&method=get", "");
    let seen = body["requests"].as_array().unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[0]["path"], "/api/machines");
    assert_eq!(seen[0]["query"], "$top=1");
    assert!(seen[0]["status"].as_u64().unwrap() >= 400, "no token, no machines");
    assert_eq!(seen[0]["headers"]["user-agent"], "test/1");
    assert_eq!(seen[0]["at"], "2026-03-02T10:00:00Z");
    let (_, body) = call(&mut emulator, "GET /_emulator/requests?limit=1", "");
    assert_eq!((body["requests"].as_array().unwrap().len(), &body["next"]), (1, &json!(1)));
    let (_, body) = call(&mut emulator, "GET /_emulator/requests?since=2", "");
    assert_eq!(body["requests"].as_array().unwrap().len(), 1);
    assert!(body.get("next").is_none());
    assert_eq!(call(&mut emulator, "DELETE /_emulator/requests", "").0, 200);
    let (_, body) = call(&mut emulator, "GET /_emulator/requests", "");
    assert_eq!(body, json!({"requests": []}), "control requests stand in no log");
}

#[test]
fn scenarios_and_faults_come_as_text() {
    let mut emulator = emulator();
    let text = "fault 503 x* on GET /**\nat 1h offline pc-1\n";
    let (status, body) = call(&mut emulator, "POST /_emulator/scenario", text);
    assert_eq!((status, body), (200, json!({"lines": 2})));
    assert_eq!(call(&mut emulator, "GET /api/machines", "").0, 503);
    let (_, body) = call(&mut emulator, "GET /_emulator/faults", "");
    assert_eq!(body, json!({"faults": [{"line": "fault 503 x* on GET /**", "met": 1}]}));
    let (status, body) =
        call(&mut emulator, "POST /_emulator/fault", "fault\nfault 1 on GET /\noffline pc-1");
    assert_eq!((status, body["errors"].as_array().unwrap().len()), (400, 2));
    assert_eq!(body["errors"][1]["line"], 2);
    let (status, body) = call(&mut emulator, "POST /_emulator/scenario", "offline pc-7");
    assert_eq!((status, &body["errors"][0]["message"]), (400, &json!("there is no device `pc-7`")));
    assert_eq!(call(&mut emulator, "DELETE /_emulator/faults", "").0, 200);
    assert_ne!(call(&mut emulator, "GET /api/machines", "").0, 503);
}

#[test]
fn devices_go_and_come_back() {
    let mut emulator = emulator();
    let id = "01".repeat(20);
    let (_, body) = call(&mut emulator, &format!("POST /_emulator/devices/{id}/offline"), "");
    assert_eq!((&body["online"], &body["name"]), (&json!(false), &json!("pc-1")));
    let (_, body) = call(&mut emulator, "GET /_emulator/devices", "");
    assert_eq!(body["devices"][0]["online"], false);
    let (_, body) = call(&mut emulator, "POST /_emulator/devices/pc-1/online", "");
    assert_eq!(body["online"], true);
}

#[test]
fn reset_begins_anew_and_stop_is_noted() {
    let mut emulator = emulator();
    call(
        &mut emulator,
        "POST /_emulator/scenario",
        "roles none\nfault 500 on GET /x\nat 1h offline pc-1",
    );
    call(&mut emulator, "GET /y", "");
    let (_, body) = call(&mut emulator, "POST /_emulator/reset", "");
    assert_eq!(body["requests"]["kept"], 0);
    assert_eq!((&body["faults"], &body["scenarioLines"]), (&json!(0), &json!(0)));
    assert!(!emulator.config().roles.is_empty());
    assert!(!emulator.is_stopping());
    call(&mut emulator, "POST /_emulator/stop", "");
    assert!(emulator.is_stopping());
}

#[test]
fn what_is_wrong_is_said() {
    let mut emulator = emulator();
    let unknown_verb = r#"{"actor":"a","verb":"explode","device":"pc-1"}"#;
    for (line, body, status) in [
        ("GET /_emulator/nothing", "", 404),
        ("GET /_emulator/devices/pc-9", "", 404),
        ("GET /_emulator/advance", "", 405),
        ("PUT /_emulator/requests", "", 405),
        ("POST /_emulator/act", "{}", 400),
        ("POST /_emulator/act", unknown_verb, 400),
        ("POST /_emulator/devices/pc-9/offline", "", 404),
        ("POST /_emulator/devices/pc-1/sideways", "", 404),
    ] {
        let (got, answer) = call(&mut emulator, line, body);
        assert_eq!(got, status, "{line}: {answer}");
        assert!(answer["error"].is_string());
    }
    call(&mut emulator, "POST /_emulator/scenario", "switch conflicts reject");
    let act = r#"{"actor":"a","verb":"restrict","device":"pc-1"}"#;
    assert_eq!(call(&mut emulator, "POST /_emulator/act", act).0, 200);
    assert_eq!(call(&mut emulator, "POST /_emulator/act", act).0, 409);
}

#[test]
fn the_newest_action_is_cancelled_as_in_a_scenario() {
    let mut emulator = emulator();
    let act = |verb: &str| {
        json!({"actor": "a@contoso.example", "verb": verb, "device": "pc-1"}).to_string()
    };
    let (_, begun) = call(&mut emulator, "POST /_emulator/act", &act("scan"));
    let (status, ended) = call(&mut emulator, "POST /_emulator/act", &act("cancel"));
    assert_eq!((status, &ended["action"]), (200, &begun["action"]), "{ended}");
    let (_, body) = call(&mut emulator, "GET /_emulator/devices/pc-1", "");
    assert_eq!(body["actions"][0]["status"], json!("Cancelled"));
    assert_eq!(call(&mut emulator, "POST /_emulator/act", &act("cancel")).0, 409);
    let nobody = act("cancel").replace("pc-1", "pc-9");
    assert_eq!(call(&mut emulator, "POST /_emulator/act", &nobody).0, 404);
    let detailed = r#"{"actor":"a","verb":"cancel","detail":"full","device":"pc-1"}"#;
    assert_eq!(call(&mut emulator, "POST /_emulator/act", detailed).0, 400);
}
