//! `cap-rolling`: at most so many actions of a kind within a window that ends now.
//!
//! Counted from the tenant's own action history, whoever acted: runs, repositories, other tools and
//! hands add up, so that a loop under a per-run cap meets this one. What counts says `recount`, which
//! asks once more right before a run begins.

use crate::model::Verb;
use crate::plan::guards::{Breach, Ground, Left, Measured, number};
use crate::plan::recount::within;
use crate::policy::workspace::Caps;

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    ground.capped().filter_map(|(verb, caps, held)| one(ground, verb, caps, held)).collect()
}

fn one(ground: &Ground<'_>, verb: Verb, caps: Caps, held: Vec<usize>) -> Option<Measured> {
    let (rolling, kind) = (caps.rolling?, verb.action()?);
    let actions = ground.scene.inventory.all_actions();
    let already = within(actions, &kind, rolling, ground.scene.service_now());
    let planned = number(held.len());
    let would_be = already.saturating_add(planned);
    let breach = Breach {
        code: "cap-rolling".into(),
        scope: "rolling window".to_owned(),
        verb: Some(verb),
        setting: format!("guardrails.caps.{verb}.rolling"),
        facts: vec![
            ("limit", rolling.count.into()),
            ("wouldBe", would_be.into()),
            ("already", already.into()),
            ("planned", planned.into()),
            ("windowSeconds", rolling.window.as_secs().into()),
        ],
        held,
    };
    Some(
        breach
            .measured(planned > 0 && would_be > rolling.count)
            .left(Left::Count(rolling.count.saturating_sub(would_be)))
            .beyond(would_be.saturating_sub(rolling.count)),
    )
}
