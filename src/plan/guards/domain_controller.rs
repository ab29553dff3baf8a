//! `domain-controller`: domain controllers are found and protected without being asked.
//!
//! Isolating them takes a whole domain with it. The service has no field that shows one, so signs
//! are read: what the workspace says (`guardrails.domainControllers.also`), a tag, the name of the
//! device group, and for Windows servers the host part of the name. A sign can be wrong either way:
//! `except` takes a device out, `also` adds one. Like `protected` it stands against restricting, not
//! against letting go, and nothing lifts it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::inventory::{Dev, Inventory, What};
use crate::model::OsFamily;
use crate::plan::guards::{Breach, Ground, Measured};
use crate::plan::scene::{Scene, unread};
use crate::policy::selector::DeviceExpr;

/// Tags that say it, in lower case and without separators.
const TAGS: &[&str] = &["adc", "addc", "domaincontroller", "domaincontrollers", "rodc"];

/// What a part of a host name says once its number is taken off: `dc01`, `lon-rodc-2`.
const PARTS: &[&str] = &["adc", "addc", "bdc", "dc", "pdc", "rodc"];

/// What one sign says.
#[derive(Default)]
struct Signed {
    /// Devices that carry it; counted for explaining only.
    devices: u32,
    held: Vec<usize>,
}

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    let scene = ground.scene;
    let read = Signs::of(scene);
    let unknown = read.unknown;
    let mut signs: BTreeMap<&'static str, Signed> = BTreeMap::new();
    let mut doubted = Vec::new();
    for (at, _) in ground.restrictions() {
        let Some(device) = ground.proposals.get(at).and_then(|proposal| proposal.device) else {
            continue;
        };
        match read.sign(device) {
            Some(sign) => signs.entry(sign).or_default().held.push(at),
            None if unknown.is_some() => doubted.push(at),
            None => {}
        }
    }
    if ground.explains {
        for sign in scene.inventory.devices().filter_map(|device| read.sign(device)) {
            signs.entry(sign).or_default().devices += 1;
        }
    }
    let mut measured = told(signs, ground.restrictions().count());
    if let Some(what) = unknown.filter(|_| !doubted.is_empty()) {
        let facts = vec![("missing", what.word().into())];
        measured.push(breach("protected-unknown", facts, doubted).measured(true));
    }
    measured
}

/// The signs as the workspace corrects them.
pub(super) struct Signs<'s> {
    scene: &'s Scene<'s>,
    /// What `also` reads and nobody could read whole.
    unknown: Option<What>,
    /// Whether it is known who is excepted.
    excepts: bool,
}

impl<'s> Signs<'s> {
    pub(super) fn of(scene: &'s Scene<'s>) -> Self {
        let rails = &scene.input.workspace.guardrails.domain_controllers;
        let doubt = |expr: &Option<DeviceExpr>| unread(scene.inventory, expr.as_ref()?);
        Self { scene, unknown: doubt(&rails.also), excepts: doubt(&rails.except).is_none() }
    }

    /// What shows that nothing may newly restrict the device. Who cannot be told to be excepted is
    /// not.
    fn sign(&self, device: Dev) -> Option<&'static str> {
        let corrected = &self.scene.domain_controllers;
        let told = corrected.also.contains(device.0).then_some("setting");
        let sign = told.or_else(|| sign(self.scene.inventory, device));
        sign.filter(|_| !(self.excepts && corrected.except.contains(device.0)))
    }

    /// Whether what could not be read may make it one, or say that it is none.
    pub(super) fn is_doubtful(&self, device: Dev) -> bool {
        let excepted = self.excepts && self.scene.domain_controllers.except.contains(device.0);
        let signed = || !self.excepts && self.sign(device).is_some();
        !excepted && (self.unknown.is_some() || signed())
    }

    /// What shows it, where nothing that could not be read may say otherwise.
    pub(super) fn certain(&self, device: Dev) -> Option<&'static str> {
        let sure = |sign: &&str| self.excepts && (*sign != "setting" || self.unknown.is_none());
        self.sign(device).filter(sure)
    }
}

fn told(signs: BTreeMap<&'static str, Signed>, changes: usize) -> Vec<Measured> {
    if signs.is_empty() {
        return vec![counted(breach("domain-controller", Vec::new(), Vec::new()), 0, changes)];
    }
    let one = |(by, Signed { devices, held }): (&'static str, Signed)| {
        counted(breach("domain-controller", vec![("by", by.into())], held), devices, changes)
    };
    signs.into_iter().map(one).collect()
}

fn counted(breach: Breach, devices: u32, changes: usize) -> Measured {
    let hits = breach.held.len();
    let measured = breach.measured(hits > 0).with("devices", devices);
    measured.with("hits", hits).with("changes", changes)
}

fn breach(code: &'static str, facts: Vec<(&'static str, Value)>, held: Vec<usize>) -> Breach {
    Breach {
        code: code.into(),
        scope: "domain controllers".to_owned(),
        verb: None,
        setting: "guardrails.domainControllers".to_owned(),
        facts,
        held,
    }
}

/// What shows by itself that a device is a domain controller.
fn sign(inventory: &Inventory, device: Dev) -> Option<&'static str> {
    if inventory.tags(device).any(|tag| TAGS.contains(&plain(tag).as_str())) {
        Some("tag")
    } else if plain(inventory.group(device)).contains("domaincontroller") {
        Some("group")
    } else if inventory.os(device) == OsFamily::WindowsServer && named(inventory.name(device)) {
        Some("name")
    } else {
        None
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Whether the host part says it: a part that is one of `PARTS` with or without a number, or a last
/// part that ends in `dc` and a number, such as `londc01`.
pub(in crate::plan) fn named(name: &str) -> bool {
    let host = name.split('.').next().unwrap_or(name).to_ascii_lowercase();
    let parts: Vec<&str> = host.split(['-', '_']).collect();
    let bare = |part: &str| part.trim_end_matches(|c: char| c.is_ascii_digit()).to_owned();
    let last = parts.last().copied().unwrap_or_default();
    parts.iter().any(|part| PARTS.contains(&bare(part).as_str()))
        || (bare(last).len() < last.len() && bare(last).ends_with("dc"))
}

#[cfg(test)]
mod tests;
