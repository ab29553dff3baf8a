//! `max-lease`: no posture lasts longer than the workspace allows.
//!
//! Counted from the plan's making to the end that the change states. One objection per policy whose
//! wish decides, so that each names the file to edit.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::plan::guards::{Breach, Ground, Left, Measured, seconds};

/// The latest end that a policy states, and the changes whose end is too late.
type Ends = (Timestamp, Vec<usize>);

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    let now = ground.scene.input.now;
    let most = ground.guardrails().max_lease;
    let latest = most.after(now);
    let mut policies: BTreeMap<&str, Ends> = BTreeMap::new();
    for (at, change) in ground.changes() {
        let Some(end) = change.lease_end else { continue };
        let policy = change.because.first().map_or("", |why| why.name.as_str());
        let (last, held) = policies.entry(policy).or_insert((end, Vec::new()));
        *last = end.max(*last);
        if end > latest {
            held.push(at);
        }
    }
    let one = |(policy, (last, held)): (&str, Ends)| {
        let over = !held.is_empty();
        let breach = Breach {
            code: "max-lease".into(),
            scope: format!("policy {policy}"),
            verb: None,
            setting: "guardrails.maxLease".to_owned(),
            facts: vec![("policy", policy.into()), ("mostSeconds", most.as_secs().into())],
            held,
        };
        let left = Left::Seconds(seconds(last, latest));
        breach.measured(over).left(left).with("leaseSeconds", seconds(now, last))
    };
    policies.into_iter().map(one).collect()
}
