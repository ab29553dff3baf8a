//! What holds whole verbs: `guardrails.freeze` and `guardrails.destructive`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::diag::{Code, Finding, Place, words};
use crate::model::Verb;
use crate::policy::checks::{Cx, header, leaf, scan};
use crate::policy::workspace::Freeze;
use crate::policy::yaml::{Content, Node};

/// Windows of time in which changes are held; each has a name of its own.
pub(super) fn freezes(cx: &mut Cx<'_>, node: Option<&Node>) -> Vec<Freeze> {
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    let mut found = Vec::new();
    for item in items(node) {
        if let Some(node) = item.get("name")
            && let Some(name) = node.text()
        {
            if let Some(first) = seen.get(name) {
                let message = format!("two freezes are called {}", words::quote(name));
                let finding =
                    Finding::new(Code::DuplicateName, cx.file, node.place.clone(), message).label(
                        cx.file,
                        first.clone(),
                        "the first one",
                    );
                cx.findings.push(finding);
            } else {
                seen.insert(name.to_owned(), node.place.clone());
            }
        }
        found.extend(freeze(cx, item));
    }
    found
}

fn freeze(cx: &mut Cx<'_>, item: &Node) -> Option<Freeze> {
    let name = item.get("name").and_then(|node| header::name(cx, node)).map(Arc::from);
    let cron = item.get("schedule").and_then(|node| scan::cron(cx, node));
    let window = item.get("window").and_then(|node| leaf::duration(cx, node));
    let zone = scan::zone(cx, item);
    let verbs = item.get("verbs").map(|node| named(cx, node, |_| true));
    Some(Freeze {
        name: name?,
        cron: cron?,
        zone: zone?,
        window: window?,
        verbs: verbs.unwrap_or_default(),
    })
}

/// Destructive verbs that are allowed.
pub(super) fn destructive(cx: &mut Cx<'_>, node: Option<&Node>) -> BTreeSet<Verb> {
    node.map(|node| named(cx, node, Verb::is_destructive)).unwrap_or_default()
}

/// The verbs of a list.
fn named(cx: &mut Cx<'_>, node: &Node, fits: fn(Verb) -> bool) -> BTreeSet<Verb> {
    if matches!(&node.content, Content::Seq(items) if items.is_empty()) {
        let message = "the list of verbs is empty";
        cx.report::<()>(Code::EmptyList, &node.place, message);
    }
    let text = |item: &Node| item.text().map(str::to_owned);
    items(Some(node)).filter_map(|item| verb(cx, &text(item)?, &item.place, fits)).collect()
}

/// A verb that fits; any other word is reported with those that do.
pub(super) fn verb(
    cx: &mut Cx<'_>,
    word: &str,
    place: &Place,
    fits: fn(Verb) -> bool,
) -> Option<Verb> {
    let fitting = || Verb::ALL.iter().copied().filter(|verb| fits(*verb));
    let found = fitting().find(|verb| verb.word() == word);
    if found.is_some() {
        return found;
    }
    let known = Verb::ALL.iter().any(|verb| verb.word() == word);
    let message = match known {
        true => format!("{} can be taken back and needs no leave", words::quote(word)),
        false => format!("{} is not a verb", words::quote(word)),
    };
    let verbs = || fitting().map(Verb::word);
    let help = match words::near(word, verbs()) {
        Some(near) => format!("did you mean {}?", words::quote(near)),
        None => format!("use {}", words::any_of(verbs())),
    };
    cx.advise(Code::UnknownVerb, place, message, help)
}

fn items(node: Option<&Node>) -> impl Iterator<Item = &Node> {
    let items = node.map(|node| match &node.content {
        Content::Seq(items) => items.as_slice(),
        _ => &[],
    });
    items.unwrap_or_default().iter()
}
