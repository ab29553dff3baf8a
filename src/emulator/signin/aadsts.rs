//! Sign-in errors as Entra words them: `error`, an AADSTS number, ids to quote, a timestamp.
//!
//! Clients react to `error` and use `error_codes` for hints; numbers and the beginning of the text
//! are the documented ones. Source: Microsoft Learn, `reference-error-codes`.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, EXPIRES, HeaderName, PRAGMA};
use http::{HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use serde::Serialize;

use crate::emulator::call::Call;
use crate::emulator::random::Guid;

/// Why no token was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The OAuth error.
    pub(super) error: &'static str,
    /// The AADSTS number.
    pub(super) code: u32,
    /// The text after the number.
    pub(super) text: String,
}

impl Refusal {
    /// A refusal.
    pub(super) fn new(error: &'static str, code: u32, text: impl Into<String>) -> Self {
        Self { error, code, text: text.into() }
    }

    /// A member of the form is missing.
    pub(super) fn missing(parameter: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{parameter}'.");
        Self::new("invalid_request", 900_144, text)
    }

    /// No such tenant.
    pub(super) fn no_tenant(error: &'static str, tenant: &str) -> Self {
        let text = format!(
            "Tenant '{tenant}' not found. Check that the tenant ID is correct and that the right cloud is used for sign-in."
        );
        Self::new(error, 90_002, text)
    }

    /// The response, with ids to quote to support.
    pub(super) fn into_response(
        self,
        call: &Call<'_>,
        trace: Guid,
        now: Timestamp,
    ) -> Response<Bytes> {
        let correlation = correlation_of(call).unwrap_or_else(|| trace.to_string());
        let timestamp = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let Self { error, code, text } = self;
        let body = Body {
            error,
            error_description: format!(
                "AADSTS{code}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {timestamp}"
            ),
            error_codes: [code],
            timestamp,
            trace_id: trace,
            correlation_id: correlation,
            error_uri: format!("https://login.microsoftonline.com/error?code={code}"),
        };
        // A client that failed to prove who it is gets 401, everything else is a bad request.
        let status = match error {
            "invalid_client" => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        json(status, &body, call, trace)
    }
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    error_description: String,
    error_codes: [u32; 1],
    timestamp: String,
    trace_id: Guid,
    correlation_id: String,
    error_uri: String,
}

/// The caller's own correlation id, when it sent one that is a GUID.
fn correlation_of(call: &Call<'_>) -> Option<String> {
    let id = call.header("client-request-id").or_else(|| call.option("client-request-id"))?;
    Guid::parse(id).map(|id| id.to_string())
}

/// A JSON answer with the sign-in service's headers: nothing of it may be stored.
pub(super) fn json(
    status: StatusCode,
    body: &impl Serialize,
    call: &Call<'_>,
    trace: Guid,
) -> Response<Bytes> {
    // Values of ours always serialize.
    let mut response = Response::new(Bytes::from(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, no-cache"));
    headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    headers.insert(EXPIRES, HeaderValue::from_static("-1"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    let mut put = |name: &'static str, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    put("x-ms-request-id", &trace.to_string());
    if let Some(id) = correlation_of(call) {
        put("client-request-id", &id);
    }
    response
}
