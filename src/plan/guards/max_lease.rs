//! `max-lease`: no posture lasts longer than the workspace allows.
//!
//! For changes, counted from the plan's making to the end that the change states. One objection per
//! policy whose wish decides, so that each names the file to edit. What is in force is counted from its
//! verified start: where an edit would keep it for longer, `posture` holds the extension and the
//! objection here says so; there is no change to hold.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::{PolicyName, Span};
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
        let breach = breach(format!("policy {policy}"), policy, seconds(now, last), most);
        let left = Left::Seconds(seconds(last, latest));
        Breach { held, ..breach }.measured(over).left(left)
    };
    let changes = policies.into_iter().map(one);
    changes.chain(ground.draft.kept.iter().map(|kept| in_force(kept, most))).collect()
}

/// What a policy keeps.
fn in_force((policy, (longest, devices)): (&PolicyName, &(u64, u32)), most: Span) -> Measured {
    let mut breach = breach(format!("policy {policy} in force"), policy.as_str(), *longest, most);
    if *devices > 0 {
        breach.facts.push(("devices", (*devices).into()));
    }
    let left = Left::Seconds(most.as_secs().saturating_sub(*longest));
    breach.measured(*devices > 0).left(left)
}

/// An objection that holds nothing yet.
fn breach(scope: String, policy: &str, length: u64, most: Span) -> Breach {
    Breach {
        code: "max-lease".into(),
        scope,
        verb: None,
        setting: "guardrails.maxLease".to_owned(),
        facts: vec![
            ("policy", policy.into()),
            ("leaseSeconds", length.into()),
            ("mostSeconds", most.as_secs().into()),
        ],
        held: Vec::new(),
    }
}
