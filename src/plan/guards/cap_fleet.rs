//! `cap-fleet`: at most so many of a tenant's devices in one state, those already in it included.
//!
//! A change that puts nobody new into the state, such as a stronger isolation, is over no number of
//! devices; it is over a cap that is written as none.

use crate::model::Verb;
use crate::plan::guards::{Breach, Ground, Left, Measured, number};
use crate::policy::workspace::Caps;

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    ground.capped().filter_map(|(verb, caps, held)| one(ground, verb, caps, held)).collect()
}

fn one(ground: &Ground<'_>, verb: Verb, caps: Caps, held: Vec<usize>) -> Option<Measured> {
    let size = number(ground.scene.inventory.len());
    let cap = caps.fleet?;
    let limit = cap.of(size);
    let (already, planned) = (ground.already(verb), ground.added(&held));
    let would_be = already.saturating_add(planned);
    let breach = Breach {
        code: "cap-fleet".into(),
        scope: "fleet".to_owned(),
        verb: Some(verb),
        setting: format!("guardrails.caps.{verb}.fleet"),
        facts: vec![
            ("limit", limit.into()),
            ("wouldBe", would_be.into()),
            ("already", already.into()),
            ("planned", planned.into()),
            ("size", size.into()),
        ],
        held,
    };
    let none = cap.is_none() && !breach.held.is_empty();
    Some(
        breach
            .measured(none || planned > 0 && would_be > limit)
            .left(Left::Count(limit.saturating_sub(would_be)))
            .beyond(would_be.saturating_sub(limit)),
    )
}
