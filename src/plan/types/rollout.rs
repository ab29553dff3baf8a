//! In which waves changes go out, as exact numbers: an apply goes by these and weighs no policy.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The waves of the changes that one policy's rollout governs in one tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Rollout {
    /// Name of the tenant.
    pub tenant: String,
    /// Kind and name of the policy: `IsolationSet/ir-7781`. Changes name their rollout so.
    pub policy: String,
    /// Seconds in which nothing more of it is sent after a wave has ended.
    pub bake_seconds: u64,
    /// Waves from the first; none is without a change.
    pub waves: Vec<Wave>,
}

/// One wave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wave {
    /// Changes in it.
    pub changes: u32,
    /// Failures in this wave and those before it that are borne; one more stops the rollout.
    pub failure_limit: u32,
    /// Changes of this wave that may still be pending offline when the next one begins.
    pub offline_limit: u32,
    /// Whether a person has to go on before the next one begins.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pause: bool,
}

impl Rollout {
    /// The policy's name without its kind.
    #[must_use]
    pub fn name(&self) -> &str {
        self.policy.split_once('/').map_or(self.policy.as_str(), |(_, name)| name)
    }
}
