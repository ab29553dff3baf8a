//! Rows and columns that fit a page: the widest columns give way first.
//!
//! Used by the listing reports. Cells are untrusted text; they are escaped and cut here.

use unicode_width::UnicodeWidthStr;

use crate::report::escape;
use crate::report::page::{Page, Role, piece, plain};

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its heading.
    pub head: &'static str,
    /// Whether numbers stand in it.
    pub right: bool,
    /// Columns it keeps when the page is narrow.
    pub least: usize,
}

impl Column {
    /// A column of text.
    #[must_use]
    pub const fn text(head: &'static str, least: usize) -> Self {
        Self { head, right: false, least }
    }
    /// A column of numbers, which are never cut.
    #[must_use]
    pub const fn number(head: &'static str) -> Self {
        Self { head, right: true, least: usize::MAX }
    }
}

/// Space between two columns.
const GAP: usize = 2;

/// Writes the headings and one line for each row.
pub fn write(page: &mut Page, columns: &[Column], rows: &[Vec<String>]) {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| escape::terminal(cell)).collect()).collect();
    let widths = widths(page.width(), columns, &rows);
    let heads: Vec<String> = columns.iter().map(|column| column.head.to_owned()).collect();
    let head = line(columns, &widths, &heads);
    page.line(0, &[piece(Role::Dim, head)]);
    for row in &rows {
        page.line(0, &[plain(line(columns, &widths, row))]);
    }
}

fn widths(room: usize, columns: &[Column], rows: &[Vec<String>]) -> Vec<usize> {
    let mut widths: Vec<usize> = columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.width());
            cells.max().unwrap_or(0).max(column.head.width())
        })
        .collect();
    let gaps = GAP * columns.len().saturating_sub(1);
    while widths.iter().sum::<usize>() + gaps > room {
        let widest = widths
            .iter_mut()
            .zip(columns)
            .filter(|(width, column)| **width > column.least.max(column.head.width()))
            .max_by_key(|(width, _)| **width);
        match widest {
            Some((width, _)) => *width -= 1,
            None => break,
        }
    }
    widths
}

/// Cells side by side; spaces do not break, so a line is one word to the page.
fn line(columns: &[Column], widths: &[usize], cells: &[String]) -> String {
    let mut out = String::new();
    for ((column, width), cell) in columns.iter().zip(widths).zip(cells) {
        let cell = escape::cut(cell, *width);
        let pad = " ".repeat(width.saturating_sub(cell.width()));
        if !out.is_empty() || column.right {
            let gap = if out.is_empty() { 0 } else { GAP };
            out.push_str(&" ".repeat(gap));
        }
        if column.right {
            out.push_str(&pad);
            out.push_str(&cell);
        } else {
            out.push_str(&cell);
            out.push_str(&pad);
        }
    }
    crate::report::measure::unbroken(out.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Style;

    #[test]
    fn the_widest_column_gives_way_and_numbers_never() {
        let columns = [Column::text("name", 6), Column::number("count"), Column::text("group", 5)];
        let rows = [
            vec!["a".repeat(50), "1,234".to_owned(), "EMEA-Servers".to_owned()],
            vec!["b\x1b".to_owned(), "7".to_owned(), String::new()],
        ];
        let mut page = Page::new(Style { width: 60, color: false });
        write(&mut page, &columns, &rows);
        let text = page.finish();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines.iter().all(|line| line.width() <= 60), "{text}");
        assert!(lines[1].contains("…  1,234  EMEA-Servers"), "{text}");
        assert!(lines[2].starts_with("b\\u{1b}") && lines[2].ends_with("    7"), "{text}");
    }
}
