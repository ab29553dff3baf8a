//! Graph's error bodies and the headers around every Graph answer.
//!
//! `{"error":{"code","message","innerError":{"date","request-id","client-request-id"}}}`, with the key
//! spelled `innerError` as in live answers. Source: Microsoft Learn, `graph/errors`.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use serde::Serialize;

use crate::emulator::random::Guid;

/// Media type of Graph's answers.
pub const GRAPH_JSON: &str = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8";

/// A refusal of Graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphError {
    /// The status.
    pub status: StatusCode,
    /// The code.
    pub code: &'static str,
    /// The message.
    pub message: String,
}

impl GraphError {
    /// A refusal.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// 400 with Graph's usual code.
    #[must_use]
    pub fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 404 for an entity or a path.
    #[must_use]
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "NotFound", message)
    }

    /// 400 for a path that Graph does not know.
    #[must_use]
    pub fn bad_path(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "BadRequest", message)
    }

    /// 403 for a missing role.
    #[must_use]
    pub fn forbidden(roles: &[&str], held: &[String]) -> Self {
        let message = format!(
            "Missing application roles. API required roles: {}, application roles: {}.",
            roles.join(","),
            held.join(",")
        );
        Self::new(StatusCode::FORBIDDEN, "Forbidden", message)
    }

    /// The response under a request id.
    #[must_use]
    pub fn into_response(self, id: Guid, headers: &HeaderMap, now: Timestamp) -> Response<Bytes> {
        let client = client_request_id(headers, id);
        let body = Body {
            error: Inner {
                code: self.code,
                message: self.message,
                inner: Ids {
                    date: now.strftime("%Y-%m-%dT%H:%M:%S").to_string(),
                    request: id,
                    client,
                },
            },
        };
        answer(self.status, &body, id, headers)
    }
}

#[derive(Serialize)]
struct Body {
    error: Inner,
}

#[derive(Serialize)]
struct Inner {
    code: &'static str,
    message: String,
    #[serde(rename = "innerError")]
    inner: Ids,
}

#[derive(Serialize)]
struct Ids {
    date: String,
    #[serde(rename = "request-id")]
    request: Guid,
    #[serde(rename = "client-request-id")]
    client: String,
}

/// A JSON answer with Graph's headers.
#[must_use]
pub fn answer(
    status: StatusCode,
    body: &impl Serialize,
    id: Guid,
    headers: &HeaderMap,
) -> Response<Bytes> {
    // Values of ours always serialize.
    let mut response = Response::new(Bytes::from(serde_json::to_vec(body).unwrap_or_default()));
    *response.status_mut() = status;
    let client = client_request_id(headers, id);
    let out = response.headers_mut();
    out.insert(CONTENT_TYPE, HeaderValue::from_static(GRAPH_JSON));
    let mut put = |name: &'static str, text: &str| {
        if let Ok(value) = HeaderValue::from_str(text) {
            out.insert(HeaderName::from_static(name), value);
        }
    };
    put("odata-version", "4.0");
    put("request-id", &id.to_string());
    put("client-request-id", &client);
    put(
        "x-ms-ags-diagnostic",
        r#"{"ServerInfo":{"DataCenter":"Emulator","Slice":"E","Ring":"0","ScaleUnit":"000","RoleInstance":"EMULATOR"}}"#,
    );
    response
}

/// The caller's own id when it sent a GUID, else the server's.
fn client_request_id(headers: &HeaderMap, id: Guid) -> String {
    let sent = headers.get("client-request-id").and_then(|value| value.to_str().ok());
    sent.and_then(Guid::parse).unwrap_or(id).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_carries_both_ids_and_a_date() {
        let mut headers = HeaderMap::new();
        let own = "0a0a0a0a-0b0b-4c0c-8d0d-0e0e0e0e0e0e";
        headers.insert("client-request-id", HeaderValue::from_static(own));
        let now: Timestamp = "2026-03-02T10:00:05Z".parse().unwrap();
        let response = GraphError::bad("no").into_response(Guid([0x22; 16]), &headers, now);
        assert_eq!(response.status(), 400);
        assert_eq!(
            String::from_utf8(response.body().to_vec()).unwrap(),
            r#"{"error":{"code":"BadRequest","message":"no","innerError":{"date":"2026-03-02T10:00:05","request-id":"22222222-2222-2222-2222-222222222222","client-request-id":"0a0a0a0a-0b0b-4c0c-8d0d-0e0e0e0e0e0e"}}}"#
        );
        assert_eq!(response.headers().get("client-request-id").unwrap(), own);
    }
}
