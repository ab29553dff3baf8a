//! `dwell`: what we placed lasts a while before we take it away again, unless its lease ended.
//!
//! Against a selector that flickers: a device that leaves and enters it every hour would be isolated
//! and released every hour. Held are releases because no policy selects the device any longer, or
//! because its policy is gone or only reports. The end of a lease, and a run that a person undoes,
//! are no flicker. It counts from the start of the taking, seen as succeeded: strengthening does not
//! begin it anew.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::inventory::readings;
use crate::model::Verb;
use crate::plan::guards::{Breach, Ground, Left, Measured, seconds};
use crate::plan::order::Proposal;

/// Reasons of releases that a flickering selector or checkout can bring about.
const FLICKERS: &[&str] =
    &["no-longer-selected", "policy-gone", "policy-in-audit", "lease-shortened"];

/// Releases of one verb and policy.
#[derive(Default)]
struct Releases {
    /// The latest taking among them.
    since: Timestamp,
    changes: usize,
    /// Those that come too soon.
    held: Vec<usize>,
}

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    let dwell = ground.guardrails().dwell;
    let mut policies: BTreeMap<(Verb, String), Releases> = BTreeMap::new();
    for (at, proposal) in ground.proposals.iter().enumerate() {
        let Some((policy, since)) = taken(ground, proposal) else { continue };
        let group = policies.entry((proposal.change.verb, policy)).or_default();
        group.changes += 1;
        group.since = group.since.max(since);
        if dwell.as_secs() > 0 && dwell.after(since) > ground.scene.service_now() {
            group.held.push(at);
        }
    }
    if policies.is_empty() {
        return vec![breach("run".to_owned(), None, Vec::new(), Vec::new()).measured(false)];
    }
    policies.into_iter().map(|(key, group)| one(ground, key, group)).collect()
}

fn one(ground: &Ground<'_>, (verb, policy): (Verb, String), group: Releases) -> Measured {
    let (dwell, now) = (ground.guardrails().dwell, ground.scene.service_now());
    let (over, until) = (!group.held.is_empty(), dwell.after(group.since));
    let scope = format!("policy {policy}");
    let facts = vec![
        ("policy", policy.into()),
        ("leastSeconds", dwell.as_secs().into()),
        ("until", until.to_string().into()),
    ];
    let measured = breach(scope, Some(verb), facts, group.held).measured(over);
    let measured = measured.left(Left::Seconds(seconds(until, now)));
    measured.with("changes", group.changes).with("sinceSeconds", seconds(group.since, now))
}

fn breach(
    scope: String,
    verb: Option<Verb>,
    facts: Vec<(&'static str, Value)>,
    held: Vec<usize>,
) -> Breach {
    let setting = "guardrails.dwell".to_owned();
    Breach { code: "dwell".into(), scope, verb, setting, facts, held }
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
