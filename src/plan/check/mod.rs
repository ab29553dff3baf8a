//! A second, independent reader of the finished plan.
//!
//! It shares no code with the steps that make a plan: what it asks, it asks of the plan's own words
//! (`structure`, also before an apply) or of the inventory and policies by the plainest means
//! (`inputs`). A fault is a bug of the planner, never a choice of the author; `plan()` refuses to
//! hand out a plan that has one. Must never repair anything.

mod inputs;
mod orphans;
mod purpose;
mod restricted;
mod room;
mod structure;
#[cfg(test)]
mod tests;
mod waves;
mod words;

use crate::plan::Input;
use crate::plan::types::Plan;

pub use structure::structure;

/// Something no plan may contain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its members are")]
pub enum Fault {
    #[error("{what} adds up to {found}, not to {expected}")]
    Count { what: String, found: u64, expected: u64 },
    #[error("the change id `{id}` stands twice")]
    DuplicateId { id: String },
    #[error("`{target}` has two dispositions for `{facet}` in tenant `{tenant}`")]
    TwoDispositions { tenant: String, target: String, facet: String },
    #[error("`{list}` is not in order at `{target}`")]
    Unsorted { list: String, target: String },
    #[error("change `{id}` names a tenant that has no section: `{tenant}`")]
    NoSection { id: String, tenant: String },
    #[error("change `{id}` gives no reason")]
    NoReason { id: String },
    #[error("change `{id}` takes something away and has no lease")]
    NoLease { id: String },
    #[error("the lease of change `{id}` ends before it begins")]
    LeaseOver { id: String },
    #[error("the comment of change `{id}` does not end with its marker")]
    NoMarker { id: String },
    #[error("change `{id}` lacks the service's value for `{parameter}`")]
    NoParameter { id: String, parameter: String },
    #[error("change `{id}` is in wave 0")]
    NoWave { id: String },
    #[error("change `{id}` is in a wave of no rollout")]
    NoRollout { id: String },
    #[error("change `{id}` gives something back and waits for a wave")]
    Gated { id: String },
    #[error("rollout `{rollout}` has a wave without changes")]
    EmptyWave { rollout: String },
    #[error("change `{id}` takes something from a device of high value in the first wave")]
    HighValueFirst { id: String },
    #[error("change `{id}` goes by another rollout than its policies say")]
    OtherRollout { id: String },
    #[error("rollout `{rollout}` bakes for {said} seconds, its policy says otherwise")]
    OtherBake { rollout: String, said: u64 },
    #[error("change `{id}` expects no reading")]
    NoExpectation { id: String },
    #[error("change `{id}` is made although an objection holds it: `{code}`")]
    NotHeld { id: String, code: String },
    #[error("an objection is lifted that nobody may lift: `{code}`")]
    NeverLifted { code: String },
    #[error("an objection is lifted and holds changes: `{code}`")]
    LiftedAndHeld { code: String },
    #[error(
        "an objection is lifted, and `lifts` does not say so once with the same reason: `{code}`"
    )]
    LiftedByNobody { code: String },
    #[error("the room of tenant `{tenant}` cannot be true: `{limit}`")]
    NoSuchRoom { tenant: String, limit: String },
    #[error(
        "tenant `{tenant}` does not say what is left under a limit that a change counts towards: `{limit}`"
    )]
    NoRoom { tenant: String, limit: String },
    #[error("change `{id}` is about a device that is not in the observation")]
    NoDevice { id: String },
    #[error("change `{id}` restricts a protected device")]
    Protected { id: String },
    #[error("change `{id}` restricts a domain controller")]
    DomainController { id: String },
    #[error("change `{id}` restricts the machine that runs this program")]
    SelfLockout { id: String },
    #[error("change `{id}` cannot be taken back and nobody has allowed its verb")]
    Destructive { id: String },
    #[error("change `{id}` touches a device that `{exemption}` exempts")]
    Exempt { id: String, exemption: String },
    #[error("change `{id}` rests on a reading that is not known")]
    Unknown { id: String },
    #[error("change `{id}` releases what this workspace did not place")]
    ForeignRelease { id: String },
    #[error(
        "change `{id}` releases before its time what policy `{policy}` placed, which is gone, and nobody lifts that"
    )]
    Orphan { id: String, policy: String },
    #[error("change `{id}` takes back nothing that run `{run}` did")]
    NotInRun { id: String, run: String },
    #[error("change `{id}` cancels what is not a pending action of this workspace")]
    NotOurs { id: String },
    #[error("change `{id}` starts from `{found}`, the history says `{read}`")]
    WrongStart { id: String, found: String, read: String },
}

/// Everything that is wrong with the plan, in a stable order.
#[must_use]
pub fn check(plan: &Plan, input: &Input<'_>) -> Vec<Fault> {
    let mut faults = structure(plan);
    faults.extend(inputs::against(plan, input));
    faults.extend(purpose::against(plan, input));
    waves::against(plan, input, &mut faults);
    room::against(plan, input, &mut faults);
    faults.sort();
    faults.dedup();
    faults
}
