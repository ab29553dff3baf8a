//! What limits leave: does each entry stand once, under a limit that a change of its tenant counts
//! towards and that nobody lifts; and has every cap that counts a change its entry.
//!
//! Part of `structure`, so that a plan file that says too much is refused before an apply too; that
//! nothing is missing is asked of the inputs.

use std::collections::HashSet;

use foldhash::fast::FixedState;

use crate::model::{Isolation, Restriction, Verb};
use crate::plan::Input;
use crate::plan::check::Fault;
use crate::plan::types::{Change, Plan, Room, RoomLimit, TargetKind, TenantSection};

type Places<'p> = HashSet<(&'p str, Verb, &'p str), FixedState>;

fn places<'p>(plan: &'p Plan, takes: impl Fn(&Change) -> bool) -> Places<'p> {
    let changes = plan.changes.iter().filter(|change| takes(change));
    let mut places: Vec<(&str, Verb, &str)> =
        changes.map(|it| (it.tenant.as_str(), it.verb, it.target.group.as_str())).collect();
    // Changes are in the order of verbs, tenants and groups: of many few are left.
    places.dedup();
    places.into_iter().collect()
}

pub(super) fn structure(plan: &Plan, faults: &mut Vec<Fault>) {
    if plan.tenants.iter().all(|section| section.room.is_empty() && section.room_since.is_none()) {
        return;
    }
    let places =
        places(plan, |it| it.verb.is_restrictive() && it.target.kind == TargetKind::Device);
    for section in &plan.tenants {
        let mut bad = |limit: &str| {
            let (tenant, limit) = (section.name.clone(), limit.to_owned());
            faults.push(Fault::NoSuchRoom { tenant, limit });
        };
        let timed = section
            .room_since
            .is_some_and(|since| since <= section.service_at.unwrap_or(section.observed_at));
        if timed == section.room.is_empty() || section.room_since.is_some() != timed {
            bad("roomSince");
        }
        for pair in section.room.windows(2) {
            if let [left, right] = pair
                && key(left) >= key(right)
            {
                bad(right.limit.code());
            }
        }
        for room in &section.room {
            let lifted = plan.lifts.iter().any(|lift| lift.code == room.limit.code());
            if lifted || !shaped(section, room) || !counted(section, room, &places) {
                bad(room.limit.code());
            }
        }
    }
}

fn key(room: &Room) -> (RoomLimit, Option<Verb>, Option<&str>) {
    (room.limit, room.verb, room.group.as_deref())
}

/// Whether it names what its limit counts, and no more than there is.
fn shaped(section: &TenantSection, room: &Room) -> bool {
    let size = room.group.as_ref().map(|group| section.groups.get(group).copied().unwrap_or(0));
    match (room.limit, room.verb, size) {
        (RoomLimit::CapFleet, Some(_), None) | (RoomLimit::CapGroup, Some(_), Some(1..)) => true,
        // A device that is taken is not free, and one is.
        (RoomLimit::Remaining, None, Some(size)) => room.left < size,
        _ => false,
    }
}

fn counted(section: &TenantSection, room: &Room, places: &Places<'_>) -> bool {
    let tenant = section.name.as_str();
    let verbs = Verb::ALL.iter().filter(|verb| room.verb.is_none_or(|own| own == **verb));
    let mut verbs = verbs.copied();
    match &room.group {
        Some(group) => verbs.any(|verb| places.contains(&(tenant, verb, group.as_str()))),
        None => places.iter().any(|(of, verb, _)| *of == tenant && room.verb == Some(*verb)),
    }
}

/// Caps of group and fleet that count a device which was free, and that nothing says the room of.
pub(super) fn against(plan: &Plan, input: &Input<'_>, faults: &mut Vec<Fault>) {
    let free = [Isolation::Free.word(), Restriction::Unrestricted.word()];
    let caps = &input.workspace.guardrails.caps;
    let taken = places(plan, |it| it.verb.is_restrictive() && free.contains(&it.from.as_str()));
    for (tenant, verb, group) in taken {
        let Some(caps) = caps.get(&verb) else { continue };
        let limits = [
            (RoomLimit::CapFleet, caps.fleet.is_some(), None),
            (RoomLimit::CapGroup, caps.group.is_some(), Some(group)),
        ];
        for (limit, _, group) in limits.into_iter().filter(|(_, capped, _)| *capped) {
            let says = |room: &Room| key(room) == (limit, Some(verb), group);
            let section = plan.tenants.iter().find(|section| section.name == tenant);
            let said = section.is_some_and(|section| section.room.iter().any(says));
            if !said && input.around.lifted(limit.code()).is_none() {
                let (tenant, limit) = (tenant.to_owned(), limit.code().to_owned());
                faults.push(Fault::NoRoom { tenant, limit });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::check::check;
    use crate::plan::tests::asked;
    use crate::plan::tests::fleet::{Fleet, Machine, now};
    use crate::plan::tests::policies::{isolate, set, tag, workspace};
    use crate::plan::{Circumstances, Lift, plan};
    use crate::policy::PolicySet;
    use crate::policy::limits::Remaining;
    use crate::policy::workspace::{Caps, Limit};

    fn faults(change: impl FnOnce(&mut Plan)) -> Vec<Fault> {
        let policies = PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() };
        let mut workspace = workspace();
        let limit = Some(Limit::Count(3));
        let caps = Caps { fleet: limit, group: limit, ..Caps::default() };
        workspace.guardrails.caps = [(Verb::Isolate, caps)].into();
        workspace.guardrails.remaining = Remaining { least: Limit::Count(1), groups_from: 1 };
        let machines = [Machine::new("pc-1").tag("ir"), Machine::new("pc-2"), Machine::new("pc-3")];
        let inventories = [Fleet::of(machines).build()];
        let around = Circumstances::default();
        let input = asked(&around, &policies, &workspace, &inventories);
        let mut plan = plan(&input).unwrap();
        change(&mut plan);
        check(&plan, &input)
    }

    fn room(change: impl FnOnce(&mut Vec<Room>)) -> Vec<String> {
        let faults = faults(|plan| change(&mut plan.tenants[0].room));
        let said = faults.iter().map(|fault| match fault {
            Fault::NoSuchRoom { limit, .. } => format!("no such {limit}"),
            Fault::NoRoom { limit, .. } => format!("no {limit}"),
            other => format!("{other:?}"),
        });
        said.collect()
    }

    #[test]
    fn what_a_plan_says_of_its_room_is_held_against_its_changes_and_the_caps() {
        assert_eq!(faults(|_| ()), []);
        assert_eq!(room(|room| drop(room.remove(0))), ["no cap-fleet"]);
        assert_eq!(room(|room| drop(room.remove(1))), ["no cap-group"]);
        assert_eq!(room(|room| room.swap(0, 1)), ["no such cap-fleet"]);
        assert_eq!(room(|room| room.push(room[2].clone())), ["no such remaining"]);
        let wrong: [&[fn(&mut Room)]; 3] = [
            &[
                |it| it.group = Some("Workstations".into()),
                |it| it.verb = Some(Verb::Restrict),
                |it| it.verb = None,
            ],
            &[|it| it.group = Some("Else".into()), |it| it.group = None],
            &[|it| it.verb = Some(Verb::Isolate), |it| it.left = 3, |it| it.group = None],
        ];
        for (at, limit) in ["cap-fleet", "cap-group", "remaining"].into_iter().enumerate() {
            for change in wrong[at] {
                let found = room(|room| change(&mut room[at]));
                assert!(found.contains(&format!("no such {limit}")), "{at}: {found:?}");
            }
        }
    }

    #[test]
    fn what_lets_go_or_has_no_device_counts_towards_no_limit() {
        let remaining = |plan: &mut Plan| plan.tenants[0].room.drain(2..).next().unwrap();
        let only = |change: fn(&mut Change)| {
            faults(|plan| {
                change(&mut plan.changes[0]);
                plan.tenants[0].room = vec![remaining(plan)];
            })
        };
        let no_such = |faults: &[Fault]| {
            let mut faults = faults.iter();
            faults.any(|it| matches!(it, Fault::NoSuchRoom { limit, .. } if limit == "remaining"))
        };
        assert!(!no_such(&only(|_| ())));
        assert!(no_such(&only(|change| change.verb = Verb::Release)));
        assert!(no_such(&only(|change| change.target.kind = TargetKind::Alert)));
    }

    #[test]
    fn room_has_its_time_and_none_that_is_lifted() {
        let tenant =
            |change: fn(&mut TenantSection)| faults(|plan| change(&mut plan.tenants[0])).len();
        assert_eq!(tenant(|section| section.room_since = None), 1);
        assert_eq!(
            tenant(|section| section.room_since =
                now().checked_add(jiff::SignedDuration::from_secs(1)).ok()),
            1
        );
        let ahead = |section: &mut TenantSection| {
            let later = now().checked_add(jiff::SignedDuration::from_secs(1)).ok();
            (section.service_at, section.room_since) = (later, later);
        };
        assert_eq!(tenant(ahead), 0);
        // The time without the room, and two caps without theirs.
        assert_eq!(tenant(|section| section.room.clear()), 3);
        let lifted = |code: &str| Lift { code: code.to_owned(), because: "IR-7781".to_owned() };
        assert_eq!(faults(|plan| plan.lifts = vec![lifted("cap-group")]).len(), 1);
        assert_eq!(faults(|plan| plan.lifts = vec![lifted("cap-run")]), []);
    }
}
