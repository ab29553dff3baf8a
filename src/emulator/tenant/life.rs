//! The life of actions in time: picked up, ended, timed out; and what an end does to the device.
//!
//! Pending → InProgress → Succeeded or Failed while the device is reachable; an unreachable one
//! leaves the action Pending until it comes back or patience ends (72 hours, then TimeOut). Only
//! [`Tenant::advance`] moves time.

use jiff::{SignedDuration, Timestamp};

use crate::emulator::random::mix;
use crate::emulator::tenant::Tenant;
use crate::emulator::tenant::action::{Action, Containment};
use crate::emulator::tenant::machine::Posture;
use crate::model::{ActionKind, ActionStatus, Isolation, Restriction, ScanType};

/// Whom an instant concerns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// A device comes back or goes.
    Reachable(u32, bool),
    /// An action's next state.
    Action(u32),
    /// The end of patience with an action.
    Expiry(u32),
}

/// `E_FAIL` as the wire shows it: a signed 32-bit number.
const FAILED: i32 = -2_147_467_259;

impl Tenant {
    /// Lets everything due up to and including `now` happen, in order.
    pub fn advance(&mut self, now: Timestamp) {
        while let Some(&(at, due)) = self.due.first() {
            if at > now {
                break;
            }
            self.due.remove(&(at, due));
            self.now = self.now.max(at);
            match due {
                Due::Reachable(machine, online) => self.turn(machine, online, at),
                Due::Action(row) => self.step(row, at),
                Due::Expiry(row) => self.expire(row, at),
            }
        }
        self.now = self.now.max(now);
    }

    /// When something happens by itself next.
    #[must_use]
    pub fn next_event(&self) -> Option<Timestamp> {
        self.due.first().map(|(at, _)| *at)
    }

    /// The device becomes reachable or unreachable at once. One that comes back picks up what waits.
    pub fn set_online(&mut self, machine: u32, online: bool, now: Timestamp) {
        self.advance(now);
        self.turn(machine, online, now);
    }

    /// The device becomes reachable or unreachable at that instant.
    pub fn set_online_at(&mut self, machine: u32, online: bool, at: Timestamp) {
        self.due.insert((at, Due::Reachable(machine, online)));
    }

    /// Sets what is truly in force, without any action: drift (a Linux administrator's iptables
    /// rule, a force-release script) or the consequence of seeded history.
    pub fn set_posture(&mut self, machine: u32, posture: Posture) {
        if let Some(machine) = self.machine_mut(machine) {
            machine.posture = posture;
        }
    }

    /// The next `count` actions of the machine fail on the device.
    pub fn fail_next(&mut self, machine: u32, count: u32) {
        if let Some(machine) = self.machine_mut(machine) {
            machine.failures = count;
        }
    }

    /// Lets an active action that was added as it is go on from here.
    pub(crate) fn resume(&mut self, row: u32, now: Timestamp) {
        self.start_waiting(row);
        self.dispatch(row, now);
    }

    fn turn(&mut self, row: u32, online: bool, at: Timestamp) {
        let Some(machine) = self.machine_mut(row) else { return };
        if machine.online == online {
            return;
        }
        // The last report before the silence, or the first after it.
        machine.reported = if online { at } else { machine.last_seen(at) };
        machine.online = online;
        if online {
            machine.base_health = crate::model::Health::Active;
        }
        let waiting: Vec<u32> = self.actions_of(row).to_vec();
        for action in waiting {
            if !self.action(action).is_some_and(Action::is_active) {
                continue;
            }
            if online {
                self.dispatch(action, at);
            } else {
                self.halt(action);
            }
        }
    }

    /// Counts patience with a new action.
    pub(super) fn start_waiting(&mut self, row: u32) {
        if let Some(created) = self.action(row).map(|action| action.created) {
            let end = self.patience_end(created);
            self.due.insert((end, Due::Expiry(row)));
        }
    }

    pub(super) fn stop_waiting(&mut self, (created, row): (Timestamp, u32)) {
        let end = self.patience_end(created);
        self.due.remove(&(end, Due::Expiry(row)));
    }

    fn patience_end(&self, created: Timestamp) -> Timestamp {
        created.checked_add(self.behaviour.patience).unwrap_or(Timestamp::MAX)
    }

    /// Hands an active action to its device, if that is reachable.
    pub(super) fn dispatch(&mut self, row: u32, now: Timestamp) {
        let Some(action) = self.action(row) else { return };
        let contains = action.isolation == Some(Containment::UnManagedDevice);
        let reachable = self.machine(action.machine).is_some_and(|m| m.online || contains);
        if !reachable || action.stuck || action.next.is_some() {
            return;
        }
        let pace = u64::from_le_bytes(action.id.0.first_chunk().copied().unwrap_or_default());
        let pickup = jitter(self.behaviour.durations.pickup, pace);
        let whole = jitter(self.typical(action), mix(pace));
        let add = |span| now.checked_add(span).unwrap_or(Timestamp::MAX);
        let in_progress = action.status == ActionStatus::InProgress;
        let (next, ends) = (add(pickup), add(whole.max(pickup)));
        self.schedule(row, if in_progress { ends } else { next }, ends);
    }

    fn schedule(&mut self, row: u32, next: Timestamp, ends: Timestamp) {
        self.halt(row);
        if let Some(action) = self.actions.get_mut(row as usize) {
            action.next = Some(next);
            action.ends = Some(ends);
            self.due.insert((next, Due::Action(row)));
        }
    }

    /// The action waits for its device again.
    fn halt(&mut self, row: u32) {
        let Some(action) = self.actions.get_mut(row as usize) else { return };
        action.ends = None;
        if let Some(next) = action.next.take() {
            self.due.remove(&(next, Due::Action(row)));
        }
    }

    /// Lets an action end later than it would.
    pub(super) fn postpone(&mut self, row: u32, ends: Timestamp) {
        let Some(action) = self.action(row) else { return };
        let Some(next) = action.next else { return };
        let at_end = action.status == ActionStatus::InProgress;
        self.schedule(row, if at_end { ends } else { next }, ends);
    }

    fn typical(&self, action: &Action) -> SignedDuration {
        let durations = &self.behaviour.durations;
        match (&action.kind, action.scan) {
            (ActionKind::Isolate, _) => durations.isolate,
            (ActionKind::Unisolate, _) => durations.unisolate,
            (ActionKind::RunAntiVirusScan, Some(ScanType::Full)) => durations.full_scan,
            (ActionKind::RunAntiVirusScan, _) => durations.quick_scan,
            (ActionKind::StopAndQuarantineFile, _) => durations.quarantine,
            (ActionKind::CollectInvestigationPackage, _) => durations.package,
            (ActionKind::Offboard, _) => durations.offboard,
            _ => durations.restrict,
        }
    }

    /// The action's next state by itself.
    fn step(&mut self, row: u32, at: Timestamp) {
        let Some(action) = self.actions.get_mut(row as usize) else { return };
        action.next = None;
        if action.status == ActionStatus::Pending {
            action.status = ActionStatus::InProgress;
            action.updated = at;
            let ends = action.ends.unwrap_or(at).max(at);
            self.schedule(row, ends, ends);
        } else if action.is_active() {
            self.end(row, at);
        }
    }

    fn end(&mut self, row: u32, at: Timestamp) {
        let per_mille = u64::from(self.behaviour.failures_per_mille);
        let unlucky = per_mille > 0 && self.random().chance(per_mille, 1_000);
        let Some(action) = self.actions.get_mut(row as usize) else { return };
        let scripted = self.machines.get_mut(action.machine as usize).is_some_and(|machine| {
            let fails = machine.failures > 0;
            machine.failures = machine.failures.saturating_sub(1);
            fails
        });
        let failed = unlucky || scripted;
        action.updated = at;
        action.status = if failed { ActionStatus::Failed } else { ActionStatus::Succeeded };
        action.error = if failed { FAILED } else { 0 };
        let (created, ended) = (action.created, action.clone());
        self.stop_waiting((created, row));
        self.take_effect(&ended, at);
        if ended.kind == ActionKind::Unisolate && !failed {
            self.unstick(ended.machine, at);
        }
    }

    /// What the end of an action does to its device.
    fn take_effect(&mut self, action: &Action, at: Timestamp) {
        let failed = action.status == ActionStatus::Failed;
        let Some(machine) = self.machine_mut(action.machine) else { return };
        if action.kind == ActionKind::RunAntiVirusScan {
            let scan = action.scan.unwrap_or(ScanType::Quick);
            if let Some(av) = machine.av.as_deref_mut() {
                let (result, error) =
                    if failed { ("Failed", "0x80004005") } else { ("Completed", "") };
                av.note(scan, result, error, at);
            }
        }
        if failed {
            return;
        }
        let posture = &mut machine.posture;
        match action.kind {
            ActionKind::Isolate => {
                let isolation = action.isolation.unwrap_or(Containment::Full);
                posture.contained = isolation == Containment::UnManagedDevice;
                posture.isolation = isolation.posture();
            }
            ActionKind::Unisolate => {
                posture.isolation = Isolation::Free;
                posture.contained = false;
            }
            ActionKind::RestrictCodeExecution => posture.restriction = Restriction::Restricted,
            ActionKind::UnrestrictCodeExecution => posture.restriction = Restriction::Unrestricted,
            // The sensor stops; the record stays `Onboarded` and turns inactive after a week.
            ActionKind::Offboard => {
                machine.reported = machine.last_seen(at);
                machine.online = false;
            }
            _ => {}
        }
    }

    /// An isolation that was stuck goes ahead after the release that should have ended it.
    fn unstick(&mut self, machine: u32, at: Timestamp) {
        let stuck =
            self.actions_of(machine).iter().copied().find(|row| {
                self.action(*row).is_some_and(|action| action.is_active() && action.stuck)
            });
        if let Some(row) = stuck {
            if let Some(action) = self.actions.get_mut(row as usize) {
                action.stuck = false;
            }
            self.dispatch(row, at);
        }
    }

    fn expire(&mut self, row: u32, at: Timestamp) {
        self.halt(row);
        if let Some(action) = self.actions.get_mut(row as usize).filter(|action| action.is_active())
        {
            action.status = ActionStatus::TimeOut;
            action.updated = at;
        }
    }
}

/// A span that deviates by up to 15 % either way, in whole ticks.
fn jitter(span: SignedDuration, pace: u64) -> SignedDuration {
    let per_mille = i128::from(850 + mix(pace) % 301);
    let nanos = span.as_nanos() * per_mille / 1_000;
    SignedDuration::from_nanos_i128(nanos - nanos % 100)
}
