//! What every command has at hand: the global arguments, the streams, the environment, the clock.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use crate::cli::args::Global;
use crate::cli::error::{CliError, Doing as _, Result};
use crate::host::clock::{Clock, SystemClock};
use crate::host::env::Env;
use crate::host::terminal::Terminal;
use crate::report::Style;

/// What every command has at hand.
#[derive(Debug)]
pub struct Context {
    /// Global arguments.
    pub global: Global,
    /// Environment variables.
    pub env: Env,
    /// The streams.
    pub terminal: Terminal,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

impl Context {
    /// A context on the machine's clock.
    #[must_use]
    pub fn new(global: Global, env: Env, terminal: Terminal) -> Self {
        Self { global, env, terminal, clock: Arc::new(SystemClock) }
    }

    /// Layout of data.
    #[must_use]
    pub fn style(&self) -> Style {
        let traits = self.terminal.traits();
        Style::new(traits.columns, traits.color_out)
    }

    /// Layout of messages.
    #[must_use]
    pub fn style_err(&self) -> Style {
        let traits = self.terminal.traits();
        Style::new(traits.columns, traits.color_err)
    }

    /// The present, or what `--now` says.
    #[must_use]
    pub fn now(&self, said: Option<Timestamp>) -> Timestamp {
        said.unwrap_or_else(|| self.clock.now())
    }

    /// Writes data to stdout.
    ///
    /// # Errors
    /// When stdout cannot be written, for another reason than a closed pipe.
    pub fn data(&mut self, text: &str) -> Result<()> {
        self.terminal.data(text).doing("cannot write to stdout")
    }

    /// Writes a line for people to stderr.
    pub fn note(&mut self, text: &str) {
        self.terminal.note(text);
    }
}

/// Reads a file that the user named; a pipe is one too.
///
/// # Errors
/// Says which file cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    if path.is_dir() {
        return Err(folder("read", path));
    }
    std::fs::read(path).doing(format!("cannot read `{}`", path.display()))
}

/// Reads a plan file that the user named.
///
/// # Errors
/// Says which file cannot be read, and how one is made.
pub fn read_plan(path: &Path) -> Result<Vec<u8>> {
    read(path).map_err(|error| error.help("`palisade plan --out FILE` writes a plan file"))
}

/// Refuses a name under which no file can be written; said before anything is read from a tenant.
///
/// # Errors
/// When it is a folder, or in one that is not there.
pub fn require_place(path: &Path) -> Result<()> {
    if path.is_dir() {
        return Err(folder("write", path));
    }
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() && !parent.is_dir() => {
            let message = format!("cannot write `{}`", shown(path));
            Err(CliError::new(message).help(format!("there is no folder `{}`", shown(parent))))
        }
        _ => Ok(()),
    }
}

fn folder(what: &str, path: &Path) -> CliError {
    CliError::new(format!("cannot {what} `{}`: it is a folder", shown(path)))
        .help("name a file in the folder")
}

/// The path as it was typed, for messages.
#[must_use]
pub fn shown(path: &Path) -> String {
    let text: PathBuf = path.components().collect();
    crate::report::escape::terminal(&text.display().to_string())
}
