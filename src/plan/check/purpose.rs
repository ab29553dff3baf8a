//! Questions about plans that are not made from policies: an undoing takes back what its run did and
//! nothing else, a cancelling touches our own pending actions and nobody else's.

use crate::inventory::{ActionRow, Inventory};
use crate::model::{DeviceId, Marker, Verb};
use crate::plan::Input;
use crate::plan::check::Fault;
use crate::plan::circumstances::Purpose;
use crate::plan::types::{Change, Plan, Target, TargetKind};
use crate::plan::undo::{Past, Standing};

pub(super) fn against(plan: &Plan, input: &Input<'_>) -> Vec<Fault> {
    let fault = |change: &Change| match &input.around.purpose {
        Purpose::Policies => None,
        Purpose::Undo(past) => (!takes_back(change, past, input))
            .then(|| Fault::NotInRun { id: change.id.to_string(), run: past.run.clone() }),
        Purpose::Cancel(_) => {
            let own = input.inventories.iter().any(|inventory| is_ours(change, inventory, input));
            (!own).then(|| Fault::NotOurs { id: change.id.to_string() })
        }
    };
    plan.changes.iter().filter_map(fault).collect()
}

/// How many rows there are in all, when no policy says it.
pub(super) fn total(plan: &Plan, input: &Input<'_>) -> Option<u64> {
    match &input.around.purpose {
        Purpose::Policies => None,
        Purpose::Undo(past) => {
            let read = |tenant: &str| input.inventories.iter().any(|it| it.tenant() == tenant);
            let of_read = past.changes.iter().filter(|item| read(&item.change.tenant));
            Some(of_read.count() as u64)
        }
        // Nothing is in scope but what is shown.
        Purpose::Cancel(_) => {
            let lists = [&plan.held, &plan.cannot, &plan.unknown, &plan.foreign, &plan.changing];
            let rows: usize = lists.into_iter().map(Vec::len).sum();
            Some((rows + plan.changes.len()) as u64)
        }
    }
}

fn takes_back(change: &Change, past: &Past, input: &Input<'_>) -> bool {
    past.changes.iter().filter(|item| item.standing != Standing::Nothing).any(|item| {
        let done = &item.change;
        done.tenant == change.tenant
            && is_same(&done.target, &change.target, &done.tenant, input)
            && done.facet == change.facet
            && change.to == done.from
            && matches!(
                (done.verb, change.verb),
                (Verb::Isolate, Verb::Release)
                    | (Verb::Release, Verb::Isolate)
                    | (Verb::Restrict, Verb::Unrestrict)
                    | (Verb::Unrestrict, Verb::Restrict)
                    | (Verb::Classify, Verb::Classify)
            )
    })
}

/// Whether two targets are one: a device's record may have been merged into another since the run.
fn is_same(done: &Target, now: &Target, tenant: &str, input: &Input<'_>) -> bool {
    let leads_there = || {
        let mut read = input.inventories.iter().filter(|inventory| inventory.tenant() == tenant);
        read.any(|inventory| {
            let device = |target: &Target| inventory.find(&DeviceId::parse(&target.id));
            done.kind == TargetKind::Device
                && device(done).is_some_and(|it| device(now) == Some(it))
        })
    };
    done.kind == now.kind && (done.id == now.id || leads_there())
}

fn is_ours(change: &Change, inventory: &Inventory, input: &Input<'_>) -> bool {
    let ours = |row: &ActionRow| {
        let by_api = row.source.is_empty() || row.source.eq_ignore_ascii_case("PublicApi");
        let marker = Marker::find(&row.comment);
        by_api && marker.is_some_and(|marker| marker.workspace == input.workspace.id)
    };
    change.verb == Verb::Cancel
        && change.tenant == inventory.tenant()
        && inventory.all_actions().iter().any(|row| {
            Some(row.id.as_str()) == change.parameters.action_id.as_deref()
                && !row.status.is_terminal()
                && ours(row)
        })
}

#[cfg(test)]
mod tests;
