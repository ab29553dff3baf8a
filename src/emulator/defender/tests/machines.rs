//! Machines: bytes of a record, lookups, tags, value, PATCH.

use super::*;

#[test]
fn a_record_is_byte_for_byte_as_documented() {
    let mut kit = Kit::new();
    let (status, body) = kit.text(&format!("GET /api/machines/{PC}"), "");
    assert_eq!(status, 200);
    let expected = concat!(
        r#"{"@odata.context":"https://api.security.microsoft.com/api/$metadata#Machines/$entity","#,
        r#""id":"0a1b2c3d4e5f60718293a4b5c6d7e8f901234567","mergedIntoMachineId":null,"#,
        r#""isPotentialDuplication":false,"isExcluded":false,"exclusionReason":null,"#,
        r#""computerDnsName":"till-07.shop.example","firstSeen":"2026-02-11T06:12:44.0173Z","#,
        r#""lastSeen":"2026-03-02T21:40:05.684607Z","osPlatform":"Windows11","osVersion":null,"#,
        r#""osProcessor":"x64","version":"24H2","lastIpAddress":"10.7.0.41","#,
        r#""lastExternalIpAddress":"203.0.113.9","agentVersion":"10.8800.26100.1","osBuild":26100,"#,
        r#""healthStatus":"Active","deviceValue":"Normal","rbacGroupId":0,"rbacGroupName":null,"#,
        r#""riskScore":"Low","exposureLevel":"Medium","isAadJoined":true,"aadDeviceId":null,"#,
        r#""machineTags":["pos","ring-2"],"onboardingStatus":"Onboarded","#,
        r#""osArchitecture":"64-bit","managedBy":"Intune","managedByStatus":"Unknown","#,
        r#""ipAddresses":[{"ipAddress":"10.7.0.41","macAddress":"02AA5500C0DE","type":"Ethernet","operationalStatus":"Up"}],"#,
        r#""vmMetadata":null}"#,
    );
    assert_eq!(body, expected);
}

#[test]
fn a_machine_is_found_by_id_or_name_in_any_case() {
    let mut kit = Kit::new();
    for path in [
        format!("/api/machines/{PC}"),
        format!("/API/v1.0/MACHINES/{}", PC.to_uppercase()),
        "/api/machines/till-07.shop.example".to_owned(),
        "/api/machines/TILL-07.shop.example".to_owned(),
    ] {
        assert_eq!(kit.get(&path)["id"], PC, "{path}: the merged record does not win");
    }
    let (status, body) = kit.json("GET /api/machines/9f00", "");
    assert_eq!(status, 404);
    assert_eq!(body["error"]["code"], "ResourceNotFound");
    assert_eq!(body["error"]["message"], "Machine 9f00 was not found");
    assert_eq!(body["error"]["target"].as_str().unwrap().len(), 36);
}

#[test]
fn merged_records_answer_unless_the_switch_is_set() {
    let mut kit = Kit::new();
    let merged = format!("GET /api/machines/{MERGED}");
    assert_eq!(kit.json(&merged, "").1["mergedIntoMachineId"], PC);
    kit.behaviour().merged_records_are_404 = true;
    assert_eq!(kit.refusal(&merged, ""), (404, "ResourceNotFound".to_owned()));
    assert_eq!(kit.ids("/api/machines").len(), 5, "they stay in the list");
}

#[test]
fn finding_by_tag() {
    let mut kit = Kit::new();
    for (query, expected) in [
        ("tag=pos", vec![PC]),
        ("tag=po", vec![]),
        ("tag=ring&useStartsWithFilter=true", vec![PC]),
        ("tag=ring&useStartsWithFilter=false", vec![]),
        ("TAG=ring-2&$top=1", vec![PC]),
    ] {
        assert_eq!(kit.ids(&format!("/api/machines/findbytag?{query}")), expected, "{query}");
    }
    for (query, code) in [
        ("", "MissingRequiredParameter"),
        ("tag=", "MissingRequiredParameter"),
        ("tag=a&useStartsWithFilter=maybe", "InvalidInput"),
    ] {
        let line = format!("GET /api/machines/findbytag?{query}");
        assert_eq!(kit.refusal(&line, ""), (400, code.to_owned()), "{query}");
    }
}

#[test]
fn finding_by_address() {
    let mut kit = Kit::new();
    for (arguments, expected) in [
        ("ip='10.7.0.41',timestamp=2026-03-02T21:30:00Z", vec![PC]),
        ("ip='10.7.0.41',timestamp=2026-02-11T06:00:00Z", vec![PC]),
        ("ip='10.7.0.41',timestamp=2026-02-11T05:50:00Z", vec![]),
        ("ip='10.7.0.42',timestamp=2026-03-02T21:30:00Z", vec![]),
        ("ip='127.0.0.1',timestamp=2026-03-02T21:30:00Z", vec![]),
    ] {
        let path = format!("/api/machines/findbyip({arguments})");
        assert_eq!(kit.ids(&path), expected, "{arguments}");
    }
    for (arguments, code) in [
        ("ip='10.7.0',timestamp=2026-03-02T21:30:00Z", "InvalidIpAddress"),
        ("ip='10.7.0.41',timestamp=2026-01-02T21:30:00Z", "InvalidInput"),
        ("ip='10.7.0.41',timestamp=2026-03-03T21:30:00Z", "InvalidInput"),
        ("ip='10.7.0.41',timestamp=soon", "InvalidInput"),
        ("ip='10.7.0.41'", "MissingRequiredParameter"),
        ("timestamp=2026-03-02T21:30:00Z", "MissingRequiredParameter"),
    ] {
        let line = format!("GET /api/machines/FindByIp({arguments})");
        assert_eq!(kit.refusal(&line, ""), (400, code.to_owned()), "{arguments}");
    }
    let older = "GET /api/machines/find(timestamp=2026-03-02T21:30:00Z,key=10.7.0.41)";
    assert_eq!(kit.json(older, "").0, 200);
    let none = "GET /api/machines/find(timestamp=2026-03-02T21:30:00Z,key=10.9.9.9)";
    assert_eq!(kit.refusal(none, "").0, 404);
}

#[test]
fn one_tag_is_added_and_removed_as_often_as_one_likes() {
    let mut kit = Kit::new();
    let line = format!("POST /api/machines/{PC}/tags");
    let tags = |kit: &mut Kit, body: &str| kit.json(&line, body).1["machineTags"].clone();
    for _ in 0..2 {
        let added = tags(&mut kit, r#"{"Value":"ir-7781","Action":"Add"}"#);
        assert_eq!(added, serde_json::json!(["pos", "ring-2", "ir-7781"]));
    }
    for _ in 0..2 {
        let removed = tags(&mut kit, r#"{"Value":"pos","Action":"Remove"}"#);
        assert_eq!(removed, serde_json::json!(["ring-2", "ir-7781"]));
    }
    for (body, code) in [
        (r#"{"Value":"x"}"#, "MissingRequiredParameter"),
        (r#"{"Action":"Add"}"#, "MissingRequiredParameter"),
        (r#"{"Value":"x","Action":"Toggle"}"#, "InvalidInput"),
        (r#"{"value":"x","Action":"Add"}"#, "InvalidRequestBody"),
        (r#"{"Value":5,"Action":"Add"}"#, "InvalidRequestBody"),
        ("[]", "InvalidRequestBody"),
        ("{", "InvalidRequestBody"),
    ] {
        assert_eq!(kit.refusal(&line, body), (400, code.to_owned()), "{body}");
    }
    let nobody = "POST /api/machines/9f00/tags";
    assert_eq!(kit.refusal(nobody, r#"{"Value":"x","Action":"Add"}"#).0, 404);
}

#[test]
fn many_machines_get_a_tag_at_once_or_none_does() {
    let mut kit = Kit::new();
    let line = "POST /api/machines/AddOrRemoveTagForMultipleMachines";
    let body = |ids: &[String]| {
        serde_json::json!({"Value": "t", "Action": "Add", "MachineIds": ids}).to_string()
    };
    let (status, changed) = kit.json(line, &body(&[PC.to_owned(), LX.to_owned()]));
    assert_eq!(status, 200);
    assert_eq!(changed["value"][1]["machineTags"], serde_json::json!(["t"]));
    let unknown = body(&[UNMANAGED.to_owned(), "9f00".to_owned()]);
    assert_eq!(kit.refusal(line, &unknown).0, 404);
    assert_eq!(
        kit.get(&format!("/api/machines/{UNMANAGED}"))["machineTags"],
        serde_json::json!([])
    );
    let many: Vec<String> = (0..501).map(|_| PC.to_owned()).collect();
    let (status, refused) = kit.json(line, &body(&many));
    assert_eq!(
        (status, refused["error"]["code"].as_str()),
        (400, Some("MaximumBatchSizeExceeded"))
    );
    let message = refused["error"]["message"].as_str().unwrap();
    assert!(message.contains("501") && message.contains("500"), "{message}");
    assert_eq!(kit.json(line, &body(&many[..500])).0, 200);
    assert_eq!(kit.refusal(line, &body(&[])).1, "MissingRequiredParameter");
}

#[test]
fn patch_replaces_tags_and_refuses_an_empty_set() {
    let mut kit = Kit::new();
    let line = format!("PATCH /api/machines/{PC}");
    let (status, body) = kit.json(&line, r#"{"machineTags":["a","b","a"],"deviceValue":"High"}"#);
    assert_eq!((status, &body["machineTags"]), (200, &serde_json::json!(["a", "b"])));
    assert_eq!(body["deviceValue"], "High");
    for text in [r#"{"machineTags":[]}"#, "{}", "", r#"{"MachineTags":["x"]}"#, r#"{"tags":["x"]}"#]
    {
        let (status, body) = kit.json(&line, text);
        assert_eq!(status, 400, "{text}");
        assert_eq!(body["error"]["code"], "InvalidRequestBody", "{text}");
        assert_eq!(
            body["error"]["message"],
            "Currently supporting only update of: 'tags' and 'deviceValue'"
        );
    }
    assert_eq!(kit.refusal(&line, r#"{"deviceValue":"Huge"}"#).1, "InvalidInput");
    assert_eq!(
        kit.get(&format!("/api/machines/{PC}"))["machineTags"],
        serde_json::json!(["a", "b"])
    );
}

#[test]
fn the_device_value_is_set() {
    let mut kit = Kit::new();
    let line = format!("POST /api/machines/{PC}/setDeviceValue");
    assert_eq!(kit.json(&line, r#"{"DeviceValue":"Low"}"#).1["deviceValue"], "Low");
    assert_eq!(kit.refusal(&line, r#"{"deviceValue":"Low"}"#).1, "InvalidRequestBody");
    assert_eq!(kit.refusal(&line, "{}").1, "MissingRequiredParameter");
    assert_eq!(kit.refusal(&line, r#"{"DeviceValue":"None"}"#).1, "InvalidInput");
}
