//! Findings of a project on their way to `report::findings`.

use crate::cli::commands::validate::FindingsFormat;
use crate::cli::workspace::Project;
use crate::report::Style;

/// Findings for people.
#[must_use]
pub fn text(project: &Project, style: Style) -> String {
    let _ = style;
    project
        .findings
        .iter()
        .map(|finding| {
            format!(
                "{}:{}:{}: {}[{}]: {}\n",
                finding.file,
                finding.span.line,
                finding.span.column,
                finding.severity.word(),
                finding.code.word(),
                finding.message
            )
        })
        .collect()
}

/// Findings in a format of the command line.
#[must_use]
pub fn render(project: &Project, format: FindingsFormat, style: Style) -> String {
    match format {
        FindingsFormat::Text
        | FindingsFormat::Json
        | FindingsFormat::Sarif
        | FindingsFormat::Github => text(project, style),
    }
}
