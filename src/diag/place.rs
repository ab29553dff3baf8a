//! Where something stands in a text.

use std::ops::Range;

/// A stretch of one file. Lines and columns count from 1, columns in characters; the end is the
/// place after the last character. Bytes are offsets into the whole text, a byte order mark
/// included.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Line of the first character.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
    /// Line of the end.
    pub end_line: u32,
    /// Column of the end.
    pub end_column: u32,
    /// First byte.
    pub start: usize,
    /// Byte after the last one.
    pub end: usize,
}

impl Place {
    /// The stretch as a range of bytes.
    #[must_use]
    pub const fn bytes(&self) -> Range<usize> {
        self.start..self.end
    }

    /// The beginning of the file.
    #[must_use]
    pub const fn start_of_file() -> Self {
        Self { line: 1, column: 1, end_line: 1, end_column: 1, start: 0, end: 0 }
    }

    /// From the start of this stretch to the end of the other.
    #[must_use]
    pub fn to(&self, other: &Self) -> Self {
        if other.end <= self.end {
            return self.clone();
        }
        let Self { end_line, end_column, end, .. } = other.clone();
        Self { end_line, end_column, end, ..self.clone() }
    }

    /// The place of the bytes `range` of `text`; a range beyond the text is cut.
    #[must_use]
    pub fn of(text: &str, range: Range<usize>) -> Self {
        let start = floor(text, range.start);
        let end = floor(text, range.end).max(start);
        let (line, column) = line_column(text, start);
        let (end_line, end_column) = line_column(text, end);
        Self { line, column, end_line, end_column, start, end }
    }
}

fn floor(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn line_column(text: &str, at: usize) -> (u32, u32) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.bytes().filter(|byte| *byte == b'\n').count() + 1;
    let from = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column =
        before.get(from..).unwrap_or("").trim_start_matches('\u{feff}').chars().count() + 1;
    (u32::try_from(line).unwrap_or(u32::MAX), u32::try_from(column).unwrap_or(u32::MAX))
}
