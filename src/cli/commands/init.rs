//! `palisade init [DIR]`: a new workspace with a documented first policy.

use std::path::PathBuf;

use serde::Deserialize;

use crate::cli::context::{self, Context, shown};
use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::cli::starter::{self, New};
use crate::cli::workspace::FILE;

/// Begin a workspace: `palisade.yaml`, a documented first policy, `.gitignore`.
///
/// With a ready file of `palisade emulator`, the tenant and its endpoints come from there and the
/// whole starter pack is written. Files that exist stay as they are; an existing workspace is an
/// error.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade init soc-policies\n  palisade init soc-policies --starter-pack\n  palisade emulator --ready-file ready.json &\n  palisade init play --emulator ready.json"
)]
pub struct Init {
    /// Folder of the workspace; made when it is not there.
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
    /// Tenant and endpoints from a ready file of `palisade emulator`.
    #[arg(long, value_name = "READYFILE")]
    pub emulator: Option<PathBuf>,
    /// Write the whole starter pack instead of its first policy.
    #[arg(long)]
    pub starter_pack: bool,
}

/// What `palisade emulator` says about itself.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the contract's own")]
pub struct Ready {
    pub defender: String,
    pub graph: String,
    pub authority: String,
    pub tenant_id: String,
    pub client_id: String,
    pub client_secret: String,
}

/// Tenant id in a workspace that does not know its tenant yet.
const NO_TENANT: &str = "00000000-0000-0000-0000-000000000000";

impl Init {
    /// Writes the workspace.
    ///
    /// # Errors
    /// When there is one already, the ready file cannot be read, or a file cannot be written.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        if self.dir.join(FILE).exists() {
            return Err(CliError::new(format!("`{}` has a `{FILE}` already", shown(&self.dir)))
                .help("remove it first, or choose another folder"));
        }
        let ready = self.emulator.as_ref().map(|file| read_ready(file)).transpose()?;
        let new = match &ready {
            Some(ready) => New {
                id: "emulated",
                tenant: "emulator",
                tenant_id: &ready.tenant_id,
                endpoints: Some([&ready.authority, &ready.defender, &ready.graph]),
                pack: true,
            },
            None => New {
                id: "my-soc",
                tenant: "my-tenant",
                tenant_id: NO_TENANT,
                endpoints: None,
                pack: self.starter_pack,
            },
        };
        let written = starter::write(&self.dir, &new)?;
        let mut text = String::new();
        for file in written {
            text.push_str(&format!("{}\n", shown(&self.dir.join(file))));
        }
        context.data(&text)?;
        context.note(&next_steps(&self.dir, ready.as_ref()));
        Ok(Exit::Done)
    }
}

fn read_ready(file: &std::path::Path) -> Result<Ready> {
    let bytes = context::read(file)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        CliError::from(error)
            .context(format!("`{}` is not a ready file", shown(file)))
            .help("`palisade emulator --ready-file FILE` writes one")
    })
}

fn next_steps(dir: &std::path::Path, ready: Option<&Ready>) -> String {
    let dir = shown(dir);
    let go = if dir == "." || dir.is_empty() { String::new() } else { format!("  cd {dir}\n") };
    let sign_in = match ready {
        // The emulator's secret is no secret: it opens nothing but the emulator.
        Some(ready) => format!(
            "  export AZURE_CLIENT_ID={} AZURE_CLIENT_SECRET={}\n",
            ready.client_id, ready.client_secret
        ),
        None => "  edit palisade.yaml: your workspace id and tenant id\n  export AZURE_CLIENT_ID=… AZURE_CLIENT_SECRET=…\n".to_owned(),
    };
    format!("\nNext:\n{go}{sign_in}  palisade validate\n  palisade plan\n")
}
