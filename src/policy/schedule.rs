//! When a scan is due: cron or interval, window, deterministic spread.
//!
//! Pure arithmetic over jiff; `now` is an argument. Types are stated here, the rules live beside
//! them; `plan::scan` asks the questions.

use jiff::tz::TimeZone;

use crate::model::Span;

/// When scans are due.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// What makes a tick.
    pub tick: Tick,
    /// The zone in which cron fields are read.
    pub zone: TimeZone,
    /// Due from the tick until this long after it.
    pub window: Span,
    /// Per-device offset inside the window: deterministic, smaller than the window.
    pub spread: Span,
    /// Whether a missed window is made up for.
    pub catch_up: bool,
}

/// What makes a tick.
#[derive(Clone, Debug)]
pub enum Tick {
    /// Five-field cron expression.
    Cron(Cron),
    /// So long after the last completed scan of at least the wanted type.
    Every(Span),
}

/// A five-field cron expression: minute, hour, day of month, month, day of week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    /// The author's text.
    pub text: String,
}
