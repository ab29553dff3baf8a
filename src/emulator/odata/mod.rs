//! OData `$filter` as the service reads it: parsed once against a collection's schema, then asked
//! of each row. Shared by the Defender API and Graph; each renders the errors in its own shape.
//!
//! Supported: `and`, `or`, `not`, parentheses, `eq ne gt ge lt le`, `in (…)`, `startswith`,
//! `endswith`, `contains`, lambdas `any` and `all` over lists, quoted text with doubled quotes, bare
//! dates, numbers, booleans, null. Property names are matched without regard to case, and only the
//! documented ones may be filtered. Text compares exactly, enum members without regard to case.

mod ast;
mod eval;
mod lexer;
mod parser;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use jiff::Timestamp;

use ast::Expr;

/// Why a query is refused; the text is what the service's OData layer says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub String);

/// The type of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text, GUIDs too.
    Text,
    /// One of the members.
    Enum(&'static [&'static str]),
    /// A number.
    Number,
    /// A boolean.
    Bool,
    /// A date-time.
    Time,
    /// A list of texts: lambdas only.
    Texts,
    /// A list of objects: lambdas only.
    Objects,
}

/// A property that may be filtered.
#[derive(Clone, Copy, Debug)]
pub struct Property {
    /// The service's spelling.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
}

/// What may be filtered in a collection.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// The entity's type name, for messages.
    pub entity: &'static str,
    /// The properties that may be filtered.
    pub filterable: &'static [Property],
    /// Properties that exist and may not be filtered.
    pub others: &'static [&'static str],
}

/// A property's value in one row.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// Null.
    Null,
    /// Text or an enum member.
    Text(Cow<'a, str>),
    /// A number.
    Number(f64),
    /// A boolean.
    Bool(bool),
    /// An instant.
    Time(Timestamp),
    /// A list of texts.
    Texts(Vec<Cow<'a, str>>),
    /// A list of objects.
    Objects(Vec<serde_json::Value>),
}

impl<'a> Value<'a> {
    /// Borrowed text.
    #[must_use]
    pub const fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// Borrowed text or null.
    #[must_use]
    pub fn maybe(text: Option<&'a str>) -> Self {
        text.map_or(Self::Null, Self::text)
    }

    /// Text made for the purpose.
    #[must_use]
    pub const fn owned(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }

    /// An instant or null.
    #[must_use]
    pub fn time(at: Option<Timestamp>) -> Self {
        at.map_or(Self::Null, Self::Time)
    }
}

/// A row that can be filtered.
pub trait Record {
    /// The value of a property, by its spelling in the schema. Null for a name that is none.
    fn get(&self, property: &str) -> Value<'_>;
}

/// A filter that fits its schema.
#[derive(Clone, Debug)]
pub struct Filter(Expr);

impl Filter {
    /// Parses a filter.
    ///
    /// # Errors
    /// What the OData layer says: syntax, an unknown property, types that do not fit.
    pub fn parse(text: &str, schema: &Schema) -> Result<Self, Error> {
        parser::parse(text, schema).map(Self)
    }

    /// Whether the row matches.
    #[must_use]
    pub fn matches(&self, row: &impl Record) -> bool {
        eval::matches(&self.0, row)
    }

    /// The text that the property must equal in every matching row, when the filter says so at its
    /// top level: lets a caller look up an index instead of reading every row.
    #[must_use]
    pub fn required(&self, property: &str) -> Option<&str> {
        ast::required(&self.0, property)
    }
}

/// Reads a whole number option such as `$top`.
///
/// # Errors
/// What the OData layer says.
pub fn number(option: &str, text: &str) -> Result<usize, Error> {
    text.trim().parse().map_err(|_| {
        Error(format!(
            "Invalid value '{text}' for {option} query option found. The {option} query option requires a non-negative integer value."
        ))
    })
}
