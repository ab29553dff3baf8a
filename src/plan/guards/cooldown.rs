//! `cooldown`: a device that we let go is not taken again for a while.
//!
//! The other half of `dwell`: a selector that flickers must not isolate, release and isolate again.
//! It counts from our own last release of that facet, seen as succeeded. What somebody else released
//! is another matter (`released-by-hand`), and putting back what a person undoes is no flicker.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::inventory::readings;
use crate::model::{ActionKind, ActionStatus, Holder, Verb};
use crate::plan::guards::{Breach, Ground};
use crate::plan::order::Proposal;

pub(super) fn guard(ground: &Ground<'_>) -> Vec<Breach> {
    let cooldown = ground.guardrails().cooldown;
    let mut verbs: BTreeMap<Verb, (Timestamp, Vec<usize>)> = BTreeMap::new();
    for (at, proposal) in ground.proposals.iter().enumerate() {
        let Some(released) = released(ground, proposal) else { continue };
        let until = cooldown.after(released);
        if until > ground.scene.input.now {
            let group = verbs.entry(proposal.change.verb).or_default();
            group.0 = group.0.max(until);
            group.1.push(at);
        }
    }
    let breach = |(verb, (until, held)): (Verb, (Timestamp, Vec<usize>))| Breach {
        code: "cooldown".into(),
        scope: "devices released lately".to_owned(),
        verb: Some(verb),
        setting: "guardrails.cooldown".to_owned(),
        facts: vec![
            ("leastSeconds", cooldown.as_secs().into()),
            ("until", until.to_string().into()),
        ],
        held,
    };
    verbs.into_iter().map(breach).collect()
}

/// When we last let go of the device that the change newly takes.
fn released(ground: &Ground<'_>, proposal: &Proposal) -> Option<Timestamp> {
    let change = &proposal.change;
    let undone = change.reason.as_ref().is_some_and(|reason| reason.code == "undo");
    let kind = match change.verb {
        Verb::Isolate => ActionKind::Unisolate,
        Verb::Restrict => ActionKind::UnrestrictCodeExecution,
        _ => return None,
    };
    if !proposal.adds || undone {
        return None;
    }
    let scene = ground.scene;
    let ours = &scene.input.workspace.id;
    scene
        .inventory
        .actions(proposal.device?)
        .filter(|action| action.kind == kind && action.status == ActionStatus::Succeeded)
        .filter(|action| matches!(readings::holder_of(action, ours), Holder::Ours { .. }))
        .map(|action| action.updated)
        .max()
}

#[cfg(test)]
mod tests;
