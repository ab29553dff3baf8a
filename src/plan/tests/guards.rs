//! Guardrails over whole plans: whom caps count, what small differences change, and what is told.

use std::sync::Arc;

use super::fleet::{Fleet, Machine, ago, alert, now};
use super::policies::{isolate, restrict, set, tag, workspace};
use super::{asked, planned, planned_around, rows};
use crate::inventory::{AlertRow, What};
use crate::model::ActionKind::{
    Isolate, RestrictCodeExecution, Unisolate, UnrestrictCodeExecution,
};
use crate::model::ActionStatus::{Pending, Succeeded};
use crate::model::{ActionKind, Isolation, Span, Verb};
use crate::plan::types::Plan;
use crate::plan::undo::{Past, PastChange, Standing};
use crate::plan::{Circumstances, Guardrail, Lift, Purpose, explain_guardrails};
use crate::policy::limits::Remaining;
use crate::policy::schedule::Cron;
use crate::policy::selector::{AlertExpr, AlertTerm, DeviceExpr, DeviceTerm};
use crate::policy::workspace::{Caps, Freeze, Limit, Rolling};
use crate::policy::{PolicySet, SourceText, Workspace};

fn policies() -> PolicySet {
    PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() }
}

fn capped(verbs: &[Verb], caps: Caps) -> Workspace {
    let mut workspace = workspace();
    workspace.guardrails.caps = verbs.iter().map(|verb| (*verb, caps)).collect();
    workspace
}

fn by_alert() -> DeviceExpr {
    let category = AlertExpr::Term(AlertTerm::Category(vec![Arc::from("CredentialAccess")]));
    DeviceExpr::Term(DeviceTerm::Alert(Box::new(category)))
}

fn said(plan: &Plan) -> Vec<(&str, u32)> {
    plan.objections.iter().map(|it| (it.code.as_str(), it.held)).collect()
}

// ── caps ─────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn an_action_in_flight_counts_where_it_leads_and_where_it_comes_from() {
    let workspace =
        capped(&[Verb::Isolate], Caps { fleet: Some(Limit::Count(1)), ..Caps::default() });
    let fleet = || Fleet::of([Machine::new("pc-1").tag("ir"), Machine::new("pc-2")]);
    let held = [("cap-fleet", 1)];
    for (fleet, expected) in [
        (fleet().by_hand("pc-2", Isolate, Pending, ago(1)), &held[..]),
        (
            fleet().by_hand("pc-2", Isolate, Succeeded, ago(5)).by_hand(
                "pc-2",
                Unisolate,
                Pending,
                ago(1),
            ),
            &held,
        ),
        // Nobody is on the way to or from anything.
        (fleet().by_hand("pc-2", Unisolate, Pending, ago(1)), &[]),
    ] {
        let plan = planned(&policies(), &workspace, fleet.build());
        assert_eq!(said(&plan), expected, "{:?}", rows(&plan));
    }
}

#[test]
fn what_makes_stronger_adds_nobody_and_is_over_no_cap_of_a_state_but_none() {
    let (none, no_share) = (Some(Limit::Count(0)), Some(share(0, 5)));
    // Nothing is left of this share of one device, and nobody wrote "none".
    let rounded = Some(share(500, 0));
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir")])
        .by_us("pc-1", Isolate, Succeeded, ago(5), "ir")
        .last_action(|row| row.isolation = Some(Isolation::Selective));
    for (caps, expected) in [
        (Caps { fleet: rounded, group: rounded, ..Caps::default() }, &[][..]),
        (Caps { fleet: none, ..Caps::default() }, &[("cap-fleet", 1)]),
        (Caps { fleet: no_share, ..Caps::default() }, &[("cap-fleet", 1)]),
        (Caps { group: none, ..Caps::default() }, &[("cap-group", 1)]),
        (Caps { group: no_share, ..Caps::default() }, &[("cap-group", 1)]),
        (Caps { run: none, ..Caps::default() }, &[("cap-run", 1)]),
    ] {
        let plan = planned(&policies(), &capped(&[Verb::Isolate], caps), fleet.build());
        assert_eq!(said(&plan), expected, "{caps:?}");
    }
    let adopting = PolicySet { isolation: vec![adopting()], ..set() };
    let theirs = Fleet::of([Machine::new("pc-1").tag("ir")])
        .by_hand("pc-1", Isolate, Succeeded, ago(5))
        .last_action(|row| row.isolation = Some(Isolation::Selective));
    let caps = Caps { group: none, ..Caps::default() };
    let plan = planned(&adopting, &capped(&[Verb::Isolate], caps), theirs.build());
    assert_eq!(said(&plan), [("cap-group", 1)]);
}

const fn share(basis_points: u32, at_least: u32) -> Limit {
    Limit::Share { basis_points, at_least }
}

fn adopting() -> crate::policy::set::IsolationPolicy {
    let mut policy = isolate("ir", tag("ir"));
    policy.containment.adopt = true;
    policy
}

/// Alerts of one rule on so many of the devices `pc-0` to `pc-8`.
fn alerts(count: usize) -> Fleet {
    let machines = (0..9).map(|n| Machine::new(&format!("pc-{n}")));
    (0..count).fold(Fleet::of(machines), |fleet, n| {
        fleet.alert(alert(&format!("da{n}"), &format!("pc-{n}")))
    })
}

fn triggered(verb: Verb) -> Workspace {
    let alert_rule = Some(Rolling { count: 2, window: Span::from_hours(24) });
    capped(&[verb], Caps { alert_rule, ..Caps::default() })
}

#[test]
fn the_cap_for_triggers_counts_what_this_workspace_took() {
    let policies = PolicySet { isolation: vec![isolate("ir", by_alert())], ..set() };
    let plan = |fleet: &Fleet| planned(&policies, &triggered(Verb::Isolate), fleet.build());
    let ours = alerts(3).by_us("pc-0", Isolate, Succeeded, ago(3), "ir");
    assert_eq!(said(&plan(&ours)), [("cap-alert-rule", 2)]);
    // Whatever the policy was called that took it.
    let renamed = alerts(3).by_us("pc-0", Isolate, Succeeded, ago(3), "other");
    assert_eq!(said(&plan(&renamed)), [("cap-alert-rule", 2)]);
    // Other hands have their own reasons, and so has another kind of action.
    for fleet in [
        alerts(3).by_hand("pc-0", Isolate, Succeeded, ago(3)),
        alerts(2).by_us("pc-0", RestrictCodeExecution, Succeeded, ago(3), "ir"),
    ] {
        let isolations =
            |plan: &Plan| plan.changes.iter().filter(|c| c.verb == Verb::Isolate).count();
        let plan = plan(&fleet);
        assert_eq!((said(&plan), isolations(&plan)), (vec![], 2), "{:?}", rows(&plan));
    }
}

#[test]
fn what_an_incident_took_adds_up_too() {
    let incident = DeviceExpr::Term(DeviceTerm::Incident(vec!["77".into()]));
    let policies = PolicySet { isolation: vec![isolate("ir", incident)], ..set() };
    let mut fleet = alerts(3).by_us("pc-0", Isolate, Succeeded, ago(3), "ir");
    fleet.alerts.iter_mut().for_each(|alert| alert.incident = Some("77".into()));
    let plan = planned(&policies, &triggered(Verb::Isolate), fleet.build());
    assert_eq!(said(&plan), [("cap-alert-rule", 2)]);
    assert_eq!(plan.objections[0].facts["already"], 1);
    assert_eq!(plan.objections[0].facts["trigger"], "incident 77");
}

#[test]
fn restrictions_are_triggered_like_isolations() {
    let policies = PolicySet { restriction: vec![restrict("kiosks", by_alert())], ..set() };
    let plan = |count| planned(&policies, &triggered(Verb::Restrict), alerts(count).build());
    assert_eq!(said(&plan(2)), []);
    assert_eq!(said(&plan(3)), [("cap-alert-rule", 3)]);
}

#[test]
fn titles_differ_by_more_than_names_and_quotes() {
    let policies = PolicySet { isolation: vec![isolate("ir", by_alert())], ..set() };
    let plan = |titles: [&str; 3]| {
        // A name of two letters is too short to be taken for one in a sentence.
        let names = ["it", "on", "in"];
        let fleet = names.iter().zip(titles).fold(
            Fleet::of(names.map(Machine::new)),
            |fleet, (name, title)| {
                fleet.alert(AlertRow { title: Arc::from(title), ..alert(name, name) })
            },
        );
        planned(&policies, &triggered(Verb::Isolate), fleet.build())
    };
    let quoted = ["\u{2018}a\u{2019} ran", "\u{2018}b\u{2019} ran", "\u{2018}cc\u{2019} ran"];
    assert_eq!(said(&plan(quoted)), [("cap-alert-rule", 3)]);
    assert_eq!(said(&plan(["it ran", "on ran", "in ran"])), []);
}

// ── cooldown ─────────────────────────────────────────────────────────────────────────────────────

fn cooling() -> Workspace {
    let mut workspace = workspace();
    workspace.guardrails.cooldown = Span::from_hours(5);
    workspace
}

fn let_go(place: ActionKind, release: ActionKind) -> Fleet {
    Fleet::of([Machine::new("pc-1").tag("ir")]).by_us("pc-1", place, Succeeded, ago(9), "ir").by_us(
        "pc-1",
        release,
        Succeeded,
        ago(2),
        "ir",
    )
}

#[test]
fn restrictions_cool_down_and_what_makes_stronger_does_not() {
    let restricting = PolicySet { restriction: vec![restrict("ir", tag("ir"))], ..set() };
    let fleet = let_go(RestrictCodeExecution, UnrestrictCodeExecution);
    let plan = planned(&restricting, &cooling(), fleet.build());
    assert_eq!(rows(&plan), ["held pc-1 codeExecution cooldown"]);
    let again = let_go(Isolate, Unisolate)
        .by_us("pc-1", Isolate, Succeeded, ago(1), "ir")
        .last_action(|row| row.isolation = Some(Isolation::Selective));
    let plan = planned(&policies(), &cooling(), again.build());
    assert_eq!(rows(&plan), ["do isolate pc-1 selective -> full (strengthened)"]);
}

#[test]
fn putting_back_what_a_person_undoes_does_not_cool_down() {
    // A run released the device; the plan of that run is what is undone.
    let until = Span::from_hours(60).after(now());
    let comment = super::fleet::marked_until("contoso-soc", "ir", until);
    let held = Fleet::of([Machine::new("pc-1")]).action(
        "pc-1",
        Isolate,
        Succeeded,
        ago(9),
        &comment,
        "palisade",
    );
    let run = planned(&policies(), &workspace(), held.build());
    assert_eq!(run.changes[0].verb, Verb::Release);
    let after = super::world::applied_at(held, &run, ago(1));
    let changes = run.changes.iter().cloned();
    let changes = changes.map(|change| PastChange { change, standing: Standing::Done }).collect();
    let purpose = Purpose::Undo(Past { run: "run-1".to_owned(), changes });
    let around = Circumstances { purpose, ..Circumstances::default() };
    let plan = planned_around(&around, &policies(), &cooling(), after.build());
    assert_eq!(rows(&plan), ["do isolate pc-1 free -> full (undo)"]);
}

// ── domain controllers ───────────────────────────────────────────────────────────────────────────

#[test]
fn domain_controllers_that_nobody_could_look_for_hold_what_restricts() {
    let machines = || [Machine::new("pc-1").tag("ir"), Machine::new("dc").tag("ir").tag("adc")];
    let plan = |also: Option<DeviceExpr>, except: Option<DeviceExpr>, missing: Option<What>| {
        let mut workspace = workspace();
        let rails = &mut workspace.guardrails.domain_controllers;
        (rails.also, rails.except) = (also, except);
        let fleet = missing.into_iter().fold(Fleet::of(machines()), Fleet::lacks);
        let fleet = fleet.alert(alert("da1", "dc"));
        planned(&policies(), &workspace, fleet.build())
    };
    let (shown, unknown) = (("domain-controller", 1), ("protected-unknown", 1));
    for (also, except, missing, expected) in [
        (None, None, Some(What::Alerts), &[shown][..]),
        (Some(by_alert()), None, None, &[shown]),
        (Some(by_alert()), None, Some(What::Alerts), &[shown, unknown]),
        // Whoever is not in a partial list of devices is not restricted either.
        (Some(tag("t0")), None, Some(What::Devices), &[shown]),
        // Who cannot be told to be excepted is not.
        (None, Some(by_alert()), None, &[]),
        (None, Some(by_alert()), Some(What::Alerts), &[shown]),
    ] {
        let plan = plan(also, except, missing);
        assert_eq!(said(&plan), expected, "{missing:?}");
        let unknown = plan.objections.iter().find(|it| it.code == "protected-unknown");
        assert!(unknown.is_none_or(|it| it.facts["missing"] == "alerts"), "{unknown:?}");
    }
}

// ── what is told ─────────────────────────────────────────────────────────────────────────────────

#[test]
fn lifts_that_nothing_needed_are_told() {
    let workspace =
        capped(&[Verb::Isolate], Caps { run: Some(Limit::Count(0)), ..Caps::default() });
    let lift = |code: &str| Lift { code: code.to_owned(), because: "IR-7781".to_owned() };
    let lifts = vec![lift("cap-run"), lift("cap-group")];
    let around = Circumstances { lifts, ..Circumstances::default() };
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir")]);
    let plan = planned_around(&around, &policies(), &workspace, fleet.build());
    let unused: Vec<&str> = plan.unused_lifts().map(|lift| lift.code.as_str()).collect();
    assert_eq!(unused, ["cap-group"]);
}

fn explained(policies: &PolicySet, workspace: &Workspace) -> Vec<Guardrail> {
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir"), Machine::new("pc-2").tag("ir")]);
    let rails = explain_guardrails(&asked(
        &Circumstances::default(),
        policies,
        workspace,
        &[fleet.build()],
    ));
    rails.unwrap()
}

#[test]
fn values_in_force_are_told_whole() {
    let window = Span::from_hours(24);
    let rolling = Some(Rolling { count: 7, window });
    let mut workspace =
        capped(&[Verb::Isolate], Caps { rolling, alert_rule: None, ..Caps::default() });
    let rails = &mut workspace.guardrails;
    rails.remaining = Remaining { least: Limit::Count(3), groups_from: 5 };
    let freeze = |verbs: &[Verb]| Freeze {
        name: Arc::from("nights"),
        cron: Cron::parse("0 22 * * *").unwrap(),
        zone: jiff::tz::TimeZone::get("Europe/Berlin").unwrap(),
        window: Span::from_hours(8),
        verbs: verbs.iter().copied().collect(),
    };
    rails.freeze = vec![freeze(&[]), freeze(&[Verb::Scan])];
    let rails = explained(&policies(), &workspace);
    let value = |code: &str| rails.iter().find(|it| it.code == code).unwrap().value.to_string();
    for (code, expected) in [
        ("cap-rolling", "{\"count\":7,\"window\":\"1d\"}"),
        ("cap-alert-rule", "null"),
        ("remaining", "{\"groupsFrom\":5,\"least\":3}"),
    ] {
        assert_eq!(value(code), expected, "{code}");
    }
    let night = "\"name\":\"nights\",\"schedule\":\"0 22 * * *\",\"timeZone\":\"Europe/Berlin\"";
    let windows = format!(
        "[{{{night},\"window\":\"8h\"}},{{{night},\"verbs\":[\"scan\"],\"window\":\"8h\"}}]"
    );
    assert_eq!(value("freeze-window"), windows);
}

#[test]
fn each_count_stands_in_the_row_of_its_own_setting() {
    let caps = Caps { run: Some(Limit::Count(1)), ..Caps::default() };
    let mut policies = PolicySet { restriction: vec![restrict("ir", tag("ir"))], ..set() };
    let text = "package own\ndeny contains {\"code\": \"one\", \"msg\": \"m\"}\n";
    policies.rules = vec![SourceText { file: "guardrails/own.rego".into(), text: text.into() }];
    let rails = explained(&policies, &capped(&[Verb::Isolate, Verb::Restrict], caps));
    let counted = |setting: &str| {
        let mut of = rails.iter().filter(|it| it.setting == setting && !it.counted.is_empty());
        of.next().map(|it| (it.code.as_str(), it.liftable, it.counted[0].about))
    };
    assert_eq!(counted("guardrails.caps.isolate.run"), Some(("cap-run", true, 0)));
    assert_eq!(counted("guardrails.caps.restrict.run"), Some(("cap-run", true, 2)));
    assert_eq!(counted("guardrails/own.rego"), Some(("rego-one", true, 2)));
}
