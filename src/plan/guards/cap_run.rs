//! `cap-run`: at most so many changes of a verb in one run and tenant.

use crate::model::Verb;
use crate::plan::guards::{Breach, Ground, Measured, over};
use crate::policy::workspace::Caps;

pub(super) fn guard(ground: &Ground<'_>) -> Vec<Breach> {
    over(measure(ground))
}

/// What is counted, over the limit or not.
pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    ground.capped().filter_map(|(verb, caps, held)| one(ground, verb, caps, held)).collect()
}

fn one(ground: &Ground<'_>, verb: Verb, caps: Caps, held: Vec<usize>) -> Option<Measured> {
    let size = u32::try_from(ground.scene.inventory.len()).unwrap_or(u32::MAX);
    let limit = caps.run?.of(size);
    let planned = u32::try_from(held.len()).unwrap_or(u32::MAX);
    let breach = Breach {
        code: "cap-run".into(),
        scope: "run".to_owned(),
        verb: Some(verb),
        setting: format!("guardrails.caps.{verb}.run"),
        facts: vec![("limit", limit.into()), ("wouldBe", planned.into()), ("size", size.into())],
        held,
    };
    Some(Measured { over: planned > limit, breach })
}
