//! `remaining`: so much of a device group stays free of isolation and code restriction.
//!
//! Caps count one verb; this counts devices. A device that is isolated, restricted or both is not
//! free, whoever did it, and one on its way there or whose state is not known is not free either.
//! Small groups are left out, so that a group of one can still be contained. A device that is let go
//! by the same plan counts as not free: it may take hours to hear of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::Dev;
use crate::plan::guards::{Breach, Ground, Left, Measured, number};
use crate::policy::limits::Remaining;

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    let Remaining { least, groups_from } = ground.guardrails().remaining;
    let inventory = ground.scene.inventory;
    let mut groups: BTreeMap<&str, Group> = BTreeMap::new();
    for (at, device) in taken(ground) {
        let group = groups.entry(inventory.group(device)).or_default();
        group.devices.insert(device);
        group.held.push(at);
    }
    let sizes = inventory.groups();
    let one = |(name, group): (&str, Group)| {
        let size = sizes.get(name).copied().unwrap_or(0);
        let least = least.of(size).min(size);
        let restrained = ground.restrained.iter().map(Dev);
        let already = number(restrained.filter(|device| inventory.group(*device) == name).count());
        let planned = number(group.devices.len());
        let free = size.saturating_sub(already).saturating_sub(planned);
        let breach = Breach {
            code: "remaining".into(),
            scope: format!("group {}", if name.is_empty() { "(none)" } else { name }),
            verb: None,
            setting: "guardrails.remaining".to_owned(),
            facts: vec![
                ("group", name.into()),
                ("free", free.into()),
                ("least", least.into()),
                ("already", already.into()),
                ("planned", planned.into()),
                ("size", size.into()),
            ],
            held: group.held,
        };
        let left = Left::Count(free.saturating_sub(least));
        (size >= groups_from).then(|| breach.measured(free < least).left(left))
    };
    groups.into_iter().filter_map(one).collect()
}

/// Changes that would newly take something from a free device, and those devices.
#[derive(Default)]
struct Group {
    devices: BTreeSet<Dev>,
    held: Vec<usize>,
}

fn taken<'g>(ground: &Ground<'g>) -> impl Iterator<Item = (usize, Dev)> + 'g {
    let restrained = ground.restrained;
    let proposals = ground.proposals.iter().enumerate();
    proposals.filter_map(move |(at, proposal)| {
        let device = proposal.device.filter(|device| !restrained.contains(device.0))?;
        (proposal.adds && proposal.change.verb.is_restrictive()).then_some((at, device))
    })
}

#[cfg(test)]
mod tests;
