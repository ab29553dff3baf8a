//! The loop's own parts: calls as they are sent, the flag, answers, names of runs.

use std::sync::Arc;

use super::service::call;
use super::*;
use crate::apply::step::Send;
use crate::model::{AlertStatus, Classification, IsolationMode};
use crate::wire::Call;
use crate::wire::call::AlertPatch;

#[test]
fn what_the_engine_sends_is_what_the_client_calls() {
    let device = crate::model::DeviceId::parse("d");
    let comment: Arc<str> = "x".into();
    let isolate = Send::Isolate {
        device: device.clone(),
        mode: IsolationMode::Selective,
        comment: comment.clone(),
    };
    let expected = Call::Isolate {
        device: device.clone(),
        comment: comment.clone(),
        isolation_type: IsolationMode::Selective,
    };
    assert_eq!(call(&isolate), expected);
    let release = Send::Release { device: device.clone(), comment: comment.clone() };
    assert_eq!(call(&release), Call::Release { device, comment });
    for (named, patched) in [
        (None, None),
        (Some("ada@contoso.example"), Some(Some("ada@contoso.example".into()))),
        // An empty name takes the assignee away; leaving it out would keep it.
        (Some(""), Some(None)),
    ] {
        let patch = Send::Patch {
            alert: "a".into(),
            status: Some(AlertStatus::Resolved),
            classification: Some(Classification::FalsePositive),
            determination: None,
            assigned_to: named.map(Arc::from),
        };
        let expected = AlertPatch {
            status: Some(AlertStatus::Resolved),
            classification: Some(Classification::FalsePositive),
            determination: None,
            assigned_to: patched,
        };
        assert_eq!(call(&patch), Call::PatchAlert { alert: "a".into(), patch: expected });
    }
}

#[tokio::test]
async fn a_flag_that_was_raised_is_heard_by_all_who_ask() {
    let flag = StopFlag::default();
    let other = flag.clone();
    assert!(!other.is_raised());
    let heard = tokio::spawn(async move { other.raised().await });
    tokio::task::yield_now().await;
    flag.raise();
    heard.await.unwrap();
    // Raised before anybody waits, it is heard at once.
    flag.raised().await;
}

#[test]
fn answers_are_returned_as_they_arrive() {
    let mut flight = Flight::default();
    flight.add(async { Event::Stop });
    flight.add(std::future::pending());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert_eq!(flight.poll(&mut context).len(), 1);
    assert!(flight.poll(&mut context).is_empty());
    assert!(!flight.is_empty());
}

#[test]
fn names_of_runs_are_found_by_either_end() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["20261123T100200Z-7f3c9a", "20261124T100200Z-00c9a1", "notes"] {
        std::fs::create_dir(root.join(name)).unwrap();
    }
    let find = |name: &str| find_run(root, name).map(|id| id.to_string());
    assert_eq!(find("last").unwrap(), "20261124T100200Z-00c9a1");
    assert_eq!(find("7f3c9a").unwrap(), "20261123T100200Z-7f3c9a");
    assert_eq!(find("20261124").unwrap(), "20261124T100200Z-00c9a1");
    assert!(matches!(find("2026"), Err(ApplyError::SeveralRuns { .. })));
    assert!(matches!(find("notes"), Err(ApplyError::NoRun { .. })));
    assert!(matches!(find(""), Err(ApplyError::NoRun { .. })));
    assert!(runs(&root.join("none")).unwrap().is_empty());
}
