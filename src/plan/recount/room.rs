//! What others took since a plan was made, against the room that it says its limits leave.
//!
//! Counted are devices, each once: an action that takes counts as long as it is under way or has ended
//! in any way but a cancelling, until a later release has succeeded. One that failed may have taken
//! effect; counting it costs no more than another plan, whose reading decides. Devices of the plan itself
//! are in its count already, and so are those that it shows in somebody else's hands. One of ours that
//! stays as it is has no row: whoever takes it once more makes it count twice, which is the safe side.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::inventory::ActionRow;
use crate::inventory::readings::completion;
use crate::model::{ActionId, ActionStatus, DeviceId, Facet, Verb};
use crate::plan::posture::kinds;
use crate::plan::recount::{Crowd, Crowded, Recount, number};
use crate::plan::types::{Plan, Room, RoomLimit, Target, TargetKind, TenantSection};

/// At most so many devices are asked for their group; any more count towards every group.
const LOOKS: usize = 100;

/// Verbs that put a device into a state that lasts until another takes it back.
const TAKING: [Verb; 2] = [Verb::Isolate, Verb::Restrict];

/// Devices that others took since, by the limits that count them.
#[derive(Debug)]
pub struct Newcomers<'a> {
    tenant: &'a str,
    rooms: Vec<&'a Room>,
    /// By verb; under none those of any.
    taken: BTreeMap<Option<Verb>, BTreeSet<DeviceId>>,
}

impl<'a> Recount<'a> {
    fn section(&self) -> Option<&'a TenantSection> {
        self.plan.tenants.iter().find(|section| section.name == self.tenant)
    }

    /// Limits that something ahead counts towards.
    fn rooms(&self) -> Vec<&'a Room> {
        let rooms = self.section().map_or(&[][..], |section| &section.room);
        if rooms.is_empty() {
            return Vec::new();
        }
        let places = self.ahead.iter().map(|it| (it.verb, it.target.group.as_str()));
        let places: BTreeSet<(Verb, &str)> = places.collect();
        let counts = |room: &&Room| places.iter().any(|(verb, group)| room.counts(*verb, group));
        rooms.iter().filter(counts).collect()
    }

    pub(super) fn room_since(&self) -> Option<Timestamp> {
        let section = self.section()?;
        let since = section.room_since.or(section.service_at).unwrap_or(section.observed_at);
        (!self.rooms().is_empty()).then_some(since)
    }

    /// Who was newly taken, from the history since then or earlier.
    #[must_use]
    pub fn newcomers(&self, actions: &[ActionRow]) -> Newcomers<'a> {
        let rooms = self.rooms();
        let since = self.room_since().unwrap_or(Timestamp::MAX);
        let mut taken = BTreeMap::new();
        for room in &rooms {
            taken.entry(room.verb).or_insert_with(|| self.taken(actions, since, room.verb));
        }
        Newcomers { tenant: self.tenant, rooms, taken }
    }

    fn taken(
        &self,
        actions: &[ActionRow],
        since: Timestamp,
        verb: Option<Verb>,
    ) -> BTreeSet<DeviceId> {
        let own = verb.map(|verb| [verb]);
        let verbs = own.as_ref().map_or(&TAKING[..], |own| &own[..]);
        let mut found: BTreeSet<DeviceId> =
            verbs.iter().flat_map(|verb| newly(actions, since, *verb)).cloned().collect();
        if !found.is_empty() {
            forget(self.plan, self.tenant, verbs, &mut found);
        }
        found
    }
}

/// Devices that the verb took since, and that are not known to have been let go again.
fn newly(actions: &[ActionRow], since: Timestamp, verb: Verb) -> impl Iterator<Item = &DeviceId> {
    let back = verb.inverse().and_then(Verb::action);
    let released =
        actions.iter().filter(move |action| Some(&action.kind) == back.as_ref() && ended(action));
    let mut freed: BTreeMap<&DeviceId, (Timestamp, Timestamp, &ActionId)> = BTreeMap::new();
    for action in released {
        let last = freed.entry(&action.device).or_insert_with(|| completion(action));
        *last = (*last).max(completion(action));
    }
    let kind = verb.action();
    actions.iter().filter_map(move |action| {
        let takes = Some(&action.kind) == kind.as_ref()
            && action.created >= since
            && action.status != ActionStatus::Cancelled;
        // One that has not ended is still to win, whatever was released meanwhile.
        let holds = || {
            let freed = freed.get(&action.device).filter(|_| action.status.is_terminal());
            freed.is_none_or(|freed| *freed < completion(action))
        };
        (takes && holds()).then_some(&action.device)
    })
}

fn ended(action: &ActionRow) -> bool {
    action.status == ActionStatus::Succeeded
}

/// Takes out the devices that the plan's own count has.
fn forget(plan: &Plan, tenant: &str, verbs: &[Verb], found: &mut BTreeSet<DeviceId>) {
    let moves = |verb: Verb| verbs.iter().any(|own| *own == verb || own.inverse() == Some(verb));
    let of_facet = |facet: Facet| {
        verbs
            .iter()
            .any(|verb| verb.action().is_some() && kinds(facet).first() == verb.action().as_ref())
    };
    let changes = plan.changes.iter().filter(|it| it.tenant == tenant && moves(it.verb));
    let foreign = plan.foreign.iter().filter(|it| it.tenant == tenant && of_facet(it.facet));
    let targets = changes.map(|it| &it.target).chain(foreign.map(|it| &it.target));
    for Target { id, .. } in targets.filter(|target| target.kind == TargetKind::Device) {
        found.remove(&DeviceId::parse(id));
    }
}

impl Newcomers<'_> {
    fn of(&self, room: &Room) -> impl Iterator<Item = &DeviceId> {
        self.taken.get(&room.verb).into_iter().flatten()
    }

    fn exceeds(&self, room: &Room, counts: impl Fn(&DeviceId) -> bool) -> Option<u32> {
        let taken = number(self.of(room).filter(|device| counts(device)).count());
        (taken > room.left).then_some(taken)
    }

    /// Devices whose group decides; none when it is decided without. Asked for are those alone that a
    /// group might be too small for.
    #[must_use]
    pub fn to_look_up(&self) -> Vec<DeviceId> {
        let beyond: Vec<&Room> = self
            .rooms
            .iter()
            .copied()
            .filter(|room| self.exceeds(room, |_| true).is_some())
            .collect();
        if beyond.iter().any(|room| room.group.is_none()) {
            return Vec::new();
        }
        let all: BTreeSet<&DeviceId> = beyond.iter().flat_map(|room| self.of(room)).collect();
        let asked: BTreeSet<&DeviceId> = all.into_iter().take(LOOKS).collect();
        let unasked = |device: &DeviceId| !asked.contains(device);
        if beyond.iter().any(|room| self.exceeds(room, unasked).is_some()) {
            return Vec::new();
        }
        asked.into_iter().cloned().collect()
    }

    /// Whether there is room for all of them. `groups` has the groups that are known: a device that is
    /// not in it counts towards every one.
    ///
    /// # Errors
    /// `Crowded` for the first limit that would be exceeded.
    pub fn fit(&self, groups: &BTreeMap<DeviceId, String>) -> Result<(), Crowded> {
        for room in &self.rooms {
            let counts = |device: &DeviceId| match (&room.group, groups.get(device)) {
                (Some(group), Some(found)) => group == found,
                _ => true,
            };
            if let Some(taken) = self.exceeds(room, counts) {
                let unknown = room.group.as_ref().map_or(0, |_| {
                    number(self.of(room).filter(|device| !groups.contains_key(device)).count())
                });
                let (group, left) = (room.group.clone(), room.left);
                let free = room.limit == RoomLimit::Remaining;
                return Err(Crowded {
                    tenant: self.tenant.to_owned(),
                    setting: room.setting(),
                    crowd: Crowd::Room { group, free, taken, unknown, left },
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
