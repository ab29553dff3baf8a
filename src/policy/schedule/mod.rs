//! When scans are due: cron or interval, window, deterministic spread, retries.
//!
//! Pure arithmetic over jiff; `now` is an argument. `cron` reads expressions, `tick` finds instants
//! in a time zone, `due` answers for a device. The policy checks call `Cron::parse`; `plan::scan`
//! asks the rest. Must never read a clock.

pub mod cron;
pub mod due;
#[cfg(test)]
mod tests;
mod tick;

use jiff::tz::TimeZone;

use crate::model::Span;

pub use cron::{Cron, CronError, CronErrorKind};
pub use due::{Due, Occasion, Scans, spread_offset};

/// When scans are due.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// What makes a tick.
    pub tick: Tick,
    /// The zone in which cron fields are read.
    pub zone: TimeZone,
    /// Due from a cron tick until this long after it; an interval knows no window.
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
