//! The log of requests received: what tests and people look at afterwards.

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use jiff::Timestamp;

use crate::emulator::Reply;

/// One request with the status it got.
#[derive(Clone, Debug)]
pub struct Logged {
    /// When it arrived, by the emulator's clock.
    pub at: Timestamp,
    /// Its method.
    pub method: Method,
    /// Its target.
    pub uri: Uri,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
    /// The status it got.
    pub status: StatusCode,
}

impl Logged {
    /// Notes a request and its answer.
    #[must_use]
    pub fn new(request: &Request<Bytes>, reply: &Reply, at: Timestamp) -> Self {
        Self {
            at,
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: request.headers().clone(),
            body: request.body().clone(),
            status: reply.response.status(),
        }
    }
}
