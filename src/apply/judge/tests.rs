//! Tables of readings: histories in, verdicts out.

use jiff::Timestamp;

use super::device::{after, before, before_cancel, newer};
use super::*;
use crate::apply::journal::Part;
use crate::inventory::AlertRow;
use crate::model::{
    ActionKind, ActionStatus, AlertStatus, Classification, Determination, DeviceId, Facet,
    Isolation, ScanType, Severity, Verb,
};
use crate::plan::types::{Change, Expectation, Parameters, Risk, Target, TargetKind};

const OWN: &str = "x [palisade ws/p 0a]";
const OTHER: &str = "x [palisade elsewhere/p 0a]";

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn row(
    id: &str,
    kind: ActionKind,
    status: ActionStatus,
    seconds: (i64, i64),
    comment: &str,
) -> ActionRow {
    ActionRow {
        id: id.into(),
        device: DeviceId::parse("d"),
        isolation: None,
        scan: None,
        cancelled: None,
        kind,
        status,
        requestor: "ada".into(),
        comment: comment.into(),
        source: "".into(),
        created: at(seconds.0),
        updated: at(seconds.1),
    }
}

fn isolate(kind: &str) -> Change {
    Change {
        id: "0a".into(),
        tenant: "t".into(),
        verb: Verb::Isolate,
        facet: Facet::Isolation,
        target: Target {
            kind: TargetKind::Device,
            id: "d".into(),
            name: "d".into(),
            group: String::new(),
            value: None,
        },
        from: "free".into(),
        to: kind.to_lowercase(),
        parameters: Parameters { isolation_type: Some(kind.into()), ..Parameters::default() },
        lease_end: None,
        because: Vec::new(),
        reason: None,
        risk: Risk::Low,
        rollout: None,
        wave: 1,
        expects: Expectation { value: "free".into(), evidence: Some("e".into()) },
    }
}

fn own<'a>(workspace: &'a WorkspaceId, change: &'a Change) -> Own<'a> {
    Own { workspace, change: &change.id }
}

#[test]
fn only_newer_actions_of_the_facet_count() {
    use ActionKind::{Isolate, RunAntiVirusScan, Unisolate};
    let done = ActionStatus::Succeeded;
    let rows = [
        row("ancient", Isolate, done.clone(), (-9, -8), ""),
        row("before", Isolate, done.clone(), (1, 90), ""),
        row("e", Unisolate, done.clone(), (5, 6), ""),
        // Of the same instant: the planner knew the one and chose the other as its evidence.
        row("d", Isolate, done.clone(), (5, 4), ""),
        row("f", Isolate, done.clone(), (5, 7), ""),
        row("scan", RunAntiVirusScan, done.clone(), (7, 8), ""),
        row("late", Isolate, done.clone(), (9, 10), ""),
        row("later", Isolate, done, (8, 11), ""),
    ];
    let rows: Vec<&ActionRow> = rows.iter().collect();
    let change = isolate("Full");
    let ids = |rows: Vec<&ActionRow>| -> Vec<String> {
        rows.iter().map(|row| row.id.to_string()).collect()
    };
    assert_eq!(ids(newer(&change, &rows, at(0))), ["f", "later", "late"]);
    // Evidence from before what was read: everything read is newer.
    let mut old = change.clone();
    old.expects.evidence = Some("gone".into());
    assert_eq!(ids(newer(&old, &rows, at(0))), ["before", "d", "e", "f", "later", "late"]);
}

#[test]
fn completion_decides_and_not_the_order_of_sending() {
    use ActionKind::{Isolate, Unisolate};
    let done = ActionStatus::Succeeded;
    let first = row("a", Isolate, done.clone(), (10, 40), "");
    let second = row("b", Unisolate, done.clone(), (20, 30), "");
    let workspace: WorkspaceId = "ws".into();
    let change = isolate("Full");
    let verdict = before(&change, &[&first, &second], own(&workspace, &change), false);
    assert!(matches!(verdict, Before::AlreadySo(_)), "{verdict:?}");
    // Another depth of isolation is not what is wanted, and an unsaid one is a full one.
    let selective = isolate("Selective");
    let verdict = before(&selective, &[&first], own(&workspace, &selective), false);
    assert!(matches!(verdict, Before::Moved(_)), "{verdict:?}");
    let said = ActionRow { isolation: Some(Isolation::Selective), ..first };
    let verdict = before(&selective, &[&said], own(&workspace, &selective), false);
    assert!(matches!(verdict, Before::AlreadySo(_)), "{verdict:?}");
}

#[test]
fn a_marker_of_another_workspace_is_not_ours() {
    use ActionKind::Isolate;
    let workspace: WorkspaceId = "ws".into();
    let change = isolate("Full");
    let pending = row("a", Isolate, ActionStatus::Pending, (10, 10), OTHER);
    let verdict = before(&change, &[&pending], own(&workspace, &change), true);
    assert!(matches!(verdict, Before::Moved(_)), "{verdict:?}");
    let ours = row("a", Isolate, ActionStatus::Pending, (10, 10), OWN);
    let verdict = before(&change, &[&ours], own(&workspace, &change), false);
    assert!(matches!(verdict, Before::Ours(_)), "{verdict:?}");
    assert_eq!(before(&change, &[], own(&workspace, &change), false), Before::Unmoved);
}

#[test]
fn the_end_is_what_is_there_and_not_what_was_answered() {
    use ActionKind::{Isolate, Unisolate};
    let done = ActionStatus::Succeeded;
    let workspace: WorkspaceId = "ws".into();
    let change = isolate("Full");
    let ours = row("o", Isolate, done.clone(), (10, 20), OWN);
    let id = ours.id.clone();
    let free = row("f", Unisolate, done.clone(), (15, 30), "");
    let early = row("f", Unisolate, done.clone(), (15, 18), "");
    let same = row("s", Isolate, done, (15, 30), "");
    let racing = row("r", Unisolate, ActionStatus::Pending, (15, 15), "");
    let judge = |rows: &[&ActionRow]| after(&change, Some(&id), rows, own(&workspace, &change));
    assert_eq!(judge(&[&ours]), After::Verified);
    assert_eq!(judge(&[&ours, &early]), After::Verified);
    assert_eq!(judge(&[&ours, &same]), After::Verified);
    assert!(matches!(judge(&[&ours, &free]), After::Different(_)));
    assert!(matches!(judge(&[&ours, &racing]), After::Different(_)));
    assert_eq!(judge(&[&same]), After::Absent);
    let pending = ActionRow { status: ActionStatus::InProgress, ..ours.clone() };
    assert!(matches!(judge(&[&pending]), After::Pending(_)));
    let failed = ActionRow { status: ActionStatus::Failed, ..ours.clone() };
    assert!(matches!(judge(&[&failed]), After::Ended(_)));
    // Without an id the marker says which one is ours.
    assert_eq!(after(&change, None, &[&ours], own(&workspace, &change)), After::Verified);
}

#[test]
fn what_has_ended_is_not_cancelled() {
    let with = |status| row("a", ActionKind::Isolate, status, (1, 2), "");
    assert_eq!(before_cancel(Some(&with(ActionStatus::InProgress))), Before::Unmoved);
    assert!(matches!(before_cancel(Some(&with(ActionStatus::Cancelled))), Before::AlreadySo(_)));
    assert!(matches!(before_cancel(Some(&with(ActionStatus::Succeeded))), Before::Moved(_)));
    assert!(matches!(before_cancel(None), Before::Moved(_)));
}

#[test]
fn a_scan_of_at_least_that_type_is_as_wanted() {
    use ScanType::{Full, Quick};
    let workspace: WorkspaceId = "ws".into();
    let done = ActionStatus::Succeeded;
    let ran = row("s", ActionKind::RunAntiVirusScan, done, (10, 20), "");
    for (wanted, found, so) in [
        ("Quick", Some(Quick), true),
        ("Quick", Some(Full), true),
        ("Quick", None, true),
        ("Full", Some(Full), true),
        ("Full", Some(Quick), false),
        // One that does not say which it was is taken for a quick one.
        ("Full", None, false),
    ] {
        let mut change = isolate("");
        (change.verb, change.facet) = (Verb::Scan, Facet::Scan);
        change.parameters =
            Parameters { scan_type: Some(wanted.to_owned()), ..Parameters::default() };
        let ran = ActionRow { scan: found, ..ran.clone() };
        let verdict = before(&change, &[&ran], own(&workspace, &change), false);
        assert_eq!(matches!(verdict, Before::AlreadySo(_)), so, "{wanted}, {found:?}: {verdict:?}");
    }
}

/// Four parameters of an alert, each of which is set alone.
fn properties() -> [Parameters; 4] {
    let none = Parameters::default;
    [
        Parameters { status: Some("resolved".to_owned()), ..none() },
        Parameters { classification: Some("truePositive".to_owned()), ..none() },
        Parameters { determination: Some("malware".to_owned()), ..none() },
        Parameters { assigned_to: Some("ada@contoso.example".to_owned()), ..none() },
    ]
}

fn alert_row() -> AlertRow {
    AlertRow {
        id: "da1".into(),
        title: "".into(),
        severity: Severity::Medium,
        status: AlertStatus::New,
        classification: Classification::Unknown,
        determination: Determination::Unknown,
        assigned_to: None,
        category: "".into(),
        detection_source: "".into(),
        service_source: "".into(),
        mitre: Vec::new(),
        incident: None,
        created: at(0),
        updated: at(5),
        devices: Vec::new(),
        comments: Vec::new(),
    }
}

#[test]
fn an_alert_is_set_when_each_of_its_properties_is() {
    assert!(!alert::sets_something(&Parameters::default()));
    assert!(alert::is_set(&Parameters::default(), &alert_row()), "nothing is to be set");
    let [status, classification, determination, assigned] = properties();
    for one in [&status, &classification, &determination, &assigned] {
        assert!(alert::sets_something(one), "{one:?}");
    }
    let all = Parameters {
        classification: classification.classification,
        determination: determination.determination,
        assigned_to: assigned.assigned_to,
        ..status
    };
    let set = AlertRow {
        status: AlertStatus::Resolved,
        classification: Classification::TruePositive,
        determination: Determination::Malware,
        assigned_to: Some("ADA@contoso.example".into()),
        ..alert_row()
    };
    assert!(alert::is_set(&all, &set));
    let short_of_one = [
        AlertRow { status: AlertStatus::New, ..set.clone() },
        AlertRow { classification: Classification::Unknown, ..set.clone() },
        AlertRow { determination: Determination::Unknown, ..set.clone() },
        AlertRow { assigned_to: None, ..set },
    ];
    for row in short_of_one {
        assert!(!alert::is_set(&all, &row), "{row:?}");
    }
}

#[test]
fn a_comment_follows_our_own_update_and_otherwise_what_the_plan_read() {
    let workspace: WorkspaceId = "ws".into();
    let judge = |parameters: Parameters, row: &AlertRow| {
        let mut change = isolate("");
        (change.verb, change.facet) = (Verb::Classify, Facet::Classification);
        change.parameters = Parameters { comment: Some(OWN.to_owned()), ..parameters };
        change.expects =
            Expectation { value: alert::value(&alert_row()), evidence: Some(at(5).to_string()) };
        alert::before(&change, Part::Comment, Some(row), own(&workspace, &change))
    };
    let touched = AlertRow { updated: at(6), ..alert_row() };
    assert_eq!(judge(Parameters::default(), &alert_row()), Before::Unmoved);
    assert!(matches!(judge(Parameters::default(), &touched), Before::Moved(_)));
    let [status, ..] = properties();
    let ours = AlertRow { status: AlertStatus::Resolved, ..touched.clone() };
    assert_eq!(judge(status.clone(), &ours), Before::Unmoved);
    assert!(matches!(judge(status, &touched), Before::Moved(_)));
}
