//! `caps:` of the guardrails: limits of each verb, and no limit that could never hold anything.
//!
//! A cap that is accepted and does nothing looks like one that guards.

use std::collections::BTreeMap;

use crate::diag::{Code, words};
use crate::model::Verb;
use crate::policy::checks::workspace::guardrails::limit;
use crate::policy::checks::workspace::held;
use crate::policy::checks::{Cx, leaf};
use crate::policy::limits::Cap;
use crate::policy::workspace::{Caps, Limit, Rolling};
use crate::policy::yaml::Node;

/// What is written replaces a default of `caps`, what is not keeps it.
pub(super) fn read(cx: &mut Cx<'_>, node: Option<&Node>, caps: &mut BTreeMap<Verb, Caps>) {
    for entry in node.map(Node::entries).unwrap_or_default() {
        if let Some(verb) = held::verb(cx, &entry.key, &entry.key_place, |_| true) {
            effect(cx, verb, &entry.value);
            let caps = caps.entry(verb).or_default();
            *caps = read_caps(cx, &entry.value, *caps);
        }
    }
}

/// Reports each cap that cannot count changes of the verb.
fn effect(cx: &mut Cx<'_>, verb: Verb, node: &Node) {
    for cap in Cap::ALL.iter().filter(|cap| !cap.counts(verb)) {
        let Some(entry) = node.entry(cap.word()) else { continue };
        let message = format!(
            "{} cannot count what {} does",
            words::quote(cap.word()),
            words::quote(verb.word())
        );
        let fitting = Cap::ALL.iter().filter(|cap| cap.counts(verb)).map(|cap| cap.word());
        let help = format!(
            "remove it; {} can be capped by {}",
            words::quote(verb.word()),
            words::any_of(fitting)
        );
        cx.advise::<()>(Code::CapWithoutEffect, &entry.key_place, message, help);
    }
}

fn read_caps(cx: &mut Cx<'_>, node: &Node, default: Caps) -> Caps {
    let limit = |cx: &mut Cx<'_>, key: &str, default: Option<Limit>| match node.get(key) {
        Some(node) => limit(cx, node).unwrap_or(default),
        None => default,
    };
    Caps {
        run: limit(cx, "run", default.run),
        group: limit(cx, "group", default.group),
        fleet: limit(cx, "fleet", default.fleet),
        rolling: node.get("rolling").and_then(|node| rolling(cx, node)).or(default.rolling),
        alert_rule: match node.get("alertRule") {
            Some(node) if node.text() == Some("unlimited") => None,
            Some(node) => rolling(cx, node).or(default.alert_rule),
            None => default.alert_rule,
        },
    }
}

fn rolling(cx: &mut Cx<'_>, node: &Node) -> Option<Rolling> {
    let window = leaf::duration(cx, node.get("window")?)?;
    Some(Rolling { count: u32::try_from(node.get("count")?.integer()?).ok()?, window })
}
