//! The result of a run for programs: the JSON form, with its schema.
//!
//! Called by `cli::commands::{apply, runs, demo}` and by `schema`. Must never leave a change out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::apply::{Outcome, Summary};
use crate::model::{RunId, Verb};
use crate::plan::Lift;
use crate::plan::types::{Plan, Reason, Target};
use crate::report::apply::ended;

/// Version of the JSON form of a run's result.
pub const FORMAT_VERSION: u32 = 1;

/// The result of a run as other programs read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunResult {
    /// Version of this format.
    pub format_version: u32,
    /// The run; absent when there was nothing to do, for no run began then and `total` is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Hash of the plan it carried out, or of the plan with nothing to do.
    pub plan_hash: String,
    /// Changes of the plan.
    pub total: u32,
    /// Changes by outcome; the values add up to `total`.
    pub counts: BTreeMap<Outcome, u32>,
    /// Why the run stopped before its end, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Reason>,
    /// Guardrails that were lifted for it, with the reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lifts: Vec<Lift>,
    /// Every change of the plan, in the plan's order.
    pub changes: Vec<ChangeResult>,
}

/// How one change ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ChangeResult {
    /// The change's id.
    pub id: String,
    /// Name of the tenant.
    pub tenant: String,
    /// What was to be done.
    pub verb: Verb,
    /// To what.
    pub target: Target,
    /// How it ended.
    pub outcome: Outcome,
    /// Why, when there is more to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The machine action that carried it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

/// The result of a run as data.
#[must_use]
pub fn result(run: &RunId, plan: &Plan, summary: &Summary) -> RunResult {
    let changes = ended(plan, summary)
        .into_iter()
        .map(|(change, ended)| ChangeResult {
            id: change.id.as_str().to_owned(),
            tenant: change.tenant.clone(),
            verb: change.verb,
            target: change.target.clone(),
            outcome: ended.outcome,
            reason: ended.reason,
            action: ended.action.map(|action| action.as_str().to_owned()),
        })
        .collect();
    RunResult {
        format_version: FORMAT_VERSION,
        run: Some(run.as_str().to_owned()),
        plan_hash: plan.plan_hash.clone(),
        total: summary.total,
        counts: summary.counts.clone(),
        stopped: summary.stopped.clone(),
        lifts: plan.lifts.clone(),
        changes,
    }
}

/// The result of a run as JSON, with a line feed at its end.
#[must_use]
pub fn json(run: &RunId, plan: &Plan, summary: &Summary) -> String {
    page(&result(run, plan, summary))
}

/// The result of a plan without changes as JSON: no run began.
#[must_use]
pub fn nothing_json(plan: &Plan) -> String {
    page(&RunResult {
        format_version: FORMAT_VERSION,
        run: None,
        plan_hash: plan.plan_hash.clone(),
        total: 0,
        counts: BTreeMap::new(),
        stopped: None,
        lifts: plan.lifts.clone(),
        changes: Vec::new(),
    })
}

fn page(result: &RunResult) -> String {
    let mut text = serde_json::to_string_pretty(result).unwrap_or_default();
    text.push('\n');
    text
}
