//! Alert rules: precedence, conflicts, and whose verdict stands.

use std::sync::Arc;

use super::fleet::{Fleet, Machine, alert, marked};
use super::policies::{rule, set, tag, workspace};
use super::{planned, rows};
use crate::inventory::{AlertRow, What};
use crate::model::{AlertStatus, Classification, Determination, Severity};
use crate::plan::types::{Level, Plan, Risk};
use crate::policy::PolicySet;
use crate::policy::selector::{AlertExpr, AlertTerm};
use crate::policy::set::{AlertRule, Mode, Verdict};

const TITLE: &str = "Mimikatz credential theft tool";

fn expected_activity() -> Verdict {
    Verdict {
        status: Some(AlertStatus::Resolved),
        classification: Some(Classification::InformationalExpectedActivity),
        determination: Some(Determination::SecurityTesting),
        assigned_to: Some(Arc::from("soc@contoso.example")),
        comment: Some(Arc::from("red team range")),
    }
}

fn red_team() -> AlertRule {
    rule("red-team", "*mimikatz*", expected_activity())
}

fn with(rules: impl IntoIterator<Item = AlertRule>) -> PolicySet {
    PolicySet { alert_rules: rules.into_iter().collect(), ..set() }
}

fn check(rules: &PolicySet, row: AlertRow, expected: &[&str]) -> Plan {
    let fleet = Fleet::of([Machine::new("pc-1")]).alert(row);
    let plan = planned(rules, &workspace(), fleet.build());
    let expected: Vec<String> = expected.iter().map(|row| row.replace("ALERT", TITLE)).collect();
    assert_eq!(rows(&plan), expected);
    plan
}

fn new() -> AlertRow {
    alert("da1", "pc-1")
}

#[test]
fn a_matching_alert_is_classified_with_the_spellings_of_graph() {
    let plan = check(
        &with([red_team()]),
        new(),
        &[
            "do classify ALERT new/unknown/unknown/ -> resolved/informationalExpectedActivity/securityTesting/soc@contoso.example",
        ],
    );
    let change = &plan.changes[0];
    assert_eq!(change.parameters.status.as_deref(), Some("resolved"));
    assert_eq!(change.parameters.classification.as_deref(), Some("informationalExpectedActivity"));
    assert_eq!(change.parameters.determination.as_deref(), Some("securityTesting"));
    assert_eq!(change.parameters.assigned_to.as_deref(), Some("soc@contoso.example"));
    let comment = change.parameters.comment.clone().unwrap();
    let note = "(verdict informationalExpectedActivity/securityTesting)";
    let whole = format!("red team range {note} [palisade contoso-soc/red-team ");
    assert!(comment.starts_with(&whole), "{comment}");
    assert_eq!(change.target.group, "Workstations");
    assert_eq!(change.because[0].terms.len(), 1);
    assert_eq!(plan.summary.total, 1);
}

#[test]
fn what_is_so_is_unchanged_and_a_comment_is_posted_once() {
    let mut done = new();
    done.status = AlertStatus::Resolved;
    done.classification = Classification::InformationalExpectedActivity;
    done.determination = Determination::SecurityTesting;
    done.assigned_to = Some(Arc::from("SOC@contoso.example"));
    done.comments = vec![Arc::from(marked("contoso-soc", "red-team"))];
    check(&with([red_team()]), done.clone(), &[]);
    done.status = AlertStatus::New;
    let plan = planned(
        &with([red_team()]),
        &workspace(),
        Fleet::of([Machine::new("pc-1")]).alert(done).build(),
    );
    assert_eq!(plan.changes[0].parameters.status.as_deref(), Some("resolved"));
    assert_eq!(plan.changes[0].parameters.classification, None);
    assert_eq!(plan.changes[0].parameters.comment, None);
}

#[test]
fn a_verdict_that_a_person_gave_stays() {
    let mut judged = new();
    judged.classification = Classification::TruePositive;
    judged.determination = Determination::Malware;
    check(&with([red_team()]), judged.clone(), &["held ALERT classification analyst-verdict"]);
    // Another workspace's marker is not ours.
    judged.comments = vec![Arc::from(marked("another", "red-team"))];
    check(&with([red_team()]), judged.clone(), &["held ALERT classification analyst-verdict"]);
    let overwritten = "do classify ALERT new/truePositive/malware/ -> resolved/informationalExpectedActivity/securityTesting/soc@contoso.example";
    let mut bold = red_team();
    bold.overwrite_analyst = true;
    check(&with([bold]), judged.clone(), &[overwritten]);
    // One of ours that names no verdict claims none; one that names this verdict does.
    let of_ours = marked("contoso-soc", "some-older-rule");
    judged.comments = vec![Arc::from(of_ours.as_str())];
    check(&with([red_team()]), judged.clone(), &["held ALERT classification analyst-verdict"]);
    let gave = |verdict| Arc::from(of_ours.replace("for a test", verdict));
    judged.comments = vec![gave("(verdict truePositive/malware)")];
    check(&with([red_team()]), judged, &[overwritten]);
}

/// Nothing but the changed verdict tells that a person was there.
#[test]
fn a_persons_correction_of_our_verdict_stays() {
    let plan = planned(
        &with([red_team()]),
        &workspace(),
        Fleet::of([Machine::new("pc-1")]).alert(new()).build(),
    );
    let comment = plan.changes[0].parameters.comment.as_deref().unwrap();
    let mut given = new();
    given.status = AlertStatus::Resolved;
    given.classification = Classification::InformationalExpectedActivity;
    given.determination = Determination::SecurityTesting;
    given.assigned_to = Some(Arc::from("soc@contoso.example"));
    given.comments = vec![Arc::from(comment)];
    check(&with([red_team()]), given.clone(), &[]);
    let held = ["held ALERT classification analyst-verdict"];
    let corrected = AlertRow {
        classification: Classification::TruePositive,
        determination: Determination::Malware,
        ..given.clone()
    };
    check(&with([red_team()]), corrected, &held);
    let half = AlertRow { determination: Determination::Other, ..given.clone() };
    check(&with([red_team()]), half, &held);
    // An edit of the rule changes what is still ours, and says so anew without the text.
    let mut edited = red_team();
    edited.set.classification = Some(Classification::FalsePositive);
    edited.set.determination = Some(Determination::NotMalicious);
    let fleet = Fleet::of([Machine::new("pc-1")]).alert(given);
    let plan = planned(&with([edited]), &workspace(), fleet.build());
    let comment = plan.changes[0].parameters.comment.as_deref().unwrap();
    let note = "(verdict falsePositive/notMalicious) [palisade contoso-soc/red-team ";
    assert!(comment.starts_with(note), "{comment}");
}

#[test]
fn a_persons_verdict_that_agrees_is_not_claimed_as_ours() {
    let mut agreed = new();
    agreed.classification = Classification::InformationalExpectedActivity;
    agreed.determination = Determination::SecurityTesting;
    let plan = planned(
        &with([red_team()]),
        &workspace(),
        Fleet::of([Machine::new("pc-1")]).alert(agreed).build(),
    );
    let parameters = &plan.changes[0].parameters;
    assert_eq!(parameters.status.as_deref(), Some("resolved"));
    assert_eq!((&parameters.classification, &parameters.comment), (&None, &None));
}

#[test]
fn a_verdict_without_words_still_carries_the_marker() {
    let mut silent = red_team();
    silent.set.comment = None;
    let plan = planned(
        &with([silent]),
        &workspace(),
        Fleet::of([Machine::new("pc-1")]).alert(new()).build(),
    );
    let comment = plan.changes[0].parameters.comment.clone().unwrap();
    let note = "(verdict informationalExpectedActivity/securityTesting)";
    assert!(comment.starts_with(&format!("{note} [palisade contoso-soc/red-team ")), "{comment}");
}

#[test]
fn words_of_a_rule_without_a_verdict_make_no_persons_verdict_ours() {
    let mut words = rule("words", "*", Verdict::default());
    words.set.comment = Some("seen (verdict truePositive/malware)".into());
    let fleet = |row: AlertRow| Fleet::of([Machine::new("pc-1")]).alert(row).build();
    let plan = planned(&with([words.clone()]), &workspace(), fleet(new()));
    let comment = plan.changes[0].parameters.comment.clone().unwrap();
    let judged = AlertRow {
        classification: Classification::TruePositive,
        determination: Determination::Malware,
        comments: vec![comment.as_str().into()],
        ..new()
    };
    check(&with([red_team()]), judged, &["held ALERT classification analyst-verdict"]);
}

#[test]
fn a_verdict_that_a_person_gives_after_ours_was_undone_is_theirs() {
    let said = |text: &str| marked("contoso-soc", "first").replace("for a test", text);
    let ours = said("seen (verdict truePositive/malware)");
    let undone = said("undo of 20261123T080000Z-7f3c9a: first (verdict undone)");
    // That which set the status back says nothing of the verdict.
    let reopened = said("undo of 20261123T080000Z-7f3c9a: first");
    for (comments, expected) in [
        (vec![&ours], "do classify "),
        (
            vec![&ours, &undone],
            "held Mimikatz credential theft tool classification analyst-verdict",
        ),
        (vec![&ours, &undone, &ours], "do classify "),
        (vec![&ours, &reopened], "do classify "),
    ] {
        let judged = AlertRow {
            classification: Classification::TruePositive,
            determination: Determination::Malware,
            comments: comments.into_iter().map(|comment| comment.as_str().into()).collect(),
            ..new()
        };
        let fleet = Fleet::of([Machine::new("pc-1")]).alert(judged);
        let found = rows(&planned(&with([red_team()]), &workspace(), fleet.build()));
        assert!(matches!(&found[..], [row] if row.starts_with(expected)), "{found:?}");
    }
}

#[test]
fn the_first_rule_by_priority_decides_whole() {
    let mut first = rule("z-first", "*", Verdict::default());
    first.priority = 10;
    first.set.status = Some(AlertStatus::InProgress);
    let plan = check(
        &with([red_team(), first]),
        new(),
        &["do classify ALERT new/unknown/unknown/ -> inProgress/unknown/unknown/"],
    );
    assert_eq!(plan.changes[0].because.len(), 1);
    assert_eq!(plan.changes[0].parameters.comment, None);
}

#[test]
fn rules_of_one_priority_that_contradict_each_other_are_an_error_the_alert_proves() {
    let other = rule(
        "another",
        "*theft*",
        Verdict { status: Some(AlertStatus::InProgress), ..Verdict::default() },
    );
    let plan = check(
        &with([red_team(), other.clone()]),
        new(),
        &["held ALERT classification rule-conflict"],
    );
    assert_eq!(plan.objections.len(), 1);
    let objection = &plan.objections[0];
    assert_eq!((objection.code.as_str(), objection.level), ("rule-conflict", Level::Hold));
    assert_eq!((objection.scope.as_str(), objection.held), ("rules another and red-team", 1));
    let mut same = other;
    same.set.status = Some(AlertStatus::Resolved);
    let plan = planned(
        &with([red_team(), same]),
        &workspace(),
        Fleet::of([Machine::new("pc-1")]).alert(new()).build(),
    );
    assert!(plan.objections.is_empty());
}

#[test]
fn audit_rules_show_only_where_no_enforcing_rule_decides() {
    let mut audit = red_team();
    audit.mode = Mode::Audit;
    audit.priority = 1;
    check(&with([audit.clone()]), new(), &["audit ALERT classification audit-mode"]);
    let enforcing =
        rule("b", "*", Verdict { status: Some(AlertStatus::InProgress), ..Verdict::default() });
    check(
        &with([audit, enforcing]),
        new(),
        &["do classify ALERT new/unknown/unknown/ -> inProgress/unknown/unknown/"],
    );
}

#[test]
fn half_a_verdict_is_a_verdict_and_stays_too() {
    let held = ["held ALERT classification analyst-verdict"];
    for (classification, determination) in [
        (Classification::TruePositive, Determination::Unknown),
        (Classification::Unknown, Determination::Malware),
    ] {
        let judged = AlertRow { classification, determination, ..new() };
        check(&with([red_team()]), judged, &held);
    }
    let judged = AlertRow {
        classification: Classification::TruePositive,
        determination: Determination::Malware,
        ..new()
    };
    for set in [
        Verdict { classification: Some(Classification::FalsePositive), ..Verdict::default() },
        Verdict { determination: Some(Determination::Other), ..Verdict::default() },
    ] {
        check(&with([rule("half", "*", set)]), judged.clone(), &held);
    }
}

#[test]
fn closing_a_severe_alert_is_what_to_look_at() {
    for (severity, status, risk) in [
        (Severity::High, AlertStatus::Resolved, Risk::Medium),
        (Severity::High, AlertStatus::InProgress, Risk::Low),
        (Severity::Medium, AlertStatus::Resolved, Risk::Low),
    ] {
        let rules = with([rule("a", "*", Verdict { status: Some(status), ..Verdict::default() })]);
        let fleet = Fleet::of([Machine::new("pc-1")]).alert(AlertRow { severity, ..new() });
        let plan = planned(&rules, &workspace(), fleet.build());
        assert_eq!(plan.changes[0].risk, risk, "{severity:?} {status:?}");
    }
}

#[test]
fn rules_contradict_each_other_in_any_one_member() {
    let status = |it| Verdict { status: Some(it), ..Verdict::default() };
    let classification = |it| Verdict { classification: Some(it), ..Verdict::default() };
    let determination = |it| Verdict { determination: Some(it), ..Verdict::default() };
    let assigned = |it| Verdict { assigned_to: Some(Arc::from(it)), ..Verdict::default() };
    let conflict = ["held ALERT classification rule-conflict"];
    for (left, right) in [
        (status(AlertStatus::InProgress), status(AlertStatus::Resolved)),
        (
            classification(Classification::TruePositive),
            classification(Classification::FalsePositive),
        ),
        (determination(Determination::Malware), determination(Determination::Other)),
        (assigned("ana"), assigned("bob")),
    ] {
        check(&with([rule("a", "*", left), rule("b", "*", right)]), new(), &conflict);
    }
    let apart =
        with([rule("a", "*", status(AlertStatus::InProgress)), rule("b", "*", assigned("bob"))]);
    check(
        &apart,
        new(),
        &["do classify ALERT new/unknown/unknown/ -> inProgress/unknown/unknown/"],
    );
}

#[test]
fn what_a_rule_reads_beside_the_alerts_must_have_been_read() {
    let mut rule = red_team();
    rule.alerts = AlertExpr::Term(AlertTerm::Device(Box::new(tag("range"))));
    let fleet = Fleet::of([Machine::new("pc-1").tag("range")]).alert(new());
    let rules = with([rule]);
    let of = |fleet: &Fleet| planned(&rules, &workspace(), fleet.build());
    assert_eq!(of(&fleet).changes.len(), 1);
    assert_eq!(of(&fleet.clone().lacks(What::Alerts)).changes.len(), 1);
    let plan = of(&fleet.lacks(What::Devices));
    assert_eq!(rows(&plan), [format!("unknown {TITLE} classification selector-partial")]);
    assert_eq!(plan.unknown[0].reason.text("what").as_deref(), Some("devices"));
}
