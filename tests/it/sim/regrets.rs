//! Second thoughts: runs that let go of what earlier ones took, people who take some of it again, and
//! the undoing of such runs, at once or after somebody has looked at its plan for a while; people who
//! act on what a plan under review is about.
//!
//! Drawn by `transition`, happens in `world`; what an undoing may do is asked in `on_undo`. Must never
//! decide what is right.

use palisade::emulator::tenant::Action;
use palisade::model::{ActionStatus, Facet};
use palisade::plan::{Change, Circumstances, Purpose};

use super::deeds::Deed;
use super::policy::{Doc, Kind, Pick};
use super::reference::{Side, Truth, is_of, strength};
use super::transition::{Course, Draw, Transition};
use super::world::World;
use super::{Check, on_undo};

/// A run that lets go of some of what the one before took, people who act on it, and its undoing.
pub(super) fn draw(draw: &mut Draw, site: usize, life: &mut Vec<Transition>) {
    let (slot, full) = (draw.below(3), draw.chance(40));
    let kind = Kind::Isolate { full };
    let doc = Doc { kind, audit: false, lease: 150, rollout: None, ..Doc::draw(draw) };
    // What was just placed is not let go so soon.
    let stays = Transition::Wait(draw.pick(&[3, 75, 75, 75]));
    for (pick, then) in [
        (Pick::Everything, stays),
        (draw.pick(&[Pick::Tag(0), Pick::Group(1)]), Transition::Wait(3)),
    ] {
        life.push(Transition::Edit { site, slot, doc: Some(Doc { pick, ..doc.clone() }) });
        life.push(Transition::Apply(site, Course::default()));
        life.push(then);
    }
    for _ in 0..draw.below(3) {
        life.push(Transition::Deed(Deed::draw(draw)));
    }
    let taken = |draw: &mut Draw| Transition::TakeAnew { site, nth: draw.below(16) };
    let back = usize::from(draw.chance(20));
    if draw.chance(50) {
        life.extend([taken(draw), Transition::Wait(3)]);
        life.push(Transition::Undo { site, back, course: Course::draw(draw) });
    } else {
        life.extend([Transition::PlanUndo { site, back }, taken(draw), taken(draw)]);
        life.extend([Transition::Wait(5), Transition::Apply(site, Course::default())]);
    }
}

/// Somebody isolates or restricts one of the devices that the workspace has let go last.
pub(super) fn take_anew(world: &mut World, site: usize, nth: usize) {
    let id = world.sites[site].id;
    let free: Vec<String> = world.truth(|truth| {
        let verbs =
            [(Side::Network, ["isolate full", "isolate selective"]), (Side::Code, ["restrict"; 2])];
        let all = truth.rows().flat_map(|row| verbs.map(|(side, verbs)| (row, side, verbs)));
        let ours = all.filter(|(row, side, _)| {
            last(truth, *row, *side).is_some_and(|last| is_of(last, id) && strength(last) == 0)
        });
        let words = ours.map(|(row, _, verbs)| {
            format!("{} {}", verbs[nth % 2], truth.0.machine(row).unwrap().id)
        });
        words.collect()
    });
    if let Some(what) = free.get(nth / 2 % free.len().max(1)) {
        world.play(&format!("act ana@contoso.example {what} comment \"again\""));
        world.count("taken anew");
    }
}

/// Somebody acts on a device that the plan under review wants to change.
pub(super) fn touch(world: &mut World, site: usize, nth: usize) {
    let Some(review) = &world.sites[site].review else { return };
    let acts = |change: &Change| {
        let verbs = match change.facet {
            Facet::Isolation => ["isolate full", "release"],
            Facet::CodeExecution => ["restrict", "unrestrict"],
            _ => return None,
        };
        Some(format!("{} {}", verbs[nth % 2], change.target.id))
    };
    let acts: Vec<String> = review.plan.changes.iter().filter_map(acts).collect();
    if let Some(what) = acts.get(nth / 2 % acts.len().max(1)) {
        world.play(&format!("act ana@contoso.example {what} comment \"case 9\""));
        world.count("touched");
    }
}

/// The last success on that side.
fn last(truth: Truth<'_>, row: u32, side: Side) -> Option<&Action> {
    let done = truth.actions(row, side).filter(|it| it.status == ActionStatus::Succeeded);
    done.max_by_key(|action| (action.updated, action.created))
}

/// Plans the undoing of one of the last runs, for review.
pub(super) async fn plan(world: &mut World, site: usize, back: usize) -> Check {
    if let Some(past) = on_undo::nth(world, site, back) {
        world.count("undoings planned");
        let around = Circumstances { purpose: Purpose::Undo(past), ..Circumstances::default() };
        world.sites[site].review = world.plan(site, around).await?;
    }
    Ok(())
}
