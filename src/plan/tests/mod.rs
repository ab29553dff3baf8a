//! The planner as a whole: small fleets, one thing changed at a time, the dispositions that follow.

mod accept;
mod alerts;
mod behind;
mod boundaries;
mod called_off;
mod cancel;
mod containment;
mod exemptions;
mod file;
pub(super) mod fleet;
mod guarded;
mod guards;
mod inputs;
mod leases;
mod not_stronger;
mod outlived;
mod owners;
mod pending;
pub(super) mod policies;
mod properties;
mod rollouts;
mod scans;
mod tightening;
mod undo;
mod undoing_sent;
mod unread;
pub(super) mod world;

use std::collections::BTreeSet;

use crate::inventory::Inventory;
use crate::plan::types::{Change, Entry, Plan};
use crate::plan::{Circumstances, Input, plan};
use crate::policy::{PolicySet, Workspace};

/// What a planner is asked, at the time of the first observation.
pub(super) fn asked<'a>(
    around: &'a Circumstances,
    policies: &'a PolicySet,
    workspace: &'a Workspace,
    inventories: &'a [Inventory],
) -> Input<'a> {
    Input {
        policies,
        workspace,
        inventories,
        now: inventories[0].observed_at(),
        around,
        study: false,
        tool: "palisade 0.1.0",
    }
}

/// The changes of a plan, by id.
pub(super) fn ids(plan: &Plan) -> BTreeSet<String> {
    plan.changes.iter().map(|change| change.id.to_string()).collect()
}

/// Plans, or shows the faults.
pub(super) fn planned(policies: &PolicySet, workspace: &Workspace, inventory: Inventory) -> Plan {
    planned_around(&Circumstances::default(), policies, workspace, inventory)
}

/// Plans with something said about it.
pub(super) fn planned_around(
    around: &Circumstances,
    policies: &PolicySet,
    workspace: &Workspace,
    inventory: Inventory,
) -> Plan {
    let inventories = [inventory];
    let input = asked(around, policies, workspace, &inventories);
    plan(&input).unwrap_or_else(|error| panic!("{error:?}"))
}

/// A fleet, policies and a workspace with guardrails, drawn from a seed.
pub(super) fn drawn(seed: u64) -> (fleet::Fleet, PolicySet, Workspace) {
    let mut draw = world::Draw(seed);
    let (fleet, policies) = (world::fleet(&mut draw), world::policies(&mut draw));
    (fleet, policies, world::guarded(&mut draw))
}

/// Every row of a plan as one line: what becomes of whom and why. Unchanged ones are counted only.
pub(super) fn rows(plan: &Plan) -> Vec<String> {
    let change = |change: &Change| {
        let Change { verb, from, to, target, reason, .. } = change;
        let reason = reason.as_ref().map(|reason| format!(" ({})", reason.code));
        format!("do {verb} {} {from} -> {to}{}", target.name, reason.unwrap_or_default())
    };
    let entry = |list: &str, entry: &Entry| {
        let Entry { target, facet, reason, .. } = entry;
        format!("{list} {} {facet} {}", target.name, reason.code)
    };
    let mut rows: Vec<String> = plan.changes.iter().map(change).collect();
    for (name, list) in [
        ("held", &plan.held),
        ("cannot", &plan.cannot),
        ("unknown", &plan.unknown),
        ("foreign", &plan.foreign),
        ("changing", &plan.changing),
        ("audit", &plan.audit),
    ] {
        rows.extend(list.iter().map(|row| entry(name, row)));
    }
    rows
}
