//! What the loop needs of a tenant's service.
//!
//! A trait, so that the loop is tested without HTTP, and the client as the real one: the only place
//! where the engine's requests become calls and the client's answers become the engine's.

use jiff::Timestamp;

use crate::apply::step::{Answer, Lane, Question, Seen, Send};
use crate::drive::client::{Accepted, Client, Gate, Submitted};
use crate::host::clock::Pending;
use crate::wire::call::AlertPatch;
use crate::wire::{ActionFilter, ApiError, Call, RateClass};

/// One tenant's service.
pub trait Service: Sync {
    /// Sends a request that changes something, at most once as far as anybody can tell, and asks the
    /// gate right before it leaves.
    fn submit<'a>(&'a self, send: &'a Send, gate: &'a Gate<'a>) -> Pending<'a, Answer>;

    /// Reads; retries are bounded, and the answer is complete or an error.
    fn ask<'a>(&'a self, question: &'a Question) -> Pending<'a, Result<Seen, String>>;

    /// When the next request of a lane could leave at once, and how many could; nothing when the
    /// service keeps no windows.
    fn pace(&self, lane: Lane) -> Option<(Timestamp, u32)>;
}

impl Service for Client {
    fn submit<'a>(&'a self, send: &'a Send, gate: &'a Gate<'a>) -> Pending<'a, Answer> {
        Box::pin(async move {
            let submitted = Self::submit(self, &call(send), gate).await;
            answer(submitted, self.clock().now())
        })
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Pending<'a, Result<Seen, String>> {
        Box::pin(async move {
            let seen = match question {
                Question::Actions(filter) => {
                    let filter = ActionFilter {
                        ids: filter.ids.clone(),
                        devices: filter.device.iter().cloned().collect(),
                        since: filter.since,
                        ..ActionFilter::default()
                    };
                    self.list_actions(&filter).await.map(Seen::Actions)
                }
                Question::Alert(alert) => {
                    self.get_alert(alert).await.map(|row| Seen::Alert(row.map(Box::new)))
                }
            };
            seen.map_err(|error| {
                tracing::warn!(%error, "a read failed");
                error.to_string()
            })
        })
    }

    fn pace(&self, lane: Lane) -> Option<(Timestamp, u32)> {
        let class = match lane {
            Lane::Action => RateClass::Submit,
            Lane::Cancel => RateClass::MachineActions,
            Lane::Alert => RateClass::Alerts,
        };
        let pace = Self::pace(self, class);
        pace.left.map(|left| (pace.ready_at, left))
    }
}

pub(super) fn call(send: &Send) -> Call {
    match send.clone() {
        Send::Isolate { device, mode, comment } => {
            Call::Isolate { device, comment, isolation_type: mode }
        }
        Send::Release { device, comment } => Call::Release { device, comment },
        Send::Restrict { device, comment } => Call::Restrict { device, comment },
        Send::Unrestrict { device, comment } => Call::Unrestrict { device, comment },
        Send::Scan { device, scan, comment } => Call::Scan { device, comment, scan_type: scan },
        Send::Cancel { action, comment } => Call::CancelAction { action, comment },
        Send::Patch { alert, status, classification, determination, assigned_to } => {
            let assigned_to = assigned_to.map(|name| Some(name).filter(|name| !name.is_empty()));
            let patch = AlertPatch { status, classification, determination, assigned_to };
            Call::PatchAlert { alert, patch }
        }
        Send::Comment { alert, comment } => Call::CommentAlert { alert, comment },
    }
}

fn answer(submitted: Submitted, now: Timestamp) -> Answer {
    let message = |error: &ApiError| {
        if error.message.is_empty() { error.to_string() } else { error.message.clone() }
    };
    match submitted {
        Submitted::Accepted(Accepted::Action(row)) => Answer::Accepted(row),
        Submitted::Accepted(Accepted::Alert(row)) => Answer::Patched(row),
        Submitted::Accepted(Accepted::Comments(comments)) => Answer::Commented(comments),
        Submitted::Accepted(Accepted::Nothing) => Answer::Taken,
        Submitted::AlreadyExists(error) => Answer::AlreadyExists { message: message(&error) },
        Submitted::Refused(error) => Answer::Refused {
            status: error.status.unwrap_or(0),
            code: error.code.clone(),
            message: message(&error),
        },
        Submitted::Ambiguous(error) => Answer::Ambiguous { why: error.to_string() },
        Submitted::Throttled { retry_after, .. } => {
            Answer::Throttled { retry_at: now.checked_add(retry_after).unwrap_or(Timestamp::MAX) }
        }
        Submitted::NotSent(error) => Answer::NotSent { why: error.to_string() },
    }
}
