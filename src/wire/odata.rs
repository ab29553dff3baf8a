//! Quoting for OData: strings, instants, path segments and query values.
//!
//! Ids come from the service and from policies, and alert ids are free text: each is quoted for
//! the place it stands in, so that no value can end a literal or a path segment. Called by the
//! request builders only.

use std::fmt::Write as _;

use jiff::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the characters that RFC 3986 calls unreserved.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path segment: nothing in it can act as a separator. A segment of dots only would be taken as
/// a step up by URL parsers even when encoded, so it is made impossible to resolve.
#[must_use]
pub fn segment(text: &str) -> String {
    match text {
        "" | "." | ".." => "%FF".to_owned(),
        _ => utf8_percent_encode(text, STRICT).to_string(),
    }
}

/// A value of the query part.
#[must_use]
pub fn query_value(text: &str) -> String {
    utf8_percent_encode(text, STRICT).to_string()
}

/// A string literal: single quotes around, single quotes inside doubled.
#[must_use]
pub fn string(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// An instant literal: unquoted, UTC, up to seven digits as the service prints them. Rounded down,
/// so that `ge` never skips a row.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    let ticks = at.subsec_nanosecond().div_euclid(100);
    let mut text = at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
    if ticks > 0 {
        let mut fraction = format!("{ticks:07}");
        fraction.truncate(fraction.trim_end_matches('0').len());
        let _ = write!(text, ".{fraction}");
    }
    text.push('Z');
    text
}

/// `a or b`, each an equality of the same property with a string.
#[must_use]
pub fn any_equal<'a>(property: &str, values: impl IntoIterator<Item = &'a str>) -> String {
    let terms: Vec<String> =
        values.into_iter().map(|value| format!("{property} eq {}", string(value))).collect();
    terms.join(" or ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quote_cannot_end_a_literal() {
        assert_eq!(string("x' or type eq 'Isolate"), "'x'' or type eq ''Isolate'");
    }

    #[test]
    fn a_segment_cannot_leave_its_place() {
        assert_eq!(segment("da637_-96"), "da637_-96");
        assert_eq!(segment("../machines?x#y z"), "..%2Fmachines%3Fx%23y%20z");
        assert_eq!(segment("ü%"), "%C3%BC%25");
        for dots in ["", ".", ".."] {
            assert_eq!(segment(dots), "%FF");
        }
    }

    #[test]
    fn instants_are_printed_with_as_many_digits_as_they_have() {
        for (given, printed) in [
            ("2026-03-02T22:01:10.4401873Z", "2026-03-02T22:01:10.4401873Z"),
            ("2026-03-02T22:01:10.440187399Z", "2026-03-02T22:01:10.4401873Z"),
            ("2026-03-02T22:01:10.5Z", "2026-03-02T22:01:10.5Z"),
            ("2026-03-02T22:01:10Z", "2026-03-02T22:01:10Z"),
        ] {
            let at: Timestamp = given.parse().unwrap();
            assert_eq!(instant(at), printed);
        }
    }

    #[test]
    fn alternatives_are_chained() {
        assert_eq!(any_equal("id", ["a", "b'"]), "id eq 'a' or id eq 'b'''");
    }
}
