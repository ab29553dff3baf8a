//! Commands of the product, as its command line carries them out: the same arguments, functions,
//! texts and exit codes, over the emulator in process instead of a socket.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use clap::Parser as _;
use palisade::apply::journal::audit::audit;
use palisade::apply::past::past;
use palisade::apply::{Engine, Options, Progress, Summary};
use palisade::cli::applying;
use palisade::cli::args::{Args, Command, PlanFormat};
use palisade::cli::commands::cancel::Cancel;
use palisade::cli::commands::plan::PlanCommand;
use palisade::cli::commands::undo::Undo;
use palisade::cli::context::Context;
use palisade::cli::error::{CliError, Result};
use palisade::cli::exit::Exit;
use palisade::cli::lifts::Lifts;
use palisade::cli::planning::{self, TOOL};
use palisade::cli::{at_once, frozen, scope, session, workspace};
use palisade::drive::apply::{self as driver, Found, OpenRun, Ports, Service, StopFlag};
use palisade::drive::client::Client;
use palisade::drive::observe::{Scope, observe};
use palisade::drive::progress::Silent;
use palisade::inventory::Inventory;
use palisade::model::RunId;
use palisade::plan::cancel::Pending;
use palisade::plan::file::{self, CheckedPlan};
use palisade::plan::{Circumstances, Plan, Purpose, freeze};
use palisade::policy::{PolicySet, Workspace};
use palisade::report::apply as result;
use palisade::report::plan as screen;
use palisade::report::reason;

use super::stage::{Desk, Stage};

/// Where a plan goes when the command names no file.
const PLAN_FILE: &str = "last.plan.json";

/// What happens in the middle of a run, as soon as the service has taken so many requests.
#[derive(Clone, Copy, Debug)]
pub(super) enum Midway {
    /// Nothing.
    Calm,
    /// The process dies; then it has no exit code.
    Killed(usize),
    /// Somebody freezes the workspace.
    Frozen(usize),
}

/// Carries out one command line of `palisade` in a workspace.
pub(super) async fn command(stage: &mut Stage, id: &str, line: &[String]) {
    stage.desk(id);
    let mut desk = stage.desks.remove(id).unwrap();
    let ended = match Args::try_parse_from(std::iter::once("palisade").chain(words(line))) {
        Ok(args) => dispatch(stage, &mut desk, args.command).await,
        Err(error) => Err(CliError::new(error)),
    };
    end(stage, &mut desk, ended);
    stage.desks.insert(id.to_owned(), desk);
}

fn words(line: &[String]) -> impl Iterator<Item = &str> {
    line.iter().map(String::as_str)
}

fn end(stage: &mut Stage, desk: &mut Desk, ended: Result<Exit>) {
    let exit = ended.unwrap_or_else(|error| {
        if !error.silent {
            let text = error.render(desk.context.style_err());
            desk.context.note(&text);
        }
        error.exit
    });
    if let Some(plan) = &desk.plan {
        stage.note_plan(plan);
    }
    stage.said = stage.numbered(desk.take_page());
    stage.exit = Some(exit);
}

async fn dispatch(stage: &mut Stage, desk: &mut Desk, command: Command) -> Result<Exit> {
    match command {
        Command::Plan(command) => plan(stage, desk, command).await,
        Command::Apply(command) => {
            let file = command.file.unwrap_or_else(|| PLAN_FILE.into());
            apply(stage, desk, &file.to_string_lossy(), Midway::Calm).await
        }
        Command::Undo(command) => undo(stage, desk, command).await,
        Command::Cancel(command) => cancel(stage, desk, command).await,
        // These read files only.
        Command::Runs(command) => command.run(&mut desk.context),
        Command::Validate(command) => command.run(&mut desk.context),
        Command::Freeze(command) => command.run(&mut desk.context),
        Command::Unfreeze(command) => command.run(&mut desk.context),
        other => Err(CliError::new(format!("not in a script: {other:?}"))),
    }
}

async fn plan(stage: &Stage, desk: &mut Desk, command: PlanCommand) -> Result<Exit> {
    let context = &mut desk.context;
    let around = planning::circumstances(&command.lifts)?;
    let now = context.now(command.now);
    let project = workspace::open(context, now)?;
    let (workspace, policies) = project.usable(context)?;
    let scope = scope::for_policies(workspace, policies, now);
    let inventories = observed(stage, workspace, &scope).await?;
    let plan = planning::plan(context, workspace, policies, &inventories, &around, command.now)?;
    let out = command.out.unwrap_or_else(|| PLAN_FILE.into());
    std::fs::write(desk.root.join(out), file::to_bytes(&plan))?;
    let text = match command.format {
        PlanFormat::Markdown => screen::markdown(&plan),
        PlanFormat::Yaml => screen::yaml(&plan),
        PlanFormat::Json => String::from_utf8_lossy(&file::to_bytes(&plan)).into_owned(),
        PlanFormat::Text => screen::text(&plan, context.style()),
    };
    context.data(&text)?;
    Lifts::tell_unused(context, &plan);
    let exit = planning::exit_of(&plan, command.detailed_exitcode);
    desk.plan = Some(plan);
    Ok(exit)
}

async fn observed(stage: &Stage, workspace: &Workspace, scope: &Scope) -> Result<Vec<Inventory>> {
    let mut inventories = Vec::new();
    for client in clients(stage, workspace) {
        let read = observe(&client, scope, &Silent).await;
        let doing = format!("cannot read tenant `{}`", client.tenant());
        inventories.push(read.map_err(|error| session::refused(error).context(doing))?);
    }
    Ok(inventories)
}

/// Plans the undoing of a run; `apply` carries it out.
async fn undo(stage: &Stage, desk: &mut Desk, command: Undo) -> Result<Exit> {
    let context = &mut desk.context;
    let lifted = planning::circumstances(&command.lifts)?;
    let now = context.now(command.now);
    let project = workspace::open(context, now)?;
    let (workspace, policies) = project.usable(context)?;
    let root = applying::journals(workspace);
    let found = Found::open(&root, driver::find_run(&root, &command.run)?);
    let of = {
        let (plan, entries) = (found.plan()?, found.entries?);
        let end = audit(found.id.as_str(), &plan, &entries).map_err(CliError::new)?;
        past(found.id.as_str(), &plan, &entries, end)
    };
    let scope = scope::for_policies(workspace, policies, now);
    let inventories = observed(stage, workspace, &scope).await?;
    let around = Circumstances { purpose: Purpose::Undo(of), ..lifted };
    let plan = planning::plan(context, workspace, policies, &inventories, &around, command.now)?;
    keep(desk, plan)
}

/// Plans the cancelling of what is pending; `apply` carries it out.
async fn cancel(stage: &Stage, desk: &mut Desk, command: Cancel) -> Result<Exit> {
    if command.run.is_some() || command.device.is_some() {
        return Err(CliError::new("not in a script: `--run`, `--device`"));
    }
    let context = &mut desk.context;
    let lifted = planning::circumstances(&command.lifts)?;
    let workspace = workspace::without_policies(context)?;
    let scope = scope::of(&workspace, [], context.clock.now());
    let inventories = observed(stage, &workspace, &scope).await?;
    let pending = Pending { policy: command.policy.map(Into::into), ..Pending::default() };
    let around = Circumstances { purpose: Purpose::Cancel(pending), ..lifted };
    let policies = PolicySet::none(&workspace);
    let plan = planning::plan(context, &workspace, &policies, &inventories, &around, None)?;
    keep(desk, plan)
}

/// Shows a plan that is not made from policies, and keeps it to be applied.
fn keep(desk: &mut Desk, plan: Plan) -> Result<Exit> {
    std::fs::write(desk.root.join(PLAN_FILE), file::to_bytes(&plan))?;
    let text = screen::text(&plan, desk.context.style());
    desk.context.data(&text)?;
    let exit = planning::exit_of(&plan, false);
    desk.plan = Some(plan);
    Ok(exit)
}

/// An apply of the last plan in the middle of which something happens.
pub(super) async fn disturbed(stage: &mut Stage, id: &str, midway: Midway) {
    stage.desk(id);
    let mut desk = stage.desks.remove(id).unwrap();
    let ended = apply(stage, &mut desk, PLAN_FILE, midway).await;
    end(stage, &mut desk, ended);
    stage.exit = stage.exit.filter(|exit| *exit != Exit::Interrupted);
    stage.desks.insert(id.to_owned(), desk);
}

async fn apply(stage: &mut Stage, desk: &mut Desk, name: &str, midway: Midway) -> Result<Exit> {
    let context = &mut desk.context;
    let now = context.now(None);
    let project = workspace::open(context, now)?;
    let (workspace, policies) = project.usable(context)?;
    let named = |error: CliError| error.context(format!("plan file `{name}` is refused"));
    let bytes = std::fs::read(desk.root.join(name))?;
    let plan = file::read(&bytes).map_err(applying::refused).map_err(named)?;
    let plan = at_once::verify(context, plan, workspace, policies, None).map_err(named)?;
    if plan.changes.is_empty() {
        context.note(&screen::verdict(&plan));
        return Ok(planning::exit_of(&plan, false));
    }
    if frozen::stops(&plan) {
        frozen::refuse(&workspace.root, now)?;
    }
    let clients = clients(stage, workspace);
    applying::check_roles(&plan, &clients).await?;
    let open = applying::begin(&plan, workspace, &clients, now).await?;
    let engine = Engine::new(&plan, &[], Options::default(), TOOL)?;
    let stop = if frozen::stops(&plan) {
        StopFlag::with_freeze(&workspace.root)
    } else {
        StopFlag::default()
    };
    let ran = carry(stage, workspace, (open, engine, stop), &clients, midway).await?;
    show(context, &plan, ran)
}

/// A new process finishes the last run.
pub(super) async fn resume(stage: &mut Stage, id: &str) {
    stage.desk(id);
    let mut desk = stage.desks.remove(id).unwrap();
    let ended = resumed(stage, &mut desk).await;
    end(stage, &mut desk, ended);
    stage.desks.insert(id.to_owned(), desk);
}

async fn resumed(stage: &mut Stage, desk: &mut Desk) -> Result<Exit> {
    let context = &mut desk.context;
    let project = workspace::open(context, context.now(None))?;
    let (workspace, policies) = project.usable(context)?;
    let now = context.clock.now();
    let mut run = applying::reopen(workspace, Some(policies), "last", now)?;
    let clients = clients(stage, workspace);
    run.recount(workspace, &clients, now).await;
    if let Some(why) = &run.withheld {
        context.note(&format!("Nothing more is sent: {}.", reason::sentence(why)));
    }
    let withheld = run.withheld.clone();
    let (open, plan, engine, stop) = run.into_parts();
    let ran = carry(stage, workspace, (open, engine, stop), &clients, Midway::Calm).await?;
    let summary = ran.as_ref().map(|(_, summary)| summary.clone());
    show(context, &plan, ran)?;
    let exit = |summary| applying::exit_of_resumed(&summary, withheld.as_ref());
    Ok(summary.map_or(Exit::Interrupted, exit))
}

fn show(context: &mut Context, plan: &CheckedPlan, ran: Option<(RunId, Summary)>) -> Result<Exit> {
    let Some((run, summary)) = ran else {
        context.note("(killed)");
        return Ok(Exit::Interrupted);
    };
    let text = result::table(&run, plan, &summary, context.style());
    context.data(&text)?;
    Ok(applying::exit_of(&summary))
}

fn clients(stage: &Stage, workspace: &Workspace) -> Vec<Client> {
    workspace.tenants.iter().map(|tenant| stage.client(tenant)).collect()
}

async fn carry(
    stage: &mut Stage,
    workspace: &Workspace,
    (mut open, mut engine, stop): (OpenRun, Engine, StopFlag),
    clients: &[Client],
    midway: Midway,
) -> Result<Option<(RunId, Summary)>> {
    let before = stage.taken();
    let services: BTreeMap<Arc<str>, &dyn Service> =
        clients.iter().map(|client| (Arc::from(client.tenant()), client as &dyn Service)).collect();
    let clock = Arc::clone(&stage.clock);
    let ports =
        Ports { services: &services, journal: &mut open.ledger, clock: &*clock, stop: &stop };
    let mut observer = |_: &Progress| {};
    let run = driver::run(&mut engine, ports, &mut observer);
    let taken = || stage.taken() - before;
    let is_over = || match midway {
        Midway::Calm => false,
        Midway::Killed(after) => taken() >= after,
        Midway::Frozen(after) => {
            if taken() >= after {
                std::fs::write(workspace.root.join(freeze::FILE), "").unwrap();
            }
            false
        }
    };
    let ended = until(run, is_over).await;
    stage.sent = stage.taken() - before;
    match ended {
        None => Ok(None),
        Some(ended) => Ok(Some((open.id.clone(), ended?))),
    }
}

/// Drops a future, like a kill, as soon as it is over.
async fn until<T>(future: impl Future<Output = T>, is_over: impl Fn() -> bool) -> Option<T> {
    let mut future = pin!(future);
    std::future::poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(value) => Poll::Ready(Some(value)),
        Poll::Pending if is_over() => Poll::Ready(None),
        Poll::Pending => Poll::Pending,
    })
    .await
}
