//! What an inventory says of one device, from its columns.
//!
//! Immutable; nothing here decides or filters. Called by `readings`, selectors, the planner and reports.

use std::net::IpAddr;

use jiff::Timestamp;

use crate::inventory::columns::{Moment, Profile};
use crate::inventory::flags::Flags;
use crate::inventory::record::{ActionRow, AlertRow};
use crate::inventory::resolve;
use crate::inventory::view::{Dev, Inventory, word};
use crate::model::{
    ActionKind, ActionStatus, AvStatus, DeviceId, DeviceValue, Exposure, Health, Onboarding,
    OsFamily, Risk, ScanType,
};

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
