//! What the loop needs of a tenant's service.
//!
//! A trait, so that the loop is tested without HTTP. `client` implements it for the real one.

use jiff::Timestamp;

use crate::apply::step::{Answer, Lane, Question, Seen, Send};
use crate::host::clock::Pending;

/// One tenant's service.
pub trait Service: Sync {
    /// Sends a request that changes something, at most once as far as anybody can tell.
    fn submit<'a>(&'a self, send: &'a Send) -> Pending<'a, Answer>;

    /// Reads; retries are bounded, and the answer is complete or an error.
    fn ask<'a>(&'a self, question: &'a Question) -> Pending<'a, Result<Seen, String>>;

    /// When the next request of a lane could leave at once, and how many could; nothing when the
    /// service keeps no windows.
    fn pace(&self, lane: Lane) -> Option<(Timestamp, u32)>;
}
