//! Alerts: bytes, filters, evidence, changes.

use super::*;
use crate::emulator::tenant::Alert;

fn kit() -> Kit {
    let mut kit = Kit::new();
    let seeded =
        crate::emulator::seed::fleet(&Config { devices: 10, ..Config::default() }, kit.now);
    let mut alert: Alert =
        seeded.alerts().iter().find(|a| a.title.contains("Mimikatz")).unwrap().clone();
    let tenant = kit.emulator.tenant_mut();
    let time = |text: &str| -> Timestamp { text.parse().unwrap() };
    alert.id = "da637551227677560813_-961444813".into();
    alert.machines = vec![0];
    alert.incident = 77;
    alert.status = crate::model::AlertStatus::New;
    alert.classification = crate::model::Classification::Unknown;
    alert.determination = crate::model::Determination::Unknown;
    alert.assigned_to = None;
    alert.resolved = None;
    alert.comments.clear();
    alert.user = None;
    alert.detector_id = crate::emulator::random::Guid([0x22; 16]);
    alert.created = time("2026-03-02T10:00:00.5Z");
    alert.first_event = time("2026-03-02T09:56:00Z");
    alert.last_event = time("2026-03-02T09:59:00Z");
    alert.updated = time("2026-03-02T10:05:00Z");
    tenant.add_alert(alert.clone());
    alert.id = "da637551227677560999_5".into();
    alert.machines = vec![1, 0];
    alert.severity = crate::model::Severity::High;
    alert.created = time("2026-03-02T11:00:00Z");
    tenant.add_alert(alert.clone());
    alert.id = "other-product".into();
    alert.service_source = "microsoftDefenderForOffice365";
    tenant.add_alert(alert);
    kit
}

const FIRST: &str = "da637551227677560813_-961444813";
const SECOND: &str = "da637551227677560999_5";

#[test]
fn an_alert_is_byte_for_byte_as_documented() {
    let mut kit = kit();
    let (status, body) = kit.text(&format!("GET /api/alerts/{FIRST}"), "");
    assert_eq!(status, 200);
    let expected = concat!(
        r#"{"@odata.context":"https://api.security.microsoft.com/api/$metadata#Alerts/$entity","#,
        r#""id":"da637551227677560813_-961444813","incidentId":77,"investigationId":null,"assignedTo":null,"#,
        r#""severity":"Medium","status":"New","classification":null,"determination":null,"#,
        r#""investigationState":"UnsupportedAlertType","detectionSource":"WindowsDefenderAv","#,
        r#""detectorId":"22222222-2222-2222-2222-222222222222","category":"CredentialAccess","#,
        r#""threatFamilyName":"Mimikatz","threatName":null,"title":"Mimikatz credential theft tool","#,
        r#""description":"Activity on the device matches behavior seen in attacks.","#,
        r#""alertCreationTime":"2026-03-02T10:00:00.5Z","firstEventTime":"2026-03-02T09:56:00Z","#,
        r#""lastEventTime":"2026-03-02T09:59:00Z","lastUpdateTime":"2026-03-02T10:05:00Z","resolvedTime":null,"#,
        r#""machineId":"0a1b2c3d4e5f60718293a4b5c6d7e8f901234567","computerDnsName":"till-07.shop.example","#,
        r#""rbacGroupName":null,"aadTenantId":"11111111-2222-3333-4444-555555555555","#,
        r#""mitreTechniques":["T1003","T1003.001"],"relatedUser":null,"comments":[],"evidence":[]}"#,
    );
    assert_eq!(body, expected);
}

#[test]
fn alerts_are_listed_newest_first_with_filters_and_evidence() {
    let mut kit = kit();
    for (query, expected) in [
        ("", vec![SECOND, FIRST]),
        ("$top=1", vec![SECOND]),
        ("$filter=severity eq 'High'", vec![SECOND]),
        (
            "$filter=status eq 'New' and incidentId eq 77 and alertCreationTime lt 2026-03-02T10:30:00Z",
            vec![FIRST],
        ),
        (
            "$filter=detectionSource eq 'WindowsDefenderAv' and InvestigationId eq null",
            vec![SECOND, FIRST],
        ),
    ] {
        let path = format!("/api/alerts?{}", query.replace(' ', "%20"));
        assert_eq!(kit.ids(&path), expected, "{query}");
    }
    assert_eq!(kit.refusal("GET /api/alerts?$filter=title%20eq%20'x'", ""), (400, String::new()));
    assert_eq!(kit.refusal("GET /api/alerts?$expand=machine", ""), (400, String::new()));
    let expanded = kit.get("/api/alerts?$expand=evidence&$top=1");
    let evidence = expanded["value"][0]["evidence"].as_array().unwrap();
    assert_eq!(evidence.len(), 2);
    assert_eq!(evidence[0]["entityType"], "Process");
    assert_eq!(evidence[1]["fileName"], "mimikatz.exe");
    assert_eq!(evidence[1].as_object().unwrap().len(), 25, "every column is there");
    assert_eq!(kit.refusal("GET /api/alerts/other-product", "").0, 404);
    assert_eq!(kit.get(&format!("/api/alerts/{SECOND}/machine"))["id"], LX);
}

#[test]
fn a_machines_alerts_and_their_number() {
    let mut kit = kit();
    assert_eq!(kit.ids(&format!("/api/machines/{PC}/alerts")), [SECOND, FIRST]);
    assert_eq!(kit.ids(&format!("/api/machines/{LX}/alerts")), [SECOND]);
    let path = format!("GET /api/machines/{PC}/alerts/$count?$filter=status%20ne%20'Resolved'");
    assert_eq!(kit.text(&path, ""), (200, "2".to_owned()));
    assert_eq!(kit.refusal("GET /api/machines/9f00/alerts", "").0, 404);
}

#[test]
fn one_alert_is_changed() {
    let mut kit = kit();
    let line = format!("PATCH /api/alerts/{FIRST}");
    let (status, body) = kit.json(
        &line,
        r#"{"status":"Resolved","assignedTo":"soc@contoso.example","classification":"FalsePositive","determination":"NotMalicious","comment":"tested"}"#,
    );
    assert_eq!(status, 200);
    assert_eq!(body["status"], "Resolved");
    assert_eq!(body["resolvedTime"], "2026-03-02T22:01:10.4401873Z");
    assert_eq!(body["lastUpdateTime"], "2026-03-02T22:01:10.4401873Z");
    assert_eq!(body["classification"], "FalsePositive");
    assert_eq!(body["determination"], "Clean", "the read page's spelling");
    assert_eq!(
        body["comments"],
        serde_json::json!([{"comment": "tested", "createdBy": "containment-bot", "createdTime": "2026-03-02T22:01:10.4401873Z"}])
    );
    let (_, body) = kit.json(&line, r#"{"status":"InProgress","assignedTo":null}"#);
    assert_eq!((&body["resolvedTime"], &body["assignedTo"]), (&Value::Null, &Value::Null));
    for (body, code) in [
        ("{}", "InvalidRequestBody"),
        (r#"{"Status":"New"}"#, "InvalidRequestBody"),
        (r#"{"status":"Closed"}"#, "InvalidInput"),
        (r#"{"determination":"Aliens"}"#, "InvalidInput"),
    ] {
        assert_eq!(kit.refusal(&line, body), (400, code.to_owned()), "{body}");
    }
    assert_eq!(kit.refusal("PATCH /api/alerts/none", r#"{"status":"New"}"#).0, 404);
}

#[test]
fn many_alerts_are_changed_without_an_answer() {
    let mut kit = kit();
    let line = "POST /api/alerts/batchUpdate";
    let both = serde_json::json!({"alertIds": [FIRST, SECOND], "status": "InProgress"}).to_string();
    assert_eq!(kit.text(line, &both), (200, String::new()));
    let in_progress = "/api/alerts?$filter=status%20eq%20'InProgress'";
    assert_eq!(kit.ids(in_progress).len(), 2);
    let one_unknown =
        serde_json::json!({"alertIds": [FIRST, "x"], "status": "Resolved"}).to_string();
    assert_eq!(kit.refusal(line, &one_unknown).0, 404);
    assert_eq!(kit.ids(in_progress).len(), 2, "nothing changed");
    assert_eq!(kit.refusal(line, r#"{"status":"New"}"#).1, "MissingRequiredParameter");
}
