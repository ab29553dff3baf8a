//! Rules as text: what is found wrong without a plan, what they may say, and that they end.

use serde_json::{Value, json};

use super::{Answers, Said, check, evaluate};
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
    let Answers { said, mut faults } =
        evaluate(&[file("r", text)], &plan(), &json!({ "id": "soc" }));
    faults.pop().map_or(Ok(said), Err)
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
        code: "rego-own-rules".to_owned(),
        changes: Vec::new(),
        verb: None,
        setting: None,
    };
    let denied = Said {
        denies: true,
        message: "no a1 in soc".to_owned(),
        code: "rego-c".to_owned(),
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
    let said = evaluate(&files, &plan(), &json!({})).said;
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
        (
            "package o\ndeny contains {\"msg\": \"m\", \"code\": \"Failed\"} if input.changes[0]\n",
            2,
            "Palisade's own",
        ),
        ("package failed\ndeny contains \"m\" if input.changes[0]\n", 1, "Palisade's own"),
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

/// One call is one step, and must not do the work of many.
#[test]
fn one_call_makes_no_more_than_a_bound() {
    let double = |step: &str| {
        let steps: String = (1..60)
            .map(|n| format!("  x{n} := {}\n", step.replace('@', &format!("x{}", n - 1))))
            .collect();
        format!(
            "package l\ndeny contains \"m\" if {{\n  x0 := input.changes[0].id\n{steps}  count(x59) > 0\n}}\n"
        )
    };
    let one =
        |call: &str| format!("package l\ndeny contains \"m\" if {{\n  count({call}) > 0\n}}\n");
    for (text, name) in [
        (one("numbers.range(1, 1000000000)"), "numbers.range"),
        (one("numbers.range(1000000000000, 1)"), "numbers.range"),
        (one("numbers.range_step(0, 1000000000000, 2)"), "numbers.range_step"),
        (one("sprintf(\"%999999999d\", [1])"), "sprintf"),
        (one("sprintf(\"%.99999999999f\", [1])"), "sprintf"),
        (one("format_int(bits.lsh(1, 100000000000), 10)"), "bits.lsh"),
        (one("[product(numbers.range(1, 1000000))]"), "product"),
        (
            one("[to_number(concat(\"\", [\"7\" | some _ in numbers.range(1, 20000)]))]"),
            "to_number",
        ),
        (double("concat(\"\", [@, @])"), "concat"),
        (double("sprintf(\"%s%s\", [@, @])"), "sprintf"),
        (double("replace(@, \"a\", \"aa\")"), "replace"),
        (double("strings.replace_n({\"a\": \"aaa\"}, @)"), "strings.replace_n"),
        (double("regex.replace(@, \"a\", \"aa\")"), "regex.replace"),
        (double("json.marshal([@, @])"), "json.marshal"),
        (
            double("array.concat(split(@, \"\"), [1])").replace("split(x", "array.concat(x"),
            "array.concat",
        ),
    ] {
        let fault = ask(&text).unwrap_err();
        assert!(fault.message.contains(name) && fault.line > 1, "{text}{fault:?}");
    }
    let many = "package l\ndeny contains \"m\" if {\n  some a in numbers.range(1, 2000)\n  some b in numbers.range(1, 1000000)\n  a * b == -1\n}\n";
    assert!(ask(many).unwrap_err().message.contains("does not end"));
}

/// What a call makes counts as steps: one large call and a short loop are too much together.
#[test]
fn a_large_call_takes_from_the_steps_that_are_left() {
    let rule = |width: u32| {
        format!(
            "package l\ntext(n) := concat(\"\", [\"a\" | some _ in numbers.range(1, n)])\ndeny contains a if {{\n  replace(text(1000), \"b\", text({width})) != \"\"\n  some a in numbers.range(1, 2000)\n  a == -1\n}}\n"
        )
    };
    assert_eq!(ask(&rule(100)), Ok(Vec::new()));
    let fault = ask(&rule(3_000)).unwrap_err();
    assert!(fault.message.contains("does not end"), "{fault:?}");
}

#[test]
fn bounded_calls_do_what_they_did() {
    for (call, expected) in [
        ("sprintf(\"%s: %05d, %v\", [\"a\", 7, {\"k\": [1]}])", r#"a: 00007, {"k": [1]}"#),
        ("concat(\",\", {\"b\", \"a\"})", "a,b"),
        ("replace(\"a-b\", \"-\", \"+\")", "a+b"),
        ("strings.replace_n({\"a\": \"b\"}, \"aa\")", "bb"),
        ("regex.replace(\"ab1\", \"[0-9]\", \"<$0>\")", "ab<1>"),
        ("json.marshal(numbers.range(3, 1))", "[3,2,1]"),
        ("json.marshal([product([2, 3.5]), product({4}), to_number(\"12\")])", "[7,4,12]"),
        ("json.marshal(numbers.range_step(0, 5, 2))", "[0,2,4]"),
        ("json.marshal(array.concat(split(\"a b\", \" \"), [bits.lsh(1, 3)]))", r#"["a","b",8]"#),
    ] {
        let said = ask(&format!("package l\nwarn contains {call}\n")).unwrap();
        assert_eq!(said[0].message, expected, "{call}");
    }
    let fault = ask("package l\nwarn contains concat(\"\", [7])\n").unwrap_err();
    assert!(fault.line == 2 && !fault.message.is_empty(), "{fault:?}");
}

#[test]
fn a_rule_that_fails_on_this_plan_is_an_error_and_no_empty_answer() {
    let text = "package f\ndeny contains x if {\n  some change in input.changes\n  x := to_number(change.id)\n}\n";
    assert_eq!(check(&[file("r", text)]), []);
    let fault = ask(text).unwrap_err();
    assert_eq!((&*fault.file, fault.line), ("guardrails/r.rego", 4), "{fault:?}");
}

/// One rule that is wrong silences no other, neither of its package nor of another one.
#[test]
fn what_the_others_say_stands_beside_a_rule_that_fails() {
    let broken = "package b\ndeny contains to_number(c.id) if some c in input.changes\nwarn contains \"w\"\n";
    let endless = "package c\nr := numbers.range(1, 2000)\nwarn contains a if {\n  some a in r\n  some b in r\n  some c in r\n  a * b * c == -1\n}\ndeny contains \"c\"\n";
    let last = "package z\nhelp := to_number(input.changes[0].id)\ndeny contains \"z\" if help\nwarn contains \"z\" if help\n";
    let files = [
        file("a", "package a\ndeny contains \"a\"\n"),
        file("b", broken),
        file("c", endless),
        file("y", "package y\ndeny contains \"y\"\n"),
        file("z", last),
    ];
    let answers = evaluate(&files, &plan(), &json!({}));
    let said: Vec<&str> = answers.said.iter().map(|said| said.message.as_str()).collect();
    assert_eq!(said, ["w", "a", "c", "y"]);
    let places = answers.faults.iter().map(|fault| (&*fault.file, fault.line));
    let expected = [("guardrails/b.rego", 2), ("guardrails/c.rego", 3), ("guardrails/z.rego", 2)];
    let places: Vec<_> = places.collect();
    assert_eq!(places, expected, "{answers:#?}");
    assert_eq!(evaluate(&files, &plan(), &json!({})), answers);
    assert_eq!(check(&[file("a", "package a\ndeny := 1\nwarn := 2\n")]).len(), 2);
}

#[test]
fn a_rule_never_speaks_under_a_code_of_the_product() {
    for text in [
        "package o\nc := concat(\"\", [\"fai\", \"led\"])\ndeny contains {\"msg\": \"m\", \"code\": c}\n",
        "package failed\ndeny contains \"m\"\n",
        "package o\ndeny contains {\"msg\": \"m\", \"code\": \"\u{fc}\"}\n",
    ] {
        assert!(ask(text).unwrap_err().message.contains("code"), "{text}");
    }
}
