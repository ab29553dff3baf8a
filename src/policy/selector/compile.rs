//! Selectors as set algebra over the inventory's indexes.
//!
//! Many selectors are compiled together: each distinct term is computed once, whatever number of
//! policies use it, and combined as bitmaps. Terms over indexed values cost a look-up; name and
//! title globs of all selectors take one pass over the names; networks and ages are ranges, filled
//! as plain bit vectors. Agrees with `interpret` on every fleet (property test). Called by the
//! planner and by commands that list devices.

use std::collections::HashMap;
use std::rc::Rc;

use foldhash::fast::FixedState;
use jiff::Timestamp;
use roaring::RoaringBitmap;

use crate::inventory::{Dev, Inventory};
use crate::policy::selector::ast::{AlertExpr, AlertTerm, DeviceExpr, DeviceTerm};
use crate::policy::selector::walk;

mod alerts;
mod devices;
mod ranges;

use alerts::AlertColumns;
use devices::DeviceColumns;

/// Rows of devices (`Dev.0`) or positions in `Inventory::alerts`.
type Rows = Rc<RoaringBitmap>;
type Cache<K> = HashMap<K, Rows, FixedState>;

/// Devices of each selector, as bitmaps of `Dev.0`.
#[must_use]
pub fn select_all(
    inventory: &Inventory,
    exprs: &[&DeviceExpr],
    now: Timestamp,
) -> Vec<RoaringBitmap> {
    let mut compiler = Compiler::new(inventory, exprs, &[], now);
    exprs.iter().map(|expr| compiler.devices(expr)).collect()
}

/// Devices of one selector, as a bitmap of `Dev.0`.
#[must_use]
pub fn select(inventory: &Inventory, expr: &DeviceExpr, now: Timestamp) -> RoaringBitmap {
    Compiler::new(inventory, &[expr], &[], now).devices(expr)
}

/// Alerts of one selector, as a bitmap of positions in `Inventory::alerts`.
#[must_use]
pub fn alerts_matching(inventory: &Inventory, expr: &AlertExpr, now: Timestamp) -> RoaringBitmap {
    Compiler::new(inventory, &[], &[expr], now).alerts(expr)
}

/// Computes selectors that were given together.
#[derive(Debug)]
pub struct Compiler<'a> {
    inventory: &'a Inventory,
    everything: Rows,
    devices: DeviceColumns<'a>,
    alerts: AlertColumns<'a>,
    device_terms: Cache<&'a DeviceTerm>,
    alert_terms: Cache<&'a AlertTerm>,
}

impl<'a> Compiler<'a> {
    /// Prepares selectors over devices and over alerts: what needs a pass over all names is done
    /// here, for all of them at once.
    #[must_use]
    pub fn new(
        inventory: &'a Inventory,
        devices: &[&'a DeviceExpr],
        alerts: &[&'a AlertExpr],
        now: Timestamp,
    ) -> Self {
        let mut found = Found::default();
        devices.iter().for_each(|expr| found.devices(expr));
        alerts.iter().for_each(|expr| found.alerts(expr));
        let mut everything = RoaringBitmap::new();
        everything.insert_range(0..u32::try_from(inventory.len()).unwrap_or(u32::MAX));
        Self {
            inventory,
            everything: Rc::new(everything),
            devices: DeviceColumns::new(inventory, &found.names, now),
            alerts: AlertColumns::new(inventory, found.any_alert, &found.titles, now),
            device_terms: Cache::default(),
            alert_terms: Cache::default(),
        }
    }

    /// Devices of a selector. One that was not given to `new` is computed too, without its globs
    /// prepared.
    #[must_use]
    pub fn devices(&mut self, expr: &'a DeviceExpr) -> RoaringBitmap {
        Rc::unwrap_or_clone(self.device_rows(expr))
    }

    /// Alerts of a selector.
    #[must_use]
    pub fn alerts(&mut self, expr: &'a AlertExpr) -> RoaringBitmap {
        Rc::unwrap_or_clone(self.alert_rows(expr))
    }

    fn device_rows(&mut self, expr: &'a DeviceExpr) -> Rows {
        match expr {
            DeviceExpr::Everything => Rc::clone(&self.everything),
            DeviceExpr::All(parts) if parts.is_empty() => Rows::default(),
            DeviceExpr::All(parts) => {
                let mut wanted = Vec::new();
                let mut unwanted = Vec::new();
                for part in parts {
                    match part {
                        DeviceExpr::Not(inner) if walk::is_void(inner) => return Rows::default(),
                        DeviceExpr::Not(inner) => unwanted.push(self.device_rows(inner)),
                        part => wanted.push(self.device_rows(part)),
                    }
                }
                meet(&self.everything, wanted, &unwanted)
            }
            DeviceExpr::Any(parts) => {
                join(parts.iter().map(|part| self.device_rows(part)).collect())
            }
            DeviceExpr::Not(part) if walk::is_void(part) => Rows::default(),
            DeviceExpr::Not(part) => {
                let part = self.device_rows(part);
                Rc::new(&*self.everything - &*part)
            }
            DeviceExpr::Term(term) => {
                if let Some(rows) = self.device_terms.get(term) {
                    return Rc::clone(rows);
                }
                let rows = Rc::new(self.device_term(term));
                self.device_terms.insert(term, Rc::clone(&rows));
                rows
            }
        }
    }

    fn device_term(&mut self, term: &'a DeviceTerm) -> RoaringBitmap {
        match term {
            DeviceTerm::Alert(expr) => {
                let alerts = self.alert_rows(expr);
                let pairs = self.inventory.alerts.pairs();
                ascending(pairs.filter(|(_, at)| alerts.contains(*at)).map(|(Dev(row), _)| row))
            }
            DeviceTerm::Incident(wanted) => {
                let all = self.inventory.alerts();
                let of = |at: u32| {
                    let incident = all.get(at as usize).and_then(|alert| alert.incident.as_ref());
                    incident.is_some_and(|incident| wanted.contains(incident))
                };
                let pairs = self.inventory.alerts.pairs();
                ascending(pairs.filter(|(_, at)| of(*at)).map(|(Dev(row), _)| row))
            }
            term => self.devices.term(term),
        }
    }

    fn alert_rows(&mut self, expr: &'a AlertExpr) -> Rows {
        match expr {
            AlertExpr::All(parts) if parts.is_empty() => Rows::default(),
            AlertExpr::All(parts) => {
                let mut wanted = Vec::new();
                let mut unwanted = Vec::new();
                for part in parts {
                    match part {
                        AlertExpr::Not(inner) if walk::is_void_alert(inner) => {
                            return Rows::default();
                        }
                        AlertExpr::Not(inner) => unwanted.push(self.alert_rows(inner)),
                        part => wanted.push(self.alert_rows(part)),
                    }
                }
                meet(self.alerts.everything(), wanted, &unwanted)
            }
            AlertExpr::Any(parts) => join(parts.iter().map(|part| self.alert_rows(part)).collect()),
            AlertExpr::Not(part) if walk::is_void_alert(part) => Rows::default(),
            AlertExpr::Not(part) => {
                let part = self.alert_rows(part);
                Rc::new(&**self.alerts.everything() - &*part)
            }
            AlertExpr::Term(term) => {
                if let Some(rows) = self.alert_terms.get(term) {
                    return Rc::clone(rows);
                }
                let rows = Rc::new(match term {
                    AlertTerm::Device(expr) => {
                        let devices = self.device_rows(expr);
                        let pairs = self.inventory.alerts.pairs();
                        pairs
                            .filter(|(Dev(row), _)| devices.contains(*row))
                            .map(|(_, at)| at)
                            .collect()
                    }
                    term => self.alerts.term(term),
                });
                self.alert_terms.insert(term, Rc::clone(&rows));
                rows
            }
        }
    }
}

/// What is in every wanted set and in no unwanted one; smallest sets first.
fn meet(everything: &Rows, mut wanted: Vec<Rows>, unwanted: &[Rows]) -> Rows {
    wanted.sort_by_key(|rows| rows.len());
    let mut wanted = wanted.into_iter();
    let mut met = match wanted.next() {
        Some(first) => Rc::unwrap_or_clone(first),
        None => (**everything).clone(),
    };
    wanted.for_each(|rows| met &= &*rows);
    unwanted.iter().for_each(|rows| met -= &**rows);
    Rc::new(met)
}

fn join(sets: Vec<Rows>) -> Rows {
    let mut sets = sets.into_iter();
    let mut joined = sets.next().map(Rc::unwrap_or_clone).unwrap_or_default();
    sets.for_each(|rows| joined |= &*rows);
    Rc::new(joined)
}

/// A bitmap of rows that ascend, some of them repeated.
fn ascending(rows: impl Iterator<Item = u32>) -> RoaringBitmap {
    let mut distinct: Vec<u32> = rows.collect();
    distinct.dedup();
    RoaringBitmap::from_sorted_iter(distinct.iter().copied())
        .unwrap_or_else(|_| distinct.iter().copied().collect())
}

/// What selectors need prepared.
#[derive(Default)]
struct Found<'a> {
    names: Vec<&'a str>,
    titles: Vec<&'a str>,
    any_alert: bool,
}

impl<'a> Found<'a> {
    fn devices(&mut self, expr: &'a DeviceExpr) {
        walk::each_device_term(expr, &mut |term| match term {
            DeviceTerm::Name(globs) => self.names.extend(globs.iter().map(|glob| &*glob.text)),
            DeviceTerm::Alert(expr) => self.alerts(expr),
            _ => {}
        });
    }

    fn alerts(&mut self, expr: &'a AlertExpr) {
        self.any_alert = true;
        walk::each_alert_term(expr, &mut |term| match term {
            AlertTerm::Title(globs) => self.titles.extend(globs.iter().map(|glob| &*glob.text)),
            AlertTerm::Device(expr) => self.devices(expr),
            _ => {}
        });
    }
}
