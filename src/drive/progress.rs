//! What the drivers tell while they work, so that nobody stares at a silent terminal.
//!
//! Told by `client` and `observe`, shown by `cli`. Receivers must be quick and must not fail.

use jiff::Timestamp;

use crate::inventory::What;
use crate::wire::{ApiError, Operation, RateClass};

/// Something worth showing.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// A part of the observation begins.
    Started {
        /// Which part.
        what: What,
    },
    /// A page was read.
    Page {
        /// Of which part.
        what: What,
        /// Pages so far.
        pages: u32,
        /// Different rows so far.
        rows: u64,
    },
    /// A part of the observation ended.
    Finished {
        /// Which part.
        what: What,
        /// Different rows in all.
        rows: u64,
        /// Whether it is proven to be all of it.
        complete: bool,
    },
    /// The rate windows are full: the next call leaves at `until`.
    Waiting {
        /// Which windows.
        class: RateClass,
        /// When the next call may leave (UTC).
        until: Timestamp,
    },
    /// A call failed and is tried again at `at`.
    Retrying {
        /// Which call.
        operation: Operation,
        /// Why it failed.
        error: &'a ApiError,
        /// When it is tried again (UTC).
        at: Timestamp,
    },
}

/// Receives events.
pub trait Progress: Send + Sync {
    /// Takes note of an event.
    fn tell(&self, event: &Event<'_>);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Progress for Silent {
    fn tell(&self, _event: &Event<'_>) {}
}
