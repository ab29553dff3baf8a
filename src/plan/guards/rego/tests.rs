//! Rules over drafts: what they hold, how they are lifted, and that a broken one holds everything.

use crate::model::Verb;
use crate::plan::tests::fleet::{Fleet, Machine};
use crate::plan::tests::planned_around;
use crate::plan::tests::policies::{isolate, restrict, set, tag, workspace};
use crate::plan::types::Plan;
use crate::plan::{Circumstances, Level, Lift};
use crate::policy::{PolicySet, SourceText, rego};

fn fleet() -> Fleet {
    let servers = ["sql-1", "sql-2"].map(|name| Machine::new(name).group("Servers-EMEA").tag("ir"));
    Fleet::of(servers.into_iter().chain([Machine::new("pc-1").tag("ir"), Machine::new("pc-2")]))
}

/// Three isolations and three restrictions, under these rules.
fn planned(rules: &str, lifts: &[&str]) -> Plan {
    planned_under(&[("own", rules)], lifts)
}

fn planned_under(files: &[(&str, &str)], lifts: &[&str]) -> Plan {
    let rule = |(name, text): &(&str, &str)| SourceText {
        file: format!("guardrails/{name}.rego").into(),
        text: (*text).into(),
    };
    let policies = PolicySet {
        isolation: vec![isolate("ir", tag("ir"))],
        restriction: vec![restrict("ir", tag("ir"))],
        rules: files.iter().map(rule).collect(),
        ..set()
    };
    let lift = |code: &&str| Lift { code: (*code).to_owned(), because: "IR-7781".to_owned() };
    let lifts = lifts.iter().map(lift).collect();
    let around = Circumstances { lifts, ..Circumstances::default() };
    planned_around(&around, &policies, &workspace(), fleet().build())
}

#[track_caller]
fn check(plan: &Plan, done: usize, expected: &[(&str, u32)]) {
    let said: Vec<_> = plan.objections.iter().map(|o| (o.code.as_str(), o.held)).collect();
    assert_eq!((plan.changes.len(), said), (done, expected.to_vec()));
}

#[test]
fn a_denial_holds_what_it_names() {
    let rule = |entry: &str| format!("package own.rules\ndeny contains {entry}\n");
    let one = "{\"msg\": m, \"changes\": [c.id]} if {\n some c in input.changes\n c.target.name == \"sql-1\"\n m := c.id\n}";
    check(&planned(&rule(one), &[]), 4, &[("rego-own-rules", 2)]);
    let verb = "{\"msg\": \"m\", \"verb\": \"restrict\", \"code\": \"No Restriction!\"}";
    let plan = planned(&rule(verb), &[]);
    check(&plan, 3, &[("rego-no-restriction", 3)]);
    assert_eq!(plan.objections[0].verb, Some(Verb::Restrict));
    assert_eq!(plan.objections[0].setting, "guardrails/own.rego");
    check(&planned(&rule("\"nothing today\""), &[]), 0, &[("rego-own-rules", 6)]);
    for unknown in [
        "{\"msg\": \"m\", \"changes\": [\"000000000000\"]}",
        "{\"msg\": \"m\", \"verb\": \"isolat\"}",
    ] {
        check(&planned(&rule(unknown), &[]), 0, &[("rego-own-rules", 6)]);
    }
}

#[test]
fn a_warning_holds_nothing() {
    let plan = planned("package own\nwarn contains \"look\" if count(input.changes) == 6\n", &[]);
    check(&plan, 6, &[("rego-own", 0)]);
    assert_eq!(
        (plan.objections[0].level, &plan.objections[0].facts["msg"]),
        (Level::Warn, &"look".into())
    );
}

#[test]
fn each_code_is_lifted_by_itself() {
    let rules = "package own\ndeny contains {\"code\": \"a\", \"msg\": \"a\"}\ndeny contains {\"code\": \"b\", \"msg\": \"b\"}\n";
    check(&planned(rules, &["rego-a"]), 0, &[("rego-a", 0), ("rego-b", 6)]);
    check(&planned(rules, &["rego-a", "rego-b"]), 6, &[("rego-a", 0), ("rego-b", 0)]);
}

#[test]
fn sentences_of_one_code_are_one_objection() {
    let rules = "package own\ndeny contains {\"msg\": c.id, \"changes\": [c.id]} if some c in input.changes\n";
    let plan = planned(rules, &[]);
    check(&plan, 0, &[("rego-own", 6)]);
    assert_eq!(plan.objections[0].facts["more"], 5);
}

#[test]
fn rules_see_the_draft_the_time_and_the_workspace() {
    let rules = "package own\ndeny contains \"m\" if {\n input.now == \"2026-11-23T10:00:00Z\"\n \
                 data.workspace.tenants[0].name == \"contoso\"\n input.tenants[0].devices == 4\n \
                 input.policies[0].name == \"ir\"\n input.policies[0].selected == 3\n not input.planHash\n \
                 input.summary.verbs.isolate == 3\n}\n";
    check(&planned(rules, &[]), 0, &[("rego-own", 6)]);
}

#[test]
fn a_rule_that_fails_holds_everything_and_says_where() {
    let rules =
        "package own\ndeny contains x if {\n some c in input.changes\n x := to_number(c.id)\n}\n";
    let plan = planned(rules, &[]);
    check(&plan, 0, &[("rego-failed", 6)]);
    let objection = &plan.objections[0];
    assert_eq!((objection.scope.as_str(), objection.level), ("guardrails/own.rego:4", Level::Hold));
}

/// A broken rule is no way around the others: each failure is an objection of its own, and lifting
/// them lifts no denial.
#[test]
fn a_broken_rule_silences_no_other_and_lifting_it_lifts_no_denial() {
    let broken = "package broken\ndeny contains to_number(c.id) if some c in input.changes\nwarn contains {\"msg\": \"m\", \"code\": sprintf(\"%s\", [\"failed\"])}\n";
    let files = [
        ("broken", broken),
        ("own", "package own\ndeny contains {\"msg\": \"m\", \"verb\": \"isolate\"}\n"),
        ("zeal", "package zeal\nwarn contains \"look\"\n"),
    ];
    let plan = planned_under(&files, &[]);
    let expected = [("rego-failed", 6), ("rego-failed", 6), ("rego-own", 3), ("rego-zeal", 0)];
    check(&plan, 0, &expected);
    let scopes: Vec<&str> = plan.objections.iter().map(|it| it.scope.as_str()).collect();
    assert_eq!(scopes[..2], ["guardrails/broken.rego:2", "guardrails/broken.rego:3"]);
    let lifted = planned_under(&files, &["rego-failed"]);
    check(&lifted, 3, &[("rego-failed", 0), ("rego-failed", 0), ("rego-own", 3), ("rego-zeal", 0)]);
}

#[test]
fn the_example_leaves_servers_alone_at_night() {
    let rules =
        include_str!("../../../../examples/organization-rules/guardrails/office-hours.rego");
    let file = SourceText { file: "office-hours.rego".into(), text: rules.into() };
    assert_eq!(rego::check(&[file]), []);
    // At ten in the morning only the number of devices could be pointed out, and these are few.
    check(&planned(rules, &[]), 6, &[]);
    let night = rules.replace("\"07\"", "\"11\"");
    check(&planned(&night, &[]), 2, &[("rego-office-hours", 4)]);
    let few = rules.replace("count(taken) > 5", "count(taken) > 2");
    check(&planned(&few, &[]), 6, &[("rego-many-devices", 0)]);
}
