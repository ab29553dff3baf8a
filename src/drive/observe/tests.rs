//! Observations of a scripted network: what is proven whole, and what is said to be missing.

use serde_json::{Value, json};

use super::*;
use crate::drive::fake::{Answer, Fake, Rig, Sent, action, ok, page, refusal, status};
use crate::drive::progress::Silent;

fn id(n: usize) -> String {
    format!("{n:040x}")
}

fn machine(n: usize) -> Value {
    json!({"id": id(n), "computerDnsName": format!("host-{n}.example"), "osPlatform": "Windows11",
           "firstSeen": "2026-01-01T00:00:00Z", "lastSeen": "2026-11-24T09:00:00.1Z",
           "healthStatus": "Active", "onboardingStatus": "Onboarded", "machineTags": []})
}

fn health(n: usize) -> Value {
    json!({"id": id(n), "machineId": id(n), "quickScanResult": "Completed",
           "quickScanTime": "2026-11-20T00:00:00Z", "fullScanResult": "", "fullScanTime": null})
}

fn alert(n: usize) -> Value {
    let at = format!("2026-11-{:02}T{:02}:{:02}:00.5Z", 1 + n / 1_440, n / 60 % 24, n % 60);
    json!({"id": format!("da{n}_-1"), "title": "t", "severity": "low", "status": "new",
           "serviceSource": "microsoftDefenderForEndpoint", "createdDateTime": at,
           "lastUpdateDateTime": at, "evidence": [], "comments": []})
}

/// A tenant of so many machines, actions, health rows and alerts.
#[derive(Clone)]
struct Lists {
    machines: Vec<Value>,
    actions: Vec<Value>,
    health: Vec<Value>,
    alerts: Vec<Value>,
}

impl Lists {
    fn new(machines: usize, actions: usize, alerts: usize) -> Self {
        Self {
            machines: (0..machines).map(machine).collect(),
            actions: (0..actions)
                .map(|n| action(&format!("a-{n}"), "2026-11-23T09:00:00Z", "x"))
                .collect(),
            health: (0..machines).map(health).collect(),
            alerts: (0..alerts).map(alert).collect(),
        }
    }

    fn serve(&self, sent: &Sent) -> Answer {
        match sent.path.as_str() {
            "/api/machines" => page(&self.machines, sent),
            "/api/machineactions" => page(&self.actions, sent),
            "/api/deviceavinfo" => page(&self.health, sent),
            "/v1.0/security/alerts_v2" => self.alerts(sent),
            "/api/exposureScore" => ok(r#"{"score": 12.5}"#),
            "/api/exposureScore/ByMachineGroups" => {
                ok(r#"{"value": [{"score": 20, "rbacGroupName": "EMEA"}]}"#)
            }
            other => panic!("{other}"),
        }
    }

    fn alerts(&self, sent: &Sent) -> Answer {
        let bound = |text: &str| {
            let (_, rest) = sent.query.split_once(text)?;
            rest.split(['&', ' ']).next()?.parse::<Timestamp>().ok()
        };
        let at = |row: &Value| -> Timestamp {
            row["lastUpdateDateTime"].as_str().unwrap().parse().unwrap()
        };
        let mut rows: Vec<Value> = self.alerts.clone();
        rows.retain(|row| bound("lastUpdateDateTime ge ").is_none_or(|from| at(row) >= from));
        rows.retain(|row| bound("createdDateTime le ").is_none_or(|to| at(row) <= to));
        if !sent.query.contains("$orderby") {
            rows.reverse();
        }
        page(&rows, sent)
    }
}

fn whole() -> Scope {
    Scope { av_health: true, alerts: Some(Alerts::default()), scores: true, ..Scope::default() }
}

async fn read(rig: &Rig, scope: &Scope) -> Inventory {
    observe(&rig.client, scope, &*rig.heard).await.unwrap()
}

fn rig(lists: Lists, mut twist: impl FnMut(&Sent) -> Option<Answer> + Send + 'static) -> Rig {
    Fake::new(move |sent| twist(sent).unwrap_or_else(|| lists.serve(sent))).start()
}

fn missing(inventory: &Inventory) -> Vec<(What, &str)> {
    inventory.missing().iter().map(|missing| (missing.what, &*missing.why)).collect()
}

#[tokio::test]
async fn everything_is_read_once_and_told() {
    let rig = rig(Lists::new(25, 7, 3), |_| None);
    let inventory = read(&rig, &whole()).await;
    assert!(inventory.is_complete(), "{:?}", inventory.missing());
    let counts = (inventory.len(), inventory.all_actions().len(), inventory.alerts().len());
    assert_eq!(counts, (25, 7, 3));
    assert_eq!(inventory.exposure_score(), Some(12.5));
    assert_eq!(inventory.group_scores(), &[("EMEA".into(), 20.0)].into());
    let dev = inventory.devices().next().unwrap();
    assert!(inventory.last_scan(dev, crate::model::ScanType::Quick).is_some());
    assert_eq!(rig.sent().len(), 10, "a page and its proof for each list, two scores");
    let heard = rig.heard.all();
    assert_eq!(
        &heard[..4],
        ["started devices", "devices 1 25", "devices 2 25", "finished devices 25 true"]
    );
    assert_eq!(heard.last().map(String::as_str), Some("finished machine actions 7 true"));
}

#[tokio::test]
async fn only_what_is_needed_is_read() {
    let rig = rig(Lists::new(5, 5, 5), |_| None);
    let inventory = observe(&rig.client, &Scope::default(), &Silent).await.unwrap();
    assert!(inventory.is_complete());
    let sent = rig.sent();
    assert!(
        sent.iter()
            .all(|sent| matches!(sent.path.as_str(), "/api/machines" | "/api/machineactions"))
    );
}

#[tokio::test]
async fn reads_take_one_request_for_ten_thousand_machines_and_one_for_the_proof() {
    let rig = rig(Lists::new(23_000, 0, 0), |_| None);
    let inventory = read(&rig, &Scope::default()).await;
    assert_eq!((inventory.len(), inventory.is_complete()), (23_000, true));
    let machines = rig.sent().iter().filter(|sent| sent.path == "/api/machines").count();
    assert_eq!(machines, 4);
}

#[tokio::test]
async fn a_part_that_is_forbidden_is_missing_with_its_role() {
    let rig = rig(Lists::new(5, 5, 5), |sent| {
        let text = "Missing application roles. API required roles: \
                    Machine.Read.All,Machine.ReadWrite.All, application roles: Machine.Isolate.";
        (sent.path == "/api/deviceavinfo").then(|| refusal(403, "Forbidden", text))
    });
    let inventory = read(&rig, &whole()).await;
    let missing = missing(&inventory);
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].0, What::AvHealth);
    assert_eq!(inventory.len(), 5);
    // The fake's token has the read role, so the refusal is about something else, and says so.
    assert!(missing[0].1.starts_with("the service forbids it"), "{}", missing[0].1);
    let mut lacking = Fake::new(move |sent| Lists::new(5, 5, 5).serve(sent));
    lacking.roles = vec!["Machine.Read.All".into()];
    let rig = lacking.start();
    let inventory = read(&rig, &whole()).await;
    assert!(inventory.is_complete(), "the service did not mind");
}

#[tokio::test]
async fn a_missing_role_is_named() {
    let mut fake = Fake::new(|sent| match sent.path.as_str() {
        "/v1.0/security/alerts_v2" => refusal(403, "Forbidden", "Insufficient privileges"),
        _ => Lists::new(5, 5, 5).serve(sent),
    });
    fake.roles = vec!["Machine.Read.All".into()];
    let rig = fake.start();
    let scope = Scope { alerts: Some(Alerts::default()), ..Scope::default() };
    let inventory = read(&rig, &scope).await;
    let missing = missing(&inventory);
    assert_eq!(missing[0].0, What::Alerts);
    assert!(missing[0].1.contains("`SecurityAlert.Read.All` or `SecurityAlert.ReadWrite.All`"));
}

#[tokio::test]
async fn a_page_that_stays_lost_makes_the_part_missing_and_keeps_what_was_read() {
    let rig = rig(Lists::new(12_000, 3, 0), |sent| {
        let beyond = sent.path == "/api/machines" && sent.number("$skip").is_some();
        beyond.then(|| ok("{\"value\": []}"))
    });
    let inventory = read(&rig, &Scope::default()).await;
    assert!(inventory.is_partial(What::Devices) && !inventory.is_partial(What::Actions));
    assert_eq!((inventory.len(), inventory.all_actions().len()), (10_000, 3));
    let finished = rig.heard.all();
    assert!(finished.contains(&"finished devices 10000 false".to_owned()), "{finished:?}");
}

#[tokio::test]
async fn a_failing_service_leaves_a_partial_inventory() {
    let rig = rig(Lists::new(5, 5, 5), |sent| {
        (sent.path == "/api/machineactions").then(|| status(503, &[], "<html>"))
    });
    let inventory = read(&rig, &Scope::default()).await;
    assert_eq!(inventory.len(), 5);
    let missing = missing(&inventory);
    assert_eq!(missing[0].0, What::Actions);
    assert!(missing[0].1.contains("HTTP 503") && missing[0].1.contains("tried 8 times"));
}

#[tokio::test]
async fn none_may_be_said_with_a_404_but_not_by_a_gateway() {
    let none = |own: bool| {
        rig(Lists::new(0, 0, 0), move |sent| {
            (sent.path == "/api/machines").then(|| {
                if own {
                    refusal(404, "ResourceNotFound", "No machines")
                } else {
                    status(404, &[], "<html><title>Not found</title></html>")
                }
            })
        })
    };
    // A history of machines that are not listed would be doubted: there is none here.
    let empty = none(true);
    let inventory = read(&empty, &Scope::default()).await;
    assert_eq!((inventory.len(), inventory.is_complete()), (0, true));
    let gateway = none(false);
    assert!(read(&gateway, &Scope::default()).await.is_partial(What::Devices));
}

#[tokio::test]
async fn partial_content_is_missing_content() {
    let rig = rig(Lists::new(5, 5, 5), |sent| {
        let body = json!({"value": [alert(1)]}).to_string();
        let warning = [("warning", "199 - \"Microsoft/MDATP/504/10000\"")];
        sent.path.starts_with("/v1.0").then(|| status(206, &warning, &body))
    });
    let inventory = read(&rig, &whole()).await;
    assert!(
        missing(&inventory)
            .iter()
            .any(|(what, why)| *what == What::Alerts && why.contains("MDATP"))
    );
    assert_eq!(inventory.alerts().len(), 1);
}

#[tokio::test]
async fn a_link_to_a_foreign_host_is_not_followed_and_nothing_is_lost() {
    let lists = Lists::new(1, 0, 1_500);
    let inner = lists.clone();
    let rig = rig(lists, move |sent| {
        let answer = sent.path.starts_with("/v1.0").then(|| inner.serve(sent))?;
        let mut body: Value = serde_json::from_slice(answer.unwrap().body()).unwrap();
        body["@odata.nextLink"] = json!("https://graph.example.evil.example/v1.0/next");
        Some(ok(&body.to_string()))
    });
    let inventory = read(&rig, &whole()).await;
    assert!(inventory.is_complete(), "{:?}", inventory.missing());
    assert_eq!(inventory.alerts().len(), 1_500);
    assert!(rig.sent().iter().all(|sent| !sent.url.contains("evil")));
}

#[tokio::test]
async fn an_order_the_service_refuses_is_done_without() {
    let rig = rig(Lists::new(1, 0, 2_300), |sent| {
        sent.query.contains("$orderby").then(|| refusal(400, "BadRequest", "no ordering"))
    });
    let inventory = read(&rig, &whole()).await;
    assert!(inventory.is_complete(), "{:?}", inventory.missing());
    assert_eq!(inventory.alerts().len(), 2_300);
}

#[tokio::test]
async fn actions_that_arrive_while_pages_are_read_are_in_the_history() {
    let mut lists = Lists::new(1, 12_000, 0);
    let mut calls = 0;
    let rig = Fake::new(move |sent| {
        if sent.path == "/api/machineactions" {
            calls += 1;
            if calls == 2 {
                // The list is newest first: everything slides by one.
                lists.actions.insert(0, action("new", "2026-11-24T10:00:00Z", "x"));
            }
        }
        lists.serve(sent)
    })
    .start();
    let inventory = read(&rig, &Scope::default()).await;
    assert!(inventory.is_complete(), "{:?}", inventory.missing());
    assert_eq!(inventory.all_actions().len(), 12_001);
}

#[tokio::test]
async fn rows_that_cannot_be_read_make_the_part_partial() {
    let mut lists = Lists::new(3, 2, 1);
    lists.actions.push(json!({"id": "broken", "type": 7}));
    let rig = rig(lists, |_| None);
    let inventory = read(&rig, &Scope::default()).await;
    assert!(inventory.is_partial(What::Actions));
    assert_eq!(inventory.all_actions().len(), 2);
}

#[tokio::test]
async fn without_a_token_there_is_no_observation() {
    let body = r#"{"error":"unauthorized_client","error_codes":[700016],"error_description":"x"}"#;
    let rig = Fake::refusing(move || Some(status(400, &[], body))).start();
    let error = observe(&rig.client, &whole(), &Silent).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::SignIn);
}

#[test]
fn the_scope_names_its_operations() {
    let alerts = Scope { alerts: Some(Alerts::default()), ..Scope::default() };
    let expected = [Operation::ListMachines, Operation::ListActions, Operation::ListAlerts];
    assert_eq!(alerts.operations(), expected);
    assert_eq!(whole().operations().len(), 6);
}

#[tokio::test]
async fn the_services_clock_is_heard_where_it_tells_another_time() {
    let date = |seconds: i64| {
        let at: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        (at + jiff::SignedDuration::from_secs(seconds))
            .strftime("%a, %d %b %Y %H:%M:%S GMT")
            .to_string()
    };
    let heard = async |dates: &'static [i64]| {
        let lists = Lists::new(2, 1, 1);
        let mut nth = 0;
        let twist = move |sent: &Sent| {
            let mut answer = lists.serve(sent).unwrap();
            // Only the Defender API's: another service has another clock.
            let seconds =
                if sent.path.starts_with("/v1.0") { 9_000 } else { dates[nth % dates.len()] };
            nth += 1;
            if seconds != 0 {
                answer.headers_mut().insert("date", date(seconds).parse().unwrap());
            }
            Some(Ok(answer))
        };
        let rig = rig(Lists::new(2, 1, 1), twist);
        let first = read(&rig, &whole()).await;
        assert_eq!(first.observed_at(), "2026-11-24T10:00:00Z".parse().unwrap());
        let at = first.service_at();
        // What an earlier observation heard is forgotten.
        assert_eq!(read(&rig, &whole()).await.service_at(), at);
        at.map(|at| at.duration_since(first.observed_at()).as_secs())
    };
    assert_eq!(heard(&[0]).await, None);
    assert_eq!(heard(&[2]).await, None);
    assert_eq!(heard(&[3]).await, Some(3));
    assert_eq!(heard(&[-300]).await, Some(-300));
    // An answer that was long on its way tells less than one that was not.
    assert_eq!(heard(&[3_590, 3_600, 0, 3_500]).await, Some(3_600));
}
