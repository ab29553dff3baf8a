//! Limits of `guardrails:` that count over time, groups or runs, as an author writes them.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::policy::document::guardrails::{LimitDocument, RollingDocument};

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

/// How much of a device group stays free of isolation and code restriction, whoever placed it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct RemainingDocument {
    /// At least so many devices of a group, or such a share of it; `25%` when it is not given. `0` asks
    /// for none, as `unlimited` does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub least: Option<LimitDocument>,
    /// Groups of fewer devices are left out; `5` when it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups_from: Option<u32>,
}

/// By how much counts of devices may move since the last journalled run, in either direction.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(inline)]
pub struct ShrinkDocument {
    /// Devices of a tenant; `{share: 20%, atLeast: 10}` when it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inventory: Option<LimitDocument>,
    /// Devices that one policy selects; `{share: 50%, atLeast: 25}` when it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selection: Option<LimitDocument>,
}
