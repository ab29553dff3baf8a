//! Errors at the edge: what went wrong, why, what to do about it, and the exit code.
//!
//! Every inner error converts into one; advice is added where it is known. Text from outside is
//! escaped when it is printed, here and nowhere else.

use std::fmt;

use crate::cli::exit::Exit;
use crate::report::Style;
use crate::report::escape;
use crate::report::page::{Page, Role, piece, plain};

/// Why a command could not do its work.
#[derive(Debug)]
pub struct CliError {
    /// The code the process ends with.
    pub exit: Exit,
    /// What went wrong, its causes after it.
    pub source: anyhow::Error,
    /// Advice, one line each.
    pub help: Vec<String>,
    /// Everything has been said already (findings on stdout): print nothing more.
    pub silent: bool,
}

/// What commands return.
pub type Result<T> = std::result::Result<T, CliError>;

impl CliError {
    /// An error of our own words.
    #[must_use]
    pub fn new(message: impl fmt::Display) -> Self {
        Self::of(anyhow::anyhow!("{message}"))
    }

    fn of(source: anyhow::Error) -> Self {
        Self { exit: Exit::Error, source, help: Vec::new(), silent: false }
    }

    /// An error of an inner module with its causes on one line.
    #[must_use]
    pub fn of_ref(error: &dyn std::error::Error) -> String {
        let mut text = error.to_string();
        let mut next = error.source();
        while let Some(cause) = next {
            let cause_text = cause.to_string();
            if !text.ends_with(&cause_text) {
                text = format!("{text}: {cause_text}");
            }
            next = cause.source();
        }
        text
    }

    /// An end whose explanation is on screen already.
    #[must_use]
    pub fn said(exit: Exit) -> Self {
        Self { exit, silent: true, ..Self::new("said already") }
    }

    /// The same with another exit code.
    #[must_use]
    pub const fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The same with a line of advice.
    #[must_use]
    pub fn help(mut self, line: impl Into<String>) -> Self {
        self.help.push(line.into());
        self
    }

    /// The same, said to have happened while doing something.
    #[must_use]
    pub fn context(mut self, doing: impl fmt::Display) -> Self {
        self.source = self.source.context(doing.to_string());
        self
    }

    /// The error as text for stderr.
    #[must_use]
    pub fn render(&self, style: Style) -> String {
        let mut page = Page::new(style);
        let mut causes = self.source.chain().map(|cause| escape::terminal(&cause.to_string()));
        let first = causes.next().unwrap_or_default();
        page.line(7, &[piece(Role::Danger, "error:"), plain(format!(" {first}"))]);
        // An outer message that already ends with its cause needs no second telling.
        let mut last = first;
        for cause in causes {
            if !last.ends_with(&cause) {
                page.line(9, &[piece(Role::Dim, "  cause:"), plain(format!(" {cause}"))]);
            }
            last = cause;
        }
        for line in &self.help {
            let line = escape::terminal(line);
            page.line(8, &[piece(Role::Good, "  help:"), plain(format!(" {line}"))]);
        }
        page.finish()
    }
}

/// `?` on any error of an inner module.
impl<E: std::error::Error + Send + Sync + 'static> From<E> for CliError {
    fn from(error: E) -> Self {
        Self::of(anyhow::Error::new(error))
    }
}

/// Adds what was being done, or advice, to a result.
pub trait Doing<T> {
    /// Says what was being done.
    ///
    /// # Errors
    /// The same error, with its context.
    fn doing(self, what: impl fmt::Display) -> Result<T>;
}

impl<T, E: Into<CliError>> Doing<T> for std::result::Result<T, E> {
    fn doing(self, what: impl fmt::Display) -> Result<T> {
        self.map_err(|error| error.into().context(what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_a_message_its_causes_and_advice() {
        let inner = std::io::Error::other("disk is\x1b[1m full");
        let error =
            CliError::from(inner).context("cannot write `plan.json`").help("free some room");
        assert_eq!(
            error.render(Style::new(80, false)),
            "error: cannot write `plan.json`\n  cause: disk is\\u{1b}[1m full\n  help: free some room\n"
        );
    }
}
