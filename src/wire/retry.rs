//! When a failed call may be tried again: `Retry-After`, backoff with full jitter, and the end.
//!
//! Pure: the instant and the random number are arguments. Called by `drive::client` for calls that
//! may be repeated at all; whether they may is not decided here.

use http::{HeaderMap, HeaderName, header};
use jiff::{SignedDuration, Timestamp, civil, fmt::rfc2822, tz};

use crate::wire::error::ApiError;

/// Bounds of retrying.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// At most so many tries in all, the first included.
    pub attempts: u32,
    /// The first backoff is drawn from zero to this; each further one from twice as much.
    pub base: SignedDuration,
    /// No backoff is drawn from more than this.
    pub longest_backoff: SignedDuration,
    /// A longer `Retry-After` ends the call: trying earlier would be refused, and counted.
    pub longest_wait: SignedDuration,
    /// No try starts later than this after the first.
    pub elapsed: SignedDuration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            attempts: 8,
            base: SignedDuration::from_millis(500),
            longest_backoff: SignedDuration::from_secs(30),
            longest_wait: SignedDuration::from_mins(5),
            elapsed: SignedDuration::from_mins(8),
        }
    }
}

impl Policy {
    /// When to try again after `attempts` tries, of which the first started at `started` and the
    /// last just failed with `error`; `None` to give up. `random` is any 64 random bits.
    #[must_use]
    pub fn next(
        &self,
        attempts: u32,
        started: Timestamp,
        now: Timestamp,
        error: &ApiError,
        random: u64,
    ) -> Option<Timestamp> {
        if attempts >= self.attempts || !error.is_transient() {
            return None;
        }
        let wait = match error.retry_after {
            Some(asked) if asked > self.longest_wait => return None,
            // A little jitter on top: many runners were told the same number.
            Some(asked) => asked.saturating_add(draw(self.base, random)),
            None => draw(self.ceiling(attempts), random),
        };
        let at = now.checked_add(wait).ok()?;
        (at.duration_since(started) <= self.elapsed).then_some(at)
    }

    fn ceiling(&self, attempts: u32) -> SignedDuration {
        let factor = 1i32.checked_shl(attempts.saturating_sub(1).min(20)).unwrap_or(i32::MAX);
        self.base.checked_mul(factor).unwrap_or(self.longest_backoff).min(self.longest_backoff)
    }
}

/// Uniformly from zero to `ceiling`, to the millisecond.
fn draw(ceiling: SignedDuration, random: u64) -> SignedDuration {
    let span = u64::try_from(ceiling.as_millis()).unwrap_or(0).saturating_add(1);
    SignedDuration::from_millis(i64::try_from(random % span).unwrap_or(0))
}

/// How long the service asks to wait, never negative. A date is compared with the answer's own
/// `Date` where there is one: our clock may be wrong, and the difference is what is meant.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<SignedDuration> {
    let text = header_text(headers, &header::RETRY_AFTER)?;
    if let Ok(seconds) = text.parse::<f64>() {
        let seconds = seconds.is_finite().then_some(seconds.clamp(0.0, 1e9))?;
        return SignedDuration::try_from_secs_f64(seconds).ok();
    }
    let until = http_date(text)?;
    let from = date(headers, &header::DATE).unwrap_or(now);
    Some(until.duration_since(from).max(SignedDuration::ZERO))
}

/// The date (UTC) that a header gives, in any form that HTTP allows.
pub(crate) fn date(headers: &HeaderMap, name: &HeaderName) -> Option<Timestamp> {
    header_text(headers, name).and_then(http_date)
}

fn header_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// Reads the three forms of a date in HTTP (RFC 9110, 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    if let Ok(at) = rfc2822::DateTimeParser::new().parse_timestamp(text) {
        return Some(at);
    }
    ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"].iter().find_map(|form| {
        let at = civil::DateTime::strptime(form, text).ok()?;
        tz::TimeZone::UTC.to_timestamp(at).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{ErrorKind, Operation};

    fn now() -> Timestamp {
        "2026-11-24T10:00:00Z".parse().unwrap()
    }

    fn asked(pairs: &[(HeaderName, &str)]) -> Option<f64> {
        let headers: HeaderMap =
            pairs.iter().map(|(name, text)| (name.clone(), text.parse().unwrap())).collect();
        retry_after(&headers, now()).map(|wait| wait.as_secs_f64())
    }

    #[test]
    fn retry_after_is_read_in_every_form() {
        for (text, seconds) in [
            ("7", Some(7.0)),
            (" 0 ", Some(0.0)),
            ("1.5", Some(1.5)),
            ("-3", Some(0.0)),
            ("NaN", None),
            ("soon", None),
            ("", None),
            ("Tue, 24 Nov 2026 10:00:30 GMT", Some(30.0)),
            ("Tue, 24 Nov 2026 09:00:30 GMT", Some(0.0)),
            ("Tuesday, 24-Nov-26 10:01:00 GMT", Some(60.0)),
            ("Tue Nov 24 10:02:00 2026", Some(120.0)),
        ] {
            assert_eq!(asked(&[(header::RETRY_AFTER, text)]), seconds, "{text}");
        }
        assert_eq!(asked(&[]), None);
    }

    #[test]
    fn a_date_is_measured_on_the_services_clock() {
        let pairs = [
            (header::RETRY_AFTER, "Tue, 24 Nov 2026 11:00:30 GMT"),
            (header::DATE, "Tue, 24 Nov 2026 11:00:00 GMT"),
        ];
        assert_eq!(asked(&pairs), Some(30.0));
    }

    fn error(kind: ErrorKind, retry_after: Option<i64>) -> ApiError {
        let mut error = ApiError::new(Operation::ListMachines, kind);
        error.details_mut().retry_after = retry_after.map(SignedDuration::from_secs);
        error
    }

    #[test]
    fn backoff_grows_to_its_bound_and_is_drawn_from_zero_on() {
        let policy = Policy::default();
        let wait = |attempts, random| {
            let unwell = error(ErrorKind::Unavailable, None);
            let at = policy.next(attempts, now(), now(), &unwell, random).unwrap();
            at.duration_since(now()).as_millis()
        };
        assert_eq!(
            [wait(1, 500), wait(2, 1_000), wait(3, 2_000), wait(7, 30_000)],
            [500, 1_000, 2_000, 30_000]
        );
        assert_eq!([wait(1, 501), wait(7, 30_001)], [0, 0]);
    }

    #[test]
    fn what_the_service_asks_is_honoured_up_to_a_bound() {
        let policy = Policy::default();
        let next = |seconds, started| {
            policy.next(1, started, now(), &error(ErrorKind::Throttled, Some(seconds)), 0)
        };
        assert_eq!(next(40, now()), Some(now() + SignedDuration::from_secs(40)));
        assert_eq!(next(301, now()), None);
        assert_eq!(next(40, now() - SignedDuration::from_mins(8)), None);
    }

    #[test]
    fn tries_are_bounded_and_refusals_are_final() {
        let policy = Policy::default();
        let unwell = error(ErrorKind::Unavailable, None);
        assert!(policy.next(7, now(), now(), &unwell, 1).is_some());
        assert_eq!(policy.next(8, now(), now(), &unwell, 1), None);
        assert_eq!(policy.next(1, now(), now(), &error(ErrorKind::Forbidden, None), 1), None);
    }
}
