//! `released-by-hand`: what a person released, or cancelled while it was pending, is put back only
//! when another one says so.
//!
//! For policies with `onManualRelease: ask`, whose changes carry the person and the time as their
//! reason. One group for each person and verb, so that each release is judged with who made it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::Verb;
use crate::plan::guards::{Breach, Ground, Measured};

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    let mut groups: BTreeMap<(Verb, &'static str, String), (Vec<usize>, String)> = BTreeMap::new();
    for (at, change) in ground.changes() {
        let asked = change.reason.as_ref().filter(|reason| reason.code == "released-by-hand");
        let Some(reason) = asked.filter(|_| change.verb.is_restrictive()) else { continue };
        let who =
            ["by", "run", "cancelledBy"].into_iter().find_map(|key| Some((key, reason.text(key)?)));
        let (key, who) = who.unwrap_or(("by", String::new()));
        let (held, ended) = groups.entry((change.verb, key, who)).or_default();
        held.push(at);
        // Times of one form compare as text.
        *ended = reason.text("ended").unwrap_or_default().max(std::mem::take(ended));
    }
    if groups.is_empty() {
        return vec![none(ground)];
    }
    let one = |((verb, key, who), (held, ended)): ((Verb, &'static str, String), _)| {
        let (held, ended): (Vec<usize>, String) = (held, ended);
        let facts: Vec<(&'static str, Value)> = vec![
            (key, who.as_str().into()),
            ("ended", ended.into()),
            ("devices", held.len().into()),
        ];
        let did = if key == "cancelledBy" { "cancelled by" } else { key };
        let scope =
            if did == key { format!("released {key} {who}") } else { format!("{did} {who}") };
        breach(scope, Some(verb), facts, held).measured(true)
    };
    groups.into_iter().map(one).collect()
}

/// No change asks for a word.
fn none(ground: &Ground<'_>) -> Measured {
    let changes = ground.restrictions().count();
    let breach = breach("run".to_owned(), None, Vec::new(), Vec::new());
    breach.measured(false).with("asked", 0).with("changes", changes)
}

fn breach(
    scope: String,
    verb: Option<Verb>,
    facts: Vec<(&'static str, Value)>,
    held: Vec<usize>,
) -> Breach {
    let setting = "onManualRelease".to_owned();
    Breach { code: "released-by-hand".into(), scope, verb, setting, facts, held }
}
