//! Words for people: near words, lists, text made safe to show.
//!
//! Pure helpers for whoever makes findings; nothing here knows what is being checked.

/// Longest text that is compared or quoted whole; longer ones are somebody's accident.
const LONG: usize = 64;

/// The candidate that was probably meant: equal but for case, or few edits away.
#[must_use]
pub fn near<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if word.is_empty() || word.len() > LONG {
        return None;
    }
    let plain = |text: &str| -> String {
        let kept = text.chars().filter(|c| !matches!(c, '-' | '_' | ' '));
        kept.flat_map(char::to_lowercase).collect()
    };
    let wanted = plain(word);
    let allowed = match wanted.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        6..=8 => 2,
        _ => 3,
    };
    candidates
        .into_iter()
        .map(|candidate| (distance(&wanted, &plain(candidate)), candidate))
        .filter(|(edits, _)| *edits <= allowed)
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

/// Edits between two words; two neighbouring letters swapped count once.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut previous = None;
    for (i, left) in a.chars().enumerate() {
        let mut row = vec![i + 1];
        for (j, right) in b.iter().enumerate() {
            let at =
                |cells: &[usize], index: usize| cells.get(index).copied().unwrap_or(usize::MAX);
            let change = at(&last, j) + usize::from(left != *right);
            let mut best = change.min(at(&last, j + 1) + 1).min(at(&row, j) + 1);
            let swapped = j > 0 && previous == Some(*right) && b.get(j - 1) == Some(&left);
            if swapped {
                best = best.min(at(&before, j - 1).saturating_add(1));
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
        previous = Some(left);
    }
    last.last().copied().unwrap_or(0)
}

/// `a`, `a or b`, `a, b or c`, each in backticks.
#[must_use]
pub fn any_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    join(words, "or")
}

/// `a`, `a and b`, `a, b and c`, each in backticks.
#[must_use]
pub fn all_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    join(words, "and")
}

fn join<'a>(words: impl IntoIterator<Item = &'a str>, last: &str) -> String {
    let quoted: Vec<String> = words.into_iter().map(quote).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((end, rest)) => format!("{} {last} {end}", rest.join(", ")),
    }
}

/// A user's word in backticks, cut when it is very long.
#[must_use]
pub fn quote(word: &str) -> String {
    let shown = printable(word).replace('`', "'");
    if shown.chars().count() <= LONG {
        return format!("`{shown}`");
    }
    let cut: String = shown.chars().take(LONG - 1).collect();
    format!("`{cut}…`")
}

/// The text without anything that could steer a terminal or reorder what is read: control,
/// bidirectional and invisible characters become `\u{…}`.
#[must_use]
pub fn printable(text: &str) -> String {
    if !text.chars().any(is_unsafe) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) {
            out.push_str(&format!("\\u{{{:x}}}", u32::from(c)));
        } else {
            out.push(c);
        }
    }
    out
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A number with its noun: `1 error`, `2 errors`.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
