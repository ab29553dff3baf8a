//! A small fleet with history, built in a few words.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::inventory::{ActionRow, AlertRow, AvRow, Builder, DeviceRow, Inventory, Missing, What};
use crate::model::{
    ActionKind, ActionStatus, AlertStatus, AvStatus, ChangeId, Classification, Determination,
    DeviceId, DeviceValue, Exposure, Health, Isolation, Marker, Onboarding, Risk, ScanType,
    Severity, Span,
};

pub(in crate::plan) const NOW: &str = "2026-11-23T10:00:00Z";
pub(in crate::plan) const TENANT: &str = "contoso";
pub(in crate::plan) const TENANT_ID: &str = "11111111-2222-3333-4444-555555555555";
pub(in crate::plan) const WORKSPACE: &str = "contoso-soc";

pub(in crate::plan) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(in crate::plan) fn now() -> Timestamp {
    at(NOW)
}

/// So many hours before `NOW`.
pub(in crate::plan) fn ago(hours: u64) -> Timestamp {
    Span::from_hours(hours).before(now())
}

/// A device; changed field by field where a test needs it.
#[derive(Clone, Debug)]
pub(in crate::plan) struct Machine {
    pub(in crate::plan) name: String,
    pub(in crate::plan) group: String,
    pub(in crate::plan) platform: String,
    pub(in crate::plan) version: String,
    pub(in crate::plan) tags: Vec<String>,
    pub(in crate::plan) health: Health,
    pub(in crate::plan) value: DeviceValue,
    pub(in crate::plan) risk: Risk,
    pub(in crate::plan) agent_version: String,
    pub(in crate::plan) onboarding: Onboarding,
    pub(in crate::plan) last_seen: Timestamp,
    pub(in crate::plan) ips: Vec<IpAddr>,
    /// The name of the record that this one was merged into.
    pub(in crate::plan) merged_into: Option<&'static str>,
}

impl Machine {
    pub(in crate::plan) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            group: "Workstations".to_owned(),
            platform: "Windows11".to_owned(),
            version: "24H2".to_owned(),
            tags: Vec::new(),
            health: Health::Active,
            value: DeviceValue::Normal,
            risk: Risk::None,
            agent_version: "10.8700".to_owned(),
            onboarding: Onboarding::Onboarded,
            last_seen: ago(1),
            ips: Vec::new(),
            merged_into: None,
        }
    }
    pub(in crate::plan) fn tag(mut self, tag: &str) -> Self {
        self.tags.push(tag.to_owned());
        self
    }
    pub(in crate::plan) fn group(mut self, group: &str) -> Self {
        self.group = group.to_owned();
        self
    }
    pub(in crate::plan) fn platform(mut self, platform: &str) -> Self {
        self.platform = platform.to_owned();
        self
    }
    pub(in crate::plan) fn id(&self) -> DeviceId {
        device_id(&self.name)
    }
}

/// The id of a device, made from its name.
pub(in crate::plan) fn device_id(name: &str) -> DeviceId {
    let digest = ring::digest::digest(&ring::digest::SHA1_FOR_LEGACY_USE_ONLY, name.as_bytes());
    DeviceId::parse(&crate::plan::canonical::hex(digest.as_ref()))
}

/// A fleet; `build` makes the inventory.
#[derive(Clone, Debug, Default)]
pub(in crate::plan) struct Fleet {
    pub(in crate::plan) machines: Vec<Machine>,
    pub(in crate::plan) actions: Vec<ActionRow>,
    pub(in crate::plan) alerts: Vec<AlertRow>,
    pub(in crate::plan) scans: Vec<(String, ScanType, Timestamp)>,
    pub(in crate::plan) missing: Vec<What>,
    pub(in crate::plan) named: Vec<String>,
}

impl Fleet {
    pub(in crate::plan) fn of(machines: impl IntoIterator<Item = Machine>) -> Self {
        Self { machines: machines.into_iter().collect(), ..Self::default() }
    }

    /// An action by an analyst, ended half an hour after it was created unless it is in flight.
    pub(in crate::plan) fn by_hand(
        self,
        name: &str,
        kind: ActionKind,
        status: ActionStatus,
        created: Timestamp,
    ) -> Self {
        self.action(name, kind, status, created, "typed by hand", "ana@contoso.example")
    }

    /// An action of a policy of ours.
    pub(in crate::plan) fn by_us(
        self,
        name: &str,
        kind: ActionKind,
        status: ActionStatus,
        created: Timestamp,
        policy: &str,
    ) -> Self {
        let comment = marked(WORKSPACE, policy);
        self.action(name, kind, status, created, &comment, "palisade")
    }

    pub(in crate::plan) fn action(
        mut self,
        name: &str,
        kind: ActionKind,
        status: ActionStatus,
        created: Timestamp,
        comment: &str,
        requestor: &str,
    ) -> Self {
        let updated =
            if status.is_terminal() { Span::from_secs(60).after(created) } else { created };
        let number = self.actions.len();
        self.actions.push(ActionRow {
            id: format!("action-{number:05}").into(),
            device: device_id(name),
            isolation: (kind == ActionKind::Isolate).then_some(Isolation::Full),
            scan: None,
            cancelled: None,
            kind,
            status,
            requestor: Arc::from(requestor),
            comment: Arc::from(comment),
            source: Arc::from("PublicApi"),
            created,
            updated,
        });
        self
    }

    /// Changes the action added last.
    pub(in crate::plan) fn last_action(mut self, change: impl FnOnce(&mut ActionRow)) -> Self {
        change(self.actions.last_mut().unwrap());
        self
    }

    pub(in crate::plan) fn alert(mut self, row: AlertRow) -> Self {
        self.alerts.push(row);
        self
    }

    pub(in crate::plan) fn scanned(mut self, name: &str, scan: ScanType, when: Timestamp) -> Self {
        self.scans.push((name.to_owned(), scan, when));
        self
    }

    pub(in crate::plan) fn lacks(mut self, what: What) -> Self {
        self.missing.push(what);
        self
    }

    pub(in crate::plan) fn build(&self) -> Inventory {
        self.build_at(now())
    }

    /// As it is read at another time.
    pub(in crate::plan) fn build_at(&self, read: Timestamp) -> Inventory {
        let mut builder = Builder::new(TENANT, TENANT_ID, read);
        for machine in &self.machines {
            builder.device(row(machine));
        }
        for action in &self.actions {
            builder.action(action.clone());
        }
        for (name, scan, when) in &self.scans {
            let (quick, full) = match scan {
                ScanType::Quick => (Some(*when), None),
                ScanType::Full => (None, Some(*when)),
            };
            builder.av(AvRow { device: device_id(name), quick_scan: quick, full_scan: full });
        }
        for alert in &self.alerts {
            builder.alert(alert.clone());
        }
        for what in &self.missing {
            builder.missing(Missing { what: *what, why: Arc::from("page 2: status 500") });
        }
        for name in &self.named {
            builder.note_named_device(&device_id(name));
        }
        builder.build()
    }
}

fn row(machine: &Machine) -> DeviceRow<'_> {
    DeviceRow {
        id: machine.id(),
        name: &machine.name,
        merged_into: machine.merged_into.map(device_id),
        potential_duplicate: false,
        platform: &machine.platform,
        version: &machine.version,
        os_build: None,
        agent_version: &machine.agent_version,
        group_id: 1,
        group: &machine.group,
        tags: machine.tags.iter().map(String::as_str).collect(),
        health: machine.health,
        risk: machine.risk,
        exposure: Exposure::Low,
        value: machine.value,
        onboarding: machine.onboarding,
        av_status: AvStatus::Updated,
        joined: true,
        managed_by: "Intune",
        first_seen: Some(ago(9_000)),
        last_seen: Some(machine.last_seen),
        ips: machine.ips.clone(),
    }
}

/// A comment with the marker of a policy.
pub(in crate::plan) fn marked(workspace: &str, policy: &str) -> String {
    let marker = Marker {
        workspace: workspace.into(),
        policy: policy.into(),
        change: ChangeId::from("0123456789ab"),
        until: None,
    };
    marker.comment("for a test")
}

/// The same, with the end of the lease.
pub(in crate::plan) fn marked_until(workspace: &str, policy: &str, until: Timestamp) -> String {
    let until = until.strftime("%Y-%m-%dT%H:%MZ");
    marked(workspace, policy).replace(" 0123456789ab]", &format!(" 0123456789ab until {until}]"))
}

/// A new alert of medium severity on a device.
pub(in crate::plan) fn alert(id: &str, device: &str) -> AlertRow {
    AlertRow {
        id: id.into(),
        title: Arc::from("Mimikatz credential theft tool"),
        severity: Severity::Medium,
        status: AlertStatus::New,
        classification: Classification::Unknown,
        determination: Determination::Unknown,
        assigned_to: None,
        category: Arc::from("CredentialAccess"),
        detection_source: Arc::from("microsoftDefenderForEndpoint"),
        service_source: Arc::from("microsoftDefenderForEndpoint"),
        mitre: Vec::new(),
        incident: None,
        created: ago(5),
        updated: ago(4),
        devices: vec![device_id(device)],
        comments: Vec::new(),
    }
}
