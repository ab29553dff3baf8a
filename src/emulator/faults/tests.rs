//! Faults in process, on a clock moved by hand.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Matcher, http_date};
use crate::emulator::scenario::Scenario;
use crate::emulator::transport::InProcess;
use crate::emulator::{Call, Config, Emulator};
use crate::host::clock::{Clock, ManualClock};
use crate::host::transport::{Transport, TransportError};

struct Rig {
    emulator: Arc<Mutex<Emulator>>,
    clock: ManualClock,
    transport: InProcess,
}

/// An emulator without devices under these lines; every call of `/x` is answered 404 by itself.
fn rig(lines: &str) -> Rig {
    let start: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
    let mut emulator = Emulator::new(Config { devices: 0, ..Config::default() }, start);
    emulator.play(&Scenario::parse(lines).unwrap(), start).unwrap();
    let emulator = Arc::new(Mutex::new(emulator));
    let clock = ManualClock::new(start);
    let transport = InProcess::new(Arc::clone(&emulator), Arc::new(clock.clone()));
    Rig { emulator, clock, transport }
}

impl Rig {
    async fn send(&self, line: &str) -> Result<Response<Bytes>, TransportError> {
        let (method, path) = line.split_once(' ').unwrap();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1:8400")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from_static(
                b"grant_type=client_credentials&client_id=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee\
                  &client_secret=emulator-secret&scope=https://graph.microsoft.com/.default",
            ))
            .unwrap();
        self.transport.send(request).await
    }

    async fn status(&self, line: &str) -> u16 {
        self.send(line).await.map_or(0, |response| response.status().as_u16())
    }
}

const TOKEN: &str = "POST /contoso.example/oauth2/v2.0/token";
const WHERE: &str = "POST /*/oauth2/v2.0/token";

#[tokio::test]
async fn calls_are_counted_as_scripted() {
    let rig = rig(&format!(
        "fault 503 x2 nth 2 on {WHERE}\nfault 429 x2 every 2 on GET /a*\nfault 500 x* on ANY /b"
    ));
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(rig.status(TOKEN).await);
    }
    assert_eq!(seen, [200, 503, 503, 200, 200]);
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(rig.status("GET /api").await);
    }
    assert_eq!(seen.iter().filter(|status| **status == 429).count(), 2, "{seen:?}");
    assert_eq!((seen[0], seen[2]), (429, 429));
    for line in ["GET /b", "DELETE /b", "POST /b"] {
        assert_eq!(rig.status(line).await, 500);
    }
    assert_ne!(rig.status("GET /b/c").await, 500);
    let emulator = rig.emulator.lock().unwrap();
    let left: Vec<_> = emulator.faults.lines().collect();
    assert_eq!(left, [("fault 500 x* on ANY /b", 3)]);
}

#[tokio::test]
async fn faults_that_take_the_answer_wait_for_each_other() {
    let rig = rig(&format!("fault 503 on {WHERE}\nfault 429 on {WHERE} retry-after 7"));
    assert_eq!(rig.status(TOKEN).await, 503);
    let response = rig.send(TOKEN).await.unwrap();
    assert_eq!(response.status(), 429);
    assert_eq!(response.headers().get("retry-after").unwrap(), "7");
    assert_eq!(rig.status(TOKEN).await, 200);
}

#[tokio::test]
async fn each_api_words_its_own_errors() {
    let rig = rig("fault 404 x* on GET /**");
    let body =
        |response: Response<Bytes>| -> Value { serde_json::from_slice(response.body()).unwrap() };
    let defender = body(rig.send("GET /api/machines/1").await.unwrap());
    assert_eq!(defender["error"]["code"], "ResourceNotFound");
    assert!(defender["error"]["target"].is_string());
    let graph = body(rig.send("GET /v1.0/security/alerts_v2/1").await.unwrap());
    assert_eq!(graph["error"]["code"], "NotFound");
    assert!(graph["error"]["innerError"]["request-id"].is_string());
    let entra = body(rig.send("GET /contoso.example/x").await.unwrap());
    assert_eq!(entra["error"], "temporarily_unavailable");
}

#[tokio::test]
async fn an_answer_may_be_anything() {
    let rig = rig("fault 503 html retry-after date 90 on GET /1\n\
         fault 200 body \"{\\\"value\\\":\" type text/plain on GET /2\n\
         fault content-type text/html on GET /3");
    let html = rig.send("GET /1").await.unwrap();
    assert_eq!(html.status(), 503);
    assert_eq!(html.headers().get("content-type").unwrap(), "text/html");
    assert!(html.body().starts_with(b"<html>"));
    assert_eq!(html.headers().get("retry-after").unwrap(), "Mon, 02 Mar 2026 10:01:30 GMT");
    let odd = rig.send("GET /2").await.unwrap();
    assert_eq!((odd.status().as_u16(), &odd.body()[..]), (200, &b"{\"value\":"[..]));
    let html = rig.send("GET /3").await.unwrap();
    assert_eq!(html.headers().get("content-type").unwrap(), "text/html");
    assert!(html.body().starts_with(b"{"));
}

#[tokio::test]
async fn connections_fail_before_or_after_the_effect() {
    let rig = rig(
        "fault reset before on POST /_/*\nfault refuse on GET /1\nfault hang after on GET /2\n\
         fault reset after on GET /3\nfault truncate half on GET /4\nfault truncate 10 on GET /5",
    );
    let failed = |sent: Result<Response<Bytes>, TransportError>| sent.unwrap_err();
    assert!(matches!(failed(rig.send("GET /1").await), TransportError::Connect(_)));
    let before = rig.clock.now();
    assert_eq!(failed(rig.send("GET /2").await), TransportError::Timeout);
    assert_eq!(rig.clock.now().duration_since(before), SignedDuration::from_secs(100));
    assert!(matches!(failed(rig.send("GET /3").await), TransportError::Broken(_)));
    assert!(matches!(failed(rig.send("GET /4").await), TransportError::Broken(_)));
    let text = failed(rig.send("GET /5").await).to_string();
    assert!(text.contains("body ended after 10 of "), "{text}");
}

/// Whether the tenant sees the request.
#[tokio::test]
async fn a_lost_answer_is_not_a_lost_effect() {
    use crate::emulator::Tenant;
    use crate::emulator::tenant::machine::{Machine, MachineId};
    for (line, expected) in [
        ("fault reset before on POST /api/machineactions/*", 1),
        ("fault reset before on POST /api/machines/*/tags", 0),
        ("fault 503 on POST /api/machines/*/tags", 0),
        ("fault hang before on POST /api/machines/*/tags", 0),
        ("fault reset after on POST /api/machines/*/tags", 1),
        ("fault hang after on POST /api/machines/*/tags", 1),
        ("fault 503 after-effect on POST /api/machines/*/tags", 1),
        ("fault truncate 1 on POST /api/machines/*/tags", 1),
    ] {
        let start: Timestamp = "2026-03-02T10:00:00Z".parse().unwrap();
        let config = Config { devices: 0, ..Config::default() };
        let mut tenant = Tenant::empty(&config, start);
        tenant.add_machine(Machine::plain(MachineId([7; 20]), "pc-1", "Windows11", start));
        let mut emulator = Emulator::with_tenant(config, tenant);
        emulator.play(&Scenario::parse(line).unwrap(), start).unwrap();
        let script = {
            let request = Request::post("/api/machines/1/tags").body(Bytes::new()).unwrap();
            emulator.faults.meet(&request)
        };
        assert_eq!(u32::from(!script.hides()), expected, "{line}");
    }
}

#[tokio::test]
async fn time_passes_and_deviates() {
    let rig =
        rig("fault delay 30s on GET /1\nfault delay 300ms x2 on GET /1\nfault skew -5m on GET /2");
    let before = rig.clock.now();
    let response = rig.send("GET /1").await.unwrap();
    assert_eq!(rig.clock.now().duration_since(before), SignedDuration::from_millis(30_300));
    let date = |response: &Response<Bytes>| response.headers().get("date").unwrap().clone();
    assert_eq!(date(&response), "Mon, 02 Mar 2026 10:00:00 GMT");
    let response = rig.send("GET /2").await.unwrap();
    assert_eq!(date(&response), "Mon, 02 Mar 2026 09:55:30 GMT");
}

const PAGE: &str =
    r#"{"@odata.context":"c","value":[{"b":1,"a":1.50},{"b":2},{"b":3}],"@odata.nextLink":"n"}"#;

/// Runs a page through the faults of a scenario.
fn through(emulator: &mut Emulator, target: &str, page: &str) -> String {
    let request = Request::get(target).header("host", "127.0.0.1:1").body(Bytes::new()).unwrap();
    let script = emulator.faults.meet(&request);
    let response = Response::new(Bytes::copy_from_slice(page.as_bytes()));
    let call = Call::read(&request);
    let reply = emulator.faults.finish(&script, &call, Some(response), Timestamp::UNIX_EPOCH);
    String::from_utf8(reply.response.body().to_vec()).unwrap()
}

fn scripted(lines: &str) -> Emulator {
    let mut emulator =
        Emulator::new(Config { devices: 0, ..Config::default() }, Timestamp::UNIX_EPOCH);
    emulator.play(&Scenario::parse(lines).unwrap(), Timestamp::UNIX_EPOCH).unwrap();
    emulator
}

#[test]
fn pages_lose_rows_and_links() {
    let link = |url: &str| {
        PAGE.replace(r#""@odata.nextLink":"n""#, &format!(r#""@odata.nextLink":"{url}""#))
    };
    for (line, expected) in [
        ("lose-rows all", r#"{"@odata.context":"c","value":[],"@odata.nextLink":"n"}"#.to_owned()),
        ("lose-rows 2", PAGE.replace(r#",{"b":2},{"b":3}"#, "")),
        ("next-link missing", PAGE.replace(r#","@odata.nextLink":"n""#, "")),
        ("next-link stale", link("http://127.0.0.1:1/api/machines?$filter=a+eq+1&$skip=5")),
        ("next-link nameless", link("http://127.0.0.1:1/api/machines?=a%20eq%201&$skip=5")),
        ("next-link malformed", link("://next page")),
        (
            "next-link foreign",
            link("https://graph.microsoft.com.evil.example/api/machines?$filter=a+eq+1&$skip=5"),
        ),
    ] {
        let mut emulator = scripted(&format!("fault {line} on GET /api/machines"));
        let target = "/api/machines?$filter=a+eq+1&$skip=5";
        assert_eq!(through(&mut emulator, target, PAGE), expected, "{line}");
        assert_eq!(through(&mut emulator, target, PAGE), PAGE, "once only");
    }
}

#[test]
fn rows_repeat_on_the_next_page() {
    let mut emulator = scripted("fault repeat-rows 2 on GET /api/machines");
    assert_eq!(through(&mut emulator, "/api/machines", PAGE), PAGE);
    let next = r#"{"value":[{"b":4}]}"#;
    assert_eq!(
        through(&mut emulator, "/api/machines?$skip=3", next),
        r#"{"value":[{"b":2},{"b":3},{"b":4}]}"#
    );
    assert_eq!(through(&mut emulator, "/api/machines?$skip=6", next), next);
}

#[test]
fn what_is_no_page_stays_as_it_is() {
    let mut emulator = scripted("fault lose-rows all x* on GET /**");
    for body in ["", "[]", r#"{"id":"1"}"#, r#"{"value":1}"#, "<html>"] {
        assert_eq!(through(&mut emulator, "/x", body), body);
    }
}

#[test]
fn queries_single_out_one_page() {
    let matcher = Matcher { query: Some("$skip=10000".to_owned()), ..Matcher::path("/api/*") };
    let matches = |target: &str| matcher.matches(&Request::get(target).body(Bytes::new()).unwrap());
    assert!(matches("/api/machines?$top=10000&$skip=10000"));
    assert!(matches("/api/machines?%24top=10000&%24skip=10000"));
    assert!(!matches("/api/machines?$top=10000"));
    assert!(!matches("/api/machines"));
}

#[test]
fn dates_are_those_of_http() {
    let at: Timestamp = "1994-11-06T08:49:37.9Z".parse().unwrap();
    assert_eq!(http_date(at), "Sun, 06 Nov 1994 08:49:37 GMT");
}
