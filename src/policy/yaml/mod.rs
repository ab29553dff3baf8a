//! YAML text to trees in which every key and value knows its place.
//!
//! The serde family of readers keeps the last of two equal keys silently and has no places, so the
//! tree is built here from parser events. It holds plain data only: anchors, aliases, tags and
//! deep nesting are refused with findings, not resolved. Called by `policy::load`; knows nothing
//! of documents or policies and must never panic on any text.

mod reader;
mod scalar;

use crate::diag::Place;

pub use reader::{FINDINGS_MAX, Parsed, parse};

/// A value with its place.
#[derive(Clone, Debug)]
pub struct Node {
    /// From the first to after the last character; of a block, to the end of its last value.
    pub place: Place,
    /// What it is.
    pub content: Content,
}

/// What a value is.
#[derive(Clone, Debug)]
pub enum Content {
    /// Nothing written, `~` or `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
    /// Everything else that is not a collection.
    Text(String),
    /// A list.
    Seq(Vec<Node>),
    /// A mapping, in the author's order, each key once.
    Map(Vec<Entry>),
    /// Refused, with a finding at this place.
    Broken,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Where the key stands.
    pub key_place: Place,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// The text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    #[must_use]
    pub const fn bool(&self) -> Option<bool> {
        match self.content {
            Content::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    #[must_use]
    pub fn integer(&self) -> Option<u64> {
        match &self.content {
            Content::Number(number) => number.as_u64(),
            _ => None,
        }
    }

    /// The entries; none for anything but a mapping.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.content {
            Content::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The entry of a key.
    #[must_use]
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Members of a list, or the value itself: one value stands for a list of one.
    #[must_use]
    pub fn members(&self) -> &[Self] {
        match &self.content {
            Content::Seq(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    /// What it is, in words.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.content {
            Content::Null => "nothing",
            Content::Bool(_) => "a truth value",
            Content::Number(_) => "a number",
            Content::Text(_) => "text",
            Content::Seq(_) => "a list",
            Content::Map(_) => "a mapping",
            Content::Broken => "something else",
        }
    }

    /// The same data without places.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.content {
            Content::Null | Content::Broken => Value::Null,
            Content::Bool(value) => Value::Bool(*value),
            Content::Number(number) => Value::Number(number.clone()),
            Content::Text(text) => Value::String(text.clone()),
            Content::Seq(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Content::Map(entries) => {
                let pair = |entry: &Entry| (entry.key.clone(), entry.value.to_json());
                Value::Object(entries.iter().map(pair).collect())
            }
        }
    }

    /// The value at the segments of a path, with the entry that holds it when a mapping does; the
    /// nearest value above when the path leads nowhere.
    #[must_use]
    pub fn at<'n>(&'n self, path: &[String]) -> (Option<&'n Entry>, &'n Self) {
        let mut found: (Option<&Entry>, &Self) = (None, self);
        for segment in path {
            let next = match &found.1.content {
                Content::Map(_) => found.1.entry(segment).map(|entry| (Some(entry), &entry.value)),
                Content::Seq(items) => {
                    let item = segment.parse().ok().and_then(|index: usize| items.get(index));
                    item.map(|item| (None, item))
                }
                _ => None,
            };
            match next {
                Some(next) => found = next,
                None => break,
            }
        }
        found
    }
}

#[cfg(test)]
mod tests;
