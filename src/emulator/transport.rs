//! The emulator as a transport in process: tests and simulation under a clock moved by hand.
//!
//! Implements the capability that a real HTTP client implements too. Delays pass on the given clock,
//! cuts become the errors that a client would see. It must never keep the emulator locked while it
//! waits.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::{Request, Response};
use jiff::SignedDuration;

use crate::emulator::{Cut, Emulator};
use crate::host::clock::{Clock, Pending};
use crate::host::transport::{Transport, TransportError};

/// How long a client waits for an answer that never comes.
const PATIENCE: SignedDuration = SignedDuration::from_secs(100);

/// Sends requests straight into an emulator.
#[derive(Clone, Debug)]
pub struct InProcess {
    emulator: Arc<Mutex<Emulator>>,
    clock: Arc<dyn Clock>,
}

impl InProcess {
    /// A transport to that emulator, on that clock.
    #[must_use]
    pub fn new(emulator: Arc<Mutex<Emulator>>, clock: Arc<dyn Clock>) -> Self {
        Self { emulator, clock }
    }

    /// The emulator behind the transport.
    #[must_use]
    pub const fn emulator(&self) -> &Arc<Mutex<Emulator>> {
        &self.emulator
    }

    async fn exchange(&self, request: Request<Bytes>) -> Result<Response<Bytes>, TransportError> {
        let now = self.clock.now();
        let reply = {
            let mut emulator = self.emulator.lock().unwrap_or_else(PoisonError::into_inner);
            emulator.handle(&request, now)
        };
        let hung = reply.cut == Some(Cut::Hung);
        let wait = if hung { reply.delay.max(PATIENCE) } else { reply.delay };
        if wait.is_positive() {
            let until = now.checked_add(wait).unwrap_or(jiff::Timestamp::MAX);
            self.clock.sleep_until(until).await;
        }
        match reply.cut {
            None => Ok(reply.response),
            Some(Cut::Refused) => Err(TransportError::Connect("connection refused".to_owned())),
            Some(Cut::Dropped) => Err(TransportError::Broken("connection reset".to_owned())),
            Some(Cut::Hung) => Err(TransportError::Timeout),
            Some(Cut::Truncated(sent)) => {
                let whole = reply.response.body().len();
                let text = format!("body ended after {sent} of {whole} bytes");
                Err(TransportError::Broken(text))
            }
        }
    }
}

impl Transport for InProcess {
    fn send(
        &self,
        request: Request<Bytes>,
    ) -> Pending<'_, Result<Response<Bytes>, TransportError>> {
        Box::pin(self.exchange(request))
    }
}
