//! Rules as text: what is found wrong without a plan, what they may say, and that they end.

use serde_json::{Value, json};

use super::{Said, check, evaluate};
use crate::policy::SourceText;

fn file(name: &str, text: &str) -> SourceText {
    SourceText { file: format!("guardrails/{name}.rego").into(), text: text.into() }
}

fn plan() -> Value {
    json!({
        "now": "2026-11-23T10:00:00Z",
        "changes": [{ "id": "a1", "verb": "isolate" }, { "id": "b2", "verb": "scan" }],
    })
}

fn ask(text: &str) -> Result<Vec<Said>, super::Fault> {
    evaluate(&[file("r", text)], &plan(), &json!({ "id": "soc" }))
}

#[test]
fn rules_say_texts_and_objects() {
    let text = r#"package own.rules
deny contains {"msg": msg, "code": "c", "changes": [change.id], "verb": change.verb, "setting": "s"} if {
	some change in input.changes
	change.verb == "isolate"
	msg := sprintf("no %s in %s", [change.id, data.workspace.id])
}
warn contains sprintf("planned at %s", [input.now])
"#;
    assert_eq!(check(&[file("r", text)]), []);
    let said = ask(text).unwrap();
    let blank = Said {
        denies: false,
        package: "own.rules".to_owned(),
        file: "guardrails/r.rego".to_owned(),
        message: "planned at 2026-11-23T10:00:00Z".to_owned(),
        code: None,
        changes: Vec::new(),
        verb: None,
        setting: None,
    };
    let denied = Said {
        denies: true,
        message: "no a1 in soc".to_owned(),
        code: Some("c".to_owned()),
        changes: vec!["a1".to_owned()],
        verb: Some("isolate".to_owned()),
        setting: Some("s".to_owned()),
        ..blank.clone()
    };
    assert_eq!(said, [blank, denied]);
}

#[test]
fn a_mistake_that_shows_only_over_a_plan_is_found_without_one() {
    let text = "package a\ndeny contains \"m\" if input.summary.total + \"x\" > 1\n";
    let found = check(&[file("r", text)]);
    assert_eq!(found.iter().map(|it| it.code.word()).collect::<Vec<_>>(), ["rego-invalid"]);
    // What does not parse is told alone: rules that need it would only repeat it.
    let (broken, needy) = ("package b\nbad if {", "package a\ndeny contains \"m\" if data.b.bad\n");
    let found =
        check(&[file("broken", broken), file("needy", needy), file("silent", "package c\n")]);
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_package_may_stand_in_several_files_and_use_another() {
    let rules =
        file("rules", "package a\nimport data.helpers\ndeny contains \"m\" if helpers.bad\n");
    let more = file("more", "package a\nwarn contains \"w\"\n");
    let helpers = file("helpers", "package helpers\nbad if input.changes[_].verb == \"scan\"\n");
    let files = [rules, more, helpers];
    assert_eq!(check(&files), []);
    let said = evaluate(&files, &plan(), &json!({})).unwrap();
    let said: Vec<_> = said.iter().map(|it| (it.denies, it.message.as_str())).collect();
    assert_eq!(said, [(false, "w"), (true, "m")]);
}

#[test]
fn what_is_wrong_with_a_file_is_found_at_its_place() {
    for (text, line, message) in [
        ("package c\ndeny contains x if {\n  x :=\n}\n", 3, "expect"),
        ("deny contains \"m\"\n", 1, "package"),
        ("package d\ndeny contains x if { x := y }\n", 2, "unsafe"),
        ("package d\ndeny contains x if { x := frob(1) }\n", 2, "frob"),
        ("package e\ndeny contains x if { some x in deny }\n", 2, "recursi"),
        ("package f\ndeny := true\n", 2, "gives true or false"),
        ("package g\ndeny contains {\"message\": \"m\"}\n", 2, "gives `message`"),
        ("package h\ndeny contains {\"code\": \"m\"}\n", 2, "gives no `msg`"),
        ("package i\nfine := true\n", 1, "neither `deny` nor `warn`"),
        (
            "package j\ndeny contains x if { x := http.send({\"url\": \"http://x\", \"method\": \"get\"}) }\n",
            2,
            "http.send",
        ),
        ("package k\ndeny contains x if { x := time.now_ns() }\n", 2, "time.now_ns"),
        ("package l\ndeny contains x if { x := rand.intn(\"s\", 9) }\n", 2, "rand.intn"),
        ("package m\ndeny contains x if { x := opa.runtime().env.HOME }\n", 2, "opa.runtime"),
        ("package n\ndeny contains x if { x := to_number(\"no\") }\n", 2, "number"),
    ] {
        let findings = check(&[file("r", text)]);
        let found: Vec<_> = findings.iter().map(|f| (f.span.line, f.message.clone())).collect();
        assert_eq!(found.len(), 1, "{text}{found:#?}");
        assert!(found[0].0 == line && found[0].1.contains(message), "{text}{found:#?}");
        assert_eq!(&*findings[0].file, "guardrails/r.rego");
    }
}

#[test]
fn a_rule_that_does_not_end_is_stopped_after_the_same_work() {
    let text = "package l\nr := numbers.range(1, 2000)\ndeny contains a if {\n  some a in r\n  some b in r\n  some c in r\n  a * b * c == -1\n}\n";
    let first = ask(text).unwrap_err();
    assert!(first.message.contains("does not end"), "{first:?}");
    assert_eq!(ask(text), Err(first));
    assert_eq!(check(&[file("r", text)]).len(), 1);
}

#[test]
fn a_rule_that_fails_on_this_plan_is_an_error_and_no_empty_answer() {
    let text = "package f\ndeny contains x if {\n  some change in input.changes\n  x := to_number(change.id)\n}\n";
    assert_eq!(check(&[file("r", text)]), []);
    let fault = ask(text).unwrap_err();
    assert_eq!((&*fault.file, fault.line), ("guardrails/r.rego", 4), "{fault:?}");
}
