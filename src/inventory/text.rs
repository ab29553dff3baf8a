//! The form in which names, tags, groups and titles are compared: lower case.
//!
//! One definition for the resolution of records, for selectors and for look-ups by name, so that
//! two of them never disagree about whether two texts are the same.

use std::borrow::Cow;

/// Appends `text` in lower case.
pub(crate) fn fold_into(text: &str, out: &mut String) {
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        if let Some(tail) = out.get_mut(start..) {
            tail.make_ascii_lowercase();
        }
    } else {
        out.push_str(&text.to_lowercase());
    }
}

/// `text` in lower case.
pub(crate) fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_into(text, &mut out);
    out
}

/// `text` in lower case, copied only when it is not so already.
pub(crate) fn folded(text: &str) -> Cow<'_, str> {
    let folded = text.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if folded { Cow::Borrowed(text) } else { Cow::Owned(fold(text)) }
}

/// Whether two texts are the same without regard to case.
pub(crate) fn same(left: &str, right: &str) -> bool {
    if left.is_ascii() && right.is_ascii() {
        left.eq_ignore_ascii_case(right)
    } else {
        fold(left) == fold(right)
    }
}

/// The host part of a DNS name.
pub(crate) fn host_part(name: &str) -> &str {
    name.split_once('.').map_or(name, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_folded_in_every_script() {
        // U+212A is the sign for kelvin; its lower case is an ASCII letter.
        for (left, right, expected) in [
            ("PC-1", "pc-1", true),
            ("pc-1", "pc-2", false),
            ("Büro", "BÜRO", true),
            ("k", "\u{212a}", true),
            ("\u{212a}", "K", true),
            ("a", "ä", false),
        ] {
            assert_eq!(same(left, right), expected, "{left} {right}");
            assert_eq!(folded(left) == folded(right), expected, "{left} {right}");
        }
        for (text, expected, copied) in
            [("pc-1", "pc-1", false), ("PC", "pc", true), ("pC", "pc", true), ("Ä", "ä", true)]
        {
            let found = folded(text);
            assert_eq!((&*found, matches!(found, Cow::Owned(_))), (expected, copied));
        }
    }
}
