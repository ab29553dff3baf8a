//! Calls that change something: sent once, held back when they may not leave, and their answers told
//! apart.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::SignedDuration;

use super::tests::*;
use super::*;
use crate::drive::fake::{Answer, Fake, ok, refusal, status};
use crate::host::transport::TransportError;
use crate::wire::ErrorKind;

#[tokio::test]
async fn a_submitted_call_is_answered_with_its_action() {
    let rig = scripted(vec![status(201, &[], &entity())], one_action);
    let submitted = rig.client.submit(&isolate(), OPEN).await;
    assert_eq!(submitted.action().unwrap().id.as_str(), "a-1");
    let sent = rig.sent();
    assert_eq!(sent[0].method, "POST");
    assert_eq!(sent[0].body, r#"{"Comment":"case","IsolationType":"Full"}"#);
}

#[tokio::test]
async fn an_ambiguous_answer_is_never_followed_by_a_second_request() {
    for answer in [
        Err(TransportError::Timeout),
        Err(TransportError::Broken("reset".into())),
        refusal(500, "InternalServerError", ""),
        status(502, &[], "<html>"),
        status(503, &[("retry-after", "1")], ""),
        status(504, &[], ""),
        ok("<html>welcome to the hotel</html>"),
        status(201, &[], "{\"id\": \"a-"),
        status(201, &[], ""),
    ] {
        let shown = format!("{answer:?}");
        let rig = scripted(vec![answer], one_action);
        let submitted = rig.client.submit(&isolate(), OPEN).await;
        assert!(matches!(submitted, Submitted::Ambiguous(_)), "{shown}: {submitted:?}");
        assert_eq!(rig.sent().len(), 1, "{shown}");
    }
}

#[tokio::test]
async fn certain_refusals_are_told_apart() {
    let submit = async |answer: Answer| {
        let rig = scripted(vec![answer], one_action);
        let submitted = rig.client.submit(&isolate(), OPEN).await;
        assert_eq!(rig.sent().len(), 1);
        submitted
    };
    let active = refusal(400, "ActiveRequestAlreadyExists", "Action is already in progress");
    assert!(matches!(submit(active).await, Submitted::AlreadyExists(_)));
    let busy = submit(status(429, &[("retry-after", "9")], "")).await;
    let nine = SignedDuration::from_secs(9);
    assert!(matches!(busy, Submitted::Throttled { retry_after, .. } if retry_after == nine));
    for (code, name, kind) in [
        (400, "OsPlatformNotSupported", ErrorKind::Refused),
        (404, "ResourceNotFound", ErrorKind::NotFound),
        (403, "Forbidden", ErrorKind::RoleMissing(vec!["Machine.Isolate".into()])),
        (409, "Conflict", ErrorKind::Refused),
    ] {
        let submitted = submit(refusal(code, name, "no")).await;
        let Submitted::Refused(error) = submitted else { panic!("{code}: {submitted:?}") };
        assert_eq!((error.kind.clone(), error.status), (kind, Some(code)));
    }
}

#[tokio::test]
async fn a_call_that_never_left_is_told_at_once() {
    let rig = scripted(vec![Err(TransportError::Connect("refused".into()))], one_action);
    let submitted = rig.client.submit(&isolate(), OPEN).await;
    assert!(matches!(&submitted, Submitted::NotSent(error) if error.attempts == 1));
    assert_eq!((rig.sent().len(), rig.elapsed()), (1, 0.0), "the engine says when to try again");
    let rig = scripted(vec![refusal(401, "Unauthorized", "")], one_action);
    assert!(matches!(rig.client.submit(&isolate(), OPEN).await, Submitted::Accepted(_)));
    assert_eq!(rig.sent().len(), 2, "a refused token says that the call was not taken");
}

#[tokio::test]
async fn a_call_that_is_held_back_takes_no_place() {
    let rig = scripted(vec![], one_action);
    for _ in 0..150 {
        let submitted = rig.client.submit(&isolate(), &|| false).await;
        assert!(
            matches!(&submitted, Submitted::NotSent(error) if error.kind == ErrorKind::HeldBack)
        );
    }
    assert!(rig.sent().is_empty());
    assert_eq!(rig.client.pace(RateClass::Submit).left, Some(100));
    assert_eq!(rig.elapsed(), 0.0);
}

#[tokio::test]
async fn the_gate_is_asked_after_every_wait() {
    // The windows are full: what may leave now may not in a minute.
    let rig = scripted(vec![], one_action);
    for _ in 0..100 {
        assert!(rig.client.submit(&isolate(), OPEN).await.action().is_some());
    }
    let (clock, shuts) = (rig.clock.clone(), rig.client.now() + SignedDuration::from_secs(30));
    let gate = move || clock.now() < shuts;
    assert!(gate());
    assert!(matches!(rig.client.submit(&isolate(), &gate).await, Submitted::NotSent(_)));
    assert_eq!(rig.sent().len(), 100);
    // So does what would be sent again with a new token.
    let rig = scripted(vec![refusal(401, "Unauthorized", "")], one_action);
    let asked = AtomicU32::new(0);
    let once = Arc::new(asked);
    let asked = once.clone();
    let gate = move || asked.fetch_add(1, Ordering::Relaxed) == 0;
    assert!(matches!(rig.client.submit(&isolate(), &gate).await, Submitted::NotSent(_)));
    assert_eq!((rig.sent().len(), once.load(Ordering::Relaxed)), (1, 2));
}

#[tokio::test]
async fn three_hundred_writes_keep_the_windows_whatever_the_answers_take() {
    for takes in [0, 40, 700] {
        let mut fake = Fake::new(|_| status(201, &[], &entity()));
        fake.takes = SignedDuration::from_millis(takes);
        let rig = fake.start();
        for _ in 0..300 {
            assert!(rig.client.submit(&isolate(), OPEN).await.action().is_some());
        }
        let sent = rig.sent();
        let minute = SignedDuration::from_secs(60);
        for (index, first) in sent.iter().enumerate() {
            let inside = sent[index..].iter().filter(|next| next.at <= first.at + minute).count();
            assert!(inside <= 100, "{inside} within a minute");
        }
        // The 201st to 300th call may leave after two full windows.
        assert!(
            rig.elapsed() <= 126.0 + 300.0 * 0.7 * f64::from(takes == 700),
            "{}",
            rig.elapsed()
        );
        assert_eq!(rig.client.pace(RateClass::Submit).left.map(|left| left < 100), Some(true));
        let waits = rig.heard.all();
        assert!(
            takes == 700 || waits.iter().any(|text| text == "waiting for machine action requests")
        );
    }
}
