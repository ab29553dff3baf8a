//! What analysts and other applications did before: half a year of machine actions, a few still in
//! flight, and the posture they left behind.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::emulator::defender::endpoint::Ordered;
use crate::emulator::defender::platform;
use crate::emulator::random::Random;
use crate::emulator::seed::{DAY, Seeder, names};
use crate::emulator::tenant::action::{Cancellation, Containment, FileRef};
use crate::emulator::tenant::machine::Posture;
use crate::emulator::tenant::{Action, Actor, Tenant};
use crate::model::{ActionKind, ActionStatus, Isolation, Restriction, ScanType};

/// One past action, before it has an id.
struct Past {
    machine: u32,
    kind: ActionKind,
    isolation: Option<Containment>,
    scan: Option<ScanType>,
    status: ActionStatus,
    created: Timestamp,
    /// How many seconds it took.
    took: u64,
}

/// Most actions a seeded history has.
const MOST: u32 = 250_000;

/// Writes the history, oldest first, and puts its effects in force.
pub(super) fn write(seeder: &mut Seeder, tenant: &mut Tenant) {
    let mut past = cast(seeder);
    let stride = (seeder.devices / MOST).max(1);
    for row in (12..seeder.devices).filter(|row| row % stride == 0) {
        device(seeder, tenant, row, &mut past);
    }
    past.retain(|one| fits(tenant, one));
    past.sort_by_key(|one| (one.created, one.machine));
    for mut one in past {
        // Patience with younger ones has not ended yet: they failed instead.
        let patient = seeder.now.duration_since(one.created) <= tenant.behaviour.patience;
        if patient && one.status == ActionStatus::TimeOut {
            one.status = ActionStatus::Failed;
        }
        add(seeder, tenant, &one);
    }
}

/// What the first rows went through: isolated by an analyst, restricted by another application,
/// a scan in flight, an isolation that waits for its offline device.
fn cast(seeder: &Seeder) -> Vec<Past> {
    let mut random = seeder.random(3, u32::MAX);
    let mut one = |machine, kind: ActionKind, status, least, most| Past {
        machine,
        isolation: (kind == ActionKind::Isolate).then_some(Containment::Full),
        scan: (kind == ActionKind::RunAntiVirusScan).then_some(ScanType::Quick),
        kind,
        status,
        created: seeder.ago(&mut random, least, most),
        took: 66,
    };
    let mut all = vec![
        one(7, ActionKind::Isolate, ActionStatus::Succeeded, 2 * DAY, 6 * DAY),
        one(3, ActionKind::RunAntiVirusScan, ActionStatus::Failed, DAY, 3 * DAY),
        one(9, ActionKind::RunAntiVirusScan, ActionStatus::Pending, 10, 40),
        one(5, ActionKind::RunAntiVirusScan, ActionStatus::Pending, 3_600, 2 * DAY),
        one(1, ActionKind::Isolate, ActionStatus::Succeeded, 20 * DAY, 30 * DAY),
        one(1, ActionKind::Unisolate, ActionStatus::Succeeded, 15 * DAY, 18 * DAY),
    ];
    all.retain(|past| past.machine < seeder.devices);
    all
}

/// What one device went through.
fn device(seeder: &Seeder, tenant: &Tenant, row: u32, past: &mut Vec<Past>) {
    let mut random = seeder.random(4, row);
    let online = tenant.machine(row).is_some_and(|machine| machine.online);
    let mut add = |random: &mut Random, kind: ActionKind, status, least, most| {
        past.push(Past {
            machine: row,
            isolation: (kind == ActionKind::Isolate).then(|| containment(random)),
            scan: (kind == ActionKind::RunAntiVirusScan).then(|| scan(random)),
            created: seeder.ago(random, least, most),
            took: 25 + random.below(90),
            kind,
            status,
        });
    };
    if random.chance(16, 100) {
        let status = ending(&mut random);
        add(&mut random, ActionKind::RunAntiVirusScan, status, 2 * 3_600, 90 * DAY);
    }
    match random.below(2_000) {
        // Isolated by somebody else, still so.
        0..=5 => {
            add(&mut random, ActionKind::Isolate, ActionStatus::Succeeded, DAY, 25 * DAY);
        }
        // Isolated and released.
        6..=29 => {
            add(&mut random, ActionKind::Isolate, ActionStatus::Succeeded, 40 * DAY, 170 * DAY);
            add(&mut random, ActionKind::Unisolate, ActionStatus::Succeeded, 5 * DAY, 39 * DAY);
        }
        30..=35 => {
            add(&mut random, ActionKind::Isolate, ActionStatus::TimeOut, 5 * DAY, 60 * DAY);
        }
        36..=41 => {
            let kind = ActionKind::RestrictCodeExecution;
            add(&mut random, kind, ActionStatus::Succeeded, DAY, 60 * DAY);
        }
        42..=49 => {
            let kind = ActionKind::RestrictCodeExecution;
            add(&mut random, kind, ActionStatus::Succeeded, 50 * DAY, 90 * DAY);
            let kind = ActionKind::UnrestrictCodeExecution;
            add(&mut random, kind, ActionStatus::Succeeded, DAY, 49 * DAY);
        }
        50..=69 => {
            let kind = ActionKind::CollectInvestigationPackage;
            let status = ending(&mut random);
            add(&mut random, kind, status, DAY, 120 * DAY);
        }
        70..=79 => {
            let kind = ActionKind::StopAndQuarantineFile;
            let status = ending(&mut random);
            add(&mut random, kind, status, DAY, 120 * DAY);
        }
        // In flight.
        80..=83 if online => {
            add(&mut random, ActionKind::RunAntiVirusScan, ActionStatus::Pending, 2, 20);
        }
        // Waiting for a device that is away.
        84..=183 if !online => {
            add(&mut random, ActionKind::Isolate, ActionStatus::Pending, 3_600, 2 * DAY);
        }
        // Older than what the service keeps.
        184..=189 => {
            let kind = ActionKind::RunAntiVirusScan;
            add(&mut random, kind, ActionStatus::Succeeded, 181 * DAY, 200 * DAY);
        }
        _ => {}
    }
}

fn containment(random: &mut Random) -> Containment {
    if random.chance(1, 4) { Containment::Selective } else { Containment::Full }
}

fn scan(random: &mut Random) -> ScanType {
    if random.chance(1, 3) { ScanType::Full } else { ScanType::Quick }
}

fn ending(random: &mut Random) -> ActionStatus {
    match random.below(100) {
        0..=4 => ActionStatus::Failed,
        5..=9 => ActionStatus::TimeOut,
        10..=13 => ActionStatus::Cancelled,
        _ => ActionStatus::Succeeded,
    }
}

/// Whether the device could have been told so.
fn fits(tenant: &Tenant, past: &Past) -> bool {
    let what = match past.kind {
        ActionKind::Isolate => Ordered::Isolate,
        ActionKind::Unisolate => Ordered::Unisolate,
        ActionKind::RestrictCodeExecution => Ordered::Restrict,
        ActionKind::UnrestrictCodeExecution => Ordered::Unrestrict,
        ActionKind::CollectInvestigationPackage => Ordered::Collect,
        ActionKind::StopAndQuarantineFile => Ordered::Quarantine,
        _ => Ordered::Scan,
    };
    let machine = tenant.machine(past.machine);
    machine.is_some_and(|machine| {
        machine.merged_into.is_none()
            && machine.first_seen <= past.created
            && platform::check(machine, what, past.isolation).is_ok()
    })
}

fn add(seeder: &mut Seeder, tenant: &mut Tenant, past: &Past) {
    let mut random = seeder.random(5, past.machine);
    let person = past.kind != ActionKind::RunAntiVirusScan || random.chance(1, 4);
    let names = if person { names::ANALYSTS } else { names::APPS };
    let name = random.pick(names).copied().unwrap_or("someone");
    let actor = if person { Actor::person(name) } else { Actor::app(name) };
    let comment = random.pick(names::COMMENTS).copied().unwrap_or_default();
    let waits = past.status == ActionStatus::Pending;
    let patience = tenant.behaviour.patience;
    let took = match past.status {
        _ if waits => SignedDuration::from_nanos(600),
        ActionStatus::TimeOut => patience,
        _ => SignedDuration::new(past.took.cast_signed(), ticks(&mut random)),
    };
    let updated = past.created.checked_add(took).unwrap_or(past.created).min(seeder.now);
    let cancelled = past.status == ActionStatus::Cancelled;
    let id = tenant.guid();
    let row = tenant.add_action(Action {
        id,
        kind: past.kind.clone(),
        requestor: seeder.word(name),
        comment: seeder.word(comment),
        status: past.status.clone(),
        machine: past.machine,
        created: past.created,
        updated,
        cancellation: cancelled.then(|| {
            let requestor = Arc::clone(&actor.requestor);
            Box::new(Cancellation {
                requestor,
                comment: Some(Arc::from("not needed")),
                at: updated,
            })
        }),
        error: if past.status == ActionStatus::Failed { -2_147_467_259 } else { 0 },
        isolation: past.isolation,
        scan: past.scan,
        external_id: None,
        source: actor.source,
        file: (past.kind == ActionKind::StopAndQuarantineFile).then(|| {
            let sha1: [u8; 20] = random.bytes();
            let identifier: String = sha1.iter().map(|byte| format!("{byte:02x}")).collect();
            Box::new(FileRef { identifier: Arc::from(identifier), kind: "Sha1" })
        }),
        next: None,
        ends: None,
        stuck: false,
    });
    if waits {
        tenant.resume(row, seeder.now);
    } else {
        effect(tenant, past, updated);
    }
}

fn ticks(random: &mut Random) -> i32 {
    i32::try_from(random.below(10_000_000) * 100).unwrap_or(0)
}

/// What the action left behind on its device.
fn effect(tenant: &mut Tenant, past: &Past, ended: Timestamp) {
    let Some(machine) = tenant.machine_mut(past.machine) else { return };
    if let (Some(scan), Some(av)) = (past.scan, machine.av.as_deref_mut()) {
        let record = if scan == ScanType::Full { &av.full } else { &av.quick };
        let result = match past.status {
            ActionStatus::Succeeded => "Completed",
            ActionStatus::Cancelled => "Canceled",
            _ => return,
        };
        if record.at.is_none_or(|at| at < ended) {
            av.note(scan, result, "", ended);
        }
    }
    if past.status != ActionStatus::Succeeded {
        return;
    }
    let posture = &mut machine.posture;
    *posture = match past.kind {
        ActionKind::Isolate => Posture {
            isolation: past.isolation.map_or(Isolation::Full, Containment::posture),
            ..*posture
        },
        ActionKind::Unisolate => Posture { isolation: Isolation::Free, ..*posture },
        ActionKind::RestrictCodeExecution => {
            Posture { restriction: Restriction::Restricted, ..*posture }
        }
        ActionKind::UnrestrictCodeExecution => {
            Posture { restriction: Restriction::Unrestricted, ..*posture }
        }
        _ => *posture,
    };
}
