//! `orphaned-releases`: letting go of what a policy holds that is gone waits for a word.
//!
//! A file that was deleted on purpose and one that a merge, a wrong folder or a bad checkout lost
//! look the same from here, and the second must not free a whole case. One group for each policy and
//! verb. A policy that was only renamed still selects its devices and releases none of them; where it
//! selects fewer, the objection says which policies keep the others (`keptBy`), so that a reviewer
//! recognizes the new name. Abandoning a pending isolation of such a policy counts as a release.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::model::Verb;
use crate::plan::guards::{Breach, Ground, Measured};
use crate::plan::types::Reason;

const SETTING: &str = "guardrails.holdOrphanedReleases";

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    let holds = ground.guardrails().hold_orphaned_releases;
    let mut groups: BTreeMap<(Verb, String), Vec<usize>> = BTreeMap::new();
    for (at, change) in ground.changes() {
        let gone = change.reason.as_ref().filter(|reason| reason.code == "policy-gone");
        if let Some(policy) = gone.and_then(|reason| reason.text("policy")) {
            groups.entry((change.verb, policy)).or_default().push(at);
        }
    }
    if groups.is_empty() {
        return vec![none(ground)];
    }
    let one = |((verb, policy), held): ((Verb, String), _)| one(ground, verb, &policy, held);
    groups.into_iter().map(|group| one(group).measured(holds)).collect()
}

/// No policy is gone that held a device.
fn none(ground: &Ground<'_>) -> Measured {
    let breach = Breach {
        code: "orphaned-releases".into(),
        scope: "run".to_owned(),
        verb: None,
        setting: SETTING.to_owned(),
        facts: Vec::new(),
        held: Vec::new(),
    };
    let changes = ground.changes().filter(|(_, change)| change.verb.lets_go()).count();
    breach.measured(false).with("orphaned", 0).with("changes", changes)
}

fn one(ground: &Ground<'_>, verb: Verb, policy: &str, held: Vec<usize>) -> Breach {
    let renamed = |reason: &Reason| {
        reason.code == "policy-renamed" && reason.text("policy").as_deref() == Some(policy)
    };
    let kept: Vec<_> =
        ground.standing.iter().filter(|row| row.reason.as_ref().is_some_and(renamed)).collect();
    let mut facts: Vec<(&'static str, Value)> =
        vec![("policy", policy.into()), ("devices", held.len().into())];
    if !kept.is_empty() {
        let by: BTreeSet<&str> =
            kept.iter().flat_map(|row| &row.because).map(|why| why.name.as_str()).collect();
        facts.push(("kept", kept.len().into()));
        facts.push(("keptBy", by.into_iter().collect::<Vec<_>>().into()));
    }
    Breach {
        code: "orphaned-releases".into(),
        scope: format!("policy {policy}"),
        verb: Some(verb),
        setting: SETTING.to_owned(),
        facts,
        held,
    }
}
