//! Machine actions: bytes, orders and their refusals, lists, cancellation.

use super::*;
use crate::emulator::config::{Conflicts, Plan};

fn isolate(kit: &mut Kit, device: &str) -> (u16, Value) {
    kit.json(
        &format!("POST /api/machines/{device}/isolate"),
        r#"{"Comment":"case 4711: beaconing","IsolationType":"Full"}"#,
    )
}

#[test]
fn a_fresh_isolation_is_byte_for_byte_as_documented() {
    let mut kit = Kit::new();
    let (status, body) = kit.text(
        &format!("POST /api/machines/{PC}/isolate"),
        r#"{"Comment":"case 4711: beaconing","IsolationType":"Full"}"#,
    );
    assert_eq!(status, 201);
    let read: Value = serde_json::from_str(&body).unwrap();
    let (id, updated) = (&read["id"], &read["lastUpdateDateTimeUtc"]);
    let expected = format!(
        concat!(
            r#"{{"@odata.context":"https://api.security.microsoft.com/api/$metadata#MachineActions/$entity","#,
            r#""id":{},"type":"Isolate","title":null,"requestor":"containment-bot","#,
            r#""requestorComment":"case 4711: beaconing","status":"Pending","#,
            r#""machineId":"0a1b2c3d4e5f60718293a4b5c6d7e8f901234567","computerDnsName":"till-07.shop.example","#,
            r#""creationDateTimeUtc":"2026-03-02T22:01:10.4401873Z","lastUpdateDateTimeUtc":{},"#,
            r#""cancellationRequestor":null,"cancellationComment":null,"cancellationDateTimeUtc":null,"#,
            r#""errorHResult":0,"scope":null,"externalId":null,"requestSource":"PublicApi","#,
            r#""relatedFileInfo":null,"commands":[],"troubleshootInfo":null}}"#,
        ),
        id, updated
    );
    assert_eq!(body, expected);
    assert_ne!(read["creationDateTimeUtc"], read["lastUpdateDateTimeUtc"]);
    let later = kit.get(&format!("/api/machineactions/{}", id.as_str().unwrap()));
    assert_eq!(later["scope"], "Full", "a later read shows it");
    kit.pass(200);
    let ended = kit.get(&format!("/api/machineactions/{}", id.as_str().unwrap()));
    assert_eq!(ended["status"], "Succeeded");
}

#[test]
fn every_order_is_accepted_where_the_platform_has_it() {
    let cases = [
        ("isolate", r#"{"Comment":"c","IsolationType":"Selective"}"#, "Isolate", 201),
        ("unisolate", r#"{"Comment":"c"}"#, "Unisolate", 201),
        ("restrictCodeExecution", r#"{"Comment":"c"}"#, "RestrictCodeExecution", 201),
        ("unrestrictCodeExecution", r#"{"Comment":"c"}"#, "UnrestrictCodeExecution", 201),
        ("runAntiVirusScan", r#"{"Comment":"c","ScanType":"Quick"}"#, "RunAntiVirusScan", 201),
        ("collectInvestigationPackage", r#"{"Comment":"c"}"#, "CollectInvestigationPackage", 201),
        (
            "StopAndQuarantineFile",
            r#"{"Comment":"c","Sha1":"87662bc3d60e4200ceaf7aae249d1c343f4b83c9"}"#,
            "StopAndQuarantineFile",
            201,
        ),
        ("offboard", r#"{"Comment":"c"}"#, "Offboard", 200),
    ];
    let mut kit = Kit::new();
    for (path, body, kind, status) in cases {
        let (got, action) = kit.json(&format!("POST /api/machines/{PC}/{path}"), body);
        assert_eq!((got, action["type"].as_str()), (status, Some(kind)), "{action}");
    }
    let scan = kit.get("/api/machineactions?$filter=type%20eq%20'RunAntiVirusScan'");
    assert_eq!(scan["value"][0]["scope"], "Quick");
    let file = kit.get("/api/machineactions?$filter=type%20eq%20'StopAndQuarantineFile'");
    assert_eq!(
        file["value"][0]["relatedFileInfo"],
        serde_json::json!({"fileIdentifier": "87662bc3d60e4200ceaf7aae249d1c343f4b83c9", "fileIdentifierType": "Sha1"})
    );
}

#[test]
fn bodies_are_read_to_the_letter() {
    let mut kit = Kit::new();
    for (path, body, code) in [
        ("isolate", "", "MissingRequiredParameter"),
        ("isolate", "{}", "MissingRequiredParameter"),
        ("isolate", r#"{"Comment":"  "}"#, "MissingRequiredParameter"),
        ("isolate", r#"{"Comment":null}"#, "MissingRequiredParameter"),
        ("isolate", r#"{"comment":"c"}"#, "InvalidRequestBody"),
        ("isolate", r#"{"Comment":"c","isolationType":"Full"}"#, "InvalidRequestBody"),
        ("isolate", r#"{"Comment":"c","IsolationType":"Partial"}"#, "InvalidInput"),
        ("isolate", r#"{"Comment":7}"#, "InvalidRequestBody"),
        ("isolate", "not json", "InvalidRequestBody"),
        ("isolate", r#"{"Comment":"c"} trailing"#, "InvalidRequestBody"),
        ("unisolate", r#"{"Comment":"c","IsolationType":"Full"}"#, "InvalidRequestBody"),
        ("runAntiVirusScan", r#"{"Comment":"c"}"#, "MissingRequiredParameter"),
        ("runAntiVirusScan", r#"{"Comment":"c","ScanType":"Deep"}"#, "InvalidInput"),
        ("StopAndQuarantineFile", r#"{"Comment":"c"}"#, "MissingRequiredParameter"),
        ("StopAndQuarantineFile", r#"{"Comment":"c","Sha1":"abc"}"#, "InvalidHashValue"),
    ] {
        let line = format!("POST /api/machines/{PC}/{path}");
        assert_eq!(kit.refusal(&line, body), (400, code.to_owned()), "{path} {body}");
        // The body is looked at before the machine.
        let line = format!("POST /api/machines/9f00/{path}");
        assert_eq!(kit.refusal(&line, body), (400, code.to_owned()), "{path} {body}");
    }
    assert_eq!(isolate(&mut kit, "9f00").0, 404);
    let omitted = kit.json(&format!("POST /api/machines/{PC}/isolate"), r#"{"Comment":"c"}"#);
    assert_eq!(omitted.0, 201, "the type may be omitted");
    assert_eq!(kit.emulator.tenant().actions()[0].scope(), Some("Full"));
}

#[test]
fn the_platform_matrix_holds() {
    let mut kit = Kit::new();
    let selective = r#"{"Comment":"c","IsolationType":"Selective"}"#;
    let contain = r#"{"Comment":"c","IsolationType":"UnManagedDevice"}"#;
    let quick = r#"{"Comment":"c","ScanType":"Quick"}"#;
    let plain = r#"{"Comment":"c"}"#;
    for (device, path, body, expected) in [
        (LX, "isolate", plain, "201"),
        (LX, "isolate", selective, "OsPlatformNotSupported"),
        (LX, "restrictCodeExecution", plain, "OsPlatformNotSupported"),
        (LX, "runAntiVirusScan", quick, "201"),
        (LX, "offboard", plain, "OsPlatformNotSupported"),
        (PHONE, "isolate", plain, "OsPlatformNotSupported"),
        (PHONE, "runAntiVirusScan", quick, "OsPlatformNotSupported"),
        (UNMANAGED, "isolate", plain, "OsPlatformNotSupported"),
        (UNMANAGED, "isolate", contain, "201"),
        (PC, "isolate", contain, "InvalidInput"),
    ] {
        let (status, answer) = kit.json(&format!("POST /api/machines/{device}/{path}"), body);
        let got = if status == 201 { "201" } else { answer["error"]["code"].as_str().unwrap() };
        assert_eq!(got, expected, "{device} {path} {body}");
    }
    // A contained device is released in the one way there is.
    kit.pass(200);
    let line = format!("POST /api/machines/{UNMANAGED}/unisolate");
    assert_eq!(kit.json(&line, plain).0, 201);
}

#[test]
fn releases_and_sensor_versions_matter() {
    let mut kit = Kit::new();
    let plain = r#"{"Comment":"c"}"#;
    let mut order = |platform: &str, version: Option<&str>, agent: Option<&str>, path: &str| {
        let machine = kit.emulator.tenant_mut().machine_mut(0).unwrap();
        machine.platform = platform.into();
        machine.version = version.map(Into::into);
        machine.agent_version = agent.map(Into::into);
        let (status, body) = kit.json(&format!("POST /api/machines/{PC}/{path}"), plain);
        if status == 201 {
            "201".to_owned()
        } else {
            body["error"]["code"].as_str().unwrap().to_owned()
        }
    };
    let unsupported = "OsPlatformNotSupported";
    for (platform, version, agent, path, expected) in [
        ("Windows10", Some("1607"), None, "isolate", unsupported),
        ("Windows10", Some("1703"), None, "isolate", "201"),
        ("Windows10", Some("1703"), None, "restrictCodeExecution", unsupported),
        ("Windows10", Some("22H2"), None, "restrictCodeExecution", "201"),
        ("Windows7", None, None, "isolate", unsupported),
        ("WindowsServer2008R2", None, None, "isolate", unsupported),
        ("WindowsServer2012R2", None, None, "collectInvestigationPackage", "201"),
        ("WindowsServer2016", None, None, "restrictCodeExecution", unsupported),
        ("WindowsServer2022", None, None, "unrestrictCodeExecution", "201"),
        ("macOS", None, Some("101.62.74"), "isolate", "ClientVersionNotSupported"),
        ("macOS", None, Some("101.98.84"), "unisolate", "201"),
        ("Solaris", None, None, "isolate", unsupported),
    ] {
        assert_eq!(
            order(platform, version, agent, path),
            expected,
            "{platform} {version:?} {path}"
        );
    }
}

#[test]
fn plans_lack_actions() {
    let mut kit = Kit::new();
    let restrict = format!("POST /api/machines/{PC}/restrictCodeExecution");
    let quarantine = format!("POST /api/machines/{PC}/StopAndQuarantineFile");
    let sha1 = r#"{"Comment":"c","Sha1":"87662bc3d60e4200ceaf7aae249d1c343f4b83c9"}"#;
    kit.behaviour().plan = Plan::One;
    assert_eq!(kit.refusal(&restrict, r#"{"Comment":"c"}"#), (403, "DisabledFeature".to_owned()));
    assert_eq!(isolate(&mut kit, PC).0, 201);
    kit.behaviour().plan = Plan::Business;
    assert_eq!(kit.refusal(&quarantine, sha1), (403, "DisabledFeature".to_owned()));
    assert_eq!(kit.json(&restrict, r#"{"Comment":"c"}"#).0, 201);
}

#[test]
fn duplicates_are_answered_as_the_switch_says() {
    let mut kit = Kit::new();
    let (_, first) = isolate(&mut kit, PC);
    let (status, again) = isolate(&mut kit, PC);
    assert_eq!((status, &again["id"]), (201, &first["id"]), "the existing action as success");
    kit.behaviour().conflicts = Conflicts::Reject;
    let (status, refused) = isolate(&mut kit, PC);
    assert_eq!(status, 400);
    assert_eq!(refused["error"]["code"], "ActiveRequestAlreadyExists");
    assert_eq!(refused["error"]["message"], "Action is already in progress");
    assert_eq!(kit.emulator.tenant().actions().len(), 1);
}

#[test]
fn the_list_is_newest_first_with_documented_filters() {
    let mut kit = Kit::new();
    let mut ids = Vec::new();
    for device in [PC, LX] {
        ids.push(isolate(&mut kit, device).1["id"].as_str().unwrap().to_owned());
        kit.pass(300);
    }
    let scan = r#"{"Comment":"c","ScanType":"Full"}"#;
    let (_, third) = kit.json(&format!("POST /api/machines/{PC}/runAntiVirusScan"), scan);
    ids.push(third["id"].as_str().unwrap().to_owned());
    let [a, b, c] = ids.as_slice() else { panic!() };
    let created = third["creationDateTimeUtc"].as_str().unwrap();
    for (query, expected) in [
        (String::new(), vec![c, b, a]),
        ("$top=1".to_owned(), vec![c]),
        ("$top=1&$skip=1".to_owned(), vec![b]),
        (format!("$filter=machineId eq '{PC}'"), vec![c, a]),
        (format!("$filter=machineId eq '{PC}' and type eq 'Isolate'"), vec![a]),
        (format!("$filter=machineId eq '{}'", PC.to_uppercase()), vec![]),
        ("$filter=status eq 'Pending'".to_owned(), vec![c]),
        (format!("$filter=id eq '{a}' or id eq '{c}'"), vec![c, a]),
        (format!("$filter=id eq {b}"), vec![b]),
        ("$filter=requestor eq 'containment-bot' and status ne 'Pending'".to_owned(), vec![b, a]),
        (format!("$filter=creationDateTimeUtc ge {created}"), vec![c]),
        (format!("$filter=CreationDateTimeUtc lt {created}"), vec![b, a]),
    ] {
        let path = format!("/api/machineactions?{}", query.replace(' ', "%20"));
        let expected: Vec<String> = expected.into_iter().cloned().collect();
        assert_eq!(kit.ids(&path), expected, "{query}");
    }
    for query in
        ["$filter=requestorComment%20eq%20'x'", "$filter=status%20eq%20'Canceled'", "$stop=2"]
    {
        let line = format!("GET /api/machineactions?{query}");
        assert_eq!(kit.refusal(&line, ""), (400, String::new()), "{query}");
    }
    let unknown = "GET /api/machineactions/00000000-0000-4000-8000-000000000000";
    assert_eq!(kit.refusal(unknown, ""), (404, "ResourceNotFound".to_owned()));
}

#[test]
fn cancelling_fills_in_the_same_action() {
    let mut kit = Kit::new();
    let id = isolate(&mut kit, PC).1["id"].as_str().unwrap().to_owned();
    let line = format!("POST /api/machineactions/{id}/Cancel");
    let (status, body) = kit.json(&line, r#"{"Comment":"mistake"}"#);
    assert_eq!((status, &body["id"]), (200, &Value::from(id.as_str())));
    assert_eq!(body["status"], "Cancelled");
    assert_eq!(body["cancellationRequestor"], "containment-bot");
    assert_eq!(body["cancellationComment"], "mistake");
    assert_eq!(body["cancellationDateTimeUtc"], "2026-03-02T22:01:10.4401873Z");
    assert_eq!(kit.refusal(&line, r#"{"Comment":"again"}"#), (400, "BadRequest".to_owned()));
    assert_eq!(kit.refusal(&line, r#"{"comment":"again"}"#).1, "InvalidRequestBody");
    let nobody = "POST /api/machineactions/00000000-0000-4000-8000-000000000000/cancel";
    assert_eq!(kit.refusal(nobody, "").0, 404);
    let second = isolate(&mut kit, PC).1["id"].as_str().unwrap().to_owned();
    assert_ne!(second, id, "a cancelled action is no conflict");
    let (status, body) = kit.json(&format!("POST /api/machineactions/{second}/cancel"), "");
    assert_eq!((status, &body["cancellationComment"]), (200, &Value::Null), "no comment needed");
}

#[test]
fn the_link_to_a_package_has_quotes_of_its_own() {
    let mut kit = Kit::new();
    let line = format!("POST /api/machines/{PC}/collectInvestigationPackage");
    let id = kit.json(&line, r#"{"Comment":"c"}"#).1["id"].as_str().unwrap().to_owned();
    let link = format!("GET /api/machineactions/{id}/getPackageUri");
    assert_eq!(kit.refusal(&link, "").0, 404, "not before it is there");
    kit.pass(300);
    let (status, body) = kit.json(&link, "");
    assert_eq!(status, 200);
    assert_eq!(body["@odata.context"], format!("{ROOT}/api/$metadata#Edm.String"));
    let inner: String = serde_json::from_str(body["value"].as_str().unwrap()).unwrap();
    assert!(inner.starts_with("https://") && inner.contains(".zip?token="), "{inner}");
}
