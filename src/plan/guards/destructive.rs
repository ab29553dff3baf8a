//! `destructive`: what the service cannot take back is off unless the workspace names its verb.

use crate::model::Verb;
use crate::plan::guards::{Breach, Ground, Measured};

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    let verbs = Verb::ALL.iter().copied().filter(|verb| verb.is_destructive());
    verbs.map(|verb| one(ground, verb)).collect()
}

fn one(ground: &Ground<'_>, verb: Verb) -> Measured {
    let is_on = ground.guardrails().destructive.contains(&verb);
    let of_verb = ground.changes().filter(|(_, change)| change.verb == verb);
    let held: Vec<usize> = of_verb.map(|(at, _)| at).collect();
    let changes = held.len();
    let breach = Breach {
        code: "destructive".into(),
        scope: "run".to_owned(),
        verb: Some(verb),
        setting: "guardrails.destructive".to_owned(),
        facts: vec![("verb", verb.word().into())],
        held,
    };
    let state = if is_on { "on" } else { "off" };
    breach.measured(!is_on && changes > 0).with("changes", changes).with("state", state)
}

#[cfg(test)]
mod tests;
