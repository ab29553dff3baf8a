//! The reference model: what is truly the case in the tenant, and whose doing it is.
//!
//! It reads the fake tenant from behind, where nothing is lost, late or out of order, and judges by
//! a handful of plain rules. It knows neither the planner's readings nor the engine's phases.

use jiff::Timestamp;
use palisade::emulator::Tenant;
use palisade::emulator::tenant::Action;
use palisade::emulator::tenant::action::Containment;
use palisade::model::{ActionKind, ActionStatus, ScanType};

use super::policy::Traits;

/// An aspect of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Side {
    Network,
    Code,
    Scan,
}

pub(super) fn side(kind: &ActionKind) -> Option<Side> {
    match kind {
        ActionKind::Isolate | ActionKind::Unisolate => Some(Side::Network),
        ActionKind::RestrictCodeExecution | ActionKind::UnrestrictCodeExecution => Some(Side::Code),
        ActionKind::RunAntiVirusScan => Some(Side::Scan),
        _ => None,
    }
}

/// What an action asks for: 0 lets go, more is stronger.
pub(super) fn strength(action: &Action) -> u8 {
    match (&action.kind, action.isolation, action.scan) {
        (ActionKind::Isolate, Some(Containment::Selective), _) => 1,
        (ActionKind::Isolate, ..) => 2,
        (ActionKind::RestrictCodeExecution, ..) => 1,
        (ActionKind::RunAntiVirusScan, _, Some(ScanType::Full)) => 2,
        (ActionKind::RunAntiVirusScan, ..) => 1,
        _ => 0,
    }
}

/// The words of a marker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) site: String,
    pub(super) policy: String,
    pub(super) change: String,
}

/// The marker that ends a comment.
pub(super) fn mark(comment: &str) -> Option<Mark> {
    let body = comment.strip_suffix(']')?;
    let (_, words) = body.rsplit_once("[palisade ")?;
    let mut words = words.split(' ');
    let (site, policy) = words.next()?.split_once('/')?;
    let change = words.next()?;
    Some(Mark { site: site.into(), policy: policy.into(), change: change.into() })
}

/// The marker of an action, if a program wrote it: what is typed in the portal is a person's.
pub(super) fn marked(action: &Action) -> Option<Mark> {
    (&*action.source == "PublicApi").then(|| mark(&action.comment)).flatten()
}

pub(super) fn is_of(action: &Action, site: &str) -> bool {
    marked(action).is_some_and(|mark| mark.site == site)
}

/// What is in force on one side of a device.
#[derive(Clone, Debug)]
pub(super) struct Standing<'t> {
    pub(super) level: u8,
    /// The action that put it there; none for a device that is free.
    pub(super) by: Option<&'t Action>,
}

impl Standing<'_> {
    pub(super) fn is_of(&self, site: &str) -> bool {
        self.by.is_some_and(|action| is_of(action, site))
    }
}

/// The tenant, seen from behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Truth<'t>(pub(super) &'t Tenant);

impl<'t> Truth<'t> {
    /// The row of a device by the id that a plan uses.
    pub(super) fn row(self, id: &str) -> Option<u32> {
        self.0.find(id)
    }

    /// Everything that was done to a device, oldest first: for messages.
    pub(super) fn history(self, id: &str) -> Vec<&'t Action> {
        let rows = self.row(id).map_or(&[][..], |row| self.0.actions_of(row));
        rows.iter().filter_map(|row| self.0.action(*row)).collect()
    }

    pub(super) fn traits(self, row: u32) -> Traits {
        let machine = self.0.machine(row).unwrap();
        let group = self.0.group(machine.group).map(|group| group.name.to_string());
        // Whichever of its records they are about.
        let family = self.family(row);
        let about = |rows: &[u32]| rows.iter().any(|row| family.contains(row));
        let alerts = self.0.alerts().iter().filter(|alert| about(&alert.machines));
        Traits {
            tags: machine.tags.iter().map(ToString::to_string).collect(),
            group: group.unwrap_or_default(),
            row,
            alerts: alerts.map(|alert| alert.title.to_string()).collect(),
        }
    }

    /// The strongest that the service could do to the device on that side.
    pub(super) fn able(self, row: u32, side: Side, wanted: u8) -> bool {
        let platform = &*self.0.machine(row).unwrap().platform;
        match (platform, side) {
            ("Ubuntu", Side::Network) => wanted == 2,
            ("Ubuntu", Side::Code) | ("iOS", _) => false,
            _ => true,
        }
    }

    /// What was done to a device, whichever of its records it was done to.
    pub(super) fn actions(self, row: u32, of: Side) -> impl Iterator<Item = &'t Action> {
        self.family(row).into_iter().flat_map(move |row| self.actions_on(row, of))
    }

    /// What was done to one record.
    pub(super) fn actions_on(self, row: u32, of: Side) -> impl Iterator<Item = &'t Action> {
        let rows = self.0.actions_of(row).iter().filter_map(move |row| self.0.action(*row));
        rows.filter(move |action| side(&action.kind) == Some(of))
    }

    /// What was in force at that instant: the last success to come in says.
    pub(super) fn standing(self, row: u32, side: Side, at: Timestamp) -> Standing<'t> {
        let done = self
            .actions(row, side)
            .filter(|action| action.status == ActionStatus::Succeeded && action.updated <= at)
            .max_by_key(|action| (action.updated, action.created));
        match done {
            Some(action) if strength(action) > 0 => {
                Standing { level: strength(action), by: Some(action) }
            }
            _ => Standing { level: 0, by: None },
        }
    }

    /// Actions that were on their way at that instant.
    pub(super) fn in_flight(
        self,
        row: u32,
        side: Side,
        at: Timestamp,
    ) -> impl Iterator<Item = &'t Action> {
        self.actions(row, side).filter(move |action| {
            action.created <= at && (action.is_active() || action.updated > at)
        })
    }

    /// Whether nothing began or ended on that side since then.
    pub(super) fn is_quiet_since(self, row: u32, side: Side, since: Timestamp) -> bool {
        self.actions(row, side)
            .all(|action| action.created < since && (action.is_active() || action.updated < since))
    }
}
