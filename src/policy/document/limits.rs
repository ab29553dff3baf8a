//! Limits of `guardrails:` that count over time, groups or runs, as an author writes them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::policy::document::workspace::RollingDocument;

/// So many in so long (`{count: 20, window: 24h}`), or `unlimited`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AlertRuleCapDocument {
    /// `unlimited`.
    Word(String),
    /// So many in so long.
    Rolling(RollingDocument),
}

impl JsonSchema for AlertRuleCapDocument {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "AlertRuleCap".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let rolling = generator.subschema_for::<RollingDocument>();
        json_schema!({ "anyOf": [rolling, { "type": "string", "const": "unlimited" }] })
    }
}
