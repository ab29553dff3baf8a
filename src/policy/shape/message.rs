//! A validation error in words, at its place.

use std::collections::BTreeSet;
use std::sync::Arc;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use serde_json::Value;

use crate::diag::{Code, Finding, Place, words};
use crate::policy::shape::limit;
use crate::policy::yaml::{Content, Node};

pub(super) struct Writer<'w> {
    pub(super) file: &'w Arc<str>,
    pub(super) root: &'w Node,
    pub(super) prefix: &'w [String],
    pub(super) schema: &'w Value,
    pub(super) findings: Vec<Finding>,
}

/// Where an error lies.
struct At<'n> {
    /// Place of the value.
    value: Place,
    /// Place of the key that holds it, or of the value when no key does.
    key: Place,
    /// `lease` for people; empty at the root.
    name: String,
    node: &'n Node,
}

impl<'w> Writer<'w> {
    pub(super) fn explain(&mut self, error: &ValidationError<'_>) {
        let at = self.at(error);
        if matches!(at.node.content, Content::Broken) {
            return;
        }
        match error.kind() {
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                self.branches(&at, error, context);
            }
            Kind::AdditionalProperties { unexpected } => self.unknown_keys(&at, error, unexpected),
            Kind::Required { property } => {
                let key = property.as_str().unwrap_or_default();
                let inside = self.inside(&at);
                let message = format!("{}{inside} is missing", words::quote(key));
                self.report(Code::MissingKey, self.owner(&at), message);
            }
            Kind::Type { kind } => self.wrong_type(&at, &type_names(kind)),
            Kind::Enum { options } => self.unknown_value(&at, &texts(options)),
            Kind::Constant { expected_value } => {
                let expected = [plain(expected_value)];
                self.unknown_value(&at, &expected);
            }
            Kind::MinItems { .. } => {
                self.report(Code::EmptyList, at.value, empty(&at.name, "list"))
            }
            Kind::MinLength { .. } if at.node.text() == Some("") => {
                self.report(Code::EmptyText, at.value, empty(&at.name, "text"));
            }
            Kind::MinProperties { .. } => {
                self.report(Code::EmptySelector, at.value, empty(&at.name, "mapping"));
            }
            Kind::Minimum { limit } => self.limit(at, "at least", &plain(limit)),
            Kind::Maximum { limit } => self.limit(at, "at most", &plain(limit)),
            Kind::Pattern { .. } => {
                let value = at.node.text().unwrap_or_default();
                let message = format!(
                    "{}{} does not have the right form",
                    named(&at.name),
                    words::quote(value)
                );
                self.report(Code::OutOfRange, at.value, message);
            }
            _ => {
                let message =
                    format!("{}not allowed here ({})", named(&at.name), error.kind().keyword());
                self.report(Code::WrongType, at.value, message);
            }
        }
    }

    /// The branch that was meant: the one whose type fits, or all of them when they are words.
    fn branches(
        &mut self,
        at: &At<'_>,
        error: &ValidationError<'_>,
        context: &[Vec<ValidationError<'static>>],
    ) {
        let own = error.instance_path().as_str();
        if let Some(limit::Advice { wanted, help }) = limit::advice(context, own, at.node) {
            return self.other_type(at, wanted, Some(help));
        }
        let is_own = |inner: &ValidationError<'_>| inner.instance_path().as_str() == own;
        let mismatch = |branch: &&Vec<ValidationError<'static>>| is_mismatch(branch, own, at.node);
        let fitting: Vec<_> = context.iter().filter(|branch| !mismatch(branch)).collect();
        let mut options: Vec<String> = Vec::new();
        for inner in fitting.iter().flat_map(|branch| branch.iter()).filter(|inner| is_own(inner)) {
            match inner.kind() {
                Kind::Enum { options: more } => options.extend(texts(more)),
                Kind::Constant { expected_value } => options.push(plain(expected_value)),
                _ => {}
            }
        }
        if !options.is_empty() && fitting.len() > 1 {
            if at.node.text().is_some() {
                self.unknown_value(at, &options);
            } else {
                self.wrong_type(at, &["text".to_owned()]);
            }
            return;
        }
        match fitting.as_slice() {
            [] => {
                let mut names = BTreeSet::new();
                expected_types(context, own, &mut names);
                self.wrong_type(at, &names.into_iter().collect::<Vec<_>>());
            }
            [branch, ..] => branch.iter().for_each(|inner| self.explain(inner)),
        }
    }

    fn unknown_keys(&mut self, at: &At<'_>, error: &ValidationError<'_>, unexpected: &[String]) {
        let path = error.schema_path().as_str();
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let properties = self.schema.pointer(&format!("{parent}/properties"));
        let known: Vec<&str> = properties
            .and_then(Value::as_object)
            .map(|known| known.keys().map(String::as_str).collect())
            .unwrap_or_default();
        for key in unexpected {
            let Some(entry) = at.node.entry(key) else { continue };
            let inside = self.inside(at);
            let message = format!("{} is not a key{inside}", words::quote(key));
            let mut finding =
                Finding::new(Code::UnknownKey, self.file, entry.key_place.clone(), message);
            if let Some(near) = words::near(key, known.iter().copied()) {
                finding = finding.help(format!("did you mean {}?", words::quote(near)));
            } else if !known.is_empty() {
                finding =
                    finding.help(format!("keys here are {}", words::all_of(known.iter().copied())));
            }
            self.findings.push(finding);
        }
    }

    fn wrong_type(&mut self, at: &At<'_>, expected: &[String]) {
        let wanted =
            if expected.is_empty() { "something else".to_owned() } else { expected.join(" or ") };
        let is_scalar = matches!(at.node.content, Content::Number(_) | Content::Bool(_));
        let quotes = is_scalar && expected.iter().any(|name| name == "text");
        self.other_type(at, &wanted, quotes.then(|| "put it in quotes to make it text".to_owned()));
    }

    fn other_type(&mut self, at: &At<'_>, wanted: &str, help: Option<String>) {
        let found = match &at.node.content {
            Content::Null => "nothing is written".to_owned(),
            Content::Number(number) => format!("{number} is a number"),
            Content::Bool(value) => format!("{value} is a truth value"),
            Content::Text(text) => format!("{} is text", words::quote(text)),
            _ => format!("{} stands here", at.node.kind()),
        };
        let place = match at.node.content {
            Content::Null => at.key.clone(),
            _ => first_line(&at.value, &at.key),
        };
        let message = format!("{}expected {wanted}, but {found}", named(&at.name));
        let finding = Finding::new(Code::WrongType, self.file, place, message);
        self.findings.push(match help {
            Some(help) => finding.help(help),
            None => finding,
        });
    }

    fn unknown_value(&mut self, at: &At<'_>, options: &[String]) {
        let Some(word) = at.node.text() else {
            let wanted =
                if options.iter().any(|option| option == "true") { "`true`" } else { "text" };
            return self.wrong_type(at, &[wanted.to_owned()]);
        };
        let message = format!("{}{} is not known", named(&at.name), words::quote(word));
        let options = options.iter().map(String::as_str);
        let help = match words::near(word, options.clone()) {
            Some(near) => format!("did you mean {}?", words::quote(near)),
            None => format!("use {}", words::any_of(options)),
        };
        let finding = Finding::new(Code::UnknownValue, self.file, at.value.clone(), message);
        self.findings.push(finding.help(help));
    }

    fn limit(&mut self, at: At<'_>, which: &str, limit: &str) {
        let message = format!("{}expected {which} {limit}", named(&at.name));
        self.report(Code::OutOfRange, at.value, message);
    }

    fn report(&mut self, code: Code, place: Place, message: String) {
        self.findings.push(Finding::new(code, self.file, place, message));
    }

    fn at(&self, error: &ValidationError<'_>) -> At<'w> {
        let mut path = self.prefix.to_vec();
        path.extend(error.instance_path().segments().map(|segment| segment.to_string()));
        let (entry, node) = self.root.at(&path);
        let last = path.iter().rev().find(|segment| segment.parse::<usize>().is_err());
        At {
            value: node.place.clone(),
            key: entry.map_or_else(|| node.place.clone(), |entry| entry.key_place.clone()),
            name: last.cloned().unwrap_or_default(),
            node,
        }
    }

    /// Where something that is missing would belong: the key that holds the mapping, or its first line.
    fn owner(&self, at: &At<'_>) -> Place {
        let first = at.node.entries().first().map(|entry| entry.key_place.clone());
        if at.key == at.value { first.unwrap_or_else(|| at.value.clone()) } else { at.key.clone() }
    }

    fn inside(&self, at: &At<'_>) -> String {
        if at.name.is_empty() { String::new() } else { format!(" of {}", words::quote(&at.name)) }
    }
}

/// Whether a branch is about values of another type than the one that stands there.
fn is_mismatch(branch: &[ValidationError<'static>], own: &str, node: &Node) -> bool {
    branch.iter().filter(|inner| inner.instance_path().as_str() == own).any(|inner| {
        match inner.kind() {
            Kind::Type { .. } => true,
            Kind::Enum { .. } | Kind::Constant { .. } => node.text().is_none(),
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                context.iter().all(|branch| is_mismatch(branch, own, node))
            }
            _ => false,
        }
    })
}

/// A caret below a whole block helps nobody: then the key is shown.
fn first_line(value: &Place, key: &Place) -> Place {
    if value.line == value.end_line { value.clone() } else { key.clone() }
}

fn named(name: &str) -> String {
    if name.is_empty() { String::new() } else { format!("{}: ", words::quote(name)) }
}

fn empty(name: &str, what: &str) -> String {
    format!("{}the {what} is empty", named(name))
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn texts(options: &Value) -> Vec<String> {
    options.as_array().map(|options| options.iter().map(plain).collect()).unwrap_or_default()
}

fn type_names(kind: &TypeKind) -> Vec<String> {
    let word = |name: String| match name.as_str() {
        "string" => "text".to_owned(),
        "object" => "a mapping".to_owned(),
        "array" => "a list".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "integer" => "a whole number".to_owned(),
        "number" => "a number".to_owned(),
        _ => name,
    };
    match kind {
        TypeKind::Single(single) => vec![word(single.to_string())],
        TypeKind::Multiple(many) => many.iter().map(|each| word(each.to_string())).collect(),
    }
}

fn expected_types(
    context: &[Vec<ValidationError<'static>>],
    own: &str,
    names: &mut BTreeSet<String>,
) {
    for inner in context.iter().flatten().filter(|inner| inner.instance_path().as_str() == own) {
        match inner.kind() {
            Kind::Type { kind } => names.extend(type_names(kind)),
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                expected_types(context, own, names);
            }
            _ => {}
        }
    }
}
