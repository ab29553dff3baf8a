//! Bad documents with the findings expected beside them: one folder for each code.
//!
//! A folder holds `palisade.yaml`, `policy.yaml`, `rule.rego` or several, or `repeat.txt`: how often, and what, for
//! files too large to keep. `BLESS=1 cargo test --test it policy_fixtures` rewrites what is expected.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use palisade::diag::{Code, Finding, Place};
use palisade::policy::{self, SourceText, Workspace};
use palisade::report::{Style, findings as report};

/// Whenever the folders are read, it is this moment.
const NOW: &str = "2026-11-24T10:00:00Z";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/policy")
}

fn folders() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn source(folder: &Path, name: &str) -> Option<SourceText> {
    let text = std::fs::read_to_string(folder.join(name)).ok()?;
    Some(SourceText { file: name.into(), text: text.into() })
}

fn repeated(folder: &Path) -> Option<SourceText> {
    let text = source(folder, "repeat.txt")?.text;
    let (times, what) = text.split_once('\n').unwrap();
    let text = what.repeat(times.parse().unwrap());
    Some(SourceText { file: "policy.yaml".into(), text: text.into() })
}

fn findings(folder: &Path) -> (Vec<Finding>, Vec<SourceText>) {
    let now = NOW.parse().unwrap();
    let mut found = Vec::new();
    let mut sources = Vec::new();
    let mut workspace: Option<Workspace> = None;
    if let Some(file) = source(folder, "palisade.yaml") {
        let (loaded, more) = policy::load_workspace(&file, Path::new("."));
        assert_eq!(loaded.is_none(), more.iter().any(Finding::is_error), "{more:?}");
        workspace = loaded;
        found.extend(more);
        sources.push(file);
    }
    let policy = source(folder, "policy.yaml").or_else(|| repeated(folder));
    let files: Vec<SourceText> = policy.into_iter().chain(source(folder, "rule.rego")).collect();
    if !files.is_empty() {
        let loaded = policy::load(workspace.as_ref(), &files, now);
        let usable = !loaded.findings.iter().any(Finding::is_error);
        assert_eq!(loaded.set.is_some(), usable, "{:?}", loaded.findings);
        found.extend(loaded.findings);
        sources.extend(files);
    }
    (found, sources)
}

fn at(file: &str, place: &Place) -> String {
    let Place { line, column, end_line, end_column, .. } = place;
    format!("{file}:{line}:{column}-{end_line}:{end_column}")
}

/// A finding in lines: place, severity, code, message; then labels and help.
fn render(findings: &[Finding], sources: &[SourceText]) -> String {
    const SHOWN: usize = 40;
    let mut out = String::new();
    let (head, tail) = findings.split_at(findings.len().min(SHOWN));
    for finding in head.iter().chain(tail.last()) {
        let Finding { code, severity, message, file, span, labels, help } = finding;
        let (severity, code) = (severity.word(), code.word());
        writeln!(out, "{} {severity}[{code}] {message}", at(file, span)).unwrap();
        let source = sources.iter().find(|source| source.file == *file).unwrap();
        let text = source.text.get(span.bytes()).expect("a span lies on character boundaries");
        if !finding.code.hides_source() && text.len() < 80 && !text.contains('\n') {
            writeln!(out, "    {text:?}").unwrap();
        }
        for label in labels {
            writeln!(out, "    label {} {}", at(&label.file, &label.span), label.text).unwrap();
        }
        if let Some(help) = help {
            writeln!(out, "    help {help}").unwrap();
        }
    }
    if !tail.is_empty() {
        writeln!(out, "{} findings in all", findings.len()).unwrap();
    }
    out
}

#[test]
fn bad_documents_give_the_findings_beside_them() {
    let mut wrong = Vec::new();
    for name in folders() {
        let folder = root().join(&name);
        let (findings, sources) = findings(&folder);
        let found = render(&findings, &sources);
        let path = folder.join("expected.txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &found).unwrap();
        }
        let expected = std::fs::read_to_string(&path).unwrap_or_default();
        if found != expected {
            wrong.push(format!("--- {name}\nexpected:\n{expected}\nfound:\n{found}"));
        }
        let shown = findings.iter().any(|finding| finding.code.word() == name);
        assert!(shown, "{name}: the code does not appear:\n{found}");
    }
    let help = "`BLESS=1 cargo test --test it policy_fixtures` rewrites them";
    assert!(wrong.is_empty(), "{}\n{help}", wrong.join("\n"));
}

#[test]
fn every_code_has_a_folder_and_every_folder_a_code() {
    let codes: BTreeSet<String> = Code::ALL.iter().map(|code| code.word().to_owned()).collect();
    let folders: BTreeSet<String> = folders().into_iter().collect();
    assert_eq!(codes, folders);
}

#[test]
fn no_secret_appears_in_any_format() {
    let (findings, sources) = findings(&root().join("secret-in-file"));
    let secrets = ["not-a-real-secret", "user:pass", "second line"];
    let text = &sources[0].text;
    assert!(secrets.iter().all(|secret| text.contains(secret)), "the fixture holds them");
    let shown = [
        render(&findings, &sources),
        report::text(&findings, &sources, Style::new(200, false)),
        report::text(&findings, &sources, Style::new(80, true)),
        report::json(&findings),
        report::sarif(&findings),
        report::github(&findings),
    ];
    for (secret, shown) in secrets.iter().flat_map(|s| shown.iter().map(move |text| (s, text))) {
        assert!(shown.contains("secret-in-file") && !shown.contains(secret), "{shown}");
    }
    // A neighbour's caret does not bring the line back, and other lines are still shown.
    assert!(findings.iter().any(|finding| finding.code == Code::UnknownKey));
    assert!(shown[1].contains("unknown: 1"), "{}", shown[1]);
}
