//! Filling an observation: rows in any order, page by page, each taken apart into columns at once.
//!
//! Called by the page readers of `wire` and by tests. Nothing is decided here: repeated rows,
//! merged records and partial reads are resolved by `build`, when everything is known.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;

use crate::inventory::columns::{Columns, Moment, Profile, Values};
use crate::inventory::flags::Flags;
use crate::inventory::record::{ActionRow, AlertRow, AvRow, DeviceRow, Missing};
use crate::model::DeviceId;

/// Takes in rows; `build` makes the inventory. The order of rows changes nothing.
#[derive(Debug)]
pub struct Builder {
    pub(crate) tenant: Arc<str>,
    pub(crate) tenant_id: Arc<str>,
    pub(crate) observed_at: Timestamp,
    /// What the service's clock showed then, where that is known to be something else.
    pub(crate) service_at: Option<Timestamp>,
    pub(crate) columns: Columns,
    pub(crate) values: Values,
    /// Rows with `mergedIntoMachineId`, by row, and where it points.
    pub(crate) merged: BTreeMap<u32, DeviceId>,
    pub(crate) actions: Vec<ActionRow>,
    pub(crate) av: Vec<(DeviceId, Moment, Moment)>,
    pub(crate) alerts: Vec<AlertRow>,
    pub(crate) missing: BTreeSet<Missing>,
    pub(crate) named: BTreeSet<DeviceId>,
    pub(crate) exposure: Option<f64>,
    pub(crate) group_exposure: BTreeMap<Arc<str>, f64>,
    tag_numbers: Vec<u32>,
    watched: Option<Vec<(DeviceId, Option<Timestamp>)>>,
}

impl Builder {
    /// An empty observation of one tenant. `observed_at` (UTC) is when the walk began: nothing in
    /// the result is younger than the pages, some of it may be older.
    #[must_use]
    pub fn new(tenant: &str, tenant_id: &str, observed_at: Timestamp) -> Self {
        Self {
            tenant: Arc::from(tenant),
            tenant_id: Arc::from(tenant_id),
            observed_at,
            service_at: None,
            columns: Columns::default(),
            values: Values::default(),
            merged: BTreeMap::new(),
            actions: Vec::new(),
            av: Vec::new(),
            alerts: Vec::new(),
            missing: BTreeSet::new(),
            named: BTreeSet::new(),
            exposure: None,
            group_exposure: BTreeMap::new(),
            tag_numbers: Vec::new(),
            watched: None,
        }
    }

    /// What the service's clock showed at least when the observation began (UTC), when it differs from
    /// ours: the times of its rows are by that one.
    pub fn service_clock(&mut self, at: Timestamp) {
        self.service_at = Some(at);
    }

    /// Whether to keep the ids of the rows of machines and antivirus health for `take_watched`: a
    /// walk proves by them that it missed nothing.
    pub(crate) fn watch(&mut self, on: bool) {
        self.watched = on.then(Vec::new);
    }

    /// The rows since the last call: id, and when a machine was first seen.
    pub(crate) fn take_watched(&mut self) -> Vec<(DeviceId, Option<Timestamp>)> {
        self.watched.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Adds a machine record. A record that comes twice (pages slide) counts once.
    pub fn device(&mut self, row: DeviceRow<'_>) {
        self.record(&row, row.tags.iter().copied(), &row.ips);
    }

    /// Adds a machine record whose tags and addresses stand elsewhere: the page reader keeps one
    /// buffer of each for all rows.
    pub(crate) fn record<'t>(
        &mut self,
        row: &DeviceRow<'_>,
        tags: impl Iterator<Item = &'t str>,
        addresses: &[IpAddr],
    ) {
        if let Some(watched) = &mut self.watched {
            watched.push((row.id.clone(), row.first_seen));
        }
        let columns = &mut self.columns;
        let values = &mut self.values;
        let at = u32::try_from(columns.ids.len()).unwrap_or(u32::MAX);
        if let Some(target) = row.merged_into.as_ref().filter(|target| **target != row.id) {
            self.merged.insert(at, target.clone());
        }
        columns.ids.push(row.id.clone());
        columns.names.push(row.name);
        columns.groups.push(values.groups.number(row.group));
        let profile = Profile {
            platform: values.platforms.number(row.platform),
            version: values.versions.number(row.version),
            agent: values.agents.number(row.agent_version),
            managed_by: values.managers.number(row.managed_by),
            build: row.os_build,
        };
        columns.profiles.push(values.profiles.number(&profile));
        self.tag_numbers.clear();
        for tag in tags {
            let number = values.tags.number(tag);
            if !self.tag_numbers.contains(&number) {
                self.tag_numbers.push(number);
            }
        }
        columns.tags.push(values.tag_sets.number(self.tag_numbers.as_slice()));
        columns.flags.push(flags(row));
        columns.seen.push(Moment::new(row.last_seen));
        columns.addresses.push(addresses);
    }

    /// Adds a machine action. Of an action that comes twice the later state counts.
    pub fn action(&mut self, row: ActionRow) {
        self.actions.push(row);
    }

    /// Adds a row of antivirus health.
    pub fn av(&mut self, row: AvRow) {
        if let Some(watched) = &mut self.watched {
            watched.push((row.device.clone(), None));
        }
        self.av.push((row.device, Moment::new(row.quick_scan), Moment::new(row.full_scan)));
    }

    /// Adds an alert. Of an alert that comes twice the later state counts.
    pub fn alert(&mut self, row: AlertRow) {
        self.alerts.push(row);
    }

    /// Says that a read stayed incomplete: the inventory becomes partial.
    pub fn missing(&mut self, missing: Missing) {
        self.missing.insert(missing);
    }

    /// Says that a policy or a journal names this device: when the device list is partial and the
    /// device is not in it, it is unknown rather than gone.
    pub fn note_named_device(&mut self, id: &DeviceId) {
        self.named.insert(id.clone());
    }

    /// The tenant's exposure score, 0 to 100.
    pub fn exposure_score(&mut self, score: f64) {
        self.exposure = Some(score);
    }

    /// The exposure score of one device group, 0 to 100.
    pub fn group_score(&mut self, group: &str, score: f64) {
        self.group_exposure.insert(Arc::from(group), score);
    }
}

fn flags(row: &DeviceRow<'_>) -> Flags {
    Flags::default()
        .with_health(row.health)
        .with_risk(row.risk)
        .with_exposure(row.exposure)
        .with_value(row.value)
        .with_onboarding(row.onboarding)
        .with_av_status(row.av_status)
        .with_joined(row.joined)
        .with_duplicate(row.potential_duplicate)
}
