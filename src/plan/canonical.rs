//! The one spelling of a JSON value that hashes are made of.
//!
//! Keys in byte order, no space, numbers as whole numbers. Two plans with the same content have the
//! same canonical text, whatever wrote them and however their maps are kept. Called by `file`.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};
use serde_json::Value;

/// SHA-256 of the canonical text in lower-case hexadecimal, or none when the value holds a number
/// that is not whole: such numbers have more than one spelling and are never published.
#[must_use]
pub(crate) fn hash(value: &Value) -> Option<String> {
    let mut text = String::new();
    write(value, &mut text)?;
    Some(hex(digest(&SHA256, text.as_bytes()).as_ref()))
}

/// Lower-case hexadecimal.
#[must_use]
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn write(value: &Value, out: &mut String) -> Option<()> {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Value::Number(number) if number.is_f64() => return None,
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
        Value::String(text) => write_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write(item, out)?;
            }
            out.push(']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (at, (key, member)) in members.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                write_text(key, out);
                out.push(':');
                write(member, out)?;
            }
            out.push('}');
        }
    }
    Some(())
}

/// Only what JSON demands is escaped, always in the same way.
fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c < ' ' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_keys_and_space_change_nothing() {
        let one: Value =
            serde_json::from_str(r#"{"b": [1, null], "a": {"y": "ä\n", "x": true}}"#).unwrap();
        let two: Value =
            serde_json::from_str(r#"{"a":{"x":true,"y":"\u00e4\u000a"},"b":[1,null]}"#).unwrap();
        let mut text = String::new();
        write(&one, &mut text).unwrap();
        assert_eq!(text, "{\"a\":{\"x\":true,\"y\":\"ä\\u000a\"},\"b\":[1,null]}");
        assert_eq!(hash(&one), hash(&two));
        assert_eq!(hash(&one).unwrap().len(), 64);
    }

    #[test]
    fn numbers_with_a_fraction_are_refused() {
        assert_eq!(hash(&serde_json::json!({"a": [0.5]})), None);
    }
}
