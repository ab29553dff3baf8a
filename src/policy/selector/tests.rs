//! What each term means, by table; and that the compiled form means the same, by property.

use std::collections::BTreeSet;
use std::sync::Arc;

use roaring::RoaringBitmap;

use crate::inventory::testing::{NOW, alert, at, builder, device, id};
use crate::inventory::{AlertRow, Builder, DeviceRow, Inventory, What};
use crate::model::{
    AlertStatus, AvStatus, Classification, DeviceId, DeviceValue, Exposure, Health, IncidentId,
    Onboarding, OsFamily, Risk, Severity, Span,
};
use crate::policy::selector::ast::{
    AgeMatch, AlertExpr, AlertTerm, DeviceExpr, DeviceTerm, Glob, Op, OrderedMatch, OsMatch,
    SiteRef,
};
use crate::policy::selector::{
    alert_reads, alerts_matching, explain_device, is_void, matched_alert_terms, matched_terms,
    matches_alert, matches_device, reads, select, select_all,
};

mod answers;
mod equivalence;

fn globs(texts: &[&str]) -> Vec<Glob> {
    texts.iter().map(|text| Glob { text: Arc::from(*text) }).collect()
}

fn words(texts: &[&str]) -> Vec<Arc<str>> {
    texts.iter().map(|text| Arc::from(*text)).collect()
}

fn term(term: DeviceTerm) -> DeviceExpr {
    DeviceExpr::Term(term)
}

fn not(expr: DeviceExpr) -> DeviceExpr {
    DeviceExpr::Not(Box::new(expr))
}

fn age(op: Op, days: u64) -> Vec<AgeMatch> {
    vec![AgeMatch { op, age: Span::from_days(days) }]
}

fn ordered<T>(op: Op, value: T) -> Vec<OrderedMatch<T>> {
    vec![OrderedMatch { op, value }]
}

fn site(groups: &[&str], tags: &[&str], tenants: &[&str]) -> DeviceTerm {
    let site = SiteRef {
        path: Arc::from("acme/emea"),
        groups: words(groups),
        tags: words(tags),
        tenants: words(tenants),
    };
    DeviceTerm::Site(vec![site])
}

/// Device 1 has everything, device 2 says nothing, device 3 is a merged record of 1.
fn rows() -> Builder {
    let mut builder = builder();
    builder.device(DeviceRow {
        group: "EMEA-Servers",
        tags: vec!["IR-7781", "Ünïcode", "[prod]"],
        platform: "WindowsServer2022",
        version: "21H2",
        ips: ["10.7.0.41", "2001:db8::5"].map(|text| text.parse().unwrap()).to_vec(),
        health: Health::ImpairedCommunication,
        risk: Risk::Medium,
        exposure: Exposure::Low,
        value: DeviceValue::High,
        last_seen: Some(at("2026-11-17T12:00:00Z")),
        ..device(1, "Web-01.shop.example")
    });
    builder.device(DeviceRow {
        platform: "",
        version: "",
        health: Health::Unknown,
        onboarding: Onboarding::InsufficientInfo,
        av_status: AvStatus::Unknown,
        joined: false,
        managed_by: "",
        last_seen: None,
        ..device(2, "")
    });
    builder.device(DeviceRow { merged_into: Some(id(1)), ..device(3, "old") });
    builder.alert(AlertRow {
        severity: Severity::High,
        mitre: words(&["T1059.001"]),
        incident: Some("42".into()),
        assigned_to: Some(Arc::from("Ann@contoso.example")),
        created: at("2026-11-20T12:00:00Z"),
        ..alert(1, "Suspicious 'Mimikatz' tool", &[3, 99])
    });
    builder.alert(AlertRow { severity: Severity::Low, ..alert(2, "Cleared log", &[]) });
    builder
}

fn chosen(inventory: &Inventory, expr: &DeviceExpr) -> Vec<u32> {
    let now = at(NOW);
    let plain: Vec<u32> = [1u32, 2]
        .into_iter()
        .filter(|number| {
            let device = inventory.find(&id(*number)).unwrap();
            matches_device(inventory, expr, device, now)
        })
        .collect();
    let compiled = select(inventory, expr, now);
    let same: RoaringBitmap =
        plain.iter().map(|number| inventory.find(&id(*number)).unwrap().0).collect();
    assert_eq!(compiled, same, "{expr:?}");
    plain
}

#[test]
fn device_terms_mean_what_they_say() {
    let inventory = rows().build();
    let net = |text: &str| DeviceTerm::Ip(vec![text.parse().unwrap()]);
    let family = |family| DeviceTerm::Os(vec![OsMatch::Family(family)]);
    let incident = |text: &str| DeviceTerm::Incident(vec![text.into()]);
    let table: Vec<(DeviceTerm, &[u32])> = vec![
        (DeviceTerm::Id(vec![id(2)]), &[2]),
        (DeviceTerm::Id(vec![id(3)]), &[1]),
        (DeviceTerm::Id(vec![id(99)]), &[]),
        (DeviceTerm::Name(globs(&["web-*"])), &[1]),
        (DeviceTerm::Name(globs(&["WEB-01"])), &[1]),
        (DeviceTerm::Name(globs(&["*.shop.example"])), &[1]),
        (DeviceTerm::Name(globs(&["shop"])), &[]),
        (DeviceTerm::Name(globs(&["web-0[2-9]", "web-?1"])), &[1]),
        (DeviceTerm::Name(globs(&["*"])), &[1]),
        (DeviceTerm::Name(globs(&["web-[0"])), &[]),
        (DeviceTerm::Group(words(&["emea-SERVERS"])), &[1]),
        (DeviceTerm::Group(words(&["EMEA"])), &[]),
        (DeviceTerm::Group(words(&[""])), &[]),
        (DeviceTerm::Tag(globs(&["ir-7781"])), &[1]),
        (DeviceTerm::Tag(globs(&["ÜNÏCODE"])), &[1]),
        (DeviceTerm::Tag(globs(&["ir-*"])), &[1]),
        (DeviceTerm::Tag(globs(&["[PROD]"])), &[1]),
        (DeviceTerm::Tag(globs(&["p"])), &[]),
        (site(&["emea-servers"], &[], &[]), &[1]),
        (site(&["x"], &["IR-7781"], &["contoso"]), &[1]),
        (site(&["emea-servers"], &[], &["fabrikam"]), &[]),
        (site(&[], &[], &["Contoso"]), &[1, 2]),
        (site(&[], &[], &[]), &[]),
        (family(OsFamily::WindowsServer), &[1]),
        (family(OsFamily::Windows), &[]),
        (family(OsFamily::Other), &[]),
        (DeviceTerm::Os(vec![OsMatch::Platform(Arc::from("windowsserver2022"))]), &[1]),
        (DeviceTerm::Version(globs(&["21h*"])), &[1]),
        (DeviceTerm::Version(globs(&["*"])), &[1]),
        (net("10.7.0.0/16"), &[1]),
        (net("10.8.0.0/16"), &[]),
        (net("2001:db8::/32"), &[1]),
        (net("0.0.0.0/0"), &[1]),
        (DeviceTerm::Health(vec![Health::Active, Health::Unknown]), &[2]),
        (DeviceTerm::Risk(ordered(Op::Ge, Risk::Medium)), &[1]),
        (DeviceTerm::Risk(ordered(Op::Lt, Risk::Low)), &[2]),
        (DeviceTerm::Risk(ordered(Op::Eq, Risk::None)), &[2]),
        (DeviceTerm::Exposure(ordered(Op::Le, Exposure::Low)), &[1, 2]),
        (DeviceTerm::Value(ordered(Op::Gt, DeviceValue::Normal)), &[1]),
        (DeviceTerm::Onboarding(vec![Onboarding::Onboarded]), &[1]),
        (DeviceTerm::Joined(true), &[1]),
        (DeviceTerm::Joined(false), &[2]),
        (DeviceTerm::ManagedBy(words(&["intune"])), &[1]),
        (DeviceTerm::ManagedBy(words(&[""])), &[]),
        (DeviceTerm::AvStatus(vec![AvStatus::Updated]), &[1]),
        // Seen exactly seven days ago; device 2 was never seen.
        (DeviceTerm::Seen(age(Op::Lt, 7)), &[]),
        (DeviceTerm::Seen(age(Op::Le, 7)), &[1]),
        (DeviceTerm::Seen(age(Op::Gt, 7)), &[2]),
        (DeviceTerm::Seen(age(Op::Ge, 7)), &[1, 2]),
        (DeviceTerm::Seen(age(Op::Lt, 8)), &[1]),
        (incident("42"), &[1]),
        (incident("7"), &[]),
        (DeviceTerm::Alert(Box::new(alert_severity(Op::Ge, Severity::High))), &[1]),
        (DeviceTerm::Alert(Box::new(alert_severity(Op::Eq, Severity::Low))), &[]),
    ];
    for (wanted, expected) in table {
        assert_eq!(chosen(&inventory, &term(wanted.clone())), expected, "{wanted:?}");
    }
}

fn alert_severity(op: Op, severity: Severity) -> AlertExpr {
    AlertExpr::Term(AlertTerm::Severity(ordered(op, severity)))
}

#[test]
fn alert_terms_mean_what_they_say() {
    let inventory = rows().build();
    let on_device = |expr| AlertTerm::Device(Box::new(expr));
    let table: Vec<(AlertTerm, &[&str])> = vec![
        (AlertTerm::Id(words(&["da0001_1", "x"])), &["da0001_1"]),
        (AlertTerm::Id(words(&["DA0001_1"])), &[]),
        (AlertTerm::Title(globs(&["*mimikatz*"])), &["da0001_1"]),
        (AlertTerm::Title(globs(&["mimikatz"])), &[]),
        (AlertTerm::Severity(ordered(Op::Le, Severity::Medium)), &["da0002_1"]),
        (AlertTerm::Status(vec![AlertStatus::New]), &["da0001_1", "da0002_1"]),
        (AlertTerm::Category(words(&["execution"])), &["da0001_1", "da0002_1"]),
        (AlertTerm::DetectionSource(words(&["ANTIVIRUS"])), &["da0001_1", "da0002_1"]),
        (AlertTerm::ServiceSource(words(&["microsoftSentinel"])), &[]),
        (AlertTerm::Classification(vec![Classification::TruePositive]), &[]),
        (AlertTerm::AssignedTo(vec![None]), &["da0002_1"]),
        (AlertTerm::AssignedTo(vec![Some(Arc::from("ann@CONTOSO.example"))]), &["da0001_1"]),
        (AlertTerm::AssignedTo(vec![Some(Arc::from(""))]), &[]),
        (AlertTerm::MitreTechnique(words(&["t1059"])), &["da0001_1"]),
        (AlertTerm::MitreTechnique(words(&["T1059.001"])), &["da0001_1"]),
        (AlertTerm::MitreTechnique(words(&["T105", "T1059.00"])), &[]),
        (AlertTerm::Incident(vec!["42".into()]), &["da0001_1"]),
        (AlertTerm::Created(age(Op::Lt, 1)), &["da0002_1"]),
        (AlertTerm::Created(age(Op::Ge, 4)), &["da0001_1"]),
        (on_device(term(DeviceTerm::Tag(globs(&["ir-7781"])))), &["da0001_1"]),
        (on_device(DeviceExpr::Everything), &["da0001_1"]),
        (on_device(not(term(DeviceTerm::Tag(globs(&["ir-7781"]))))), &[]),
    ];
    let now = at(NOW);
    for (wanted, expected) in table {
        let expr = AlertExpr::Term(wanted);
        let plain: Vec<&str> = inventory
            .alerts()
            .iter()
            .filter(|alert| matches_alert(&inventory, &expr, alert, now))
            .map(|alert| alert.id.as_str())
            .collect();
        assert_eq!(plain, expected, "{expr:?}");
        let compiled = alerts_matching(&inventory, &expr, now);
        let compiled: Vec<&str> =
            compiled.iter().map(|at| inventory.alerts()[at as usize].id.as_str()).collect();
        assert_eq!(compiled, expected, "compiled {expr:?}");
    }
}

#[test]
fn no_empty_form_ever_means_everything() {
    let inventory = rows().build();
    let all = |parts: Vec<DeviceExpr>| DeviceExpr::All(parts);
    let any = |parts: Vec<DeviceExpr>| DeviceExpr::Any(parts);
    let everything = || DeviceExpr::Everything;
    let no_alert = || term(DeviceTerm::Alert(Box::new(AlertExpr::Any(vec![]))));
    let void: Vec<DeviceExpr> = vec![
        all(vec![]),
        any(vec![]),
        not(all(vec![])),
        not(not(any(vec![]))),
        not(all(vec![everything(), any(vec![])])),
        all(vec![everything(), not(any(vec![]))]),
        any(vec![all(vec![]), not(all(vec![]))]),
        not(any(vec![any(vec![]), all(vec![])])),
        term(DeviceTerm::Group(vec![])),
        not(term(DeviceTerm::Tag(vec![]))),
        not(term(site(&[], &[], &[]))),
        not(no_alert()),
        term(DeviceTerm::Alert(Box::new(AlertExpr::Not(Box::new(AlertExpr::All(vec![])))))),
    ];
    for expr in void {
        assert!(is_void(&expr), "{expr:?}");
        assert_eq!(chosen(&inventory, &expr), [0u32; 0], "{expr:?}");
    }
    let rest = any(vec![any(vec![]), term(DeviceTerm::Joined(true))]);
    assert_eq!(chosen(&inventory, &rest), [1], "a void alternative takes nothing away");
    assert_eq!(chosen(&inventory, &not(rest)), [2]);
    assert_eq!(chosen(&inventory, &everything()), [1, 2]);
}

#[test]
fn matched_terms_name_the_fact() {
    let inventory = rows().build();
    let first = inventory.find(&id(1)).unwrap();
    let second = inventory.find(&id(2)).unwrap();
    let expr = DeviceExpr::All(vec![
        term(DeviceTerm::Tag(globs(&["nope", "ir-7781"]))),
        DeviceExpr::Any(vec![
            term(DeviceTerm::Os(vec![OsMatch::Family(OsFamily::WindowsServer)])),
            DeviceExpr::All(vec![
                term(DeviceTerm::Joined(true)),
                term(DeviceTerm::Group(words(&["other"]))),
            ]),
        ]),
        term(DeviceTerm::Name(globs(&["web-*"]))),
        term(DeviceTerm::Risk(ordered(Op::Ge, Risk::Low))),
        not(term(DeviceTerm::Value(ordered(Op::Eq, DeviceValue::Low)))),
        term(DeviceTerm::Seen(age(Op::Le, 7))),
    ]);
    assert_eq!(
        matched_terms(&inventory, &expr, first, at(NOW)),
        [
            "tag=IR-7781",
            "os=windowsServer",
            "name=web-* (Web-01.shop.example)",
            "risk>=low (medium)",
            "seen<=7d (2026-11-17T12:00:00Z)",
        ]
    );
    assert!(matched_terms(&inventory, &expr, second, at(NOW)).is_empty());
    let everything = matched_terms(&inventory, &DeviceExpr::Everything, second, at(NOW));
    assert_eq!(everything, ["everything"]);
    let expr = AlertExpr::All(vec![
        alert_severity(Op::Ge, Severity::Medium),
        AlertExpr::Term(AlertTerm::MitreTechnique(words(&["T1059"]))),
    ]);
    let terms = matched_alert_terms(&inventory, &expr, &inventory.alerts()[0], at(NOW));
    assert_eq!(terms, ["severity>=medium (high)", "mitreTechnique=T1059 (T1059.001)"]);
}

#[test]
fn an_explanation_shows_each_term_with_its_fact() {
    let inventory = rows().build();
    let device = inventory.find(&id(1)).unwrap();
    let expr = DeviceExpr::All(vec![
        term(DeviceTerm::Risk(ordered(Op::Ge, Risk::High))),
        not(term(DeviceTerm::Tag(globs(&["a", "b*"])))),
    ]);
    let tree = explain_device(&inventory, &expr, device, at(NOW));
    assert_eq!((tree.text.as_str(), tree.matched), ("all", false));
    let [risk, no_tag] = tree.parts.as_slice() else { panic!("two parts: {tree:?}") };
    assert_eq!((risk.text.as_str(), risk.matched), ("risk>=high", false));
    assert_eq!(risk.fact.as_deref(), Some("medium"));
    assert!(no_tag.matched);
    assert_eq!(no_tag.parts[0].text, "tag=a|b*");
    assert_eq!(no_tag.parts[0].fact.as_deref(), Some("IR-7781, Ünïcode, [prod]"));
}

#[test]
fn what_a_selector_depends_on_is_known() {
    let on_alert = not(term(DeviceTerm::Alert(Box::new(alert_severity(Op::Eq, Severity::Low)))));
    let by_tag = term(DeviceTerm::Tag(globs(&["a"])));
    assert_eq!(reads(&by_tag), BTreeSet::from([What::Devices]));
    assert_eq!(reads(&on_alert), BTreeSet::from([What::Devices, What::Alerts]));
    let by_device = AlertExpr::Term(AlertTerm::Device(Box::new(by_tag)));
    assert_eq!(alert_reads(&by_device), BTreeSet::from([What::Devices, What::Alerts]));
    assert_eq!(alert_reads(&alert_severity(Op::Eq, Severity::Low)), BTreeSet::from([What::Alerts]));
}
