//! `rollout` as authors write it.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::policy::document::leaf::{DurationText, ShareText};

/// Sends a policy's changes in waves: a later one begins when the one before has ended, its bake has
/// passed, and neither limit is broken. Who is in which wave is drawn from device and policy, always
/// alike; devices of high value go last. Releases and cancels wait for no wave. A device that several
/// policies want in the same state goes by the rollout of the first by name, and at once when one of
/// them has none.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RolloutSpec {
    /// Sizes of the waves in their order: numbers, or shares of the changes that a plan makes for the
    /// policy in one tenant. A share rounds down and is at least one. What the waves leave is the last
    /// wave; `[100%]` sends everything at once.
    #[schemars(length(min = 1, max = 10), example = ["1%", "10%", "50%"])]
    pub waves: Vec<AmountText>,
    /// How long nothing more is sent after a wave has ended, at most `24h`; no time when it is not
    /// given. All bakes together are shorter than the lease, or than the window of a scan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bake: Option<DurationText>,
    /// How many failures are borne: a number, or a share of the changes in the waves begun so far,
    /// rounded down and at least one; `10%` when it is not given. One more stops the rollout: nothing of
    /// it is sent any more, and its own pending actions are cancelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure_limit: Option<AmountText>,
    /// How many changes of a wave may still be pending on offline devices when the next one begins: a
    /// number, or a share of the wave, rounded down and at least one; `50%` when it is not given. While
    /// more are, the run stops and can be resumed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_offline: Option<AmountText>,
    /// When the run stops until a person goes on with `palisade runs resume`: after the `first` wave,
    /// after `each` but the last, or `never`, as when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<PauseWord>,
}

/// When a person has to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum PauseWord {
    /// Never.
    Never,
    /// After the first wave.
    First,
    /// After every wave but the last.
    Each,
}

/// A number (`5`) or a share (`10%`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AmountText {
    /// So many.
    Count(u32),
    /// A share.
    Share(String),
}

impl JsonSchema for AmountText {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Amount".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let share = generator.subschema_for::<ShareText>();
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": u32::MAX, "examples": [5] },
            share
        ] })
    }
}
