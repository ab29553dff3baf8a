//! What the engine has asked of the driver and waits for: reads, requests, journal records.
//!
//! Called by the engine's other rooms, which keep one of these for each ticket. Each has an end of its
//! wait or is answered by the journal.

use std::sync::Arc;

use jiff::Timestamp;

use crate::apply::step::Ticket;

/// A read under way.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) tenant: Arc<str>,
    pub(super) purpose: Purpose,
    /// The changes it is for.
    pub(super) changes: Vec<usize>,
    /// When it counts as failed.
    pub(super) until: Timestamp,
}

/// What a read is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The last look before acting.
    Reread,
    /// The look for a lost request.
    Look,
    /// The state of accepted actions.
    Poll,
    /// The look at the end.
    Verify,
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Submitted {
    pub(super) change: usize,
    /// When its answer counts as lost.
    pub(super) until: Timestamp,
}

/// A journal record under way, and the changes whose intents it holds.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) ticket: Ticket,
    pub(super) intents: Vec<usize>,
}
