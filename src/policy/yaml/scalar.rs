//! What a bare word means: the core schema of YAML 1.2, and words that other programs read otherwise.

use serde_json::Number;

use crate::policy::yaml::Content;

/// The value of a bare (unquoted) word.
pub(super) fn resolve(word: &str) -> Content {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => Content::Null,
        "true" | "True" | "TRUE" => Content::Bool(true),
        "false" | "False" | "FALSE" => Content::Bool(false),
        _ => number(word).map_or_else(|| Content::Text(word.to_owned()), Content::Number),
    }
}

fn number(word: &str) -> Option<Number> {
    let first = word.trim_start_matches(['+', '-']).chars().next()?;
    if !first.is_ascii_digit() && first != '.' {
        return None;
    }
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = word.strip_prefix(prefix) {
            return u64::from_str_radix(digits, radix).ok().map(Number::from);
        }
    }
    let plain = word.strip_prefix('+').unwrap_or(word);
    let digits = plain.strip_prefix('-').unwrap_or(plain);
    if digits.chars().all(|c| c.is_ascii_digit()) {
        return match (plain.parse::<u64>(), plain.parse::<i64>()) {
            (Ok(value), _) => Some(value.into()),
            (_, Ok(value)) => Some(value.into()),
            _ => plain.parse().ok().and_then(Number::from_f64),
        };
    }
    let is_float =
        digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    if is_float { plain.parse().ok().and_then(Number::from_f64) } else { None }
}

/// A truth value to YAML 1.1, text to YAML 1.2.
pub(super) fn is_ambiguous(word: &str) -> bool {
    let word_in = |words: &[&str]| {
        words.iter().any(|known| {
            let capital = format!("{}{}", &known[..1].to_uppercase(), &known[1..]);
            word == *known || word == known.to_uppercase() || word == capital
        })
    };
    word.len() <= 3 && word_in(&["yes", "no", "on", "off"])
}

/// Octal to YAML 1.1, decimal to YAML 1.2.
pub(super) fn has_leading_zero(word: &str) -> bool {
    let digits = word.trim_start_matches(['+', '-']);
    digits.len() > 1 && digits.starts_with('0') && digits.chars().all(|c| c.is_ascii_digit())
}
