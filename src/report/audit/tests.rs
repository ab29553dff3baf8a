//! An audit of hand-made plans: counts that add up, causes, and every format.

use super::text::values;
use super::*;
use crate::model::{DeviceValue, Verb};
use crate::plan::standing::{ExemptionState, Then};
use crate::report::Style;
use crate::report::plan::tests::samples::{add_up, busy, empty, fits, golden, partial};

fn policy(name: &str, selected: u32) -> PolicyRow {
    PolicyRow {
        tenant: "contoso".into(),
        facet: Facet::Isolation,
        kind: "IsolationSet".into(),
        name: name.into(),
        file: format!("policies/{name}.yaml"),
        line: 1,
        audit: false,
        selected,
    }
}

fn exemption(name: &str, state: ExemptionState) -> ExemptionRow {
    ExemptionRow {
        tenant: "contoso".into(),
        name: name.into(),
        file: format!("policies/{name}.yaml"),
        line: 3,
        state,
        expires: "2026-11-27T00:00:00Z".parse().unwrap(),
        reason: "a board meeting".into(),
        approver: "ciso@contoso.example".into(),
        devices: 4,
        accepted: 2,
    }
}

fn sample() -> Plan {
    let mut plan = busy();
    let because = |change: &&Change| change.verb == Verb::Isolate;
    let name = plan.changes.iter().find(because).map(|it| it.because[0].name.clone()).unwrap();
    plan.policies = vec![policy(&name, 300), policy("quiet", 12)];
    plan.exemptions = vec![exemption("vip", ExemptionState::Ending)];
    let change = plan.changes[0].clone();
    plan.ending = vec![LeaseRow {
        tenant: change.tenant,
        target: change.target,
        facet: Facet::Isolation,
        value: "full".into(),
        because: change.because,
        ends: "2026-11-23T20:00:00Z".parse().unwrap(),
        written: None,
        then: Then::Release,
        reason: None,
        action: "action-1".into(),
        since: "2026-11-20T20:00:00Z".parse().unwrap(),
    }];
    plan
}

#[test]
fn the_counts_add_up_to_the_plan() {
    for plan in [busy(), partial(), add_up(empty(), 40)] {
        let audit = Audit::of(&plan);
        let deviating: u32 = audit.deviating.values().sum();
        assert_eq!(audit.as_intended + deviating, plan.summary.total);
        assert_eq!(deviating as usize, audit.deviations.len());
        assert_eq!(audit.is_complete(), plan.tenants.iter().all(|tenant| tenant.complete));
    }
    let nothing = Audit::of(&add_up(empty(), 40));
    assert_eq!((nothing.faults(), nothing.as_intended), (0, 40));
}

#[test]
fn a_policy_counts_what_it_selects_less_what_deviates() {
    let plan = sample();
    let audit = Audit::of(&plan);
    for policy in &audit.policies {
        let own = audit.deviations.iter().filter(|it| it.concerns(&policy.policy) && !is_left(it));
        let own: BTreeSet<&str> = own.map(|it| it.target.id.as_str()).collect();
        assert_eq!(policy.as_intended as usize + own.len(), policy.policy.selected as usize);
    }
    assert!(audit.policies[0].as_intended < 300 && audit.policies[1].as_intended == 12);
}

#[test]
fn causes_follow_disposition_and_reason() {
    let of = |disposition, code: &str| Cause::of(disposition, Some(&Reason::new(code)));
    for (disposition, code, cause) in [
        (Disposition::Do, "strengthened", Cause::Pending),
        (Disposition::Do, "lease-ended", Cause::Expired),
        (Disposition::Held, "not-yet", Cause::Pending),
        (Disposition::Held, "on-expiry-hold", Cause::Expired),
        (Disposition::Held, "exemption", Cause::Exempt),
        (Disposition::Held, "accepted-moved", Cause::Moved),
        (Disposition::Held, "released-by-hand", Cause::Held),
        (Disposition::Foreign, "held-by-other", Cause::Foreign),
        (Disposition::Foreign, "adopted-lease-ended", Cause::Expired),
        (Disposition::Unknown, "history-partial", Cause::Unknown),
        (Disposition::Cannot, "platform-unsupported", Cause::Cannot),
        (Disposition::Changing, "in-flight", Cause::Changing),
    ] {
        assert_eq!(of(disposition, code), cause, "{code}");
    }
    assert!(!Cause::Exempt.is_fault() && Cause::Moved.is_fault());
}

#[test]
fn evidence_is_action_person_and_time() {
    let mut plan = empty();
    let mut entry = busy().foreign.remove(0);
    entry.reason = Reason::new("held-by-other")
        .with("by", "ana\u{202e}<b>")
        .with("since", "2026-11-23T08:01:00Z")
        .with("action", "action-7");
    entry.target.name = "pc-&\"\u{1b}".into();
    entry.target.value = Some(DeviceValue::High);
    plan.tenants = busy().tenants;
    plan.foreign = vec![entry];
    let audit = Audit::of(&add_up(plan, 2));
    let evidence = &audit.deviations[0].evidence;
    assert_eq!(evidence.action.as_deref(), Some("action-7"));
    assert_eq!(evidence.at.as_deref(), Some("2026-11-23T08:01:00Z"));
    let shown = text(&audit, Style::new(160, false)).replace('\u{a0}', " ");
    assert!(shown.contains("action action-7 by ana"), "{shown}");
    let mut scan = audit.deviations[0].clone();
    scan.actual = Some("2026-11-24T13:15:48.1271422Z".into());
    assert!(values(&scan).replace('\u{a0}', " ").starts_with("is 2026-11-24 13:15Z,"));
    for text in [shown, markdown(&audit), junit(&audit)] {
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }
    let xml = junit(&audit);
    assert!(xml.contains("pc-&amp;&quot;") && !xml.contains("<b>"), "{xml}");
}

#[test]
fn every_format_shows_the_same() {
    let audit = Audit::of(&sample());
    for width in [60, 100] {
        let shown = text(&audit, Style::new(width, false));
        fits(&shown, width);
        golden(&format!("audit-{width}.txt"), &shown);
    }
    let painted = text(&audit, Style::new(100, true));
    let plain = text(&audit, Style::new(100, false));
    assert_eq!(anstream::adapter::strip_str(&painted).to_string(), plain);
    golden("audit.md", &markdown(&audit));
    golden("audit.junit.xml", &junit(&audit));
    let json: serde_json::Value = serde_json::from_str(&audit.json()).unwrap();
    let validator = jsonschema::draft202012::new(&schema()).unwrap();
    assert!(validator.is_valid(&json));
    assert_eq!(json["formatVersion"], 1);
    assert_eq!(json["deviations"].as_array().unwrap().len(), audit.deviations.len());
}

#[test]
fn an_incomplete_observation_is_said_first() {
    let audit = Audit::of(&partial());
    let shown = text(&audit, Style::new(100, false));
    assert!(shown.contains("INCOMPLETE") && shown.contains("Incomplete observation."), "{shown}");
    assert!(markdown(&audit).contains("**INCOMPLETE**"));
    assert!(junit(&audit).contains("name=\"complete observation\">"));
}
