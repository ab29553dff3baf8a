//! Alerts of a simulated life: those that the tenant begins with, those that come up later, what
//! analysts do with them, and how an alert looks to whoever judges it.
//!
//! Called by `fleet`, `world` and `deeds`; `rules` and `on_alerts` ask `Look`. Must never look at the
//! product.

use jiff::Timestamp;
use palisade::emulator::Tenant;
use palisade::emulator::tenant::{Alert, Handling};
use palisade::inventory::{AlertRow, Inventory};
use palisade::model::{Classification, Determination, Severity};

use super::policy::Traits;
use super::reference::Truth;
use super::transition::Draw;
use super::world::World;
use crate::alarm::{self, Alarm};

/// Alerts that are there from the beginning: deeds may name them.
const FIRST: usize = 4;

pub(super) const TITLES: &[&str] =
    &["Mimikatz credential theft tool", "Suspicious PowerShell", "Ransomware behavior"];

/// What an alert is like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sort {
    title: &'static str,
    severity: Severity,
    /// The device, modulo those there are; an alert may name none.
    device: Option<usize>,
}

impl Sort {
    pub(super) fn draw(draw: &mut Draw) -> Self {
        Self {
            title: draw.pick(TITLES),
            severity: draw.pick(&[Severity::Low, Severity::Medium, Severity::High]),
            device: (!draw.chance(10)).then(|| draw.below(64)),
        }
    }

    pub(super) fn titled(draw: &mut Draw, title: usize) -> Self {
        Self { title: TITLES[title], ..Self::draw(draw) }
    }
}

/// What an analyst does with an alert.
#[derive(Clone, Copy, Debug)]
pub(super) struct Work(&'static str);

const WORK: &[&str] = &[
    "status resolved",
    "status new",
    "status inProgress assigned-to ana@contoso.example",
    "status resolved classification falsePositive determination notMalicious",
    "classification truePositive determination malware comment \"case 9\"",
    "classification informationalExpectedActivity determination securityTesting",
    "classification unknown determination unknown",
    "determination malware",
    "assigned-to nobody",
    "assigned-to SOC@contoso.example",
    "comment \"looks like our own test\"",
];

impl Work {
    pub(super) fn draw(draw: &mut Draw) -> Self {
        Self(draw.pick(WORK))
    }

    /// As a line of the emulator's language, about one of the first alerts.
    pub(super) fn line(self, alert: usize) -> String {
        self.on(&id(alert % FIRST))
    }

    pub(super) fn on(self, alert: &str) -> String {
        format!("classify ana@contoso.example {alert} {}", self.0)
    }
}

fn id(number: usize) -> String {
    format!("da{number}_1")
}

/// The alerts that a life begins with.
pub(super) fn first(draw: &mut Draw, tenant: &mut Tenant, now: Timestamp) {
    for _ in 0..FIRST {
        let sort = Sort::draw(draw);
        let judged = draw.chance(30);
        raise(tenant, sort, now, judged);
    }
}

/// An alert comes up; its id. One that is `judged` has the verdict of a person.
pub(super) fn raise(tenant: &mut Tenant, sort: Sort, now: Timestamp, judged: bool) -> String {
    let machines = u32::try_from(tenant.machines().len()).unwrap();
    let device = sort.device.filter(|_| machines > 0);
    let device = device.map(|device| u32::try_from(device).unwrap() % machines);
    let number = tenant.alerts().len();
    let (classification, determination) = match judged {
        true => (Classification::TruePositive, Determination::Malware),
        false => (Classification::Unknown, Determination::Unknown),
    };
    let Sort { title, severity, .. } = sort;
    let machines = device.into_iter().collect();
    let alarm = Alarm { id: id(number), title, severity, machines, classification, determination };
    alarm::raise(tenant, alarm, now);
    id(number)
}

impl World {
    /// An alert comes up, and somebody may be quick to look at it.
    pub(super) fn raise(&self, sort: Sort, work: Option<Work>) {
        let id = raise(self.emulator().tenant_mut(), sort, self.clock.now(), false);
        if let Some(work) = work {
            self.play(&work.on(&id));
        }
    }
}

/// An alert as it looks to whoever judges it.
#[derive(Clone, Debug)]
pub(super) struct Look {
    pub(super) title: String,
    pub(super) severity: Severity,
    pub(super) handling: Handling,
    pub(super) comments: Vec<String>,
    /// The devices that it names.
    pub(super) devices: Vec<Traits>,
}

impl Look {
    /// As it truly is.
    pub(super) fn of(truth: Truth<'_>, alert: &Alert) -> Self {
        Self {
            title: alert.title.to_string(),
            severity: alert.severity,
            handling: alert.handling(),
            comments: alert.comments.iter().map(|comment| comment.text.to_string()).collect(),
            devices: alert.machines.iter().map(|row| truth.traits(*row)).collect(),
        }
    }

    /// As it was read, with those of its devices that were read.
    pub(super) fn read(truth: Truth<'_>, inventory: &Inventory, alert: &AlertRow) -> Self {
        let read = alert.devices.iter().filter(|id| inventory.find(id).is_some());
        let rows = read.filter_map(|id| truth.row(&id.to_string()));
        Self {
            title: alert.title.to_string(),
            severity: alert.severity,
            handling: Handling {
                status: alert.status,
                classification: alert.classification,
                determination: alert.determination,
                assigned_to: alert.assigned_to.clone(),
            },
            comments: alert.comments.iter().map(ToString::to_string).collect(),
            devices: rows.map(|row| truth.traits(row)).collect(),
        }
    }
}
