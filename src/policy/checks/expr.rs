//! `all`, `any`, `not` and mappings of terms, the same for devices and alerts, with places kept.
//!
//! The checked tree that other modules see (`selector::ast`) has no places; rules that compare terms
//! (`contradiction`, `overlap`) work on this one.

use crate::diag::{Code, Place, words};
use crate::policy::checks::Cx;
use crate::policy::checks::facts::Fielded;
use crate::policy::yaml::{Content, Entry, Node};

/// A selector with places.
#[derive(Clone, Debug)]
pub(crate) enum Sx<T> {
    /// Every device.
    Everything(Place),
    /// Every part.
    All(Vec<Self>),
    /// Some part.
    Any(Vec<Self>),
    /// Not the part.
    Not(Box<Self>),
    /// One term and where its key stands.
    Term(T, Place),
}

/// The terms of one kind of selector.
pub(super) trait Terms: Fielded + Clone {
    /// Whether `everything: true` may be written.
    const EVERYTHING: bool;
    /// Reads one term; nothing when its key or value is wrong.
    fn read(cx: &mut Cx<'_>, entry: &Entry) -> Option<Self>;
}

/// Words with which people try to say "every device".
const SHORTHANDS: &[&str] = &["*", "**", "all", "any", "everything", "everyone", "every"];

/// Reads the selector that `entry` holds.
pub(super) fn selector<T: Terms>(cx: &mut Cx<'_>, entry: &Entry) -> Option<Sx<T>> {
    node(cx, &entry.value, &entry.key_place)
}

fn node<T: Terms>(cx: &mut Cx<'_>, node: &Node, owner: &Place) -> Option<Sx<T>> {
    match &node.content {
        Content::Null => cx.report(Code::EmptySelector, owner, "the selector has no terms"),
        Content::Map(entries) if entries.is_empty() => {
            cx.report(Code::EmptySelector, &node.place, "the selector has no terms")
        }
        Content::Map(entries) => mapping(cx, entries),
        Content::Text(text) if T::EVERYTHING && is_shorthand(text) => {
            let message = format!("{} stands where a selector belongs", words::quote(text));
            cx.report(Code::EverythingShorthand, &node.place, message)
        }
        _ => None,
    }
}

fn is_shorthand(word: &str) -> bool {
    SHORTHANDS.contains(&word.to_lowercase().as_str())
}

fn mapping<T: Terms>(cx: &mut Cx<'_>, entries: &[Entry]) -> Option<Sx<T>> {
    let read: Vec<Option<Sx<T>>> = entries.iter().map(|entry| member(cx, entry)).collect();
    let everything = entries.iter().find(|entry| entry.key == "everything");
    if let Some(entry) = everything.filter(|_| entries.len() > 1) {
        let message = "`everything` stands beside other terms";
        cx.report::<()>(Code::EverythingWithTerms, &entry.key_place, message);
    }
    let mut parts = read.into_iter().collect::<Option<Vec<_>>>()?;
    if parts.len() == 1 { parts.pop() } else { Some(Sx::All(parts)) }
}

fn member<T: Terms>(cx: &mut Cx<'_>, entry: &Entry) -> Option<Sx<T>> {
    match entry.key.as_str() {
        "all" => branches(cx, entry).map(Sx::All),
        "any" => branches(cx, entry).map(Sx::Any),
        "not" => selector(cx, entry).map(|part| Sx::Not(Box::new(part))),
        "everything" if T::EVERYTHING => {
            entry.value.bool().filter(|value| *value)?;
            Some(Sx::Everything(entry.key_place.clone()))
        }
        key if T::EVERYTHING && is_meant_as_everything(entry) => {
            let message = format!("{} is not how every device is written", words::quote(key));
            cx.report(Code::EverythingShorthand, &entry.key_place, message)
        }
        _ => T::read(cx, entry).map(|term| Sx::Term(term, entry.key_place.clone())),
    }
}

/// `everyting: true`, `every: true`: a truth value gives the intention away.
fn is_meant_as_everything(entry: &Entry) -> bool {
    let near = words::near(&entry.key, ["everything", "everyone", "every"]);
    near.is_some() && entry.value.bool().is_some()
}

fn branches<T: Terms>(cx: &mut Cx<'_>, entry: &Entry) -> Option<Vec<Sx<T>>> {
    match &entry.value.content {
        Content::Seq(items) if items.is_empty() => {
            let message = format!("the list of {} is empty", words::quote(&entry.key));
            cx.report(Code::EmptyList, &entry.value.place, message)
        }
        Content::Seq(items) => {
            let read: Vec<_> = items.iter().map(|item| node(cx, item, &item.place)).collect();
            read.into_iter().collect()
        }
        Content::Bool(true) if T::EVERYTHING => {
            let message = format!("`{}: true` is not how every device is written", entry.key);
            cx.report(Code::EverythingShorthand, &entry.key_place, message)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::is_shorthand;

    #[test]
    fn shorthands_are_known_in_any_case() {
        assert!(is_shorthand("ALL") && is_shorthand("*") && !is_shorthand("alla"));
    }
}
