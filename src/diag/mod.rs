//! Findings about what a person wrote: code, place, labels, help.
//!
//! Made by `policy` while it reads YAML, shown by `report::findings`. A finding never stops the
//! reading: all problems of all files come back in one run. Nothing here knows of YAML, files or
//! terminals; texts are plain, and `words::printable` has taken control characters out of user words.

pub mod code;
pub mod page;
pub mod place;
pub mod words;

use std::sync::Arc;

pub use code::Code;
pub use place::Place;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The policy set cannot be used.
    Error,
    /// The policy set can be used; somebody should look.
    Warning,
}

impl Severity {
    /// The word on screen and in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// A second place that belongs to a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// File, relative to the workspace, with `/`.
    pub file: Arc<str>,
    /// Where.
    pub span: Place,
    /// What is there.
    pub text: String,
}

/// One problem in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What kind of problem.
    pub code: Code,
    /// How bad.
    pub severity: Severity,
    /// One line, lower-case, without a full stop; user words in backticks.
    pub message: String,
    /// File, relative to the workspace, with `/`.
    pub file: Arc<str>,
    /// Where.
    pub span: Place,
    /// Other places that belong to it.
    pub labels: Vec<Label>,
    /// What to do about it, when there is something to say beyond the code's own help.
    pub help: Option<String>,
}

impl Finding {
    /// A finding with its code's severity.
    #[must_use]
    pub fn new(code: Code, file: &Arc<str>, span: Place, message: impl Into<String>) -> Self {
        let message = words::printable(&message.into());
        let file = Arc::clone(file);
        let severity = code.severity();
        Self { code, severity, message, file, span, labels: Vec::new(), help: None }
    }

    /// With advice.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(words::printable(&help.into()));
        self
    }

    /// With a second place.
    #[must_use]
    pub fn label(mut self, file: &Arc<str>, span: Place, text: impl Into<String>) -> Self {
        let text = words::printable(&text.into());
        self.labels.push(Label { file: Arc::clone(file), span, text });
        self
    }

    /// Whether the policy set cannot be used because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// Puts findings in the order of reading: file, place, code; equal ones are kept once.
pub fn sort(findings: &mut Vec<Finding>) {
    findings.sort_by(|a, b| {
        let key = |f: &Finding| (Arc::clone(&f.file), f.span.line, f.span.column, f.code.word());
        key(a).cmp(&key(b)).then_with(|| a.message.cmp(&b.message))
    });
    findings.dedup();
}

#[cfg(test)]
mod tests;
