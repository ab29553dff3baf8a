//! Lists: filters, paging, links, antivirus health, scores, speed.

use super::*;
use crate::emulator::config::NextLinks;

#[test]
fn machines_are_filtered_by_documented_properties_only() {
    let mut kit = Kit::new();
    for (filter, expected) in [
        ("computerDnsName eq 'lx1.contoso.example'", vec![LX]),
        ("startswith(computerDnsName,'till')", vec![PC, MERGED]),
        ("id eq '1111111111111111111111111111111111111111'", vec![LX]),
        ("healthStatus eq 'Active' and osPlatform eq 'Linux'", vec![LX]),
        ("rbacGroupId eq 12", vec![LX]),
        // The phone has reported once more since the record was made: every 24 hours.
        ("lastSeen gt 2026-03-02Z", vec![PC, LX, PHONE]),
        ("LastSeen+ge+2026-03-01T08:00:00Z", vec![PC, LX, PHONE]),
        ("onboardingStatus eq 'canbeonboarded'", vec![UNMANAGED]),
        ("machineTags/any(t: t eq 'pos')", vec![PC]),
        ("riskScore eq null", vec![UNMANAGED]),
        ("computerDnsName eq null", vec![UNMANAGED]),
        ("lastIpAddress eq '10.7.0.41'", vec![PC]),
        ("deviceValue ne 'Normal'", vec![]),
        ("id in ('3333333333333333333333333333333333333333','x')", vec![PHONE]),
    ] {
        let filter = filter.replace(' ', "%20");
        assert_eq!(kit.ids(&format!("/api/machines?$filter={filter}")), expected, "{filter}");
    }
    for query in [
        "$filter=rbacGroupName%20eq%20'EMEA-Servers'",
        "$filter=colour%20eq%20'x'",
        "$filter=lastSeen%20gt%20'2026-03-02'",
        "$filter=id%20eq",
        "$stop=5",
        "$orderby=lastSeen",
        "$select=id",
        "$expand=alerts",
        "$top=10001",
        "$top=-1",
        "$skip=x",
        "$count=maybe",
    ] {
        let (status, body) = kit.text(&format!("GET /api/machines?{query}"), "");
        assert_eq!(status, 400, "{query}");
        let start =
            r#"{"error":{"code":"","message":"The query specified in the URI is not valid. "#;
        assert!(body.starts_with(start), "{body}");
        assert!(body.ends_with(r#"","details":[]}}"#), "{body}");
    }
}

#[test]
fn top_and_skip_page_without_a_link() {
    let mut kit = Kit::new();
    let all = kit.ids("/api/machines");
    assert_eq!(all, [PC, LX, UNMANAGED, PHONE, MERGED]);
    let page = kit.get("/api/machines?$top=2&$skip=1");
    assert_eq!(page["value"][0]["id"], LX);
    assert_eq!(page["value"].as_array().unwrap().len(), 2);
    assert!(page.get("@odata.nextLink").is_none());
    assert_eq!(kit.ids("/api/machines?$top=0").len(), 0);
    assert_eq!(kit.ids("/api/machines?$skip=99").len(), 0);
    assert_eq!(kit.get("/api/machines?$top=1&$count=true")["@odata.count"], 5);
}

#[test]
fn a_service_with_smaller_pages_gives_fewer_rows_than_asked_for_and_no_link() {
    let mut kit = Kit::new();
    kit.behaviour().most_rows = 2;
    let page = kit.get("/api/machines?$top=10000&$skip=1");
    assert_eq!(page["value"].as_array().unwrap().len(), 2);
    assert!(page.get("@odata.nextLink").is_none());
    assert_eq!(kit.ids("/api/machines?$top=1").len(), 1);
    assert_eq!(kit.ids("/api/machines"), [PC, LX, UNMANAGED, PHONE, MERGED]);
}

#[test]
fn links_lead_through_all_rows_with_the_filter_kept() {
    let mut kit = Kit::new();
    kit.behaviour().page_size = 2;
    let mut path =
        "/api/machines?$filter=healthStatus%20ne%20'Inactive'%20and%20id%20ne%20'a%26b'".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = kit.get(&path);
        assert_eq!(page.as_object().unwrap().keys().next().unwrap(), "@odata.context");
        seen.extend(page["value"].as_array().unwrap().iter().map(|row| row["id"].clone()));
        let Some(link) = page.get("@odata.nextLink") else { break };
        path = link.as_str().unwrap().strip_prefix(ROOT).unwrap().to_owned();
    }
    assert_eq!(seen, [PC, LX, UNMANAGED, PHONE]);
}

#[test]
fn broken_and_missing_links() {
    let mut kit = Kit::new();
    kit.behaviour().page_size = 2;
    kit.behaviour().next_links = NextLinks::Never;
    assert!(kit.get("/api/machines").get("@odata.nextLink").is_none());
    kit.behaviour().next_links = NextLinks::Broken;
    let first = kit.get("/api/machines?$filter=id%20ne%20'x'");
    let link = first["@odata.nextLink"].as_str().unwrap().to_owned();
    assert!(link.contains("$filter="), "the first hop is sound: {link}");
    let second = kit.get(link.strip_prefix(ROOT).unwrap());
    let link = second["@odata.nextLink"].as_str().unwrap().to_owned();
    assert!(link.contains("?=id%20ne%20%27x%27&"), "the name is gone: {link}");
    let third = kit.get(link.strip_prefix(ROOT).unwrap());
    let again = third["@odata.nextLink"].as_str().unwrap();
    assert!(again.ends_with("$skip=2"), "and the walk stands still: {again}");
}

#[test]
fn an_empty_machine_list_may_be_a_404() {
    let mut kit = Kit::new();
    let line = "GET /api/machines?$filter=id%20eq%20'x'";
    assert_eq!(kit.json(line, "").0, 200);
    kit.behaviour().empty_machines_are_404 = true;
    assert_eq!(kit.refusal(line, ""), (404, "ResourceNotFound".to_owned()));
}

#[test]
fn devices_beyond_the_retention_are_gone() {
    let mut kit = Kit::new();
    kit.pass(140 * 86_400);
    assert!(kit.ids("/api/machines").contains(&UNMANAGED.to_owned()));
    kit.pass(45 * 86_400);
    let left = kit.ids("/api/machines");
    assert_eq!(left, [PC, LX, PHONE], "online ones keep reporting");
}

#[test]
fn antivirus_health_is_byte_for_byte_as_documented_and_pages_by_twenty() {
    let mut kit = Kit::new();
    let (status, body) = kit.text("GET /api/deviceavinfo?$filter=osKind%20eq%20'linux'", "");
    assert_eq!(status, 200);
    let expected = concat!(
        r#"{"@odata.context":"https://api.security.microsoft.com/api/$metadata#DeviceAvInfo","value":[{"#,
        r#""id":"1111111111111111111111111111111111111111","machineId":"1111111111111111111111111111111111111111","#,
        r#""computerDnsName":"lx1.contoso.example","osKind":"linux","osPlatform":"Linux","osVersion":null,"#,
        r#""avMode":"0","avSignatureVersion":"1.441.36.0","avEngineVersion":"1.1.25080.2000","#,
        r#""avPlatformVersion":"101.25072.0003","lastSeenTime":"2026-03-02T08:00:00Z","#,
        r#""quickScanResult":"","quickScanError":"","quickScanTime":null,"#,
        r#""fullScanResult":"","fullScanError":"","fullScanTime":null,"#,
        r#""avIsSignatureUpToDate":"True","avIsEngineUpToDate":"True","avIsPlatformUpToDate":"True","#,
        r#""dataRefreshTimestamp":"2026-03-02T08:00:00Z","avEngineUpdateTime":"2026-02-18T08:00:00Z","#,
        r#""avSignatureUpdateTime":"2026-03-02T08:00:00Z","avPlatformUpdateTime":"2026-02-10T08:00:00Z","#,
        r#""avSignaturePublishTime":"2026-03-02T08:00:00Z","rbacGroupId":12,"rbacGroupName":"EMEA-Servers"}]}"#,
    );
    assert_eq!(body, expected);
    let now = kit.now;
    for row in 0..60_u8 {
        let machine = Machine::plain(MachineId([row + 100; 20]), "many", "Windows11", now);
        kit.emulator.tenant_mut().add_machine(machine);
    }
    let first = kit.get("/api/deviceavinfo");
    assert_eq!(first["value"].as_array().unwrap().len(), 20);
    assert!(first["@odata.nextLink"].as_str().unwrap().ends_with("/api/deviceavinfo?$skip=20"));
    assert_eq!(kit.ids("/api/deviceavinfo?$top=10000").len(), 63, "neither phone nor unmanaged");
    assert_eq!(
        kit.refusal("GET /api/deviceavinfo?$filter=id%20eq%20'x'", ""),
        (400, String::new())
    );
    let group = "GET /api/deviceavinfo?$filter=rbacGroupName%20eq%20'x'";
    assert_eq!(kit.refusal(group, ""), (400, String::new()));
}

#[test]
fn scores_carry_the_time_of_the_call() {
    let mut kit = Kit::new();
    let (_, text) = kit.text("GET /api/exposureScore", "");
    assert_eq!(
        text,
        concat!(
            r#"{"@odata.context":"https://api.security.microsoft.com/api/$metadata#ExposureScore/$entity","#,
            r#""time":"2026-03-02T22:01:10.4401873Z","score":30.0}"#
        )
    );
    let groups = kit.get("/api/exposureScore/ByMachineGroups");
    let expected = serde_json::json!([
        {"time": "2026-03-02T22:01:10.4401873Z", "score": 20.0, "rbacGroupName": "EMEA-Servers"}
    ]);
    assert_eq!(groups["value"], expected);
    assert!(kit.get("/api/configurationScore")["score"].is_f64());
}

#[test]
fn a_large_fleet_is_walked_in_time_that_grows_with_its_size_only() {
    let mut kit = Kit::new();
    let now = kit.now;
    for row in 0..40_000_u32 {
        let mut id = [9; 20];
        id[..4].copy_from_slice(&row.to_be_bytes());
        let machine = Machine::plain(MachineId(id), "many.contoso.example", "Windows11", now);
        kit.emulator.tenant_mut().add_machine(machine);
    }
    let started = std::time::Instant::now();
    for page in 0..5 {
        let rows = kit.ids(&format!("/api/machines?$top=10000&$skip={}", page * 10_000)).len();
        assert_eq!(rows, if page < 4 { 10_000 } else { 5 });
    }
    // A quadratic walk takes minutes here; a linear one well under a second when optimized.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
