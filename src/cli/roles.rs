//! Which calls a command or a plan makes, so that a missing role is named before anything is sent.

use std::collections::BTreeSet;

use crate::model::Verb;
use crate::plan::Plan;
use crate::wire::Operation;

/// Commands with the calls they make, as `doctor` lists them.
pub const COMMANDS: &[(&str, &[Operation])] = &[
    (
        "plan",
        &[
            Operation::ListMachines,
            Operation::ListActions,
            Operation::ListAvHealth,
            Operation::ListAlerts,
        ],
    ),
    ("scores", &[Operation::ExposureScore, Operation::ExposureByGroup]),
    ("apply isolate, release", &[Operation::Isolate, Operation::Release]),
    ("apply restrict, unrestrict", &[Operation::Restrict, Operation::Unrestrict]),
    ("apply scan", &[Operation::Scan]),
    ("apply cancel", &[Operation::CancelAction]),
    ("apply classify", &[Operation::PatchAlert, Operation::CommentAlert]),
];

/// The calls that applying a plan makes in one tenant.
#[must_use]
pub fn of_plan(plan: &Plan, tenant: &str) -> BTreeSet<Operation> {
    let changes = plan.changes.iter().filter(|change| change.tenant == tenant);
    changes.flat_map(|change| of_verb(change.verb)).copied().collect()
}

/// The calls that carry a verb out, the reads that watch it among them.
const fn of_verb(verb: Verb) -> &'static [Operation] {
    match verb {
        Verb::Isolate => &[Operation::Isolate, Operation::ListActions],
        Verb::Release => &[Operation::Release, Operation::ListActions],
        Verb::Restrict => &[Operation::Restrict, Operation::ListActions],
        Verb::Unrestrict => &[Operation::Unrestrict, Operation::ListActions],
        Verb::Scan => &[Operation::Scan, Operation::ListActions],
        Verb::Cancel => &[Operation::CancelAction, Operation::ListActions],
        Verb::Classify => &[Operation::GetAlert, Operation::PatchAlert, Operation::CommentAlert],
        // Not carried out by this version; the engine refuses them one by one.
        Verb::Offboard | Verb::Quarantine | Verb::Collect | Verb::Tag | Verb::Untag => &[],
    }
}
