//! `dwell`: what we placed lasts a while before we take it away again, unless its lease ended.
//!
//! Against a selector that flickers: a device that leaves and enters it every hour would be isolated
//! and released every hour. Held are releases because no policy selects the device any longer, or
//! because its policy is gone or only reports. The end of a lease, and a run that a person undoes,
//! are no flicker. It counts from the start of the taking, seen as succeeded: strengthening does not
//! begin it anew.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::inventory::readings;
use crate::model::Verb;
use crate::plan::guards::{Breach, Ground};
use crate::plan::order::Proposal;

/// Reasons of releases that a flickering selector or checkout can bring about.
const FLICKERS: &[&str] = &["no-longer-selected", "policy-gone", "policy-in-audit"];

pub(super) fn guard(ground: &Ground<'_>) -> Vec<Breach> {
    let dwell = ground.guardrails().dwell;
    let mut policies: BTreeMap<(Verb, String), (Timestamp, Vec<usize>)> = BTreeMap::new();
    for (at, proposal) in ground.proposals.iter().enumerate() {
        let Some((policy, since)) = taken(ground, proposal) else { continue };
        let until = dwell.after(since);
        if until > ground.scene.input.now {
            let group = policies.entry((proposal.change.verb, policy)).or_default();
            group.0 = group.0.max(until);
            group.1.push(at);
        }
    }
    let breach =
        |((verb, policy), (until, held)): ((Verb, String), (Timestamp, Vec<usize>))| Breach {
            code: "dwell".into(),
            scope: format!("policy {policy}"),
            verb: Some(verb),
            setting: "guardrails.dwell".to_owned(),
            facts: vec![
                ("policy", policy.into()),
                ("leastSeconds", dwell.as_secs().into()),
                ("until", until.to_string().into()),
            ],
            held,
        };
    policies.into_iter().map(breach).collect()
}

/// The policy that took the device and since when, for releases that a flicker can bring about.
fn taken(ground: &Ground<'_>, proposal: &Proposal) -> Option<(String, Timestamp)> {
    let change = &proposal.change;
    let flickers = |code: &str| FLICKERS.contains(&code);
    change.reason.as_ref().filter(|reason| flickers(&reason.code))?;
    if !matches!(change.verb, Verb::Release | Verb::Unrestrict) {
        return None;
    }
    let scene = ground.scene;
    let ours = &scene.input.workspace.id;
    let takings = readings::takings(scene.inventory, proposal.device?, change.facet, ours);
    let taking = takings.into_iter().next_back().filter(|taking| taking.ended.is_none())?;
    Some((taking.policy.to_string(), taking.started))
}

#[cfg(test)]
mod tests;
