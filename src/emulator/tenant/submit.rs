//! Taking orders: a new machine action, its conflicts with active ones, its cancellation.
//!
//! Called by the Defender API's handlers after token, roles, body, machine and platform were checked,
//! and by tests and scenarios that act as an analyst or another application.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::emulator::config::Conflicts;
use crate::emulator::dates;
use crate::emulator::tenant::Tenant;
use crate::emulator::tenant::action::{Action, Cancellation, Containment, FileRef, opposite};
use crate::emulator::tenant::life::Due;
use crate::model::{ActionKind, ActionStatus, Isolation, ScanType};

/// Who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// User principal name of a person, display name of an application.
    pub requestor: Arc<str>,
    /// `requestSource`.
    pub source: Arc<str>,
}

impl Actor {
    /// An application that calls the API.
    #[must_use]
    pub fn app(name: &str) -> Self {
        Self { requestor: Arc::from(name), source: Arc::from("PublicApi") }
    }

    /// A person in the portal.
    #[must_use]
    pub fn person(upn: &str) -> Self {
        Self { requestor: Arc::from(upn), source: Arc::from("Portal") }
    }
}

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The type of the action.
    pub kind: ActionKind,
    /// Isolation asked for.
    pub isolation: Option<Containment>,
    /// Scan asked for.
    pub scan: Option<ScanType>,
    /// The file to quarantine.
    pub file: Option<FileRef>,
    /// The comment.
    pub comment: Arc<str>,
    /// Correlation id the caller gave.
    pub external_id: Option<Arc<str>>,
}

impl Order {
    /// An order with nothing but a comment.
    #[must_use]
    pub fn new(kind: ActionKind, comment: &str) -> Self {
        Self {
            kind,
            isolation: None,
            scan: None,
            file: None,
            comment: Arc::from(comment),
            external_id: None,
        }
    }

    /// Isolation of that type.
    #[must_use]
    pub fn isolate(isolation: Containment, comment: &str) -> Self {
        Self { isolation: Some(isolation), ..Self::new(ActionKind::Isolate, comment) }
    }

    /// A scan of that type.
    #[must_use]
    pub fn scan(scan: ScanType, comment: &str) -> Self {
        Self { scan: Some(scan), ..Self::new(ActionKind::RunAntiVirusScan, comment) }
    }
}

/// What became of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Submission {
    /// A new action in that row.
    New(u32),
    /// The action of that kind that is already active.
    Existing(u32),
    /// Refused: one is already active.
    Conflict,
}

impl Tenant {
    /// Takes an order for a machine. Only actions of the same type conflict; opposite ones are
    /// accepted and may end in any order.
    pub fn submit(
        &mut self,
        machine: u32,
        actor: &Actor,
        order: Order,
        now: Timestamp,
    ) -> Submission {
        self.advance(now);
        if let Some(row) = self.active(machine, &order.kind) {
            let age = self
                .action(row)
                .map_or(SignedDuration::ZERO, |old| now.duration_since(old.created));
            let refuse = match self.behaviour.conflicts {
                Conflicts::ReturnExisting => false,
                Conflicts::Reject => true,
                Conflicts::TimeBased => age > self.behaviour.conflict_grace,
            };
            return if refuse { Submission::Conflict } else { Submission::Existing(row) };
        }
        Submission::New(self.accept(machine, actor, order, now))
    }

    /// A person or an application acts without passing through the API's checks.
    pub fn act_as(
        &mut self,
        actor: &Actor,
        device: &str,
        order: Order,
        now: Timestamp,
    ) -> Option<u32> {
        let machine = self.find(device)?;
        match self.submit(machine, actor, order, now) {
            Submission::New(row) | Submission::Existing(row) => Some(row),
            Submission::Conflict => None,
        }
    }

    /// The active action of a type on a machine.
    #[must_use]
    pub fn active(&self, machine: u32, kind: &ActionKind) -> Option<u32> {
        let rows = self.actions_of(machine).iter().rev().copied();
        rows.into_iter().find(|row| {
            self.action(*row).is_some_and(|action| action.is_active() && action.kind == *kind)
        })
    }

    fn accept(&mut self, machine: u32, actor: &Actor, order: Order, now: Timestamp) -> u32 {
        let created = dates::whole_ticks(now);
        // Creation and last update of a new action differ by a few hundred nanoseconds.
        let lag = SignedDuration::from_nanos(100 * (2 + self.random().below(14).cast_signed()));
        let isolated =
            self.machine(machine).is_some_and(|m| m.posture.isolation != Isolation::Free);
        let stuck =
            order.kind == ActionKind::Isolate && isolated && self.behaviour.reisolation_sticks;
        let id = self.guid();
        let row = self.add_action(Action {
            id,
            kind: order.kind,
            requestor: Arc::clone(&actor.requestor),
            comment: order.comment,
            status: ActionStatus::Pending,
            machine,
            created,
            updated: created.checked_add(lag).unwrap_or(created),
            cancellation: None,
            error: 0,
            isolation: order.isolation,
            scan: order.scan,
            external_id: order.external_id,
            source: Arc::clone(&actor.source),
            file: order.file.map(Box::new),
            next: None,
            ends: None,
            stuck,
        });
        self.start_waiting(row);
        self.dispatch(row, created);
        if self.behaviour.out_of_order {
            self.overtake(row);
        }
        row
    }

    /// Lets the opposite action that is in flight end after the new one.
    fn overtake(&mut self, row: u32) {
        let Some(action) = self.action(row) else { return };
        let Some(ends) = action.ends else { return };
        let machine = action.machine;
        let Some(other) = opposite(&action.kind).and_then(|kind| self.active(machine, &kind))
        else {
            return;
        };
        let late = ends.checked_add(SignedDuration::from_secs(5)).unwrap_or(ends);
        self.postpone(other, late);
    }

    /// Cancels an action that has not ended; `false` when it has.
    pub fn cancel(
        &mut self,
        row: u32,
        actor: &Actor,
        comment: Option<&str>,
        now: Timestamp,
    ) -> bool {
        self.advance(now);
        let now = dates::whole_ticks(now);
        let Some(action) = self.actions.get_mut(row as usize) else { return false };
        if !action.is_active() {
            return false;
        }
        action.status = ActionStatus::Cancelled;
        action.updated = now;
        action.cancellation = Some(Box::new(Cancellation {
            requestor: Arc::clone(&actor.requestor),
            comment: comment.map(Arc::from),
            at: now,
        }));
        let (machine, scan, next) = (action.machine, action.scan, action.next.take());
        let expiry = (action.created, row);
        if let Some(next) = next {
            self.due.remove(&(next, Due::Action(row)));
        }
        self.stop_waiting(expiry);
        if let (Some(scan), true) = (scan, next.is_some())
            && let Some(av) = self.machine_mut(machine).and_then(|m| m.av.as_deref_mut())
        {
            av.note(scan, "Canceled", "", now);
        }
        true
    }
}
