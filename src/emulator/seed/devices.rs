//! One device of the fleet: place, platform, tags, health, scan ages.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::emulator::random::{Guid, Random};
use crate::emulator::seed::kinds::{self, Place};
use crate::emulator::seed::{DAY, Seeder, names, oddities};
use crate::emulator::tenant::av::AvHealth;
use crate::emulator::tenant::machine::{Interface, VmMetadata};
use crate::emulator::tenant::{Machine, MachineId, Tenant};
use crate::model::{AvStatus, DeviceValue, Exposure, Health, Onboarding, Risk};

/// The device in a row. Earlier rows are in the tenant already: duplicates refer to them.
pub(super) fn machine(seeder: &mut Seeder, tenant: &Tenant, row: u32) -> Machine {
    let mut random = seeder.random(1, row);
    let place = oddities::cast_place(row).unwrap_or_else(|| Place::draw(&mut random));
    let mut machine = plain(seeder, &mut random, place, row);
    if place == Place::Discovered {
        discover(&mut random, &mut machine);
    } else {
        tags(seeder, &mut random, place, &mut machine);
        rate(&mut random, place, &mut machine);
        health(seeder, &mut random, &mut machine);
        scans(seeder, &mut random, &mut machine);
    }
    oddities::alter(seeder, tenant, row, &mut random, &mut machine);
    machine
}

fn plain(seeder: &mut Seeder, random: &mut Random, place: Place, row: u32) -> Machine {
    let platform = oddities::cast_platform(row).unwrap_or_else(|| kinds::platform(random, place));
    let release = kinds::release(random, platform);
    let seen = seeder.ago(random, 120, DAY - 60);
    let name = names::host(random, place, row);
    let mut machine = Machine::plain(MachineId(random.bytes()), &name, platform, seen);
    machine.first_seen = seeder.ago(random, 3 * DAY, 900 * DAY).min(seen);
    machine.platform = seeder.word(platform);
    machine.version = release.version.map(|version| seeder.word(version));
    machine.os_build = release.build;
    machine.agent_version = release.agent.map(|agent| seeder.word(agent));
    machine.group = place.group();
    let mobile = place == Place::Roaming;
    machine.processor = if mobile { None } else { Some("x64") };
    machine.architecture = if mobile { None } else { Some("64-bit") };
    let [_, _, high, low] = row.to_be_bytes();
    let site = u8::try_from(10 + random.below(40)).unwrap_or(10);
    let inside = IpAddr::V4(Ipv4Addr::new(10, site, high, low));
    machine.last_ip = Some(inside);
    machine.last_external_ip = Some(IpAddr::V4(Ipv4Addr::new(203, 0, 113, site)));
    machine.interfaces = interfaces(random, inside);
    if place.is_workstation() && random.chance(85, 100) {
        machine.joined = Some(true);
        // Observed: joined, and no id all the same.
        machine.aad_id = random.chance(95, 100).then(|| random.guid());
        machine.managed_by = Some("Intune");
    }
    if place == Place::Datacenter && random.chance(1, 3) {
        machine.vm = Some(Box::new(vm(seeder, random)));
    }
    machine
}

fn interfaces(random: &mut Random, inside: IpAddr) -> Vec<Interface> {
    let mac: [u8; 6] = random.bytes();
    let mac = [0x02, mac[1], mac[2], mac[3], mac[4], mac[5]];
    let kind = if random.chance(1, 50) { None } else { Some("Ethernet") };
    let mut all = Vec::with_capacity(1);
    all.push(Interface { address: inside, mac: Some(mac), kind, status: "Up" });
    if random.chance(1, 5) {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        all.push(Interface { address, mac: None, kind: Some("SoftwareLoopback"), status: "Up" });
    }
    all
}

fn vm(seeder: &mut Seeder, random: &mut Random) -> VmMetadata {
    let resource = "/subscriptions/contoso/resourceGroups/rg-dc/providers/Microsoft.Compute";
    VmMetadata {
        vm_id: random.guid(),
        cloud_provider: "Azure",
        resource_id: seeder.word(resource),
        subscription_id: Guid([0x5b; 16]),
    }
}

fn tags(seeder: &mut Seeder, random: &mut Random, place: Place, machine: &mut Machine) {
    let mut tag = |text: &'static str| machine.tags.push(seeder.word(text));
    if place.is_workstation() {
        tag(match random.below(10) {
            0 => "ring-1",
            1..=3 => "ring-2",
            _ => "ring-3",
        });
        if random.chance(1, 100) {
            tag("vip");
        }
        if random.chance(12, 1_000) {
            tag("red-team-range");
        }
    }
    if place.is_server() && random.chance(4, 100) {
        tag("domain-controller");
    } else if place == Place::Datacenter && random.chance(6, 100) {
        tag("hypervisor");
    }
    if place == Place::Kiosk {
        tag("kiosk");
        if random.chance(1, 2) {
            tag("pos");
        }
    }
    if place != Place::Roaming && random.chance(8, 1_000) {
        tag("ir-7781");
    }
    if random.chance(3, 1_000) {
        tag(random.pick(names::ODD_TAGS).copied().unwrap_or("odd"));
    }
}

fn rate(random: &mut Random, place: Place, machine: &mut Machine) {
    machine.risk = Some(match random.below(100) {
        0..=71 => Risk::None,
        72..=76 => Risk::Informational,
        77..=89 => Risk::Low,
        90..=96 => Risk::Medium,
        _ => Risk::High,
    });
    machine.exposure = Some(match random.below(100) {
        0..=1 => Exposure::None,
        2..=56 => Exposure::Low,
        57..=88 => Exposure::Medium,
        _ => Exposure::High,
    });
    let precious = ["vip", "domain-controller", "hypervisor"];
    let precious = machine.tags.iter().any(|tag| precious.contains(&&**tag));
    machine.value = match random.below(100) {
        _ if precious && random.chance(3, 4) => Some(DeviceValue::High),
        0 | 1 => Some(DeviceValue::Low),
        2 if place.is_server() => Some(DeviceValue::High),
        3 => None,
        _ => Some(DeviceValue::Normal),
    };
    machine.av_status = match random.below(100) {
        0..=2 => Some(AvStatus::NotUpdated),
        3 => Some(AvStatus::Disabled),
        4..=6 => None,
        _ if machine.av.is_none() => Some(AvStatus::NotSupported),
        _ => Some(AvStatus::Updated),
    };
}

fn health(seeder: &Seeder, random: &mut Random, machine: &mut Machine) {
    let (health, online) = match random.below(1_000) {
        0..=39 => (Health::Inactive, false),
        40..=49 => (Health::ImpairedCommunication, false),
        50..=55 => (Health::NoSensorData, true),
        56..=58 => (Health::NoSensorDataImpairedCommunication, false),
        59..=61 => (Health::Unknown, true),
        // Switched off at the moment; the service does not know yet.
        62..=67 => (Health::Active, false),
        _ => (Health::Active, true),
    };
    machine.base_health = health;
    machine.online = online;
    if health == Health::Inactive {
        machine.reported = seeder.ago(random, 8 * DAY, 60 * DAY);
    } else if !online {
        machine.reported = seeder.ago(random, DAY, 4 * DAY);
    }
    machine.first_seen = machine.first_seen.min(machine.reported);
}

/// The device's own scan schedule: quick scans every few days, full ones now and then.
fn scans(seeder: &Seeder, random: &mut Random, machine: &mut Machine) {
    let reported = machine.reported;
    let Some(av) = machine.av.as_deref_mut() else { return };
    av.refreshed = reported;
    av.signatures_behind = if random.chance(5, 100) { 9 } else { 0 };
    av.mode = if random.chance(4, 100) { "1" } else { "0" };
    let mut ended = |least: u64, most: u64, av: &mut AvHealth, full: bool| {
        let record = if full { &mut av.full } else { &mut av.quick };
        (record.result, record.error) = match random.below(50) {
            0 => ("Canceled", ""),
            1 => ("Failed", "0x80508023"),
            _ => ("Completed", ""),
        };
        record.at = Some(seeder.ago(random, least, most).min(reported));
    };
    ended(600, 4 * DAY, av, false);
    // One in four has never had a full scan.
    if !machine.id.0[0].is_multiple_of(4) {
        ended(DAY / 2, 30 * DAY, av, true);
    }
}

/// A device that sensors saw on the network.
fn discover(random: &mut Random, machine: &mut Machine) {
    machine.onboarding = match (&*machine.platform, random.below(10)) {
        ("Other", 0..=7) => Onboarding::Unsupported,
        (_, 8 | 9) => Onboarding::InsufficientInfo,
        _ => Onboarding::CanBeOnboarded,
    };
    machine.base_health = Health::Unknown;
    machine.online = false;
    machine.agent_version = None;
    machine.av = None;
    machine.av_status = Some(AvStatus::Unknown);
    machine.risk = None;
    machine.exposure = None;
    machine.value = None;
    machine.joined = None;
    machine.managed_by = Some("Unknown");
    if random.chance(1, 4) {
        machine.name = None;
    } else if random.chance(1, 20) {
        machine.name = Some(Arc::from(""));
    }
}
