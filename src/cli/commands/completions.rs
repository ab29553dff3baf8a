//! `palisade completions SHELL`: a completion script on stdout.

use clap::CommandFactory as _;

use crate::cli::args::Args;
use crate::cli::context::Context;
use crate::cli::error::Result;
use crate::cli::exit::Exit;

/// Write a completion script for a shell to stdout.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade completions bash > ~/.local/share/bash-completion/completions/palisade\n  palisade completions zsh > \"${fpath[1]}/_palisade\""
)]
pub struct Completions {
    /// The shell.
    pub shell: clap_complete::Shell,
}

impl Completions {
    /// Writes the script.
    ///
    /// # Errors
    /// When stdout cannot be written.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Args::command(), "palisade", &mut script);
        context.data(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}
