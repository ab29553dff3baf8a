//! The layout of policy files: indentation, line ends, blank lines. Never their meaning.
//!
//! Works on lines, so that every comment, quote and order of keys stays the author's. Indentation
//! becomes two spaces a level, line ends become line feeds, trailing space goes, more than one
//! blank line becomes one. Whoever writes the result compares its meaning with the original's
//! first (`cli::commands::fmt`). Pure.

/// The text laid out anew.
#[must_use]
pub fn lay_out(text: &str) -> String {
    let lines = lines(text);
    let mut writer = Writer { out: Vec::new(), levels: vec![Level { old: 0, new: 0 }] };
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += writer.take(line, lines.get(at + 1..).unwrap_or_default());
    }
    finish(writer.out)
}

/// Only what cannot matter anywhere: line ends, trailing space, the end of the file.
#[must_use]
pub fn trim(text: &str) -> String {
    finish(lines(text).into_iter().map(str::to_owned).collect())
}

fn lines(text: &str) -> Vec<&str> {
    text.trim_start_matches('\u{feff}').lines().map(str::trim_end).collect()
}

/// One line feed at the end, no blank lines at either end, no two in a row.
fn finish(lines: Vec<String>) -> String {
    let mut out = String::new();
    let mut blank = true;
    for line in lines {
        if line.is_empty() && blank {
            continue;
        }
        blank = line.is_empty();
        out.push_str(&line);
        out.push('\n');
    }
    while out.ends_with("\n\n") {
        out.pop();
    }
    out
}

/// A column of the author's and the column it gets.
#[derive(Clone, Copy)]
struct Level {
    old: usize,
    new: usize,
}

struct Writer {
    out: Vec<String>,
    levels: Vec<Level>,
}

impl Writer {
    /// Writes a line and what hangs on it; returns how many lines were taken.
    fn take(&mut self, line: &str, rest: &[&str]) -> usize {
        let old = indent(line);
        let body = line.trim_start();
        if body.is_empty() {
            self.out.push(String::new());
            return 1;
        }
        if body.starts_with('#') {
            self.comment(old, body, rest);
            return 1;
        }
        if old == 0 && (body == "---" || body == "..." || body.starts_with("--- ")) {
            self.levels.truncate(1);
            self.out.push(body.to_owned());
            return 1;
        }
        let new = self.level(old);
        let (dashes, content) = self.items(old, new, body);
        self.out.push(format!("{}{dashes}{content}", " ".repeat(new)));
        if opens_block(content) { 1 + self.block(old, new, rest) } else { 1 }
    }

    /// The new column of an old one; a deeper one is a new level.
    fn level(&mut self, old: usize) -> usize {
        while self.levels.len() > 1 && self.levels.last().is_some_and(|top| top.old > old) {
            self.levels.pop();
        }
        let top = self.levels.last().copied().unwrap_or(Level { old: 0, new: 0 });
        if top.old == old {
            return top.new;
        }
        let new = top.new + 2;
        self.levels.push(Level { old, new });
        new
    }

    /// Takes `- ` off the front; what follows starts a level of its own.
    fn items<'a>(
        &mut self,
        mut old: usize,
        mut new: usize,
        mut body: &'a str,
    ) -> (String, &'a str) {
        let mut dashes = String::new();
        while let Some(inner) = body.strip_prefix("- ") {
            let spaces = inner.len() - inner.trim_start().len();
            old += 2 + spaces;
            new += 2;
            self.levels.push(Level { old, new });
            dashes.push_str("- ");
            body = inner.trim_start();
        }
        (dashes, body)
    }

    /// A comment goes with the line below it.
    fn comment(&mut self, old: usize, body: &str, rest: &[&str]) {
        let below = rest.iter().find(|line| {
            let text = line.trim_start();
            !text.is_empty() && !text.starts_with('#')
        });
        let new = match below {
            Some(line) if indent(line) == old => self.level(old),
            _ => {
                let level = self.levels.iter().rev().find(|level| level.old <= old);
                level.map_or(0, |level| level.new)
            }
        };
        self.out.push(format!("{}{body}", " ".repeat(new)));
    }

    /// The lines of a block scalar move with their key and stay as they are otherwise.
    fn block(&mut self, old: usize, new: usize, rest: &[&str]) -> usize {
        let belongs = |line: &&&str| line.is_empty() || indent(line) > old;
        let mut count = rest.iter().take_while(belongs).count();
        while count > 0 && rest.get(count - 1).is_some_and(|line| line.is_empty()) {
            count -= 1;
        }
        for line in rest.iter().take(count) {
            let column = (indent(line) + new).saturating_sub(old);
            let body = line.trim_start();
            let pad = if body.is_empty() { 0 } else { column };
            self.out.push(format!("{}{body}", " ".repeat(pad)));
        }
        count
    }
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Whether the line ends by opening a block scalar: `comment: |`, `- >-`.
fn opens_block(content: &str) -> bool {
    let value = content.rsplit(' ').next().unwrap_or_default();
    let mut signs = value.chars();
    let opens = matches!(signs.next(), Some('|' | '>'));
    opens && signs.all(|sign| matches!(sign, '+' | '-' | '1'..='9'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indentation_becomes_two_spaces_and_comments_stay() {
        let text = "# head\r\nkind: X  \r\n\r\n\r\nspec:\r\n    # about devices\r\n    devices:\r\n        tag:   a\r\n        os:\r\n        -   windows\r\n        -   name: x # why\r\n            group: y\r\n    lease: 72h\r\n\r\n";
        let laid = "# head\nkind: X\n\nspec:\n  # about devices\n  devices:\n    tag:   a\n    os:\n    - windows\n    - name: x # why\n      group: y\n  lease: 72h\n";
        assert_eq!(lay_out(text), laid);
        assert_eq!(lay_out(laid), laid);
    }

    #[test]
    fn block_scalars_move_with_their_key() {
        let text = "a:\n    b: |\n        one\n          two\n\n        three\n    c: 1\n";
        assert_eq!(lay_out(text), "a:\n  b: |\n      one\n        two\n\n      three\n  c: 1\n");
    }

    #[test]
    fn documents_begin_anew() {
        let text = "a:\n   b: 1\n---\nc:\n     d: 2\n";
        assert_eq!(lay_out(text), "a:\n  b: 1\n---\nc:\n  d: 2\n");
    }

    #[test]
    fn trimming_touches_the_ends_of_lines_only() {
        assert_eq!(trim("a:   \r\n      b: 1\n\n\n\nc: 2"), "a:\n      b: 1\n\nc: 2\n");
    }
}
