//! What a selector tells beside its answer: what triggered it, which facts it saw; and the edges of
//! void forms and of ages.

use super::*;
use crate::policy::selector::DeviceTerms;
use crate::policy::selector::interpret::is_age;
use crate::policy::selector::is_void_alert;
use crate::policy::selector::trigger::Trigger;

fn with_alert(expr: AlertExpr) -> DeviceExpr {
    term(DeviceTerm::Alert(Box::new(expr)))
}

fn not_alert(expr: AlertExpr) -> AlertExpr {
    AlertExpr::Not(Box::new(expr))
}

fn titled(pattern: &str) -> AlertExpr {
    AlertExpr::Term(AlertTerm::Title(globs(&[pattern])))
}

#[test]
fn no_empty_form_over_alerts_ever_means_every_alert() {
    let inventory = rows().build();
    let none = || AlertExpr::Any(vec![]);
    let on = |expr| AlertTerm::Device(Box::new(expr));
    let empty = vec![
        AlertTerm::Id(vec![]),
        AlertTerm::Title(vec![]),
        AlertTerm::Severity(vec![]),
        AlertTerm::Status(vec![]),
        AlertTerm::Category(vec![]),
        AlertTerm::DetectionSource(vec![]),
        AlertTerm::ServiceSource(vec![]),
        AlertTerm::Classification(vec![]),
        AlertTerm::AssignedTo(vec![]),
        AlertTerm::MitreTechnique(vec![]),
        AlertTerm::Incident(vec![]),
        AlertTerm::Created(vec![]),
        on(DeviceExpr::Any(vec![])),
        on(term(DeviceTerm::Tag(vec![]))),
    ];
    let mut void = vec![
        none(),
        AlertExpr::All(vec![]),
        not_alert(none()),
        AlertExpr::All(vec![not_alert(none())]),
        AlertExpr::All(vec![not_alert(not_alert(none()))]),
        AlertExpr::All(vec![alert_severity(Op::Ge, Severity::Low), not_alert(none())]),
    ];
    for empty in empty {
        void.push(AlertExpr::Term(empty.clone()));
        void.push(not_alert(AlertExpr::Term(empty.clone())));
        void.push(AlertExpr::All(vec![not_alert(AlertExpr::Term(empty))]));
    }
    for expr in void {
        assert!(is_void_alert(&expr), "{expr:?}");
        assert!(alerts_matching(&inventory, &expr, at(NOW)).is_empty(), "{expr:?}");
        let seen = |row: &&AlertRow| matches_alert(&inventory, &expr, row, at(NOW));
        assert_eq!(inventory.alerts().iter().find(seen), None, "{expr:?}");
    }
    let not_low = AlertExpr::All(vec![not_alert(alert_severity(Op::Eq, Severity::Low))]);
    assert!(!is_void_alert(&not_low));
    assert_eq!(alerts_matching(&inventory, &not_low, at(NOW)).len(), 1);
}

#[test]
fn a_site_that_maps_to_anything_is_not_void() {
    for (groups, tags, tenants, expected) in [
        (vec![], vec![], vec![], true),
        (vec!["EMEA"], vec![], vec![], false),
        (vec![], vec!["ir"], vec![], false),
        (vec![], vec![], vec!["contoso"], false),
    ] {
        let expr = term(site(&groups, &tags, &tenants));
        assert_eq!(is_void(&expr), expected, "{expr:?}");
    }
}

#[test]
fn an_age_is_compared_to_the_second() {
    // The first device was last seen seven days ago to the second, the second one never.
    let inventory = rows().build();
    let [seen, later, sooner] =
        ["2026-11-17T12:00:00Z", "2026-11-17T12:00:01Z", "2026-11-17T11:59:59Z"].map(at);
    for (op, expected, of_times) in [
        (Op::Lt, &[][..], [false, true, false]),
        (Op::Le, &[1][..], [true, true, false]),
        (Op::Eq, &[1][..], [true, false, false]),
        (Op::Ge, &[1, 2][..], [true, false, true]),
        (Op::Gt, &[2][..], [false, false, true]),
    ] {
        let week = age(op, 7);
        let is = [seen, later, sooner].map(|time| is_age(week[0], Some(time), at(NOW)));
        assert_eq!(is, of_times, "{op:?}");
        assert_eq!(chosen(&inventory, &term(DeviceTerm::Seen(week))), expected, "{op:?}");
    }
}

#[test]
fn a_trigger_is_what_the_match_would_not_be_there_without() {
    let inventory = rows().build();
    let [first, second] = [1, 2].map(|it| inventory.find(&id(it)).unwrap());
    let mimikatz = || with_alert(titled("*mimikatz*"));
    let tagged = || term(DeviceTerm::Tag(globs(&["ir-7781"])));
    let incident = || term(DeviceTerm::Incident(vec!["7".into(), "42".into()]));
    let all = |parts: Vec<DeviceExpr>| DeviceExpr::All(parts);
    let any = |parts: Vec<DeviceExpr>| DeviceExpr::Any(parts);
    let table: Vec<(DeviceExpr, &[&str])> = vec![
        (mimikatz(), &["da0001_1"]),
        (with_alert(titled("nothing")), &[]),
        (incident(), &["42"]),
        (all(vec![tagged(), mimikatz()]), &["da0001_1"]),
        (all(vec![mimikatz(), incident()]), &["da0001_1", "42"]),
        (all(vec![mimikatz(), with_alert(titled("nothing"))]), &[]),
        (all(vec![]), &[]),
        // One alternative is enough, and it needs no alert.
        (any(vec![mimikatz(), tagged()]), &[]),
        (any(vec![mimikatz(), incident()]), &["da0001_1", "42"]),
        (any(vec![mimikatz(), with_alert(titled("nothing"))]), &["da0001_1"]),
        (any(vec![with_alert(titled("nothing"))]), &[]),
        (any(vec![all(vec![]), mimikatz()]), &["da0001_1"]),
        (not(with_alert(titled("nothing"))), &[]),
        // A negation is pushed through to the terms.
        (not(not(mimikatz())), &["da0001_1"]),
        (not(not(with_alert(titled("nothing")))), &[]),
        (not(not(not(with_alert(titled("nothing"))))), &[]),
        (not(any(vec![not(mimikatz()), not(tagged())])), &["da0001_1"]),
        (not(any(vec![not(mimikatz()), not(incident())])), &["da0001_1", "42"]),
        (not(any(vec![not(mimikatz()), tagged()])), &[]),
        (not(all(vec![not(mimikatz()), not(incident())])), &["da0001_1", "42"]),
        (not(all(vec![not(mimikatz()), not(tagged())])), &[]),
        (not(all(vec![not(mimikatz()), with_alert(titled("nothing"))])), &[]),
        (not(all(vec![not(mimikatz()), not(with_alert(titled("nothing")))])), &["da0001_1"]),
        // What is void selects nobody, however it is turned.
        (not(not(any(vec![]))), &[]),
        (all(vec![mimikatz(), not(any(vec![]))]), &[]),
        (any(vec![mimikatz(), not(not(any(vec![])))]), &["da0001_1"]),
    ];
    for (expr, expected) in table {
        let terms = DeviceTerms::new(&inventory, &expr, at(NOW));
        let told = |device| -> Vec<String> {
            let word = |trigger: &Trigger<'_>| match trigger {
                Trigger::Alert(alert) => alert.id.to_string(),
                Trigger::Incident(incident) => incident.to_string(),
            };
            terms.triggers(device).iter().map(word).collect()
        };
        assert_eq!(told(first), expected, "{expr:?}");
        assert!(told(second).is_empty(), "{expr:?}");
    }
}

#[test]
fn under_two_negations_the_terms_that_decide_are_named() {
    let inventory = rows().build();
    let device = inventory.find(&id(1)).unwrap();
    let joined = || term(DeviceTerm::Joined(true));
    let none = || with_alert(titled("none"));
    let table: Vec<(DeviceExpr, &[&str])> = vec![
        (not(not(with_alert(titled("*tool")))), &["alert=matching (da0001_1)"]),
        (not(DeviceExpr::Any(vec![not(joined()), none()])), &["joined=true"]),
        (not(DeviceExpr::All(vec![not(joined()), not(none())])), &["joined=true"]),
        (not(none()), &[]),
        (not(not(none())), &[]),
        (not(not(DeviceExpr::Everything)), &["everything"]),
        (not(DeviceExpr::Any(vec![not(joined()), not(none())])), &[]),
    ];
    for (expr, expected) in table {
        assert_eq!(matched_terms(&inventory, &expr, device, at(NOW)), expected, "{expr:?}");
    }
    let tool = || titled("*tool");
    let named = ["title=*tool (Suspicious 'Mimikatz' tool)"];
    for (expr, expected) in [
        (not_alert(not_alert(tool())), &named[..]),
        (not_alert(AlertExpr::Any(vec![not_alert(tool()), titled("none")])), &named),
        (not_alert(AlertExpr::All(vec![not_alert(tool()), titled("none")])), &named),
        (not_alert(titled("none")), &[]),
        (not_alert(AlertExpr::Any(vec![not_alert(tool()), not_alert(titled("none"))])), &[]),
    ] {
        let terms = matched_alert_terms(&inventory, &expr, &inventory.alerts()[0], at(NOW));
        assert_eq!(terms, expected, "{expr:?}");
    }
}

#[test]
fn every_alternative_that_matches_is_named() {
    let inventory = rows().build();
    let device = inventory.find(&id(1)).unwrap();
    let expr = DeviceExpr::Any(vec![
        term(DeviceTerm::Joined(true)),
        term(DeviceTerm::Risk(ordered(Op::Ge, Risk::Low))),
        with_alert(titled("none")),
    ]);
    let terms = matched_terms(&inventory, &expr, device, at(NOW));
    assert_eq!(terms.len(), 2, "{terms:?}");
    let severe = || alert_severity(Op::Ge, Severity::Medium);
    let expr = AlertExpr::Any(vec![severe(), titled("*tool"), titled("none")]);
    let terms = matched_alert_terms(&inventory, &expr, &inventory.alerts()[0], at(NOW));
    assert_eq!(terms, ["severity>=medium (high)", "title=*tool (Suspicious 'Mimikatz' tool)"]);
}

#[test]
fn an_explanation_goes_down_into_alerts_and_their_devices() {
    let inventory = rows().build();
    let device = inventory.find(&id(1)).unwrap();
    let on_device = AlertTerm::Device(Box::new(term(DeviceTerm::Group(words(&["other"])))));
    let expr = with_alert(AlertExpr::All(vec![
        alert_severity(Op::Ge, Severity::High),
        AlertExpr::Term(on_device),
    ]));
    let tree = explain_device(&inventory, &expr, device, at(NOW));
    let told = |it: &crate::policy::selector::Explanation| {
        (it.text.clone(), it.matched, it.fact.clone().unwrap_or_default())
    };
    let row = |text: &str, matched: bool, fact: &str| (text.to_owned(), matched, fact.to_owned());
    assert_eq!((tree.matched, tree.fact.as_deref()), (false, Some("da0001_1")));
    let [alert] = tree.parts.as_slice() else { panic!("one alert: {tree:?}") };
    assert_eq!(told(alert), row("alert da0001_1", false, "Suspicious 'Mimikatz' tool"));
    let [severity, other] = alert.parts.as_slice() else { panic!("two terms: {alert:?}") };
    assert_eq!(told(severity), row("severity>=high", true, "high"));
    assert!(!other.matched, "{other:?}");
    let [named] = other.parts.as_slice() else { panic!("one known device: {other:?}") };
    let text = format!("device {}", id(1));
    assert_eq!(told(named), row(&text, false, "Web-01.shop.example"));
    // A term that does not match tells what there is instead.
    for (term, fact) in [
        (AlertTerm::Id(words(&["x"])), "da0001_1"),
        (AlertTerm::Title(globs(&["x"])), "Suspicious 'Mimikatz' tool"),
        (AlertTerm::Severity(ordered(Op::Lt, Severity::Low)), "high"),
        (AlertTerm::Status(vec![AlertStatus::Resolved]), "new"),
        (AlertTerm::Category(words(&["x"])), "Execution"),
        (AlertTerm::AssignedTo(vec![None]), "Ann@contoso.example"),
        (AlertTerm::MitreTechnique(words(&["T1"])), "T1059.001"),
        (AlertTerm::Incident(vec!["7".into()]), "42"),
        (AlertTerm::Created(age(Op::Lt, 1)), "2026-11-20T12:00:00Z"),
    ] {
        let expr = with_alert(AlertExpr::Term(term));
        let tree = explain_device(&inventory, &expr, device, at(NOW));
        let [alert] = tree.parts.as_slice() else { panic!("one alert: {tree:?}") };
        assert_eq!(alert.text, "alert da0001_1");
        let [term] = alert.parts.as_slice() else { panic!("one term: {alert:?}") };
        assert_eq!((term.matched, term.fact.as_deref()), (false, Some(fact)), "{term:?}");
    }
}
