//! The form in which names, tags, groups and titles are compared: lower case.
//!
//! One definition for the resolution of records, for selectors and for look-ups by name, so that
//! two of them never disagree about whether two texts are the same.

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

/// The host part of a DNS name.
pub(crate) fn host_part(name: &str) -> &str {
    name.split_once('.').map_or(name, |(host, _)| host)
}
