//! What makes a fleet difficult: the fixed cast of the first rows, duplicates, merged and stale
//! records, hostile names, devices that come back.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::emulator::random::Random;
use crate::emulator::seed::kinds::Place;
use crate::emulator::seed::{DAY, Seeder, names};
use crate::emulator::tenant::{Machine, Tenant};
use crate::model::{DeviceValue, Health, Onboarding, Risk};

/// Fleets below this size have no hostile names.
const HOSTILE_FROM: u32 = 100;
/// The row of the first hostile name.
const HOSTILE_ROW: u32 = 60;

/// The place of a row of the cast.
pub(super) const fn cast_place(row: u32) -> Option<Place> {
    Some(match row {
        0 => Place::EmeaServers,
        1 | 2 | 5 | 6 | 8 => Place::EmeaWorkstations,
        3 => Place::Kiosk,
        4 => Place::Datacenter,
        7 => Place::NaWorkstations,
        9 => Place::NaServers,
        10 => Place::Discovered,
        11 => Place::Roaming,
        _ => return None,
    })
}

/// The platform of a row of the cast.
pub(super) const fn cast_platform(row: u32) -> Option<&'static str> {
    Some(match row {
        0 | 9 => "WindowsServer2019",
        1 | 2 | 7 => "Windows11",
        3 | 5 => "Windows10",
        4 => "Linux",
        6 => "macOS",
        8 => "Windows11",
        _ => return None,
    })
}

/// Turns a device into what its row stands for.
pub(super) fn alter(
    seeder: &mut Seeder,
    tenant: &Tenant,
    row: u32,
    random: &mut Random,
    machine: &mut Machine,
) {
    cast(seeder, tenant, row, random, machine);
    if row < 12 {
        return;
    }
    let hostile = usize::try_from(row.wrapping_sub(HOSTILE_ROW)).unwrap_or(usize::MAX);
    if seeder.devices >= HOSTILE_FROM
        && let Some(name) = names::HOSTILE_NAMES.get(hostile)
    {
        machine.name = Some(Arc::from(*name));
        return;
    }
    match row % 389 {
        // Merged: the record lives on, its device is another record.
        13 => again(seeder, tenant, row, random, machine, Again::Merged),
        // Left behind by a reimage, silent since.
        140 => again(seeder, tenant, row, random, machine, Again::Stale),
        // Two records that both look alive.
        271 if row > 389 => again(seeder, tenant, row, random, machine, Again::Twin),
        300 => {
            machine.excluded = true;
            machine.exclusion_reason = Some(seeder.word("Duplicate device"));
        }
        // Nearly beyond the retention, and beyond it.
        333 => silent(seeder, random, machine, 150 * DAY, 179 * DAY),
        334 => silent(seeder, random, machine, 181 * DAY, 300 * DAY),
        _ => {}
    }
}

fn cast(
    seeder: &mut Seeder,
    tenant: &Tenant,
    row: u32,
    random: &mut Random,
    machine: &mut Machine,
) {
    let mut role = |tags: &[&'static str]| {
        machine.tags = tags.iter().map(|tag| seeder.word(tag)).collect();
        machine.base_health = Health::Active;
        machine.online = true;
    };
    match row {
        0 => {
            role(&["domain-controller"]);
            machine.value = Some(DeviceValue::High);
        }
        1 => {
            role(&["ring-2", "ir-7781"]);
            machine.risk = Some(Risk::High);
        }
        2 => role(&["ring-3", "red-team-range"]),
        3 => role(&["kiosk", "pos"]),
        4 => {
            role(&["hypervisor"]);
            machine.value = Some(DeviceValue::High);
            machine.agent_version = Some(seeder.word("101.25072.0003"));
        }
        5 => {
            role(&["ring-3"]);
            machine.online = false;
            machine.base_health = Health::Inactive;
            machine.reported = seeder.ago(random, 9 * DAY, 20 * DAY);
        }
        6 => {
            role(&["ring-2", "vip"]);
            machine.value = Some(DeviceValue::High);
            machine.agent_version = Some(seeder.word("101.25072.0003"));
        }
        7 => role(&["ring-2"]),
        8 => again(seeder, tenant, row, random, machine, Again::Merged),
        9 => role(&[]),
        _ => {}
    }
    if row <= 9 {
        machine.first_seen = machine.first_seen.min(machine.reported);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    Merged,
    Stale,
    Twin,
}

/// Makes the record one more of an earlier device.
fn again(
    seeder: &Seeder,
    tenant: &Tenant,
    row: u32,
    random: &mut Random,
    machine: &mut Machine,
    how: Again,
) {
    let back = 1 + u32::try_from(random.below(7)).unwrap_or(0);
    let mut earlier = (0..=row.saturating_sub(back)).rev().take(400);
    let found = earlier.find_map(|row| {
        tenant.machine(row).filter(|other| {
            other.name.as_deref().is_some_and(|name| name.contains('.'))
                && other.onboarding == Onboarding::Onboarded
                && other.merged_into.is_none()
                && other.online
        })
    });
    let Some(first) = found else { return };
    machine.name.clone_from(&first.name);
    machine.platform = Arc::clone(&first.platform);
    machine.version.clone_from(&first.version);
    machine.os_build = first.os_build;
    machine.agent_version.clone_from(&first.agent_version);
    machine.group = first.group;
    machine.onboarding = Onboarding::Onboarded;
    machine.tags.clone_from(&first.tags);
    machine.potential_duplicate = true;
    if how == Again::Merged {
        machine.merged_into = Some(first.id);
    }
    if how != Again::Twin {
        silent(seeder, random, machine, 8 * DAY, 90 * DAY);
    }
}

fn silent(seeder: &Seeder, random: &mut Random, machine: &mut Machine, least: u64, most: u64) {
    machine.reported = seeder.ago(random, least, most);
    machine.first_seen = machine.first_seen.min(machine.reported);
    machine.base_health = Health::Inactive;
    machine.online = false;
    if let Some(av) = machine.av.as_deref_mut() {
        av.refreshed = machine.reported;
        for record in [&mut av.quick, &mut av.full] {
            record.at = record.at.map(|at| at.min(machine.reported));
        }
    }
}

/// Half of the devices that are switched off at the moment come back within a day.
pub(super) fn returns(seeder: &Seeder, tenant: &mut Tenant) {
    for row in 0..seeder.devices {
        let waits = tenant.machine(row).is_some_and(|machine| {
            !machine.online
                && machine.base_health == Health::Active
                && machine.onboarding == Onboarding::Onboarded
        });
        let mut random = seeder.random(2, row);
        if waits && random.chance(1, 2) {
            let after = 600 + random.below(20 * 3_600);
            let after = SignedDuration::from_secs(after.cast_signed());
            let at = seeder.now.checked_add(after).unwrap_or(Timestamp::MAX);
            tenant.set_online_at(row, true, at);
        }
    }
}
