//! How far the service's clock is from ours, as its answers tell.
//!
//! An answer's `Date` (RFC 9110, 6.6.1) is never later than what the service's clock shows when the answer
//! is here: each says how far that clock is ahead at least, and the largest of them is the closest. Kept
//! by the client for the calls of the Defender API; asked by `observe`. Must never hold anything up.

use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, header};
use jiff::{SignedDuration, Timestamp};

use crate::wire::retry;

/// The header has whole seconds: clocks that are no farther apart are the same.
const TOLERANCE: SignedDuration = SignedDuration::from_secs(2);

/// What was heard since the last call of `forget`.
#[derive(Debug, Default)]
pub(super) struct ServiceClock(Mutex<Option<SignedDuration>>);

impl ServiceClock {
    /// Takes note of an answer that is here at `now`.
    pub(super) fn hear(&self, headers: &HeaderMap, now: Timestamp) {
        if let Some(date) = retry::date(headers, &header::DATE) {
            let ahead = date.duration_since(now);
            let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            *heard = Some(heard.map_or(ahead, |heard| heard.max(ahead)));
        }
    }

    pub(super) fn forget(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// How far it is ahead, below zero when it is behind; none when it tells the same or was not heard.
    pub(super) fn ahead(&self) -> Option<SignedDuration> {
        let heard = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.filter(|ahead| ahead.abs() > TOLERANCE)
    }
}
