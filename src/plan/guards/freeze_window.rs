//! `freeze-window`: nothing is done while a freeze window is open, but what lets go.
//!
//! One objection for each open window and verb, with the end of the window. A plan made shortly
//! before a window must not be applied inside it: [`first`] bounds its validity. A run that began
//! before the window is stopped by `plan::sending`. Lifted by its name, all windows of one plan
//! together.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::model::Verb;
use crate::plan::guards::{Breach, Ground, Left, Measured, seconds};
use crate::plan::types::Change;
use crate::policy::workspace::{Freeze, Guardrails};

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    ground.guardrails().freeze.iter().flat_map(|freeze| one(ground, freeze)).collect()
}

fn one(ground: &Ground<'_>, freeze: &Freeze) -> Vec<Measured> {
    let now = ground.scene.input.now;
    let touched = || ground.changes().filter(|(_, change)| freeze.holds(change.verb));
    let Some(ends) = freeze.open_until(now) else {
        let held = touched().map(|(at, _)| at).collect();
        let shut = breach(freeze, None, None, held).measured(false);
        return vec![match freeze.next(now) {
            Some(opens) => {
                shut.left(Left::Seconds(seconds(now, opens))).with("opens", opens.to_string())
            }
            None => shut.with("opens", "never"),
        }];
    };
    let mut verbs: BTreeMap<Verb, Vec<usize>> = BTreeMap::new();
    for (at, change) in touched() {
        verbs.entry(change.verb).or_default().push(at);
    }
    if verbs.is_empty() {
        return vec![
            breach(freeze, None, Some(ends), Vec::new()).measured(false).with("changes", 0),
        ];
    }
    let held = verbs.into_iter();
    held.map(|(verb, held)| breach(freeze, Some(verb), Some(ends), held).measured(true)).collect()
}

fn breach(
    freeze: &Freeze,
    verb: Option<Verb>,
    ends: Option<Timestamp>,
    held: Vec<usize>,
) -> Breach {
    let mut facts = vec![("name", (*freeze.name).into())];
    facts.extend(ends.map(|ends| ("ends", ends.to_string().into())));
    let (scope, setting) = (format!("freeze {}", freeze.name), "guardrails.freeze".to_owned());
    Breach { code: "freeze-window".into(), scope, verb, setting, facts, held }
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
