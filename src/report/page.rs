//! A page of text: pieces with a role, wrapped to a width, painted or not.
//!
//! Renderers say what a piece of text is (a danger, a detail), not how it looks. Lines break at
//! spaces and continue under a hanging indent; a word wider than the room is cut with `…`.
//! Must never decide by itself whether to colour: the edge knows who is looking.

use anstyle::{AnsiColor, Style as Paint};
use unicode_width::UnicodeWidthStr;

use crate::report::escape;
use crate::report::measure::NO_BREAK;

/// How text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Columns, 60 to 200.
    pub width: usize,
    /// Whether to paint; meaning never depends on it.
    pub color: bool,
}

impl Style {
    /// Narrowest page.
    pub const NARROW: usize = 60;
    /// Widest page.
    pub const WIDE: usize = 200;

    /// A style within the limits.
    #[must_use]
    pub fn new(width: usize, color: bool) -> Self {
        Self { width: width.clamp(Self::NARROW, Self::WIDE), color }
    }
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Text.
    Plain,
    /// What the eye should find first.
    Strong,
    /// Detail.
    Dim,
    /// Takes something away from somebody.
    Danger,
    /// Needs a look.
    Warn,
    /// Done, or gives something back.
    Good,
    /// A name or a place.
    Name,
}

impl Role {
    const fn paint(self) -> Paint {
        let plain = Paint::new();
        match self {
            Self::Plain => plain,
            Self::Strong => plain.bold(),
            Self::Dim => plain.dimmed(),
            Self::Danger => plain.bold().fg_color(Some(anstyle::Color::Ansi(AnsiColor::Red))),
            Self::Warn => plain.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Yellow))),
            Self::Good => plain.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Green))),
            Self::Name => plain.fg_color(Some(anstyle::Color::Ansi(AnsiColor::Cyan))),
        }
    }
}

/// Some text and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    text: String,
    role: Role,
}

/// A piece of text; it must be harmless already (`report::escape`).
#[must_use]
pub fn piece(role: Role, text: impl Into<String>) -> Piece {
    Piece { text: text.into(), role }
}

/// Plain text.
#[must_use]
pub fn plain(text: impl Into<String>) -> Piece {
    piece(Role::Plain, text)
}

/// Text that grows line by line.
#[derive(Clone, Debug)]
pub struct Page {
    style: Style,
    text: String,
}

impl Page {
    /// An empty page.
    #[must_use]
    pub const fn new(style: Style) -> Self {
        Self { style, text: String::new() }
    }

    /// The page's columns.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.style.width
    }

    /// The text; each line ends with a line feed.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }

    /// An empty line, unless the page is empty or ends with one.
    pub fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// Text that is laid out already; lines stay as they are.
    pub fn raw(&mut self, text: &str) {
        self.text.push_str(text);
        if !text.is_empty() && !text.ends_with('\n') {
            self.text.push('\n');
        }
    }

    /// One paragraph: the first line starts at column 0, the others at `hang`.
    pub fn line(&mut self, hang: usize, pieces: &[Piece]) {
        let hang = hang.min(self.style.width / 2);
        let room = self.style.width - hang;
        let words = words(pieces);
        let mut column = 0;
        for (at, Word { text, role, spaces }) in words.iter().enumerate() {
            let text = escape::cut(text, room);
            let width = text.width();
            // What follows without a space stays with its word, unless no line could hold both.
            let tail = words.get(at + 1..).unwrap_or_default().iter();
            let glued: usize =
                tail.take_while(|word| word.spaces == 0).map(|word| word.text.width()).sum();
            let unit = if *spaces > 0 && width + glued <= room { width + glued } else { width };
            if column > hang && column + spaces + unit > self.style.width {
                self.text.push('\n');
                self.text.push_str(&" ".repeat(hang));
                column = hang;
            } else {
                self.text.push_str(&" ".repeat(*spaces));
                column += spaces;
            }
            self.paint(*role, &text);
            column += width;
        }
        self.text.push('\n');
    }

    fn paint(&mut self, role: Role, word: &str) {
        let word = word.replace(NO_BREAK, " ");
        let paint = role.paint();
        if self.style.color && role != Role::Plain {
            let (on, off) = (paint.render(), paint.render_reset());
            self.text.push_str(&format!("{on}{word}{off}"));
        } else {
            self.text.push_str(&word);
        }
    }
}

/// A word, what it is, and the spaces before it.
struct Word {
    text: String,
    role: Role,
    spaces: usize,
}

/// The words of all pieces. Where one piece follows another without a space, so do their words.
fn words(pieces: &[Piece]) -> Vec<Word> {
    let mut found = Vec::new();
    let mut spaces = 0;
    for Piece { text, role } in pieces {
        for (at, word) in text.split(' ').enumerate() {
            if at > 0 {
                spaces += 1;
            }
            if !word.is_empty() {
                found.push(Word { text: word.to_owned(), role: *role, spaces });
                spaces = 0;
            }
        }
    }
    found
}

/// Puts a middle dot between groups of pieces; it stays at the end of its line.
#[must_use]
pub fn join(groups: Vec<Vec<Piece>>) -> Vec<Piece> {
    let mut out = Vec::new();
    for (at, group) in groups.into_iter().enumerate() {
        if at > 0 {
            out.push(piece(Role::Dim, "\u{a0}· "));
        }
        out.extend(group);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn laid(width: usize, hang: usize, text: &str) -> String {
        let mut page = Page::new(Style { width, color: false });
        page.line(hang, &[plain(text)]);
        page.finish()
    }

    #[test]
    fn lines_break_at_spaces_and_hang() {
        assert_eq!(
            laid(20, 4, "one two three four five six"),
            "one two three four\n    five six\n"
        );
        assert_eq!(laid(60, 4, "short"), "short\n");
        assert_eq!(laid(60, 4, "  ! isolate   46"), "  ! isolate   46\n");
    }

    #[test]
    fn measures_stay_whole_and_long_words_are_cut() {
        assert_eq!(
            laid(20, 2, "Servers are 44\u{a0}of\u{a0}7,300 now"),
            "Servers are\n  44 of 7,300 now\n"
        );
        assert_eq!(
            laid(20, 2, &format!("x {}", "y".repeat(40))),
            format!("x {}…\n", "y".repeat(17))
        );
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let pieces = [piece(Role::Danger, "! isolate"), plain(" 46")];
        let text = |color| {
            let mut page = Page::new(Style { width: 60, color });
            page.line(2, &pieces);
            page.finish()
        };
        assert!(text(true).contains("\x1b["));
        assert_eq!(anstream::adapter::strip_str(&text(true)).to_string(), text(false));
    }
}
