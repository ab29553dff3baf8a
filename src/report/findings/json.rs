//! Findings as one JSON object: the contract for other programs.

use serde::Serialize;

use crate::diag::{Finding, Place};

/// Version of the object's format.
pub(crate) const FORMAT_VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Report<'a> {
    format_version: u32,
    errors: usize,
    warnings: usize,
    findings: Vec<Item<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Item<'a> {
    code: &'static str,
    severity: &'static str,
    message: &'a str,
    file: &'a str,
    #[serde(flatten)]
    place: Span,
    labels: Vec<Label<'a>>,
    help: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Span {
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Label<'a> {
    file: &'a str,
    #[serde(flatten)]
    place: Span,
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
    let report = Report {
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
