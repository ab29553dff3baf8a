//! Alerts that a test raises in the emulated tenant, each in an incident of its own. Called by
//! `scenarios` and `sim`; must never draw or decide anything.

use std::sync::Arc;

use jiff::Timestamp;
use palisade::emulator::Tenant;
use palisade::emulator::tenant::{Alert, Incident};
use palisade::model::{AlertStatus, Classification, Determination, Severity};

/// What differs from one to another.
pub(crate) struct Alarm<'a> {
    pub(crate) id: String,
    pub(crate) title: &'a str,
    pub(crate) severity: Severity,
    /// Rows of the devices that it names.
    pub(crate) machines: Vec<u32>,
    pub(crate) classification: Classification,
    pub(crate) determination: Determination,
}

/// The alert comes up now.
pub(crate) fn raise(tenant: &mut Tenant, alarm: Alarm<'_>, now: Timestamp) {
    let Alarm { id, title, severity, machines, classification, determination } = alarm;
    let incident = u64::try_from(tenant.incidents.len()).unwrap() + 1;
    let detector_id = tenant.guid();
    let row = tenant.add_alert(Alert {
        id: Arc::from(id),
        incident,
        investigation: None,
        investigation_state: None,
        assigned_to: None,
        severity,
        status: AlertStatus::New,
        classification,
        determination,
        detection_source: "WindowsDefenderAtp",
        service_source: "microsoftDefenderForEndpoint",
        detector_id,
        category: "Malware".into(),
        threat_family: None,
        threat_name: None,
        title: Arc::from(title),
        description: "Activity on the device matches behavior seen in attacks.".into(),
        recommended: "Check the process tree.".into(),
        created: now,
        first_event: now,
        last_event: now,
        updated: now,
        resolved: None,
        machines,
        mitre: Vec::new(),
        comments: Vec::new(),
        process: None,
        user: None,
    });
    let (name, alerts) = (Arc::from(title), vec![row]);
    tenant.incidents.push(Incident { id: incident, name, created: now, alerts, severity });
}
