//! Exit codes: a contract with scripts and pipelines.
//!
//! The table is shown by `palisade --help` and in the docs; every command ends in one of these.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Nothing to do, or everything done.
    Done,
    /// An error; a message on stderr says which.
    Error,
    /// `plan --detailed-exitcode`: there are changes to make. `audit --detailed-exitcode`: something
    /// deviates.
    Pending,
    /// A guardrail holds changes.
    Held,
    /// The observation is incomplete, or a history that limits are counted from cannot be read.
    Incomplete,
    /// Some changes were not made, or not as planned.
    Partly,
    /// The plan file is stale or expired, or there is no room for it by now.
    Stale,
    /// Interrupted twice: the run is left as its journal says.
    Interrupted,
}

impl Exit {
    /// Every code with what it means.
    pub const TABLE: &'static [(Self, &'static str)] = &[
        (Self::Done, "nothing to do, or done; actions that wait for offline devices count as done"),
        (
            Self::Error,
            "error: wrong input (an edited plan file is), refused by the service, or a fault of the machine",
        ),
        (
            Self::Pending,
            "changes are pending, or something deviates (`plan` and `audit --detailed-exitcode`)",
        ),
        (Self::Held, "a guardrail holds changes, or the workspace is frozen"),
        (
            Self::Incomplete,
            "the observation is incomplete, or limits cannot be counted anew: a tenant does not answer",
        ),
        (
            Self::Partly,
            "applied in part, or stopped after a wave: the table says which changes were not made and why",
        ),
        (
            Self::Stale,
            "the plan file is stale or expired, or others have filled a limit since: plan again",
        ),
        (Self::Interrupted, "interrupted a second time; `palisade runs resume` finishes the run"),
    ];

    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Error => 1,
            Self::Pending => 2,
            Self::Held => 3,
            Self::Incomplete => 4,
            Self::Partly => 5,
            Self::Stale => 6,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table as text for the long help.
#[must_use]
pub fn table() -> String {
    let mut text = String::from("Exit codes:\n");
    for (exit, meaning) in Exit::TABLE {
        text.push_str(&format!("  {:>3}  {meaning}\n", exit.code()));
    }
    text
}
