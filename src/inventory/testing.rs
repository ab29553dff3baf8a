//! Rows for unit tests: plain ones, to be changed where a test cares.

use std::sync::Arc;

use jiff::Timestamp;

use crate::inventory::{ActionRow, AlertRow, Builder, DeviceRow, Inventory};
use crate::model::{
    ActionKind, ActionStatus, AlertStatus, AvStatus, Classification, Determination, DeviceId,
    DeviceValue, Exposure, Health, Onboarding, Risk, Severity,
};

/// When the observations of tests are made.
pub(crate) const NOW: &str = "2026-11-24T12:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn id(number: u32) -> DeviceId {
    DeviceId::parse(&format!("{:08x}{number:032x}", number.wrapping_mul(0x9e37_79b9)))
}

/// An onboarded, active Windows device that reported an hour ago.
pub(crate) fn device<'a>(number: u32, name: &'a str) -> DeviceRow<'a> {
    DeviceRow {
        id: id(number),
        name,
        merged_into: None,
        potential_duplicate: false,
        platform: "Windows11",
        version: "24H2",
        os_build: Some(26_100),
        agent_version: "10.8800.26100.1",
        group_id: 0,
        group: "",
        tags: Vec::new(),
        health: Health::Active,
        risk: Risk::None,
        exposure: Exposure::None,
        value: DeviceValue::Normal,
        onboarding: Onboarding::Onboarded,
        av_status: AvStatus::Updated,
        joined: true,
        managed_by: "Intune",
        first_seen: None,
        last_seen: Some(at("2026-11-24T11:00:00Z")),
        ips: Vec::new(),
    }
}

/// A succeeded API action of nobody in particular.
pub(crate) fn action(number: u32, device: u32, kind: ActionKind, created: &str) -> ActionRow {
    ActionRow {
        id: format!("a{number:04}").into(),
        device: id(device),
        kind,
        status: ActionStatus::Succeeded,
        requestor: Arc::from("analyst@contoso.example"),
        comment: Arc::from("case 4711"),
        source: Arc::from("PublicApi"),
        created: at(created),
        updated: at(created),
        isolation: None,
        scan: None,
        cancelled: None,
    }
}

/// A new alert of medium severity.
pub(crate) fn alert(number: u32, title: &str, devices: &[u32]) -> AlertRow {
    AlertRow {
        id: format!("da{number:04}_1").into(),
        title: Arc::from(title),
        severity: Severity::Medium,
        status: AlertStatus::New,
        classification: Classification::Unknown,
        determination: Determination::Unknown,
        assigned_to: None,
        category: Arc::from("Execution"),
        detection_source: Arc::from("antivirus"),
        service_source: Arc::from("microsoftDefenderForEndpoint"),
        mitre: Vec::new(),
        incident: None,
        created: at("2026-11-24T10:00:00Z"),
        updated: at("2026-11-24T10:00:00Z"),
        devices: devices.iter().map(|number| id(*number)).collect(),
        comments: Vec::new(),
    }
}

pub(crate) fn builder() -> Builder {
    Builder::new("contoso", "11111111-2222-3333-4444-555555555555", at(NOW))
}

/// An observation of these devices and actions.
pub(crate) fn observe(devices: Vec<DeviceRow<'_>>, actions: Vec<ActionRow>) -> Inventory {
    let mut builder = builder();
    devices.into_iter().for_each(|row| builder.device(row));
    actions.into_iter().for_each(|row| builder.action(row));
    builder.build()
}
