//! Dates as the service writes and reads them: UTC with `Z`, ticks of 100 ns, zeros trimmed.
//!
//! A fraction has 0 to 7 digits (`…10.6596267Z`, `…59.2Z`, `…34Z`). Filters accept bare dates too,
//! with or without `Z`. Used by every renderer and by the `$filter` parser.

use std::fmt::Write as _;

use jiff::{Timestamp, civil, tz::TimeZone};
use serde::Serializer;

/// Nanoseconds in a tick.
const TICK: i32 = 100;

/// The service's spelling; what is below a tick is cut.
#[must_use]
pub fn write(at: Timestamp) -> String {
    let at = whole_ticks(at);
    let mut text = at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    let ticks = at.subsec_nanosecond() / TICK;
    if ticks != 0 {
        let mut digits = format!("{ticks:07}");
        digits.truncate(digits.trim_end_matches('0').len());
        // Writing to a String cannot fail.
        let _ = write!(text, ".{digits}");
    }
    text.push('Z');
    text
}

/// The instant cut down to a whole tick.
#[must_use]
pub fn whole_ticks(at: Timestamp) -> Timestamp {
    let below = at.as_nanosecond().rem_euclid(i128::from(TICK));
    Timestamp::from_nanosecond(at.as_nanosecond() - below).unwrap_or(at)
}

/// Reads `2026-01-01`, `2026-01-01Z` and RFC 3339 with any number of fraction digits up to nine.
#[must_use]
pub fn read(text: &str) -> Option<Timestamp> {
    let bare = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    if bare.len() == 10 {
        let day: civil::Date = bare.parse().ok()?;
        return TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok();
    }
    if text.len() < 16 || !text.contains(['T', 't']) {
        return None;
    }
    // A time without an offset counts as UTC.
    text.parse().ok().or_else(|| format!("{text}Z").parse().ok())
}

/// Serializes an instant in the service's spelling.
///
/// # Errors
/// Those of the serializer.
pub fn serialize<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&write(*at))
}

/// The same for an instant that may be missing.
pub mod optional {
    use super::{Serializer, Timestamp};

    /// Serializes null or the service's spelling.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(
        at: &Option<Timestamp>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_have_up_to_seven_digits_without_trailing_zeros() {
        for (from, written) in [
            ("2026-03-02T22:01:10.4401873Z", "2026-03-02T22:01:10.4401873Z"),
            ("2026-03-02T22:01:10.440187399Z", "2026-03-02T22:01:10.4401873Z"),
            ("2026-03-02T22:01:05.684607Z", "2026-03-02T22:01:05.684607Z"),
            ("2026-03-02T22:01:59.200Z", "2026-03-02T22:01:59.2Z"),
            ("2026-03-02T22:01:34Z", "2026-03-02T22:01:34Z"),
            ("2026-03-02T22:01:34.00000001Z", "2026-03-02T22:01:34Z"),
        ] {
            assert_eq!(write(from.parse().unwrap()), written, "{from}");
            assert_eq!(read(written), Some(whole_ticks(from.parse().unwrap())), "{from}");
        }
    }

    #[test]
    fn filters_may_use_bare_dates() {
        let midnight: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        for text in ["2026-01-01", "2026-01-01Z", "2026-01-01T00:00Z", "2026-01-01T00:00:00"] {
            assert_eq!(read(text), Some(midnight), "{text}");
        }
        for text in ["", "2026", "2026-13-01", "yesterday", "2026-01-01T25:00:00Z", "20260101"] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
