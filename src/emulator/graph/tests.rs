//! Alerts over `handle`: shapes, options, changes, refusals.

use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::emulator::{Config, Emulator};

fn start() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

struct Rig {
    emulator: Emulator,
    token: String,
}

fn rig_with(config: Config) -> Rig {
    let mut emulator = Emulator::new(config, start());
    let body = "grant_type=client_credentials&client_id=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee\
                &client_secret=emulator-secret&scope=https://graph.microsoft.com/.default";
    let request = Request::post("/contoso.example/oauth2/v2.0/token")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::from_static(body.as_bytes()))
        .unwrap();
    let answer = json(&emulator.handle(&request, start()).response);
    let token = answer["access_token"].as_str().unwrap().to_owned();
    Rig { emulator, token }
}

fn rig() -> Rig {
    rig_with(Config { devices: 400, ..Config::default() })
}

fn json(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).unwrap()
}

impl Rig {
    fn send(&mut self, line: &str, body: &str) -> Response<Bytes> {
        self.send_with(line, body, "client-request-id", "0a0a0a0a-0b0b-4c0c-8d0d-0e0e0e0e0e0e")
    }

    fn send_with(&mut self, line: &str, body: &str, name: &str, value: &str) -> Response<Bytes> {
        let (method, target) = line.split_once(' ').unwrap();
        let target = target.replace(' ', "%20");
        let request = Request::builder()
            .method(method)
            .uri(target)
            .header("host", "127.0.0.1:8400")
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .header(name, value)
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap();
        self.emulator.handle(&request, start()).response
    }

    fn get(&mut self, target: &str) -> Value {
        let response = self.send(&format!("GET {target}"), "");
        assert_eq!(response.status(), 200, "{target}: {:?}", response.body());
        json(&response)
    }

    fn refused(&mut self, line: &str, body: &str) -> (u16, String) {
        let answer = self.send(line, body);
        let error = &json(&answer)["error"];
        assert!(error["innerError"]["request-id"].is_string(), "{error}");
        assert_eq!(error["innerError"]["date"], "2026-03-02T10:00:00");
        (answer.status().as_u16(), error["message"].as_str().unwrap().to_owned())
    }

    fn first_id(&mut self) -> String {
        let page = self.get("/v1.0/security/alerts_v2?$top=1");
        page["value"][0]["id"].as_str().unwrap().to_owned()
    }
}

fn ids(page: &Value) -> Vec<String> {
    let rows = page["value"].as_array().unwrap();
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn an_alert_has_every_documented_property() {
    let mut rig = rig();
    let page = rig.get("/v1.0/security/alerts_v2");
    let alert = page["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|alert| alert["evidence"].as_array().unwrap().len() > 2);
    let alert = alert.unwrap().as_object().unwrap();
    let mut names: Vec<&str> = alert.keys().map(String::as_str).collect();
    names.sort_unstable();
    let mut documented = [
        "id",
        "providerAlertId",
        "incidentId",
        "tenantId",
        "detectorId",
        "alertPolicyId",
        "status",
        "severity",
        "classification",
        "determination",
        "serviceSource",
        "detectionSource",
        "investigationState",
        "assignedTo",
        "title",
        "description",
        "recommendedActions",
        "category",
        "categories",
        "mitreTechniques",
        "systemTags",
        "threatDisplayName",
        "threatFamilyName",
        "actorDisplayName",
        "productName",
        "createdDateTime",
        "lastUpdateDateTime",
        "firstActivityDateTime",
        "lastActivityDateTime",
        "resolvedDateTime",
        "alertWebUrl",
        "incidentWebUrl",
        "comments",
        "evidence",
        "customDetails",
        "additionalData",
    ];
    documented.sort_unstable();
    assert_eq!(names, documented);
    assert!(alert["incidentId"].is_string());
    let device = &alert["evidence"][0];
    assert_eq!(device["@odata.type"], "#microsoft.graph.security.deviceEvidence");
    assert_eq!(device["mdeDeviceId"].as_str().unwrap().len(), 40);
    for name in ["createdDateTime", "verdict", "remediationStatus", "roles", "tags"] {
        assert!(!device[name].is_null(), "{name} is never null");
    }
    let kinds: Vec<&str> = alert["evidence"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["@odata.type"].as_str().unwrap().rsplit('.').next().unwrap())
        .collect();
    assert!(kinds.contains(&"processEvidence") && kinds.contains(&"fileEvidence"), "{kinds:?}");
}

#[test]
fn both_versions_answer_with_graphs_headers() {
    let mut rig = rig();
    for version in ["v1.0", "beta"] {
        let response = rig.send(&format!("GET /{version}/Security/Alerts_V2?$top=2"), "");
        let own = "0a0a0a0a-0b0b-4c0c-8d0d-0e0e0e0e0e0e";
        assert_eq!(response.headers().get("client-request-id").unwrap(), own);
        assert!(response.headers().contains_key("request-id"));
        assert!(response.headers().contains_key("date"));
        let context = format!("http://127.0.0.1:8400/{version}/$metadata#security/alerts_v2");
        assert_eq!(json(&response)["@odata.context"], context);
    }
}

#[test]
fn pages_join_without_a_gap() {
    let mut rig = rig();
    let whole = rig.get("/v1.0/security/alerts_v2?$top=5000&$count=true");
    let all = ids(&whole);
    assert_eq!(whole["@odata.count"], all.len());
    assert!(all.len() > 14 && whole.get("@odata.nextLink").is_none(), "{}", all.len());
    for order in ["", "&$orderby=createdDateTime asc", "&$orderby=lastUpdateDateTime desc"] {
        let mut target =
            format!("/v1.0/security/alerts_v2?$top=7{order}&$filter=status ne 'unknown'");
        let mut seen = Vec::new();
        let mut pages = 0;
        loop {
            let page = rig.get(&target);
            seen.extend(ids(&page));
            pages += 1;
            let Some(next) = page["@odata.nextLink"].as_str() else { break };
            target = next.strip_prefix("http://127.0.0.1:8400").unwrap().to_owned();
        }
        assert_eq!(pages, all.len().div_ceil(7));
        seen.sort_unstable();
        let mut expected = all.clone();
        expected.sort_unstable();
        assert_eq!(seen, expected, "{order}");
    }
    let times = |page: &Value, name: &str| -> Vec<String> {
        let rows = page["value"].as_array().unwrap();
        rows.iter().map(|row| row[name].as_str().unwrap().to_owned()).collect()
    };
    let newest: Vec<Timestamp> =
        times(&whole, "createdDateTime").iter().map(|at| at.parse().unwrap()).collect();
    assert!(newest.is_sorted_by(|a, b| a >= b), "newest first");
    assert_eq!(ids(&rig.get("/v1.0/security/alerts_v2?$top=3&$skip=2")), all[2..5]);
    rig.emulator.behaviour_mut().graph_next_links = false;
    assert!(rig.get("/v1.0/security/alerts_v2?$top=7").get("@odata.nextLink").is_none());
}

#[test]
fn filters_follow_the_documentation() {
    let mut rig = rig();
    let all = rig.get("/v1.0/security/alerts_v2?$top=1000");
    let all = all["value"].as_array().unwrap();
    let dns = all[0]["evidence"][0]["deviceDnsName"].as_str().unwrap().to_owned();
    let count = |test: &dyn Fn(&Value) -> bool| all.iter().filter(|alert| test(alert)).count();
    let lambda = format!(
        "evidence/any(e: e/microsoft.graph.security.deviceEvidence/deviceDnsName eq '{dns}')"
    );
    let on = |alert: &Value| {
        alert["evidence"].as_array().unwrap().iter().any(|one| one["deviceDnsName"] == dns.as_str())
    };
    for (filter, expected) in [
        ("status eq 'new'", count(&|alert| alert["status"] == "new")),
        (
            "severity eq 'high' or severity eq 'medium'",
            count(&|alert| alert["severity"] == "high" || alert["severity"] == "medium"),
        ),
        ("classification eq 'unknown'", count(&|alert| alert["classification"] == "unknown")),
        ("assignedTo eq null", count(&|alert| alert["assignedTo"].is_null())),
        ("createdDateTime gt 2099-01-01T00:00:00Z", 0),
        ("lastUpdateDateTime le 2026-03-02T10:00:00Z", all.len()),
        ("serviceSource eq 'microsoftDefenderForEndpoint'", all.len()),
        (lambda.as_str(), count(&on)),
    ] {
        let page = rig.get(&format!("/v1.0/security/alerts_v2?$top=1000&$filter={filter}"));
        assert_eq!(page["value"].as_array().unwrap().len(), expected, "{filter}");
    }
    assert!(count(&on) > 0);
}

#[test]
fn wrong_options_are_refused() {
    let mut rig = rig();
    for option in [
        "$skip=501",
        "$top=0",
        "$top=-1",
        "$top=many",
        "$skip=x",
        "$count=yes",
        "$orderby=severity",
        "$orderby=createdDateTime sideways",
        "$orderby=createdDateTime desc,id",
        "$skiptoken=@@",
        "$filter=investigationState eq 'running'",
        "$filter=title eq 'x'",
        "$filter=colour eq 'x'",
        "$filter=status eq",
    ] {
        let (status, message) = rig.refused(&format!("GET /v1.0/security/alerts_v2?{option}"), "");
        assert_eq!(status, 400, "{option}: {message}");
    }
}

#[test]
fn exactly_four_properties_change() {
    let mut rig = rig();
    let id = rig.first_id();
    let line = format!("PATCH /v1.0/security/alerts_v2/{id}");
    let change = json!({
        "status": "resolved", "classification": "TruePositive",
        "determination": "malware", "assignedTo": "soc@contoso.example",
    });
    let response = rig.send(&line, &change.to_string());
    assert_eq!(response.status(), 200);
    let alert = json(&response);
    assert_eq!(
        alert["@odata.context"],
        "http://127.0.0.1:8400/v1.0/$metadata#security/alerts_v2/$entity"
    );
    assert_eq!(alert["status"], "resolved");
    assert_eq!(alert["classification"], "truePositive");
    assert_eq!(alert["determination"], "malware");
    assert_eq!(alert["assignedTo"], "soc@contoso.example");
    assert_eq!(alert["lastUpdateDateTime"], "2026-03-02T10:00:00Z");
    assert_eq!(alert["resolvedDateTime"], "2026-03-02T10:00:00Z");
    assert_eq!(rig.get(&format!("/beta/security/alerts_v2/{id}"))["status"], "resolved");
    let alert =
        json(&rig.send(&line, r#"{"assignedTo":null,"classification":"unknown","status":"new"}"#));
    assert_eq!((&alert["assignedTo"], &alert["classification"]), (&Value::Null, &json!("unknown")));
    assert_eq!(alert["resolvedDateTime"], Value::Null);
    assert_eq!(alert["determination"], "malware", "what is not named stays");
    for body in [
        r#"{"severity":"low"}"#,
        r#"{"comment":"x"}"#,
        r#"{"customDetails":{}}"#,
        r#"{"Status":"new"}"#,
        r#"{"status":"unknownFutureValue"}"#,
        r#"{"status":null}"#,
        r#"{"status":3}"#,
        r#"{"classification":"benign"}"#,
        r#"{"determination":"compromisedUser"}"#,
        r#"{"assignedTo":["a"]}"#,
        r#"{"status":"resolved","title":"x"}"#,
        "[]",
        "{",
        "",
    ] {
        assert_eq!(rig.refused(&line, body).0, 400, "{body}");
    }
    assert_eq!(
        rig.get(&format!("/v1.0/security/alerts_v2/{id}"))["status"],
        "new",
        "all or nothing"
    );
}

#[test]
fn comments_pile_up() {
    let mut rig = rig();
    let id = rig.first_id();
    let before =
        rig.get(&format!("/v1.0/security/alerts_v2/{id}"))["comments"].as_array().unwrap().len();
    let line = format!("POST /v1.0/security/alerts_v2/{id}/comments");
    let body = r##"{"@odata.type":"#microsoft.graph.security.alertComment","comment":"seen"}"##;
    for more in 1..=2 {
        let response = rig.send(&line, body);
        assert_eq!(response.status(), 200);
        let answer = json(&response);
        let list = answer["value"].as_array().unwrap();
        assert_eq!(list.len(), before + more, "the whole list, and a retry doubles");
        let last = list.last().unwrap();
        assert_eq!(last["comment"], "seen");
        assert_eq!(last["createdByDisplayName"], "palisade");
        assert_eq!(last["createdDateTime"], "2026-03-02T10:00:00Z");
    }
    for body in ["{}", r#"{"comment":" "}"#, r#"{"comment":1}"#, r#"{"comment":"a","x":1}"#] {
        assert_eq!(rig.refused(&line, body).0, 400, "{body}");
    }
}

#[test]
fn what_is_not_there_or_not_allowed_is_said() {
    let mut rig = rig();
    for (line, body, status) in [
        ("GET /v1.0/security/alerts_v2/da1_2", "", 404),
        ("PATCH /v1.0/security/alerts_v2/da1_2", "{}", 404),
        ("POST /v1.0/security/alerts_v2/da1_2/comments", r#"{"comment":"a"}"#, 404),
        ("DELETE /v1.0/security/alerts_v2/da1_2", "", 405),
        ("POST /v1.0/security/alerts_v2", "{}", 405),
        ("GET /v1.0/users", "", 400),
    ] {
        assert_eq!(rig.refused(line, body).0, status, "{line}");
    }
    rig.token = "x".to_owned();
    assert_eq!(rig.refused("GET /v1.0/security/alerts_v2", "").0, 401);
}

#[test]
fn roles_are_needed() {
    let roles = vec!["SecurityAlert.Read.All".to_owned(), "Machine.Isolate".to_owned()];
    let mut rig = rig_with(Config { devices: 50, roles, ..Config::default() });
    let id = rig.first_id();
    let (status, message) = rig.refused(&format!("PATCH /v1.0/security/alerts_v2/{id}"), "{}");
    assert_eq!(status, 403);
    assert_eq!(
        message,
        "Missing application roles. API required roles: SecurityAlert.ReadWrite.All, application roles: SecurityAlert.Read.All."
    );
    let mut rig = rig_with(Config { devices: 50, roles: Vec::new(), ..Config::default() });
    assert_eq!(rig.refused("GET /v1.0/security/alerts_v2", "").0, 403);
}

#[test]
fn newer_enum_members_have_to_be_asked_for() {
    let mut rig = rig();
    let id = rig.first_id();
    let tenant = rig.emulator.tenant_mut();
    let row = tenant.find_alert(&id).unwrap();
    tenant.alert_mut(row).unwrap().service_source = "microsoftSentinel";
    let line = format!("GET /v1.0/security/alerts_v2/{id}");
    assert_eq!(json(&rig.send(&line, ""))["serviceSource"], "unknownFutureValue");
    let asked = rig.send_with(&line, "", "prefer", "include-unknown-enum-members");
    assert_eq!(json(&asked)["serviceSource"], "microsoftSentinel");
    assert_eq!(asked.headers().get("preference-applied").unwrap(), "include-unknown-enum-members");
}

#[test]
fn the_minute_has_room_for_a_hundred_and_fifty() {
    let mut rig = rig_with(Config { devices: 10, ..Config::default() });
    for _ in 0..150 {
        rig.get("/v1.0/security/alerts_v2?$top=1");
    }
    let response = rig.send("GET /v1.0/security/alerts_v2", "");
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers().get("retry-after").unwrap(), "60");
    assert_eq!(json(&response)["error"]["code"], "TooManyRequests");
    rig.emulator.control.ahead = SignedDuration::from_secs(61);
    rig.get("/v1.0/security/alerts_v2");
}
