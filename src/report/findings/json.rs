//! Findings as one JSON object: the contract for other programs.

use schemars::JsonSchema;
use serde::Serialize;

use crate::diag::{Finding, Place};

/// Version of the object's format.
pub(crate) const FORMAT_VERSION: u32 = 1;

/// What `palisade validate --format json` prints.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Findings<'a> {
    /// Version of this format.
    format_version: u32,
    /// Findings that are errors.
    errors: usize,
    /// Those that are not.
    warnings: usize,
    /// Every problem of every file, in the order of files and places.
    findings: Vec<Item<'a>>,
}

/// One problem.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    /// Its code.
    code: &'static str,
    /// `error` or `warning`.
    severity: &'static str,
    /// What is wrong.
    message: &'a str,
    /// In which file, relative to the workspace.
    file: &'a str,
    #[serde(flatten)]
    place: Span,
    /// Other places that have to do with it.
    labels: Vec<Label<'a>>,
    /// What to do about it.
    help: &'a str,
}

/// A place in a file: lines and columns from 1, the end excluded.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Span {
    /// Line of the beginning.
    line: u32,
    /// Column of the beginning, in characters.
    column: u32,
    /// Line of the end.
    end_line: u32,
    /// Column of the end, in characters.
    end_column: u32,
}

/// A second place.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Label<'a> {
    /// The file, relative to the workspace.
    file: &'a str,
    #[serde(flatten)]
    place: Span,
    /// What is there.
    text: &'a str,
}

impl From<&Place> for Span {
    fn from(place: &Place) -> Self {
        let Place { line, column, end_line, end_column, start: _, end: _ } = *place;
        Self { line, column, end_line, end_column }
    }
}

/// The whole list, indented, with a line feed at the end.
#[must_use]
pub fn json(findings: &[Finding]) -> String {
    let errors = findings.iter().filter(|finding| finding.is_error()).count();
    let report = Findings {
        format_version: FORMAT_VERSION,
        errors,
        warnings: findings.len() - errors,
        findings: findings.iter().map(item).collect(),
    };
    let mut text = serde_json::to_string_pretty(&report).unwrap_or_default();
    text.push('\n');
    text
}

fn item(finding: &Finding) -> Item<'_> {
    Item {
        code: finding.code.word(),
        severity: finding.severity.word(),
        message: &finding.message,
        file: &finding.file,
        place: Span::from(&finding.span),
        labels: finding
            .labels
            .iter()
            .map(|label| Label {
                file: &label.file,
                place: Span::from(&label.span),
                text: &label.text,
            })
            .collect(),
        help: finding.help.as_deref().unwrap_or_else(|| finding.code.help()),
    }
}
