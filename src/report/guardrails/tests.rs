//! The page of guardrails, against a file in `tests/fixtures/screen`.

use serde_json::json;

use super::*;
use crate::model::Verb;
use crate::report::plan::tests::samples;

fn rail(code: &str, setting: &str, value: Value, line: Option<u32>) -> Guardrail {
    let liftable = code.starts_with("cap");
    let (code, setting) = (code.to_owned(), setting.to_owned());
    Guardrail { code, setting, value, line, liftable, counted: Vec::new() }
}

fn counted(code: &str, scope: &str, would_be: u32, limit: u32) -> Counted {
    let over = would_be > limit;
    Counted {
        code: code.to_owned(),
        tenant: "contoso".to_owned(),
        scope: scope.to_owned(),
        verb: Some(Verb::Isolate),
        over,
        about: 46,
        note: false,
        left_seconds: None,
        left: (!over).then(|| u64::from(limit - would_be)),
        lifted: None,
        facts: [("wouldBe", would_be), ("limit", limit), ("size", 64)]
            .map(|(key, number)| (key.to_owned(), number.into()))
            .into(),
    }
}

fn rails() -> Vec<Guardrail> {
    let groups = "guardrails.caps.isolate.group";
    let mut group = rail("cap-group", groups, json!({ "share": "25%", "atLeast": 3 }), Some(21));
    let scopes =
        [("Servers", 20, 16), ("A", 2, 16), ("B\x1b[2J", 15, 16), ("C", 3, 9), ("D", 1, 9)];
    for (name, would_be, limit) in scopes {
        group.counted.push(counted("cap-group", &format!("group {name}"), would_be, limit));
    }
    let mut run = rail("cap-run", "guardrails.caps.isolate.run", json!(50), None);
    run.counted.push(counted("cap-run", "run", 60, 50));
    run.counted[0].lifted = Some("IR-7781".to_owned());
    let mut machine = rail("self-lockout", "", json!(["build-7", "10.0.0.7"]), None);
    machine.counted.push(Counted {
        code: "self-lockout-shared".to_owned(),
        about: 0,
        verb: None,
        over: false,
        note: true,
        left: None,
        facts: [("by".to_owned(), "10.0.0.7".into()), ("devices".to_owned(), 40.into())].into(),
        ..counted("", "10.0.0.7", 0, 0)
    });
    vec![group, run, rail("destructive", "guardrails.destructive", json!([]), None), machine]
}

#[test]
fn each_says_where_it_stands_and_how_it_is_lifted() {
    let shown = text(&samples::empty(), &rails(), Style::new(100, false));
    samples::fits(&shown, 100);
    samples::golden("guardrails-100.txt", &shown);
    for width in 60..=200 {
        samples::fits(&text(&samples::empty(), &rails(), Style::new(width, false)), width);
    }
}

#[test]
fn programs_read_all_of_it() {
    let read: Guardrails = serde_json::from_str(&json(&samples::empty(), &rails())).unwrap();
    assert_eq!((read.format_version, read.guardrails), (1, rails()));
}
