//! The code of what a rule says: `rego-` and a word made out of the rule's own.
//!
//! The product has codes that begin the same way. A rule that could speak under one of them would be
//! taken for the product, and lifting the one would lift the other: such a word is refused, where it
//! can be read before anything is evaluated as well as in an answer.

use crate::diag::Code;
use crate::policy::SourceText;
use crate::policy::rego::Fault;

/// How the codes of rules begin.
const PREFIX: &str = "rego-";
/// The objection to a rule that fails.
pub const FAILED: &str = "rego-failed";

/// The code that a word makes, or why it makes none.
pub(super) fn of(word: &str) -> Result<String, String> {
    let code = format!("{PREFIX}{}", slug(word));
    if code == PREFIX {
        return Err("has no letter a-z and no digit that could stand in a code".to_owned());
    }
    let own = code == FAILED || Code::from_word(&code).is_some();
    if own { Err(format!("makes the code `{code}`, which is Palisade's own")) } else { Ok(code) }
}

/// Whether a rule may object under this code.
#[must_use]
pub fn is_code(code: &str) -> bool {
    code.strip_prefix(PREFIX).is_some_and(|word| of(word).as_deref() == Ok(code))
}

/// Lower-case letters, digits and dashes: what may follow `--lift`.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() => slug.push(c.to_ascii_lowercase()),
            _ if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            _ => {}
        }
    }
    slug.trim_end_matches('-').to_owned()
}

/// Codes that are written out and refused, by their places: a rule that has nothing to say today
/// would show them only when it speaks.
pub(super) fn written(source: &SourceText) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (number, line) in (1_u32..).zip(source.text.lines()) {
        // Not what is remarked.
        let end = line.find(" #").unwrap_or(line.len());
        let code = line.get(..end).filter(|code| !code.trim_start().starts_with('#'));
        for (at, key) in code.unwrap_or("").match_indices("\"code\"") {
            let after = line.get(at + key.len()..end).unwrap_or("").trim_start();
            let value = after.strip_prefix(':').map(str::trim_start);
            let value = value.and_then(|value| value.strip_prefix('"')?.split('"').next());
            let Some(Err(why)) = value.map(of) else { continue };
            let before = line.get(..at).unwrap_or("").chars().count();
            faults.push(Fault {
                file: source.file.clone(),
                line: number,
                column: u32::try_from(before).unwrap_or(0) + 1,
                message: format!("`code` {why}"),
            });
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_makes_a_code_that_may_follow_lift_and_is_nobody_elses() {
        for (word, code) in [
            ("quiet", "rego-quiet"),
            ("own.rules", "rego-own-rules"),
            ("!!No  Way??", "rego-no-way"),
            ("failed.twice", "rego-failed-twice"),
        ] {
            assert_eq!(of(word).as_deref(), Ok(code));
        }
        for word in ["failed", "Failed!", "-FAILED-", "invalid", "no_rule", "", "\u{fc}", "--"] {
            assert!(of(word).is_err(), "{word}");
        }
    }

    #[test]
    fn a_refused_code_that_is_written_out_is_found() {
        for (text, places) in [
            ("x := {\"code\": \"failed\"}\n", vec![(1, 7)]),
            (
                "\n\tx := {\"a\": 1, \"code\" :\"no rule\", \"code\": \"!\"}\n",
                vec![(2, 16), (2, 35)],
            ),
            ("x := {\"code\": \"fine\"}\ny := {\"code\": x}\n\"code\"", vec![]),
            ("# {\"code\": \"failed\"}\nx := 1 # {\"code\": \"failed\"}\n", vec![]),
        ] {
            let found = written(&SourceText { file: "r.rego".into(), text: text.into() });
            let found: Vec<_> = found.iter().map(|it| (it.line, it.column)).collect();
            assert_eq!(found, places, "{text}");
        }
    }
}
