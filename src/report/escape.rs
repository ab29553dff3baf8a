//! Untrusted text made harmless for the place it goes into.
//!
//! Device names, alert titles, comments and requestors are written by whoever owns a device or an
//! alert. On a terminal they could move the cursor or hide a line, in Markdown they could mention
//! people, close a fence or load a picture. Used by every renderer; must never let a control or
//! bidirectional character through.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

pub use crate::model::text::is_hidden;

/// Longest untrusted name on screen, in columns.
pub const NAME_COLUMNS: usize = 48;

/// The text on one line of a terminal: control, bidirectional and invisible characters are spelled
/// out as `\u{…}`, everything else stays.
#[must_use]
pub fn terminal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' => out.extend(c.escape_default()),
            c if is_hidden(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// As [`terminal`], cut to `columns` with `…` at the end when it is longer.
#[must_use]
pub fn name(text: &str, columns: usize) -> String {
    cut(&terminal(text), columns)
}

/// Cuts to a display width, marking the cut with `…`. Combining marks are bounded too: a name of a
/// thousand of them has no width and would still fill the screen.
#[must_use]
pub fn cut(text: &str, columns: usize) -> String {
    let marks = columns.saturating_mul(3);
    if text.width() <= columns && text.chars().count() <= marks {
        return text.to_owned();
    }
    let room = columns.saturating_sub(1);
    let (mut used, mut out) = (0, String::new());
    for c in text.chars().take(marks) {
        let width = c.width().unwrap_or(0);
        if used + width > room {
            break;
        }
        used += width;
        out.push(c);
    }
    out.push('…');
    out
}

/// A Markdown code span around untrusted text: nothing in it is interpreted, mentions and links
/// included. The fence is longer than any run of backticks inside.
#[must_use]
pub fn code_span(text: &str) -> String {
    let clean = name(text, 120);
    let mut longest = 0;
    let mut run = 0;
    for c in clean.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest + 1);
    let pad =
        if clean.starts_with('`') || clean.ends_with('`') || clean.is_empty() { " " } else { "" };
    // A table's column ends at a bar even inside a code span.
    let body = clean.replace('|', "\\|");
    format!("{fence}{pad}{body}{pad}{fence}")
}

/// Text of ours that may quote the service, for Markdown outside code spans.
#[must_use]
pub fn markdown(text: &str) -> String {
    let clean = terminal(text);
    let mut out = String::with_capacity(clean.len() + 8);
    for c in clean.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            // An empty comment breaks a mention or an issue number without being seen.
            '@' => out.push_str("@<!-- -->"),
            '#' => out.push_str("#<!-- -->"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    // A bare address would become a link.
    out.replace("://", "&#58;//").replace("www.", "www&#46;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_moves_or_hides_reaches_a_terminal() {
        assert_eq!(terminal("a\x1b[31mb\u{9b}2J"), "a\\u{1b}[31mb\\u{9b}2J");
        assert_eq!(terminal("pc\u{202e}gnp.exe"), "pc\\u{202e}gnp.exe");
        assert_eq!(terminal("zero\u{200b}width\u{feff}"), "zero\\u{200b}width\\u{feff}");
        assert_eq!(terminal("two\nlines\r\x07"), "two\\nlines\\r\\u{7}");
        assert_eq!(terminal("Büro-Süd 東京"), "Büro-Süd 東京");
        for c in (0..=0x2_ffff).filter_map(char::from_u32) {
            let shown = terminal(&c.to_string());
            assert!(!shown.chars().any(|c| c.is_control() || is_hidden(c)), "{c:?}");
        }
    }

    #[test]
    fn long_names_are_cut_by_the_columns_they_take() {
        assert_eq!(cut("abcdef", 6), "abcdef");
        assert_eq!(cut("abcdefg", 6), "abcde…");
        assert_eq!(cut("東京東京", 6), "東京…");
        let marks = format!("a{}", "\u{301}".repeat(900));
        assert!(cut(&marks, 10).chars().count() <= 31);
    }

    #[test]
    fn markdown_cannot_be_broken_out_of() {
        assert_eq!(code_span("a`b"), "``a`b``");
        assert_eq!(code_span("`x`"), "`` `x` ``");
        assert_eq!(code_span("a|b"), "`a\\|b`");
        assert_eq!(markdown("<img src=x>"), "&lt;img src=x&gt;");
        assert_eq!(markdown("@team #12"), "@<!-- -->team #<!-- -->12");
        assert_eq!(markdown("https://x.example"), "https&#58;//x.example");
    }
}
