//! What a plan rests on beside policies, workspace and observation: what people said about it, what
//! the last run saw, which machine this is.
//!
//! Gathered by `cli`, read by guardrails. Everything has an empty default: a plan without
//! circumstances is a plan that nobody has said anything about. Must never be gathered in here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    /// Objections that somebody lifts.
    pub lifts: Vec<Lift>,
}

impl Circumstances {
    /// Why the objections of this code are lifted, if somebody lifts them.
    #[must_use]
    pub fn lifted(&self, code: &str) -> Option<&str> {
        let lift = self.lifts.iter().find(|lift| lift.code == code)?;
        Some(&lift.because)
    }
}

/// One guardrail's objections lifted for one plan: `--lift CODE --because TEXT`. There is none for
/// all of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Lift {
    /// The objection's code.
    pub code: String,
    /// Why, in a person's words.
    pub because: String,
}
