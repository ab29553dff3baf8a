//! What can be seen of a text.
//!
//! Reasons and names are for people: what shows nothing says nothing. Asked by whoever reads such a
//! text and by `report::escape`, which spells out what is not seen.

/// Characters that are not seen, or that change how others are seen.
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180e}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Whether nothing of a text is seen: it is empty, or has white space and hidden characters only.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(|c| c.is_whitespace() || is_hidden(c))
}

#[cfg(test)]
mod tests {
    use super::is_blank;

    #[test]
    fn what_shows_nothing_is_blank() {
        for text in ["", " ", "\t\n", "\u{200b}", " \u{2060}\u{ad}", "\u{feff}", "\u{3000}"] {
            assert!(is_blank(text), "{text:?}");
        }
        for text in ["x", "\u{200b}x", "ä", "."] {
            assert!(!is_blank(text), "{text:?}");
        }
    }
}
