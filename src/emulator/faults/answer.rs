//! The answer a fault gives instead: by default the body that the API called gives with that status.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use crate::emulator::call::Call;
use crate::emulator::error::ApiError;
use crate::emulator::faults::{Instead, RetryAfter, http_date};
use crate::emulator::graph::error::GraphError;
use crate::emulator::random::Guid;

/// What a gateway in front of the service says.
pub const HTML: &str = "<html><head><title>Service Unavailable</title></head><body><h1>Our services aren't available right now</h1></body></html>";

pub(super) fn instead(
    instead: &Instead,
    call: &Call<'_>,
    id: Guid,
    now: Timestamp,
) -> Response<Bytes> {
    let mut response = usual(instead.status, call, id, now);
    if let Some(body) = &instead.body {
        *response.body_mut() = Bytes::from(body.clone());
    }
    if let Some(Ok(kind)) = instead.content_type.as_deref().map(HeaderValue::from_str) {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    let wait = instead.retry_after.map(|wait| match wait {
        RetryAfter::Seconds(seconds) => seconds.to_string(),
        RetryAfter::Date(seconds) => {
            let ahead = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
            http_date(now.checked_add(ahead).unwrap_or(now))
        }
    });
    if let Some(Ok(wait)) = wait.as_deref().map(HeaderValue::from_str) {
        response.headers_mut().insert(RETRY_AFTER, wait);
    }
    response
}

/// The API's own body for a status.
fn usual(status: StatusCode, call: &Call<'_>, id: Guid, now: Timestamp) -> Response<Bytes> {
    if status.is_success() {
        let mut response = crate::emulator::error::empty(status);
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        return response;
    }
    let (code, message) = words(status);
    match call.segment(0).as_str() {
        "v1.0" | "beta" => {
            // Graph's spelling of the codes that differ.
            let code = match code {
                "Unauthorized" => "InvalidAuthenticationToken",
                "ResourceNotFound" => "NotFound",
                other => other,
            };
            GraphError::new(status, code, message).into_response(id, call.headers, now)
        }
        "api" => ApiError::new(status, code, message).into_response(id),
        _ => sign_in(status, id, now),
    }
}

fn words(status: StatusCode) -> (&'static str, &'static str) {
    match status.as_u16() {
        401 => ("Unauthorized", "The authorization token is invalid."),
        403 => ("Forbidden", "The application does not have the required permissions."),
        404 => ("ResourceNotFound", "The resource was not found."),
        409 => ("Conflict", "The request conflicts with the present state of the resource."),
        412 => ("PreconditionFailed", "A precondition does not hold."),
        429 => ("TooManyRequests", "Too many requests. Retry later."),
        // The documentation promises an empty message here.
        500 => ("InternalServerError", ""),
        502 => ("BadGateway", "The gateway got no valid answer."),
        503 => ("ServiceUnavailable", "The service is temporarily unavailable."),
        504 => ("GatewayTimeout", "The gateway got no answer in time."),
        400..=499 => ("BadRequest", "The request is not valid."),
        _ => ("InternalServerError", ""),
    }
}

fn sign_in(status: StatusCode, id: Guid, now: Timestamp) -> Response<Bytes> {
    let timestamp = now.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
    let text = format!(
        "AADSTS90033: A transient error has occurred. Please try again. Trace ID: {id} Correlation ID: {id} Timestamp: {timestamp}"
    );
    let body = json!({
        "error": "temporarily_unavailable",
        "error_description": text,
        "error_codes": [90033],
        "timestamp": timestamp,
        "trace_id": id,
        "correlation_id": id,
    });
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
