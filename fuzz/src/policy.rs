//! Policy files and workspace files: any text gives findings that point into it or a usable set.

use std::path::Path;

use jiff::Timestamp;
use palisade::diag::{Finding, Place};
use palisade::policy::{self, SourceText, layout};
use palisade::report::{Style, findings as report};

/// Reads the text as a workspace file and as a policy file.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let now = Timestamp::from_second(1_795_000_000).unwrap_or(Timestamp::UNIX_EPOCH);
    let source = SourceText { file: "file.yaml".into(), text: text.into() };
    let (workspace, findings) = policy::load_workspace(&source, Path::new("."));
    check(&source, &findings);
    assert_eq!(workspace.is_none(), findings.iter().any(Finding::is_error), "{findings:?}");

    let files = std::slice::from_ref(&source);
    let loaded = policy::load(workspace.as_ref(), files, now);
    check(&source, &loaded.findings);
    let is_error = loaded.findings.iter().any(Finding::is_error);
    assert_eq!(loaded.set.is_none(), is_error, "{:?}", loaded.findings);

    // A layout that is laid out again stays as it is, and what it leaves out means nothing.
    let trimmed = layout::trim(text);
    assert_eq!(layout::trim(&trimmed), trimmed);
    let _ = layout::lay_out(text);
    if let Some(set) = loaded.set {
        let again = policy::load(workspace.as_ref(), files, now);
        assert_eq!(again.set.map(|set| set.digest), Some(set.digest));
    }
}

/// Every place lies in the text, on borders of characters, and every format can be written.
fn check(source: &SourceText, findings: &[Finding]) {
    for finding in findings {
        inside(&source.text, &finding.span);
        finding.labels.iter().for_each(|label| inside(&source.text, &label.span));
        assert!(!finding.message.is_empty());
    }
    let sources = std::slice::from_ref(source);
    let text = report::text(findings, sources, Style::new(80, false));
    assert!(!text.contains('\u{1b}'), "{text:?}");
    let json = report::json(findings);
    assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok());
    let sarif = report::sarif(findings);
    assert!(serde_json::from_str::<serde_json::Value>(&sarif).is_ok());
    let lines = report::github(findings);
    assert!(lines.lines().all(|line| line.is_empty() || line.starts_with("::")), "{lines}");
}

fn inside(text: &str, place: &Place) {
    assert!(text.get(place.bytes()).is_some(), "{place:?} in {} bytes", text.len());
    assert!(place.line >= 1 && place.column >= 1, "{place:?}");
    let end = (place.end_line, place.end_column);
    assert!((place.line, place.column) <= end, "{place:?}");
}
