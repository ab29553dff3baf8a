//! `freeze-window`: nothing is done while a freeze window is open, but what lets go.
//!
//! One objection for each open window and verb, with the end of the window. A plan made shortly
//! before a window must not be applied inside it: [`first`] bounds its validity. A run that began
//! before the window is stopped by `plan::sending`. Lifted by its name, all windows of one plan
//! together.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::Verb;
use crate::plan::guards::{Breach, Ground};
use crate::plan::types::Change;
use crate::policy::workspace::Guardrails;

pub(super) fn guard(ground: &Ground<'_>) -> Vec<Breach> {
    let now = ground.scene.input.now;
    let mut breaches = Vec::new();
    for freeze in &ground.guardrails().freeze {
        let Some(ends) = freeze.open_until(now) else { continue };
        let mut verbs: BTreeMap<Verb, Vec<usize>> = BTreeMap::new();
        for (at, change) in ground.changes().filter(|(_, change)| freeze.holds(change.verb)) {
            verbs.entry(change.verb).or_default().push(at);
        }
        breaches.extend(verbs.into_iter().map(|(verb, held)| Breach {
            code: "freeze-window".into(),
            scope: format!("freeze {}", freeze.name),
            verb: Some(verb),
            setting: "guardrails.freeze".to_owned(),
            facts: vec![("name", (*freeze.name).into()), ("ends", ends.to_string().into())],
            held,
        }));
    }
    breaches
}

/// When the first window after `now` opens that would hold one of these changes.
pub(in crate::plan) fn first(
    rails: &Guardrails,
    changes: &[Change],
    now: Timestamp,
) -> Option<Timestamp> {
    let touched = rails.freeze.iter().filter(|freeze| changes.iter().any(|c| freeze.holds(c.verb)));
    touched.filter_map(|freeze| freeze.next(now)).min()
}

#[cfg(test)]
mod tests;
