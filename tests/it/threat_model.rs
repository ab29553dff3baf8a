//! The threat model names tests; each of them exists and is a test.

use std::path::Path;

/// What stands between backticks and looks like a test: `path.rs::name` or a scenario.
fn named(text: &str) -> Vec<&str> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|name| name.contains(".rs::") || name.starts_with("tests/scenarios/")).collect()
}

fn is_test(text: &str, name: &str) -> bool {
    let Some(at) = text.find(&format!("fn {name}(")) else { return false };
    let before = text.get(..at).unwrap_or_default();
    let attributes: Vec<&str> = before.lines().rev().take(4).collect();
    attributes.iter().any(|line| line.contains("#[test]") || line.contains("#[tokio::test"))
}

#[test]
fn every_test_named_in_the_threat_model_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("docs/threat-model.md")).unwrap();
    let named = named(&text);
    assert!(named.len() > 40, "{} tests are named", named.len());
    let mut missing = Vec::new();
    for name in named {
        let (path, test) = name.split_once("::").unwrap_or((name, ""));
        let file = std::fs::read_to_string(root.join(path)).unwrap_or_default();
        if file.is_empty() || (!test.is_empty() && !is_test(&file, test)) {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "docs/threat-model.md names what is not there: {missing:#?}");
}

#[test]
fn every_scenario_is_told_of_an_accident() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.contains("# The accident: "), "{}", path.display());
            assert!(text.contains("\nexpect "), "{} expects nothing", path.display());
        }
    }
}
