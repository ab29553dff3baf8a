//! Accepting deviations: which rows of a plan can be accepted, why others cannot, and what is written.

use super::fleet::{Fleet, Machine, ago, at, device_id, now};
use super::planned;
use super::policies::{exempt, isolate, restrict, scan, set, tag, workspace};
use crate::inventory::What;
use crate::model::ActionKind::{Isolate, RestrictCodeExecution};
use crate::model::ActionStatus::{Pending, Succeeded};
use crate::model::{Facet, Span};
use crate::plan::accept::{About, Deviation, Refusal, accepted_already, deviations, documents};
use crate::plan::types::{Disposition, Plan};
use crate::policy::PolicySet;
use crate::policy::document::PolicyDocument;

fn policies() -> PolicySet {
    PolicySet {
        isolation: vec![isolate("ir", tag("ir"))],
        restriction: vec![restrict("kiosk", tag("kiosk"))],
        scans: vec![scan("weekly", tag("scan"), "0 3 * * *")],
        ..set()
    }
}

fn plan(fleet: &Fleet) -> Plan {
    planned(&policies(), &workspace(), fleet.build())
}

fn of(plan: &Plan, name: &str, facets: &[Facet]) -> Result<Vec<Deviation>, Refusal> {
    deviations(plan, "contoso", &device_id(name), name, facets)
}

/// Facet, live value and disposition of each deviation.
fn told(found: &[Deviation]) -> Vec<(Facet, Option<&str>, Disposition)> {
    found.iter().map(|it| (it.facet, it.live.as_deref(), it.disposition)).collect()
}

#[test]
fn what_a_policy_wants_otherwise_is_accepted_as_it_is() {
    let fleet = Fleet::of([
        Machine::new("pc-1").tag("ir").tag("kiosk"),
        Machine::new("pc-2").tag("ir"),
        Machine::new("pc-3"),
    ]);
    let plan = plan(&fleet);
    assert_eq!(
        told(&of(&plan, "pc-1", &[]).unwrap()),
        [
            (Facet::Isolation, Some("free"), Disposition::Do),
            (Facet::CodeExecution, Some("unrestricted"), Disposition::Do),
        ]
    );
    let named = of(&plan, "pc-1", &[Facet::CodeExecution]).unwrap();
    assert_eq!(told(&named), [(Facet::CodeExecution, Some("unrestricted"), Disposition::Do)]);
    let other = deviations(&plan, "fabrikam", &device_id("pc-1"), "pc-1", &[]);
    assert!(matches!(other, Err(Refusal::None { .. })), "{other:?}");
    assert_eq!(of(&plan, "pc-3", &[]).unwrap_err().to_string(), "`pc-3` does not deviate",);
    let facets = [Facet::Isolation, Facet::CodeExecution];
    assert_eq!(
        of(&plan, "pc-3", &facets).unwrap_err().to_string(),
        "`pc-3` does not deviate in isolation, codeExecution",
    );
}

#[test]
fn what_somebody_else_placed_and_what_is_held_is_accepted() {
    let machines = [Machine::new("pc-1"), Machine::new("pc-2").tag("ir"), Machine::new("pc-3")];
    let fleet = Fleet::of(machines)
        .by_hand("pc-1", Isolate, Succeeded, ago(50))
        .by_hand("pc-1", RestrictCodeExecution, Succeeded, ago(40))
        .by_hand("pc-2", Isolate, Succeeded, ago(90))
        .by_hand("pc-2", crate::model::ActionKind::Unisolate, Succeeded, ago(3));
    let plan = plan(&fleet);
    assert_eq!(
        told(&of(&plan, "pc-1", &[Facet::Isolation]).unwrap()),
        [(Facet::Isolation, Some("full"), Disposition::Foreign)]
    );
    assert_eq!(of(&plan, "pc-1", &[]).unwrap().len(), 2);
    let quiet = of(&plan, "pc-3", &[]);
    assert!(matches!(quiet, Err(Refusal::None { .. })), "what is said of others: {quiet:?}");
    let elsewhere = deviations(&plan, "fabrikam", &device_id("pc-1"), "pc-1", &[]);
    assert!(matches!(elsewhere, Err(Refusal::None { .. })), "{elsewhere:?}");
    let found = of(&plan, "pc-1", &[Facet::Isolation]).unwrap();
    assert_eq!(found[0].reason.as_ref().unwrap().code, "held-by-other");
}

#[test]
fn a_scan_is_exempted_only_by_name_and_has_no_value() {
    let plan = plan(&Fleet::of([Machine::new("pc-1").tag("scan")]));
    assert_eq!(plan.changes.len() + plan.held.len(), 1, "{plan:?}");
    assert!(matches!(of(&plan, "pc-1", &[]), Err(Refusal::None { .. })));
    let found = of(&plan, "pc-1", &[Facet::Scan]).unwrap();
    assert_eq!((found[0].facet, found[0].live.as_deref()), (Facet::Scan, None));
}

#[test]
fn what_is_unknown_in_flight_or_exempted_is_refused_with_its_reason() {
    let pc = || Fleet::of([Machine::new("pc-1").tag("ir")]);
    let refused = |plan: &Plan| of(plan, "pc-1", &[]).unwrap_err().to_string();
    let unknown = plan(&pc().lacks(What::Actions));
    assert_eq!(refused(&unknown), "the isolation of `pc-1` is not known: history-partial");
    let flying = plan(&pc().by_hand("pc-1", Isolate, Pending, ago(0)));
    assert_eq!(refused(&flying), "an action on the isolation of `pc-1` is in flight");
    // Ours, and wanted by nobody any more: the plan cancels it, which is not a value either.
    let free = Fleet::of([Machine::new("pc-1")]);
    let cancelled = plan(&free.by_us("pc-1", Isolate, Pending, ago(0), "ir"));
    assert_eq!(refused(&cancelled), "an action on the isolation of `pc-1` is in flight");
    let expires = Span::from_days(90).after(now());
    let exemptions = vec![exempt("vip", tag("ir"), &[Facet::Isolation], expires)];
    let exempted = planned(&PolicySet { exemptions, ..policies() }, &workspace(), pc().build());
    assert_eq!(refused(&exempted), "the isolation of `pc-1` is exempted already, by `vip`");
}

#[test]
fn what_has_left_an_accepted_value_is_not_accepted_by_a_second_exemption() {
    let end = Span::from_days(9).after(now());
    let mut accepting = exempt("kept", tag("ir"), &[Facet::Isolation], end);
    accepting.accepted.isolation = Some(crate::model::Isolation::Full);
    let exempted = PolicySet { exemptions: vec![accepting], ..policies() };
    let moved = Fleet::of([Machine::new("pc-1").tag("ir")]);
    let plan = planned(&exempted, &workspace(), moved.build());
    assert_eq!(plan.held[0].reason.code, "accepted-moved");
    let refused = of(&plan, "pc-1", &[]).unwrap_err().to_string();
    assert_eq!(refused, "the isolation of `pc-1` is exempted already, by `kept`");
}

#[test]
fn devices_that_deviate_alike_share_a_document() {
    let fleet = Fleet::of([
        Machine::new("pc-1").tag("ir"),
        Machine::new("pc-2").tag("ir").tag("kiosk"),
        Machine::new("pc-3").tag("ir"),
        Machine::new("pc-4").tag("scan"),
    ]);
    let plan = plan(&fleet);
    let mut found = Vec::new();
    for name in ["pc-1", "pc-2", "pc-3"] {
        found.extend(of(&plan, name, &[]).unwrap());
    }
    found.extend(of(&plan, "pc-4", &[Facet::Scan]).unwrap());
    let about = About {
        name: "kept",
        reason: "IR-7",
        approver: "ciso",
        expires: at("2026-12-24T00:00:00Z"),
    };
    let written = documents(&found, &about, |name| format!("<{name}>"));
    let told: Vec<_> = written
        .iter()
        .map(|document| match document {
            PolicyDocument::Exemption(metadata, spec) => (metadata, spec),
            other => panic!("{other:?}"),
        })
        .map(|(metadata, spec)| {
            let yaml = serde_json::to_value(spec).unwrap();
            (serde_json::to_value(metadata).unwrap(), yaml)
        })
        .collect();
    let id = |name: &str| device_id(name).to_string();
    let names: Vec<_> = told.iter().map(|(metadata, _)| metadata["name"].clone()).collect();
    assert_eq!(names, ["kept", "kept-2", "kept-3"]);
    let descriptions: Vec<_> =
        told.iter().map(|(metadata, _)| metadata["description"].clone()).collect();
    assert_eq!(
        descriptions,
        [
            "Accepted on <pc-1>, <pc-3>: isolation free",
            "Accepted on <pc-2>: isolation free, codeExecution unrestricted",
            "Accepted on <pc-4>",
        ]
    );
    assert_eq!(
        told[0].1,
        serde_json::json!({
            "devices": {"id": [id("pc-1"), id("pc-3")]},
            "facets": "isolation",
            "accepted": {"isolation": "free"},
            "reason": "IR-7",
            "approver": "ciso",
            "expires": "2026-12-24T00:00:00Z",
        })
    );
    assert_eq!(told[1].1["facets"], serde_json::json!(["isolation", "codeExecution"]));
    assert_eq!(
        told[1].1["accepted"],
        serde_json::json!({"isolation": "free", "codeExecution": "unrestricted"})
    );
    assert_eq!(
        (told[2].1["facets"].clone(), told[2].1.get("accepted").cloned()),
        (serde_json::json!("scan"), None)
    );
}

#[test]
fn a_device_that_is_accepted_already_says_by_which_exemption() {
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir"), Machine::new("pc-2").tag("other")]);
    let (inventory, end) = (fleet.build(), Span::from_days(30).after(now()));
    let mut kept = exempt("kept", tag("ir"), &[Facet::Isolation, Facet::CodeExecution], end);
    kept.accepted.isolation = Some(crate::model::Isolation::Full);
    let policies = PolicySet {
        exemptions: vec![exempt("broad", tag("other"), &[Facet::Isolation], end), kept],
        ..set()
    };
    let of = |name: &str, facets: &[Facet]| {
        let device = inventory.find(&device_id(name)).unwrap();
        accepted_already(&policies, &inventory, device, facets, now()).map(|it| it.to_string())
    };
    let said = "the isolation of `pc-1` is exempted already, by `kept`";
    assert_eq!(of("pc-1", &[]).as_deref(), Some(said));
    assert_eq!(of("pc-1", &[Facet::Isolation]).as_deref(), Some(said));
    // One without an accepted value is no deviation that was accepted.
    assert_eq!((of("pc-1", &[Facet::CodeExecution]), of("pc-2", &[])), (None, None));
}

#[test]
fn a_device_that_is_named_twice_is_told_once() {
    let plan = plan(&Fleet::of([Machine::new("pc-1").tag("ir")]));
    let found = of(&plan, "pc-1", &[]).unwrap();
    let about = About { name: "n", reason: "r", approver: "a", expires: now() };
    let once = documents(&found, &about, str::to_owned);
    assert_eq!(documents(&[found.clone(), found].concat(), &about, str::to_owned), once);
}

/// What is pending is not what is live, whatever the plan makes of it and whether it is held.
#[test]
fn an_action_that_is_to_be_cancelled_is_no_value() {
    let pending = |policy: &str, held_as: &str| {
        let fleet = Fleet::of([Machine::new("pc-1").tag(held_as)]);
        fleet.by_us("pc-1", Isolate, Pending, ago(1), policy)
    };
    let mut guarded = workspace();
    guarded.guardrails.protected = Some(tag("till"));
    guarded.guardrails.hold_orphaned_releases = true;
    for (policy, held_as, code) in [
        ("ir", "office", "no-longer-selected"),
        ("ir", "till", "protected-pending"),
        ("gone", "office", "orphaned-releases"),
    ] {
        let plan = planned(&policies(), &guarded, pending(policy, held_as).build());
        let changes = plan.changes.iter().filter_map(|change| change.reason.as_ref());
        let reasons: Vec<_> = changes.chain(plan.held.iter().map(|row| &row.reason)).collect();
        assert_eq!(reasons.iter().map(|reason| reason.code.as_str()).collect::<Vec<_>>(), [code]);
        let refused = of(&plan, "pc-1", &[]).unwrap_err();
        assert!(matches!(refused, Refusal::Changing { .. }), "{code}: {refused:?}");
    }
}
