//! Requests in flight, polled side by side in the task that runs the engine.
//!
//! There are never more than the engine's concurrency and a few reads, so each wake polls them all.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::apply::step::Event;

type Call<'a> = Pin<Box<dyn Future<Output = Event> + Send + 'a>>;

/// Requests in flight, in the order in which they left.
#[derive(Default)]
pub struct Flight<'a> {
    calls: Vec<Call<'a>>,
}

impl<'a> Flight<'a> {
    /// Adds one; it leaves when the flight is polled next.
    pub fn add(&mut self, call: impl Future<Output = Event> + Send + 'a) {
        self.calls.push(Box::pin(call));
    }

    /// Whether nothing is in flight.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Lets each one go on and returns the answers that are there.
    pub fn poll(&mut self, context: &mut Context<'_>) -> Vec<Event> {
        let mut events = Vec::new();
        self.calls.retain_mut(|call| match call.as_mut().poll(context) {
            Poll::Ready(event) => {
                events.push(event);
                false
            }
            Poll::Pending => true,
        });
        events
    }
}

impl std::fmt::Debug for Flight<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Flight({})", self.calls.len())
    }
}
