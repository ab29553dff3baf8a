//! Dates of the service: `2026-03-02T21:40:05.684607Z`, with 0 to 7 digits of a second's fraction.
//!
//! Each machine carries two dates and each action two; the usual shape is read by hand, everything
//! else (an offset instead of `Z`) by jiff. Whether a date means "never" is decided by
//! `inventory::is_unset`.

use jiff::Timestamp;

/// Reads a date; one without zone is UTC. None when the text is not a date.
#[must_use]
pub fn parse_date(text: &str) -> Option<Timestamp> {
    usual(text.as_bytes()).or_else(|| text.parse().ok())
}

fn usual(text: &[u8]) -> Option<Timestamp> {
    let (date, rest) = text.split_at_checked(19)?;
    let [
        y1,
        y2,
        y3,
        y4,
        b'-',
        m1,
        m2,
        b'-',
        d1,
        d2,
        b'T' | b't' | b' ',
        h1,
        h2,
        b':',
        n1,
        n2,
        b':',
        s1,
        s2,
    ] = date
    else {
        return None;
    };
    let two = |tens: &u8, ones: &u8| Some(digit(*tens)? * 10 + digit(*ones)?);
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    let (month, day) = (two(m1, m2)?, two(d1, d2)?);
    let (hour, minute, second) = (two(h1, h2)?, two(n1, n2)?, two(s1, s2)?);
    let days_in_month = days_in_month(year, month)?;
    if day == 0 || day > days_in_month || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let nanos = fraction(rest)?;
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    // The last day of year 9999, a way to say "for ever", is just beyond what can be held.
    Some(Timestamp::new(seconds, nanos).unwrap_or(Timestamp::MAX))
}

fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

/// Nanoseconds of `.684607Z`, `Z` or nothing; digits beyond the ninth are dropped.
fn fraction(text: &[u8]) -> Option<i32> {
    let text = text.strip_suffix(b"Z").or_else(|| text.strip_suffix(b"z")).unwrap_or(text);
    let Some((b'.', digits)) = text.split_first() else { return text.is_empty().then_some(0) };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    Some(padded.fold(0, |nanos, byte| nanos * 10 + i32::from(byte - b'0')))
}

fn days_in_month(year: i64, month: i64) -> Option<i64> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        _ => None,
    }
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar: years are counted from
/// March, so that the leap day is the last day of a year.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leaps + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_services_dates_are_read() {
        for (text, same) in [
            ("2026-03-02T21:40:05.684607Z", "2026-03-02T21:40:05.684607Z"),
            ("2026-03-02T21:40:10.6596267Z", "2026-03-02T21:40:10.6596267Z"),
            ("2026-03-02T21:40:59.2Z", "2026-03-02T21:40:59.2Z"),
            ("2026-03-02T21:40:34Z", "2026-03-02T21:40:34Z"),
            ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00Z"),
            ("2026-03-02T21:40:34", "2026-03-02T21:40:34Z"),
            ("2026-03-02T21:40:34+01:00", "2026-03-02T20:40:34Z"),
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ] {
            let expected: Timestamp = same.parse().unwrap();
            assert_eq!(parse_date(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_end_of_time_is_held_back_to_what_can_be_held() {
        assert_eq!(parse_date("9999-12-31T23:59:59.9999999Z"), Some(Timestamp::MAX));
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2026-02-30T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-01-00T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00.12x4Z",
            "yesterday",
            "2026-01-01",
        ] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_instant_reads_as_jiff_reads_it(second in -62_000_000_000i64..250_000_000_000, nano in 0i32..1_000_000_000) {
            let at = Timestamp::new(second, nano).unwrap();
            prop_assert_eq!(usual(at.to_string().as_bytes()), Some(at));
        }
    }
}
