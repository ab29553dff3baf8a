//! `palisade plan`: what apply would do, on screen and as a file.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::cli::args::PlanFormat;
use crate::cli::context::{self, Context, shown};
use crate::cli::error::{CliError, Doing as _, Result};
use crate::cli::exit::Exit;
use crate::cli::lifts::Lifts;
use crate::cli::{planning, runtime, scope, workspace};
use crate::host::files;
use crate::plan as planner;
use crate::report::guardrails;
use crate::report::plan as report;

/// Compare policies with the tenants and show what apply would do. Changes nothing.
///
/// Ends with 4 when a tenant could not be read whole, with 3 when a guardrail holds changes, and
/// with `--detailed-exitcode` with 2 when there are changes to make.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade plan\n  palisade plan --out case.plan.json && palisade apply case.plan.json\n  palisade plan --detailed-exitcode --format markdown > comment.md\n  palisade plan --tenant contoso --now 2026-11-23T10:02:00Z    # reproduce a plan\n  palisade plan --out case.plan.json --lift cap-run --because \"IR-7781, agreed with the CISO\"\n  palisade plan --explain-guardrails    # every limit, and how far from it"
)]
pub struct PlanCommand {
    /// Write the plan file that `apply` takes.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// End with 2 when there are changes to make.
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Plan as if it were this instant; more than five minutes from the clock is for study.
    #[arg(long, value_name = "RFC3339")]
    pub now: Option<Timestamp>,
    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    pub format: PlanFormat,
    /// Show the guardrails instead of the plan: values, what each counted, how to lift it; as text
    /// or JSON.
    #[arg(long)]
    pub explain_guardrails: bool,
    /// Guardrails that are lifted.
    #[command(flatten)]
    pub lifts: Lifts,
}

impl PlanCommand {
    /// Plans and shows.
    ///
    /// # Errors
    /// When the workspace has errors, a tenant cannot be signed in to, or a file cannot be written.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        if self.explain_guardrails && matches!(self.format, PlanFormat::Yaml | PlanFormat::Markdown)
        {
            let message = "`--explain-guardrails` is shown as text or JSON";
            return Err(CliError::new(message).help("leave `--format` out, or say `--format json`"));
        }
        self.out.as_deref().map_or(Ok(()), context::require_place)?;
        let around = planning::circumstances(&self.lifts)?;
        let now = context.now(self.now);
        let project = workspace::open(context, now)?;
        let (workspace, policies) = project.usable(context)?;
        let scope = scope::for_policies(workspace, policies, now);
        let observed = runtime::block_on(planning::observe(context, workspace, &scope))?;
        let read = &observed.inventories;
        let plan = planning::plan(context, workspace, policies, read, &around, self.now)?;
        if let Some(file) = &self.out {
            files::write_atomic(file, &planner::file::to_bytes(&plan))?;
        }
        let text = if self.explain_guardrails {
            let rails =
                planning::guardrails(context, workspace, policies, read, &around, plan.created_at)?;
            match self.format {
                PlanFormat::Json => guardrails::json(&plan, &rails),
                _ => guardrails::text(&plan, &rails, context.style()),
            }
        } else {
            match self.format {
                PlanFormat::Text => report::text(&plan, context.style()),
                PlanFormat::Json => {
                    String::from_utf8_lossy(&planner::file::to_bytes(&plan)).into_owned()
                }
                PlanFormat::Yaml => report::yaml(&plan),
                PlanFormat::Markdown => report::markdown(&plan),
            }
        };
        context.data(&text)?;
        step_summary(context, &plan)?;
        Lifts::tell_unused(context, &plan);
        planning::tell_clocks(context, &plan);
        if let Some(file) = &self.out {
            context.note(&format!("\nApply exactly this with: palisade apply {}", shown(file)));
        }
        Ok(planning::exit_of(&plan, self.detailed_exitcode))
    }
}

/// Adds the plan to the job's summary where GitHub Actions gives a file for it.
fn step_summary(context: &Context, plan: &planner::Plan) -> Result<()> {
    let Some(file) = context.env.get("GITHUB_STEP_SUMMARY").map(Path::new) else { return Ok(()) };
    let doing = || format!("cannot add to the step summary `{}`", shown(file));
    let mut open =
        std::fs::OpenOptions::new().append(true).create(true).open(file).doing(doing())?;
    open.write_all(report::markdown(plan).as_bytes()).doing(doing())
}
