//! Findings as SARIF 2.1.0, for code scanning.
//!
//! Every required member is there and none is empty; fingerprints are our own, over code, file and
//! message, so that a finding that moves to another line stays the same finding. Source: GitHub Docs,
//! SARIF support for code scanning.

use ring::digest::{SHA256, digest};
use serde_json::{Value, json};

use crate::diag::{Code, Finding, Place, Severity};

/// Results that code scanning reads from one run.
const RESULTS_MAX: usize = 25_000;

/// The log, indented, with a line feed at the end.
#[must_use]
pub fn sarif(findings: &[Finding]) -> String {
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "palisade",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": Code::ALL.iter().map(|code| rule(*code)).collect::<Vec<_>>(),
            }},
            "automationDetails": {"id": "palisade/validate"},
            "columnKind": "unicodeCodePoints",
            "results": findings.iter().take(RESULTS_MAX).map(result).collect::<Vec<_>>(),
        }],
    });
    let mut text = serde_json::to_string_pretty(&log).unwrap_or_default();
    text.push('\n');
    text
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.word(),
        "shortDescription": {"text": code.title()},
        "fullDescription": {"text": code.title()},
        "help": {"text": code.help()},
        "defaultConfiguration": {"level": level(code.severity())},
    })
}

fn result(finding: &Finding) -> Value {
    let index = Code::ALL.iter().position(|code| *code == finding.code);
    let related: Vec<Value> = (0..)
        .zip(&finding.labels)
        .map(|(id, label): (u32, _)| {
            let mut location = location(&label.file, &label.span);
            if let Some(members) = location.as_object_mut() {
                members.insert("id".to_owned(), json!(id));
                members.insert("message".to_owned(), json!({"text": label.text}));
            }
            location
        })
        .collect();
    let help = finding.help.as_deref().unwrap_or_else(|| finding.code.help());
    json!({
        "ruleId": finding.code.word(),
        "ruleIndex": index,
        "level": level(finding.severity),
        "message": {"text": format!("{}. Help: {help}", finding.message)},
        "locations": [location(&finding.file, &finding.span)],
        "relatedLocations": related,
        "partialFingerprints": {"palisade/v1": fingerprint(finding)},
    })
}

fn location(file: &str, span: &Place) -> Value {
    json!({"physicalLocation": {
        "artifactLocation": {"uri": uri(file)},
        "region": {
            "startLine": span.line.max(1),
            "startColumn": span.column.max(1),
            "endLine": span.end_line.max(span.line).max(1),
            "endColumn": span.end_column.max(1),
        },
    }})
}

/// A relative path as a URI reference.
fn uri(file: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'/')
        .remove(b'.')
        .remove(b'-')
        .remove(b'_')
        .remove(b'~');
    percent_encoding::utf8_percent_encode(file, KEPT).to_string()
}

fn fingerprint(finding: &Finding) -> String {
    let text = format!("{}\0{}\0{}", finding.code.word(), finding.file, finding.message);
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
