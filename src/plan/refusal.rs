//! Why a plan file is not applied, and what a person can do.
//!
//! Made by `file` and `recount`; the command line turns each into an exit code.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::plan::check::Fault;
use crate::plan::recount::Crowded;
use crate::plan::types::FORMAT_VERSION;

/// Why a plan file is refused; each says which.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanFileError {
    /// Not JSON, or too large.
    #[error("the file is not a plan: {0}")]
    Unreadable(String),
    /// Of another format version.
    #[error("the plan has format version {found}, this program reads {FORMAT_VERSION}")]
    Version {
        /// The version in the file.
        found: String,
    },
    /// Not in the shape of a plan.
    #[error("the file does not have the shape of a plan: {why} at `{place}`")]
    Schema {
        /// JSON pointer into the file.
        place: String,
        /// What is wrong there.
        why: String,
    },
    /// Changed since it was written.
    #[error("the plan was edited after it was made")]
    Edited,
    /// Sealed, but it contradicts itself: no plan of this program does.
    #[error("the plan contradicts itself: {0}")]
    Faulty(Fault),
    /// Too old to start an apply.
    #[error("the plan expired at {valid_until}")]
    Expired {
        /// Until when an apply could start (UTC).
        valid_until: Timestamp,
    },
    /// Made from another workspace file, other policies or other rules than there are now.
    #[error("the plan is stale: the workspace or its policies have changed since it was made")]
    Stale {
        /// Digest in the plan.
        planned: String,
        /// Digest of the files now.
        current: String,
        /// Digests of the files that the plan was made from.
        sources: BTreeMap<String, String>,
    },
    /// For another workspace.
    #[error("the plan is for workspace `{found}`, this is `{expected}`")]
    WrongWorkspace {
        /// The plan's.
        found: String,
        /// This one.
        expected: String,
    },
    /// For a tenant that the workspace does not have under that name and id.
    #[error("the plan is for tenant `{name}` with id `{found}`, {}", pinned(.expected.as_deref()))]
    WrongTenant {
        /// The plan's name for it.
        name: String,
        /// The plan's id.
        found: String,
        /// The workspace's id for that name; none when it has no such tenant.
        expected: Option<String>,
    },
    /// Made from an observation that lacks something.
    #[error("the plan rests on an incomplete observation of tenant `{tenant}`: {missing}")]
    Incomplete {
        /// The tenant.
        tenant: String,
        /// What is missing.
        missing: String,
    },
    /// What others did since has filled a limit.
    #[error(transparent)]
    Crowded(Crowded),
    /// Made with `--now`, for a tenant that is not a loopback one.
    #[error("the plan was made for study with `--now` and tenant `{tenant}` is a real one")]
    StudyOnRealTenant {
        /// The tenant.
        tenant: String,
    },
}

fn pinned(expected: Option<&str>) -> String {
    match expected {
        Some(id) => format!("which has id `{id}` in this workspace"),
        None => "which this workspace does not have".to_owned(),
    }
}

impl PlanFileError {
    /// What the person can do.
    #[must_use]
    pub const fn help(&self) -> &'static str {
        match self {
            Self::Unreadable(_) | Self::Schema { .. } => "write one with `plan --out FILE`",
            Self::Version { .. } => "run `plan` again with the version that applies",
            Self::Edited | Self::Faulty(_) => {
                "run `plan` again and apply the file as it was written"
            }
            Self::Expired { .. } | Self::Stale { .. } | Self::Crowded(_) => "run `plan` again",
            Self::WrongWorkspace { .. } => "choose the workspace with `-C DIR`",
            Self::WrongTenant { .. } => "check `tenants` in `palisade.yaml`, then run `plan` again",
            Self::Incomplete { .. } => "run `plan` again when the tenant can be read",
            Self::StudyOnRealTenant { .. } => "run `plan` again without `--now`",
        }
    }
}
