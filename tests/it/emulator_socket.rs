//! The emulator behind its socket, met by plain HTTP clients that know nothing of it.

use std::time::Duration;

use palisade::emulator::Config;
use palisade::emulator::serve::{ClockKind, Options, Ready, ServeError, Server, run};
use reqwest::{Client, Response, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

struct Served {
    ready: Ready,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

async fn serve(scenario: &str) -> Served {
    let options = Options {
        config: Config { devices: 40, ..Config::default() },
        scenario: Some(scenario.to_owned()),
        clock: ClockKind::Manual,
        ..Options::default()
    };
    let server = Server::bind(options).await.unwrap();
    let ready = server.ready().clone();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(server.run(async {
        drop(stopped.await);
    }));
    Served { ready, client: client(), stop: Some(stop), running }
}

fn client() -> Client {
    drop(rustls::crypto::ring::default_provider().install_default());
    Client::builder().no_proxy().timeout(Duration::from_secs(20)).build().unwrap()
}

async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

impl Served {
    async fn token(&self, scope: &str) -> String {
        let ready = &self.ready;
        let body: String = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &ready.client_id)
            .append_pair("client_secret", &ready.client_secret)
            .append_pair("scope", &format!("{scope}/.default"))
            .finish();
        let url = format!("{}/{}/oauth2/v2.0/token", ready.authority, ready.tenant_id);
        let request = self.client.post(url).body(body);
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let (status, answer) = read(request.send().await.unwrap()).await;
        assert_eq!(status, 200, "{answer}");
        answer["access_token"].as_str().unwrap().to_owned()
    }

    async fn defender(&self) -> String {
        self.token("https://api.securitycenter.microsoft.com").await
    }

    async fn get(&self, path: &str, token: &str) -> reqwest::Result<Response> {
        let url = format!("{}{path}", self.ready.defender);
        self.client.get(url).bearer_auth(token).send().await
    }

    async fn control(&self, path: &str, body: &str) -> (StatusCode, Value) {
        let url = format!("{}/_emulator/{path}", self.ready.defender);
        read(self.client.post(url).body(body.to_owned()).send().await.unwrap()).await
    }

    /// Sends bytes on a connection of its own and reads until it ends.
    async fn raw(&self, request: &str) -> (String, Option<std::io::ErrorKind>) {
        let address = self.ready.defender.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = request.replace("HOST", address);
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let end = stream.read_to_end(&mut bytes).await.err().map(|error| error.kind());
        (String::from_utf8_lossy(&bytes).into_owned(), end)
    }

    async fn end(mut self) {
        drop(self.stop.take());
        tokio::time::timeout(Duration::from_secs(10), self.running).await.unwrap().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_in_and_read_both_apis() {
    let served = serve("").await;
    let defender = served.defender().await;
    let response = served.get("/api/machines?$top=5", &defender).await.unwrap();
    assert!(response.headers().contains_key("date"));
    let (status, page) = read(response).await;
    assert_eq!(status, 200);
    assert_eq!(page["value"].as_array().unwrap().len(), 5);
    let context = page["@odata.context"].as_str().unwrap();
    assert!(context.starts_with(&served.ready.defender), "{context}");
    let graph = served.token("https://graph.microsoft.com").await;
    let (status, page) = read(served.get("/v1.0/security/alerts_v2", &graph).await.unwrap()).await;
    assert_eq!(status, 200, "{page}");
    assert!(page["value"].is_array());

    let url = format!("{}/api/machines", served.ready.defender);
    let missing = served.client.get(url).send().await.unwrap();
    assert!(missing.headers().contains_key("www-authenticate"));
    let (status, body) = read(missing).await;
    assert_eq!((status.as_u16(), body["error"]["code"].as_str()), (401, Some("Unauthorized")));
    let (status, body) = read(served.get("/api/machines", &graph).await.unwrap()).await;
    assert_eq!((status.as_u16(), body["error"]["code"].as_str()), (403, Some("Forbidden")));
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hundred_and_first_call_of_a_minute_has_to_wait() {
    let served = serve("").await;
    let token = served.defender().await;
    let calls = (0..100).map(|_| served.get("/api/machineactions?$top=1", &token));
    let mut statuses = Vec::new();
    for call in calls {
        statuses.push(call.await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200; 100]);
    let refused = served.get("/api/machineactions?$top=1", &token).await.unwrap();
    assert_eq!(refused.status(), 429);
    assert_eq!(refused.headers().get("retry-after").unwrap(), "60");
    assert_eq!(served.control("advance", r#"{"by":"2m"}"#).await.0, 200);
    assert_eq!(served.get("/api/machineactions", &token).await.unwrap().status(), 200);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_clients_at_once_are_answered() {
    let served = serve("switch limits off").await;
    let token = served.defender().await;
    let calls: Vec<_> = (0..64)
        .map(|_| {
            let request = client().get(format!("{}/api/machines?$top=20", served.ready.defender));
            tokio::spawn(request.bearer_auth(&token).send())
        })
        .collect();
    for call in calls {
        let (status, page) = read(call.await.unwrap().unwrap()).await;
        assert_eq!((status.as_u16(), page["value"].as_array().unwrap().len()), (200, 20));
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_connections_are_really_broken() {
    let served = serve(
        "fault reset after on GET /api/machines\n\
         fault truncate half nth 2 on GET /api/machines\n\
         fault 503 html on GET /api/machineactions\n\
         fault reset before on GET /api/alerts",
    )
    .await;
    let token = served.defender().await;
    assert!(served.get("/api/machines", &token).await.unwrap_err().is_request());
    let cut = served.get("/api/machines", &token).await.unwrap();
    assert_eq!(cut.status(), 200);
    assert!(cut.content_length().is_some_and(|announced| announced > 0));
    assert!(cut.bytes().await.is_err(), "a body that ends early is no body");
    let html = served.get("/api/machineactions", &token).await.unwrap();
    assert_eq!(html.headers().get("content-type").unwrap(), "text/html");
    let (text, end) = served.raw("GET /api/alerts HTTP/1.1\r\nhost: HOST\r\n\r\n").await;
    assert_eq!((text.as_str(), end), ("", Some(std::io::ErrorKind::ConnectionReset)));
    assert_eq!(served.get("/api/machines", &token).await.unwrap().status(), 200);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_finer_points_of_http() {
    let served = serve("fault truncate 10 on GET /_/x").await;
    let close = "host: HOST\r\nconnection: close\r\n";
    let (text, end) = served.raw(&format!("GET /_/x HTTP/1.1\r\n{close}\r\n")).await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.to_ascii_lowercase().contains("content-length: "), "{head}");
    assert_eq!((body.len(), end), (10, None));
    let (text, _) = served.raw(&format!("HEAD /_emulator HTTP/1.1\r\n{close}\r\n")).await;
    assert!(text.ends_with("\r\n\r\n") && text.starts_with("HTTP/1.1 405"), "{text}");
    let waits = format!(
        "POST /t/oauth2/v2.0/token HTTP/1.1\r\n{close}expect: 100-continue\r\ncontent-length: 2\r\n\r\nab"
    );
    let (text, _) = served.raw(&waits).await;
    assert!(text.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 "), "{text}");
    let long = "a".repeat(9 * 1024 * 1024);
    let url = format!("{}/api/x", served.ready.defender);
    let sent = served.client.post(url).body(long).send().await;
    assert!(sent.is_err() || sent.unwrap().status() == 413);
    let (text, _) = served
        .raw("GET /_emulator HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n")
        .await;
    assert!(text.starts_with("HTTP/1.1 403"), "{text}");
    let packed = format!("GET /_emulator/devices HTTP/1.1\r\n{close}accept-encoding: gzip\r\n\r\n");
    let (text, _) = served.raw(&packed).await;
    assert!(text.to_ascii_lowercase().contains("content-encoding: gzip"), "{text}");
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_ends_when_asked_and_says_when_it_is_ready() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ready.json");
    std::fs::write(&path, "of an earlier run").unwrap();
    let options = Options {
        config: Config { devices: 1, ..Config::default() },
        ready_file: Some(path.clone()),
        ..Options::default()
    };
    let server = Server::bind(options).await.unwrap();
    let told: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut names: Vec<&String> = told.as_object().unwrap().keys().collect();
    names.sort();
    assert_eq!(names, ["authority", "clientId", "clientSecret", "defender", "graph", "tenantId"]);
    assert_eq!(told["defender"], server.ready().defender.as_str());
    let root = server.ready().defender.clone();
    let running = tokio::spawn(server.run(std::future::pending()));
    let client = client();
    let stop = client.post(format!("{root}/_emulator/stop")).send().await.unwrap();
    assert_eq!(stop.status(), 200);
    tokio::time::timeout(Duration::from_secs(10), running).await.unwrap().unwrap();
    assert!(client.get(&root).send().await.unwrap_err().is_connect());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "no file left beside it");
}

#[tokio::test]
async fn what_cannot_be_served_is_said() {
    let wrong = Options {
        config: Config { devices: 1, ..Config::default() },
        scenario: Some("switch limits on\nexplode".to_owned()),
        ..Options::default()
    };
    let Err(ServeError::Scenario(errors)) = run(wrong, std::future::ready(())).await else {
        panic!("a wrong scenario is refused");
    };
    assert_eq!(errors[0].line, 2);
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = Options {
        config: Config { devices: 1, ..Config::default() },
        listen: taken.local_addr().unwrap(),
        ..Options::default()
    };
    let refused = run(options, std::future::ready(())).await;
    assert!(matches!(refused, Err(ServeError::Listen { .. })));
}
