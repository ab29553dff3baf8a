//! Bodies of the service and the rows they lead to.

use proptest::prelude::*;

use crate::inventory::{AlertRow, Builder, Inventory, What};
use crate::model::{
    ActionKind, ActionStatus, AlertStatus, Classification, Determination, DeviceId, DeviceValue,
    Health, Isolation, Onboarding, Risk, ScanType, Severity,
};
use crate::wire::pages::{self, PageError};

const ID: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";

fn builder() -> Builder {
    Builder::new("contoso", "t", "2026-11-24T12:00:00Z".parse().unwrap())
}

/// The service's own sample, in its property order.
fn machine() -> String {
    format!(
        r#"{{"id":"{ID}","mergedIntoMachineId":null,"isPotentialDuplication":false,"isExcluded":false,
        "exclusionReason":null,"computerDnsName":"till-07.shop.example","firstSeen":"2026-02-11T06:12:44.0173Z",
        "lastSeen":"2026-03-02T21:40:05.684607Z","osPlatform":"Windows11","osVersion":null,"osProcessor":"x64",
        "version":"24H2","lastIpAddress":"10.7.0.41","lastExternalIpAddress":"203.0.113.9",
        "agentVersion":"10.8800.26100.1","osBuild":26100,"healthStatus":"Active","deviceValue":"High",
        "rbacGroupId":14,"rbacGroupName":"Tills","riskScore":"Low","exposureLevel":"Medium","isAadJoined":true,
        "aadDeviceId":null,"machineTags":["pos","ring-2"],"onboardingStatus":"Onboarded","osArchitecture":"64-bit",
        "managedBy":"Intune","managedByStatus":"Unknown","ipAddresses":[{{"ipAddress":"10.7.0.41",
        "macAddress":"02AA5500C0DE","type":"Ethernet","operationalStatus":"Up"}},{{"ipAddress":"fe80::1%eth0"}},
        {{"ipAddress":null}}],"vmMetadata":{{"vmId":"x"}}}}"#
    )
}

fn page_of(rows: &[&str]) -> String {
    let rows = rows.join(",");
    format!(
        r#"{{"@odata.context":"https://api.security.microsoft.com/api/$metadata#Machines","value":[{rows}]}}"#
    )
}

fn read(rows: &[&str]) -> (pages::PageEnd, Inventory) {
    let mut builder = builder();
    let end = pages::machines(page_of(rows).as_bytes(), &mut builder).unwrap();
    (end, builder.build())
}

#[test]
fn a_machine_is_read_whole() {
    let (end, inventory) = read(&[&machine()]);
    assert_eq!((end.rows, end.bad, end.next_link), (1, 0, None));
    assert!(inventory.is_complete());
    let dev = inventory.find(&DeviceId::parse(ID)).unwrap();
    assert_eq!(inventory.name(dev), "till-07.shop.example");
    assert_eq!(inventory.group(dev), "Tills");
    assert_eq!(inventory.tags(dev).collect::<Vec<_>>(), ["pos", "ring-2"]);
    let ips: Vec<String> = inventory.ips(dev).map(|ip| ip.to_string()).collect();
    assert_eq!(ips, ["10.7.0.41", "fe80::1"]);
    assert_eq!(inventory.last_seen(dev), "2026-03-02T21:40:05.684607Z".parse().ok());
    assert_eq!(inventory.health(dev), Health::Active);
    assert_eq!((inventory.risk(dev), inventory.value(dev)), (Risk::Low, DeviceValue::High));
    assert_eq!(inventory.onboarding(dev), Onboarding::Onboarded);
    assert_eq!(inventory.os_build(dev), Some(26_100));
    assert!(inventory.joined(dev));
}

#[test]
fn a_machine_may_say_almost_nothing() {
    let bare = format!(
        r#"{{"id":"{ID}","computerDnsName":null,"lastSeen":"0001-01-01T00:00:00Z","rbacGroupId":"0",
        "rbacGroupName":null,"riskScore":null,"healthStatus":"Confused","machineTags":[],"ipAddresses":null,
        "isAadJoined":null,"lastIpAddress":"","somethingNew":{{"deep":[1,2,{{"x":null}}]}}}}"#
    );
    let (end, inventory) = read(&[&bare]);
    assert_eq!((end.rows, end.bad), (1, 0));
    let dev = inventory.devices().next().unwrap();
    assert_eq!(inventory.last_seen(dev), None);
    assert_eq!(inventory.health(dev), Health::Unknown);
    assert_eq!(inventory.risk(dev), Risk::None);
    assert_eq!(inventory.value(dev), DeviceValue::Normal);
    assert_eq!((inventory.name(dev), inventory.group(dev)), ("", ""));
}

#[test]
fn escapes_in_texts_are_undone() {
    let row = format!(
        r#"{{"id":"{ID}","computerDnsName":"a\u0062\"c","machineTags":["x\ny","\u00fc"],"rb\u0061cGroupName":"G"}}"#
    );
    let (_, inventory) = read(&[&row]);
    let dev = inventory.devices().next().unwrap();
    assert_eq!(inventory.name(dev), "ab\"c");
    assert_eq!(inventory.tags(dev).collect::<Vec<_>>(), ["x\ny", "ü"]);
    assert_eq!(inventory.group(dev), "G");
}

#[test]
fn a_bad_row_is_counted_and_the_others_stay() {
    let other = "1111111111111111111111111111111111111111";
    let bad = [
        "null".to_owned(),
        "17".to_owned(),
        "\"text\"".to_owned(),
        "[1,[2]]".to_owned(),
        "{}".to_owned(),
        r#"{"id":null}"#.to_owned(),
        r#"{"id":""}"#.to_owned(),
        format!(r#"{{"id":{{"x":"{other}"}}}}"#),
        format!(r#"{{"id":"{other}","machineTags":"dc"}}"#),
        format!(r#"{{"id":"{other}","machineTags":["dc",{{"a":1}}]}}"#),
        format!(r#"{{"id":"{other}","deviceValue":3}}"#),
        format!(r#"{{"id":"{other}","lastSeen":"yesterday"}}"#),
        format!(r#"{{"id":"{other}","ipAddresses":["10.0.0.1"]}}"#),
        format!(r#"{{"id":"{other}","rbacGroupId":"many"}}"#),
        format!(r#"{{"id":"{other}","osBuild":1.5}}"#),
    ];
    for row in bad {
        let (end, inventory) = read(&[&row, &machine()]);
        assert_eq!((end.rows, end.bad), (2, 1), "{row}");
        assert_eq!(inventory.len(), 1, "{row}");
        assert!(inventory.is_partial(What::Devices), "{row}");
        let named = row.contains(&format!(r#""id":"{other}""#));
        assert_eq!(!inventory.absent().is_empty(), named, "known by id, so unknown: {row}");
    }
}

#[test]
fn what_is_no_page_is_an_error() {
    let whole = page_of(&[&machine()]);
    for cut in [1, whole.len() / 2, whole.len() - 1] {
        let error = pages::machines(&whole.as_bytes()[..cut], &mut builder()).unwrap_err();
        assert!(matches!(error, PageError::Json(_)), "{cut}: {error}");
    }
    let no_value =
        [r#"{"error":{"code":"","message":"x"}}"#, r#"{"value":null}"#, r#"{"value":{}}"#, "{}"];
    for body in no_value {
        let error = pages::machines(body.as_bytes(), &mut builder()).unwrap_err();
        assert!(matches!(error, PageError::NoValue), "{body}: {error}");
    }
    for body in ["", "[]", "<html>", "null", r#"{"value":[]} x"#, "\"x\""] {
        let error = pages::machines(body.as_bytes(), &mut builder()).unwrap_err();
        assert!(matches!(error, PageError::Json(_)), "{body}: {error}");
    }
    let deep = format!(r#"{{"value":[{{"x":{}"#, "[".repeat(100_000));
    assert!(pages::machines(deep.as_bytes(), &mut builder()).is_err());
}

#[test]
fn the_next_link_is_read_wherever_it_stands() {
    for body in [
        r#"{"@odata.nextLink":"https://x/y?$skip=2","value":[]}"#,
        r#"{"value":[],"@odata.count":3,"@odata.nextLink":"https://x/y?$skip=2"}"#,
    ] {
        let end = pages::machines(body.as_bytes(), &mut builder()).unwrap();
        assert_eq!(end.next_link.as_deref(), Some("https://x/y?$skip=2"));
    }
}

fn action(kind: &str, scope: &str, machine: &str) -> String {
    format!(
        r#"{{"id":"7b3b1e0a","type":"{kind}","title":null,"requestor":"bot","requestorComment":"case \"4711\"",
        "status":"TimeOut","machineId":{machine},"computerDnsName":null,
        "creationDateTimeUtc":"2026-03-02T22:01:10.4401873Z","lastUpdateDateTimeUtc":"2026-03-02T22:01:10.4401881Z",
        "cancellationRequestor":null,"errorHResult":-2147024894,"scope":{scope},"externalId":null,
        "requestSource":"PublicApi","relatedFileInfo":null,"commands":[{{"index":0}}],"troubleshootInfo":null}}"#
    )
}

#[test]
fn who_cancelled_an_action_is_read_as_far_as_it_is_told() {
    let text = action("Isolate", "null", &format!("\"{ID}\""));
    let told = |fields: &str| {
        let text = text.replace("\"cancellationRequestor\":null", fields);
        pages::action(text.as_bytes())
            .unwrap()
            .cancelled
            .map(|it| (it.requestor.to_string(), it.comment.to_string(), it.at.to_string()))
    };
    let at = |by: &str, with: &str, at: &str| Some((by.into(), with.into(), at.into()));
    let updated = "2026-03-02T22:01:10.4401881Z";
    for (fields, expected) in [
        ("\"cancellationRequestor\":null", None),
        ("\"cancellationRequestor\":\"\",\"cancellationDateTimeUtc\":null", None),
        ("\"cancellationRequestor\":\"ana\"", at("ana", "", updated)),
        ("\"cancellationComment\":\"no\"", at("", "no", updated)),
        (
            "\"cancellationRequestor\":\"ana\",\"cancellationComment\":\"no\",\
             \"cancellationDateTimeUtc\":\"2026-03-02T23:00:00Z\"",
            at("ana", "no", "2026-03-02T23:00:00Z"),
        ),
    ] {
        assert_eq!(told(fields), expected, "{fields}");
    }
}

#[test]
fn actions_are_read() {
    let on = format!("\"{ID}\"");
    let row = pages::action(action("isolate", "null", &on).as_bytes()).unwrap();
    assert_eq!(
        (row.kind.clone(), row.status.clone()),
        (ActionKind::Isolate, ActionStatus::TimeOut)
    );
    assert_eq!(&*row.comment, "case \"4711\"");
    assert_eq!(row.isolation, None);
    assert!(row.updated > row.created, "a hundred nanoseconds count");
    let table = [
        ("Isolate", "\"Selective\"", Some(Isolation::Selective), None),
        ("Isolate", "\"Full\"", Some(Isolation::Full), None),
        ("Isolate", "\"Free\"", None, None),
        ("RunAntiVirusScan", "\"Full\"", None, Some(ScanType::Full)),
        ("RunAntiVirusScan", "\"quick\"", None, Some(ScanType::Quick)),
        ("Unisolate", "\"Full\"", None, None),
    ];
    for (kind, scope, isolation, scan) in table {
        let row = pages::action(action(kind, scope, &on).as_bytes()).unwrap();
        assert_eq!((row.isolation, row.scan), (isolation, scan), "{kind} {scope}");
    }
}

#[test]
fn an_action_without_a_machine_matters_only_for_posture() {
    let mut rows = Vec::new();
    let body = page_of(&[
        &action("LiveResponse", "null", "null"),
        &action("Isolate", "null", "null"),
        &action("Isolate", "null", &format!("\"{ID}\"")),
    ]);
    let end = pages::actions(body.as_bytes(), &mut rows).unwrap();
    assert_eq!((end.rows, end.bad, rows.len()), (3, 1, 2));
    assert_eq!(end.missing(What::Actions).unwrap().what, What::Actions);
    let before = rows.clone();
    assert!(pages::actions(&body.as_bytes()[..body.len() - 4], &mut rows).is_err());
    assert_eq!(rows, before, "a page that breaks leaves nothing behind");
    let no_state = format!(
        r#"{{"id":"x","type":"Isolate","machineId":"{ID}","creationDateTimeUtc":"2026-03-02T22:01:10Z"}}"#
    );
    assert!(matches!(pages::action(no_state.as_bytes()), Err(PageError::Entity(_))));
}

#[test]
fn only_completed_scans_have_a_time() {
    let row = |result: &str, time: &str| {
        format!(
            r#"{{"id":"{ID}","machineId":"{ID}","avMode":"0","quickScanResult":{result},"quickScanTime":{time},
            "fullScanResult":"","fullScanTime":null,"avIsSignatureUpToDate":"True","rbacGroupId":0}}"#
        )
    };
    let when = "\"2026-03-02T18:40:15.882Z\"";
    let table = [
        (row("\"Completed\"", when), true),
        (row("\"Canceled\"", when), false),
        (row("\"Failed\"", when), false),
        (row("\"\"", when), false),
        (row("null", when), false),
        (row("\"Completed\"", "\"\""), false),
        (row("\"Completed\"", "\"0001-01-01T00:00:00Z\""), false),
    ];
    for (row, counts) in table {
        let mut builder = builder();
        pages::machine(machine().as_bytes(), &mut builder).unwrap();
        let end = pages::av(page_of(&[&row]).as_bytes(), &mut builder).unwrap();
        assert_eq!((end.rows, end.bad), (1, 0), "{row}");
        let inventory = builder.build();
        let dev = inventory.devices().next().unwrap();
        assert_eq!(inventory.last_scan(dev, ScanType::Quick).is_some(), counts, "{row}");
        assert_eq!(inventory.last_scan(dev, ScanType::Full), None, "{row}");
    }
}

const ALERT: &str = r##"{"@odata.type":"#microsoft.graph.security.alert","id":"da637_-961","incidentId":"28282",
    "status":"inProgress","severity":"low","classification":"unknown","determination":null,
    "serviceSource":"microsoftDefenderForEndpoint","detectionSource":"antivirus","assignedTo":null,
    "title":"Suspicious \"thing\"","category":null,"categories":["Malware","Execution"],
    "mitreTechniques":["T1059","T1003.001"],"createdDateTime":"2026-04-27T12:19:27.7211305Z",
    "lastUpdateDateTime":"2026-04-28T12:19:27Z","additionalData":{"a":[{}]},
    "comments":[{"@odata.type":"x","comment":"later","createdDateTime":"2026-04-28T00:00:00Z"},
                {"comment":"first","createdByDisplayName":"ann","createdDateTime":"2026-04-27T00:00:00Z"},
                {"comment":null}],
    "evidence":[
      {"@odata.type":"#microsoft.graph.security.fileEvidence","mdeDeviceId":"2222222222222222222222222222222222222222","fileDetails":{"sha1":"x"}},
      {"@odata.type":"#microsoft.graph.security.deviceEvidence","mdeDeviceId":"0a1b2c3d4e5f60718293a4b5c6d7e8f901234567","loggedOnUsers":[]},
      {"mdeDeviceId":"0A1B2C3D4E5F60718293A4B5C6D7E8F901234567","@odata.type":"#microsoft.graph.security.deviceEvidence"},
      {"@odata.type":"#microsoft.graph.security.deviceEvidence","mdeDeviceId":null},
      {"@odata.type":"#microsoft.graph.security.aiAgentEvidence","odd":[1,{"x":[]}]},
      {"mdeDeviceId":"3333333333333333333333333333333333333333"}]}"##;

#[test]
fn an_alert_is_read_with_its_device_evidence() {
    let row = pages::alert(ALERT.as_bytes()).unwrap();
    let expected = AlertRow {
        id: "da637_-961".into(),
        title: "Suspicious \"thing\"".into(),
        severity: Severity::Low,
        status: AlertStatus::InProgress,
        classification: Classification::Unknown,
        determination: Determination::Unknown,
        assigned_to: None,
        category: "Malware".into(),
        detection_source: "antivirus".into(),
        service_source: "microsoftDefenderForEndpoint".into(),
        mitre: vec!["T1059".into(), "T1003.001".into()],
        incident: Some("28282".into()),
        created: "2026-04-27T12:19:27.7211305Z".parse().unwrap(),
        updated: "2026-04-28T12:19:27Z".parse().unwrap(),
        devices: vec![DeviceId::parse(ID)],
        comments: vec!["first".into(), "later".into()],
    };
    // A comment without a date stands first; one without text is left out.
    assert_eq!(row, expected);
}

#[test]
fn spellings_of_verdicts_are_one() {
    let verdict = |classification: &str, determination: &str| {
        let body = format!(
            r#"{{"id":"a","createdDateTime":"2026-04-27T12:19:27Z","incidentId":7,
            "classification":{classification},"determination":{determination}}}"#
        );
        let row = pages::alert(body.as_bytes()).unwrap();
        assert_eq!(row.incident, Some("7".into()));
        (row.classification, row.determination)
    };
    use Classification as C;
    use Determination as D;
    let table = [
        ("null", "null", C::Unknown, D::Unknown),
        ("\"unknown\"", "\"unknown\"", C::Unknown, D::Unknown),
        ("\"FalsePositive\"", "\"clean\"", C::FalsePositive, D::NotMalicious),
        ("\"truePositive\"", "\"compromisedUser\"", C::TruePositive, D::CompromisedAccount),
    ];
    for (classification, determination, c, d) in table {
        assert_eq!(verdict(classification, determination), (c, d));
    }
}

#[test]
fn unreadable_alerts_are_counted() {
    let bad = [
        r#"{"id":"a"}"#,
        r#"{"createdDateTime":"2026-04-27T12:19:27Z"}"#,
        r#"{"id":"a","createdDateTime":"2026-04-27T12:19:27Z","evidence":"x"}"#,
        r#"{"id":"a","createdDateTime":"2026-04-27T12:19:27Z","evidence":[7]}"#,
        r##"{"id":"a","createdDateTime":"2026-04-27T12:19:27Z",
            "evidence":[{"@odata.type":"#microsoft.graph.security.deviceEvidence","mdeDeviceId":7}]}"##,
        r#"{"id":"a","createdDateTime":"2026-04-27T12:19:27Z","comments":[{"comment":[]}]}"#,
    ];
    for row in bad {
        let mut rows = Vec::new();
        let end = pages::alerts(page_of(&[row, ALERT]).as_bytes(), &mut rows).unwrap();
        assert_eq!((end.rows, end.bad, rows.len()), (2, 1, 1), "{row}");
    }
}

#[test]
fn posted_comments_are_read_back() {
    let body = r#"{"value":[{"comment":"b","createdDateTime":"2026-01-02T00:00:00Z"},
        {"comment":"a","createdDateTime":"2026-01-01T00:00:00Z"}]}"#;
    let texts = pages::alert_comments(body.as_bytes()).unwrap();
    assert_eq!(texts.iter().map(|text| &**text).collect::<Vec<_>>(), ["a", "b"]);
}

proptest! {
    /// Bytes of any kind, and pages with bytes changed, never make a reader panic.
    #[test]
    fn no_body_makes_a_reader_panic(at in 0usize..2000, byte in any::<u8>(), noise in any::<Vec<u8>>()) {
        let mut bodies = vec![noise];
        for body in [page_of(&[&machine()]), page_of(&[ALERT]), page_of(&[&action("Isolate", "null", "\"x\"")])] {
            let mut body = body.into_bytes();
            let spot = at % body.len();
            body[spot] = byte;
            bodies.push(body);
        }
        for body in bodies {
            let mut builder = builder();
            let _ = pages::machines(&body, &mut builder);
            let _ = pages::av(&body, &mut builder);
            let mut rows = Vec::new();
            let _ = pages::alerts(&body, &mut rows);
            rows.into_iter().for_each(|row| builder.alert(row));
            let mut rows = Vec::new();
            let _ = pages::actions(&body, &mut rows);
            rows.into_iter().for_each(|row| builder.action(row));
            prop_assert!(builder.build().len() <= 2);
        }
    }
}
