//! Findings as GitHub workflow annotations.
//!
//! A step shows at most ten errors and ten warnings and drops the rest in silence, so the worst come
//! first and a last line says how many more there are. File names and messages can hold anything a
//! pull request puts into them: they are escaped, so that no line starts a workflow command of its
//! own. Source: GitHub Docs, workflow commands; limits in the toolkit's documentation.

use std::fmt::Write as _;

use crate::diag::{Finding, Severity};

/// Annotations of one level that a step shows.
const SHOWN: usize = 10;

/// One line for each finding that is shown.
#[must_use]
pub fn github(findings: &[Finding]) -> String {
    let mut out = String::new();
    for (severity, command) in [(Severity::Error, "error"), (Severity::Warning, "warning")] {
        let all: Vec<&Finding> =
            findings.iter().filter(|finding| finding.severity == severity).collect();
        // The last place is kept for the line that says how many are not shown.
        let room = if all.len() > SHOWN { SHOWN - 1 } else { SHOWN };
        for finding in all.iter().take(room) {
            line(&mut out, command, finding);
        }
        if all.len() > room {
            let more = all.len() - room;
            let _ = writeln!(
                out,
                "::{command} title=palisade::{more} more; run `palisade validate` to see them all"
            );
        }
    }
    out
}

fn line(out: &mut String, command: &str, finding: &Finding) {
    let Finding { code, message, file, span, .. } = finding;
    let help = finding.help.as_deref().unwrap_or_else(|| code.help());
    let _ = writeln!(
        out,
        "::{command} file={},line={},endLine={},col={},endColumn={},title={}::{}",
        property(file),
        span.line,
        span.end_line,
        span.column,
        span.end_column.max(span.column),
        property(code.word()),
        data(&format!("{message}\nhelp: {help}")),
    );
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
