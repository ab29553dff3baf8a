//! Scripted faults: what goes wrong with a call before, instead of or after its effect.
//!
//! [`Faults::meet`] is asked once per request and answers with the [`Script`] of that request.

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;

use crate::emulator::Reply;

/// The faults still to come.
#[derive(Debug, Default)]
pub struct Faults {}

impl Faults {
    /// What happens to this request.
    pub fn meet(&mut self, _request: &Request<Bytes>, _now: Timestamp) -> Script {
        Script::default()
    }
}

/// What happens to one request.
#[derive(Clone, Debug, Default)]
pub struct Script {
    instead: Option<Response<Bytes>>,
}

impl Script {
    /// The answer given without the request taking effect.
    #[must_use]
    pub fn instead(&self) -> Option<Response<Bytes>> {
        self.instead.clone()
    }

    /// What becomes of the answer on its way back.
    #[must_use]
    pub fn finish(&self, reply: Reply) -> Reply {
        reply
    }
}
