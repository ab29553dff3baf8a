//! Guardrails that hold by what a change is: protected devices, leases, jumps, an organization's rules.

use std::sync::Arc;

use super::fleet::{Fleet, Machine, TENANT_ID, ago, alert, marked_until, now};
use super::policies::{isolate, restrict, set, tag, workspace};
use super::{asked, planned, planned_around, rows};
use crate::inventory::What;
use crate::model::ActionKind::{Isolate, RestrictCodeExecution, Unisolate};
use crate::model::ActionStatus::{Pending, Succeeded};
use crate::model::{Span, Verb};
use crate::plan::circumstances::{LastRun, LastSeen, Runner};
use crate::plan::draft::Draft;
use crate::plan::order::Proposal;
use crate::plan::scene::Scene;
use crate::plan::types::{Baseline, Change, Plan};
use crate::plan::{Circumstances, guards};
use crate::policy::limits::Shrink;
use crate::policy::selector::{AlertExpr, AlertTerm, DeviceExpr, DeviceTerm};
use crate::policy::workspace::{DomainControllers, Limit};
use crate::policy::{PolicySet, SourceText, Workspace};

fn policies() -> PolicySet {
    PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() }
}

fn tagged(count: usize) -> Fleet {
    Fleet::of((0..count).map(|n| Machine::new(&format!("pc-{n}")).tag("ir")))
}

fn said(plan: &Plan) -> Vec<(&str, u32)> {
    plan.objections.iter().map(|it| (it.code.as_str(), it.held)).collect()
}

/// Codes of what is said about a draft of this change alone.
fn judged(workspace: &Workspace, change: Change) -> Vec<String> {
    let (policies, around, inventories) =
        (policies(), Circumstances::default(), [tagged(1).build()]);
    let input = asked(&around, &policies, workspace, &inventories);
    let mut draft = Draft::default();
    draft.propose(Proposal { change, device: inventories[0].devices().next(), adds: true });
    guards::run(&Scene::new(input, &inventories[0]), &mut draft);
    assert_eq!(draft.proposals.is_empty(), !draft.objections.is_empty());
    draft.objections.into_iter().map(|it| it.code).collect()
}

// ── leases ───────────────────────────────────────────────────────────────────────────────────────

/// No policy of today makes such a change, so it is made by hand from another.
#[test]
fn what_takes_without_an_end_is_held_where_an_end_is_required() {
    let mut workspace = workspace();
    let change = planned(&policies(), &workspace, tagged(1).build()).changes.remove(0);
    for (required, verb, leased, expected) in [
        (true, Verb::Isolate, false, &["lease-missing"][..]),
        (true, Verb::Restrict, false, &["lease-missing"]),
        (true, Verb::Isolate, true, &[]),
        (true, Verb::Scan, false, &[]),
        (true, Verb::Release, false, &[]),
        (false, Verb::Isolate, false, &[]),
    ] {
        workspace.guardrails.require_lease = required;
        let lease_end = change.lease_end.filter(|_| leased);
        let change = Change { verb, lease_end, ..change.clone() };
        assert_eq!(judged(&workspace, change), expected, "{required} {verb} {leased}");
    }
}

#[test]
fn the_longest_lease_is_not_too_long() {
    let mut workspace = workspace();
    for (seconds, expected) in [(72 * 3_600, &[][..]), (72 * 3_600 - 1, &[("max-lease", 1)])] {
        workspace.guardrails.max_lease = Span::from_secs(seconds);
        let plan = planned(&policies(), &workspace, tagged(1).build());
        assert_eq!(said(&plan), expected, "{seconds}");
    }
}

// ── who is protected ─────────────────────────────────────────────────────────────────────────────

#[test]
fn protected_devices_that_nobody_could_look_for_hold_what_restricts() {
    let category = AlertExpr::Term(AlertTerm::Category(vec![Arc::from("CredentialAccess")]));
    let by_alert = DeviceExpr::Term(DeviceTerm::Alert(Box::new(category)));
    let fleet = |missing: Option<What>| {
        missing.into_iter().fold(tagged(2).alert(alert("da1", "pc-0")), Fleet::lacks).build()
    };
    for (protected, missing, expected) in [
        (by_alert.clone(), None, ("protected", 1)),
        (by_alert, Some(What::Alerts), ("protected-unknown", 2)),
        (tag("ir"), Some(What::Alerts), ("protected", 2)),
        // Whoever is not in a partial list of devices is not restricted either.
        (tag("ir"), Some(What::Devices), ("protected", 2)),
    ] {
        let mut workspace = workspace();
        workspace.guardrails.protected = Some(protected);
        let plan = planned(&policies(), &workspace, fleet(missing));
        assert_eq!(said(&plan), [expected], "{missing:?}");
    }
}

#[test]
fn a_name_of_three_is_the_runners_and_shared_by_nobody() {
    let fleet = |count: usize| {
        Fleet::of((0..count).map(|n| Machine::new(&format!("build.site-{n}.example")).tag("ir")))
    };
    let runner = Some(Runner::new(["build".to_owned()], []));
    let around = Circumstances { runner, ..Circumstances::default() };
    for (count, expected) in [(3, ("self-lockout", 3)), (4, ("self-lockout-shared", 0))] {
        let plan = planned_around(&around, &policies(), &workspace(), fleet(count).build());
        assert_eq!(said(&plan), [expected]);
    }
}

/// A device that somebody protects, one that shows itself to be a domain controller, and the runner.
fn spared(fleet: &Fleet, corrected: [Option<DeviceExpr>; 3]) -> Plan {
    let mut workspace = workspace();
    let [protected, also, except] = corrected;
    workspace.guardrails.protected = protected;
    workspace.guardrails.domain_controllers = DomainControllers { also, except };
    let runner = Some(Runner::new(["build".to_owned()], []));
    let around = Circumstances { runner, ..Circumstances::default() };
    planned_around(&around, &policies(), &workspace, fleet.build())
}

#[test]
fn our_pending_action_on_a_device_that_is_protected_by_now_is_cancelled() {
    let machine = |name: &str, tags: &[&str]| {
        tags.iter().fold(Machine::new(name).tag("ir"), |machine, tag| machine.tag(tag))
    };
    let all =
        || Fleet::of([machine("pc", &["vip"]), machine("dc", &["adc"]), machine("build", &[])]);
    let vip = || [Some(tag("vip")), None, None];
    let pending = |name: &str| all().by_us(name, Isolate, Pending, ago(1), "ir");
    for (name, rule, sign) in [
        ("pc", "protected", None),
        ("dc", "domain-controller", Some("tag")),
        ("build", "self-lockout", Some("build")),
    ] {
        let plan = spared(&pending(name), vip());
        let expected = format!("do cancel {name} full -> free (protected-pending)");
        assert_eq!(rows(&plan)[0], expected, "{:?}", rows(&plan));
        let reason = plan.changes[0].reason.as_ref().unwrap();
        let facts = ["rule", "sign", "policy", "pending"].map(|key| reason.text(key));
        let fact = |text: &str| Some(text.to_owned());
        assert_eq!(facts, [fact(rule), sign.and_then(fact), fact("ir"), fact("full")]);
    }
    // A policy that is gone is no reason to wait for somebody.
    let gone = all().by_us("pc", RestrictCodeExecution, Pending, ago(1), "gone");
    let expected = "do cancel pc restricted -> unrestricted (protected-pending)";
    assert!(rows(&spared(&gone, vip())).contains(&expected.to_owned()));
    // What lets go is not raced, what others began is theirs, and nothing is done on a guess.
    let letting = all().by_us("pc", Isolate, Succeeded, ago(9), "ir").by_us(
        "pc",
        Unisolate,
        Pending,
        ago(1),
        "ir",
    );
    let others = all().by_hand("pc", Isolate, Pending, ago(1));
    let by_alert = || {
        let category = AlertExpr::Term(AlertTerm::Category(vec![Arc::from("CredentialAccess")]));
        DeviceExpr::Any(vec![tag("vip"), DeviceExpr::Term(DeviceTerm::Alert(Box::new(category)))])
    };
    let unread = |name: &str| pending(name).lacks(What::Alerts);
    // What a device shows by itself is no guess, whatever else could not be read.
    let shown = spared(&unread("dc"), [None, Some(by_alert()), None]);
    assert_eq!(rows(&shown)[0], "do cancel dc full -> free (protected-pending)");
    for (fleet, corrected, expected) in [
        (letting, vip(), "changing pc isolation in-flight"),
        (others, vip(), "changing pc isolation in-flight-foreign"),
        (pending("pc"), [None, None, None], "changing pc isolation in-flight"),
        (unread("pc"), [Some(by_alert()), None, None], "changing pc isolation in-flight"),
        (unread("pc"), [None, Some(by_alert()), None], "changing pc isolation in-flight"),
        (unread("dc"), [None, None, Some(by_alert())], "changing dc isolation in-flight"),
    ] {
        let plan = spared(&fleet, corrected);
        assert!(rows(&plan).contains(&expected.to_owned()), "{expected}: {:?}", rows(&plan));
    }
}

#[test]
fn what_we_hold_and_what_is_protected_by_now_stays_and_is_told() {
    let machines =
        [Machine::new("pc").tag("ir").tag("vip"), Machine::new("dc").tag("ir").tag("adc")];
    let held = ["pc", "dc"].into_iter().fold(Fleet::of(machines), |fleet, name| {
        fleet.by_us(name, Isolate, Succeeded, ago(9), "ir")
    });
    let vip = || [Some(tag("vip")), None, None];
    let plan = spared(&held, vip());
    let told = |name: &str| format!("held {name} isolation protected-in-force");
    assert_eq!(rows(&plan), [told("dc"), told("pc")]);
    let reason = &plan.held[1].reason;
    let until = Span::from_secs(63 * 3_600 + 60).after(now()).to_string();
    assert_eq!(
        (reason.text("rule").as_deref(), reason.text("until")),
        (Some("protected"), Some(until))
    );
    let settings: Vec<&str> = plan.objections.iter().map(|it| &*it.setting).collect();
    assert_eq!(settings, ["guardrails.domainControllers", "guardrails.protected"]);
    let warned: Vec<_> = plan.objections.iter().map(|it| (&*it.code, it.held, &it.facts)).collect();
    assert_eq!(warned.len(), 2, "{warned:?}");
    for (code, held, facts) in warned {
        assert_eq!((code, held, &facts["devices"]), ("protected-in-force", 0, &1.into()));
    }
    // Nobody is released by it, and everybody is when their time has come.
    let over = held.clone().last_action(|action| action.updated = ago(80));
    let plan = spared(&over, vip());
    assert_eq!(rows(&plan), ["do release dc full -> free (lease-ended)", &*told("pc")]);
    let theirs = Fleet::of(held.machines.clone()).by_hand("pc", Isolate, Succeeded, ago(9));
    assert!(spared(&theirs, vip()).objections.iter().all(|it| it.code != "protected-in-force"));
}

// ── what is let go ───────────────────────────────────────────────────────────────────────────────

#[test]
fn an_orphan_is_kept_by_those_alone_that_took_its_own_devices_over() {
    let until = Span::from_hours(60).after(now());
    let fleet = ["one", "two"].iter().enumerate().fold(tagged(2), |fleet, (n, policy)| {
        let comment = marked_until("contoso-soc", policy, until);
        fleet.action(&format!("pc-{n}"), Isolate, Succeeded, ago(12), &comment, "palisade")
    });
    let mut fleet = fleet;
    fleet.machines[0].tags.clear();
    let mut guarded = workspace();
    guarded.guardrails.hold_orphaned_releases = true;
    // `two` was renamed; of `one` nothing is left.
    let plan = planned(&policies(), &guarded, fleet.build());
    assert_eq!(rows(&plan), ["held pc-0 isolation orphaned-releases"]);
    assert_eq!(plan.leases.len(), 1);
    let facts = &plan.objections[0].facts;
    assert_eq!((facts["policy"].as_str(), facts.get("kept")), (Some("one"), None));
}

// ── jumps ────────────────────────────────────────────────────────────────────────────────────────

#[test]
fn a_selection_that_grew_holds_what_that_policy_places_and_nothing_else() {
    let mut fleet = tagged(9).by_us("pc-0", Isolate, Succeeded, ago(80), "ir");
    fleet.machines.push(Machine::new("kiosk").tag("kiosk"));
    let mut policies = policies();
    policies.restriction.push(restrict("kiosks", tag("kiosk")));
    let selected = [("IsolationSet/ir", 1), ("CodeExecutionRestriction/kiosks", 1)];
    let selected = selected.map(|(policy, count)| (policy.to_owned(), count)).into();
    let seen = LastSeen { run: "run-1".to_owned(), counts: Baseline { devices: 10, selected } };
    let last = LastRun { tenants: [(TENANT_ID.to_owned(), seen)].into(), ..LastRun::default() };
    let around = Circumstances { last, ..Circumstances::default() };
    let mut guarded = workspace();
    guarded.guardrails.shrink = Shrink { inventory: None, selection: Some(Limit::Count(4)) };
    let plan = planned_around(&around, &policies, &guarded, fleet.build());
    assert_eq!(said(&plan), [("selection-grew", 8)]);
    let done: Vec<_> = plan.changes.iter().map(|c| (c.verb, c.target.name.as_str())).collect();
    assert_eq!(done, [(Verb::Restrict, "kiosk"), (Verb::Release, "pc-0")]);
}

// ── rules of the organization ────────────────────────────────────────────────────────────────────

fn ruled(entry: &str) -> Plan {
    let text = format!("package own\ndeny contains {entry}\n");
    let rules = vec![SourceText { file: "guardrails/own.rego".into(), text: text.into() }];
    let restriction = vec![restrict("ir", tag("ir"))];
    let policies = PolicySet { restriction, rules, ..policies() };
    planned(&policies, &workspace(), tagged(2).build())
}

#[test]
fn a_denial_of_a_verb_holds_that_verb() {
    let plan = ruled("{\"msg\": \"m\", \"verb\": \"restrict\"}");
    let verbs = |verb| (plan.changes.iter().all(|it| it.verb == verb), plan.changes.len());
    assert_eq!(verbs(Verb::Isolate), (true, 2));
    assert!(plan.held.iter().all(|row| row.verb == Some(Verb::Restrict)));
    assert_eq!(plan.objections[0].facts.get("more"), None, "there is one sentence");
}

#[test]
fn a_code_is_what_may_follow_lift_whatever_it_was_written_as() {
    for (code, expected) in [
        ("night", "rego-night"),
        ("!!No  Way??", "rego-no-way"),
        ("-a--B-", "rego-a-b"),
        ("\u{fc}ber 9", "rego-ber-9"),
    ] {
        let plan = ruled(&format!("{{\"msg\": \"m\", \"code\": \"{code}\"}}"));
        assert_eq!(said(&plan), [(expected, 4)], "{code}");
    }
}
