//! A plan that is made, shown, asked about and applied in one go: `apply` without a file, `undo`,
//! `cancel`. What is applied is exactly the plan that was shown.

use jiff::Timestamp;

use crate::cli::args::Format;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Doing as _, Result};
use crate::cli::exit::Exit;
use crate::cli::lifts::Lifts;
use crate::cli::{applying, planning, runtime};
use crate::drive::client::Client;
use crate::plan::file::{self, VerifyContext};
use crate::plan::{CheckedPlan, Plan};
use crate::policy::Workspace;
use crate::report::plan as screen;
use crate::report::{apply as report, measure};

/// How it is asked and shown.
#[derive(Clone, Copy, Debug)]
pub struct AtOnce {
    /// Nobody is asked.
    pub auto_approve: bool,
    /// How plan and result are shown.
    pub format: Format,
    /// What `--now` says.
    pub now: Option<Timestamp>,
}

impl AtOnce {
    /// Refuses when nobody can be asked; said before anything is read.
    ///
    /// # Errors
    /// When there is neither a terminal nor an approval.
    pub fn require_answer(&self, context: &Context, otherwise: &str) -> Result<()> {
        if self.auto_approve || context.terminal.traits().interactive {
            return Ok(());
        }
        Err(CliError::new("nobody can be asked: there is no terminal")
            .help(otherwise.to_owned())
            .help("or pass `--auto-approve`"))
    }

    /// Shows the plan, asks, applies and shows how it ended. Clients keep their rate windows and
    /// tokens from the observation.
    ///
    /// # Errors
    /// When the plan is refused, a role is missing or the journal cannot be written.
    pub fn carry_out(
        &self,
        context: &mut Context,
        workspace: &Workspace,
        digest: &str,
        plan: Plan,
        clients: &[Client],
    ) -> Result<Exit> {
        let text = screen::text(&plan, context.style());
        match self.format {
            Format::Text => context.data(&text)?,
            // Data stays JSON; the plan is for whoever is asked.
            Format::Json => context.note(&text),
        }
        Lifts::tell_unused(context, &plan);
        if plan.changes.is_empty() {
            return Ok(planning::exit_of(&plan, false));
        }
        if !self.auto_approve && !ask(context, &plan)? {
            context.note("Not applied.");
            return Ok(Exit::Error);
        }
        let plan = verify(context, plan, workspace, digest, self.now)?;
        let ran = runtime::block_on(applying::start(context, workspace, &plan, clients))?;
        show(context, &plan, &ran, self.format)
    }
}

/// Holds a plan against the workspace, its policies and the clock.
///
/// # Errors
/// When it is refused.
pub fn verify(
    context: &Context,
    plan: Plan,
    workspace: &Workspace,
    digest: &str,
    said: Option<Timestamp>,
) -> Result<CheckedPlan> {
    let now = context.now(said);
    let against = VerifyContext { workspace, policy_digest: Some(digest), now };
    file::verify(plan, &against).map_err(applying::refused)
}

/// Shows how a run ended.
///
/// # Errors
/// When stdout cannot be written.
pub fn show(
    context: &mut Context,
    plan: &Plan,
    ran: &applying::Ran,
    format: Format,
) -> Result<Exit> {
    let text = match format {
        Format::Text => report::table(&ran.run, plan, &ran.summary, context.style()),
        Format::Json => report::json(&ran.run, plan, &ran.summary),
    };
    context.data(&text)?;
    if ran.summary.stopped.is_some() {
        context.note(&report::going_on(&ran.run, ran.summary.stopped.as_ref()));
    }
    Ok(applying::exit_of(&ran.summary))
}

/// Only the whole word counts: a stray key must not isolate anybody.
fn ask(context: &mut Context, plan: &Plan) -> Result<bool> {
    let count = measure::plural(plan.changes.len() as u64, "change", "changes");
    let tenants: Vec<&str> = plan.tenants.iter().map(|tenant| tenant.name.as_str()).collect();
    let question = format!(
        "\nMake {} in {}? Only `yes` is taken: ",
        count.replace(measure::NO_BREAK, " "),
        tenants.join(", ")
    );
    let answer = context.terminal.ask(&question).doing("cannot read the answer")?;
    Ok(answer.as_deref() == Some("yes"))
}
