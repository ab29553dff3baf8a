//! `lease-missing`: what takes something away must end.
//!
//! Policies of today's restrictive kinds cannot be written without a lease; this holds whatever
//! comes by another way.

use crate::model::Verb;
use crate::plan::guards::{Breach, Ground, Measured};

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    let leased = |verb| matches!(verb, Verb::Isolate | Verb::Restrict);
    let all = || ground.changes().filter(|(_, change)| leased(change.verb));
    let held: Vec<usize> =
        all().filter(|(_, change)| change.lease_end.is_none()).map(|(at, _)| at).collect();
    let (without, changes) = (held.len(), all().count());
    let breach = Breach {
        code: "lease-missing".into(),
        scope: "run".to_owned(),
        verb: None,
        setting: "guardrails.requireLease".to_owned(),
        facts: Vec::new(),
        held,
    };
    let over = ground.guardrails().require_lease && without > 0;
    vec![breach.measured(over).with("without", without).with("changes", changes)]
}
