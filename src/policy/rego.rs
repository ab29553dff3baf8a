//! Organization rules in Rego: the files of `guardrails/`, checked and evaluated.
//!
//! A rule sees a draft plan as `input` and the workspace as `data.workspace`, and says what it denies
//! or warns of. The interpreter has no built-in that reads anything from outside: no network, clock,
//! environment or random number, so that the same plan gives the same answers; the time is
//! `input.now`. Each `deny` and `warn` is evaluated by itself, with a bound of its own, so that one that
//! fails silences no other. The bound is a count of steps and what a call of a built-in makes, not a
//! clock. Whatever goes wrong is an error with a place and never an empty answer. Called by `load` while
//! a workspace is read and by the guardrail `rego`; must never read a file.

mod answer;
mod bounded;
mod code;
mod cycle;
mod engine;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::diag::{Code, Finding, Place};
use crate::policy::SourceText;

pub use answer::Said;
pub use code::{FAILED, is_code};

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// The file, relative to the workspace.
    pub file: Arc<str>,
    /// From 1; 0 when the interpreter names no line.
    pub line: u32,
    /// From 1.
    pub column: u32,
    /// One line.
    pub message: String,
}

/// Whether a file holds rules.
#[must_use]
pub fn is_rule_file(file: &str) -> bool {
    let ending = file.rsplit_once('.').map_or("", |(_, ending)| ending);
    ending.eq_ignore_ascii_case("rego")
}

/// Every problem that shows without a plan. Rules are also run over a plan without changes, since
/// some mistakes (an unsafe variable, a rule that needs itself) show only then.
#[must_use]
pub fn check(files: &[SourceText]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut whole = Vec::new();
    for file in files {
        match engine::parse(file) {
            Ok(()) => whole.push(file.clone()),
            Err(fault) => findings.push(finding(Code::RegoInvalid, files, fault)),
        }
    }
    if !findings.is_empty() || whole.is_empty() {
        return findings;
    }
    let loaded = match engine::Loaded::new(&whole) {
        Ok(loaded) => loaded,
        Err(fault) => return vec![finding(Code::RegoInvalid, files, fault)],
    };
    let is_used = |package: &str| {
        let name = format!("data.{package}");
        whole.iter().any(|file| file.text.contains(&name))
    };
    let silent = loaded.silent().into_iter().filter(|(package, _)| !is_used(package));
    for (package, file) in silent {
        let message = format!("package `{package}` has neither `deny` nor `warn`");
        let fault = Fault { file, line: 1, column: 1, message };
        findings.push(finding(Code::RegoNoRule, files, fault));
    }
    let mut faults = loaded.misnamed();
    faults.extend(whole.iter().flat_map(code::written));
    if faults.is_empty() {
        faults = loaded.evaluate(&empty(), &json!({})).faults;
    }
    findings.extend(faults.into_iter().map(|fault| finding(Code::RegoInvalid, files, fault)));
    findings
}

/// A plan in which nothing happens.
fn empty() -> Value {
    let lists = ["changes", "held", "cannot", "unknown", "foreign", "changing", "audit"];
    let mut plan: BTreeMap<&str, Value> = lists.map(|list| (list, json!([]))).into();
    plan.insert("objections", json!([]));
    plan.insert("tenants", json!([]));
    plan.insert("summary", json!({"verbs": {}, "dispositions": {}, "total": 0}));
    plan.insert("workspace", json!(""));
    plan.insert("createdAt", json!("2026-01-01T00:00:00Z"));
    plan.insert("now", json!("2026-01-01T00:00:00Z"));
    json!(plan)
}

/// What came of asking all rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    /// What they say of the plan, in a stable order.
    pub said: Vec<Said>,
    /// Those that fail, do not end, or give an answer that is none, in a stable order.
    pub faults: Vec<Fault>,
}

/// Asks every `deny` and every `warn` about a plan. `workspace` becomes `data.workspace`.
#[must_use]
pub fn evaluate(files: &[SourceText], plan: &Value, workspace: &Value) -> Answers {
    match engine::Loaded::new(files) {
        Ok(loaded) => loaded.evaluate(plan, workspace),
        Err(fault) => Answers { faults: vec![fault], ..Answers::default() },
    }
}

fn finding(code: Code, files: &[SourceText], fault: Fault) -> Finding {
    let Fault { file, line, column, message } = fault;
    let text = files.iter().find(|source| source.file == file).map_or("", |source| &source.text);
    let above = text.split_inclusive('\n').take(line.saturating_sub(1) as usize);
    let start = above.map(str::len).sum::<usize>();
    let rest = text.get(start..).unwrap_or("").lines().next().unwrap_or("");
    let skipped = rest.chars().take(column.saturating_sub(1) as usize).map(char::len_utf8);
    let at = start + skipped.sum::<usize>();
    Finding::new(code, &file, Place::of(text, at..start + rest.len()), message)
}

#[cfg(test)]
mod tests;
