//! `palisade cancel --ours`, `palisade actions cancel ID`: takes back what this workspace has pending,
//! by a plan with its guardrails and journal like any other.
//!
//! Policies are not read: it must work while they have errors.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::applying::{in_the_way, journals};
use crate::cli::args::Format;
use crate::cli::at_once::AtOnce;
use crate::cli::commands::list::of_name;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::cli::lifts::Lifts;
use crate::cli::planning::Observed;
use crate::cli::{planning, runtime, scope, workspace};
use crate::drive::apply::{Found, find_run};
use crate::inventory::{Inventory, readings};
use crate::model::{ActionId, ChangeId, Holder, PolicyName, marker};
use crate::plan::cancel::Pending;
use crate::plan::{Circumstances, Purpose};
use crate::policy::{PolicySet, Workspace};

/// Cancel this workspace's pending actions, and no one else's.
///
/// Ours is an action that came through the API with this workspace's marker at the end of its comment.
/// They are shown first, then asked about. It works while the workspace is frozen: nothing new is
/// begun by it. A run that is under way is stopped first: Ctrl-C where it runs, or `palisade freeze`.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade cancel --ours\n  palisade cancel --ours --run last --auto-approve\n  palisade cancel --ours --policy ir-7781 --device lon-0231"
)]
pub struct Cancel {
    /// Those of this workspace: the word that has to be said.
    #[arg(long, required = true)]
    pub ours: bool,
    /// Only those of this policy; an error when it has none pending and others have.
    #[arg(long, value_name = "NAME")]
    pub policy: Option<String>,
    /// Only those that this run sent: its name, its beginning or end, or `last`.
    #[arg(long, value_name = "RUN")]
    pub run: Option<String>,
    /// Only those on this device, by id or name.
    #[arg(long, value_name = "ID|NAME")]
    pub device: Option<String>,
    /// Do not ask.
    #[arg(long)]
    pub auto_approve: bool,
    /// How the result is shown.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
    /// Guardrails that are lifted.
    #[command(flatten)]
    pub lifts: Lifts,
}

impl Cancel {
    /// Shows, asks and cancels.
    ///
    /// # Errors
    /// When there is no such run or device, nobody can be asked, or a tenant cannot be read.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let lifted = planning::circumstances(&self.lifts)?;
        let workspace = workspace::without_policies(context)?;
        let mut pending =
            Pending { policy: self.policy.as_deref().map(Into::into), ..Pending::default() };
        if let Some(run) = &self.run {
            pending.changes = Some(changes_of(&workspace, run)?);
        }
        let at_once = AtOnce { auto_approve: self.auto_approve, format: self.format, now: None };
        cancel(context, &workspace, pending, self.device.as_deref(), lifted, at_once)
    }
}

fn changes_of(workspace: &Workspace, run: &str) -> Result<BTreeSet<ChangeId>> {
    let root = journals(workspace);
    let id = find_run(&root, run).map_err(in_the_way)?;
    let plan = Found::open(&root, id).plan().map_err(in_the_way)?;
    Ok(plan.changes.into_iter().map(|change| change.id).collect())
}

/// One pending action, by its id.
///
/// # Errors
/// When no tenant knows it, it has ended or is not ours, and as for all of them.
pub(super) fn one(context: &mut Context, id: &str, at_once: AtOnce) -> Result<Exit> {
    let workspace = workspace::without_policies(context)?;
    let pending = Pending { action: Some(ActionId::from(id)), ..Pending::default() };
    cancel(context, &workspace, pending, None, Circumstances::default(), at_once)
}

fn cancel(
    context: &mut Context,
    workspace: &Workspace,
    mut pending: Pending,
    device: Option<&str>,
    lifted: Circumstances,
    at_once: AtOnce,
) -> Result<Exit> {
    at_once.require_answer(context, "look first: `palisade actions list --pending`")?;
    let scope = scope::of(workspace, [], context.clock.now());
    let Observed { clients, inventories } =
        runtime::block_on(planning::observe(context, workspace, &scope))?;
    if let Some(name) = device {
        let found = |inventory: &Inventory| {
            let devices = of_name(inventory, name);
            devices.into_iter().map(|device| inventory.id(device)).collect::<Vec<_>>()
        };
        let devices: BTreeSet<_> = inventories.iter().flat_map(found).collect();
        if devices.is_empty() {
            return Err(CliError::new(format!("no tenant knows a device `{name}`")));
        }
        pending.devices = Some(devices);
    }
    if let Some(policy) = &pending.policy {
        has_some(workspace, &inventories, policy)?;
    }
    if let Some(id) = &pending.action {
        is_ours(workspace, &inventories, id)?;
    }
    let policies = PolicySet::none(workspace);
    let around = Circumstances { purpose: Purpose::Cancel(pending), ..lifted };
    let plan = planning::plan(context, workspace, &policies, &inventories, &around, None)?;
    drop(inventories);
    at_once.carry_out(context, plan, &clients)
}

/// A policy without pending actions beside others that have some is a name that was mistyped, not a
/// job that is done. When nothing of ours is pending, that is the answer whatever was named.
fn has_some(workspace: &Workspace, inventories: &[Inventory], wanted: &PolicyName) -> Result<()> {
    let mut some: BTreeMap<PolicyName, u32> = BTreeMap::new();
    for action in inventories.iter().flat_map(Inventory::all_actions) {
        if let Holder::Ours { policy, .. } = readings::holder_of(action, &workspace.id)
            && !action.status.is_terminal()
        {
            *some.entry(policy).or_default() += 1;
        }
    }
    if some.is_empty() || some.keys().any(|policy| marker::names(policy, wanted)) {
        return Ok(());
    }
    let mut named: Vec<String> =
        some.iter().take(NAMED).map(|(policy, count)| format!("`{policy}` ({count})")).collect();
    if some.len() > NAMED {
        named.push(format!("{} more", some.len() - NAMED));
    }
    Err(CliError::new(format!("no pending action of this workspace is of policy `{wanted}`"))
        .help(format!("these policies have some pending: {}", named.join(", ")))
        .help("without `--policy`, `palisade cancel --ours` cancels all of them"))
}

/// Most policies that are named.
const NAMED: usize = 20;

/// Says clearly why an action that was named is not cancelled.
fn is_ours(workspace: &Workspace, inventories: &[Inventory], id: &ActionId) -> Result<()> {
    let mut actions = inventories.iter().flat_map(Inventory::all_actions);
    let Some(action) = actions.find(|action| action.id == *id) else {
        return Err(CliError::new(format!("no tenant knows an action `{id}`")));
    };
    if action.status.is_terminal() {
        let status = action.status.wire();
        return Err(CliError::new(format!("action `{id}` has ended: {status}")));
    }
    match readings::holder_of(action, &workspace.id) {
        Holder::Ours { .. } => Ok(()),
        _ => Err(CliError::new(format!("action `{id}` is not of this workspace"))
            .help(format!("`palisade actions show {id}` tells whose it is"))),
    }
}
