//! What limits on devices leave when the plan is done, from the same count by which they hold.
//!
//! A guardrail counts the draft as it is, with what others hold; what is held takes nothing and is given
//! back here. What has no state to stay in (scans) leaves nothing to count later. Called by `super::run`;
//! `plan::recount` holds the numbers against the history right before a run begins.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use roaring::RoaringBitmap;
use serde_json::Value;

use crate::inventory::Inventory;
use crate::model::Verb;
use crate::plan::guards::{Ground, Left, Measured};
use crate::plan::types::{Reason, Room, RoomLimit};

/// The precision of the service's times.
const TICK: SignedDuration = SignedDuration::from_nanos(100);

/// Limits that changes of the plan count towards and that nobody lifts, in order. `held` are the
/// changes that are not done.
pub(super) fn left(
    ground: &Ground<'_>,
    measured: &[Measured],
    held: &BTreeMap<usize, Reason>,
) -> Vec<Room> {
    let mut rooms: Vec<Room> = measured.iter().filter_map(|it| one(ground, it, held)).collect();
    rooms.sort();
    rooms
}

fn one(ground: &Ground<'_>, it: &Measured, held: &BTreeMap<usize, Reason>) -> Option<Room> {
    let limit = RoomLimit::of(&it.breach.code).filter(|_| !it.over)?;
    let Some(Left::Count(left)) = it.left else { return None };
    let stays = it.breach.verb.is_none_or(Verb::is_restrictive);
    let fact = |key: &str| it.breach.facts.iter().find(|(name, _)| *name == key).map(|it| &it.1);
    // Where nothing needs to stay free nobody can take too much.
    let asks = fact("least").is_none_or(|least| *least != 0);
    if !stays || !asks || ground.scene.input.around.lifted(limit.code()).is_some() {
        return None;
    }
    let (held, done): (Vec<usize>, Vec<usize>) =
        it.breach.held.iter().partition(|at| held.contains_key(at));
    let device = |at: &usize| {
        let proposal = ground.proposals.get(*at).filter(|proposal| proposal.adds)?;
        proposal.device.map(|device| device.0)
    };
    let mut given_back: RoaringBitmap = held.iter().filter_map(device).collect();
    if !given_back.is_empty() {
        // Of two changes of a device one takes it all the same.
        given_back -= done.iter().filter_map(device).collect::<RoaringBitmap>();
    }
    let given_back = u32::try_from(given_back.len()).unwrap_or(u32::MAX);
    let takes = done.iter().any(|at| device(at).is_some());
    let group = fact("group").and_then(Value::as_str).map(str::to_owned);
    let left = left.saturating_add(given_back);
    takes.then_some(Room { limit, verb: it.breach.verb, group, left })
}

/// From when on (UTC, by the service's own clock) actions are not counted yet: whatever is newer than the
/// history that was read, and whatever was created while it was read. Of the latter some were read and
/// count twice, which is the safe side.
pub(in crate::plan) fn since(inventory: &Inventory) -> Timestamp {
    let newest = inventory.all_actions().last().map(|action| action.created);
    let after = newest.and_then(|newest| newest.checked_add(TICK).ok());
    let began = inventory.service_at().unwrap_or(inventory.observed_at());
    after.map_or(began, |after| after.min(began))
}

#[cfg(test)]
mod tests {
    use super::Verb;
    use crate::model::ActionKind::{Isolate, RestrictCodeExecution};
    use crate::model::ActionStatus::Succeeded;
    use crate::plan::guards::tests::{capped, fleet, percent, policies};
    use crate::plan::tests::fleet::{Machine, ago, now};
    use crate::plan::tests::policies::{isolate, scan, set, tag};
    use crate::plan::tests::{planned, planned_around};
    use crate::plan::types::{Plan, RoomLimit};
    use crate::plan::{Circumstances, Lift};
    use crate::policy::PolicySet;
    use crate::policy::workspace::{Caps, Limit};

    fn caps(fleet: u32, group: u32) -> Caps {
        let [fleet, group] = [fleet, group].map(|limit| Some(Limit::Count(limit)));
        Caps { fleet, group, ..Caps::default() }
    }

    fn rooms(plan: &Plan) -> Vec<(RoomLimit, Option<&str>, u32)> {
        let rooms = plan.tenants[0].room.iter();
        rooms.map(|room| (room.limit, room.group.as_deref(), room.left)).collect()
    }

    #[test]
    fn what_another_guardrail_holds_is_given_back() {
        let mut fleet = fleet();
        for machine in &mut fleet.machines {
            if machine.name.ends_with("07") || machine.name.ends_with("08") {
                machine.tags.push("ir".to_owned());
            }
        }
        let plan = planned(&policies(), &capped(caps(20, 9)), fleet.build());
        // Ten kiosks are held by their group; the fleet has two of the office to count.
        assert_eq!((plan.changes.len(), plan.held.len()), (2, 10));
        let expected =
            [(RoomLimit::CapFleet, None, 18), (RoomLimit::CapGroup, Some("Workstations"), 7)];
        assert_eq!(rooms(&plan), expected);
    }

    #[test]
    fn only_what_newly_takes_meets_a_limit_that_stands() {
        let plan = planned(&policies(), &capped(caps(20, 10)), fleet().build());
        assert_eq!(rooms(&plan).len(), 2);
        let lift = Lift { code: "cap-fleet".to_owned(), because: "IR-7781".to_owned() };
        let around = Circumstances { lifts: vec![lift], ..Circumstances::default() };
        for cap in [5, 20] {
            let plan =
                planned_around(&around, &policies(), &capped(caps(cap, 10)), fleet().build());
            assert_eq!(rooms(&plan), [(RoomLimit::CapGroup, Some("Kiosks"), 0)]);
        }
        // Everything is held, or nothing is taken: there is nothing to say.
        let held = planned(&policies(), &capped(caps(9, 10)), fleet().build());
        assert_eq!((held.changes.len(), held.tenants[0].room_since), (0, None));
        let firmer = fleet().machines.remove(0);
        let firmer = crate::plan::tests::fleet::Fleet::of([firmer])
            .by_us("kiosk-0", Isolate, Succeeded, ago(5), "ir")
            .last_action(|action| action.isolation = Some(crate::model::Isolation::Selective));
        let firmer = planned(&policies(), &capped(caps(9, 10)), firmer.build());
        assert_eq!((firmer.changes.len(), rooms(&firmer)), (1, vec![]));
    }

    #[test]
    fn a_scan_leaves_no_state_to_count() {
        let mut workspace = capped(caps(20, 20));
        let isolates = workspace.guardrails.caps[&Verb::Isolate];
        workspace.guardrails.caps.insert(Verb::Scan, isolates);
        let daily = scan("daily", tag("ir"), "0 9 * * *");
        let policies = PolicySet { scans: vec![daily], ..set() };
        let plan = planned(&policies, &workspace, fleet().build());
        assert_eq!((plan.changes.len(), rooms(&plan)), (10, vec![]));
    }

    #[test]
    fn the_services_own_clock_tells_since_when() {
        let span = jiff::SignedDuration::from_mins;
        let since = |action: Option<i64>, clock: Option<i64>| {
            let mut fleet = fleet();
            if let Some(minutes) = action {
                fleet = fleet.by_hand("office-01", Isolate, Succeeded, now() + span(minutes));
            }
            let mut read = fleet.build();
            read.service_at = clock.map(|minutes| now() + span(minutes));
            super::since(&read).duration_since(now()).as_mins()
        };
        assert_eq!((since(Some(5), None), since(None, None)), (0, 0));
        // Ahead: what was done until then was read.
        assert_eq!(
            (since(Some(5), Some(60)), since(Some(70), Some(60)), since(None, Some(60))),
            (5, 60, 60)
        );
        // Behind: with nothing to go by, what is done from then on has that clock's time.
        assert_eq!(
            (since(Some(-9), Some(-5)), since(Some(-3), Some(-5)), since(None, Some(-5))),
            (-8, -5, -5)
        );
    }

    #[test]
    fn one_device_of_two_changes_is_taken_once_and_the_reading_bounds_the_time() {
        let mut workspace = capped(caps(20, 20));
        workspace.guardrails.remaining.least = percent(50);
        let isolation = vec![isolate("ir", tag("both"))];
        let restriction = vec![crate::plan::tests::policies::restrict("ir", tag("both"))];
        let policies = PolicySet { isolation, restriction, ..set() };
        let mut fleet = fleet().by_hand("office-01", RestrictCodeExecution, Succeeded, now());
        fleet.machines.push(Machine::new("kiosk-x").group("Kiosks").tag("both"));
        let plan = planned(&policies, &workspace, fleet.build());
        assert_eq!(plan.changes.len(), 2);
        // Eleven kiosks, five stay free, one is taken.
        assert!(rooms(&plan).contains(&(RoomLimit::Remaining, Some("Kiosks"), 5)));
        assert_eq!(plan.tenants[0].room_since, Some(now()));
        // One of the two is held: the device is taken all the same, and nothing is given back.
        let none = Caps { run: Some(Limit::Count(0)), ..Caps::default() };
        workspace.guardrails.caps.insert(Verb::Restrict, none);
        let plan = planned(&policies, &workspace, fleet.build());
        assert_eq!((plan.changes.len(), plan.held.len()), (1, 1));
        assert!(rooms(&plan).contains(&(RoomLimit::Remaining, Some("Kiosks"), 5)));
    }
}
