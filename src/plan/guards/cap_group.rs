//! `cap-group`: at most so many of a device group in one state, those already in it included.
//!
//! Whoever put them there: ten devices that an analyst isolated leave ten fewer for us. A change that
//! puts nobody new into the state is over no number of devices; it is over a cap that is written as
//! none.

use std::collections::BTreeMap;

use crate::model::Verb;
use crate::plan::guards::{Breach, Ground, Left, Measured};
use crate::plan::types::TargetKind;
use crate::policy::workspace::Limit;

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    let sizes = ground.scene.inventory.groups();
    let mut measured = Vec::new();
    for (verb, caps, held) in ground.capped() {
        let Some(limit) = caps.group else { continue };
        let mut groups: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for at in held {
            let change = ground.proposals.get(at).map(|proposal| &proposal.change);
            if let Some(change) = change.filter(|change| change.target.kind == TargetKind::Device) {
                groups.entry(&change.target.group).or_default().push(at);
            }
        }
        for (group, held) in groups {
            let size = sizes.get(group).copied().unwrap_or(0);
            measured.push(one(ground, verb, limit, group, size, held));
        }
    }
    measured
}

fn one(
    ground: &Ground<'_>,
    verb: Verb,
    cap: Limit,
    group: &str,
    size: u32,
    held: Vec<usize>,
) -> Measured {
    let (already, planned) = (ground.already_in(verb, group), ground.added(&held));
    let (limit, would_be) = (cap.of(size), already.saturating_add(planned));
    let breach = Breach {
        code: "cap-group".into(),
        scope: format!("group {}", if group.is_empty() { "(none)" } else { group }),
        verb: Some(verb),
        setting: format!("guardrails.caps.{verb}.group"),
        facts: vec![
            ("group", group.into()),
            ("limit", limit.into()),
            ("wouldBe", would_be.into()),
            ("already", already.into()),
            ("planned", planned.into()),
            ("size", size.into()),
        ],
        held,
    };
    let none = cap.is_none() && !breach.held.is_empty();
    breach
        .measured(none || planned > 0 && would_be > limit)
        .left(Left::Count(limit.saturating_sub(would_be)))
        .beyond(would_be.saturating_sub(limit))
}
