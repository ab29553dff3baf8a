//! The workspace's freeze, as commands meet it: whether there is one, and the refusal.

use std::path::Path;

use jiff::Timestamp;

use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::drive::apply as driver;
use crate::plan::freeze::FILE;
use crate::plan::{Freeze, Plan};
use crate::report::reason;

/// The freeze that is in force.
#[must_use]
pub fn in_force(root: &Path, now: Timestamp) -> Option<Freeze> {
    driver::frozen(root).filter(|freeze| freeze.is_in_force(now))
}

/// Whether a freeze stops the plan. Cancelling takes back what has not taken effect: it is what one
/// does next after a freeze.
#[must_use]
pub fn stops(plan: &Plan) -> bool {
    !plan.only_cancels()
}

/// Refuses to apply while the workspace is frozen; nothing has been sent by then.
///
/// # Errors
/// With code 3 while it is frozen: who froze it, when and why.
pub fn refuse(root: &Path, now: Timestamp) -> Result<()> {
    let Some(freeze) = in_force(root, now) else { return Ok(()) };
    let why = reason::sentence(&freeze.reason());
    Err(CliError::new(format!("nothing was sent: {why}"))
        .exit(Exit::Held)
        .help(format!("`palisade unfreeze` removes `{FILE}`; `palisade plan` works meanwhile")))
}
