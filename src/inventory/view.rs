//! The finished inventory and its questions.
//!
//! Immutable. Every answer comes from the columns; nothing here decides or filters. Called by
//! `readings`, selectors, the planner and reports.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::inventory::columns::{Columns, Moment, Profile, Values};
use crate::inventory::flags::Flags;
use crate::inventory::history::{Alerts, History};
use crate::inventory::ids::IdTable;
use crate::inventory::index::Index;
use crate::inventory::record::{ActionRow, AlertRow, Missing, What};
use crate::inventory::resolve;
use crate::inventory::text::{fold, fold_into, host_part};
use crate::model::{
    ActionKind, ActionStatus, AlertId, AvStatus, DeviceId, DeviceValue, Exposure, Health,
    Onboarding, OsFamily, Risk, ScanType,
};

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

fn word(words: &[Arc<str>], number: u32) -> &str {
    words.get(number as usize).map_or("", |word| word)
}

/// One immutable observation of one tenant.
#[derive(Debug)]
pub struct Inventory {
    pub(crate) tenant: Arc<str>,
    pub(crate) tenant_id: Arc<str>,
    pub(crate) observed_at: Timestamp,
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

/// One device. A `Dev` of another inventory yields empty answers, never a panic.
impl Inventory {
    fn profile(&self, device: Dev) -> Option<&Profile> {
        let number = self.columns.profiles.get(device.0 as usize)?;
        self.values.profiles.get(*number as usize)
    }
    fn flags(&self, device: Dev) -> Flags {
        self.columns.flags.get(device.0 as usize).copied().unwrap_or_default()
    }
    /// The id.
    #[must_use]
    pub fn id(&self, device: Dev) -> DeviceId {
        let id = self.columns.ids.get(device.0 as usize).cloned();
        id.unwrap_or_else(|| DeviceId::parse(""))
    }
    /// The DNS name, possibly empty; untrusted text.
    #[must_use]
    pub fn name(&self, device: Dev) -> &str {
        self.columns.names.get(device.0)
    }
    /// The device group, empty when ungrouped.
    #[must_use]
    pub fn group(&self, device: Dev) -> &str {
        let number = self.columns.groups.get(device.0 as usize).copied();
        word(&self.values.groups, number.unwrap_or(u32::MAX))
    }
    /// `osPlatform` as it was read.
    #[must_use]
    pub fn platform(&self, device: Dev) -> &str {
        self.profile(device).map_or("", |profile| word(&self.values.platforms, profile.platform))
    }
    /// The family of the platform.
    #[must_use]
    pub fn os(&self, device: Dev) -> OsFamily {
        let family = self
            .profile(device)
            .and_then(|profile| self.values.families.get(profile.platform as usize));
        family.copied().unwrap_or(OsFamily::Other)
    }
    /// OS release (`24H2`), empty when not said.
    #[must_use]
    pub fn version(&self, device: Dev) -> &str {
        self.profile(device).map_or("", |profile| word(&self.values.versions, profile.version))
    }
    /// OS build number.
    #[must_use]
    pub fn os_build(&self, device: Dev) -> Option<i64> {
        self.profile(device)?.build
    }
    /// Version of the sensor, empty when not said.
    #[must_use]
    pub fn agent_version(&self, device: Dev) -> &str {
        self.profile(device).map_or("", |profile| word(&self.values.agents, profile.agent))
    }
    /// Who manages the device, empty when not said.
    #[must_use]
    pub fn managed_by(&self, device: Dev) -> &str {
        self.profile(device).map_or("", |profile| word(&self.values.managers, profile.managed_by))
    }
    /// Sensor health.
    #[must_use]
    pub fn health(&self, device: Dev) -> Health {
        self.flags(device).health()
    }
    /// Risk score.
    #[must_use]
    pub fn risk(&self, device: Dev) -> Risk {
        self.flags(device).risk()
    }
    /// Exposure level.
    #[must_use]
    pub fn exposure(&self, device: Dev) -> Exposure {
        self.flags(device).exposure()
    }
    /// Device value.
    #[must_use]
    pub fn value(&self, device: Dev) -> DeviceValue {
        self.flags(device).value()
    }
    /// Onboarding status.
    #[must_use]
    pub fn onboarding(&self, device: Dev) -> Onboarding {
        self.flags(device).onboarding()
    }
    /// Antivirus status.
    #[must_use]
    pub fn av_status(&self, device: Dev) -> AvStatus {
        self.flags(device).av_status()
    }
    /// Whether the device is joined to Entra.
    #[must_use]
    pub fn joined(&self, device: Dev) -> bool {
        self.flags(device).joined()
    }
    /// Whether the service calls the record a potential duplication.
    #[must_use]
    pub fn potential_duplicate(&self, device: Dev) -> bool {
        self.flags(device).duplicate()
    }
    /// Tags in the service's order, each once.
    pub fn tags(&self, device: Dev) -> impl Iterator<Item = &str> + '_ {
        let set = self.columns.tags.get(device.0 as usize);
        let tags = set.and_then(|set| self.values.tag_sets.get(*set as usize));
        tags.into_iter().flat_map(|tags| tags.iter()).map(|tag| word(&self.values.tags, *tag))
    }
    /// Last full report; none when the service never had one.
    #[must_use]
    pub fn last_seen(&self, device: Dev) -> Option<Timestamp> {
        self.columns.seen.get(device.0 as usize)?.get()
    }
    /// Addresses in the service's order: `lastIpAddress` first, each once.
    pub fn ips(&self, device: Dev) -> impl Iterator<Item = IpAddr> + '_ {
        self.columns.addresses.get(device.0)
    }
    /// How many records claim to be this device, when none of them is clearly the live one.
    #[must_use]
    pub fn ambiguous(&self, device: Dev) -> Option<u32> {
        let at = self.ambiguous.binary_search_by(|(owner, _)| owner.cmp(&device)).ok()?;
        self.ambiguous.get(at).map(|(_, records)| *records)
    }
    /// Actions of the device, oldest created first; those of merged records among them.
    pub fn actions(&self, device: Dev) -> impl Iterator<Item = &ActionRow> + '_ {
        self.history.of(device)
    }
    /// Positions in `alerts` of the alerts that name the device as evidence.
    pub fn device_alerts(&self, device: Dev) -> impl Iterator<Item = &AlertRow> + '_ {
        self.alerts.of(device).filter_map(|at| self.alerts.all.get(at as usize))
    }
    /// End of the last completed scan of at least this depth, by AV health and by succeeded scan
    /// actions, whoever started them. A full scan satisfies a wish for a quick one; a scan action
    /// that does not say its depth counts as quick.
    #[must_use]
    pub fn last_scan(&self, device: Dev, scan: ScanType) -> Option<Timestamp> {
        let of = |column: &[Moment]| column.get(device.0 as usize).and_then(|at| at.get());
        let by_health = match scan {
            ScanType::Quick => of(&self.quick).max(of(&self.full)),
            ScanType::Full => of(&self.full),
        };
        let by_action = self
            .actions(device)
            .filter(|action| action.kind == ActionKind::RunAntiVirusScan)
            .filter(|action| action.status == ActionStatus::Succeeded)
            .filter(|action| action.scan.unwrap_or(ScanType::Quick) >= scan)
            .map(|action| action.updated)
            .max();
        by_health.max(by_action)
    }
    /// Whether commands are likely to wait: the sensor is not well, or the device was last seen
    /// more than seven days before the observation.
    #[must_use]
    pub fn is_offline(&self, device: Dev) -> bool {
        let unwell = !matches!(self.health(device), Health::Active | Health::Unknown);
        let stale = |seen| resolve::is_stale(seen, self.observed_at);
        unwell || self.last_seen(device).is_some_and(stale)
    }
}
