//! `inventory-shrank`, `inventory-grew`, `selection-shrank`, `selection-grew`: nothing is done in bulk
//! because a number of devices jumped since the last journalled run.
//!
//! An empty answer that looks whole, a tag that an automation takes from everybody, a glob that
//! suddenly means half the fleet: each moves a count. Compared are the devices of the tenant, and those
//! that each policy selects, with the counts in the plan beside the newest journal that can be read.
//! Where the inventory shrank, releases that follow from it and restrictions are held; where it grew,
//! restrictions, since every share was counted over more devices; where a policy selects fewer, its
//! releases, and where it selects more, its placements. Without a run there is nothing to compare with;
//! a newest run that cannot be read is said, and an older one is taken.
//!
//! A jump that nobody lifted does not become the measure of the next run: the plan carries the older
//! counts on, so that a second run holds what the first one held.

use std::collections::BTreeMap;

use crate::inventory::What;
use crate::model::Verb;
use crate::plan::guards::{Breach, Ground};
use crate::plan::scene::Scene;
use crate::plan::types::{Baseline, Change};
use crate::policy::workspace::Limit;

/// A count that moved by more than its limit.
struct Jump {
    code: &'static str,
    /// `KIND/NAME`; the inventory when there is none.
    policy: Option<String>,
    before: u32,
    now: u32,
    limit: u32,
}

pub(super) fn guard(ground: &Ground<'_>) -> Vec<Breach> {
    let scene = ground.scene;
    let jumps = jumps(scene).into_iter().map(|jump| breach(ground, jump));
    jumps.chain(unreadable(scene)).collect()
}

fn breach(ground: &Ground<'_>, jump: Jump) -> Breach {
    let is_held = |change: &Change| match &jump.policy {
        None if jump.code == "inventory-grew" => change.verb.is_restrictive(),
        None => change.verb.is_restrictive() || is_dropped(change),
        Some(policy) if jump.code == "selection-shrank" => is_dropped_by(change, policy),
        Some(policy) => places(change.verb) && wanted_by(change, policy),
    };
    let held = ground.changes().filter(|(_, change)| is_held(change)).map(|(at, _)| at).collect();
    let Jump { code, policy, before, now, limit } = jump;
    let part = if policy.is_some() { "selection" } else { "inventory" };
    let scope = match &policy {
        Some(policy) => format!("policy {policy}"),
        None => "inventory".to_owned(),
    };
    let last = ground.scene.input.around.last.tenants.get(ground.scene.inventory.tenant_id());
    let mut facts = vec![
        ("before", before.into()),
        ("now", now.into()),
        ("limit", limit.into()),
        ("run", last.map_or("", |last| last.run.as_str()).into()),
    ];
    facts.extend(policy.map(|policy| ("policy", policy.into())));
    let setting = format!("guardrails.shrink.{part}");
    Breach { code: code.into(), scope, verb: None, setting, facts, held }
}

/// The device is let go because the policy does not select it any longer.
fn is_dropped(change: &Change) -> bool {
    change.reason.as_ref().is_some_and(|reason| reason.code == "no-longer-selected")
}

fn is_dropped_by(change: &Change, policy: &str) -> bool {
    is_dropped(change) && wanted_by(change, policy)
}

const fn places(verb: Verb) -> bool {
    matches!(verb, Verb::Scan | Verb::Collect) || verb.is_restrictive()
}

fn wanted_by(change: &Change, policy: &str) -> bool {
    change.because.iter().any(|why| key(&why.kind, &why.name) == policy)
}

fn key(kind: &str, name: &str) -> String {
    format!("{kind}/{name}")
}

/// Runs that are newer than what is compared with and could not be read.
fn unreadable(scene: &Scene<'_>) -> Vec<Breach> {
    let runs = &scene.input.around.last.unreadable;
    let breach = |(run, why): (&String, &String)| Breach {
        code: "last-run-unreadable".into(),
        scope: format!("run {run}"),
        verb: None,
        setting: "guardrails.shrink".to_owned(),
        facts: vec![("run", run.as_str().into()), ("why", why.as_str().into())],
        held: Vec::new(),
    };
    runs.iter().map(breach).collect()
}

/// Counts that moved too far, the inventory first.
fn jumps(scene: &Scene<'_>) -> Vec<Jump> {
    let shrink = scene.input.workspace.guardrails.shrink;
    let Some(last) = scene.input.around.last.tenants.get(scene.inventory.tenant_id()) else {
        return Vec::new();
    };
    let devices = number(scene.inventory.len() as u64);
    let codes = ["inventory-shrank", "inventory-grew"];
    let mut jumps: Vec<Jump> =
        jump(codes, None, last.counts.devices, devices, shrink.inventory).into_iter().collect();
    for (policy, now) in selected(scene) {
        if let Some(before) = last.counts.selected.get(&policy) {
            let codes = ["selection-shrank", "selection-grew"];
            jumps.extend(jump(codes, Some(policy), *before, now, shrink.selection));
        }
    }
    jumps
}

fn jump(
    [shrank, grew]: [&'static str; 2],
    policy: Option<String>,
    before: u32,
    now: u32,
    limit: Option<Limit>,
) -> Option<Jump> {
    let limit = limit?.of(before);
    let code = if now < before { shrank } else { grew };
    (now.abs_diff(before) > limit).then_some(Jump { code, policy, before, now, limit })
}

/// How many devices each policy selects, by kind and name.
fn selected(scene: &Scene<'_>) -> BTreeMap<String, u32> {
    let isolation = scene.isolation.iter().map(|reach| (reach.header, reach.selected.len()));
    let restriction = scene.restriction.iter().map(|reach| (reach.header, reach.selected.len()));
    let scans = scene.scans.iter().map(|reach| (reach.header, reach.selected.len()));
    let all = isolation.chain(restriction).chain(scans);
    all.map(|(header, count)| (key(header.kind.word(), header.name.as_str()), number(count)))
        .collect()
}

/// What the next run is compared with, when that is not what this plan counts itself.
pub(in crate::plan) fn baseline(scene: &Scene<'_>) -> Option<Baseline> {
    let last = scene.input.around.last.tenants.get(scene.inventory.tenant_id())?;
    let is_partial = scene.inventory.missing().iter().any(|part| part.what != What::Scores);
    if is_partial {
        return Some(last.counts.clone());
    }
    let devices = number(scene.inventory.len() as u64);
    let mut carried = Baseline { devices, selected: selected(scene) };
    let own = carried.clone();
    for jump in jumps(scene) {
        if scene.input.around.lifted(jump.code).is_none() {
            match jump.policy {
                Some(policy) => drop(carried.selected.insert(policy, jump.before)),
                None => carried.devices = jump.before,
            }
        }
    }
    (carried != own).then_some(carried)
}

fn number(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
