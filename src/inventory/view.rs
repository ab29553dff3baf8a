//! The finished inventory and its questions.
//!
//! Immutable. Every answer comes from the columns; nothing here decides or filters. Called by
//! `readings`, selectors, the planner and reports.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::inventory::columns::{Columns, Moment, Profile, Values};
use crate::inventory::history::{Alerts, History};
use crate::inventory::ids::IdTable;
use crate::inventory::index::Index;
use crate::inventory::record::{ActionRow, AlertRow, Missing, What};
use crate::inventory::text::{fold, fold_into, host_part};
use crate::model::{AlertId, DeviceId, OsFamily};

/// A device of one inventory: its row. Meaningless in any other inventory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dev(pub u32);

/// The words behind the columns' numbers.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub(crate) groups: Vec<Arc<str>>,
    pub(crate) platforms: Vec<Arc<str>>,
    pub(crate) families: Vec<OsFamily>,
    pub(crate) versions: Vec<Arc<str>>,
    pub(crate) agents: Vec<Arc<str>>,
    pub(crate) managers: Vec<Arc<str>>,
    pub(crate) tags: Vec<Arc<str>>,
    pub(crate) profiles: Vec<Profile>,
    pub(crate) tag_sets: Vec<Box<[u32]>>,
}

impl From<Values> for Words {
    fn from(values: Values) -> Self {
        let platforms = values.platforms.into_texts();
        Self {
            groups: values.groups.into_texts(),
            families: platforms.iter().map(|text| OsFamily::of_platform(text)).collect(),
            platforms,
            versions: values.versions.into_texts(),
            agents: values.agents.into_texts(),
            managers: values.managers.into_texts(),
            tags: values.tags.into_texts(),
            profiles: values.profiles.items,
            tag_sets: values.tag_sets.items.into_iter().map(Vec::into_boxed_slice).collect(),
        }
    }
}

/// The device of an id, by its own or by that of a record that became part of it.
pub(crate) fn find(
    table: &IdTable,
    ids: &[DeviceId],
    aliases: &[(DeviceId, Dev)],
    id: &DeviceId,
) -> Option<Dev> {
    if let Some(row) = table.find(ids, id) {
        return Some(Dev(row));
    }
    let at = aliases.binary_search_by(|(alias, _)| alias.cmp(id)).ok()?;
    aliases.get(at).map(|(_, device)| *device)
}

pub(super) fn word(words: &[Arc<str>], number: u32) -> &str {
    words.get(number as usize).map_or("", |word| word)
}

/// One immutable observation of one tenant.
#[derive(Debug)]
pub struct Inventory {
    pub(crate) tenant: Arc<str>,
    pub(crate) tenant_id: Arc<str>,
    pub(crate) observed_at: Timestamp,
    pub(crate) service_at: Option<Timestamp>,
    pub(crate) missing: Vec<Missing>,
    pub(crate) columns: Columns,
    pub(crate) values: Words,
    pub(crate) table: IdTable,
    pub(crate) aliases: Vec<(DeviceId, Dev)>,
    pub(crate) superseded: Vec<(DeviceId, Dev)>,
    pub(crate) absent: Vec<DeviceId>,
    pub(crate) ambiguous: Vec<(Dev, u32)>,
    pub(crate) index: Index,
    /// End of the last quick scan by AV health; empty when none was read.
    pub(crate) quick: Vec<Moment>,
    /// End of the last full scan by AV health; empty when none was read.
    pub(crate) full: Vec<Moment>,
    pub(crate) history: History,
    pub(crate) alerts: Alerts,
    pub(crate) exposure: Option<f64>,
    pub(crate) group_exposure: BTreeMap<Arc<str>, f64>,
}

/// The observation as a whole.
impl Inventory {
    /// Name of the tenant in the workspace.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.tenant
    }
    /// Entra tenant id.
    #[must_use]
    pub fn tenant_id(&self) -> &str {
        &self.tenant_id
    }
    /// When the observation began (UTC).
    #[must_use]
    pub fn observed_at(&self) -> Timestamp {
        self.observed_at
    }
    /// What the service's own clock showed then at least (UTC), where it told another time than ours.
    #[must_use]
    pub fn service_at(&self) -> Option<Timestamp> {
        self.service_at
    }
    /// How far the service's clock was ahead of ours; below zero when it was behind.
    #[must_use]
    pub fn service_ahead(&self) -> SignedDuration {
        self.service_at.map(|at| at.duration_since(self.observed_at)).unwrap_or_default()
    }
    /// What could not be read, in order, each once.
    #[must_use]
    pub fn missing(&self) -> &[Missing] {
        &self.missing
    }
    /// Whether every read was complete.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.missing.is_empty()
    }
    /// Whether this part of the observation is incomplete.
    #[must_use]
    pub fn is_partial(&self, what: What) -> bool {
        self.missing.iter().any(|missing| missing.what == what)
    }
    /// Devices, each once.
    #[must_use]
    pub fn len(&self) -> usize {
        self.columns.ids.len()
    }
    /// Whether there is no device.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.columns.ids.is_empty()
    }
    /// Devices, each once, in an order that depends on their ids alone.
    pub fn devices(&self) -> impl Iterator<Item = Dev> + use<> {
        (0..u32::try_from(self.len()).unwrap_or(u32::MAX)).map(Dev)
    }
    /// The device of an id; an id that was merged leads to the device it became. Superseded and
    /// absent ids lead nowhere.
    #[must_use]
    pub fn find(&self, id: &DeviceId) -> Option<Dev> {
        find(&self.table, &self.columns.ids, &self.aliases, id)
    }
    /// Devices with this full name or host part, without regard to case. Reads every name.
    #[must_use]
    pub fn find_by_name(&self, name: &str) -> Vec<Dev> {
        let wanted = fold(name);
        let mut folded = String::new();
        let matches = |device: &Dev| {
            folded.clear();
            fold_into(self.name(*device), &mut folded);
            folded == wanted || host_part(&folded) == wanted
        };
        if wanted.is_empty() { Vec::new() } else { self.devices().filter(matches).collect() }
    }
    /// The device that a stale record with this id gave way to.
    #[must_use]
    pub fn superseded_by(&self, id: &DeviceId) -> Option<Dev> {
        let at = self.superseded.binary_search_by(|(old, _)| old.cmp(id)).ok()?;
        self.superseded.get(at).map(|(_, device)| *device)
    }
    /// Stale records that gave way to a live one with the same name, by id.
    #[must_use]
    pub fn superseded(&self) -> &[(DeviceId, Dev)] {
        &self.superseded
    }
    /// Ids of merged records with the device they became, by id.
    #[must_use]
    pub fn merged(&self) -> &[(DeviceId, Dev)] {
        &self.aliases
    }
    /// Devices that policies or journals name and a partial device list lacks: unknown, not gone.
    #[must_use]
    pub fn absent(&self) -> &[DeviceId] {
        &self.absent
    }
    /// Devices of each group; ungrouped ones under the empty name.
    #[must_use]
    pub fn groups(&self) -> BTreeMap<&str, u32> {
        let sizes = self.values.groups.iter().zip(&self.index.groups);
        sizes
            .filter(|(_, rows)| !rows.is_empty())
            .map(|(group, rows)| (&**group, u32::try_from(rows.len()).unwrap_or(u32::MAX)))
            .collect()
    }
    /// Every action, oldest created first, those of unknown devices among them.
    #[must_use]
    pub fn all_actions(&self) -> &[ActionRow] {
        &self.history.all
    }
    /// Every alert, by id.
    #[must_use]
    pub fn alerts(&self) -> &[AlertRow] {
        &self.alerts.all
    }
    /// The alert of an id.
    #[must_use]
    pub fn alert(&self, id: &AlertId) -> Option<&AlertRow> {
        self.alerts.find(id)
    }
    /// Devices among an alert's device evidence, in the service's order, each once. Ids that are
    /// not in the observation are left out: `alert_devices_known` says whether there are any.
    #[must_use]
    pub fn alert_devices(&self, alert: &AlertRow) -> Vec<Dev> {
        let mut devices: Vec<Dev> = Vec::with_capacity(alert.devices.len());
        for device in alert.devices.iter().filter_map(|id| self.find(id)) {
            if !devices.contains(&device) {
                devices.push(device);
            }
        }
        devices
    }
    /// Whether each device of an alert's evidence is in the observation.
    #[must_use]
    pub fn alert_devices_known(&self, alert: &AlertRow) -> bool {
        alert.devices.iter().all(|id| self.find(id).is_some())
    }
    /// The tenant's exposure score, 0 to 100, when it was read.
    #[must_use]
    pub fn exposure_score(&self) -> Option<f64> {
        self.exposure
    }
    /// Exposure scores of device groups, when they were read.
    #[must_use]
    pub fn group_scores(&self) -> &BTreeMap<Arc<str>, f64> {
        &self.group_exposure
    }
}
