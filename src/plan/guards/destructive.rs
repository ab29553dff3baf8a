//! `destructive`: what the service cannot take back is off unless the workspace names its verb.

use std::collections::BTreeMap;

use crate::model::Verb;
use crate::plan::guards::{Breach, Ground};

pub(super) fn guard(ground: &Ground<'_>) -> Vec<Breach> {
    let named = &ground.guardrails().destructive;
    let mut verbs: BTreeMap<Verb, Vec<usize>> = BTreeMap::new();
    for (at, change) in ground.changes() {
        if change.verb.is_destructive() && !named.contains(&change.verb) {
            verbs.entry(change.verb).or_default().push(at);
        }
    }
    let breach = |(verb, held): (Verb, Vec<usize>)| Breach {
        code: "destructive".into(),
        scope: "run".to_owned(),
        verb: Some(verb),
        setting: "guardrails.destructive".to_owned(),
        facts: vec![("verb", verb.word().into())],
        held,
    };
    verbs.into_iter().map(breach).collect()
}

#[cfg(test)]
mod tests;
