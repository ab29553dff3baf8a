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
use crate::plan::guards::{Breach, Ground};
use crate::policy::selector::{self, DeviceExpr};

/// Tags that say it, in lower case and without separators.
const TAGS: &[&str] = &["adc", "addc", "domaincontroller", "domaincontrollers", "rodc"];

/// What a part of a host name says once its number is taken off: `dc01`, `lon-rodc-2`.
const PARTS: &[&str] = &["adc", "addc", "bdc", "dc", "pdc", "rodc"];

pub(super) fn guard(ground: &Ground<'_>) -> Vec<Breach> {
    let scene = ground.scene;
    let rails = &ground.guardrails().domain_controllers;
    let partial = |what: &What| *what != What::Devices && scene.inventory.is_partial(*what);
    let doubt = |expr: &Option<DeviceExpr>| {
        expr.as_ref().and_then(|expr| selector::reads(expr).into_iter().find(partial))
    };
    // Who cannot be told to be excepted is not.
    let except = doubt(&rails.except).is_none().then_some(&scene.domain_controllers.except);
    let unknown = doubt(&rails.also);
    let sign = |device: Dev| {
        let told = scene.domain_controllers.also.contains(device.0).then_some("setting");
        let sign = told.or_else(|| sign(scene.inventory, device));
        sign.filter(|_| !except.is_some_and(|except| except.contains(device.0)))
    };
    let mut signs: BTreeMap<&'static str, Vec<usize>> = BTreeMap::new();
    let mut doubted = Vec::new();
    for (at, _) in ground.changes().filter(|(_, change)| change.verb.is_restrictive()) {
        let Some(device) = ground.proposals.get(at).and_then(|proposal| proposal.device) else {
            continue;
        };
        match sign(device) {
            Some(sign) => signs.entry(sign).or_default().push(at),
            None if unknown.is_some() => doubted.push(at),
            None => {}
        }
    }
    let mut breaches: Vec<Breach> = signs
        .into_iter()
        .map(|(by, held)| breach("domain-controller", ("by", by.into()), held))
        .collect();
    if let Some(what) = unknown.filter(|_| !doubted.is_empty()) {
        breaches.push(breach("protected-unknown", ("missing", what.word().into()), doubted));
    }
    breaches
}

fn breach(code: &'static str, fact: (&'static str, Value), held: Vec<usize>) -> Breach {
    Breach {
        code: code.into(),
        scope: "domain controllers".to_owned(),
        verb: None,
        setting: "guardrails.domainControllers".to_owned(),
        facts: vec![fact],
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
