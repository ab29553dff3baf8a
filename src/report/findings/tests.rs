//! Each format of findings, read back where another reader exists; hostile text in each.

use std::sync::Arc;

use crate::diag::{Code, Finding, Place};
use crate::policy::SourceText;
use crate::report::Style;
use crate::report::findings::{github, json, sarif, text};

const YAML: &str = "kind: IsolationSet\nmetadata:\n  name: a\nspec:\n  leese: 3d\n  leese: 4d\n";

fn source() -> SourceText {
    SourceText { file: Arc::from("policies/a b.yaml"), text: Arc::from(YAML) }
}

fn finding() -> Finding {
    let file = source().file;
    let second = Place::of(YAML, YAML.rfind("leese").unwrap()..YAML.rfind("leese").unwrap() + 5);
    let first = Place::of(YAML, YAML.find("leese").unwrap()..YAML.find("leese").unwrap() + 5);
    Finding::new(Code::DuplicateKey, &file, second, "the key `leese` stands twice")
        .label(&file, first, "first here")
        .help("keep one")
}

#[test]
fn text_shows_the_line_the_caret_and_the_help() {
    let shown = text(&[finding()], &[source()], Style::new(80, false));
    assert_eq!(
        shown,
        "\
error[duplicate-key]: the key `leese` stands twice
 --> policies/a b.yaml:6:3
  |
5 |   leese: 3d
  |   ----- first here
6 |   leese: 4d
  |   ^^^^^
  |
  = help: keep one

"
    );
    let painted = text(&[finding()], &[source()], Style::new(80, true));
    assert!(painted.contains("\x1b["));
}

#[test]
fn hostile_text_reaches_no_terminal() {
    let file: Arc<str> = Arc::from("a.yaml");
    let yaml = "name: \"\u{202e}x\u{1b}[2J\"\n";
    let place = Place::of(yaml, 0..4);
    let finding = Finding::new(Code::BadName, &file, place, "bad \u{1b}[2J name");
    let shown =
        text(&[finding], &[SourceText { file, text: Arc::from(yaml) }], Style::new(80, false));
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown:?}");
}

#[test]
fn a_file_that_is_one_long_line_shows_its_place_only() {
    let file: Arc<str> = Arc::from("a.yaml");
    let yaml = "x".repeat(50_000);
    let finding = Finding::new(Code::YamlSyntax, &file, Place::of(&yaml, 10..12), "no");
    let shown = text(&[finding], &[SourceText { file, text: yaml.into() }], Style::new(80, false));
    assert!(shown.contains("--> a.yaml:1:11") && shown.len() < 500, "{shown}");
}

#[test]
fn json_counts_and_places() {
    let value: serde_json::Value = serde_json::from_str(&json(&[finding()])).unwrap();
    assert_eq!(value["formatVersion"], 1);
    assert_eq!((&value["errors"], &value["warnings"]), (&1.into(), &0.into()));
    let found = &value["findings"][0];
    assert_eq!(found["code"], "duplicate-key");
    assert_eq!((&found["line"], &found["column"]), (&6.into(), &3.into()));
    assert_eq!(found["labels"][0]["line"], 5);
}

#[test]
fn sarif_is_read_back_by_another_reader() {
    let log: serde_sarif::sarif::Sarif = serde_json::from_str(&sarif(&[finding()])).unwrap();
    let run = &log.runs[0];
    let result = &run.results.as_ref().unwrap()[0];
    assert_eq!(result.rule_id.as_deref(), Some("duplicate-key"));
    let rules = run.tool.driver.rules.as_ref().unwrap();
    assert_eq!(rules.len(), Code::ALL.len());
    assert!(rules.iter().all(|rule| !rule.help.as_ref().unwrap().text.is_empty()));
    let location = result.locations.as_ref().unwrap()[0].physical_location.as_ref().unwrap();
    assert_eq!(
        location.artifact_location.as_ref().unwrap().uri.as_deref(),
        Some("policies/a%20b.yaml")
    );
    assert_eq!(location.region.as_ref().unwrap().start_line, Some(6));
}

#[test]
fn annotations_are_escaped_and_the_cut_is_said() {
    let file: Arc<str> = Arc::from("a,b:c%.yaml");
    let bad =
        |text: &str| Finding::new(Code::BadName, &file, Place::start_of_file(), text.to_owned());
    let shown = github(&[bad("100 %")]);
    assert!(
        shown.starts_with("::error file=a%2Cb%3Ac%25.yaml,line=1,endLine=1,col=1,endColumn=1,title=bad-name::100 %25%0Ahelp: "),
        "{shown}"
    );
    let many: Vec<Finding> = (0..14).map(|n| bad(&n.to_string())).collect();
    let shown = github(&many);
    assert_eq!(shown.lines().count(), 10);
    assert!(shown.ends_with("::5 more; run `palisade validate` to see them all\n"), "{shown}");
    assert!(shown.lines().all(|line| line.starts_with("::error ")));
}
