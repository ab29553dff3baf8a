//! Numbers, shares and times as people read them.
//!
//! All times are UTC and say so with a `Z`. Spaces inside a measure do not break at a line's end.
//! Used by every renderer; must never read a clock.

use jiff::{SignedDuration, Timestamp};

/// A space at which no line breaks; the page prints it as an ordinary one.
pub const NO_BREAK: char = '\u{a0}';

/// `1234567` as `1,234,567`.
#[must_use]
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `number` of a count.
#[must_use]
pub fn count(value: usize) -> String {
    number(u64::try_from(value).unwrap_or(u64::MAX))
}

/// `44 of 7,300`, on one line.
#[must_use]
pub fn of(part: u32, whole: u32) -> String {
    unbroken(&format!("{} of {}", number(part.into()), number(whole.into())))
}

/// `1 device`, `2 devices`.
#[must_use]
pub fn plural(value: u64, one: &str, many: &str) -> String {
    unbroken(&format!("{} {}", number(value), if value == 1 { one } else { many }))
}

/// A share with one decimal, rounded down: `3.1 %`. Nothing of nothing is `0 %`.
#[must_use]
pub fn share(part: u64, whole: u64) -> String {
    let tenths = (part * 1_000).checked_div(whole).unwrap_or(0);
    let (full, rest) = (tenths / 10, tenths % 10);
    let text = if rest == 0 { format!("{full} %") } else { format!("{full}.{rest} %") };
    unbroken(&text)
}

/// Basis points as a percentage: 2500 is `25 %`.
#[must_use]
pub fn basis_points(value: u64) -> String {
    let (full, rest) = (value / 100, value % 100);
    let text = match (rest, rest % 10) {
        (0, _) => format!("{full} %"),
        (_, 0) => format!("{full}.{} %", rest / 10),
        _ => format!("{full}.{rest:02} %"),
    };
    unbroken(&text)
}

/// `2026-11-26 10:02Z`.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    unbroken(&at.strftime("%Y-%m-%d %H:%MZ").to_string())
}

/// `10:02Z` on the day of `reference`, with the date on any other.
#[must_use]
pub fn time_near(at: Timestamp, reference: Timestamp) -> String {
    let day = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
    if day(at) == day(reference) { at.strftime("%H:%MZ").to_string() } else { instant(at) }
}

/// A length of time, rounded up to what matters: `45 s`, `12 min`, `1 h 59 min`, `3 d 4 h`.
#[must_use]
pub fn length(seconds: u64) -> String {
    let text = if seconds < 60 {
        format!("{seconds} s")
    } else if seconds < 3_600 {
        format!("{} min", seconds.div_ceil(60))
    } else if seconds < 4 * 86_400 {
        let minutes = seconds.div_ceil(60);
        match (minutes / 60, minutes % 60) {
            (hours, 0) => format!("{hours} h"),
            (hours, rest) => format!("{hours} h {rest} min"),
        }
    } else {
        let hours = seconds.div_ceil(3_600);
        match (hours / 24, hours % 24) {
            (days, 0) => format!("{days} d"),
            (days, rest) => format!("{days} d {rest} h"),
        }
    };
    unbroken(&text)
}

/// The length from `start` to `end`; nothing when it has passed.
#[must_use]
pub fn between(start: Timestamp, end: Timestamp) -> String {
    let seconds = end.duration_since(start).max(SignedDuration::ZERO).as_secs();
    length(u64::try_from(seconds).unwrap_or(0))
}

/// Keeps the text on one line.
#[must_use]
pub fn unbroken(text: &str) -> String {
    text.replace(' ', "\u{a0}")
}

/// What devices without a group are called.
pub const UNGROUPED: &str = "ungrouped";

/// A group as it is written; untrusted text, not escaped here.
#[must_use]
pub fn group(name: &str) -> &str {
    if name.is_empty() { UNGROUPED } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> String {
        text.replace(NO_BREAK, " ")
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        for (value, text) in
            [(0, "0"), (999, "999"), (1_000, "1,000"), (14_212, "14,212"), (1_000_000, "1,000,000")]
        {
            assert_eq!(number(value), text);
        }
        assert_eq!(plain(&share(2, 64)), "3.1 %");
        assert_eq!(plain(&share(1, 2)), "50 %");
        assert_eq!(plain(&share(0, 0)), "0 %");
        assert_eq!(plain(&basis_points(2_500)), "25 %");
        assert_eq!(plain(&basis_points(50)), "0.5 %");
        assert_eq!(plain(&basis_points(5)), "0.05 %");
    }

    #[test]
    fn lengths_are_rounded_up_so_that_no_promise_is_too_short() {
        for (seconds, text) in [
            (0, "0 s"),
            (59, "59 s"),
            (61, "2 min"),
            (3_600, "1 h"),
            (7_140, "1 h 59 min"),
            (259_200, "72 h"),
            (30 * 86_400, "30 d"),
            (4 * 86_400 + 1, "4 d 1 h"),
        ] {
            assert_eq!(plain(&length(seconds)), text);
        }
    }

    #[test]
    fn a_time_names_its_day_only_when_it_is_another() {
        let at: Timestamp = "2026-11-23T10:02:41Z".parse().unwrap();
        assert_eq!(time_near(at, at), "10:02Z");
        let later: Timestamp = "2026-11-24T00:02:00Z".parse().unwrap();
        assert_eq!(plain(&time_near(later, at)), "2026-11-24 00:02Z");
    }
}
