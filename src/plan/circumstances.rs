//! What a plan rests on beside policies, workspace and observation: what people said about it, what
//! the last run saw, which machine this is.
//!
//! Gathered by `cli`, read by guardrails. Everything has an empty default: a plan without
//! circumstances is a plan that nobody has said anything about. Must never be gathered in here.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::cancel::Pending;
use crate::plan::freeze::Freeze;
use crate::plan::types::Baseline;
use crate::plan::undo::Past;

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Circumstances {
    /// Objections that somebody lifts.
    pub lifts: Vec<Lift>,
    /// What the last journalled runs saw.
    pub last: LastRun,
    /// The freeze file, when there is one.
    pub freeze: Option<Freeze>,
    /// What the plan is for.
    pub purpose: Purpose,
}

/// What a plan is for. Guardrails are the same for all.
#[derive(Clone, Debug, Default)]
pub enum Purpose {
    /// To bring the tenants to what the policies want.
    #[default]
    Policies,
    /// To undo a run.
    Undo(Past),
    /// To cancel actions of ours that are pending.
    Cancel(Pending),
}

impl Circumstances {
    /// Why the objections of this code are lifted, if somebody lifts them.
    #[must_use]
    pub fn lifted(&self, code: &str) -> Option<&str> {
        let lift = self.lifts.iter().find(|lift| lift.code == code)?;
        Some(&lift.because)
    }
}

/// What the last journalled runs saw: the newest that has each tenant and can be read.
#[derive(Clone, Debug, Default)]
pub struct LastRun {
    /// By Entra tenant id.
    pub tenants: BTreeMap<String, LastSeen>,
    /// Runs that are newer and could not be read, with why.
    pub unreadable: BTreeMap<String, String>,
}

/// What one run saw of one tenant.
#[derive(Clone, Debug)]
pub struct LastSeen {
    /// The run.
    pub run: String,
    /// What to compare with.
    pub counts: Baseline,
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
