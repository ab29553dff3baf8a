//! The journal of a run: what was meant, what was answered, what came of it.
//!
//! One entry per line, appended and synced by `drive::apply`, chained by hashes (`chain`). It is
//! evidence and the means to resume; losing it costs evidence, never correctness, because markers
//! live in the tenant. Entries are only ever added to; readers ignore keys they do not know.

pub mod audit;
pub mod chain;
pub mod run_id;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::apply::outcome::{Ended, Outcome};
use crate::model::{ActionId, ChangeId};
use crate::plan::Lift;
use crate::plan::types::Reason;

pub use chain::{Broken, Chain, Journal, decode};

/// Version of the entries' format.
pub const FORMAT_VERSION: u32 = 1;

/// One line of a journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct JournalEntry {
    /// Number of the line, from 0.
    pub seq: u64,
    /// When it was written (UTC).
    #[schemars(with = "String")]
    pub time: Timestamp,
    /// SHA-256, in lower-case hexadecimal, of the line before without its line feed; 64 zeros in
    /// the first line.
    pub prev: String,
    /// What happened.
    #[serde(flatten)]
    pub entry: Entry,
    /// SHA-256, in lower-case hexadecimal, of this line without this member: the last member of each
    /// line. No later line vouches for the last one; this does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<String>,
}

/// The JSON Schema of a line, made from the types.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(JournalEntry).to_value()
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Entry {
    /// The run began. The whole plan lies beside the journal, as `plan.json`.
    Started {
        /// Version of the entries' format.
        format_version: u32,
        /// Name of the run, which is that of its folder.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<String>,
        /// Hash of the plan.
        plan_hash: String,
        /// Name and version of the program.
        tool: String,
        /// The workspace's `id`.
        workspace: String,
        /// Entra tenant ids by name.
        tenants: BTreeMap<String, String>,
        /// Changes of the plan.
        changes: u32,
        /// Guardrails that were lifted for it, with the reasons.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        lifts: Vec<Lift>,
    },
    /// A request is about to be sent. Nothing is sent before this is on disk.
    Intent {
        /// The change.
        #[schemars(with = "String")]
        change: ChangeId,
        /// Which request of the change.
        part: Part,
        /// How often it will have been sent with this, from 1.
        attempt: u32,
    },
    /// What the service answered.
    Answer {
        /// The change.
        #[schemars(with = "String")]
        change: ChangeId,
        /// Which request of the change.
        part: Part,
        /// The answer.
        answer: Noted,
    },
    /// What a look for a lost request found.
    Looked {
        /// The change.
        #[schemars(with = "String")]
        change: ChangeId,
        /// Which request of the change.
        part: Part,
        /// Whether our marker was found.
        found: bool,
        /// The action that carries it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        action: Option<ActionId>,
        /// Whether the request may be sent again: the last look found nothing.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        absent: bool,
    },
    /// The state of an accepted action changed.
    State {
        /// The change.
        #[schemars(with = "String")]
        change: ChangeId,
        /// The action.
        action: ActionId,
        /// Its state, with the service's spelling.
        status: String,
    },
    /// A change came to its end.
    Outcome {
        /// The change.
        #[schemars(with = "String")]
        change: ChangeId,
        /// How.
        #[serde(flatten)]
        ended: Ended,
    },
    /// The changes of a rollout's next wave may be sent; the first begins with the run.
    WaveBegun {
        /// Name of the tenant.
        tenant: String,
        /// Kind and name of the policy.
        policy: String,
        /// The wave, from 2.
        wave: u32,
    },
    /// Nothing of a rollout's wave is under way any more; its bake counts from here.
    WaveEnded {
        /// Name of the tenant.
        tenant: String,
        /// Kind and name of the policy.
        policy: String,
        /// The wave, from 1.
        wave: u32,
        /// Failures in it and those before.
        failures: u32,
        /// Changes in it that are pending offline.
        offline: u32,
    },
    /// A rollout's next wave waits for a person; the run is about to stop.
    WavePaused {
        /// Name of the tenant.
        tenant: String,
        /// Kind and name of the policy.
        policy: String,
        /// The wave that waits, from 2.
        wave: u32,
    },
    /// Too much failed: nothing more of a rollout is sent, and its pending actions are cancelled.
    RolloutHalted {
        /// Name of the tenant.
        tenant: String,
        /// Kind and name of the policy.
        policy: String,
        /// The wave under way.
        wave: u32,
        /// Why.
        reason: Reason,
    },
    /// The targets were observed again.
    Verification {
        /// Name of the tenant.
        tenant: String,
        /// Changes that were found as planned.
        confirmed: u32,
        /// Changes that were not.
        different: u32,
    },
    /// The run stopped before its end and can be resumed.
    Stopped {
        /// Why.
        reason: Reason,
    },
    /// A stopped or killed run goes on.
    Resumed {
        /// Name and version of the program.
        tool: String,
        /// Why it sends nothing more, if so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        withheld: Option<Reason>,
    },
    /// The run came to its end.
    Finished {
        /// Changes by outcome.
        counts: BTreeMap<Outcome, u32>,
        /// Changes of the plan.
        total: u32,
    },
}

impl Entry {
    /// The change that it is about, if it is about one.
    #[must_use]
    pub const fn change(&self) -> Option<&ChangeId> {
        match self {
            Self::Intent { change, .. }
            | Self::Answer { change, .. }
            | Self::Looked { change, .. }
            | Self::State { change, .. }
            | Self::Outcome { change, .. } => Some(change),
            Self::Started { .. }
            | Self::WaveBegun { .. }
            | Self::WaveEnded { .. }
            | Self::WavePaused { .. }
            | Self::RolloutHalted { .. }
            | Self::Verification { .. }
            | Self::Stopped { .. }
            | Self::Resumed { .. }
            | Self::Finished { .. } => None,
        }
    }
}

/// Which request of a change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Part {
    /// The machine action, or its cancelling.
    Action,
    /// Setting an alert's properties.
    Patch,
    /// Commenting on an alert.
    Comment,
    /// Cancelling the change's own action, when its rollout has stopped.
    Cancel,
}

/// An answer as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Noted {
    /// Taken, with the machine action that stands for it.
    Accepted {
        /// The action.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<String>")]
        action: Option<ActionId>,
    },
    /// An action of the kind is active on the device, or an action that is not ours was returned.
    AlreadyExists {
        /// The service's message.
        message: String,
    },
    /// Not taken.
    Refused {
        /// HTTP status.
        status: u16,
        /// The service's code.
        code: String,
        /// The service's message.
        message: String,
    },
    /// It may have taken effect or not.
    Ambiguous {
        /// What happened.
        why: String,
    },
    /// It has not taken effect: the rate windows are exceeded.
    Throttled,
    /// It has not left this machine.
    NotSent {
        /// What happened.
        why: String,
    },
}
