//! `max-lease`: no posture lasts longer than the workspace allows.
//!
//! Counted from the plan's making to the end that the change states. One objection per policy whose
//! wish decides, so that each names the file to edit.

use std::collections::BTreeMap;

use crate::plan::guards::{Breach, Ground};

pub(super) fn guard(ground: &Ground<'_>) -> Vec<Breach> {
    let most = ground.guardrails().max_lease;
    let latest = most.after(ground.scene.input.now);
    let mut policies: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (at, change) in ground.changes() {
        if change.lease_end.is_some_and(|end| end > latest) {
            let policy = change.because.first().map_or("", |why| why.name.as_str());
            policies.entry(policy).or_default().push(at);
        }
    }
    let breach = |(policy, held): (&str, Vec<usize>)| Breach {
        code: "max-lease".into(),
        scope: format!("policy {policy}"),
        verb: None,
        setting: "guardrails.maxLease".to_owned(),
        facts: vec![("policy", policy.into()), ("mostSeconds", most.as_secs().into())],
        held,
    };
    policies.into_iter().map(breach).collect()
}
