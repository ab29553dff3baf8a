//! Findings of a project in the formats of the command line.

use std::path::Path;

use crate::cli::commands::validate::FindingsFormat;
use crate::cli::workspace::Project;
use crate::diag::Finding;
use crate::report::{Style, findings};

/// Findings for people.
#[must_use]
pub fn text(project: &Project, style: Style) -> String {
    findings::text(&project.findings, &project.sources, style)
}

/// Findings in a format of the command line. What a code host reads names files from the folder in
/// which the pipeline runs, so that it finds the lines of the change.
#[must_use]
pub fn render(project: &Project, format: FindingsFormat, style: Style) -> String {
    match format {
        FindingsFormat::Text => text(project, style),
        FindingsFormat::Json => findings::json(&project.findings),
        FindingsFormat::Sarif => findings::sarif(&from_here(project)),
        FindingsFormat::Github => findings::github(&from_here(project)),
    }
}

fn from_here(project: &Project) -> Vec<Finding> {
    let below = match std::env::current_dir() {
        Ok(here) => project.root.strip_prefix(&here).map(Path::to_path_buf).unwrap_or_default(),
        Err(_) => std::path::PathBuf::new(),
    };
    let prefix = if project.root.is_relative() { project.root.clone() } else { below };
    let parts: Vec<String> = prefix
        .components()
        .filter(|part| matches!(part, std::path::Component::Normal(_)))
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    let mut list = project.findings.clone();
    if !parts.is_empty() {
        let prefix = parts.join("/");
        for finding in &mut list {
            finding.file = format!("{prefix}/{}", finding.file).into();
        }
    }
    list
}
