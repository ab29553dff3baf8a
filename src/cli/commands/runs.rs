//! `palisade runs list|show|verify|resume`: what the journals say, and going on with a run.

use crate::cli::applying::{self, journals};
use crate::cli::args::Format;
use crate::cli::commands::apply::clients_of;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::cli::{runtime, workspace};
use crate::drive::apply::{self as driver, ApplyError, Found};
use crate::policy::Workspace;
use crate::report::runs::{self as report, Run, State};
use crate::report::{apply as result, escape};

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
    /// Check that journals are what was written.
    #[command(
        after_long_help = "Examples:\n  palisade runs verify         # every run\n  palisade runs verify last"
    )]
    Verify {
        /// The run [default: every run].
        run: Option<String>,
    },
    /// Finish a run that was stopped or killed; nothing is sent twice.
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
    /// When there is no such run, or a journal cannot be read.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let workspace = workspace_only(context)?;
        match self.command {
            RunsCommand::List { format } => list(context, &workspace, format),
            RunsCommand::Show { run, entries, format } => {
                show(context, &workspace, &run, entries, format)
            }
            RunsCommand::Verify { run } => verify(context, &workspace, run.as_deref()),
            RunsCommand::Resume { run, format } => resume(context, &workspace, &run, format),
        }
    }
}

/// The workspace without its policies: journals are looked at whatever policies say today.
fn workspace_only(context: &mut Context) -> Result<Workspace> {
    let root = workspace::locate(context)?;
    let project = workspace::read(&root, Some(&[]), context.clock.now())?;
    let (workspace, _) = project.usable(context)?;
    Ok(workspace.clone())
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
    let text = match (whole, format) {
        (true, Format::Text) => report::entries(&entries, context.style()),
        (true, Format::Json) => {
            let value =
                serde_json::json!({ "formatVersion": report::FORMAT_VERSION, "entries": entries });
            format!("{value:#}\n")
        }
        (false, Format::Text) => {
            result::table(&found.id, &plan?, &report::summary(&entries), context.style())
        }
        (false, Format::Json) => result::json(&found.id, &plan?, &report::summary(&entries)),
    };
    context.data(&text)?;
    if Run::of(found.id.as_str(), &entries).state != State::Finished {
        context.note(&format!("`palisade runs resume {}` finishes the run.", found.id));
    }
    Ok(Exit::Done)
}

fn verify(context: &mut Context, workspace: &Workspace, name: Option<&str>) -> Result<Exit> {
    let found = match name {
        Some(name) => vec![open(workspace, name)?],
        None => driver::runs(&journals(workspace))?,
    };
    let mut exit = Exit::Done;
    let mut text = String::new();
    for found in &found {
        let id = &found.id;
        let cut = if found.cut > 0 { ", an unfinished last line left out" } else { "" };
        let plan = found.plan();
        match (&found.entries, &plan) {
            (Ok(entries), Ok(_)) => {
                text.push_str(&format!("ok      {id}  {} entries{cut}\n", entries.len()));
            }
            (Err(error), _) | (_, Err(error)) => {
                exit = Exit::Error;
                let why = escape::terminal(&CliError::of_ref(error));
                text.push_str(&format!("BROKEN  {id}  {why}\n"));
            }
        }
    }
    context.data(&text)?;
    Ok(exit)
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
    let (plan, ran) =
        runtime::block_on(applying::resume(context, workspace, name, |plan, reporter| {
            clients_of(context, workspace, plan, reporter)
        }))?;
    let text = match format {
        Format::Text => result::table(&ran.run, &plan, &ran.summary, context.style()),
        Format::Json => result::json(&ran.run, &plan, &ran.summary),
    };
    context.data(&text)?;
    Ok(applying::exit_of(&ran.summary))
}
