//! Findings of a project on their way to `report::findings`.

use crate::cli::commands::validate::FindingsFormat;
use crate::cli::workspace::Project;
use crate::report::{Style, findings};

/// Findings for people.
#[must_use]
pub fn text(project: &Project, style: Style) -> String {
    findings::text(&project.findings, &project.sources, style)
}

/// Findings in a format of the command line.
#[must_use]
pub fn render(project: &Project, format: FindingsFormat, style: Style) -> String {
    match format {
        FindingsFormat::Text => text(project, style),
        FindingsFormat::Json => findings::json(&project.findings),
        FindingsFormat::Sarif => findings::sarif(&project.findings),
        FindingsFormat::Github => findings::github(&project.findings),
    }
}
