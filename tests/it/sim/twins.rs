//! Several records of one device: what a fleet begins with, devices that are set up anew and get
//! another record, records that the service merges; and which of them is the device.
//!
//! In plain words: a merged record is the one that it was merged into. Of records with one name the
//! only one that is alive is the device and the others are older ones; when none or several are,
//! nobody knows. Nothing is ever done to a record that is not, for sure, the device. Must share
//! nothing with the inventory's rules but these words.

use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use palisade::emulator::tenant::machine::{Machine, MachineId};
use palisade::emulator::{Emulator, Tenant};
use palisade::inventory::{Inventory, What};
use palisade::model::Health;
use palisade::plan::{Plan, TargetKind};

use super::policy::{Doc, Kind, Pick};
use super::reference::Truth;
use super::runs::Around;
use super::transition::{Course, Draw, Transition};
use super::world::World;
use super::{Broken, Check};

/// A record that is not seen for so long is an old one.
const SILENT: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What becomes of a device's records.
#[derive(Clone, Copy, Debug)]
pub(super) enum Again {
    /// It is set up anew: another record, while the old one falls silent or not.
    SetUp { silent: bool },
    /// The service finds out: its records become one.
    Merged,
}

/// What a record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Record {
    Device,
    MergedAway,
    Older,
    InDoubt,
}

/// A few records more than devices, in some fleets.
pub(super) fn begin(draw: &mut Draw, tenant: &mut Tenant) {
    if !draw.chance(35) {
        return;
    }
    for nth in 0..1 + draw.below(2) {
        let (of, kind) = (draw.below(9), draw.below(5));
        // A record of a record: merges make chains.
        let of = if nth == 1 && draw.chance(50) { tenant.machines().len() - 1 } else { of };
        let Some(first) = tenant.machines().get(of).map(|machine| machine.id) else { continue };
        let row = another(tenant, u32::try_from(of).unwrap());
        match (kind, tenant.machine_mut(row)) {
            (0 | 1, Some(machine)) => machine.merged_into = Some(first),
            (2, Some(machine)) => machine.merged_into = Some(MachineId([7; 20])),
            (3, Some(machine)) => fall_silent(machine),
            _ => {}
        }
    }
}

/// Another record of the device, which looks like the one it has.
fn another(tenant: &mut Tenant, of: u32) -> u32 {
    let mut machine = tenant.machine(of).unwrap().clone();
    let mut id = [0; 20];
    (id[18], id[19]) = (1, u8::try_from(tenant.machines().len()).unwrap());
    machine.id = MachineId(id);
    machine.merged_into = None;
    machine.potential_duplicate = true;
    tenant.add_machine(machine)
}

fn fall_silent(machine: &mut Machine) {
    machine.reported -= SILENT + SignedDuration::from_hours(24);
    machine.base_health = Health::Inactive;
    machine.online = false;
}

/// What becomes of a device's records while a run is under way, so many seconds in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Midway {
    after: u64,
    device: usize,
    again: Again,
}

impl Midway {
    /// About that device, or any.
    pub(super) fn draw(draw: &mut Draw, device: Option<usize>) -> Self {
        let device = device.unwrap_or_else(|| draw.below(64));
        let again = match draw.chance(80) {
            true => Again::Merged,
            false => Again::SetUp { silent: draw.chance(50) },
        };
        Self { after: draw.pick(&[0, 1, 2, 5, 30, 70]), device, again }
    }
}

/// Lets it happen beside a run, and never ends by itself.
pub(super) async fn play(midway: Option<Midway>, around: &Around<'_>) {
    if let Some(Midway { after, device, again }) = midway {
        tokio::time::sleep(std::time::Duration::from_secs(after)).await;
        let name = &around.names[device % around.names.len()];
        let happened = change(around.emulator, name, around.clock.now(), again);
        let what = happened.map(|what| if what == "merged" { "merged midway" } else { what });
        around.told.lock().unwrap().extend(what);
    }
    std::future::pending::<()>().await;
}

/// A device held, set up anew and perhaps merged, between runs or while one is under way.
pub(super) fn draw(draw: &mut Draw, site: usize, life: &mut Vec<Transition>) {
    let device = draw.below(64);
    let again = draw.chance(85).then(|| Midway::draw(draw, Some(device)));
    let kind = Kind::Isolate { full: draw.chance(70) };
    let doc = Doc { kind, pick: Pick::Everything, audit: false, ..Doc::draw(draw) };
    let steps = [
        (50, Transition::Apply(site, Course::draw(draw))),
        (85, Transition::Again { device, again: Again::SetUp { silent: draw.chance(60) } }),
        (70, Transition::Edit { site, slot: draw.below(5), doc: Some(doc) }),
        (85, Transition::Apply(site, Course { again, ..Course::draw(draw) })),
        (40, Transition::Again { device, again: Again::SetUp { silent: draw.chance(70) } }),
        (30, Transition::Wait(draw.pick(&[60, 60 * 24 * 9]))),
        (70, Transition::Again { device, again: Again::Merged }),
        (80, Transition::Apply(site, Course::draw(draw))),
    ];
    for (percent, step) in steps {
        if draw.chance(percent) {
            life.push(step);
        }
    }
}

/// Lets it happen to a device.
pub(super) fn happen(world: &mut World, device: usize, again: Again) {
    let (name, now) = (world.names[device % world.names.len()].clone(), world.clock.now());
    if let Some(what) = change(world.shared(), &name, now, again) {
        world.count(what);
    }
}

/// What happened, for the tally.
fn change(
    emulator: &Mutex<Emulator>,
    name: &str,
    now: Timestamp,
    again: Again,
) -> Option<&'static str> {
    let mut emulator = emulator.lock().unwrap();
    let tenant = emulator.tenant_mut();
    tenant.advance(now);
    let records = unmerged(tenant, name);
    let last = records.last().copied()?;
    match again {
        Again::SetUp { .. } if records.len() > 2 => return None,
        Again::SetUp { silent } => set_up(tenant, last, silent, now),
        Again::Merged => merge(tenant, &records),
    }
    match again {
        Again::SetUp { .. } => Some("set up anew"),
        Again::Merged => (records.len() > 1).then_some("merged"),
    }
}

/// The device gets another record than its last one.
fn set_up(tenant: &mut Tenant, last: u32, silent: bool, now: Timestamp) {
    let row = another(tenant, last);
    let fresh = tenant.machine_mut(row).unwrap();
    (fresh.reported, fresh.first_seen, fresh.online) = (now, now, true);
    fresh.base_health = Health::Active;
    fresh.posture = palisade::emulator::tenant::machine::Posture::FREE;
    if silent {
        fall_silent(tenant.machine_mut(last).unwrap());
    }
}

/// In half of the lives the service has found out in the end.
pub(super) fn settle(world: &World) {
    let mut emulator = world.emulator();
    if emulator.config().seed.is_multiple_of(2) {
        for name in &world.names {
            let records = unmerged(emulator.tenant(), name);
            merge(emulator.tenant_mut(), &records);
        }
    }
}

fn unmerged(tenant: &Tenant, name: &str) -> Vec<u32> {
    let rows = (0..).zip(tenant.machines());
    let of = rows.filter(|(_, it)| it.merged_into.is_none() && it.name.as_deref() == Some(name));
    of.map(|(row, _)| row).collect()
}

/// Each record becomes the next one, so that merges make chains; the last one stays.
fn merge(tenant: &mut Tenant, records: &[u32]) {
    for pair in records.windows(2) {
        let next = tenant.machine(pair[1]).unwrap().id;
        tenant.machine_mut(pair[0]).unwrap().merged_into = Some(next);
    }
}

impl<'t> Truth<'t> {
    fn record_of(self, row: u32) -> &'t Machine {
        self.0.machine(row).unwrap()
    }

    /// Where the merges of a record lead; none when that is no record at all.
    fn merged_into(self, row: u32) -> Option<u32> {
        match self.record_of(row).merged_into {
            Some(next) => self.row(&next.to_string()).and_then(|next| self.merged_into(next)),
            None => Some(row),
        }
    }

    /// The record that stands for an id by now.
    pub(super) fn became(self, id: &str) -> Option<u32> {
        self.row(id).and_then(|row| self.merged_into(row))
    }

    /// All records that are, by merges, the same as this one.
    pub(super) fn family(self, row: u32) -> Vec<u32> {
        if self.0.machines().iter().all(|machine| machine.merged_into.is_none()) {
            return vec![row];
        }
        let end = self.merged_into(row);
        let all = 0..u32::try_from(self.0.machines().len()).unwrap();
        let same = |it: &u32| *it == row || (end.is_some() && self.merged_into(*it) == end);
        all.filter(same).collect()
    }

    /// Whether the record looks like a device that is there.
    fn is_alive(self, row: u32) -> bool {
        let (machine, now) = (self.record_of(row), self.0.now());
        let silent = now.duration_since(machine.last_seen(now)) > SILENT;
        self.merged_into(row).is_some() && !silent && machine.health(now) != Health::Inactive
    }

    /// What a record is, as far as anybody can tell.
    pub(super) fn record(self, row: u32) -> Record {
        let end = self.merged_into(row);
        if end.is_some_and(|end| end != row) {
            return Record::MergedAway;
        }
        let name = &self.record_of(row).name;
        let all = 0..u32::try_from(self.0.machines().len()).unwrap();
        let stays = |it: &u32| self.merged_into(*it).is_none_or(|end| end == *it);
        let same: Vec<u32> =
            all.filter(|it| self.record_of(*it).name == *name).filter(stays).collect();
        let alive: Vec<u32> = same.iter().copied().filter(|it| self.is_alive(*it)).collect();
        match (same.len(), alive.as_slice()) {
            (1, _) if end.is_some() => Record::Device,
            (1, _) => Record::InDoubt,
            (_, [one]) if *one == row => Record::Device,
            (_, [_]) => Record::Older,
            _ => Record::InDoubt,
        }
    }

    /// Records that count as devices, known which or not.
    pub(super) fn members(self) -> impl Iterator<Item = u32> {
        let all = 0..u32::try_from(self.0.machines().len()).unwrap();
        all.filter(move |row| matches!(self.record(*row), Record::Device | Record::InDoubt))
    }

    /// Devices of which it is known which record they are.
    pub(super) fn rows(self) -> std::vec::IntoIter<u32> {
        let all = 0..u32::try_from(self.0.machines().len()).unwrap();
        let sure = all.filter(|row| self.record(*row) == Record::Device);
        sure.collect::<Vec<_>>().into_iter()
    }
}

/// Laws 4 and 5: a plan that has read all records counts each device once, and does nothing to a
/// record that is not the device.
pub(super) fn plan(truth: Truth<'_>, plan: &Plan, inventory: &Inventory) -> Check {
    if inventory.is_partial(What::Devices) {
        return Ok(());
    }
    let (found, there) = (inventory.len(), truth.members().count());
    if found != there {
        return Err(Broken::new(5, format!("{found} devices of {there} are counted")));
    }
    let mut named = std::collections::BTreeSet::new();
    let on_devices = plan.changes.iter().filter(|it| it.target.kind == TargetKind::Device);
    for change in on_devices {
        let row = truth.row(&change.target.id);
        let record = row.map(|row| truth.record(row));
        if record != Some(Record::Device) {
            return Err(Broken::new(4, format!("the record is {record:?}: {change:?}")));
        }
        if !named.insert((&change.target.name, change.facet)) {
            return Err(Broken::new(4, format!("two records of one device: {change:?}")));
        }
    }
    Ok(())
}
