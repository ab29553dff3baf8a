//! `self-lockout`: the machine that runs Palisade is never restricted by it.
//!
//! An isolated runner can no longer release anybody, itself included. Which machine it is comes
//! with the circumstances: its host names and the addresses it sends from. A device is that machine
//! when the host part of its name is one of them, or when it has one of the addresses. Behind one
//! translated address there may be a whole site, and cloned machines share a name: a name or an
//! address that more than [`SHARED`] devices carry says nothing, and the plan says so instead of
//! protecting them all. No setting changes it and nothing lifts it.

use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::{Dev, Inventory};
use crate::plan::circumstances::Runner;
use crate::plan::guards::{Breach, Ground};

/// Records of one machine: as it is, as it was before it was reinstalled, and one to spare.
const SHARED: usize = 3;

pub(super) fn guard(ground: &Ground<'_>) -> Vec<Breach> {
    let Some(runner) = &ground.scene.input.around.runner else { return Vec::new() };
    let inventory = ground.scene.inventory;
    let mut signs: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, _) in ground.changes().filter(|(_, change)| change.verb.is_restrictive()) {
        let device = ground.proposals.get(at).and_then(|proposal| proposal.device);
        for sign in device.map(|device| signs_of(runner, inventory, device)).unwrap_or_default() {
            signs.entry(sign).or_default().push(at);
        }
    }
    if signs.is_empty() {
        return Vec::new();
    }
    let mut carried: BTreeMap<&str, usize> = BTreeMap::new();
    let all = inventory.devices().flat_map(|device| signs_of(runner, inventory, device));
    for sign in all {
        if let Some((sign, _)) = signs.get_key_value(&sign) {
            *carried.entry(sign).or_default() += 1;
        }
    }
    let carried = |sign: &str| carried.get(sign).copied().unwrap_or_default();
    let held: BTreeSet<usize> = signs
        .iter()
        .filter(|(sign, _)| carried(sign) <= SHARED)
        .flat_map(|(_, held)| held.iter().copied())
        .collect();
    let own = (!held.is_empty()).then(|| Breach {
        code: "self-lockout".into(),
        scope: "the machine that runs Palisade".to_owned(),
        verb: None,
        setting: String::new(),
        facts: Vec::new(),
        held: held.into_iter().collect(),
    });
    let shared = signs.keys().filter(|sign| carried(sign) > SHARED).map(|sign| Breach {
        code: "self-lockout-shared".into(),
        scope: sign.clone(),
        verb: None,
        setting: String::new(),
        facts: vec![("by", sign.as_str().into()), ("devices", carried(sign).into())],
        held: Vec::new(),
    });
    own.into_iter().chain(shared).collect()
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
