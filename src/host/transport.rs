//! HTTP as a capability: one request in, one response or a transport error out.
//!
//! Implemented by a real client (`host::http`) and, in process, by the emulator
//! (`emulator::transport`). Transports do not retry, follow redirects or know of tokens.

use bytes::Bytes;
use http::{Request, Response};

use crate::host::clock::Pending;

/// Sends one request.
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Sends the request and reads the whole response.
    fn send(&self, request: Request<Bytes>)
    -> Pending<'_, Result<Response<Bytes>, TransportError>>;
}

/// Why no whole response arrived.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// Nothing was sent: name lookup, connection, TLS. Safe to send again.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// No answer in time. The request may have taken effect.
    #[error("no answer in time")]
    Timeout,
    /// The connection broke, or the body stopped early. The request may have taken effect.
    #[error("the connection broke: {0}")]
    Broken(String),
}

impl TransportError {
    /// Whether the request may have reached the service.
    #[must_use]
    pub const fn is_ambiguous(&self) -> bool {
        matches!(self, Self::Timeout | Self::Broken(_))
    }
}
