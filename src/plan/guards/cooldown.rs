//! `cooldown`: a device that we let go is not taken again for a while.
//!
//! The other half of `dwell`: a selector that flickers must not isolate, release and isolate again.
//! It counts from our own last release of that facet, seen as succeeded. What somebody else released
//! is another matter (`released-by-hand`), and putting back what a person undoes is no flicker.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::inventory::readings;
use crate::model::{ActionKind, ActionStatus, Verb};
use crate::plan::guards::{Breach, Ground, Left, Measured, seconds};
use crate::plan::order::Proposal;

/// Takings of one verb.
#[derive(Default)]
struct Takings {
    /// The latest release among them.
    released: Timestamp,
    changes: usize,
    /// Those that come too soon.
    held: Vec<usize>,
}

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    let cooldown = ground.guardrails().cooldown;
    let mut verbs: BTreeMap<Verb, Takings> = BTreeMap::new();
    for (at, proposal) in ground.proposals.iter().enumerate() {
        let Some(released) = released(ground, proposal) else { continue };
        let group = verbs.entry(proposal.change.verb).or_default();
        group.changes += 1;
        group.released = group.released.max(released);
        if cooldown.as_secs() > 0 && cooldown.after(released) > ground.scene.service_now() {
            group.held.push(at);
        }
    }
    if verbs.is_empty() {
        return vec![breach(None, Vec::new(), Vec::new()).measured(false)];
    }
    verbs.into_iter().map(|(verb, group)| one(ground, verb, group)).collect()
}

fn one(ground: &Ground<'_>, verb: Verb, group: Takings) -> Measured {
    let (cooldown, now) = (ground.guardrails().cooldown, ground.scene.service_now());
    let (over, until) = (!group.held.is_empty(), cooldown.after(group.released));
    let facts =
        vec![("leastSeconds", cooldown.as_secs().into()), ("until", until.to_string().into())];
    let measured = breach(Some(verb), facts, group.held).measured(over);
    let measured = measured.left(Left::Seconds(seconds(until, now)));
    measured.with("changes", group.changes).with("sinceSeconds", seconds(group.released, now))
}

fn breach(verb: Option<Verb>, facts: Vec<(&'static str, Value)>, held: Vec<usize>) -> Breach {
    let scope = "devices released lately".to_owned();
    let setting = "guardrails.cooldown".to_owned();
    Breach { code: "cooldown".into(), scope, verb, setting, facts, held }
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
        .filter(|action| readings::holder_of(action, ours).is_ours())
        .map(|action| action.updated)
        .max()
}

#[cfg(test)]
mod tests;
