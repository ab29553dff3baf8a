//! `palisade undo RUN`: a plan with the exact inverse of what a run did, applied like any other.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::apply::journal::audit::audit;
use crate::apply::past::past;
use crate::cli::applying::{STOP_FIRST, in_the_way, journals};
use crate::cli::args::Format;
use crate::cli::at_once::AtOnce;
use crate::cli::context::{self, Context, shown};
use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::cli::lifts::Lifts;
use crate::cli::planning::Observed;
use crate::cli::{frozen, planning, runtime, scope, workspace};
use crate::drive::apply::{Found, find_run, is_active};
use crate::host::files;
use crate::model::Verb;
use crate::plan::undo::Past;
use crate::plan::{Circumstances, Purpose, file};
use crate::policy::Workspace;
use crate::report::plan as report;

/// Undo what a run did, by a plan of its own.
///
/// Inverts what succeeded and still stands: a device that somebody has acted on since is left alone and
/// shown as `moved-since`, and one that this run was undone on before as `already-undone`. Isolated
/// devices are released; released ones are isolated again with the
/// strength they had, for the rest of their lease and never without one; verdicts go back to the values
/// before them, comments stay. A scan that ran has no inverse. Guardrails, exemptions and a freeze hold
/// as ever, and the undoing is a run that can be undone itself. The next plan does not simply redo
/// what was undone: it is held as a release by hand is.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade undo last                      # plan, show, ask, apply\n  palisade undo 20261123T1002 --out undo.plan.json && palisade apply undo.plan.json\n  palisade undo 7f3c9a --auto-approve"
)]
pub struct Undo {
    /// The run: its name, its beginning or end, or `last`.
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Write the plan file for `apply` instead of applying now.
    #[arg(long, value_name = "FILE", conflicts_with = "auto_approve")]
    pub out: Option<PathBuf>,
    /// Do not ask.
    #[arg(long)]
    pub auto_approve: bool,
    /// Plan as if it were this instant; more than five minutes from the clock is for study.
    #[arg(long, value_name = "RFC3339")]
    pub now: Option<Timestamp>,
    /// How the result is shown; with `--out`, how the plan is.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Guardrails that are lifted.
    #[command(flatten)]
    pub lifts: Lifts,
}

impl Undo {
    /// Plans, and applies unless a plan file is asked for.
    ///
    /// # Errors
    /// When there is no such run, it is under way, its files were changed, or the plan cannot be
    /// made or applied.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let at_once =
            AtOnce { auto_approve: self.auto_approve, format: self.format, now: self.now };
        self.out.as_deref().map_or(Ok(()), context::require_place)?;
        let lifted = planning::circumstances(&self.lifts)?;
        let now = context.now(self.now);
        let project = workspace::open(context, now)?;
        let (workspace, policies) = project.usable(context)?;
        if self.out.is_none() {
            at_once.require_answer(context, "write the plan with `--out FILE` and review it")?;
            frozen::refuse(&workspace.root, context.clock.now())?;
        }
        let past = read(workspace, &self.run)?;
        let mut scope = scope::for_policies(workspace, policies, now);
        if past.changes.iter().any(|item| item.change.verb == Verb::Classify) {
            scope = scope::with_alerts(scope, workspace, now);
        }
        let Observed { clients, inventories } =
            runtime::block_on(planning::observe(context, workspace, &scope))?;
        let around = Circumstances { purpose: Purpose::Undo(past), ..lifted };
        let plan = planning::plan(context, workspace, policies, &inventories, &around, self.now)?;
        drop(inventories);
        let Some(out) = &self.out else {
            return at_once.carry_out(context, plan, &clients);
        };
        let bytes = file::to_bytes(&plan);
        files::write_atomic(out, &bytes)?;
        let text = match self.format {
            Format::Text => report::text(&plan, context.style()),
            Format::Json => String::from_utf8_lossy(&bytes).into_owned(),
        };
        context.data(&text)?;
        Lifts::tell_unused(context, &plan);
        planning::tell_clocks(context, &plan);
        context.note(&format!("\nApply exactly this with: palisade apply {}", shown(out)));
        Ok(planning::exit_of(&plan, false))
    }
}

/// What the run's plan and journal say; both must be what was written.
fn read(workspace: &Workspace, name: &str) -> Result<Past> {
    let root = journals(workspace);
    let id = find_run(&root, name).map_err(in_the_way)?;
    if is_active(&root, &id)? {
        return Err(CliError::new(format!("run `{id}` is under way")).help(STOP_FIRST));
    }
    let found = Found::open(&root, id);
    let check = format!("`palisade runs verify {}` says what is wrong with it", found.id);
    let plan = found.plan().map_err(in_the_way).map_err(|error| error.help(check.clone()))?;
    let run = found.id.to_string();
    let entries = found.entries.map_err(|error| CliError::from(error).help(check.clone()))?;
    let end = audit(&run, &plan, &entries).map_err(|error| {
        CliError::from(error)
            .context(format!("what run `{run}` did is not known"))
            .help(check)
            .help("what carries its marks is listed by `palisade actions list`; policies decide what stays")
    })?;
    Ok(past(&run, &plan, &entries, end))
}
