//! Lifts: somebody looks at what a plan's guardrails hold and lifts one of their codes.
//!
//! A code that nothing was held by shows little, so `held` picks among those of a plan that was just
//! made. What a lift may do is asked in `on_guards`. Must never decide what is right.

use std::collections::BTreeSet;

use palisade::plan::{Circumstances, Lift};

use super::Check;
use super::guard::Guard;
use super::policy::{Doc, Kind, Pick};
use super::transition::{Course, Draw, Transition};
use super::world::World;

/// What somebody may try to lift; some of it never is.
const CODES: &[&str] = &[
    "cap-fleet",
    "cap-group",
    "cap-group",
    "cap-rolling",
    "cap-run",
    "cooldown",
    "dwell",
    "freeze-window",
    "orphaned-releases",
    "protected",
    "released-by-hand",
    "remaining",
];

/// A plan with one code lifted, kept for review.
pub(super) async fn lift(world: &mut World, site: usize, code: &str) -> Check {
    let lift = Lift { code: code.to_owned(), because: "a test".to_owned() };
    let around = Circumstances { lifts: vec![lift], ..Circumstances::default() };
    let made = world.plan(site, around).await?;
    let lifted = |made: &super::world::Review| {
        made.plan.objections.iter().any(|it| it.lifted.is_some() && it.about > 0)
    };
    if made.as_ref().is_some_and(lifted) {
        world.count("lifted");
    }
    world.sites[site].review = made;
    Ok(())
}

/// The same with one of the codes that hold something just now.
pub(super) async fn held(world: &mut World, site: usize, nth: usize) -> Check {
    let Some(made) = world.plan(site, Circumstances::default()).await? else { return Ok(()) };
    let held = made.plan.objections.iter().filter(|objection| objection.held > 0);
    let codes: BTreeSet<String> = held.map(|objection| objection.code.clone()).collect();
    match codes.iter().nth(nth % codes.len().max(1)) {
        Some(code) => lift(world, site, code).await,
        None => {
            world.sites[site].review = Some(made);
            Ok(())
        }
    }
}

/// A workspace whose guardrails are narrow and whose wishes are wide, mostly; then lifts and runs.
pub(super) fn draw(draw: &mut Draw, site: usize, life: &mut Vec<Transition>) {
    if draw.chance(85) {
        let (guard, run) = (Guard::draw(draw), draw.pick(&[1, 2]));
        let guard = Guard { run: Some(run), group: Some(50), fleet: None, ..guard };
        life.push(Transition::Guard { site, guard });
    }
    if draw.chance(85) {
        let (doc, pick) =
            (Doc::draw(draw), draw.pick(&[Pick::Everything, Pick::Everything, Pick::Tag(1)]));
        let kind = Kind::Isolate { full: draw.chance(70) };
        let doc = Doc { kind, pick, audit: false, ..doc };
        life.push(Transition::Edit { site, slot: draw.below(5), doc: Some(doc) });
    }
    for _ in 0..1 + draw.below(2) {
        life.push(match draw.below(4) {
            0 => Transition::Lift { site, code: draw.pick(CODES) },
            nth => Transition::LiftHeld { site, nth },
        });
        life.push(Transition::Apply(site, Course::draw(draw)));
    }
}
