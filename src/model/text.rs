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

/// Whether a text says nothing: a reader would see an empty place.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    // Joiners and variation selectors are seen with a letter before them only, the braille blank never.
    let alone = |c| matches!(c, '\u{34f}' | '\u{2800}' | '\u{fe00}'..='\u{fe0f}');
    text.chars().all(|c| c.is_whitespace() || is_hidden(c) || alone(c))
}

#[cfg(test)]
mod tests {
    use super::is_blank;

    #[test]
    fn a_text_of_what_nobody_sees_says_nothing() {
        for text in ["", " \t\n", "\u{200b}", "\u{2060} \u{ad}\u{feff}", "\u{a0}\u{3000}\u{2800}"] {
            assert!(is_blank(text), "{text:?}");
        }
        for text in ["a", "\u{200b}.", "\u{2764}\u{fe0f}", "\u{5b89}"] {
            assert!(!is_blank(text), "{text:?}");
        }
    }
}
