//! Routes, methods, headers, roles, metadata.

use super::*;
use crate::emulator::config::ForbiddenWording;

#[test]
fn headers_are_the_services_own() {
    let mut kit = Kit::new();
    let response = kit.raw("GET /api/machines", "");
    assert_eq!(
        response.headers()["content-type"],
        "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8"
    );
    assert_eq!(response.headers()["odata-version"], "4.0");
}

#[test]
fn unknown_paths_and_wrong_methods() {
    let mut kit = Kit::new();
    for path in
        ["/api/nothing", "/", "/api", "/machines", "/api/v2.0/machines", "/api/machines/a/b/c/d"]
    {
        assert_eq!(kit.refusal(&format!("GET {path}"), ""), (404, "NotFound".to_owned()), "{path}");
    }
    for (line, allow) in [
        ("DELETE /api/machines", "GET"),
        ("POST /api/machineactions", "GET"),
        ("GET /api/machines/x/isolate", "POST"),
        ("PUT /api/alerts/x", "GET, PATCH"),
    ] {
        let response = kit.raw(line, "");
        assert_eq!(response.status(), 405, "{line}");
        assert_eq!(response.headers()["allow"], allow, "{line}");
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        assert!(body["error"]["message"].as_str().unwrap().contains("http method"), "{body}");
    }
}

#[test]
fn the_version_segment_is_optional_and_the_host_is_echoed() {
    let mut kit = Kit::new();
    assert_eq!(kit.ids("/api/v1.0/machines"), kit.ids("/api/machines"));
    let request = Request::get("/api/machines?$top=1")
        .header("host", "127.0.0.1:8400")
        .header("authorization", format!("Bearer {}", kit.token))
        .body(Bytes::new())
        .unwrap();
    let response = kit.emulator.handle(&request, kit.now).response;
    let body: Value = serde_json::from_slice(response.body()).unwrap();
    assert_eq!(body["@odata.context"], "http://127.0.0.1:8400/api/$metadata#Machines");
}

#[test]
fn each_endpoint_wants_its_role() {
    let isolate = format!("POST /api/machines/{PC}/isolate");
    let quarantine = format!("POST /api/machines/{PC}/StopAndQuarantineFile");
    let cancel = "POST /api/machineactions/00000000-0000-4000-8000-000000000000/cancel";
    let patch = format!("PATCH /api/machines/{PC}");
    let comment = r#"{"Comment":"c"}"#;
    let sha1 = r#"{"Comment":"c","Sha1":"87662bc3d60e4200ceaf7aae249d1c343f4b83c9"}"#;
    for (roles, line, body, expected) in [
        (&["Machine.Isolate"][..], isolate.as_str(), comment, 201),
        (&["Machine.Isolate"], "GET /api/machines", "", 403),
        (&["Machine.Isolate"], "GET /api/machineactions", "", 403),
        (&["Machine.Read.All"], "GET /api/machineactions", "", 200),
        (&["Machine.Read.All"], "GET /api/deviceavinfo", "", 200),
        (&["Machine.Read.All"], isolate.as_str(), comment, 403),
        (&["Machine.Read.All"], patch.as_str(), r#"{"deviceValue":"Low"}"#, 403),
        (&["Machine.ReadWrite.All"], patch.as_str(), r#"{"deviceValue":"Low"}"#, 200),
        (&["Machine.StopAndQuarantine"], quarantine.as_str(), sha1, 403),
        (&["Machine.StopAndQuarantine", "Machine.Read.All"], quarantine.as_str(), sha1, 201),
        (&["Machine.Scan"], cancel, "", 404),
        (&["Machine.Read.All"], cancel, "", 403),
        (&["Alert.Read.All"], "GET /api/alerts", "", 200),
        (&["Alert.Read.All"], "PATCH /api/alerts/x", r#"{"status":"New"}"#, 403),
        (&["Score.Read.All"], "GET /api/exposureScore", "", 200),
        (&["Machine.Read.All"], "GET /api/configurationScore", "", 403),
        // The role is looked at before the body.
        (&["Machine.Read.All"], isolate.as_str(), "not json", 403),
    ] {
        let mut kit = Kit::with_roles(roles);
        assert_eq!(kit.json(line, body).0, expected, "{roles:?} {line}");
    }
}

#[test]
fn both_wordings_of_forbidden_and_the_strict_switch() {
    let mut kit = Kit::with_roles(&["Machine.Isolate", "Machine.Read.All"]);
    let line = format!("POST /api/machines/{PC}/runAntiVirusScan");
    let message = |kit: &mut Kit| {
        let (status, body) = kit.json(&line, "{}");
        assert_eq!((status, body["error"]["code"].as_str()), (403, Some("Forbidden")));
        body["error"]["message"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        message(&mut kit),
        "Missing application roles. API required roles: Machine.Scan, application roles: Machine.Isolate,Machine.Read.All."
    );
    kit.behaviour().forbidden = ForbiddenWording::Older;
    assert_eq!(
        message(&mut kit),
        "The application does not have any of the required application permissions (Machine.Scan) to access the resource."
    );
    kit.behaviour().strict_roles = true;
    assert_eq!(kit.refusal("GET /api/machineactions", "").0, 403);
    assert_eq!(kit.json("GET /api/machines", "").0, 200);
}

#[test]
fn the_metadata_document_is_well_formed_and_names_the_sets() {
    let mut kit = Kit::new();
    let response = kit.raw("GET /api/$metadata", "");
    assert_eq!(response.headers()["content-type"], "application/xml");
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    for part in
        ["<EntitySet Name=\"Machines\"", "Name=\"rbacGroupId\" Type=\"Edm.Int32\"", "</edmx:Edmx>"]
    {
        assert!(text.contains(part), "{part}");
    }
    assert_eq!(text.matches("<EntityType ").count(), text.matches("</EntityType>").count());
}
