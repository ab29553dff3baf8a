//! `cap-run`: at most so many changes of a verb in one run and tenant.

use crate::model::Verb;
use crate::plan::guards::{Breach, Ground, Left, Measured, number};
use crate::policy::workspace::Caps;

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    ground.capped().filter_map(|(verb, caps, held)| one(ground, verb, caps, held)).collect()
}

fn one(ground: &Ground<'_>, verb: Verb, caps: Caps, held: Vec<usize>) -> Option<Measured> {
    let size = number(ground.scene.inventory.len());
    let limit = caps.run?.of(size);
    let planned = number(held.len());
    let breach = Breach {
        code: "cap-run".into(),
        scope: "run".to_owned(),
        verb: Some(verb),
        setting: format!("guardrails.caps.{verb}.run"),
        facts: vec![("limit", limit.into()), ("wouldBe", planned.into()), ("size", size.into())],
        held,
    };
    Some(breach.measured(planned > limit).left(Left::Count(limit.saturating_sub(planned))))
}
