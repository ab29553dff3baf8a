//! After every observation: what was read is what is. Plan files read back, and not when they were
//! changed.

use std::collections::BTreeMap;

use jiff::Timestamp;
use palisade::inventory::{Inventory, What};
use palisade::plan::Plan;
use palisade::plan::file::{read, to_bytes};

use super::world::World;
use super::{Broken, Check};

/// Law 4: a whole observation has every device and every action there was.
pub(super) fn observation(world: &World, inventory: &Inventory, began: Timestamp) -> Check {
    let lacks = |what| inventory.is_partial(what);
    world.truth(|truth| {
        let devices = inventory.len() + inventory.superseded().len() + inventory.merged().len();
        if !lacks(What::Devices) && devices != truth.0.machines().len() {
            let what = format!("{devices} devices look whole, there are {:?}", truth.rows());
            return Err(Broken::new(4, what));
        }
        if lacks(What::Actions) {
            return Ok(());
        }
        let read: BTreeMap<String, bool> = inventory
            .all_actions()
            .iter()
            .map(|row| (row.id.to_string(), row.status.is_terminal()))
            .collect();
        let lost =
            truth.0.actions().iter().filter(|action| action.created < began).find(|action| {
                let ended = !action.is_active() && action.updated < began;
                read.get(&action.id.to_string()).is_none_or(|terminal| ended && !terminal)
            });
        match lost {
            Some(action) => Err(Broken::new(4, format!("not read, and not missed: {action:?}"))),
            None => Ok(()),
        }
    })
}

/// Law 8: a plan file reads back, and not with one byte flipped.
pub(super) fn file(plan: &Plan, turn: usize) -> Check {
    let bytes = to_bytes(plan);
    if read(&bytes).as_ref() != Ok(plan) {
        return Err(Broken::new(8, "a plan does not read back from its file".to_owned()));
    }
    let at = turn * 7_919 % bytes.len();
    let mut flipped = bytes;
    flipped[at] ^= 1;
    if read(&flipped).is_ok() {
        return Err(Broken::new(8, format!("byte {at} may be flipped")));
    }
    Ok(())
}
