//! `palisade devices`, `alerts`, `actions`, `scores`: what is read of the tenants.

use crate::cli::args::Format;
use crate::cli::at_once::AtOnce;
use crate::cli::commands::cancel;
use crate::cli::context::Context;
use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::cli::{filter, planning, runtime, scope, workspace};
use crate::diag::words;
use crate::inventory::{Dev, Inventory, What};
use crate::model::{AlertStatus, Severity};
use crate::policy::Workspace;
use crate::policy::selector::select;
use crate::report::inventory::{self as report, ActionLine, AlertLine, DeviceLine, Line, Listing};

/// List devices.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade devices\n  palisade devices --where tag=ir-7781 --where os=windows\n  palisade devices --where 'risk>=medium' --where 'seen<7d' --format json"
)]
pub struct Devices {
    /// Only devices that match a selector term; several must all match, commas are alternatives.
    #[arg(long = "where", value_name = "TERM=VALUE")]
    pub conditions: Vec<String>,
    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// List alerts.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade alerts\n  palisade alerts --status new --severity high --format json"
)]
pub struct Alerts {
    /// Only alerts of this severity or above.
    #[arg(long, value_name = "SEVERITY", value_parser = severity)]
    pub severity: Option<Severity>,
    /// Only alerts in this state.
    #[arg(long, value_name = "STATUS", value_parser = status)]
    pub status: Option<AlertStatus>,
    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// List, show or cancel machine actions.
#[derive(Debug, clap::Args)]
pub struct Actions {
    /// What to do.
    #[command(subcommand)]
    pub command: ActionsCommand,
}

/// What to do with machine actions.
#[derive(Debug, clap::Subcommand)]
pub enum ActionsCommand {
    /// List machine actions, newest first.
    #[command(
        after_long_help = "Examples:\n  palisade actions list --pending\n  palisade actions list --device lon-0231 --format json"
    )]
    List {
        /// Only actions on this device, by id or name.
        #[arg(long, value_name = "ID|NAME")]
        device: Option<String>,
        /// Only actions that have not ended.
        #[arg(long)]
        pending: bool,
        /// How to show it.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Show one machine action.
    #[command(
        after_long_help = "Examples:\n  palisade actions show 2e9da30d-27f6-4208-81f2-9cd3d67893ba"
    )]
    Show {
        /// The action's id.
        id: String,
        /// How to show it.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
    /// Cancel one pending action of this workspace.
    #[command(
        after_long_help = "Examples:\n  palisade actions cancel 2e9da30d-27f6-4208-81f2-9cd3d67893ba"
    )]
    Cancel {
        /// The action's id.
        id: String,
        /// Do not ask.
        #[arg(long)]
        auto_approve: bool,
        /// How the result is shown.
        #[arg(long, value_enum, default_value_t)]
        format: Format,
    },
}

/// Show exposure scores, of the tenant and of each device group.
#[derive(Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  palisade scores\n  palisade scores --format json")]
pub struct Scores {
    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

fn severity(text: &str) -> std::result::Result<Severity, String> {
    let known = Severity::parse(text).filter(|found| *found != Severity::Unknown);
    known.ok_or_else(|| "one of informational, low, medium, high".to_owned())
}

fn status(text: &str) -> std::result::Result<AlertStatus, String> {
    let known = AlertStatus::parse(text).filter(|found| *found != AlertStatus::Unknown);
    known.ok_or_else(|| "one of new, inProgress, resolved".to_owned())
}

/// The workspace and what `what` names of its tenants.
fn read(context: &mut Context, what: &[What]) -> Result<(Workspace, Vec<Inventory>)> {
    let now = context.clock.now();
    let workspace = workspace::without_policies(context)?;
    let scope = scope::of(&workspace, what.iter().copied(), now);
    let observed = runtime::block_on(planning::observe(context, &workspace, &scope))?;
    Ok((workspace, observed.inventories))
}

fn show<T: Line>(context: &mut Context, listings: &[Listing<T>], format: Format) -> Result<Exit> {
    let text = match format {
        Format::Text => report::text(listings, context.style()),
        Format::Json => report::json(listings),
    };
    context.data(&text)?;
    let whole = listings.iter().all(|listing| listing.missing.is_empty());
    Ok(if whole { Exit::Done } else { Exit::Incomplete })
}

impl Devices {
    /// Reads and lists.
    ///
    /// # Errors
    /// When a condition is wrong or a tenant cannot be read.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let now = context.clock.now();
        // A wrong condition is said before anything is read.
        filter::devices(&self.conditions, None, now)?;
        let (workspace, inventories) = read(context, &[What::Devices, What::AvHealth])?;
        let chosen = filter::devices(&self.conditions, Some(&workspace), now)?;
        let listings: Vec<Listing<DeviceLine>> = inventories
            .iter()
            .map(|inventory| {
                let mut rows: Vec<DeviceLine> = match &chosen {
                    Some(expr) => select(inventory, expr, now)
                        .iter()
                        .map(|row| DeviceLine::of(inventory, Dev(row)))
                        .collect(),
                    None => inventory
                        .devices()
                        .map(|device| DeviceLine::of(inventory, device))
                        .collect(),
                };
                rows.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
                Listing::of(inventory, rows, inventory.len())
            })
            .collect();
        show(context, &listings, self.format)
    }
}

impl Alerts {
    /// Reads and lists.
    ///
    /// # Errors
    /// When a tenant cannot be read.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let (_, inventories) = read(context, &[What::Devices, What::Alerts])?;
        let listings: Vec<Listing<AlertLine>> = inventories
            .iter()
            .map(|inventory| {
                let mut rows: Vec<AlertLine> = inventory
                    .alerts()
                    .iter()
                    .filter(|alert| self.severity.is_none_or(|least| alert.severity >= least))
                    .filter(|alert| self.status.is_none_or(|status| alert.status == status))
                    .map(|alert| AlertLine::of(inventory, alert))
                    .collect();
                rows.sort_by(|a, b| (b.created, &a.id).cmp(&(a.created, &b.id)));
                Listing::of(inventory, rows, inventory.alerts().len())
            })
            .collect();
        show(context, &listings, self.format)
    }
}

impl Actions {
    /// Reads and lists, or shows one.
    ///
    /// # Errors
    /// When a tenant cannot be read or the action is not there.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let (wanted, device, pending, format) = match self.command {
            ActionsCommand::List { device, pending, format } => (None, device, pending, format),
            ActionsCommand::Show { id, format } => (Some(id), None, false, format),
            ActionsCommand::Cancel { id, auto_approve, format } => {
                return cancel::one(context, &id, AtOnce { auto_approve, format, now: None });
            }
        };
        let (_, inventories) = read(context, &[What::Devices, What::Actions])?;
        let listings: Vec<Listing<ActionLine>> = inventories
            .iter()
            .map(|inventory| {
                let named = device.as_deref().map(|text| of_name(inventory, text));
                let mut rows: Vec<ActionLine> = inventory
                    .all_actions()
                    .iter()
                    .filter(|action| wanted.as_deref().is_none_or(|id| action.id.as_str() == id))
                    .filter(|action| !pending || !action.status.is_terminal())
                    .filter(|action| match &named {
                        Some(devices) => {
                            inventory.find(&action.device).is_some_and(|it| devices.contains(&it))
                        }
                        None => true,
                    })
                    .map(|action| ActionLine::of(inventory, action))
                    .collect();
                rows.sort_by(|a, b| (b.created, &a.id).cmp(&(a.created, &b.id)));
                Listing::of(inventory, rows, inventory.all_actions().len())
            })
            .collect();
        if let Some(id) = wanted {
            if listings.iter().all(|listing| listing.rows.is_empty()) {
                return Err(CliError::new(format!("no tenant knows an action `{id}`")));
            }
            if format == Format::Text {
                let text = report::actions_in_full(&listings, context.style());
                context.data(&text)?;
                return Ok(Exit::Done);
            }
        }
        show(context, &listings, format)
    }
}

/// Devices by id or name.
pub(super) fn of_name(inventory: &Inventory, text: &str) -> Vec<Dev> {
    match inventory.find(&crate::model::DeviceId::parse(text)) {
        Some(device) => vec![device],
        None => inventory.find_by_name(text),
    }
}

/// No tenant has a device of this id or name, as far as could be read.
pub(super) fn nowhere(text: &str, inventories: &[Inventory]) -> CliError {
    let error = CliError::new(format!("no tenant has a device {}", words::quote(text)));
    if inventories.iter().all(Inventory::is_complete) {
        return error.help("`palisade devices --where 'name=PATTERN*'` finds devices by pattern");
    }
    error.exit(Exit::Incomplete).help("the observation is incomplete: it may be missing")
}

impl Scores {
    /// Reads and shows.
    ///
    /// # Errors
    /// When a tenant cannot be read.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let (_, inventories) = read(context, &[What::Scores])?;
        let text = match self.format {
            Format::Text => report::scores_text(&inventories, context.style()),
            Format::Json => report::scores_json(&inventories),
        };
        context.data(&text)?;
        let whole = inventories.iter().all(|inventory| !inventory.is_partial(What::Scores));
        Ok(if whole { Exit::Done } else { Exit::Incomplete })
    }
}
