//! Every guardrail is explained, with the numbers by which it passes or holds.

use super::*;
use crate::model::{ActionKind, ActionStatus};
use crate::plan::circumstances::Runner;
use crate::plan::guards::tests::{capped, fleet, lifting_codes, percent, policies};
use crate::plan::tests::asked;
use crate::plan::tests::fleet::{Fleet, Machine, ago};
use crate::plan::tests::policies::{isolate, set, tag, workspace};
use crate::plan::{Circumstances, explain_guardrails};
use crate::policy::{PolicySet, Workspace};

fn explained(workspace: &Workspace, around: &Circumstances) -> Vec<Guardrail> {
    over(fleet(), &policies(), workspace, around)
}

pub(super) fn over(
    fleet: Fleet,
    policies: &PolicySet,
    workspace: &Workspace,
    around: &Circumstances,
) -> Vec<Guardrail> {
    let inventories = [fleet.build()];
    let input = asked(around, policies, workspace, &inventories);
    explain_guardrails(&input).unwrap()
}

pub(super) fn of<'r>(rails: &'r [Guardrail], code: &str) -> Vec<&'r Guardrail> {
    rails.iter().filter(|rail| rail.code == code).collect()
}

#[test]
fn what_a_guardrail_says_stands_in_the_row_of_its_setting() {
    for (code, setting, expected) in [
        ("self-lockout-shared", "", ("self-lockout", "")),
        ("protected-unknown", "guardrails.protected", ("protected", "guardrails.protected")),
        ("protected-nobody", "guardrails.protected", ("protected", "guardrails.protected")),
        (
            "protected-nobody",
            "guardrails.domainControllers.also",
            ("domain-controller", "guardrails.domainControllers"),
        ),
        (
            "protected-unknown",
            "guardrails.domainControllers",
            ("domain-controller", "guardrails.domainControllers"),
        ),
        ("rego-failed", "guardrails/own.rego", ("rego-failed", crate::plan::guards::rego::FILES)),
        ("cap-run", "guardrails.caps.isolate.run", ("cap-run", "guardrails.caps.isolate.run")),
    ] {
        assert_eq!(home(code, setting), expected, "{code}");
    }
}

#[test]
fn every_code_has_a_row_and_the_file_is_named_where_it_speaks() {
    let mut workspace = capped(Caps::default());
    workspace.guardrails.written = [("guardrails.caps.isolate.run".to_owned(), 14)].into();
    let rails = explained(&workspace, &Circumstances::default());
    let listed: Vec<&str> = rails.iter().map(|rail| rail.code.as_str()).collect();
    for code in crate::plan::guards::codes() {
        let listed = listed.contains(&home(code, "guardrails.protected").0);
        // That one is about rules; it has no setting.
        assert!(listed || code == "rule-conflict", "{code}: {rails:?}");
    }
    assert!(
        rails
            .windows(2)
            .all(|two| (&two[0].code, &two[0].setting) < (&two[1].code, &two[1].setting))
    );
    assert_eq!(of(&rails, "cap-run")[0].line, Some(14));
    assert_eq!(of(&rails, "cap-group")[0].line, None);
    assert_eq!(of(&rails, "cap-run")[0].value, "unlimited");
    assert!(of(&rails, "cap-run")[0].liftable && !of(&rails, "protected")[0].liftable);
}

#[test]
fn what_passes_says_how_far_it_is_from_its_limit() {
    let caps = Caps { run: Some(Limit::Count(14)), group: Some(percent(40)), ..Caps::default() };
    let mut workspace = capped(caps);
    workspace.guardrails.protected = Some(tag("nobody"));
    let rails = explained(&workspace, &Circumstances::default());
    let [run] = &of(&rails, "cap-run")[0].counted[..] else { panic!("{rails:?}") };
    assert_eq!((run.over, run.about, run.left), (false, 10, Some(4)));
    let [group] = &of(&rails, "cap-group")[0].counted[..] else { panic!("{rails:?}") };
    assert_eq!((group.over, group.about, group.left), (true, 10, None));
    assert_eq!((group.scope.as_str(), &group.facts["limit"]), ("group Kiosks", &4.into()));
    let protected = &of(&rails, "protected")[0].counted[0];
    assert_eq!(
        (protected.over, protected.about, &protected.facts["devices"]),
        (false, 0, &0.into())
    );
    assert_eq!(of(&rails, "cap-group")[0].value, "40%");
}

#[test]
fn what_holds_nothing_is_a_note_and_what_passes_is_neither() {
    let named = |count: usize| {
        let machine = |n| Machine::new(&format!("build.site-{n}.example")).tag("ir");
        Fleet::of((0..count).map(machine))
    };
    let runner = Some(Runner::new(["build".to_owned()], []));
    let around = Circumstances { runner, ..Circumstances::default() };
    let ir = PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() };
    let marks = |count| {
        let rails = over(named(count), &ir, &workspace(), &around);
        let [row] = &of(&rails, "self-lockout")[..] else { panic!("{rails:?}") };
        row.counted.iter().map(|said| (said.over, said.note)).collect::<Vec<_>>()
    };
    assert_eq!(marks(3), [(true, false)]);
    // A name that so many devices share holds none of them.
    assert_eq!(marks(4), [(false, false), (false, true)]);
    // Nothing is counted, and nothing is said.
    let caps = Caps { run: Some(Limit::Count(14)), ..Caps::default() };
    let rails = explained(&capped(caps), &Circumstances::default());
    let run = &of(&rails, "cap-run")[0].counted[0];
    assert_eq!((run.over, run.note), (false, false));
    let mut workspace = workspace();
    workspace.guardrails.protected = Some(tag("nobody"));
    let rails = explained(&workspace, &Circumstances::default());
    let nobody = &of(&rails, "protected")[0].counted[0];
    assert_eq!((nobody.about, nobody.over, nobody.note), (0, false, false));
    let told = &of(&rails, "protected")[0].counted[1];
    assert_eq!((told.code.as_str(), told.over, told.note), ("protected-nobody", false, true));
}

#[test]
fn a_window_that_is_over_with_nothing_planned_is_a_note() {
    let window = crate::model::Span::from_hours(24);
    let rolling = |count| Some(crate::policy::workspace::Rolling { count, window });
    let row = |caps: Caps, code: &str, policies: &PolicySet| {
        let isolated = (0..3).fold(fleet(), |fleet, n| {
            let (kind, status) = (ActionKind::Isolate, ActionStatus::Succeeded);
            fleet.by_hand(&format!("office-0{n}"), kind, status, ago(5))
        });
        let rails = over(isolated, policies, &capped(caps), &Circumstances::default());
        let [row] = &of(&rails, code)[0].counted[..] else { panic!("{rails:?}") };
        (row.over, row.note, row.left, row.facts.get("beyond").cloned())
    };
    let caps = |count| Caps { rolling: rolling(count), ..Caps::default() };
    assert_eq!(row(caps(2), "cap-rolling", &set()), (false, true, None, Some(1.into())));
    assert_eq!(row(caps(3), "cap-rolling", &set()), (false, false, Some(0), None));
    assert_eq!(row(caps(12), "cap-rolling", &policies()), (true, false, None, None));
    let caps = Caps { fleet: Some(Limit::Count(2)), ..Caps::default() };
    assert_eq!(row(caps, "cap-fleet", &set()), (false, true, None, Some(1.into())));
}

#[test]
fn what_is_lifted_says_so() {
    let caps = Caps { run: Some(Limit::Count(0)), ..Caps::default() };
    let rails = explained(&capped(caps), &lifting_codes(&["cap-run"]));
    let run = &of(&rails, "cap-run")[0].counted[0];
    assert_eq!((run.over, run.about, run.lifted.as_deref()), (true, 10, Some("IR-7781")));
}

#[test]
fn values_are_written_as_the_file_takes_them() {
    let share = |basis_points, at_least| Some(Limit::Share { basis_points, at_least });
    for (value, expected) in [
        (None, json!("unlimited")),
        (Some(Limit::Count(0)), json!(0)),
        (share(0, 1), json!("0%")),
        (share(250, 1), json!("2.50%")),
        (share(2_500, 3), json!({ "share": "25%", "atLeast": 3 })),
    ] {
        assert_eq!(limit(value), expected);
    }
}
