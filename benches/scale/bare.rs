//! What any typed client would do with the same pages: derived structs, nothing kept twice, nothing
//! looked up. `owned` is the baseline of all ratios; `borrowed` converts and keeps nothing.
#![expect(dead_code, reason = "fields are parsed to be paid for, not to be read")]

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::bodies::Bodies;

#[derive(Deserialize)]
struct Page<T> {
    value: Vec<T>,
}

/// Everything, owned.
pub(crate) struct Owned {
    machines: Vec<Machine>,
    actions: Vec<Action>,
    av: Vec<Av>,
    alerts: Vec<Alert>,
}

pub(crate) fn owned(bodies: &Bodies) -> Owned {
    fn all<T: DeserializeOwned>(pages: &[Vec<u8>]) -> Vec<T> {
        let mut rows = Vec::new();
        for page in pages {
            rows.extend(serde_json::from_slice::<Page<T>>(page).unwrap().value);
        }
        rows
    }
    Owned {
        machines: all(&bodies.machines),
        actions: all(&bodies.actions),
        av: all(&bodies.av),
        alerts: all(&bodies.alerts),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Machine {
    id: String,
    merged_into_machine_id: Option<String>,
    is_potential_duplication: bool,
    computer_dns_name: Option<String>,
    first_seen: Timestamp,
    last_seen: Timestamp,
    os_platform: String,
    version: Option<String>,
    last_ip_address: Option<String>,
    agent_version: Option<String>,
    os_build: Option<i64>,
    health_status: String,
    device_value: Option<String>,
    rbac_group_id: i64,
    rbac_group_name: Option<String>,
    risk_score: Option<String>,
    exposure_level: Option<String>,
    is_aad_joined: Option<bool>,
    machine_tags: Vec<String>,
    defender_av_status: Option<String>,
    onboarding_status: String,
    managed_by: Option<String>,
    ip_addresses: Vec<Address>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Address {
    ip_address: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    requestor: String,
    requestor_comment: String,
    status: String,
    machine_id: Option<String>,
    creation_date_time_utc: Timestamp,
    last_update_date_time_utc: Timestamp,
    scope: Option<String>,
    request_source: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Av {
    machine_id: String,
    quick_scan_result: Option<String>,
    quick_scan_time: Option<Timestamp>,
    full_scan_result: Option<String>,
    full_scan_time: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    id: String,
    incident_id: Option<String>,
    status: String,
    severity: String,
    classification: Option<String>,
    determination: Option<String>,
    service_source: String,
    detection_source: Option<String>,
    assigned_to: Option<String>,
    title: Option<String>,
    category: Option<String>,
    mitre_techniques: Vec<String>,
    created_date_time: Timestamp,
    last_update_date_time: Timestamp,
    comments: Vec<Comment>,
    evidence: Vec<Evidence>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Comment {
    comment: Option<String>,
}

#[derive(Deserialize)]
struct Evidence {
    #[serde(rename = "@odata.type")]
    kind: String,
    #[serde(rename = "mdeDeviceId")]
    device: Option<String>,
}

/// Machines as texts that point into the pages: as little as a parser can do.
pub(crate) fn borrowed(bodies: &Bodies) -> usize {
    let machines = bodies
        .machines
        .iter()
        .map(|page| serde_json::from_slice::<Page<BorrowedMachine<'_>>>(page).unwrap().value.len());
    let actions = bodies
        .actions
        .iter()
        .map(|page| serde_json::from_slice::<Page<BorrowedAction<'_>>>(page).unwrap().value.len());
    let av = bodies
        .av
        .iter()
        .map(|page| serde_json::from_slice::<Page<BorrowedAv<'_>>>(page).unwrap().value.len());
    let alerts = bodies
        .alerts
        .iter()
        .map(|page| serde_json::from_slice::<Page<BorrowedAlert<'_>>>(page).unwrap().value.len());
    machines.sum::<usize>() + actions.sum::<usize>() + av.sum::<usize>() + alerts.sum::<usize>()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BorrowedMachine<'a> {
    id: &'a str,
    merged_into_machine_id: Option<&'a str>,
    is_potential_duplication: bool,
    #[serde(borrow)]
    computer_dns_name: Option<Cow<'a, str>>,
    first_seen: &'a str,
    last_seen: &'a str,
    os_platform: &'a str,
    version: Option<&'a str>,
    last_ip_address: Option<&'a str>,
    agent_version: Option<&'a str>,
    os_build: Option<i64>,
    health_status: &'a str,
    device_value: Option<&'a str>,
    rbac_group_id: i64,
    rbac_group_name: Option<&'a str>,
    risk_score: Option<&'a str>,
    exposure_level: Option<&'a str>,
    is_aad_joined: Option<bool>,
    #[serde(borrow)]
    machine_tags: Vec<&'a str>,
    defender_av_status: Option<&'a str>,
    onboarding_status: &'a str,
    managed_by: Option<&'a str>,
    #[serde(borrow)]
    ip_addresses: Vec<BorrowedAddress<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BorrowedAddress<'a> {
    ip_address: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BorrowedAction<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    requestor: &'a str,
    requestor_comment: &'a str,
    status: &'a str,
    machine_id: Option<&'a str>,
    creation_date_time_utc: &'a str,
    last_update_date_time_utc: &'a str,
    scope: Option<&'a str>,
    request_source: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BorrowedAv<'a> {
    machine_id: &'a str,
    quick_scan_result: Option<&'a str>,
    quick_scan_time: Option<&'a str>,
    full_scan_result: Option<&'a str>,
    full_scan_time: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BorrowedAlert<'a> {
    id: &'a str,
    incident_id: Option<&'a str>,
    status: &'a str,
    severity: &'a str,
    title: Option<&'a str>,
    created_date_time: &'a str,
    #[serde(borrow)]
    evidence: Vec<BorrowedEvidence<'a>>,
}

#[derive(Deserialize)]
struct BorrowedEvidence<'a> {
    #[serde(rename = "@odata.type")]
    kind: &'a str,
    #[serde(rename = "mdeDeviceId")]
    device: Option<&'a str>,
}
