//! Functions that may call themselves.
//!
//! Rego forbids recursion; the interpreter refuses it for rules, but follows a function that calls
//! itself until the stack ends, and the whole program with it. Read here are words alone: who is
//! called, or put in another's place by `with`, in the text of whom. Names of all packages are one
//! set, so that two functions of one name in a chain count as one; that errs to the safe side.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::policy::SourceText;
use crate::policy::rego::Fault;

/// A function that may need itself, with the chain that leads back to it.
pub(super) fn find(files: &[SourceText]) -> Option<Fault> {
    let mut heads = Vec::new();
    for source in files {
        heads.extend(read(source));
    }
    let functions: BTreeSet<&str> =
        heads.iter().filter(|head| head.takes).map(|head| head.name.as_str()).collect();
    let rules: BTreeSet<&str> = heads.iter().map(|head| head.name.as_str()).collect();
    let mut needs: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for head in &heads {
        let called = head.calls.iter().filter(|name| rules.contains(name.as_str()));
        let named = head.names.iter().filter(|name| rules.contains(name.as_str()));
        let named = named.filter(|name| !functions.contains(name.as_str()));
        needs.entry(&head.name).or_default().extend(called.chain(named).map(String::as_str));
    }
    let name = functions.iter().find(|name| reaches(&needs, name))?;
    let head = heads.iter().find(|head| head.takes && head.name == **name)?;
    let message = format!("function `{name}` may need itself, and would never end");
    Some(Fault { file: Arc::clone(&head.file), line: head.line, column: 1, message })
}

/// Whether a name leads back to itself.
fn reaches(needs: &BTreeMap<&str, BTreeSet<&str>>, name: &str) -> bool {
    let mut seen = BTreeSet::new();
    let mut next: Vec<&str> = needs.get(name).into_iter().flatten().copied().collect();
    while let Some(at) = next.pop() {
        if at == name {
            return true;
        }
        if seen.insert(at) {
            next.extend(needs.get(at).into_iter().flatten());
        }
    }
    false
}

/// A rule or function and the names in its text.
struct Head {
    file: Arc<str>,
    line: u32,
    name: String,
    /// Whether it has arguments.
    takes: bool,
    /// Names that are called or stand after `with` or `as`.
    calls: BTreeSet<String>,
    /// Names that stand by themselves.
    names: BTreeSet<String>,
}

/// Words after which a statement goes on in the next line.
const GO_ON: &[&str] =
    &["if", "else", "contains", "in", "with", "as", "some", "every", "not", "default"];

fn read(source: &SourceText) -> Vec<Head> {
    let mut heads: Vec<Head> = Vec::new();
    let (mut before, mut replaces) = (String::new(), false);
    for word in words(&source.text) {
        let is_head = word.opens && word.text != "else";
        let defined = before == "default" && !word.dotted;
        if (is_head && word.text != "default") || defined {
            heads.push(Head {
                file: Arc::clone(&source.file),
                line: word.line,
                name: word.text.clone(),
                takes: word.called,
                calls: BTreeSet::new(),
                names: BTreeSet::new(),
            });
        } else if let Some(head) = heads.last_mut() {
            replaces = if word.dotted { replaces } else { matches!(&*before, "with" | "as") };
            if word.called || replaces {
                head.calls.insert(word.text.clone());
            } else if !word.dotted {
                head.names.insert(word.text.clone());
            }
        }
        before = word.text;
    }
    heads
}

/// A name, or a text that may stand for one.
struct Word {
    text: String,
    line: u32,
    /// It continues a path: after `.` or inside `[…]`.
    dotted: bool,
    /// It begins a line outside all brackets, and the line before was complete.
    opens: bool,
    /// A parenthesis follows.
    called: bool,
}

fn words(text: &str) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let (mut line, mut depth, mut fresh) = (1_u32, 0_i32, true);
    // The last sign that is no space, and whether one has stood in this line.
    let (mut sign, mut rest) = ('\n', text);
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            '"' => text_length(rest),
            '`' => rest.get(1..).and_then(|after| after.find('`')).map_or(rest.len(), |at| at + 2),
            c if c.is_alphabetic() || c == '_' => {
                rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
            }
            c => c.len_utf8(),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        // Of a word, the sign is its first letter: a number between is no word.
        let asks = |word: &Word| GO_ON.contains(&word.text.as_str());
        let asks = sign.is_alphabetic() && words.last().is_some_and(asks);
        let goes_on = asks || "=+-*/|&<>!,:.".contains(sign);
        match c {
            '\n' => (line, fresh) = (line + 1, true),
            '#' => {}
            c if c.is_whitespace() => {}
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            c if c.is_alphabetic() || matches!(c, '_' | '"' | '`') => {
                let quoted = matches!(c, '"' | '`');
                words.push(Word {
                    text: token.trim_matches(['"', '`']).to_owned(),
                    line,
                    dotted: sign == '.' || quoted,
                    opens: fresh && depth == 0 && !goes_on && !quoted,
                    called: called(after, quoted),
                });
            }
            _ => {}
        }
        if !c.is_whitespace() && c != '#' {
            (sign, fresh) = (c, false);
        }
        line += u32::try_from(token.matches('\n').count()).unwrap_or(0) * u32::from(c == '`');
    }
    words
}

/// Whether a call follows: `(`, or `](` after a quoted name.
fn called(after: &str, quoted: bool) -> bool {
    let after = after.trim_start();
    let after = if quoted { after.strip_prefix(']').map_or("", str::trim_start) } else { after };
    after.starts_with('(')
}

/// Bytes of a quoted text with its quotes.
fn text_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '"' if !escaped => return at + 1,
            '\\' => escaped = !escaped,
            _ => escaped = false,
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::find;
    use crate::policy::SourceText;

    #[test]
    fn a_function_that_needs_itself_is_found_and_no_other() {
        for (text, line) in [
            ("package a\nf(x) := f(x + 1)\n", Some(2)),
            ("package a\nf(x) := y if {\n  y := g(x)\n}\ng(x) := f (x)\n", Some(2)),
            ("package a\nf(x) := r\nr := f(1)\n", Some(2)),
            ("package a\nf(x) :=\n  f(x)\n", Some(2)),
            ("package a\nf(x) if\n  data.a.f(x)\n", Some(2)),
            ("package a\nf(x) := data.a[\"f\"](x)\n", Some(2)),
            ("package a\nf(x) := g(x) with data.a.g as data.a.f\ng(x) := x\n", Some(2)),
            ("package a\ndefault f(_) := 1\nf(x) := f(x)\n", Some(2)),
            ("package a\n# one\n\nf(x) := f(x)\nr := f(1)\n", Some(4)),
            ("package a\nr := `\n\n`\nf(x) := f(x)\n", Some(5)),
            ("package a\nr := \"\\\\\"\nf(x) := f(x)\n", Some(3)),
            ("package a\nf(x) := \"\\\"f(x)\"\n", None),
            ("package a\nf(x) := \"\\n\\\\\\\"f(x)\"\n", None),
            ("package a\nf(x) := x # a quote \" f(x)\n# f(x)\ng := f(1)\n", None),
            ("package a\nf(x) := `a`\ng(x) := f(x)\n", None),
            ("package a\ng(x) := x\nf(x) := f(x)\n", Some(3)),
            ("package a\nr := `abc`\nf(x) := f(x)\n", Some(3)),
            ("package a\nname(c) := c.name\ngroup(c) := g if g := c.target.group\n", None),
            ("package a\n# f(x)\nf(x) := \"f(x)\"\ng(x) := f(f(x))\n", None),
            ("package a\nf(x) := 1 if x > 1\nelse := 2\ndeny contains f(1)\n", None),
            ("package a\nf(x) := x if {\n  some x in [1, 2]\n}\nf(x) := `\nf(` if x\n", None),
        ] {
            let file = SourceText { file: "r.rego".into(), text: text.into() };
            assert_eq!(find(&[file]).map(|fault| fault.line), line, "{text}");
        }
    }
}
