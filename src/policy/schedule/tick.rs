//! From cron's civil minutes to instants, in a time zone with summer time.
//!
//! A tick in a gap of the clock (02:30 on the night the clock jumps from 2 to 3) fires when the gap
//! ends; a tick in a fold (02:30 on the night it is 2 o'clock twice) fires once, the first time.
//! With these two rules civil order and order in time agree, so that a search from either side may
//! stop at its first hit. Pure; `now` is an argument.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::policy::schedule::cron::Cron;

/// Days searched in each direction. A day of the week on 29 February can be 40 years away, across
/// a century that has no leap day.
const HORIZON_DAYS: u32 = 41 * 366;

impl Cron {
    /// The latest tick at or before `now`; none when 41 years hold none.
    #[must_use]
    pub fn latest_tick_at_or_before(&self, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
        // In the second hour of a fold ticks of later civil time have already fired.
        let start = zone.to_datetime(now).date();
        let start = start.tomorrow().unwrap_or(start);
        self.search(
            start,
            |date| date.yesterday().ok(),
            |date| {
                self.times()
                    .rev()
                    .filter_map(|time| instant(zone, date, time))
                    .find(|at| *at <= now)
            },
        )
    }

    /// The first tick after `now`; none when 41 years hold none.
    #[must_use]
    pub fn next_after(&self, zone: &TimeZone, now: Timestamp) -> Option<Timestamp> {
        let start = zone.to_datetime(now).date();
        let start = start.yesterday().unwrap_or(start);
        self.search(
            start,
            |date| date.tomorrow().ok(),
            |date| self.times().filter_map(|time| instant(zone, date, time)).find(|at| *at > now),
        )
    }

    fn search(
        &self,
        start: Date,
        step: impl Fn(Date) -> Option<Date>,
        hit: impl Fn(Date) -> Option<Timestamp>,
    ) -> Option<Timestamp> {
        let mut date = start;
        for _ in 0..HORIZON_DAYS {
            if self.matches_date(date)
                && let Some(at) = hit(date)
            {
                return Some(at);
            }
            date = step(date)?;
        }
        None
    }
}

/// The instant at which a civil minute fires.
fn instant(zone: &TimeZone, date: Date, (hour, minute): (i8, i8)) -> Option<Timestamp> {
    let civil = date.at(hour, minute, 0, 0);
    match zone.to_ambiguous_timestamp(civil).offset() {
        AmbiguousOffset::Unambiguous { offset } => offset.to_timestamp(civil).ok(),
        // `before` is the summer offset: the earlier of the two instants.
        AmbiguousOffset::Fold { before, .. } => before.to_timestamp(civil).ok(),
        AmbiguousOffset::Gap { after, .. } => {
            // Read with the later offset the minute lies before the jump, which is the next one.
            let before_jump = after.to_timestamp(civil).ok()?;
            zone.following(before_jump).next().map(|jump| jump.timestamp())
        }
    }
}
