//! Whether a device's scan is due: tick, window, spread, retry and catching up.
//!
//! What is the same for every device (the latest tick, when its window closes, the tick after it)
//! is computed once per policy in an `Occasion`; per device nothing is left but comparisons. Asked
//! by `plan::scan`.

use jiff::Timestamp;
use ring::digest::{SHA256, digest};

use crate::model::{DeviceId, PolicyName, Span};
use crate::policy::schedule::{Schedule, Tick};

/// A schedule at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Occasion {
    now: Timestamp,
    clockwork: Clockwork,
    spread: Span,
    catch_up: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clockwork {
    /// Latest tick at or before now, end of its window, the tick after now.
    Cron {
        latest: Option<(Timestamp, Timestamp)>,
        next: Option<Timestamp>,
    },
    Every(Span),
}

/// What is known of one device's scans of at least the wanted depth.
#[derive(Clone, Copy, Debug)]
pub struct Scans<'a> {
    /// The device; with the policy's name it decides the offset inside the spread.
    pub device: &'a DeviceId,
    /// The policy.
    pub policy: &'a PolicyName,
    /// End of the last completed scan, whoever started it.
    pub last: Option<Timestamp>,
    /// End of the last attempt that failed, timed out or was cancelled.
    pub failed: Option<Timestamp>,
    /// How long to wait after a failed attempt.
    pub retry_delay: Span,
}

/// Whether a scan is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing to do before `next`: scanned since the last tick, or there was no tick yet.
    Satisfied {
        /// The next tick, when one is known.
        next: Option<Timestamp>,
    },
    /// To be done, not before `not_before`, which may have passed.
    Now {
        /// The tick; none when the device has never been scanned and the schedule is an interval.
        tick: Option<Timestamp>,
        /// Tick plus the device's offset inside the spread.
        not_before: Timestamp,
        /// When the window closes; none when nothing closes.
        closes: Option<Timestamp>,
    },
    /// An attempt failed; due again at `at`.
    Retry {
        /// End of the failed attempt plus the retry delay.
        at: Timestamp,
        /// When the window closes; none when nothing closes.
        closes: Option<Timestamp>,
    },
    /// The window has closed without a scan and nothing is made up for.
    Missed {
        /// The tick.
        tick: Timestamp,
        /// When its window closed.
        closed: Timestamp,
        /// The next tick, when one is known.
        next: Option<Timestamp>,
    },
}

impl Schedule {
    /// The schedule as it stands at `now`.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Occasion {
        let clockwork = match &self.tick {
            Tick::Every(span) => Clockwork::Every(*span),
            Tick::Cron(cron) => {
                let latest = cron.latest_tick_at_or_before(&self.zone, now);
                Clockwork::Cron {
                    latest: latest.map(|tick| (tick, self.window.after(tick))),
                    next: cron.next_after(&self.zone, now),
                }
            }
        };
        // The offset must stay inside the window, or a device would never have its turn.
        let spread = match self.tick {
            Tick::Cron(_) => self.spread.min(self.window),
            Tick::Every(_) => self.spread,
        };
        Occasion { now, clockwork, spread, catch_up: self.catch_up }
    }

    /// Whether one device's scan is due at `now`; for many devices ask `at(now)` once.
    #[must_use]
    pub fn due(&self, now: Timestamp, scans: Scans<'_>) -> Due {
        self.at(now).due(scans)
    }
}

impl Occasion {
    /// Whether one device's scan is due.
    ///
    /// Cron: due from the latest tick until its window closes, unless a scan has ended since the
    /// tick. Interval: due when the last scan is that long ago, at once when there is none, and it
    /// stays due, since an interval has no window that could close.
    #[must_use]
    pub fn due(&self, scans: Scans<'_>) -> Due {
        match self.clockwork {
            Clockwork::Every(span) => self.due_after(span, scans),
            Clockwork::Cron { latest: None, next } => Due::Satisfied { next },
            Clockwork::Cron { latest: Some((tick, closes)), next } => {
                if scans.last.is_some_and(|last| last >= tick) {
                    return Due::Satisfied { next };
                }
                let open = self.now < closes;
                if !open && !self.catch_up {
                    return Due::Missed { tick, closed: closes, next };
                }
                let closes = (!self.catch_up).then_some(closes);
                self.turn(Some(tick), closes, scans)
            }
        }
    }

    fn due_after(&self, span: Span, scans: Scans<'_>) -> Due {
        let tick = scans.last.map(|last| span.after(last));
        match tick {
            Some(tick) if tick > self.now => Due::Satisfied { next: Some(tick) },
            tick => self.turn(tick, None, scans),
        }
    }

    /// The device's turn inside an open window.
    fn turn(&self, tick: Option<Timestamp>, closes: Option<Timestamp>, scans: Scans<'_>) -> Due {
        let since = tick.unwrap_or(Timestamp::MIN);
        if let Some(failed) = scans.failed.filter(|failed| *failed >= since) {
            let at = scans.retry_delay.after(failed);
            if at > self.now {
                return Due::Retry { at, closes };
            }
        }
        let offset = |tick| spread_offset(scans.device, scans.policy, self.spread).after(tick);
        Due::Now { tick, not_before: tick.map_or(self.now, offset), closes }
    }
}

/// A device's offset inside a spread: the same for the same device and policy on every machine.
/// Zero when there is no spread.
#[must_use]
pub fn spread_offset(device: &DeviceId, policy: &PolicyName, spread: Span) -> Span {
    if spread.as_secs() == 0 {
        return Span::from_secs(0);
    }
    let mut bytes = device.as_bytes().to_vec();
    bytes.push(0);
    bytes.extend_from_slice(policy.as_str().as_bytes());
    let hash = digest(&SHA256, &bytes);
    let number = hash.as_ref().iter().take(8).fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    Span::from_secs(number % spread.as_secs())
}
