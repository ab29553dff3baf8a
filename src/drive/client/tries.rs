//! Counting tries: whether a failed call is tried again, and the wait before it is.

use jiff::Timestamp;

use super::Client;
use crate::drive::progress::Event;
use crate::wire::{ApiError, Operation};

/// Tries of one call.
pub(super) struct Tries<'a> {
    client: &'a Client,
    operation: Operation,
    started: Timestamp,
    made: u32,
}

impl Client {
    /// Begins to count.
    pub(super) fn tries(&self, operation: Operation) -> Tries<'_> {
        Tries { client: self, operation, started: self.now(), made: 0 }
    }
}

impl Tries<'_> {
    /// Takes note of a failure; returns after the wait, when the call is to be tried again.
    ///
    /// # Errors
    /// The failure itself, when it is final or the bounds are reached.
    pub(super) async fn again(&mut self, mut error: ApiError) -> Result<(), ApiError> {
        self.made += 1;
        error.details_mut().attempts = self.made;
        let options = &self.client.shared.options;
        let (now, random) = (self.client.now(), options.random.next());
        let Some(at) = options.retry.next(self.made, self.started, now, &error, random) else {
            return Err(error);
        };
        let operation = self.operation;
        tracing::debug!(%operation, tries = self.made, until = %at, %error, "trying again");
        self.client.tell(&Event::Retrying { operation, error: &error, at });
        self.client.shared.clock.sleep_until(at).await;
        Ok(())
    }
}
