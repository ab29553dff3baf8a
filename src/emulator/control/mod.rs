//! Control routes under `/_emulator`: the clock, scenarios, the log, and the tenant as it truly is.
//!
//! For tests and people, in any language: plain JSON, no token. They meet no faults, count against no
//! limit and stand in no log. The socket server lets only loopback callers through.

mod requests;
mod truth;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::emulator::Emulator;
use crate::emulator::call::Call;
use crate::emulator::scenario::{Scenario, ScenarioError, order_of};
use crate::emulator::tenant::Tenant;
use crate::model::Span;

/// The first segment of every control path.
const ROOT: &str = "_emulator";

/// What the control routes have changed about the emulator itself.
#[derive(Debug, Default)]
pub(crate) struct Control {
    /// How far the emulator's time is ahead of the clock it is handed.
    pub(crate) ahead: SignedDuration,
    /// Whether somebody asked the server to end.
    pub(crate) stopping: bool,
}

/// Whether a path is a control path.
#[must_use]
pub fn is_control(path: &str) -> bool {
    path.split('/')
        .find(|part| !part.is_empty())
        .is_some_and(|part| part.eq_ignore_ascii_case(ROOT))
}

/// Answers a control route; `None` when the path is none. `now` is the emulator's time.
pub fn route(emulator: &mut Emulator, call: &Call<'_>, now: Timestamp) -> Option<Response<Bytes>> {
    if !is_control(call.raw_path) {
        return None;
    }
    let path: Vec<&str> = call.path.iter().skip(1).map(String::as_str).collect();
    let answer = dispatch(emulator, call, &path, now);
    Some(answer.unwrap_or_else(Refusal::into_response))
}

/// Why a control request was refused.
#[derive(Debug)]
enum Refusal {
    Unknown(String),
    Method(&'static str),
    Body(String),
    Scenario(Vec<ScenarioError>),
    Conflict(String),
}

type Answer = Result<Response<Bytes>, Refusal>;

fn dispatch(emulator: &mut Emulator, call: &Call<'_>, path: &[&str], now: Timestamp) -> Answer {
    let method = call.method;
    let (get, post, delete) =
        (method == Method::GET, method == Method::POST, method == Method::DELETE);
    match path {
        [] | ["state"] if get => ok(&truth::summary(emulator, now)),
        ["requests"] if get => ok(&requests::page(emulator.log.entries(), call)),
        ["requests"] if delete => {
            emulator.log.clear();
            ok(&json!({"cleared": true}))
        }
        ["devices"] if get => ok(&truth::devices(emulator, now)),
        ["devices", device] if get => {
            let row = emulator.tenant.find(device).ok_or_else(|| no_device(device))?;
            ok(&truth::device(emulator, row, now))
        }
        ["devices", device, word @ ("online" | "offline")] if post => {
            let row = emulator.tenant.find(device).ok_or_else(|| no_device(device))?;
            emulator.tenant.set_online(row, *word == "online", now);
            ok(&truth::device(emulator, row, now))
        }
        ["advance"] if post => advance(emulator, call, now),
        ["scenario" | "fault" | "faults"] if post => play(emulator, call, now),
        ["faults"] if get => ok(&truth::faults(emulator)),
        ["faults"] if delete => {
            emulator.faults.clear();
            ok(&json!({"cleared": true}))
        }
        ["act"] if post => act(emulator, call, now),
        ["reset"] if post => {
            emulator.reset(now);
            ok(&truth::summary(emulator, now))
        }
        ["stop"] if post => {
            emulator.control.stopping = true;
            ok(&json!({"stopping": true}))
        }
        [] | ["state"] | ["devices"] | ["devices", _] => Err(Refusal::Method("GET")),
        ["requests"] => Err(Refusal::Method("GET, DELETE")),
        ["faults"] => Err(Refusal::Method("GET, POST, DELETE")),
        ["advance" | "scenario" | "fault" | "act" | "reset" | "stop"]
        | ["devices", _, "online" | "offline"] => Err(Refusal::Method("POST")),
        _ => Err(Refusal::Unknown(format!("there is no control route `{}`", call.raw_path))),
    }
}

fn no_device(device: &str) -> Refusal {
    Refusal::Unknown(format!("there is no device `{device}`"))
}

fn read<'a, T: Deserialize<'a>>(call: &'a Call<'_>) -> Result<T, Refusal> {
    serde_json::from_slice(call.body).map_err(|error| Refusal::Body(error.to_string()))
}

/// `{"by": "72h"}` or `{"to": "2026-12-01T06:00:00Z"}`; time never goes back.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    by: Option<String>,
    to: Option<Timestamp>,
}

fn advance(emulator: &mut Emulator, call: &Call<'_>, now: Timestamp) -> Answer {
    let target = match read::<Advance>(call)? {
        Advance { by: Some(by), to: None } => {
            let span = Span::parse(&by).map_err(|error| Refusal::Body(error.to_string()))?;
            span.after(now)
        }
        Advance { by: None, to: Some(to) } => to.max(now),
        _ => return Err(Refusal::Body("give either `by` or `to`".to_owned())),
    };
    emulator.control.ahead = emulator.control.ahead.saturating_add(target.duration_since(now));
    emulator.live_until(target);
    ok(&json!({"now": target}))
}

/// Lines of the scenario language, as plain text.
fn play(emulator: &mut Emulator, call: &Call<'_>, now: Timestamp) -> Answer {
    let text = std::str::from_utf8(call.body).map_err(|error| Refusal::Body(error.to_string()))?;
    let scenario = Scenario::parse(text).map_err(Refusal::Scenario)?;
    emulator.play(&scenario, now).map_err(Refusal::Scenario)?;
    ok(&json!({"lines": scenario.len()}))
}

/// Somebody acts on a device without passing through the API.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    /// With `@` a person in the portal, else an application.
    actor: String,
    verb: String,
    /// `full`, `selective`, `quick`, a hash.
    detail: Option<String>,
    device: String,
    comment: Option<String>,
}

fn act(emulator: &mut Emulator, call: &Call<'_>, now: Timestamp) -> Answer {
    let Act { actor, verb, detail, device, comment } = read(call)?;
    if verb == "cancel" && detail.is_none() {
        if emulator.tenant.find(&device).is_none() {
            return Err(no_device(&device));
        }
        let id = emulator.cancel_newest(&actor, &device, comment.as_deref(), now);
        let nothing = || Refusal::Conflict(format!("no action is active on `{device}`"));
        return ok(&json!({"action": id.ok_or_else(nothing)?}));
    }
    let comment = comment.unwrap_or_else(|| format!("{verb} {device}"));
    let order = order_of(&verb, detail.as_deref(), &comment)
        .ok_or_else(|| Refusal::Body(format!("`{verb}` is not an action")))?;
    if emulator.tenant.find(&device).is_none() {
        return Err(no_device(&device));
    }
    let id = emulator.act(&actor, &device, order, now);
    let id =
        id.ok_or_else(|| Refusal::Conflict(format!("`{verb}` is already active on `{device}`")))?;
    ok(&json!({"action": id}))
}

fn ok(body: &impl Serialize) -> Answer {
    Ok(answer(StatusCode::OK, body))
}

fn answer(status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
    // Values of ours always serialize.
    let mut bytes = serde_json::to_vec_pretty(body).unwrap_or_default();
    bytes.push(b'\n');
    let mut response = Response::new(Bytes::from(bytes));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl Refusal {
    fn into_response(self) -> Response<Bytes> {
        match self {
            Self::Unknown(text) => answer(StatusCode::NOT_FOUND, &json!({"error": text})),
            Self::Body(text) => answer(StatusCode::BAD_REQUEST, &json!({"error": text})),
            Self::Conflict(text) => answer(StatusCode::CONFLICT, &json!({"error": text})),
            Self::Method(allowed) => {
                let error = json!({"error": format!("only {allowed} here")});
                let mut response = answer(StatusCode::METHOD_NOT_ALLOWED, &error);
                response.headers_mut().insert(ALLOW, HeaderValue::from_static(allowed));
                response
            }
            Self::Scenario(errors) => {
                let errors: Vec<_> = errors
                    .iter()
                    .map(|error| json!({"line": error.line, "message": error.message}))
                    .collect();
                answer(StatusCode::BAD_REQUEST, &json!({"errors": errors}))
            }
        }
    }
}

impl Emulator {
    /// The emulator's time when the clock it is handed shows `now`.
    #[must_use]
    pub fn time(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.control.ahead).unwrap_or(Timestamp::MAX)
    }

    /// Whether a control request asked the server to end.
    #[must_use]
    pub const fn is_stopping(&self) -> bool {
        self.control.stopping
    }

    /// Begins anew with a freshly seeded tenant; the time stays. A tenant built by hand is replaced
    /// by a seeded one, too.
    fn reset(&mut self, now: Timestamp) {
        self.config = self.initial.clone();
        self.tenant = crate::emulator::seed::fleet(&self.config, now);
        self.faults.clear();
        self.limits.clear();
        self.log.clear();
        self.timeline.clear();
    }
}

/// How many actions and alerts are in which state.
fn count<'a>(words: impl Iterator<Item = &'a str>) -> std::collections::BTreeMap<&'a str, usize> {
    let mut counts = std::collections::BTreeMap::new();
    for word in words {
        *counts.entry(word).or_default() += 1;
    }
    counts
}

/// The tenant's machines that are reachable.
fn online(tenant: &Tenant) -> usize {
    tenant.machines().iter().filter(|machine| machine.online).count()
}
