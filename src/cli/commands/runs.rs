//! `palisade runs list|show|verify|resume`: what the journals say, and going on with a run.

use crate::apply::journal::audit::{End, audit};
use crate::cli::applying::{self, journals};
use crate::cli::args::Format;
use crate::cli::commands::apply::{clients_of, for_all_its_tenants};
use crate::cli::context::Context;
use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::cli::progress::Reporter;
use crate::cli::workspace::Project;
use crate::cli::{at_once, runtime, session, workspace};
use crate::drive::apply::{self as driver, ApplyError, Found};
use crate::plan::Plan;
use crate::plan::types::Reason;
use crate::policy::Workspace;
use crate::report::runs::{self as report, Run, RunCheck, State, Verdict};
use crate::report::{apply as result, escape, reason};

/// Look at runs, check their journals, finish one that was stopped.
#[derive(Debug, clap::Args)]
pub struct Runs {
    /// What to do.
    #[command(subcommand)]
    pub command: RunsCommand,
}

/// What to do with runs. RUN is a run's name, its beginning or end, or `last`.
#[derive(Debug, clap::Subcommand)]
pub enum RunsCommand {
    /// List runs, newest first.
    #[command(
        after_long_help = "Examples:\n  palisade runs list\n  palisade runs list --format json"
    )]
    List {
        /// How to show it.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Show how each change of a run ended.
    #[command(
        after_long_help = "Examples:\n  palisade runs show last\n  palisade runs show 7f3c9a --entries"
    )]
    Show {
        /// The run.
        #[arg(default_value = "last")]
        run: String,
        /// Show every entry of its journal instead.
        #[arg(long)]
        entries: bool,
        /// How to show it.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Check that journals and plans are what was written.
    ///
    /// Finds lines that were edited, removed, swapped or added, a plan that is not the journal's, a
    /// missing file and a missing end. Ends with 1 when anything is wrong. A run that was killed has
    /// no end either: `runs resume` writes it. That whole lines are gone from behind an earlier stop
    /// no chain can tell.
    #[command(
        after_long_help = "Examples:\n  palisade runs verify         # every run\n  palisade runs verify last --format json"
    )]
    Verify {
        /// The run [default: every run].
        run: Option<String>,
        /// How to show it.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Go on with a run that was stopped or killed, or that waits for a person after a wave; nothing is
    /// sent twice.
    ///
    /// What was sent is settled in any case. More is sent only while the workspace file, the policies
    /// and the rules say what they said when the plan was made, and no longer than the plan's validity
    /// after the run was last alive, or a day after it stopped for a person; otherwise the rest ends as
    /// not attempted, with code 5. While the workspace is frozen it settles and stops, with code 3; so it
    /// does, with code 4, when limits cannot be counted anew because a tenant does not answer.
    /// With `--tenant` it is refused when the run has changes for another tenant: a run is carried out
    /// whole.
    #[command(after_long_help = "Examples:\n  palisade runs resume last")]
    Resume {
        /// The run.
        #[arg(default_value = "last")]
        run: String,
        /// How the result is shown.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

impl Runs {
    /// Does it.
    ///
    /// # Errors
    /// When there is no such run, a journal cannot be read, or `--tenant` leaves out some of it.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        if !matches!(self.command, RunsCommand::Resume { .. }) {
            session::whole_workspace(context)?;
        }
        let workspace = workspace::without_policies(context)?;
        match self.command {
            RunsCommand::List { format } => list(context, &workspace, format),
            RunsCommand::Show { run, entries, format } => {
                show(context, &workspace, &run, entries, format)
            }
            RunsCommand::Verify { run, format } => {
                verify(context, &workspace, run.as_deref(), format)
            }
            RunsCommand::Resume { run, format } => resume(context, &workspace, &run, format),
        }
    }
}

fn known(error: ApplyError) -> CliError {
    CliError::from(error).help("`palisade runs list` shows them")
}

fn open(workspace: &Workspace, name: &str) -> Result<Found> {
    let root = journals(workspace);
    let id = driver::find_run(&root, name).map_err(known)?;
    Ok(Found::open(&root, id))
}

fn of_found(found: &Found) -> Run {
    match &found.entries {
        Ok(entries) => Run::of(found.id.as_str(), entries),
        Err(error) => {
            let text = CliError::of_ref(error);
            Run::broken(found.id.as_str(), escape::terminal(&text))
        }
    }
}

fn list(context: &mut Context, workspace: &Workspace, format: Format) -> Result<Exit> {
    let mut runs: Vec<Run> = driver::runs(&journals(workspace))?.iter().map(of_found).collect();
    runs.reverse();
    let text = match format {
        Format::Text => report::list(&runs, context.style()),
        Format::Json => report::json(&runs),
    };
    context.data(&text)?;
    Ok(Exit::Done)
}

fn show(
    context: &mut Context,
    workspace: &Workspace,
    name: &str,
    whole: bool,
    format: Format,
) -> Result<Exit> {
    let found = open(workspace, name)?;
    let plan = found.plan();
    let entries = found.entries?;
    if let Ok(plan) = &plan
        && let Err(unfit) = audit(found.id.as_str(), plan, &entries)
    {
        context.note(&format!("Not to be trusted: {unfit}."));
    }
    let text = match (whole, format) {
        (true, Format::Text) => report::entries(&entries, context.style()),
        (true, Format::Json) => report::entries_json(&entries),
        (false, format) => {
            let plan = plan?;
            let summary = report::standing(&plan, &entries);
            match format {
                Format::Text => result::table(&found.id, &plan, &summary, context.style()),
                Format::Json => result::json(&found.id, &plan, &summary),
            }
        }
    };
    context.data(&text)?;
    if Run::of(found.id.as_str(), &entries).state != State::Finished {
        let stopped = report::summary(&entries).stopped;
        context.note(&result::going_on(&found.id, stopped.as_ref()));
    }
    Ok(Exit::Done)
}

fn verify(
    context: &mut Context,
    workspace: &Workspace,
    name: Option<&str>,
    format: Format,
) -> Result<Exit> {
    let root = journals(workspace);
    let found = match name {
        Some(name) => vec![open(workspace, name)?],
        None => driver::runs(&root)?,
    };
    let mut checks = Vec::with_capacity(found.len());
    for found in &found {
        // Asked first: a run that ends meanwhile has its end in the journal already.
        let active = driver::is_active(&root, &found.id)?;
        checks.push(check(found, active));
    }
    let text = match format {
        Format::Text => report::checks(&checks, context.style()),
        Format::Json => report::checks_json(&checks),
    };
    context.data(&text)?;
    let good = checks.iter().all(|check| check.verdict.is_good());
    Ok(if good { Exit::Done } else { Exit::Error })
}

/// Chain, plan, and whether the two belong together and came to an end.
fn check(found: &Found, active: bool) -> RunCheck {
    let (entries, trouble) = match (&found.entries, found.plan()) {
        (Err(error), _) => (&[][..], Err(CliError::of_ref(error))),
        (Ok(entries), Err(error)) => (&entries[..], Err(CliError::of_ref(&error))),
        (Ok(entries), Ok(plan)) => {
            let end = audit(found.id.as_str(), &plan, entries).map_err(|error| error.to_string());
            (&entries[..], end)
        }
    };
    let (verdict, trouble) = match trouble {
        _ if active => (Verdict::UnderWay, None),
        _ if !found.has_journal => {
            let missing = "the journal is missing, or the run was killed before it began";
            (Verdict::Broken, Some(missing.to_owned()))
        }
        Err(trouble) => (Verdict::Broken, Some(trouble)),
        Ok(_) if found.cut > 0 => {
            let torn = "the last line is cut off: the run was killed, or its end was removed";
            (Verdict::NoEnd, Some(torn.to_owned()))
        }
        Ok(End::None) => {
            let open = "the journal has no end: the run was killed, or its end was removed";
            (Verdict::NoEnd, Some(open.to_owned()))
        }
        Ok(End::Finished | End::Stopped) => (Verdict::Ok, None),
    };
    let entries = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    RunCheck { run: found.id.to_string(), verdict, entries, trouble }
}

fn resume(
    context: &mut Context,
    workspace: &Workspace,
    name: &str,
    format: Format,
) -> Result<Exit> {
    let found = open(workspace, name)?;
    if !found.path.join("plan.json").exists() {
        // Killed before its plan was on the disk: whatever is sent comes after that.
        let message = format!("run `{}` ended before it began: nothing was sent", found.id);
        return Err(CliError::new(message).help("apply the plan again"));
    }
    // Before the journal is opened; a plan that cannot be read is refused below.
    let named = session::tenants(context, workspace).map(drop);
    named.and_then(|()| found.plan().map_or(Ok(()), |plan| for_all_its_tenants(context, &plan)))?;
    let now = context.clock.now();
    let project = workspace::open(context, now)?;
    let mut run = applying::reopen(workspace, project.set.as_ref(), name, now)?;
    if let Some(why) = &run.withheld {
        tell(context, why, &run.plan, &project);
    }
    let (withheld, plan, ran) = runtime::block_on(async {
        let reporter = Reporter::start(context.terminal.traits().watched);
        let clients = clients_of(context, workspace, &run.plan, &reporter)?;
        drop(reporter);
        if let Some(why) = run.recount(workspace, &clients, now).await {
            tell(context, &why, &run.plan, &project);
        }
        let withheld = run.withheld.clone();
        let (plan, ran) = run.carry(context, &clients).await?;
        Ok::<_, CliError>((withheld, plan, ran))
    })?;
    let text = match format {
        Format::Text => result::table(&ran.run, &plan, &ran.summary, context.style()),
        Format::Json => result::json(&ran.run, &plan, &ran.summary),
    };
    context.data(&text)?;
    if ran.summary.stopped.is_some() {
        context.note(&result::going_on(&ran.run, ran.summary.stopped.as_ref()));
    }
    Ok(applying::exit_of_resumed(&ran.summary, withheld.as_ref()))
}

/// Says before anything is read that what was sent is settled and nothing more is sent.
fn tell(context: &mut Context, why: &Reason, plan: &Plan, project: &Project) {
    context.note(&format!("Nothing more is sent: {}.", reason::sentence(why)));
    let moved = match &project.set {
        _ if why.code != "stale" => None,
        Some(policies) => at_once::moved_since(plan, policies),
        None => Some("`palisade validate` says what is wrong with the policies".to_owned()),
    };
    if let Some(moved) = moved {
        context.note(&format!("  {moved}"));
    }
}
