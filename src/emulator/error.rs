//! The service's error bodies and the responses around every body.
//!
//! Two shapes: the standard one with a code, a message and a `target` (the correlation id), and the
//! OData layer's with an empty code and `details`. Handlers of the Defender API return [`ApiError`];
//! the router turns it into a response. Source: Microsoft Learn, `common-errors`.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::emulator::random::Guid;

/// Media type of every OData answer.
pub const ODATA_JSON: &str =
    "application/json; odata.metadata=minimal; odata.streaming=true; charset=utf-8";

/// A refusal of the Defender API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The status.
    pub status: StatusCode,
    /// The code; empty for the OData layer.
    pub code: &'static str,
    /// The message.
    pub message: String,
}

impl ApiError {
    /// A refusal in the standard shape.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// 400 with a code.
    #[must_use]
    pub fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 400 of the OData layer: empty code, `details`, no target.
    #[must_use]
    pub fn odata(message: impl std::fmt::Display) -> Self {
        let message = format!("The query specified in the URI is not valid. {message}");
        Self::new(StatusCode::BAD_REQUEST, "", message)
    }

    /// 404 for an entity.
    #[must_use]
    pub fn not_found(what: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "ResourceNotFound", what)
    }

    /// The response, with the id to quote to support.
    #[must_use]
    pub fn into_response(self, target: Guid) -> Response<Bytes> {
        let inner = if self.code.is_empty() {
            Inner { code: "", message: &self.message, target: None, details: Some([]) }
        } else {
            Inner { code: self.code, message: &self.message, target: Some(target), details: None }
        };
        json(self.status, &Body { error: inner })
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: Inner<'a>,
}

#[derive(Serialize)]
struct Inner<'a> {
    code: &'static str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    target: Option<Guid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<[(); 0]>,
}

/// A JSON answer with the service's headers.
#[must_use]
pub fn json(status: StatusCode, body: &impl Serialize) -> Response<Bytes> {
    // Values of ours always serialize: no maps with odd keys, no failing writers.
    let bytes = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(Bytes::from(bytes));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(ODATA_JSON));
    headers.insert(HeaderName::from_static("odata-version"), HeaderValue::from_static("4.0"));
    response
}

/// An answer without a body.
#[must_use]
pub fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(error: ApiError) -> String {
        let response = error.into_response(Guid([0x11; 16]));
        String::from_utf8(response.body().to_vec()).unwrap()
    }

    #[test]
    fn both_shapes_are_byte_for_byte_as_documented() {
        assert_eq!(
            text(ApiError::not_found("Machine 9f00 was not found")),
            r#"{"error":{"code":"ResourceNotFound","message":"Machine 9f00 was not found","target":"11111111-1111-1111-1111-111111111111"}}"#
        );
        assert_eq!(
            text(ApiError::odata("The query parameter '$stop' is not supported.")),
            r#"{"error":{"code":"","message":"The query specified in the URI is not valid. The query parameter '$stop' is not supported.","details":[]}}"#
        );
    }
}
