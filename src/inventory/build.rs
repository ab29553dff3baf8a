//! From staged rows to the finished inventory: resolve, gather, attach, index.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::inventory::builder::Builder;
use crate::inventory::columns::Moment;
use crate::inventory::history::{Alerts, History};
use crate::inventory::ids::IdTable;
use crate::inventory::index::Index;
use crate::inventory::record::What;
use crate::inventory::resolve::{self, Resolved};
use crate::inventory::view::{self, Dev, Inventory};
use crate::model::{DeviceId, beside};

/// From how many devices on a second core is worth its start.
const MANY: usize = 10_000;

impl Builder {
    /// The finished observation. The order in which rows came changes nothing in it.
    #[must_use]
    pub fn build(mut self) -> Inventory {
        let resolved = resolve::resolve(&self);
        let layout = Layout::new(&resolved);
        let aliases = layout.aliases(&self, &resolved);
        let superseded = layout.superseded(&self, &resolved);
        let columns = std::mem::take(&mut self.columns).gather(&layout.order);
        let table = IdTable::new(&columns.ids);
        let ambiguous = resolved
            .ambiguous
            .iter()
            .filter_map(|(at, count)| Some((layout.device(*at)?, *count)))
            .collect();
        let (actions, alerts) =
            (std::mem::take(&mut self.actions), std::mem::take(&mut self.alerts));
        let find = |id: &DeviceId| view::find(&table, &columns.ids, &aliases, id);
        let ((history, alerts), (index, (quick, full))) = beside(
            columns.ids.len() > MANY,
            || (History::new(actions, find), Alerts::new(alerts, find)),
            || (Index::new(&columns, &self.values), scans(&self.av, columns.ids.len(), find)),
        );
        let mut inventory = Inventory {
            tenant: Arc::clone(&self.tenant),
            tenant_id: Arc::clone(&self.tenant_id),
            observed_at: self.observed_at,
            service_at: self.service_at,
            missing: std::mem::take(&mut self.missing).into_iter().collect(),
            table,
            aliases,
            superseded,
            absent: Vec::new(),
            ambiguous,
            index,
            columns,
            quick,
            full,
            history,
            alerts,
            exposure: self.exposure,
            group_exposure: self.group_exposure,
            values: self.values.into(),
        };
        inventory.absent = absent(&inventory, self.named);
        inventory
    }
}

/// Named devices that a partial list lacks.
fn absent(inventory: &Inventory, named: BTreeSet<DeviceId>) -> Vec<DeviceId> {
    if !inventory.is_partial(What::Devices) {
        return Vec::new();
    }
    named.into_iter().filter(|id| inventory.find(id).is_none()).collect()
}

/// Ends of the last quick and the last full scan of each device; empty when nothing was read.
fn scans(
    rows: &[(DeviceId, Moment, Moment)],
    devices: usize,
    find: impl Fn(&DeviceId) -> Option<Dev>,
) -> (Vec<Moment>, Vec<Moment>) {
    if rows.is_empty() {
        return (Vec::new(), Vec::new());
    }
    let mut quick = vec![Moment::UNSET; devices];
    let mut full = quick.clone();
    for (id, quick_scan, full_scan) in rows {
        let Some(Dev(row)) = find(id) else { continue };
        for (column, at) in [(&mut quick, quick_scan), (&mut full, full_scan)] {
            if let Some(slot) = column.get_mut(row as usize) {
                *slot = (*slot).max(*at);
            }
        }
    }
    (quick, full)
}

/// Positions of records and the rows of the devices that remain.
struct Layout {
    /// Staged rows of the devices that remain.
    order: Vec<u32>,
    /// For each record its device's row, when it stands for itself.
    device: Vec<Option<Dev>>,
}

impl Layout {
    fn new(resolved: &Resolved) -> Self {
        let mut order = Vec::with_capacity(resolved.rows.len());
        let mut device = Vec::with_capacity(resolved.rows.len());
        for ((at, row), survivor) in (0u32..).zip(&resolved.rows).zip(&resolved.survivor) {
            let stands = *survivor == Some(at);
            let next = u32::try_from(order.len()).unwrap_or(u32::MAX);
            device.push(stands.then_some(Dev(next)));
            if stands {
                order.push(*row);
            }
        }
        Self { order, device }
    }

    fn device(&self, at: u32) -> Option<Dev> {
        self.device.get(at as usize).copied().flatten()
    }

    /// Ids of merged records with the device they became, by id.
    fn aliases(&self, builder: &Builder, resolved: &Resolved) -> Vec<(DeviceId, Dev)> {
        if builder.merged.is_empty() {
            return Vec::new();
        }
        let merged = (0u32..).zip(&resolved.rows).zip(&resolved.survivor);
        let moved = merged.filter_map(|((at, row), survivor)| {
            let survivor = (*survivor)?;
            if survivor == at {
                return None;
            }
            let id = builder.columns.ids.get(*row as usize)?;
            Some((id.clone(), self.device(survivor)?))
        });
        let mut aliases: Vec<_> = moved.collect();
        aliases.sort();
        aliases
    }

    /// Ids of superseded records with the device that is live, by id.
    fn superseded(&self, builder: &Builder, resolved: &Resolved) -> Vec<(DeviceId, Dev)> {
        let pairs = resolved.superseded.iter().filter_map(|(at, device)| {
            let row = resolved.rows.get(*at as usize)?;
            let id = builder.columns.ids.get(*row as usize)?;
            Some((id.clone(), self.device(*device)?))
        });
        let mut superseded: Vec<_> = pairs.collect();
        superseded.sort();
        superseded
    }
}
