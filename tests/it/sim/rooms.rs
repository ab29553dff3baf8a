//! Limits counted anew before a run begins: what others took since its plan was made fills them too.
//!
//! The product asks the emulator's history; the model looks at what is truly in force. It counts less
//! than the product may, so a run that begins beyond a cap is a broken law, and one that is refused is
//! none as long as anybody took anything. Called by `runs` and `on_undo`, with what `world` kept.

use jiff::Timestamp;
use palisade::cli::recounting::crowded;
use palisade::model::Verb;
use palisade::plan::Plan;

use super::deeds::{Deed, What};
use super::guard::Guard;
use super::on_plans::Scene;
use super::policy::{Doc, GROUPS, Kind, Pick};
use super::reference::{Side, Truth, strength};
use super::runs::{Run, bounded};
use super::transition::{Course, Draw, Transition};
use super::world::World;
use super::{Broken, Check};

/// A plan waits for review while others isolate what its caps had left.
pub(super) fn draw(draw: &mut Draw, site: usize, life: &mut Vec<Transition>) {
    let share = draw.pick(&[(Some(40), None), (Some(60), None), (None, Some(50))]);
    let (fleet, group) = share;
    life.push(Transition::Guard { site, guard: Guard { fleet, group, ..Guard::default() } });
    let kind = Kind::Isolate { full: draw.chance(70) };
    let pick = draw.pick(&[Pick::Tag(0), Pick::Tag(1), Pick::Group(1)]);
    let doc = Doc { kind, pick, audit: false, rollout: None, queue: true, ..Doc::draw(draw) };
    life.push(Transition::Edit { site, slot: draw.below(2), doc: Some(doc) });
    life.push(Transition::Plan(site));
    for _ in 0..2 + draw.below(3) {
        let what = What::Analyst("isolate full");
        life.push(Transition::Deed(Deed { device: draw.below(64), what }));
    }
    life.extend([Transition::Wait(5), Transition::Apply(site, Course::draw(draw))]);
}

/// What a cap on a share leaves at most once the plan is done.
#[derive(Clone, Debug)]
pub(super) struct Room {
    group: Option<&'static str>,
    left: usize,
}

impl Scene<'_> {
    /// Caps that the plan's isolations count towards and that nobody lifted.
    pub(super) fn rooms(&self) -> Vec<Room> {
        let lifted = |code: &str| self.plan.lifts.iter().any(|lift| lift.code == code);
        let guard = &self.site.guard;
        let fleet = guard.fleet.filter(|_| !lifted("cap-fleet")).map(|percent| (percent, None));
        let group = guard.group.filter(|_| !lifted("cap-group"));
        let groups = GROUPS.iter().filter_map(|name| Some((group?, Some(*name))));
        let shares = fleet.into_iter().chain(groups).map(|(percent, group)| {
            let share = self.share(percent, group);
            let left = share.most.saturating_sub(share.newly + share.isolated);
            (share.newly > 0).then_some(Room { group, left })
        });
        shares.flatten().collect()
    }
}

impl World {
    /// Whether the run may begin; `since` is when its plan's observation began.
    pub(super) async fn has_room(
        &mut self,
        site: usize,
        run: &Run,
        rooms: &[Room],
        since: Timestamp,
    ) -> Result<bool, Broken> {
        let clients = [self.client(site)];
        let workspace = self.sites[site].workspace.clone();
        let (plan, now) = (&*run.plan, self.clock.now());
        let counted = crowded(plan, &workspace, &plan.changes, &clients, now);
        let Ok(found) = bounded("a count", 2, counted).await? else {
            self.count("not counted anew");
            return Ok(false);
        };
        if let Some(found) = found {
            self.count("crowded");
            let taken = self.truth(|truth| {
                truth.0.actions().iter().any(|it| it.created >= since && strength(it) > 0)
            });
            let what = || format!("nobody took anything, and there is no room: {found}");
            return if taken { Ok(false) } else { Err(Broken::new(1, what())) };
        }
        self.truth(|truth| rooms.iter().try_for_each(|room| fits(truth, plan, room, since, now)))?;
        Ok(true)
    }
}

/// Law 3: what others have taken since fits beside what the plan takes.
fn fits(truth: Truth<'_>, plan: &Plan, room: &Room, since: Timestamp, now: Timestamp) -> Check {
    let own: Vec<Option<u32>> = plan
        .changes
        .iter()
        .filter(|change| change.verb == Verb::Isolate)
        .map(|change| truth.row(&change.target.id))
        .collect();
    let newly = truth.members().filter(|row| {
        let within = room.group.is_none_or(|group| truth.traits(*row).group == group);
        let free = || truth.standing(*row, Side::Network, since).level == 0;
        let is_taken = || {
            let last = truth.standing(*row, Side::Network, now).by;
            last.is_some_and(|it| it.created >= since && it.updated < now)
        };
        within && !own.contains(&Some(*row)) && free() && is_taken()
    });
    let newly = newly.count();
    match newly > room.left {
        true => {
            Err(Broken::new(3, format!("{newly} were taken since, and a run begins: {room:?}")))
        }
        false => Ok(()),
    }
}
