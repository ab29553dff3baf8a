//! Microsoft Graph security under `/v1.0` and `/beta`: alerts, as far as they are documented.
//!
//! Order of checks: token, rate window, path, method, role; then each handler. Paths match without
//! regard to case. Source: Microsoft Learn, `graph/api/resources/security-api-overview`, and Graph
//! metadata v1.0 (msgraph-sdk 1.65.0).

mod alerts;
mod edit;
pub mod error;
mod evidence;
mod query;
mod wire;
mod words;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::header::{ALLOW, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use serde::Serialize;

use crate::emulator::Emulator;
use crate::emulator::call::Call;
use crate::emulator::random::Guid;
use crate::emulator::signin::{self, Audience, Caller};

use error::GraphError;
use words::Seen;

const READ_ALERTS: &[&str] = &["SecurityAlert.Read.All", "SecurityAlert.ReadWrite.All"];
const WRITE_ALERTS: &[&str] = &["SecurityAlert.ReadWrite.All"];

/// One call that passed the checks every call has to pass.
struct Context<'a> {
    call: &'a Call<'a>,
    caller: &'a Caller,
    now: Timestamp,
    /// The answer's id.
    id: Guid,
    seen: Seen,
    preference: Option<HeaderValue>,
}

impl Context<'_> {
    /// `@odata.context` with the host and version that were called.
    fn metadata(&self, fragment: &str) -> String {
        format!("{}/{}/$metadata#{fragment}", self.call.origin, self.call.segment(0))
    }
}

/// What a handler answers.
type Answer = Result<Response<Bytes>, GraphError>;

/// Answers a Graph route; `None` when the path is none.
pub fn route(emulator: &mut Emulator, call: &Call<'_>, now: Timestamp) -> Option<Response<Bytes>> {
    if !matches!(call.segment(0).as_str(), "v1.0" | "beta") {
        return None;
    }
    let caller = match signin::authorize(emulator, call.headers, Audience::Graph, now) {
        Ok(caller) => caller,
        Err(response) => return Some(response),
    };
    let id = emulator.ids.guid();
    if let Err(wait) = emulator.limits.admit_graph(&caller, call, now) {
        return Some(too_many(wait, id, call, now));
    }
    let (seen, preference) = alerts::preference(call.headers);
    let context = Context { call, caller: &caller, now, id, seen, preference };
    let answer = dispatch(emulator, &context);
    Some(answer.unwrap_or_else(|error| {
        let allow = (error.status == StatusCode::METHOD_NOT_ALLOWED).then(|| allowed(call));
        let mut response = error.into_response(id, call.headers, now);
        if let Some(allow) = allow {
            response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
        }
        response
    }))
}

fn dispatch(emulator: &mut Emulator, context: &Context<'_>) -> Answer {
    let call = context.call;
    let (method, path) = (call.method.as_str(), lower(call));
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    // Ids keep their case.
    let id = call.path.get(3).map(String::as_str).unwrap_or_default();
    let tenant = &mut emulator.tenant;
    match (method, path.as_slice()) {
        ("GET", ["security", "alerts_v2"]) => {
            permit(context, READ_ALERTS)?;
            alerts::list(tenant, context)
        }
        ("GET", ["security", "alerts_v2", _]) => {
            permit(context, READ_ALERTS)?;
            alerts::get(tenant, context, id)
        }
        ("PATCH", ["security", "alerts_v2", _]) => {
            permit(context, WRITE_ALERTS)?;
            edit::patch(tenant, context, id)
        }
        ("POST", ["security", "alerts_v2", _, "comments"]) => {
            permit(context, WRITE_ALERTS)?;
            edit::comment(tenant, context, id)
        }
        _ if allowed(call).is_empty() => {
            let segment = call.path.get(1).map(String::as_str).unwrap_or_default();
            let message = format!("Resource not found for the segment '{segment}'.");
            Err(GraphError::bad_path(message))
        }
        _ => Err(GraphError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            format!("The method {method} is not allowed here."),
        )),
    }
}

/// The path below the version, in lower case.
fn lower(call: &Call<'_>) -> Vec<String> {
    call.path.iter().skip(1).map(|part| part.to_ascii_lowercase()).collect()
}

/// The methods of a path; empty for a path that is none.
fn allowed(call: &Call<'_>) -> &'static str {
    let path = lower(call);
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["security", "alerts_v2"] => "GET",
        ["security", "alerts_v2", _] => "GET, PATCH",
        ["security", "alerts_v2", _, "comments"] => "POST",
        _ => "",
    }
}

fn permit(context: &Context<'_>, roles: &[&str]) -> Result<(), GraphError> {
    if roles.iter().any(|role| context.caller.has(role)) {
        Ok(())
    } else {
        Err(GraphError::forbidden(roles, &context.caller.roles))
    }
}

fn too_many(wait: u32, id: Guid, call: &Call<'_>, now: Timestamp) -> Response<Bytes> {
    let error = GraphError::new(
        StatusCode::TOO_MANY_REQUESTS,
        "TooManyRequests",
        "Too many requests. Please retry later.",
    );
    let mut response = error.into_response(id, call.headers, now);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait));
    response
}

/// An answer with Graph's headers.
fn reply(context: &Context<'_>, status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
    let mut response = error::answer(status, body, context.id, context.call.headers);
    if let Some(preference) = &context.preference {
        response.headers_mut().insert("preference-applied", preference.clone());
    }
    response
}
