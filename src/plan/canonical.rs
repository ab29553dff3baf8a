//! The one spelling of a plan that hashes are made of.
//!
//! Keys in byte order, no space, numbers as whole numbers. Two plans with the same content have the
//! same canonical text, whatever wrote them and however their maps are kept. The text is written
//! straight from the types: what serde_json would write, members put into order as each object
//! ends; of the outermost object, which is the whole file, only when it is read. Called by `file`.

use std::cell::RefCell;
use std::cmp::Ordering;
use std::io::{self, Write};

use ring::digest::{Context, SHA256};
use serde::Serialize;
use serde_json::ser::{CharEscape, Formatter, Serializer};

/// SHA-256, in lower-case hexadecimal, of the canonical text of an object without its member
/// `omitted`; none when the value holds a number that is not whole: such numbers have more than one
/// spelling and are never published.
#[must_use]
pub(crate) fn hash<T: Serialize>(value: &T, omitted: &str) -> Option<String> {
    let mut context = Context::new(&SHA256);
    written(value)?.read(omitted, |part| context.update(part));
    Some(hex(context.finish().as_ref()))
}

/// Lower-case hexadecimal.
#[must_use]
pub(crate) fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit =
        |half: u8| DIGITS.get(usize::from(half & 15)).map_or('0', |digit| char::from(*digit));
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

fn written<T: Serialize>(value: &T) -> Option<Sheet> {
    let sheet = RefCell::new(Sheet::default());
    value.serialize(&mut Serializer::with_formatter(Pen(&sheet), Spelling(&sheet))).ok()?;
    Some(sheet.into_inner())
}

/// What has been written, and the objects that have not ended.
#[derive(Debug, Default)]
struct Sheet {
    text: Vec<u8>,
    /// Where each open object begins, and how many members stood in `members` before its own.
    open: Vec<(usize, usize)>,
    members: Vec<Member>,
    scratch: Vec<u8>,
}

/// Positions in the text: of the key's quote, after the key's closing one, after the value.
#[derive(Clone, Copy, Debug)]
struct Member {
    start: usize,
    key_end: usize,
    end: usize,
    /// The first bytes of the key, which order most pairs by themselves; none when it is escaped.
    prefix: Option<u64>,
}

impl Sheet {
    fn part(&self, start: usize, end: usize) -> &[u8] {
        self.text.get(start..end).unwrap_or_default()
    }

    /// As it is escaped, without its quotes.
    fn key(&self, member: &Member) -> &[u8] {
        self.part(member.start + 1, member.key_end.saturating_sub(1))
    }

    fn compare(&self, left: &Member, right: &Member) -> Ordering {
        let (left_key, right_key) = (self.key(left), self.key(right));
        match (left.prefix, right.prefix) {
            (Some(left), Some(right)) => left.cmp(&right).then_with(|| left_key.cmp(right_key)),
            _ => unescaped(left_key).cmp(unescaped(right_key)),
        }
    }

    fn begin_object(&mut self) {
        self.open.push((self.text.len(), self.members.len()));
    }

    fn begin_member(&mut self) {
        let at = self.text.len();
        self.members.push(Member { start: at, key_end: at, end: at, prefix: None });
    }

    fn end_key(&mut self) {
        let Some(mut member) = self.members.pop() else { return };
        member.key_end = self.text.len();
        let key = self.key(&member);
        if !key.contains(&b'\\') {
            let mut first = [0u8; 8];
            first.iter_mut().zip(key).for_each(|(slot, byte)| *slot = *byte);
            member.prefix = Some(u64::from_be_bytes(first));
        }
        self.members.push(member);
    }

    fn end_member(&mut self) {
        let at = self.text.len();
        if let Some(member) = self.members.last_mut() {
            member.end = at;
        }
    }

    /// Puts the members of the innermost object into order, but for the outermost one's.
    fn end_object(&mut self) {
        let Some((start, first)) = self.open.pop() else { return };
        if start == 0 {
            return;
        }
        let mut members = std::mem::take(&mut self.members);
        let own = members.get_mut(first..).unwrap_or_default();
        if !own.is_sorted_by(|left, right| self.compare(left, right).is_le()) {
            own.sort_by(|left, right| self.compare(left, right));
            let mut scratch = std::mem::take(&mut self.scratch);
            scratch.clear();
            for member in &*own {
                scratch.push(if scratch.is_empty() { b'{' } else { b',' });
                scratch.extend_from_slice(self.part(member.start, member.end));
            }
            self.text.truncate(start);
            self.text.extend_from_slice(&scratch);
            self.scratch = scratch;
        }
        members.truncate(first);
        self.members = members;
    }

    /// The finished text in parts, without the outermost object's member `omitted`.
    fn read(mut self, omitted: &str, mut see: impl FnMut(&[u8])) {
        let mut members = std::mem::take(&mut self.members);
        if !self.text.starts_with(b"{") {
            return see(&self.text);
        }
        members.retain(|member| self.key(member) != omitted.as_bytes());
        members.sort_by(|left, right| self.compare(left, right));
        see(b"{");
        for (at, member) in members.iter().enumerate() {
            if at > 0 {
                see(b",");
            }
            see(self.part(member.start, member.end));
        }
        see(b"}");
    }
}

/// The bytes of a key as they were before `write_char_escape`.
fn unescaped(key: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let mut rest = key;
    std::iter::from_fn(move || {
        let (byte, tail) = match rest {
            [b'\\', b'u', _, _, high, low, tail @ ..] => {
                let digit = |hex: u8| (hex as char).to_digit(16).unwrap_or(0) as u8;
                (digit(*high) << 4 | digit(*low), tail)
            }
            [b'\\', byte, tail @ ..] | [byte, tail @ ..] => (*byte, tail),
            [] => return None,
        };
        rest = tail;
        Some(byte)
    })
}

/// Where the serializer writes.
struct Pen<'s>(&'s RefCell<Sheet>);

impl Write for Pen<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().text.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.borrow_mut().text.extend_from_slice(bytes);
        Ok(())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How it is spelled, where that is not serde_json's own compact way.
struct Spelling<'s>(&'s RefCell<Sheet>);

impl Formatter for Spelling<'_> {
    fn write_f32<W: ?Sized + Write>(&mut self, _: &mut W, _: f32) -> io::Result<()> {
        Err(io::ErrorKind::InvalidData.into())
    }

    fn write_f64<W: ?Sized + Write>(&mut self, _: &mut W, _: f64) -> io::Result<()> {
        Err(io::ErrorKind::InvalidData.into())
    }

    /// Only what JSON demands is escaped, always in the same way.
    fn write_char_escape<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        escape: CharEscape,
    ) -> io::Result<()> {
        let control = match escape {
            CharEscape::Quote => return writer.write_all(b"\\\""),
            CharEscape::ReverseSolidus => return writer.write_all(b"\\\\"),
            CharEscape::Solidus => return writer.write_all(b"/"),
            CharEscape::Backspace => 0x08,
            CharEscape::FormFeed => 0x0c,
            CharEscape::LineFeed => b'\n',
            CharEscape::CarriageReturn => b'\r',
            CharEscape::Tab => b'\t',
            CharEscape::AsciiControl(byte) => byte,
        };
        write!(writer, "\\u{control:04x}")
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.borrow_mut().begin_object();
        writer.write_all(b"{")
    }

    fn begin_object_key<W: ?Sized + Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if !first {
            writer.write_all(b",")?;
        }
        self.0.borrow_mut().begin_member();
        Ok(())
    }

    fn end_object_key<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.0.borrow_mut().end_key();
        Ok(())
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, _: &mut W) -> io::Result<()> {
        self.0.borrow_mut().end_member();
        Ok(())
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.borrow_mut().end_object();
        writer.write_all(b"}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn text<T: Serialize>(value: &T, omitted: &str) -> Option<String> {
        let mut text = Vec::new();
        written(value)?.read(omitted, |part| text.extend_from_slice(part));
        Some(String::from_utf8(text).unwrap())
    }

    #[test]
    fn order_of_keys_and_space_change_nothing() {
        let one: Value =
            serde_json::from_str(r#"{"b": [1, null], "a": {"y": "ä\n", "x": true}}"#).unwrap();
        let two: Value =
            serde_json::from_str(r#"{"a":{"x":true,"y":"\u00e4\u000a"},"b":[1,null]}"#).unwrap();
        let wanted = "{\"a\":{\"x\":true,\"y\":\"ä\\u000a\"},\"b\":[1,null]}";
        assert_eq!(text(&one, "").unwrap(), wanted);
        assert_eq!(hash(&one, ""), hash(&two, ""));
        assert_eq!(hash(&one, "").unwrap().len(), 64);
    }

    #[test]
    fn members_of_types_are_put_into_order_and_one_is_left_out() {
        #[derive(Serialize)]
        struct Outer {
            sum: u8,
            inner: Inner,
            hash: &'static str,
        }
        #[derive(Serialize)]
        struct Inner {
            z: Option<i64>,
            hash: Vec<u8>,
            #[serde(flatten)]
            more: std::collections::BTreeMap<&'static str, Value>,
        }
        let more = [("k", json!({"b": 1, "a": 2}))].into();
        let outer = Outer { sum: 7, inner: Inner { z: None, hash: vec![1], more }, hash: "gone" };
        let text = text(&outer, "hash").unwrap();
        assert_eq!(text, r#"{"inner":{"hash":[1],"k":{"a":2,"b":1},"z":null},"sum":7}"#);
    }

    #[test]
    fn numbers_with_a_fraction_are_refused() {
        assert_eq!(hash(&json!({"a": [0.5]}), ""), None);
        assert_eq!(hash(&[0.5f32], ""), None);
    }

    #[test]
    fn a_hash_is_the_one_that_other_programs_make() {
        assert_eq!(hex(&[0x00, 0x1f, 0xa0, 0xf5]), "001fa0f5");
        // `printf '{"a":1}' | sha256sum`
        let expected = "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862";
        assert_eq!(hash(&json!({"b": 2, "a": 1}), "b").as_deref(), Some(expected));
    }

    /// The same text by the plainest means: a tree whose members are sorted.
    fn plainly(value: &Value, out: &mut String) {
        let quoted = |text: &str, out: &mut String| {
            out.push('"');
            for c in text.chars() {
                match c {
                    '"' | '\\' => out.extend(['\\', c]),
                    c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
                    c => out.push(c),
                }
            }
            out.push('"');
        };
        match value {
            Value::String(text) => quoted(text, out),
            Value::Array(items) => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    plainly(item, out);
                }
                out.push(']');
            }
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_by_key(|(key, _)| *key);
                out.push('{');
                for (at, (key, member)) in members.into_iter().enumerate() {
                    out.push_str(if at > 0 { "," } else { "" });
                    quoted(key, out);
                    out.push(':');
                    plainly(member, out);
                }
                out.push('}');
            }
            plain => out.push_str(&plain.to_string()),
        }
    }

    /// Pairs as an object that is written in their order.
    struct Pairs(Vec<(String, Value)>);

    impl Serialize for Pairs {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_map(self.0.iter().map(|(key, value)| (key, value)))
        }
    }

    proptest! {
        /// Keys with quotes, control characters and letters beyond ASCII are ordered by what they
        /// are, not by how they are escaped.
        #[test]
        fn any_keys_in_any_order_have_the_plain_text(
            members in proptest::collection::btree_map("[\\x00-!\"#\\[-a\\x7fé😀]{0,3}", any::<i32>(), 0..6)
                .prop_flat_map(|members| {
                    let pairs: Vec<_> = members.into_iter().map(|(k, n)| (k, json!([n, {"z": n, "b": "\t"}]))).collect();
                    Just(pairs).prop_shuffle()
                }),
        ) {
            let value: Value = members.iter().cloned().collect::<serde_json::Map<_, _>>().into();
            let mut plain = String::new();
            plainly(&value, &mut plain);
            // As the outermost object, and inside another one.
            prop_assert_eq!(text(&Pairs(members.clone()), "?").unwrap(), plain.as_str());
            prop_assert_eq!(text(&[Pairs(members)], "?").unwrap(), format!("[{plain}]"));
        }
    }
}
