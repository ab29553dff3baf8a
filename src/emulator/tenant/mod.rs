//! The tenant as it truly is: machines, machine actions, alerts, groups, and their life in time.
//!
//! Rows live in vectors and refer to each other by position; ids and names are indexed. Handlers of
//! the Defender API and of Graph read and change it; tests and scenarios change it behind the
//! service's back. Time moves only through [`Tenant::advance`]. It must never look at a clock.

pub mod action;
pub mod alert;
pub mod av;
mod life;
pub mod machine;
pub mod submit;

#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;

use crate::emulator::config::{Behaviour, Config};
use crate::emulator::random::{Guid, Random};
use crate::model::{Isolation, Restriction};

pub use action::Action;
pub use alert::{Alert, AlertEdit, Comment, Handling, Incident};
pub use av::AvHealth;
pub use machine::{Machine, MachineId};
pub use submit::{Actor, Order, Submission};

/// One device group. Groups are read-only in the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// `rbacGroupId`.
    pub id: u32,
    /// `rbacGroupName`.
    pub name: Arc<str>,
}

/// A tenant.
#[derive(Debug)]
pub struct Tenant {
    /// The Entra tenant's id.
    pub id: String,
    /// The switches in force; the configuration has the ones of the start.
    pub behaviour: Behaviour,
    /// Device groups, ungrouped devices not among them.
    pub groups: Vec<Group>,
    pub(crate) machines: Vec<Machine>,
    by_id: HashMap<MachineId, u32>,
    by_name: HashMap<Box<str>, Vec<u32>>,
    pub(crate) actions: Vec<Action>,
    action_by_id: HashMap<Guid, u32>,
    actions_of: HashMap<u32, Vec<u32>>,
    pub(crate) alerts: Vec<Alert>,
    alert_by_id: HashMap<Arc<str>, u32>,
    alert_edits: Vec<AlertEdit>,
    /// Incidents, oldest first.
    pub incidents: Vec<Incident>,
    /// When something happens by itself: the instant and whom it concerns.
    due: BTreeSet<(Timestamp, life::Due)>,
    now: Timestamp,
    random: Random,
}

impl Tenant {
    /// A tenant without devices, as of `now`.
    #[must_use]
    pub fn empty(config: &Config, now: Timestamp) -> Self {
        Self {
            id: config.tenant_id.clone(),
            behaviour: config.behaviour.clone(),
            groups: Vec::new(),
            machines: Vec::new(),
            by_id: HashMap::new(),
            by_name: HashMap::new(),
            actions: Vec::new(),
            action_by_id: HashMap::new(),
            actions_of: HashMap::new(),
            alerts: Vec::new(),
            alert_by_id: HashMap::new(),
            alert_edits: Vec::new(),
            incidents: Vec::new(),
            due: BTreeSet::new(),
            now,
            random: Random::new(config.seed, 0x7465_6e61_6e74),
        }
    }

    /// The instant up to which the tenant has lived.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// A GUID never given before.
    pub fn guid(&mut self) -> Guid {
        self.random.guid()
    }

    /// The generator for ids and jitter.
    pub(crate) const fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// Adds a machine and returns its row.
    pub fn add_machine(&mut self, machine: Machine) -> u32 {
        let row = u32::try_from(self.machines.len()).unwrap_or(u32::MAX);
        self.by_id.insert(machine.id, row);
        if let Some(name) = machine.name.as_deref().filter(|name| !name.is_empty()) {
            self.by_name.entry(name.to_lowercase().into()).or_default().push(row);
        }
        self.machines.push(machine);
        row
    }

    /// Every machine record, discovered and merged ones too.
    #[must_use]
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// The machine in a row.
    #[must_use]
    pub fn machine(&self, row: u32) -> Option<&Machine> {
        self.machines.get(row as usize)
    }

    /// The machine in a row, to be changed. Its id and name stay as they are: they are indexed.
    pub fn machine_mut(&mut self, row: u32) -> Option<&mut Machine> {
        self.machines.get_mut(row as usize)
    }

    /// The row of a device id or a computer name. Of several records with that name, the one seen last wins.
    #[must_use]
    pub fn find(&self, id_or_name: &str) -> Option<u32> {
        if let Some(row) = MachineId::parse(id_or_name).and_then(|id| self.by_id.get(&id)) {
            return Some(*row);
        }
        let rows = self.by_name.get(id_or_name.to_lowercase().as_str())?;
        let live = |row: &&u32| {
            self.machine(**row).map(|m| (m.merged_into.is_none(), m.last_seen(self.now)))
        };
        rows.iter().max_by_key(live).copied()
    }

    /// The group of a machine; `None` for ungrouped.
    #[must_use]
    pub fn group(&self, id: u32) -> Option<&Group> {
        self.groups.iter().find(|group| group.id == id)
    }

    /// Every action, oldest first.
    #[must_use]
    pub fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// The action in a row.
    #[must_use]
    pub fn action(&self, row: u32) -> Option<&Action> {
        self.actions.get(row as usize)
    }

    /// The row of an action id.
    #[must_use]
    pub fn find_action(&self, id: &str) -> Option<u32> {
        self.action_by_id.get(&Guid::parse(id)?).copied()
    }

    /// The rows of a machine's actions, oldest first.
    #[must_use]
    pub fn actions_of(&self, machine: u32) -> &[u32] {
        self.actions_of.get(&machine).map_or(&[], Vec::as_slice)
    }

    /// Adds an action as it is, without starting anything; returns its row.
    pub fn add_action(&mut self, action: Action) -> u32 {
        let row = u32::try_from(self.actions.len()).unwrap_or(u32::MAX);
        self.action_by_id.insert(action.id, row);
        self.actions_of.entry(action.machine).or_default().push(row);
        self.actions.push(action);
        row
    }

    /// Adds an alert and returns its row.
    pub fn add_alert(&mut self, alert: Alert) -> u32 {
        let row = u32::try_from(self.alerts.len()).unwrap_or(u32::MAX);
        self.alert_by_id.insert(Arc::clone(&alert.id), row);
        self.alerts.push(alert);
        row
    }

    /// Every alert, oldest first.
    #[must_use]
    pub fn alerts(&self) -> &[Alert] {
        &self.alerts
    }

    /// The row of an alert id.
    #[must_use]
    pub fn find_alert(&self, id: &str) -> Option<u32> {
        self.alert_by_id.get(id).copied()
    }

    /// The alert in a row.
    #[must_use]
    pub fn alert(&self, row: u32) -> Option<&Alert> {
        self.alerts.get(row as usize)
    }

    /// The alert in a row, to be changed. Its id stays as it is.
    pub fn alert_mut(&mut self, row: u32) -> Option<&mut Alert> {
        self.alerts.get_mut(row as usize)
    }

    /// Lets somebody change an alert or comment on it, and notes who did.
    pub fn edit_alert(&mut self, row: u32, by: &str, at: Timestamp, edit: impl FnOnce(&mut Alert)) {
        let Some(alert) = self.alerts.get_mut(row as usize) else { return };
        let (before, comments) = (alert.handling(), alert.comments.len());
        edit(alert);
        alert.updated = at;
        let comment = alert.comments.get(comments).map(|comment| Arc::clone(&comment.text));
        let (after, by) = (alert.handling(), Arc::from(by));
        self.alert_edits.push(AlertEdit { alert: row, by, at, before, after, comment });
    }

    /// What was done to alerts since the tenant began, oldest first.
    #[must_use]
    pub fn alert_edits(&self) -> &[AlertEdit] {
        &self.alert_edits
    }

    /// What is truly in force on a device, found by id or name; no machine record shows it.
    #[must_use]
    pub fn posture(&self, device: &str) -> Option<(Isolation, Restriction)> {
        let machine = self.machine(self.find(device)?)?;
        Some((machine.posture.isolation, machine.posture.restriction))
    }
}
