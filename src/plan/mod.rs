//! Desired posture against observed posture: one disposition for each device and facet in scope.
//!
//! `plan()` is a pure function of policies, inventory, workspace and `now`. The result is data that
//! is published as it stands (`types`), sealed by a hash (`file`) and read by a second, independent
//! program before it leaves (`check`). Must never do I/O, await or read a clock.

pub mod accept;
mod alerts;
pub mod cancel;
mod canonical;
pub mod check;
pub mod circumstances;
mod cost;
mod draft;
pub mod file;
pub mod freeze;
pub mod guards;
mod order;
mod posture;
pub mod recount;
mod refusal;
mod rollouts;
mod scan;
mod scene;
pub mod sending;
pub mod standing;
#[cfg(test)]
mod tests;
pub mod types;
pub mod undo;
mod waves;

use jiff::Timestamp;

use crate::inventory::Inventory;
use crate::model::beside;
use crate::plan::check::Fault;
use crate::policy::{PolicySet, Workspace};

pub use circumstances::{Circumstances, LastRun, LastSeen, Lift, Purpose};
pub use file::{CheckedPlan, PlanFileError, VerifyContext};
pub use freeze::Freeze;
pub use guards::explain::{Counted, Guardrail};
pub use types::{
    Change, Disposition, Entry, Level, Objection, Parameters, Plan, Risk as ChangeRisk, Rollout,
    Summary, Target, TargetKind, TenantSection, Wave, Why,
};

/// Everything a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    /// What is wanted.
    pub policies: &'a PolicySet,
    /// The workspace.
    pub workspace: &'a Workspace,
    /// What was read, one for each tenant, in any order.
    pub inventories: &'a [Inventory],
    /// The present (UTC).
    pub now: Timestamp,
    /// What else there is to know.
    pub around: &'a Circumstances,
    /// Whether `now` was set by hand to more than five minutes from the clock.
    pub study: bool,
    /// Name and version of the program.
    pub tool: &'a str,
}

/// Why there is no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// An inventory of a tenant that the workspace does not have under that name and id.
    #[error(
        "the observation is of tenant `{name}` with id `{tenant_id}`, which the workspace does not have"
    )]
    UnknownTenant {
        /// The observation's name for it.
        name: String,
        /// The observation's id.
        tenant_id: String,
    },
    /// Two inventories of one tenant.
    #[error("there are two observations of tenant `{0}`")]
    TwoObservations(String),
    /// The finished plan has faults: a bug of this program, nothing the author did.
    #[error("internal error: the plan contradicts itself: {}", first(.0))]
    Internal(Vec<Fault>),
}

fn first(faults: &[Fault]) -> String {
    let more = faults.len().saturating_sub(1);
    let fault = faults.first().map(ToString::to_string).unwrap_or_default();
    if more == 0 { fault } else { format!("{fault}, and {more} more") }
}

/// Plans: sealed, checked, and the same for the same input in any order.
///
/// # Errors
/// `UnknownTenant` and `TwoObservations` when the inventories do not fit the workspace, `Internal`
/// when the independent check finds a fault.
pub fn plan(input: &Input<'_>) -> Result<Plan, PlanError> {
    let mut plan = draft::plan(input)?;
    // Both read the finished plan and change nothing.
    let many = plan.summary.dispositions.values().sum::<u32>() > 10_000;
    let (faults, hash) = beside(many, || check::check(&plan, input), || file::hash(&plan));
    if !faults.is_empty() {
        return Err(PlanError::Internal(faults));
    }
    plan.plan_hash = hash;
    Ok(plan)
}

/// Every guardrail with its value, where that comes from and what it counts in the plan for these
/// inputs, in the order of codes and settings.
///
/// # Errors
/// `UnknownTenant` and `TwoObservations` when the inventories do not fit the workspace.
pub fn explain_guardrails(input: &Input<'_>) -> Result<Vec<Guardrail>, PlanError> {
    draft::explain(input)
}
