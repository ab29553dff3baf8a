//! From a verified plan to the end of its run: what `apply`, `runs resume` and `demo` share.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::apply::{Engine, Options, Outcome, Progress, Summary};
use crate::cli::context::Context;
use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::cli::interrupt::Interrupt;
use crate::cli::planning::TOOL;
use crate::cli::progress::Reporter;
use crate::cli::{frozen, recounting, roles, session};
use crate::drive::apply::{self as driver, OpenRun, Ports, Reserved, Service, StopFlag};
use crate::drive::client::Client;
use crate::host::files::FileError;
use crate::model::RunId;
use crate::plan::file::{PlanFileError, VerifyContext};
use crate::plan::types::Reason;
use crate::plan::{Change, CheckedPlan, Plan};
use crate::policy::{PolicySet, Workspace};
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

/// Makes the files of a new run of the plan and takes the lock. With the lock held, so that no other run here
/// fills them meanwhile, limits are counted anew that others may have filled since the plan was made;
/// nothing is read when the plan meets none.
///
/// # Errors
/// When somebody else applies, a limit would be exceeded by now, a history cannot be read or the files
/// cannot be written.
pub async fn begin(
    plan: &CheckedPlan,
    workspace: &Workspace,
    clients: &[Client],
    now: Timestamp,
) -> Result<OpenRun> {
    let reserved = Reserved::new(&journals(workspace), plan, now).map_err(|error| {
        let locked = matches!(error, driver::ApplyError::File(FileError::Locked { .. }));
        // Waiting until everything has been sent and done is no way to cancel it.
        if locked && plan.only_cancels() { stop_it(error) } else { in_the_way(error) }
    })?;
    let crowded = recounting::crowded(plan, workspace, &plan.changes, clients, now).await?;
    match crowded {
        Some(crowded) => Err(refused(PlanFileError::Crowded(crowded))),
        None => reserved.begin(plan).map_err(in_the_way),
    }
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
    if frozen::stops(plan) {
        frozen::refuse(&workspace.root, context.clock.now())?;
    }
    check_roles(plan, clients).await?;
    let open = begin(plan, workspace, clients, context.clock.now()).await?;
    let engine = Engine::new(plan, &[], Options::default(), TOOL)?;
    let stop = if frozen::stops(plan) {
        StopFlag::with_freeze(&workspace.root)
    } else {
        StopFlag::default()
    };
    carry(context, stop, open, engine, clients).await
}

/// A run that is to go on, with the journal's lock held.
#[derive(Debug)]
pub struct Reopened {
    /// Its plan.
    pub plan: CheckedPlan,
    /// Why nothing more of it is sent, if so.
    pub withheld: Option<Reason>,
    open: OpenRun,
    engine: Engine,
    stop: StopFlag,
}

/// Opens a run that was stopped or killed. It sends more only when its plan still holds: the files are
/// those that it was made from, its time is not over, the workspace is not frozen; whether there is room
/// for it, `recount` asks. `policies` are none when they have errors.
///
/// # Errors
/// When there is no such run, its files were changed, or somebody else applies.
pub fn reopen(
    workspace: &Workspace,
    policies: Option<&PolicySet>,
    name: &str,
    now: Timestamp,
) -> Result<Reopened> {
    let policy_digest = policies.map(|policies| policies.digest.as_str());
    let against = VerifyContext { workspace, policy_digest, now };
    let opened = OpenRun::resume(&journals(workspace), name, &against, Options::default(), TOOL);
    let (open, plan, mut engine) = opened.map_err(in_the_way)?;
    let withheld = plan.sending().withheld().cloned();
    let braked = frozen::stops(&plan);
    let freeze = frozen::in_force(&workspace.root, now).filter(|_| braked);
    if let Some(freeze) = &freeze {
        engine.settle_only(freeze.reason());
    }
    // What only settles is not stopped by the freeze.
    let stop = if braked && freeze.is_none() {
        StopFlag::with_freeze(&workspace.root)
    } else {
        StopFlag::default()
    };
    let withheld = withheld.or_else(|| freeze.map(|freeze| freeze.reason()));
    Ok(Reopened { plan, withheld, open, engine, stop })
}

impl Reopened {
    /// Counts limits anew for what was not sent yet, and returns why nothing more is sent, if so: for good
    /// when one would be exceeded by now; until the run is resumed again when that cannot be told.
    pub async fn recount(
        &mut self,
        workspace: &Workspace,
        clients: &[Client],
        now: Timestamp,
    ) -> Option<Reason> {
        if self.withheld.is_some() {
            return None;
        }
        let ahead: Vec<Change> = self.engine.ahead().cloned().collect();
        match recounting::crowded(&self.plan, workspace, &ahead, clients, now).await {
            Ok(None) => {}
            Ok(Some(crowded)) => {
                let reason = crowded.reason();
                self.engine.withhold(reason.clone());
                self.withheld = Some(reason);
            }
            Err(uncounted) => {
                let reason = uncounted.reason();
                self.engine.settle_only(reason.clone());
                self.withheld = Some(reason);
            }
        }
        self.withheld.clone()
    }

    /// The run's parts, for whoever carries it out by other means.
    #[must_use]
    pub fn into_parts(self) -> (OpenRun, CheckedPlan, Engine, StopFlag) {
        (self.open, self.plan, self.engine, self.stop)
    }

    /// Goes on with it.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub async fn carry(self, context: &Context, clients: &[Client]) -> Result<(CheckedPlan, Ran)> {
        let (open, plan, engine, stop) = self.into_parts();
        Ok((plan, carry(context, stop, open, engine, clients).await?))
    }
}

async fn carry(
    context: &Context,
    stop: StopFlag,
    mut open: OpenRun,
    mut engine: Engine,
    clients: &[Client],
) -> Result<Ran> {
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

/// How a run that is under way is stopped.
pub const STOP_FIRST: &str = "stop it first: Ctrl-C where it runs, or `palisade freeze`";

fn stop_it(error: driver::ApplyError) -> CliError {
    CliError::from(error)
        .help(format!("another apply is running here; {STOP_FIRST}"))
        .help("then cancel what it has pending: the same command again, frozen or not")
}

/// An error of a run's files with advice. Somebody else's lock is no fault of this machine: say what to do.
#[must_use]
pub fn in_the_way(error: driver::ApplyError) -> CliError {
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
        PlanFileError::Expired { .. } | PlanFileError::Stale { .. } | PlanFileError::Crowded(_) => {
            Exit::Stale
        }
        PlanFileError::Incomplete { .. } => Exit::Incomplete,
        _ => Exit::Error,
    };
    let help = refusal.help();
    CliError::from(refusal).exit(exit).help(help)
}

/// What the end of a run that went on means: one that could only settle was held by the freeze, or by a
/// history that cannot be read.
#[must_use]
pub fn exit_of_resumed(summary: &Summary, withheld: Option<&Reason>) -> Exit {
    match withheld.filter(|_| summary.stopped.is_some()).map(|why| why.code.as_str()) {
        Some("frozen") => Exit::Held,
        Some("uncounted") => Exit::Incomplete,
        _ => exit_of(summary),
    }
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
