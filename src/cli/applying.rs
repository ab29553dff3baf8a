//! From a verified plan to the end of its run: what `apply`, `runs resume` and `demo` share.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use crate::apply::{Engine, Options, Outcome, Progress, Summary};
use crate::cli::context::Context;
use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::cli::interrupt::Interrupt;
use crate::cli::planning::TOOL;
use crate::cli::progress::Reporter;
use crate::cli::{frozen, roles, session};
use crate::drive::apply::{self as driver, OpenRun, Ports, Service, StopFlag};
use crate::drive::client::Client;
use crate::model::RunId;
use crate::plan::file::PlanFileError;
use crate::plan::{CheckedPlan, Plan};
use crate::policy::Workspace;
use crate::report::apply as report;

/// A run that has ended.
#[derive(Debug)]
pub struct Ran {
    /// Its name.
    pub run: RunId,
    /// Its folder.
    pub folder: PathBuf,
    /// How each change ended.
    pub summary: Summary,
}

/// Folder of the journals.
#[must_use]
pub fn journals(workspace: &Workspace) -> PathBuf {
    workspace.root.join(&workspace.journal)
}

/// Names every role that the plan needs and the application lacks, before anything is sent.
///
/// # Errors
/// When signing in fails or a role is missing.
pub async fn check_roles(plan: &Plan, clients: &[Client]) -> Result<()> {
    let mut lacking = Vec::new();
    for client in clients {
        let calls = roles::of_plan(plan, client.tenant());
        let missing = client.require_roles(calls).await.map_err(session::refused)?;
        let tenant = client.tenant();
        lacking.extend(missing.iter().map(|role| format!("tenant `{tenant}`: {role}")));
    }
    if lacking.is_empty() {
        return Ok(());
    }
    let error = CliError::new("the application lacks roles for this plan; nothing was sent");
    let error = lacking.into_iter().fold(error, CliError::help);
    Err(error.help("grant them to the application, consent as an administrator, sign in anew"))
}

/// Begins a run of the plan and carries it out.
///
/// # Errors
/// When a role is missing, somebody else applies, or the journal cannot be written.
pub async fn start(
    context: &Context,
    workspace: &Workspace,
    plan: &CheckedPlan,
    clients: &[Client],
) -> Result<Ran> {
    refuse_frozen(context, workspace, plan)?;
    check_roles(plan, clients).await?;
    let open =
        OpenRun::create(&journals(workspace), plan, context.clock.now()).map_err(in_the_way)?;
    let engine = Engine::new(plan, &[], Options::default(), TOOL)?;
    carry(context, workspace, plan, open, engine, clients).await
}

/// Goes on with a run that was stopped or killed.
///
/// # Errors
/// When there is no such run, its files were changed, or somebody else applies.
pub async fn resume(
    context: &Context,
    workspace: &Workspace,
    name: &str,
    connect: impl FnOnce(&CheckedPlan, &Arc<Reporter>) -> Result<Vec<Client>>,
) -> Result<(CheckedPlan, Ran)> {
    let root = journals(workspace);
    let opened = OpenRun::resume(&root, name, workspace, Options::default(), TOOL);
    let (open, plan, engine) = opened.map_err(in_the_way)?;
    refuse_frozen(context, workspace, &plan)?;
    let reporter = Reporter::start(context.terminal.traits().watched);
    let clients = connect(&plan, &reporter)?;
    drop(reporter);
    let ran = carry(context, workspace, &plan, open, engine, &clients).await?;
    Ok((plan, ran))
}

fn refuse_frozen(context: &Context, workspace: &Workspace, plan: &Plan) -> Result<()> {
    if frozen::stops(plan) {
        frozen::refuse(&workspace.root, context.clock.now())?;
    }
    Ok(())
}

async fn carry(
    context: &Context,
    workspace: &Workspace,
    plan: &CheckedPlan,
    mut open: OpenRun,
    mut engine: Engine,
    clients: &[Client],
) -> Result<Ran> {
    let stop = if frozen::stops(plan) {
        StopFlag::with_freeze(&workspace.root)
    } else {
        StopFlag::default()
    };
    let _interrupt = Interrupt::listen(stop.clone(), open.id.as_str());
    let reporter = Reporter::start(context.terminal.traits().watched);
    let services: BTreeMap<Arc<str>, &dyn Service> =
        clients.iter().map(|client| (Arc::from(client.tenant()), client as &dyn Service)).collect();
    let clock = Arc::clone(&context.clock);
    let mut observer = |progress: &Progress| {
        reporter.say(report::line(progress, clock.now()));
    };
    let ports = Ports {
        services: &services,
        journal: &mut open.ledger,
        clock: &*context.clock,
        stop: &stop,
    };
    let ended = driver::run(&mut engine, ports, &mut observer).await;
    reporter.end();
    let run = open.id.clone();
    let summary = ended.map_err(|error| {
        in_the_way(error).help(format!("`palisade runs resume {run}` goes on where it ended"))
    })?;
    Ok(Ran { run, folder: open.path, summary })
}

/// An error of a run's files with advice. Somebody else's lock is no fault of this machine: say what to do.
#[must_use]
pub fn in_the_way(error: driver::ApplyError) -> CliError {
    use crate::host::files::FileError;
    match error {
        driver::ApplyError::File(FileError::Locked { .. }) => {
            CliError::from(error).help("another apply is running here: wait for its end")
        }
        driver::ApplyError::Plan(refusal) => refused(refusal),
        driver::ApplyError::NoRun { .. } | driver::ApplyError::SeveralRuns { .. } => {
            CliError::from(error).help("`palisade runs list` shows them")
        }
        error => error.into(),
    }
}

/// A plan file that is refused, with its exit code and advice.
#[must_use]
pub fn refused(refusal: PlanFileError) -> CliError {
    let exit = match &refusal {
        PlanFileError::Expired { .. } | PlanFileError::Stale { .. } => Exit::Stale,
        PlanFileError::Incomplete { .. } => Exit::Incomplete,
        _ => Exit::Error,
    };
    let help = refusal.help();
    CliError::from(refusal).exit(exit).help(help)
}

/// What the end of a run means for the exit code.
#[must_use]
pub fn exit_of(summary: &Summary) -> Exit {
    let queued = summary
        .outcomes
        .values()
        .all(|ended| ended.outcome.is_good() || ended.outcome == Outcome::PendingOffline);
    // A device that is off does not make a run fail: its action waits at the service.
    if summary.stopped.is_none() && queued { Exit::Done } else { Exit::Partly }
}
