//! Lengths of time as authors write them: `72h`, `30d`, `1d12h`, `90m`, `2w`.
//!
//! A day is 24 hours and a week 7 days: leases count elapsed time, not calendar days, so that a
//! change to summer time neither shortens nor lengthens an isolation. Resolution is one second.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

/// A length of time in whole seconds, never negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(u64);

/// Why a text is not a length of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SpanError {
    /// Nothing there.
    #[error("a duration is missing")]
    Empty,
    /// A number without its unit.
    #[error("`{0}` has no unit")]
    NoUnit(String),
    /// A unit that is none of ours.
    #[error("`{0}` is not a unit of time")]
    Unit(String),
    /// Not a number.
    #[error("`{0}` is not a duration")]
    Number(String),
    /// Units out of order or twice.
    #[error("units must go from long to short, each once")]
    Order,
    /// Beyond what can be counted.
    #[error("the duration is too long")]
    TooLong,
}

const UNITS: &[(char, u64)] = &[('w', 604_800), ('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

impl Span {
    /// A length of whole seconds.
    #[must_use]
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds)
    }
    /// A length of whole hours.
    #[must_use]
    pub const fn from_hours(hours: u64) -> Self {
        Self(hours * 3_600)
    }
    /// A length of whole days of 24 hours.
    #[must_use]
    pub const fn from_days(days: u64) -> Self {
        Self(days * 86_400)
    }
    /// Whole seconds.
    #[must_use]
    pub const fn as_secs(self) -> u64 {
        self.0
    }

    /// Reads `1w2d3h4m5s` with any of the parts, longest first.
    ///
    /// # Errors
    /// Says which part is not understood.
    pub fn parse(text: &str) -> Result<Self, SpanError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SpanError::Empty);
        }
        let mut total: u64 = 0;
        let mut last = u64::MAX;
        let mut digits = String::new();
        for c in text.chars() {
            if c.is_ascii_digit() {
                digits.push(c);
                continue;
            }
            if digits.is_empty() {
                return Err(SpanError::Number(text.to_owned()));
            }
            let unit = UNITS.iter().find(|(name, _)| *name == c);
            let (_, seconds) = unit.ok_or_else(|| SpanError::Unit(c.to_string()))?;
            if *seconds >= last {
                return Err(SpanError::Order);
            }
            last = *seconds;
            let count: u64 = digits.parse().map_err(|_| SpanError::TooLong)?;
            let part = count.checked_mul(*seconds).ok_or(SpanError::TooLong)?;
            total = total.checked_add(part).ok_or(SpanError::TooLong)?;
            digits.clear();
        }
        if !digits.is_empty() {
            return Err(SpanError::NoUnit(digits));
        }
        // A thousand years keeps every sum with a timestamp of ours representable.
        if total > 1_000 * 366 * 86_400 { Err(SpanError::TooLong) } else { Ok(Self(total)) }
    }

    /// As a signed duration for arithmetic with timestamps.
    #[must_use]
    pub fn to_signed(self) -> SignedDuration {
        SignedDuration::from_secs(i64::try_from(self.0).unwrap_or(i64::MAX))
    }

    /// `at` plus this length; the far end of time when that cannot be represented.
    #[must_use]
    pub fn after(self, at: Timestamp) -> Timestamp {
        at.checked_add(self.to_signed()).unwrap_or(Timestamp::MAX)
    }

    /// `at` minus this length; the beginning of time when that cannot be represented.
    #[must_use]
    pub fn before(self, at: Timestamp) -> Timestamp {
        at.checked_sub(self.to_signed()).unwrap_or(Timestamp::MIN)
    }
}

/// The shortest exact spelling: `72h`, `3d` for whole days from three on, `1h30m`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.pad("0s");
        }
        let mut rest = self.0;
        let mut text = String::new();
        let days = rest / 86_400;
        if !rest.is_multiple_of(86_400) && days < 4 {
            // `36h` reads better than `1d12h`.
        } else if days > 3 || (days > 0 && rest.is_multiple_of(86_400)) {
            text.push_str(&format!("{days}d"));
            rest %= 86_400;
        }
        for (unit, seconds) in [('h', 3_600), ('m', 60), ('s', 1)] {
            let count = rest / seconds;
            rest %= seconds;
            if count > 0 {
                text.push_str(&format!("{count}{unit}"));
            }
        }
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_and_print() {
        for (text, seconds, printed) in [
            ("72h", 259_200, "3d"),
            ("30d", 2_592_000, "30d"),
            ("90m", 5_400, "1h30m"),
            ("36h", 129_600, "36h"),
            ("2w", 1_209_600, "14d"),
            ("1d12h", 129_600, "36h"),
            ("0s", 0, "0s"),
        ] {
            let span = Span::parse(text).unwrap();
            assert_eq!(span.as_secs(), seconds, "{text}");
            assert_eq!(span.to_string(), printed, "{text}");
            assert_eq!(Span::parse(printed), Ok(span), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        assert_eq!(Span::parse("72"), Err(SpanError::NoUnit("72".into())));
        assert_eq!(Span::parse("3 days"), Err(SpanError::Unit(" ".into())));
        assert_eq!(Span::parse("h"), Err(SpanError::Number("h".into())));
        assert_eq!(Span::parse("1h2d"), Err(SpanError::Order));
        assert_eq!(Span::parse(""), Err(SpanError::Empty));
        assert_eq!(Span::parse("99999999999999999999d"), Err(SpanError::TooLong));
    }
}
