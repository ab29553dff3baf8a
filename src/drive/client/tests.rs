//! The client against a scripted network under a clock moved by hand.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use jiff::SignedDuration;

use super::*;
use crate::drive::fake::{Answer, Fake, Rig, Sent, action, ok, page, refusal, status};
use crate::host::transport::TransportError;
use crate::model::{ActionId, DeviceId, IsolationMode};
use crate::wire::{ActionFilter, Call, ErrorKind};

pub(super) const CREATED: &str = "2026-11-24T09:00:00.1234567Z";

pub(super) fn entity() -> String {
    action("a-1", CREATED, "case").to_string()
}

/// Nothing is held back.
pub(super) const OPEN: &Gate<'static> = &|| true;

/// Answers the first calls from `answers`, every later one with `last`.
pub(super) fn scripted(answers: Vec<Answer>, last: fn(&Sent) -> Answer) -> Rig {
    let mut answers = answers.into_iter();
    Fake::new(move |sent| answers.next().unwrap_or_else(|| last(sent))).start()
}

pub(super) fn one_action(_: &Sent) -> Answer {
    ok(&entity())
}

pub(super) fn isolate() -> Call {
    Call::Isolate {
        device: DeviceId::parse("0a1b2c3d4e5f60718293a4b5c6d7e8f901234567"),
        comment: "case".into(),
        isolation_type: IsolationMode::Full,
    }
}

async fn get(rig: &Rig) -> Result<Option<crate::inventory::ActionRow>, ApiError> {
    rig.client.get_action(&ActionId::from("a-1")).await
}

#[tokio::test]
async fn requests_carry_token_name_and_a_fresh_id() {
    let rig = scripted(vec![], one_action);
    get(&rig).await.unwrap();
    get(&rig).await.unwrap();
    let sent = rig.sent();
    assert_eq!(sent[0].url, "https://defender.example/api/machineactions/a-1");
    assert!(sent[0].bearer.as_deref().unwrap().starts_with("Bearer h."));
    assert!(sent[0].user_agent.as_deref().unwrap().starts_with("palisade/"));
    assert_ne!(sent[0].request_id, sent[1].request_id);
    assert_eq!(sent[0].request_id.as_deref().unwrap().len(), 36);
    assert_eq!(rig.sign_ins(), 1, "the token is kept");
}

#[tokio::test]
async fn a_429_is_waited_for_in_both_forms() {
    for (header, seconds) in [("17", 17.0), ("Tue, 24 Nov 2026 10:00:17 GMT", 17.0)] {
        let busy = status(429, &[("retry-after", header)], "");
        let rig = scripted(vec![busy], one_action);
        assert!(get(&rig).await.unwrap().is_some());
        let waited = rig.elapsed();
        assert!((seconds..=seconds + 0.5).contains(&waited), "{header}: {waited}");
        assert_eq!(rig.sent().len(), 2);
    }
}

#[tokio::test]
async fn a_429_that_asks_for_too_much_ends_the_call() {
    let rig = scripted(vec![status(429, &[("retry-after", "7200")], "")], one_action);
    let error = get(&rig).await.unwrap_err();
    assert_eq!((error.kind.clone(), rig.sent().len()), (ErrorKind::Throttled, 1));
    assert_eq!(error.retry_after, Some(SignedDuration::from_hours(2)));
}

#[tokio::test]
async fn what_passes_is_tried_again() {
    let failures = || {
        vec![
            Err(TransportError::Broken("reset".into())),
            Err(TransportError::Timeout),
            Err(TransportError::Connect("refused".into())),
            status(503, &[], "<html><title>Service Unavailable</title></html>"),
            refusal(500, "InternalServerError", ""),
            ok("{\"id\": \"a-1\", \"type\": \"Iso"),
            ok("<html>sign in to the network</html>"),
        ]
    };
    let rig = scripted(failures(), one_action);
    assert!(get(&rig).await.unwrap().is_some());
    assert_eq!(rig.sent().len(), 8);
    let mut more = failures();
    more.push(refusal(500, "InternalServerError", ""));
    let rig = scripted(more, one_action);
    let error = get(&rig).await.unwrap_err();
    assert_eq!((error.kind.clone(), error.attempts), (ErrorKind::Unavailable, 8));
    assert!(rig.elapsed() < 480.0, "{}", rig.elapsed());
}

#[tokio::test]
async fn a_refused_token_is_replaced_once() {
    let rig = scripted(vec![refusal(401, "Unauthorized", "")], one_action);
    assert!(get(&rig).await.unwrap().is_some());
    let sent = rig.sent();
    assert_eq!((sent.len(), rig.sign_ins()), (2, 2));
    assert_ne!(sent[0].bearer, sent[1].bearer);
    let rig = scripted(vec![], |_| refusal(401, "Unauthorized", ""));
    assert_eq!(get(&rig).await.unwrap_err().kind, ErrorKind::Unauthorized);
    assert_eq!(rig.sent().len(), 2);
}

#[tokio::test]
async fn a_token_is_replaced_before_it_expires() {
    let rig = scripted(vec![], one_action);
    get(&rig).await.unwrap();
    rig.clock.advance(SignedDuration::from_secs(3_599 - 301));
    get(&rig).await.unwrap();
    assert_eq!(rig.sign_ins(), 1);
    rig.clock.advance(SignedDuration::from_secs(2));
    get(&rig).await.unwrap();
    assert_eq!(rig.sign_ins(), 2);
}

#[tokio::test]
async fn many_calls_at_once_sign_in_once() {
    let rig = scripted(vec![], one_action);
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = rig.client.clone();
            tokio::spawn(async move { client.get_action(&ActionId::from("a-1")).await.is_ok() })
        })
        .collect();
    for call in calls {
        assert!(call.await.unwrap());
    }
    assert_eq!((rig.sign_ins(), rig.sent().len()), (1, 20));
}

#[tokio::test]
async fn not_found_is_believed_the_second_time() {
    let gone = || refusal(404, "ResourceNotFound", "no");
    let rig = scripted(vec![gone()], one_action);
    assert!(get(&rig).await.unwrap().is_some());
    let rig = scripted(vec![], |_| refusal(404, "ResourceNotFound", "no"));
    assert!(get(&rig).await.unwrap().is_none());
    assert_eq!(rig.sent().len(), 2);
}

#[tokio::test]
async fn missing_roles_are_known_before_anything_is_sent() {
    let rig = scripted(vec![], one_action);
    let wanted = [Operation::Isolate, Operation::ListActions, Operation::PatchAlert];
    let missing = rig.client.require_roles(wanted).await.unwrap();
    let names: Vec<_> = missing.iter().map(|missing| missing.operation).collect();
    assert_eq!(names, [Operation::Isolate, Operation::PatchAlert]);
    assert_eq!(rig.client.roles(Api::Defender).await.unwrap().len(), 2);
    assert!(rig.sent().is_empty());
}

#[tokio::test]
async fn tokens_go_to_the_api_they_are_for_and_nowhere_else() {
    let rig = scripted(vec![], |_| ok("{}"));
    for (operation, link) in [
        (Operation::ListAlerts, "https://evil.example/v1.0/security/alerts_v2"),
        (Operation::ListAlerts, "https://defender.example/v1.0/security/alerts_v2"),
        (Operation::ListAlerts, "http://graph.example/v1.0/security/alerts_v2"),
        (Operation::ListMachines, "https://graph.example/api/machines"),
    ] {
        let out = Outbound::follow(operation, link);
        let error = rig.client.read(&out, |_| Ok(())).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::ForeignOrigin, "{link}");
    }
    assert!(rig.sent().is_empty());
    let out = Outbound::follow(Operation::ListAlerts, "https://graph.example/next");
    assert!(rig.client.read(&out, |_| Ok(())).await.is_ok());
}

#[tokio::test]
async fn actions_are_listed_whole_in_order_and_by_chunks() {
    let all: Vec<_> = (0..60).map(|n| action(&format!("a-{n}"), CREATED, "x")).collect();
    let rows = all.clone();
    let rig = Fake::new(move |sent| {
        let wanted: Vec<_> = rows
            .iter()
            .filter(|row| {
                let id = row["id"].as_str().unwrap();
                !sent.query.contains("id eq ") || sent.query.contains(&format!("id eq '{id}'"))
            })
            .cloned()
            .collect();
        page(&wanted, sent)
    })
    .start();
    let ids: Vec<ActionId> = (0..40).map(|n| ActionId::from(format!("a-{n}"))).collect();
    let listed = rig.client.list_actions(&ActionFilter::ids(ids)).await.unwrap();
    assert_eq!((listed.len(), rig.sent().len()), (40, 2), "found all: nothing to prove");
    let since = "2026-11-24T08:00:00Z".parse().unwrap();
    let listed = rig.client.list_actions(&ActionFilter::since(since)).await.unwrap();
    assert_eq!((listed.len(), rig.sent().len()), (60, 4));
    assert!(listed.is_sorted_by_key(|row| row.id.clone()));
    let device = DeviceId::parse("ffffffffffffffffffffffffffffffffffffffff");
    let none = ActionFilter::of_device(device, []);
    assert!(rig.client.list_actions(&none).await.unwrap().is_empty(), "decided on our side too");
}

#[tokio::test]
async fn an_unproven_list_is_an_error_and_not_a_shorter_list() {
    let rows: Vec<_> = (0..30).map(|n| action(&format!("a-{n}"), CREATED, "x")).collect();
    let turn = AtomicU32::new(0);
    // From the front it shows less each time, and nothing behind it.
    let rig = Fake::new(move |sent| match sent.number("$skip") {
        None => {
            let less = turn.fetch_add(1, Ordering::Relaxed) as usize;
            page(&rows[..30 - less.min(29)], sent)
        }
        Some(_) => ok("{\"value\": []}"),
    })
    .start();
    let error = rig.client.list_actions(&ActionFilter::default()).await.unwrap_err();
    assert!(error.message.contains("to its end"), "{error}");
}

#[tokio::test]
async fn signing_in_is_tried_again_and_its_refusal_has_a_hint() {
    let tries = Arc::new(AtomicU32::new(0));
    let seen = tries.clone();
    let rig = Fake::refusing(move || {
        let body = r#"{"error":"invalid_client","error_description":"AADSTS7000222: expired","error_codes":[7000222]}"#;
        match seen.fetch_add(1, Ordering::Relaxed) {
            0 => Some(Err(TransportError::Timeout)),
            1 => Some(status(503, &[], "")),
            _ => Some(status(401, &[], body)),
        }
    })
    .start();
    let error = get(&rig).await.unwrap_err();
    assert_eq!((error.kind.clone(), error.code.as_str()), (ErrorKind::SignIn, "AADSTS7000222"));
    assert!(error.help.as_deref().unwrap().contains("expired"));
    assert_eq!(tries.load(Ordering::Relaxed), 3);
    assert!(!format!("{error} {error:?}").contains("hunter2"));
    let submitted = rig.client.submit(&isolate(), OPEN).await;
    assert!(matches!(submitted, Submitted::NotSent(_)), "{submitted:?}");
}

#[tokio::test]
async fn a_token_that_still_lasts_is_used_while_the_authority_is_not_well() {
    let down = Arc::new(AtomicU32::new(0));
    let switch = down.clone();
    let rig =
        Fake::refusing(move || (switch.load(Ordering::Relaxed) == 1).then(|| status(503, &[], "")))
            .start();
    get(&rig).await.unwrap();
    down.store(1, Ordering::Relaxed);
    rig.clock.advance(SignedDuration::from_secs(3_400));
    assert!(get(&rig).await.is_ok(), "199 seconds are left");
    rig.clock.advance(SignedDuration::from_secs(200));
    assert!(get(&rig).await.is_err());
}

#[tokio::test]
async fn scores_are_read_by_group() {
    let rig = Fake::new(|sent| {
        if sent.path.ends_with("ByMachineGroups") {
            ok(r#"{"value":[{"time":"x","score":41.5,"rbacGroupName":"EMEA"},{"score":3,"rbacGroupName":null}]}"#)
        } else {
            ok(r#"{"@odata.context":"x","time":"2026-11-24T10:00:00Z","score":33.5}"#)
        }
    })
    .start();
    let scores = rig.client.scores().await.unwrap();
    assert_eq!(scores.tenant, Some(33.5));
    assert_eq!(scores.groups["EMEA"], 41.5);
    assert_eq!(scores.groups[""], 3.0);
}
