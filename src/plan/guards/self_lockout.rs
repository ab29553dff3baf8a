//! `self-lockout`: the machine that runs Palisade is never restricted by it.
//!
//! An isolated runner can no longer release anybody, itself included. Which machine it is comes
//! with the circumstances: its host names and the addresses it sends from. A device is that machine
//! when the host part of its name is one of them, or when it has one of the addresses. Behind one
//! translated address there may be a whole site, and cloned machines share a name: a name or an
//! address that more than [`SHARED`] devices carry says nothing, and the plan says so instead of
//! protecting them all. No setting changes it and nothing lifts it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::inventory::{Dev, Inventory};
use crate::plan::circumstances::Runner;
use crate::plan::guards::{Breach, Ground, Measured};
use crate::plan::scene::Scene;

/// Records of one machine: as it is, as it was before it was reinstalled, and one to spare.
const SHARED: usize = 3;

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    let Some(runner) = &ground.scene.input.around.runner else { return Vec::new() };
    let inventory = ground.scene.inventory;
    let mut signs: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, _) in ground.restrictions() {
        let device = ground.proposals.get(at).and_then(|proposal| proposal.device);
        for sign in device.map(|device| signs_of(runner, inventory, device)).unwrap_or_default() {
            signs.entry(sign).or_default().push(at);
        }
    }
    if signs.is_empty() && !ground.explains {
        return Vec::new();
    }
    let carried = carriers(ground.scene, runner);
    let carried_by = |sign: &str| carried.get(sign).map(Vec::len).unwrap_or_default();
    let own = signs.iter().filter(|(sign, _)| carried_by(sign) <= SHARED);
    let held: BTreeSet<usize> = own.flat_map(|(_, held)| held.iter().copied()).collect();
    let devices: BTreeSet<Dev> =
        carried.values().filter(|of| of.len() <= SHARED).flatten().copied().collect();
    let hits = held.len();
    let own = breach("self-lockout", "the machine that runs Palisade", Vec::new());
    let own = Breach { held: held.into_iter().collect(), ..own }.measured(hits > 0);
    let own = own.with("devices", devices.len()).with("hits", hits);
    let own = own.with("changes", ground.restrictions().count());
    let shared = signs.keys().filter(|sign| carried_by(sign) > SHARED).map(|sign| {
        let facts = vec![("by", sign.as_str().into()), ("devices", carried_by(sign).into())];
        breach("self-lockout-shared", sign, facts).measured(true)
    });
    std::iter::once(own).chain(shared).collect()
}

/// What shows that the device is the machine that runs us: something of it that few carry.
pub(super) fn sign(scene: &Scene<'_>, device: Dev) -> Option<String> {
    let runner = scene.input.around.runner.as_ref()?;
    let signs = signs_of(runner, scene.inventory, device);
    let few = |sign: &String| {
        carriers(scene, runner).get(sign).is_some_and(|devices| devices.len() <= SHARED)
    };
    signs.into_iter().find(few)
}

/// Everybody who carries a sign of the runner, looked for once in a scene.
fn carriers<'s>(scene: &'s Scene<'_>, runner: &Runner) -> &'s BTreeMap<String, Vec<Dev>> {
    scene.carriers.get_or_init(|| {
        let mut carried: BTreeMap<String, Vec<Dev>> = BTreeMap::new();
        for device in scene.inventory.devices() {
            for sign in signs_of(runner, scene.inventory, device) {
                carried.entry(sign).or_default().push(device);
            }
        }
        carried
    })
}

/// An objection that holds nothing yet.
fn breach(code: &'static str, scope: &str, facts: Vec<(&'static str, Value)>) -> Breach {
    let (scope, setting) = (scope.to_owned(), String::new());
    Breach { code: code.into(), scope, verb: None, setting, facts, held: Vec::new() }
}

/// What of the runner a device carries.
fn signs_of(runner: &Runner, inventory: &Inventory, device: Dev) -> Vec<String> {
    let host = inventory.name(device).split('.').next().unwrap_or_default();
    let name = runner.names().iter().find(|name| name.eq_ignore_ascii_case(host));
    let addresses = inventory.ips(device).filter(|ip| runner.addresses().contains(ip));
    name.cloned().into_iter().chain(addresses.map(|ip| ip.to_string())).collect()
}

#[cfg(test)]
mod tests;
