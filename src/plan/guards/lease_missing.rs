//! `lease-missing`: what takes something away must end.
//!
//! Policies of today's restrictive kinds cannot be written without a lease; this holds whatever
//! comes by another way.

use crate::model::Verb;
use crate::plan::guards::{Breach, Ground};

pub(super) fn guard(ground: &Ground<'_>) -> Vec<Breach> {
    if !ground.guardrails().require_lease {
        return Vec::new();
    }
    let leased = |verb| matches!(verb, Verb::Isolate | Verb::Restrict);
    let held: Vec<usize> = ground
        .changes()
        .filter(|(_, change)| leased(change.verb) && change.lease_end.is_none())
        .map(|(at, _)| at)
        .collect();
    if held.is_empty() {
        return Vec::new();
    }
    vec![Breach {
        code: "lease-missing".into(),
        scope: "run".to_owned(),
        verb: None,
        setting: "guardrails.requireLease".to_owned(),
        facts: Vec::new(),
        held,
    }]
}
