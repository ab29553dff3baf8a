//! Texts with a form of their own, and the rule that one value stands for a list of one.
//!
//! Patterns are for editors; `policy::checks::leaf` says precisely what is wrong.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// One value or a list of alternatives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany<T> {
    /// One value.
    One(T),
    /// Alternatives.
    Many(Vec<T>),
}

impl<T> From<Vec<T>> for OneOrMany<T> {
    fn from(mut many: Vec<T>) -> Self {
        match many.pop() {
            Some(only) if many.is_empty() => Self::One(only),
            Some(last) => {
                many.push(last);
                Self::Many(many)
            }
            None => Self::Many(many),
        }
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident $schema:tt)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    )+};
}

texts! {
    /// Any text that is not empty.
    Text { "type": "string", "minLength": 1 }
    /// A comment.
    CommentText { "type": "string", "minLength": 1, "examples": ["IR-7781 containment"] }
    /// A policy or tenant name.
    NameText {
        "type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,62}$", "examples": ["ir-7781", "weekly-full"]
    }
    /// A workspace id.
    WorkspaceIdText {
        "type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,29}$", "examples": ["contoso-soc"]
    }
    /// A length of time.
    DurationText {
        "type": "string", "pattern": "^([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$",
        "minLength": 2, "examples": ["72h", "30d", "1d12h", "90m"]
    }
    /// An age compared with a length of time.
    AgeText {
        "type": "string", "pattern": "^(<|<=|>|>=) ?([0-9]+w)?([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?$",
        "examples": ["<7d", ">30d"]
    }
    /// An instant.
    TimestampText { "type": "string", "format": "date-time", "examples": ["2026-12-01T06:00:00Z"] }
    /// A pattern.
    GlobText { "type": "string", "minLength": 1, "examples": ["lon-*", "sql-prd-0?"] }
    /// A network or address.
    IpText { "type": "string", "minLength": 1, "examples": ["10.20.0.0/16", "2001:db8::/32", "10.1.2.3"] }
    /// A MITRE technique.
    TechniqueText { "type": "string", "pattern": "^T[0-9]{4}(\\.[0-9]{3})?$", "examples": ["T1059", "T1003.001"] }
    /// A cron expression.
    CronText { "type": "string", "minLength": 1, "examples": ["0 20 * * SAT", "30 12 * * *", "0 6 1 * *"] }
    /// A time zone.
    ZoneText { "type": "string", "minLength": 1, "examples": ["Europe/Berlin", "America/New_York", "UTC"] }
    /// An assignee or `nobody`.
    AssigneeText { "type": "string", "minLength": 1, "examples": ["soc@contoso.example", "nobody"] }
    /// A path of a site.
    SiteText { "type": "string", "minLength": 1, "examples": ["acme/emea", "acme/emea/london"] }
    /// A GUID.
    GuidText {
        "type": "string",
        "pattern": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
        "examples": ["11111111-2222-3333-4444-555555555555"]
    }
    /// An API root.
    UrlText { "type": "string", "minLength": 1, "examples": ["https://api.security.microsoft.com", "http://127.0.0.1:8400"] }
    /// A path inside the workspace.
    PathText { "type": "string", "minLength": 1, "examples": ["policies"] }
    /// A share.
    ShareText { "type": "string", "pattern": "^[0-9]{1,3}(\\.[0-9]{1,2})?%$", "examples": ["5%", "2.5%"] }
    /// An operating system: a family or an exact platform.
    OsText {
        "anyOf": [
            { "type": "string", "enum": ["windows", "windowsServer", "macos", "linux", "android", "ios"] },
            { "type": "string", "minLength": 1, "examples": ["Windows11", "WindowsServer2022", "Ubuntu"] }
        ]
    }
    /// A risk score or a comparison with one.
    RiskText {
        "anyOf": [
            { "type": "string", "enum": ["none", "informational", "low", "medium", "high"] },
            { "type": "string", "pattern": "^(<|<=|>|>=) ?(none|informational|low|medium|high)$", "examples": [">=medium"] }
        ]
    }
    /// An exposure level or a comparison with one.
    ExposureText {
        "anyOf": [
            { "type": "string", "enum": ["none", "low", "medium", "high"] },
            { "type": "string", "pattern": "^(<|<=|>|>=) ?(none|low|medium|high)$", "examples": [">=medium"] }
        ]
    }
    /// A device value or a comparison with one.
    ValueText {
        "anyOf": [
            { "type": "string", "enum": ["low", "normal", "high"] },
            { "type": "string", "pattern": "^(<|<=|>|>=) ?(low|normal|high)$", "examples": [">=normal"] }
        ]
    }
    /// A severity or a comparison with one.
    SeverityText {
        "anyOf": [
            { "type": "string", "enum": ["unknown", "informational", "low", "medium", "high"] },
            { "type": "string", "pattern": "^(<|<=|>|>=) ?(unknown|informational|low|medium|high)$", "examples": ["<=medium"] }
        ]
    }
}

/// `true`: the only value that means anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct True;

impl Serialize for True {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bool(true)
    }
}

impl<'de> Deserialize<'de> for True {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        if bool::deserialize(from)? {
            Ok(Self)
        } else {
            Err(serde::de::Error::custom("only `true` is allowed"))
        }
    }
}

impl JsonSchema for True {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "True".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean", "const": true })
    }
}

/// An incident id: digits, with or without quotes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum IncidentText {
    /// As a number.
    Number(u64),
    /// As text.
    Text(String),
}

impl JsonSchema for IncidentText {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Incident".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "integer", "minimum": 1, "examples": [4711] },
                { "type": "string", "pattern": "^[0-9]+$", "examples": ["4711"] }
            ]
        })
    }
}
