//! The fleet of a simulated life: a few devices in two groups, drawn from the seed, with two
//! applications that may sign in.

use std::sync::Arc;

use palisade::emulator::tenant::Group;
use palisade::emulator::tenant::machine::{Machine, MachineId};
use palisade::emulator::{App, Config, Tenant};
use palisade::model::DeviceValue;

use super::alerts;
use super::policy::{GROUPS, TAGS};
use super::transition::Draw;
use super::twins;
use crate::apply_rig::start;

/// A tenant of at most so many devices, with their names.
pub(super) fn fleet(seed: u64, most: usize) -> (Config, Tenant, Vec<String>) {
    let mut draw = Draw(seed ^ 0xf1ee7);
    let other = App {
        client_id: "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee".to_owned(),
        client_secret: "another-secret".to_owned(),
        name: "palisade-beta".to_owned(),
        roles: Config::default().roles,
    };
    let config = Config { devices: 0, seed, other_apps: vec![other], ..Config::default() };
    let mut tenant = Tenant::empty(&config, start());
    for (id, name) in (1..).zip(GROUPS) {
        tenant.groups.push(Group { id, name: Arc::from(*name) });
    }
    let mut names = Vec::new();
    for n in 0..4 + draw.below(6) {
        let mut id = [0; 20];
        id[19] = u8::try_from(n + 1).unwrap();
        let name = format!("pc-{n}.contoso.example");
        let platforms =
            ["Windows11", "Windows11", "Windows11", "WindowsServer2022", "Ubuntu", "iOS"];
        let mut machine = Machine::plain(MachineId(id), &name, draw.pick(&platforms), start());
        machine.group = draw.pick(&[1, 1, 2]);
        machine.agent_version = Some("101.25000.0001".into());
        for tag in TAGS {
            if draw.chance(35) {
                machine.add_tag(tag);
            }
        }
        if draw.chance(20) {
            machine.value = Some(DeviceValue::High);
        }
        machine.online = !draw.chance(12);
        if n < most {
            tenant.add_machine(machine);
            names.push(name);
        }
    }
    alerts::first(&mut draw, &mut tenant, start());
    twins::begin(&mut draw, &mut tenant);
    // Lists of more rows than a page holds, in some tenants.
    tenant.behaviour.most_rows = draw.pick(&[10_000, 10_000, 10_000, 10_000, 8, 4]);
    (config, tenant, names)
}
