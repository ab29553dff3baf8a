//! Calls that change something: sent once, and their answers told apart by what is certain.

use jiff::SignedDuration;

use super::reads::unreadable;
use super::{Accepted, Client, Gate, Submitted};
use crate::wire::answer::Good;
use crate::wire::error::Loss;
use crate::wire::pages::{self, PageError};
use crate::wire::{ApiError, Call, ErrorKind, Operation};

/// How long to wait after a 429 that does not say.
const UNSAID: SignedDuration = SignedDuration::from_mins(1);

impl Client {
    /// Sends a call that changes something, once: a second time only when it was turned away unread
    /// (401, with a new token). Waits for a place in the rate windows first (see `pace`), then asks
    /// the gate; whether a call that did not leave is tried again is for who asked to say.
    pub async fn submit(&self, call: &Call, gate: &Gate<'_>) -> Submitted {
        match self.exchange(&call.outbound(), gate).await {
            Ok(good) => accepted(call, &good),
            Err(error) => told(call.operation(), error),
        }
    }
}

fn told(operation: Operation, error: ApiError) -> Submitted {
    // Signing in failed: the call itself was not sent.
    if error.operation != operation {
        return Submitted::NotSent(error);
    }
    match error.kind {
        ErrorKind::ForeignOrigin
        | ErrorKind::Credential
        | ErrorKind::SignIn
        | ErrorKind::HeldBack
        | ErrorKind::Network(Loss::Unconnected) => Submitted::NotSent(error),
        ErrorKind::AlreadyExists => Submitted::AlreadyExists(error),
        ErrorKind::Throttled => {
            let retry_after = error.retry_after.unwrap_or(UNSAID);
            Submitted::Throttled { retry_after, error }
        }
        _ if error.is_ambiguous() => Submitted::Ambiguous(error),
        _ => Submitted::Refused(error),
    }
}

fn accepted(call: &Call, good: &Good) -> Submitted {
    let empty = good.body.iter().all(u8::is_ascii_whitespace);
    let read: Result<Accepted, PageError> = match call {
        Call::PatchAlert { .. } | Call::CommentAlert { .. } if empty => Ok(Accepted::Nothing),
        Call::PatchAlert { .. } => {
            pages::alert(&good.body).map(|row| Accepted::Alert(Box::new(row)))
        }
        Call::CommentAlert { .. } => pages::alert_comments(&good.body).map(Accepted::Comments),
        _ => pages::action(&good.body).map(|row| Accepted::Action(Box::new(row))),
    };
    match read {
        Ok(answer) => Submitted::Accepted(answer),
        // Something between us answered, or the answer was cut: whether the service took the call
        // is not known from this.
        Err(error) => Submitted::Ambiguous(unreadable(call.operation(), &error)),
    }
}
