//! `palisade validate [PATHS]`: every problem of every file, in one run.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::cli::context::Context;
use crate::cli::error::Result;
use crate::cli::exit::Exit;
use crate::cli::findings;
use crate::cli::workspace::{self, Project};
use crate::report::measure;

/// Check the workspace and its policies.
///
/// All problems of all files come back in one run, each with its place and what to do about it.
/// Ends with 1 when one is an error; warnings alone end with 0.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade validate\n  palisade validate policies/ir-7781.yaml\n  palisade validate --format sarif > palisade.sarif\n  palisade validate --format github    # annotations in a pull request"
)]
pub struct Validate {
    /// Files or folders [default: the policies of the workspace].
    #[arg(value_name = "PATHS")]
    pub paths: Vec<PathBuf>,
    /// How problems are shown.
    #[arg(long, value_enum, default_value_t)]
    pub format: FindingsFormat,
}

/// How problems are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum FindingsFormat {
    /// With the line and a caret.
    #[default]
    Text,
    /// One object with a list.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// GitHub workflow annotations.
    Github,
}

impl Validate {
    /// Checks and shows.
    ///
    /// # Errors
    /// When there is nothing to check or a file cannot be read.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let now = context.clock.now();
        let project = if self.paths.is_empty() {
            workspace::open(context, now)?
        } else {
            match workspace::locate(context) {
                Ok(root) => workspace::read(&root, Some(&self.paths), now)?,
                Err(_) if context.global.dir.is_none() => workspace::read_loose(&self.paths, now)?,
                Err(error) => return Err(error),
            }
        };
        let text = findings::render(&project, self.format, context.style());
        context.data(&text)?;
        context.note(&count(&project));
        let wrong = project.findings.iter().any(crate::diag::Finding::is_error);
        Ok(if wrong { Exit::Error } else { Exit::Done })
    }
}

fn count(project: &Project) -> String {
    let errors = project.findings.iter().filter(|finding| finding.is_error()).count() as u64;
    let warnings = project.findings.len() as u64 - errors;
    let text = format!(
        "{} in {}: {}, {}.",
        measure::plural(project.documents as u64, "document", "documents"),
        measure::plural(project.sources.len() as u64, "file", "files"),
        measure::plural(errors, "error", "errors"),
        measure::plural(warnings, "warning", "warnings"),
    );
    text.replace(measure::NO_BREAK, " ")
}
