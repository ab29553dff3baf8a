//! What the engine wants done, and what it is told. Plain data: no request is built here.

use std::sync::Arc;

use jiff::Timestamp;

use crate::apply::journal::Entry;
use crate::apply::outcome::Summary;
use crate::inventory::{ActionRow, AlertRow};
use crate::model::{
    ActionId, AlertId, AlertStatus, ChangeId, Classification, Determination, DeviceId,
    IsolationMode, ScanType,
};
use crate::plan::types::Reason;

/// Joins an event to the step it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// What the engine wants next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Append these to the journal and sync it, then tell `Event::Recorded`. Nothing that depends
    /// on them is asked for before.
    Record(Ticket, Vec<Entry>),
    /// Read something; harmless to repeat.
    Ask {
        /// Answered by `Event::Read`.
        ticket: Ticket,
        /// Name of the tenant.
        tenant: Arc<str>,
        /// What.
        question: Question,
    },
    /// Send a request that changes something, once, and answer with `Event::Answered`. It must not
    /// be sent again by anybody else.
    Submit {
        /// Answered by `Event::Answered`.
        ticket: Ticket,
        /// Name of the tenant.
        tenant: Arc<str>,
        /// The change it belongs to.
        change: ChangeId,
        /// The request.
        send: Send,
        /// When it has not left by then (UTC), it must not: what it rests on is too old, or a freeze
        /// window has opened. `Answer::NotSent` says so.
        leave_by: Timestamp,
    },
    /// Nothing to do until then, or until an event comes.
    WaitUntil(Timestamp, Wait),
    /// The run has ended and everything is recorded.
    Done(Summary),
}

/// Why the engine waits; for progress lines and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// For answers in flight.
    Answers,
    /// For the rate windows.
    Budget,
    /// For devices.
    Devices,
    /// For the instant before which a change is not to be sent.
    Spread,
    /// For a lost request to show up.
    Settling,
    /// For a read that failed to be tried again.
    Retry,
    /// For the end of a bake.
    Bake,
    /// For a freeze window to open or end.
    Window,
}

/// A read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Machine actions that pass the filter, all of them. Answered by `Seen::Actions`.
    Actions(Filter),
    /// One alert with its comments. Answered by `Seen::Alert`.
    Alert(AlertId),
}

/// Which machine actions; the parts that are given are ANDed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Any of these; everything when empty.
    pub ids: Vec<ActionId>,
    /// On this device; on all when absent.
    pub device: Option<DeviceId>,
    /// Created at or after.
    pub since: Option<Timestamp>,
}

/// A request that changes something.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the service's own values")]
pub enum Send {
    /// Isolate a device.
    Isolate { device: DeviceId, mode: IsolationMode, comment: Arc<str> },
    /// End an isolation.
    Release { device: DeviceId, comment: Arc<str> },
    /// Restrict code execution.
    Restrict { device: DeviceId, comment: Arc<str> },
    /// End a restriction.
    Unrestrict { device: DeviceId, comment: Arc<str> },
    /// Run an antivirus scan.
    Scan { device: DeviceId, scan: ScanType, comment: Arc<str> },
    /// Cancel an action that has not ended.
    Cancel { action: ActionId, comment: Arc<str> },
    /// Set properties of an alert; absent ones stay.
    Patch {
        alert: AlertId,
        status: Option<AlertStatus>,
        classification: Option<Classification>,
        determination: Option<Determination>,
        /// An empty one unassigns.
        assigned_to: Option<Arc<str>>,
    },
    /// Comment on an alert.
    Comment { alert: AlertId, comment: Arc<str> },
}

impl Send {
    /// The windows it is counted in.
    #[must_use]
    pub const fn lane(&self) -> Lane {
        match self {
            Self::Isolate { .. }
            | Self::Release { .. }
            | Self::Restrict { .. }
            | Self::Unrestrict { .. }
            | Self::Scan { .. } => Lane::Action,
            Self::Cancel { .. } => Lane::Cancel,
            Self::Patch { .. } | Self::Comment { .. } => Lane::Alert,
        }
    }
}

/// Requests that the service counts together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lane {
    /// New machine actions.
    Action,
    /// Cancelling machine actions; shared with reading them.
    Cancel,
    /// Alerts.
    Alert,
}

impl Lane {
    /// Every lane.
    pub const ALL: [Self; 3] = [Self::Action, Self::Cancel, Self::Alert];
}

/// What the engine is told.
#[derive(Clone, Debug)]
pub enum Event {
    /// The entries are on disk.
    Recorded(Ticket),
    /// The answer to a read, or why there is none.
    Read(Ticket, Result<Seen, String>),
    /// The answer to a request.
    Answered(Ticket, Answer),
    /// What the client's budget allows in a lane.
    Pace {
        /// Name of the tenant.
        tenant: Arc<str>,
        /// Which windows.
        lane: Lane,
        /// When the next request could leave at once.
        ready_at: Timestamp,
        /// Requests left in the present window.
        left: u32,
    },
    /// Send nothing more, for this reason; end as soon as the answers in flight have arrived.
    Stop(Reason),
}

/// What a read found.
#[derive(Clone, Debug)]
pub enum Seen {
    /// Machine actions, all that pass the filter, in any order.
    Actions(Vec<ActionRow>),
    /// The alert; absent when the service does not know it.
    Alert(Option<Box<AlertRow>>),
}

/// What became of a request.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Taken: the machine action that was returned, which need not be ours.
    Accepted(Box<ActionRow>),
    /// Taken: the alert as it is now.
    Patched(Box<AlertRow>),
    /// Taken: all comments of the alert.
    Commented(Vec<Arc<str>>),
    /// Taken, and the body did not say what came of it.
    Taken,
    /// An action of the kind is active on the device.
    AlreadyExists {
        /// The service's message.
        message: String,
    },
    /// Not taken.
    Refused {
        /// HTTP status.
        status: u16,
        /// The service's code.
        code: String,
        /// The service's message.
        message: String,
    },
    /// It may have taken effect or not.
    Ambiguous {
        /// What happened, for people.
        why: String,
    },
    /// It has not taken effect: the rate windows are exceeded.
    Throttled {
        /// When the next try makes sense.
        retry_at: Timestamp,
    },
    /// It has not left this machine.
    NotSent {
        /// What happened, for people.
        why: String,
    },
}
