//! From the action history to readings: what posture a device is in, who put it there, since when.
//!
//! The service has no field for isolation or code restriction: posture is what the history says.
//! Per device and facet:
//!
//! - An ambiguous record or an incomplete history makes the reading `Unknown`.
//! - The latest *succeeded* action of the facet's kinds counts, by completion (`updated`), then by
//!   creation, then by id, because completion is not in the order of submission. None: free.
//! - An `Isolate` whose `scope` is null counts as full: the stronger state is the safer guess, and
//!   `Placement::assumed` says that it is one. Our own client asks for the type it wants, so a
//!   planner may take an assumed placement of ours for the type it would place itself.
//! - Any action that has not ended makes the reading `Changing` towards the newest created of
//!   them, however old it is: a forgotten `Pending` has been seen to win later.
//! - `TimeOut`, `Failed` and `Cancelled` change nothing.
//!
//! Ownership is the marker at the end of the comment. It is believed only on actions that came
//! through the API: a request source that names anything else (the portal) means that a person
//! typed or pasted it. A missing source is believed, because captures lack it now and then.
//!
//! Who cancelled one of our placements is told by the marker in the cancellation's comment, else by
//! its requestor. Without either, or where the requestor is the one who had asked for the action,
//! nobody can tell it from a cancelling of ours, and it is none of somebody else.
//!
//! Called by the planner and reports; reads nothing but the inventory.

use std::sync::Arc;

use jiff::Timestamp;

use crate::inventory::record::{ActionRow, Cancelled, What};
use crate::inventory::view::{Dev, Inventory};
use crate::model::{
    ActionId, ActionKind, ActionStatus, ChangeId, Facet, Holder, Isolation, Marker, PolicyName,
    Reading, Restriction, UnknownReason, WorkspaceId,
};

/// What is known of one facet of one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts<T> {
    /// The value, or why there is none.
    pub reading: Reading<T>,
    /// Who put the device into its settled state; `Nobody` when it is free or unknown.
    pub holder: Holder,
    /// The succeeded action that put the settled state there; absent when the device is free.
    pub placed: Option<Placement>,
    /// The newest created action of the facet's kinds, whatever its state.
    pub newest: Option<ActionId>,
}

/// The action that put a device into a restrictive state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// Its id.
    pub action: ActionId,
    /// When it was verified as succeeded (UTC): a lease starts here.
    pub completed: Timestamp,
    /// Who asked for it.
    pub by: Holder,
    /// `requestor`, as the service gave it; untrusted text.
    pub requestor: Arc<str>,
    /// The whole comment; untrusted text.
    pub comment: Arc<str>,
    /// The service did not say how strong the state is; the strongest is assumed.
    pub assumed: bool,
}

/// One lease that a policy of this workspace took on a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taking {
    /// The policy of the marker.
    pub policy: PolicyName,
    /// The change of the first placing action's marker.
    pub change: ChangeId,
    /// The first placing action.
    pub action: ActionId,
    /// When the posture was first verified (UTC).
    pub started: Timestamp,
    /// When it ended: by a release, or by a placement that somebody else made over it.
    pub ended: Option<Timestamp>,
}

/// A facet whose posture is kept by pairs of actions.
trait Posture: Copy + PartialEq {
    const FREE: Self;
    /// The state that an action leads to, and whether its strength is a guess.
    fn of(action: &ActionRow) -> Option<(Self, bool)>;
}

impl Posture for Isolation {
    const FREE: Self = Self::Free;
    fn of(action: &ActionRow) -> Option<(Self, bool)> {
        match action.kind {
            // `Free` as the type of an isolation says nothing either.
            ActionKind::Isolate => Some(match action.isolation {
                Some(strength) if strength != Self::Free => (strength, false),
                _ => (Self::Full, true),
            }),
            ActionKind::Unisolate => Some((Self::Free, false)),
            _ => None,
        }
    }
}

impl Posture for Restriction {
    const FREE: Self = Self::Unrestricted;
    fn of(action: &ActionRow) -> Option<(Self, bool)> {
        match action.kind {
            ActionKind::RestrictCodeExecution => Some((Self::Restricted, false)),
            ActionKind::UnrestrictCodeExecution => Some((Self::Unrestricted, false)),
            _ => None,
        }
    }
}

/// The isolation of a device.
#[must_use]
pub fn isolation(inventory: &Inventory, device: Dev, ours: &WorkspaceId) -> Facts<Isolation> {
    read(inventory, device, ours)
}

/// The code-execution restriction of a device.
#[must_use]
pub fn restriction(inventory: &Inventory, device: Dev, ours: &WorkspaceId) -> Facts<Restriction> {
    read(inventory, device, ours)
}

fn read<T: Posture>(inventory: &Inventory, device: Dev, ours: &WorkspaceId) -> Facts<T> {
    let actions = || inventory.actions(device).filter(|action| T::of(action).is_some());
    let newest = actions().max_by_key(|action| creation(action)).map(|action| action.id.clone());
    if let Some(reason) = unreadable(inventory, device) {
        let reading = Reading::Unknown(reason);
        return Facts { reading, holder: Holder::Nobody, placed: None, newest };
    }
    let settled = actions()
        .filter(|action| action.status == ActionStatus::Succeeded)
        .max_by_key(|action| completion(action));
    let (value, assumed) = settled.and_then(T::of).unwrap_or((T::FREE, false));
    let placed = settled.filter(|_| value != T::FREE).map(|action| place(action, assumed, ours));
    let holder = placed.as_ref().map_or(Holder::Nobody, |placement| placement.by.clone());
    let in_flight = actions()
        .filter(|action| !action.status.is_terminal())
        .max_by_key(|action| creation(action));
    let reading = match in_flight {
        Some(action) => Reading::Changing {
            from: value,
            to: T::of(action).map_or(value, |(value, _)| value),
            action: action.id.clone(),
            by: holder_of(action, ours),
        },
        None => Reading::Known(value),
    };
    Facts { reading, holder, placed, newest }
}

/// Why nothing can be read of any facet of the device, if so.
#[must_use]
pub fn unreadable(inventory: &Inventory, device: Dev) -> Option<UnknownReason> {
    if let Some(records) = inventory.ambiguous(device) {
        return Some(UnknownReason::Ambiguous { records });
    }
    inventory.is_partial(What::Actions).then_some(UnknownReason::HistoryPartial)
}

fn place(action: &ActionRow, assumed: bool, ours: &WorkspaceId) -> Placement {
    Placement {
        action: action.id.clone(),
        completed: action.updated,
        by: holder_of(action, ours),
        requestor: Arc::clone(&action.requestor),
        comment: Arc::clone(&action.comment),
        assumed,
    }
}

/// The order in which actions came to be.
fn creation(action: &ActionRow) -> (Timestamp, &ActionId) {
    (action.created, &action.id)
}

/// The order in which actions took effect.
pub(crate) fn completion(action: &ActionRow) -> (Timestamp, Timestamp, &ActionId) {
    (action.updated, action.created, &action.id)
}

/// Who asked for an action: by its marker when it came through the API, else by `requestor`.
#[must_use]
pub fn holder_of(action: &ActionRow, ours: &WorkspaceId) -> Holder {
    let by_api = action.source.is_empty() || action.source.eq_ignore_ascii_case("PublicApi");
    match Marker::find(&action.comment).filter(|_| by_api) {
        Some(marker) if marker.workspace == *ours => {
            Holder::Ours { policy: marker.policy, change: marker.change }
        }
        Some(marker) => Holder::OtherWorkspace { workspace: marker.workspace },
        None if action.requestor.trim().is_empty() => Holder::Nobody,
        None => Holder::Named { requestor: Arc::clone(&action.requestor) },
    }
}

/// Leases that this workspace's policies took on a device, oldest first. Placements of one policy
/// without a release or another's placement between them are one taking. Facets other than
/// isolation and code execution have none.
#[must_use]
pub fn takings(
    inventory: &Inventory,
    device: Dev,
    facet: Facet,
    ours: &WorkspaceId,
) -> Vec<Taking> {
    match facet {
        Facet::Isolation => takings_of::<Isolation>(inventory, device, ours),
        Facet::CodeExecution => takings_of::<Restriction>(inventory, device, ours),
        _ => Vec::new(),
    }
}

fn takings_of<T: Posture>(inventory: &Inventory, device: Dev, ours: &WorkspaceId) -> Vec<Taking> {
    let mut done: Vec<(&ActionRow, T)> = inventory
        .actions(device)
        .filter(|action| action.status == ActionStatus::Succeeded)
        .filter_map(|action| Some((action, T::of(action)?.0)))
        .collect();
    done.sort_by_key(|(action, _)| completion(action));
    let mut takings: Vec<Taking> = Vec::new();
    for (action, value) in done {
        let owner = match holder_of(action, ours) {
            Holder::Ours { policy, change } if value != T::FREE => Some((policy, change)),
            _ => None,
        };
        let running = takings.last_mut().filter(|taking| taking.ended.is_none());
        if let (Some(taking), Some((policy, _))) = (&running, &owner)
            && taking.policy == *policy
        {
            continue;
        }
        if let Some(taking) = running {
            taking.ended = Some(action.updated);
        }
        if let Some((policy, change)) = owner {
            let (action, started) = (action.id.clone(), action.updated);
            takings.push(Taking { policy, change, action, started, ended: None });
        }
    }
    takings
}

/// A placement of ours that somebody else cancelled before it took effect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalledOff<'a> {
    /// The policy of the marker.
    pub policy: PolicyName,
    /// The action.
    pub action: &'a ActionRow,
    /// Who cancelled it: never this workspace, never nobody.
    pub by: Holder,
    /// When (UTC).
    pub at: Timestamp,
}

/// Placements of ours on a device that somebody else cancelled, by when that was.
#[must_use]
pub fn called_off<'a>(
    inventory: &'a Inventory,
    device: Dev,
    facet: Facet,
    ours: &WorkspaceId,
) -> Vec<CalledOff<'a>> {
    let places = |action: &&ActionRow| {
        let kind = &action.kind;
        match facet {
            Facet::Isolation => *kind == ActionKind::Isolate,
            Facet::CodeExecution => *kind == ActionKind::RestrictCodeExecution,
            _ => false,
        }
    };
    let called = |action: &'a ActionRow| {
        let Holder::Ours { policy, .. } = holder_of(action, ours) else { return None };
        let cancelled = action.cancelled.as_deref()?;
        let by = canceller(action, cancelled, ours)?;
        Some(CalledOff { policy, action, by, at: cancelled.at })
    };
    let cancelled = |action: &&ActionRow| action.status == ActionStatus::Cancelled;
    let actions = inventory.actions(device).filter(places).filter(cancelled);
    let mut found: Vec<_> = actions.filter_map(called).collect();
    found.sort_by_key(|off| (off.at, creation(off.action)));
    found
}

/// Who cancelled an action of ours, when it certainly was not this workspace.
fn canceller(action: &ActionRow, cancelled: &Cancelled, ours: &WorkspaceId) -> Option<Holder> {
    let requestor = cancelled.requestor.trim();
    match Marker::find(&cancelled.comment) {
        Some(marker) if marker.workspace == *ours => None,
        Some(marker) => Some(Holder::OtherWorkspace { workspace: marker.workspace }),
        None if requestor.is_empty() => None,
        None if requestor.eq_ignore_ascii_case(action.requestor.trim()) => None,
        None => Some(Holder::Named { requestor: Arc::clone(&cancelled.requestor) }),
    }
}

#[cfg(test)]
mod tests;
