//! `apiVersion`, `kind` and `metadata`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diag::{Code, words};
use crate::policy::checks::Cx;
use crate::policy::document::API_VERSION;
use crate::policy::set::{Header, PolicyKind};
use crate::policy::yaml::Node;

/// Kinds that are planned; their documents are refused with a word of their own.
const LATER: &[&str] = &[
    "FileQuarantine",
    "InvestigationCollection",
    "Offboarding",
    "DeviceTags",
    "DeviceValue",
    "IncidentRule",
];

/// Longest name.
const NAME_MAX: usize = 63;

/// The kind of a document, if it is one of ours in a version of ours.
pub(crate) fn kind_of(cx: &mut Cx<'_>, root: &Node) -> Option<PolicyKind> {
    api_version(cx, root);
    let node = root.get("kind")?;
    let word = node.text()?;
    let known = PolicyKind::ALL.iter().copied().find(|kind| kind.word() == word);
    if known.is_some() {
        return known;
    }
    let kinds = PolicyKind::ALL.iter().map(|kind| kind.word());
    let message = format!("kind {} is not known", words::quote(word));
    let help = if word == "Workspace" {
        "the workspace stands alone in `palisade.yaml`".to_owned()
    } else if LATER.contains(&word) {
        format!("this version reads {}", words::all_of(kinds))
    } else {
        match words::near(word, kinds.clone()) {
            Some(near) => format!("did you mean {}?", words::quote(near)),
            None => format!("use {}", words::any_of(kinds)),
        }
    };
    cx.advise(Code::UnknownKind, &node.place, message, help)
}

/// Reports an `apiVersion` that is not ours.
pub(super) fn api_version(cx: &mut Cx<'_>, root: &Node) {
    let Some(node) = root.get("apiVersion") else { return };
    let Some(text) = node.text() else { return };
    if text != API_VERSION {
        let message = format!("apiVersion {} is not known", words::quote(text));
        cx.report::<()>(Code::UnknownApiVersion, &node.place, message);
    }
}

pub(super) fn header(cx: &mut Cx<'_>, root: &Node, kind: PolicyKind) -> Option<Header> {
    let metadata = root.get("metadata")?;
    let name = name(cx, metadata.get("name")?);
    let text = |key: &str| metadata.get(key).and_then(Node::text).map(Arc::from);
    let mut labels = BTreeMap::new();
    for entry in metadata.get("labels").map(Node::entries).unwrap_or_default() {
        if let Some(value) = entry.value.text() {
            labels.insert(Arc::from(entry.key.as_str()), Arc::from(value));
        }
    }
    let line = root.entries().first().map_or(root.place.line, |entry| entry.key_place.line);
    Some(Header {
        kind,
        name: name?.into(),
        description: text("description"),
        owner: text("owner"),
        labels,
        file: Arc::clone(cx.file),
        line,
    })
}

/// A name, or a finding that says which character or length is wrong.
pub(super) fn name<'n>(cx: &mut Cx<'_>, node: &'n Node) -> Option<&'n str> {
    let text = node.text()?;
    if text.is_empty() {
        return cx.report(Code::EmptyText, &node.place, "the name is empty");
    }
    let allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.' | '_');
    let length = text.chars().count();
    let problem = if let Some(bad) = text.chars().find(|c| !allowed(*c)) {
        format!("{} has the character {}", words::quote(text), words::quote(&bad.to_string()))
    } else if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        format!("{} does not start with a letter or digit", words::quote(text))
    } else if length > NAME_MAX {
        format!("{} has {length} characters, at most {NAME_MAX} are allowed", words::quote(text))
    } else {
        return Some(text);
    };
    let better = suggestion(text);
    if better.is_empty() || better == text {
        return cx.report(Code::BadName, &node.place, problem);
    }
    let help = format!("{}; perhaps {}", Code::BadName.help(), words::quote(&better));
    cx.advise(Code::BadName, &node.place, problem, help)
}

fn suggestion(text: &str) -> String {
    let mapped = text.chars().flat_map(char::to_lowercase).map(|c| match c {
        'a'..='z' | '0'..='9' | '.' | '_' => c,
        _ => '-',
    });
    let mapped: String = mapped.collect();
    mapped.trim_matches(['-', '.', '_']).chars().take(NAME_MAX).collect()
}
