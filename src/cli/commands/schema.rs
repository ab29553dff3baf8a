//! `palisade schema [KIND]`: JSON Schemas on stdout or as files, for editors and pipelines.

use std::path::PathBuf;

use crate::cli::context::{Context, shown};
use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::host::files;
use crate::schema;

/// Print a JSON Schema (draft 2020-12), or write them all.
///
/// Without KIND this is the schema of policy documents, whatever their kind.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade schema\n  palisade schema IsolationSet\n  palisade schema plan\n  palisade schema --write schemas    # what the editors' hints in policies point at"
)]
pub struct Schema {
    /// A kind of policy, `policy`, `workspace`, `plan`, `journal`, or the JSON of a command: `runs`, `run`,
    /// `run-checks`, `run-entries`, `devices`, `alerts`, `actions`, `scores`, `explain`, `audit`, `doctor`, `freeze`,
    /// `guardrails`.
    #[arg(value_name = "KIND", default_value = "policy")]
    pub kind: String,
    /// Write every schema file into this folder instead.
    #[arg(long, value_name = "DIR", conflicts_with = "kind")]
    pub write: Option<PathBuf>,
}

impl Schema {
    /// Prints or writes.
    ///
    /// # Errors
    /// When there is no such kind or a file cannot be written.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        if let Some(folder) = &self.write {
            files::create_folder(folder)?;
            let mut text = String::new();
            for (name, value) in schema::all() {
                let path = folder.join(&name);
                files::write_atomic(&path, schema::text(&value).as_bytes())?;
                text.push_str(&format!("{}\n", shown(&path)));
            }
            context.data(&text)?;
            return Ok(Exit::Done);
        }
        let names = schema::names();
        let wanted = names.iter().find(|name| name.eq_ignore_ascii_case(&self.kind));
        let found = wanted.and_then(|name| schema::named(name)).ok_or_else(|| {
            CliError::new(format!("there is no schema `{}`", self.kind))
                .help(format!("there are: {}", names.join(", ")))
        })?;
        context.data(&schema::text(&found))?;
        Ok(Exit::Done)
    }
}
