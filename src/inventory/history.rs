//! Machine actions and alerts of an observation, with the way from a device to its own.
//!
//! Kept whole, because plans quote them; each once, in an order of their own that does not depend
//! on pages. Called by `build`; read through `Inventory`.

use std::cmp::Ordering;
use std::collections::HashMap;

use foldhash::fast::FixedState;

use crate::inventory::record::{ActionRow, AlertRow};
use crate::inventory::view::Dev;
use crate::model::{ActionId, AlertId, DeviceId};

/// All actions, and which belong to which device.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Oldest created first, then by id.
    pub(crate) all: Vec<ActionRow>,
    by_device: Pairs,
}

impl History {
    pub(crate) fn new(rows: Vec<ActionRow>, find: impl Fn(&DeviceId) -> Option<Dev>) -> Self {
        let mut order = latest(&rows);
        let created = |at: &u32| rows.get(*at as usize).map(|row| (row.created, &row.id));
        order.sort_unstable_by(|left, right| created(left).cmp(&created(right)));
        let mut slots: Vec<Option<ActionRow>> = rows.into_iter().map(Some).collect();
        let all: Vec<ActionRow> = order
            .iter()
            .filter_map(|at| slots.get_mut(*at as usize).and_then(Option::take))
            .collect();
        let by_device = Pairs::new(
            all.iter().zip(0u32..).filter_map(|(row, at)| Some((find(&row.device)?, at))),
        );
        Self { all, by_device }
    }

    pub(crate) fn of(&self, device: Dev) -> impl Iterator<Item = &ActionRow> + '_ {
        self.by_device.of(device).filter_map(|at| self.all.get(at as usize))
    }
}

/// Positions of rows, of each action the latest state.
fn latest(rows: &[ActionRow]) -> Vec<u32> {
    let mut kept: HashMap<&ActionId, u32, FixedState> =
        HashMap::with_capacity_and_hasher(rows.len(), FixedState::default());
    for (row, at) in rows.iter().zip(0u32..) {
        let best = kept.entry(&row.id).or_insert(at);
        if let Some(other) = rows.get(*best as usize)
            && later_action(other, row).is_lt()
        {
            *best = at;
        }
    }
    kept.into_values().collect()
}

/// Of two states of one action, which is later: one that ended beats one that did not.
fn later_action(left: &ActionRow, right: &ActionRow) -> Ordering {
    let key = |row: &ActionRow| (row.updated, row.status.is_terminal());
    key(left).cmp(&key(right)).then_with(|| content(left).cmp(&content(right)))
}

fn content(row: &ActionRow) -> impl Ord + '_ {
    (
        &row.status,
        &row.kind,
        &row.device,
        &row.requestor,
        &row.comment,
        &row.source,
        row.created,
        row.isolation,
        row.scan,
        &row.cancelled,
    )
}

/// All alerts, and which name which device.
#[derive(Debug, Default)]
pub(crate) struct Alerts {
    /// By id.
    pub(crate) all: Vec<AlertRow>,
    by_device: Pairs,
}

impl Alerts {
    pub(crate) fn new(mut rows: Vec<AlertRow>, find: impl Fn(&DeviceId) -> Option<Dev>) -> Self {
        rows.sort_by(|left, right| {
            left.id.cmp(&right.id).then_with(|| alert_content(right).cmp(&alert_content(left)))
        });
        rows.dedup_by(|dropped, kept| dropped.id == kept.id);
        let pairs = rows.iter().zip(0u32..).flat_map(|(row, at)| {
            row.devices.iter().filter_map(&find).map(move |device| (device, at))
        });
        let by_device = Pairs::new(pairs.collect::<Vec<_>>().into_iter());
        Self { all: rows, by_device }
    }

    pub(crate) fn find(&self, id: &AlertId) -> Option<&AlertRow> {
        let at = self.all.binary_search_by(|row| row.id.cmp(id)).ok()?;
        self.all.get(at)
    }

    pub(crate) fn of(&self, device: Dev) -> impl Iterator<Item = u32> + '_ {
        self.by_device.of(device)
    }

    /// Pairs of device and position in `all`, by device.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (Dev, u32)> + '_ {
        self.by_device.0.iter().copied()
    }
}

/// The later state of an alert first by `lastUpdateDateTime`, then by whatever differs.
fn alert_content(row: &AlertRow) -> impl Ord + '_ {
    (
        (row.updated, row.comments.len(), row.status, row.classification, row.determination),
        (&row.assigned_to, row.severity, &row.title, &row.category, row.created),
        (&row.detection_source, &row.service_source, &row.mitre, &row.incident),
        (&row.devices, &row.comments),
    )
}

/// Sorted pairs of a device and a position.
#[derive(Debug, Default)]
struct Pairs(Vec<(Dev, u32)>);

impl Pairs {
    fn new(pairs: impl Iterator<Item = (Dev, u32)>) -> Self {
        let mut pairs: Vec<_> = pairs.collect();
        pairs.sort_unstable();
        pairs.dedup();
        pairs.shrink_to_fit();
        Self(pairs)
    }

    fn of(&self, device: Dev) -> impl Iterator<Item = u32> + '_ {
        let start = self.0.partition_point(|(owner, _)| *owner < device);
        let rest = self.0.get(start..).unwrap_or(&[]);
        rest.iter().take_while(move |(owner, _)| *owner == device).map(|(_, at)| *at)
    }
}
