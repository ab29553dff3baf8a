//! A transport that answers from a script, for the tests of the drivers.

use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use url::Url;

use crate::drive::client::{Client, ClientOptions};
use crate::drive::progress::{Event, Progress};
use crate::host::clock::{Clock, ManualClock, Pending};
use crate::host::credential::{Credential, Secret};
use crate::host::random::Seeded;
use crate::host::transport::{Transport, TransportError};
use crate::policy::workspace::{CredentialSource, Endpoints, Tenant};

pub(crate) type Answer = Result<Response<Bytes>, TransportError>;
type Script = Box<dyn FnMut(&Sent) -> Answer + Send>;

/// A request as it was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) path: String,
    /// Decoded.
    pub(crate) query: String,
    pub(crate) body: String,
    pub(crate) bearer: Option<String>,
    pub(crate) request_id: Option<String>,
    pub(crate) user_agent: Option<String>,
    pub(crate) at: Timestamp,
}

impl Sent {
    pub(crate) fn number(&self, option: &str) -> Option<usize> {
        let (_, rest) = self.query.split_once(&format!("{option}="))?;
        rest.split(['&', ' ']).next()?.parse().ok()
    }
}

/// The fake network.
pub(crate) struct Fake {
    clock: ManualClock,
    script: Mutex<Script>,
    log: Mutex<Vec<Sent>>,
    /// How long tokens last, and the roles in them.
    pub(crate) lasts: i64,
    pub(crate) roles: Vec<String>,
    /// How long each answer takes.
    pub(crate) takes: SignedDuration,
    /// What the authority answers instead of a token.
    refuses: Option<Box<dyn Fn() -> Option<Answer> + Send + Sync>>,
}

impl std::fmt::Debug for Fake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fake")
    }
}

impl Fake {
    pub(crate) fn new(script: impl FnMut(&Sent) -> Answer + Send + 'static) -> Self {
        Self {
            clock: ManualClock::new("2026-11-24T10:00:00Z".parse().unwrap()),
            script: Mutex::new(Box::new(script)),
            log: Mutex::default(),
            lasts: 3_599,
            roles: vec!["Machine.Read.All".into(), "SecurityAlert.Read.All".into()],
            takes: SignedDuration::ZERO,
            refuses: None,
        }
    }

    /// A network whose authority may refuse; every other call gives a machine action.
    pub(crate) fn refusing(with: impl Fn() -> Option<Answer> + Send + Sync + 'static) -> Self {
        let entity = action("a-1", "2026-11-24T09:00:00Z", "x").to_string();
        let mut fake = Self::new(move |_| ok(&entity));
        fake.refuses = Some(Box::new(with));
        fake
    }

    pub(crate) fn start(self) -> Rig {
        Rig::of(self)
    }

    fn token(&self, number: usize, scope: &str) -> String {
        let claims = serde_json::json!({
            "aud": scope.trim_end_matches("/.default"), "tid": "t", "roles": self.roles,
        });
        format!("h.{}.s{number}", URL_SAFE_NO_PAD.encode(claims.to_string()))
    }

    fn answer(&self, sent: &Sent) -> Answer {
        if !sent.path.ends_with("/oauth2/v2.0/token") {
            return (self.script.lock().unwrap())(sent);
        }
        assert!(sent.bearer.is_none());
        if let Some(answer) = self.refuses.as_ref().and_then(|refuses| refuses()) {
            return answer;
        }
        let number = self.log.lock().unwrap().len();
        let form: Vec<(String, String)> =
            url::form_urlencoded::parse(sent.body.as_bytes()).into_owned().collect();
        let scope = &form.iter().find(|(name, _)| name == "scope").unwrap().1;
        let token = self.token(number, scope);
        let body = serde_json::json!({
            "token_type": "Bearer", "expires_in": self.lasts, "access_token": token,
        });
        ok(&body.to_string())
    }
}

impl Transport for Fake {
    fn send(&self, request: Request<Bytes>) -> Pending<'_, Answer> {
        Box::pin(async move {
            let header =
                |name: &str| Some(request.headers().get(name)?.to_str().unwrap().to_owned());
            let query = request.uri().query().unwrap_or_default();
            let decoded = percent_encoding::percent_decode_str(query).decode_utf8().unwrap();
            let sent = Sent {
                method: request.method().to_string(),
                url: request.uri().to_string(),
                path: request.uri().path().to_owned(),
                query: decoded.into_owned(),
                body: String::from_utf8(request.body().to_vec()).unwrap(),
                bearer: header("authorization"),
                request_id: header("client-request-id"),
                user_agent: header("user-agent"),
                at: self.clock.now(),
            };
            self.log.lock().unwrap().push(sent.clone());
            self.clock.advance(self.takes);
            self.answer(&sent)
        })
    }
}

/// A client on a fake network.
pub(crate) struct Rig {
    pub(crate) client: Client,
    pub(crate) clock: ManualClock,
    pub(crate) heard: Arc<Heard>,
    fake: Arc<Fake>,
}

impl Rig {
    fn of(fake: Fake) -> Self {
        let fake = Arc::new(fake);
        let heard = Arc::new(Heard::default());
        let url = |text: &str| Url::parse(text).unwrap();
        let tenant = Tenant {
            name: "contoso".into(),
            tenant_id: "t".into(),
            endpoints: Endpoints {
                authority: url("https://login.example"),
                defender: url("https://defender.example"),
                graph: url("https://graph.example"),
                defender_scope: "https://api.securitycenter.microsoft.com/.default".into(),
                graph_scope: "https://graph.microsoft.com/.default".into(),
            },
            credential: CredentialSource::ClientSecret,
            site: None,
        };
        let client = Client::new(
            &tenant,
            Credential::with_secret("app", Secret::new("hunter2")),
            fake.clone(),
            Arc::new(fake.clock.clone()),
            ClientOptions {
                random: Arc::new(Seeded::new(1)),
                progress: heard.clone(),
                ..ClientOptions::default()
            },
        );
        Self { client, clock: fake.clock.clone(), heard, fake }
    }

    /// Requests to the APIs so far, without those for tokens.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        let mut log = self.fake.log.lock().unwrap().clone();
        log.retain(|sent| !sent.path.ends_with("/token"));
        log
    }

    /// Requests for tokens so far.
    pub(crate) fn sign_ins(&self) -> usize {
        let all = self.fake.log.lock().unwrap().len();
        all - self.sent().len()
    }

    /// Seconds since the start.
    pub(crate) fn elapsed(&self) -> f64 {
        let start: Timestamp = "2026-11-24T10:00:00Z".parse().unwrap();
        self.clock.now().duration_since(start).as_secs_f64()
    }
}

/// Remembers events as short texts.
#[derive(Debug, Default)]
pub(crate) struct Heard(Mutex<Vec<String>>);

impl Heard {
    pub(crate) fn all(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

impl Progress for Heard {
    fn tell(&self, event: &Event<'_>) {
        let text = match event {
            Event::Started { what } => format!("started {}", what.word()),
            Event::Page { what, pages, rows } => format!("{} {pages} {rows}", what.word()),
            Event::Finished { what, rows, complete } => {
                format!("finished {} {rows} {complete}", what.word())
            }
            Event::Waiting { class, .. } => format!("waiting for {}", class.phrase()),
            Event::Retrying { operation, .. } => format!("retrying {operation}"),
        };
        self.0.lock().unwrap().push(text);
    }
}

pub(crate) fn ok(body: &str) -> Answer {
    status(200, &[], body)
}

pub(crate) fn status(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    Ok(builder.body(Bytes::copy_from_slice(body.as_bytes())).unwrap())
}

/// An error body of the Defender API.
pub(crate) fn refusal(code: u16, name: &str, message: &str) -> Answer {
    let body = serde_json::json!({"error": {"code": name, "message": message, "target": "c-1"}});
    status(code, &[], &body.to_string())
}

/// A machine action as the service prints it.
pub(crate) fn action(id: &str, created: &str, comment: &str) -> serde_json::Value {
    serde_json::json!({
        "id": id, "type": "Isolate", "title": null, "requestor": "bot",
        "requestorComment": comment, "status": "Pending",
        "machineId": "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567", "computerDnsName": null,
        "creationDateTimeUtc": created, "lastUpdateDateTimeUtc": created,
        "cancellationRequestor": null, "cancellationComment": null,
        "cancellationDateTimeUtc": null, "errorHResult": 0, "scope": null, "externalId": null,
        "requestSource": "PublicApi", "relatedFileInfo": null, "commands": [],
        "troubleshootInfo": null
    })
}

/// A page of a list, cut by `$top` and `$skip`.
pub(crate) fn page(rows: &[serde_json::Value], sent: &Sent) -> Answer {
    let skip = sent.number("$skip").unwrap_or(0);
    let top = sent.number("$top").expect("every list states its own $top");
    let value: Vec<_> = rows.iter().skip(skip).take(top).collect();
    ok(&serde_json::json!({"@odata.context": "x", "value": value}).to_string())
}
