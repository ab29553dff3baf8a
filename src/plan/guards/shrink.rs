//! `inventory-shrank`, `inventory-grew`, `selection-shrank`, `selection-grew`: nothing is done in bulk
//! because a number of devices jumped since the last journalled run.
//!
//! An empty answer that looks whole, a tag that an automation takes from everybody, a glob that
//! suddenly means half the fleet: each moves a count. Compared are the devices of the tenant, and those
//! that each policy selects, with the counts in the plan beside the newest journal that can be read.
//! Where the inventory shrank, releases that follow from it and restrictions are held; where it grew,
//! restrictions, since every share was counted over more devices; where a policy selects fewer, its
//! releases, and where it selects more, its placements. Policies that are new while others of their kind are
//! gone may be those under other names: all the new ones together are held against what those selected.
//! Without a run there is nothing to compare with; a newest run that cannot be read is said, and an older
//! one is taken.
//!
//! A jump that nobody lifted does not become the measure of the next run: the plan carries the older
//! counts on, so that a second run holds what the first one held.

use std::collections::BTreeMap;

use crate::inventory::What;
use crate::model::Verb;
use crate::plan::guards::{Breach, Ground, Left, Measured};
use crate::plan::scene::Scene;
use crate::plan::types::{Baseline, Change};
use crate::policy::workspace::Limit;

/// A count, and the one it is compared with, in one direction.
struct Count {
    code: &'static str,
    /// `KIND/NAME`; the inventory when there is none.
    policy: Option<String>,
    /// What it may be under another name, when it is new.
    instead: Option<Instead>,
    now: u32,
    before: Option<Before>,
}

/// Policies of a kind that the last run had and that are no more, and those that are new.
#[derive(Clone)]
struct Instead {
    gone: BTreeMap<String, u32>,
    /// How many are new.
    new: usize,
}

/// The count of the last run.
#[derive(Clone, Copy)]
struct Before {
    count: u32,
    /// By how much it may differ.
    limit: u32,
    /// By how much it does in this direction.
    moved: u32,
}

impl Count {
    fn jumped(&self) -> bool {
        self.before.is_some_and(|before| before.moved > before.limit)
    }
}

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    let scene = ground.scene;
    let told = counts(scene).into_iter().filter(|count| ground.explains || count.jumped());
    let told = told.map(|count| one(ground, count));
    told.chain(unreadable(scene).into_iter().map(|breach| breach.measured(true))).collect()
}

fn one(ground: &Ground<'_>, count: Count) -> Measured {
    let left = count.before.map(|before| {
        // What moved the other way may come back as well.
        let other = count.now.abs_diff(before.count).saturating_sub(before.moved);
        Left::Count(before.limit.saturating_add(other).saturating_sub(before.moved))
    });
    Measured { left, ..breach(ground, &count).measured(count.jumped()) }
}

fn breach(ground: &Ground<'_>, count: &Count) -> Breach {
    let Count { code, policy, instead, now, before } = count;
    let is_held = |change: &Change| match policy {
        None if *code == "inventory-grew" => change.verb.is_restrictive(),
        None => change.verb.is_restrictive() || is_dropped(change),
        Some(policy) if *code == "selection-shrank" => is_dropped_by(change, policy),
        Some(policy) => places(change.verb) && wanted_by(change, policy),
    };
    let held = ground.changes().filter(|(_, change)| is_held(change)).map(|(at, _)| at).collect();
    let part = if policy.is_some() { "selection" } else { "inventory" };
    let scope = match policy {
        None => "inventory".to_owned(),
        Some(policy) => scope(policy, instead.as_ref()),
    };
    let last = ground.scene.input.around.last.tenants.get(ground.scene.inventory.tenant_id());
    let mut facts = vec![("now", (*now).into())];
    if let (Some(before), Some(last)) = (before, last) {
        facts.push(("before", before.count.into()));
        facts.push(("limit", before.limit.into()));
        facts.push(("run", last.run.as_str().into()));
    }
    facts.extend(policy.as_deref().map(|policy| ("policy", policy.into())));
    let setting = format!("guardrails.shrink.{part}");
    Breach { code: (*code).into(), scope, verb: None, setting, facts, held }
}

fn scope(policy: &str, instead: Option<&Instead>) -> String {
    let Some(Instead { gone, new }) = instead else { return format!("policy {policy}") };
    let others = match new.saturating_sub(1) {
        0 => String::new(),
        others => format!(" and {others} more"),
    };
    let of = match gone.len() {
        1 => gone.keys().next().cloned().unwrap_or_default(),
        count => format!("{count} policies"),
    };
    format!("policy {policy}{others} in place of {of}")
}

/// The device is let go, or a pending action abandoned, because the policy does not select it any longer.
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

/// Each count that has a limit, in both directions, the inventory first.
fn counts(scene: &Scene<'_>) -> Vec<Count> {
    let shrink = scene.input.workspace.guardrails.shrink;
    let last = scene.input.around.last.tenants.get(scene.inventory.tenant_id());
    let mut counts = Vec::new();
    if let Some(limit) = shrink.inventory {
        let before = last.map(|last| last.counts.devices);
        let codes = ["inventory-shrank", "inventory-grew"];
        counts.extend(both(codes, None, before, number(scene.inventory.len() as u64), limit));
    }
    let Some(limit) = shrink.selection else { return counts };
    let all = selected(scene);
    let known = last.map(|last| &last.counts.selected);
    let codes = ["selection-shrank", "selection-grew"];
    for (policy, now) in &all {
        let before = known.and_then(|known| known.get(policy)).copied();
        let [shrank, grew] = both(codes, Some(policy.clone()), before, *now, limit);
        let renamed = known.filter(|_| before.is_none());
        let renamed = renamed.and_then(|known| renamed_grew(known, &all, policy, limit));
        counts.extend([shrank, renamed.unwrap_or(grew)]);
    }
    counts
}

/// The new policies of that one's kind against those that are gone, if any is.
fn renamed_grew(
    known: &BTreeMap<String, u32>,
    all: &BTreeMap<String, u32>,
    policy: &str,
    limit: Limit,
) -> Option<Count> {
    let of_kind = |name: &str| name.split('/').next() == policy.split('/').next();
    let lacks =
        |there: &BTreeMap<String, u32>, name: &str| of_kind(name) && !there.contains_key(name);
    let gone = known.iter().filter(|(name, _)| lacks(all, name));
    let gone: BTreeMap<_, _> = gone.map(|(name, count)| (name.clone(), *count)).collect();
    let new = || all.iter().filter(|(name, _)| lacks(known, name)).map(|(_, count)| *count);
    let sum = |counts: &mut dyn Iterator<Item = u32>| counts.fold(0, u32::saturating_add);
    let (before, now) = (sum(&mut gone.values().copied()), sum(&mut new()));
    let codes = ["selection-shrank", "selection-grew"];
    let [_, grew] = both(codes, Some(policy.to_owned()), Some(before), now, limit);
    let instead = Some(Instead { new: new().count(), gone }).filter(|it| !it.gone.is_empty());
    instead.is_some().then_some(Count { instead, ..grew })
}

fn both(
    [shrank, grew]: [&'static str; 2],
    policy: Option<String>,
    before: Option<u32>,
    now: u32,
    limit: Limit,
) -> [Count; 2] {
    let count = |code, policy, moved: &dyn Fn(u32) -> u32| {
        let of = |count| Before { count, limit: limit.of(count), moved: moved(count) };
        Count { code, policy, instead: None, now, before: before.map(of) }
    };
    [
        count(shrank, policy.clone(), &|before| before.saturating_sub(now)),
        count(grew, policy, &|before| now.saturating_sub(before)),
    ]
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
    for count in counts(scene).into_iter().filter(Count::jumped) {
        let lifted = scene.input.around.lifted(count.code).is_some();
        let Some(before) = count.before.filter(|_| !lifted) else { continue };
        match (count.policy, count.instead) {
            // The new names stay new, and what they are held against stays known.
            (Some(policy), Some(instead)) => {
                carried.selected.remove(&policy);
                carried.selected.extend(instead.gone);
            }
            (Some(policy), None) => drop(carried.selected.insert(policy, before.count)),
            (None, _) => carried.devices = before.count,
        }
    }
    (carried != own).then_some(carried)
}

fn number(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
