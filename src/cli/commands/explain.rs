//! `palisade explain DEVICE`: which policies mean a device, term by term.

use jiff::Timestamp;

use crate::cli::args::Format;
use crate::cli::commands::list::{nowhere, of_name};
use crate::cli::context::Context;
use crate::cli::error::Result;
use crate::cli::exit::Exit;
use crate::cli::{planning, runtime, scope, workspace};
use crate::report::explain as report;

/// Explain a device: its posture, who put it there, and each term of each policy.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade explain lon-0231\n  palisade explain 1e5bc9d7e413ddd7902c2932e418702b84d0cc07 --format json"
)]
pub struct Explain {
    /// The device's id or name.
    #[arg(value_name = "DEVICE")]
    pub device: String,
    /// Explain as if it were this instant.
    #[arg(long, value_name = "RFC3339")]
    pub now: Option<Timestamp>,
    /// How to show it.
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

impl Explain {
    /// Reads and explains.
    ///
    /// # Errors
    /// When the workspace has errors, a tenant cannot be read, or no tenant has the device.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let now = context.now(self.now);
        let project = workspace::open(context, now)?;
        let (workspace, policies) = project.usable(context)?;
        let scope = scope::for_policies(workspace, policies, now);
        let observed = runtime::block_on(planning::observe(context, workspace, &scope))?;
        let mut found = Vec::new();
        for inventory in &observed.inventories {
            for device in of_name(inventory, &self.device) {
                found.push(report::explain(inventory, policies, &workspace.id, device, now));
            }
        }
        let whole = observed.inventories.iter().all(crate::inventory::Inventory::is_complete);
        if found.is_empty() {
            return Err(nowhere(&self.device, &observed.inventories));
        }
        let text = match self.format {
            Format::Text => report::text(&found, context.style()),
            Format::Json => report::json(&found),
        };
        context.data(&text)?;
        Ok(if whole { Exit::Done } else { Exit::Incomplete })
    }
}
