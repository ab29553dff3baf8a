//! Source files as text with strings, comments and tests masked, so that the rules read code only.

use std::collections::BTreeMap;
use std::path::Path;

pub(crate) struct SourceFile {
    /// Relative to the package, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    masked: String,
}

pub(crate) fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every file under `src`, without sibling `tests` modules.
pub(crate) fn load() -> Vec<SourceFile> {
    let files = below("src");
    assert!(files.len() > 20, "the walk found almost nothing");
    files
}

/// The same with what is fuzzed and how.
pub(crate) fn load_all() -> Vec<SourceFile> {
    let folders = ["src", "fuzz/src", "fuzz/fuzz_targets"];
    folders.into_iter().flat_map(below).collect()
}

fn below(folder: &str) -> Vec<SourceFile> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    walk(&root.join(folder), &mut |path| {
        let relative = path.strip_prefix(root).unwrap().to_string_lossy().replace('\\', "/");
        if relative.ends_with("tests.rs") || relative.contains("/tests/") {
            return;
        }
        let text = std::fs::read_to_string(path).unwrap();
        let masked = without_tests(&mask(&text));
        files.push(SourceFile { path: relative, text, masked });
    });
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

fn walk(folder: &Path, visit: &mut dyn FnMut(&Path)) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, visit);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            visit(&path);
        }
    }
}

impl SourceFile {
    /// First folder or file below `src`.
    pub(crate) fn module(&self) -> &str {
        let rest = self.path.strip_prefix("src/").unwrap();
        rest.split('/').next().unwrap().trim_end_matches(".rs")
    }

    /// The text with strings, comments and test modules blanked.
    pub(crate) fn code(&self) -> &str {
        &self.masked
    }

    /// `crate::NAME` and the names in `crate::{…}`, with line numbers.
    pub(crate) fn imports(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (at, _) in self.masked.match_indices("crate::") {
            let line = self.masked[..at].lines().count().max(1);
            let rest = &self.masked[at + "crate::".len()..];
            if let Some(group) = rest.strip_prefix('{') {
                let names = top_level(group);
                found.extend(names.into_iter().map(|name| (line, name)));
            } else {
                found.push((line, word(rest)));
            }
        }
        found
    }

    /// Name and length in lines of each function with a body.
    pub(crate) fn functions(&self) -> Vec<(String, usize)> {
        let mut found = Vec::new();
        for (at, _) in self.masked.match_indices("fn ") {
            let before = self.masked[..at].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                continue;
            }
            let rest = &self.masked[at + 3..];
            let name = word(rest);
            if name.is_empty() {
                continue;
            }
            let Some(open) = rest.find(['{', ';']) else { continue };
            if rest.as_bytes()[open] == b';' {
                continue;
            }
            if let Some(close) = matching_brace(&rest[open..]) {
                found.push((name, rest[..open + close].lines().count()));
            }
        }
        found
    }
}

fn word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

fn top_level(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut start) = (0, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => start = true,
            c if depth == 0 && start && (c.is_alphabetic() || c == '_') => {
                names.push(word(&group[at..]));
                start = false;
            }
            _ => {}
        }
    }
    names
}

fn matching_brace(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Whether `path` stands in the line as a path of its own, not as the tail of a longer word.
pub(crate) fn has_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + path.len()..].chars().next();
        let starts = !before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':');
        let ends = path.ends_with("Tcp") || after.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        starts && ends && (path.contains("::") || line[at + path.len()..].starts_with("::"))
    })
}

/// Blanks `#[cfg(test)]` items that follow with a body.
fn without_tests(masked: &str) -> String {
    let mut text = masked.to_owned();
    while let Some(at) = text.find("#[cfg(test)]") {
        let rest = &text[at..];
        let end = match rest.find(['{', ';']) {
            Some(open) if rest.as_bytes()[open] == b'{' => {
                open + matching_brace(&rest[open..]).unwrap_or(0) + 1
            }
            Some(semicolon) => semicolon + 1,
            None => rest.len(),
        };
        text.replace_range(at..at + end, "");
    }
    text
}

/// Replaces the inside of strings, characters and comments by spaces; lines stay.
fn mask(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let blank = |out: &mut String, c: char| out.push(if c == '\n' { '\n' } else { ' ' });
    while at < chars.len() {
        let rest = &chars[at..];
        let end = match rest {
            ['/', '/', ..] => rest.iter().position(|c| *c == '\n').unwrap_or(rest.len()),
            ['/', '*', ..] => block_comment(rest),
            ['r', '"' | '#', ..] if !previous_is_word(&chars, at) => raw_string(rest).unwrap_or(0),
            ['"', ..] => quoted(rest),
            ['\'', '\\', ..] => {
                2 + rest[2..].iter().skip(1).position(|c| *c == '\'').map_or(0, |p| p + 2)
            }
            ['\'', _, '\'', ..] => 3,
            _ => 0,
        };
        if end == 0 {
            out.push(chars[at]);
            at += 1;
        } else {
            rest[..end.min(rest.len())].iter().for_each(|c| blank(&mut out, *c));
            at += end;
        }
    }
    out
}

fn previous_is_word(chars: &[char], at: usize) -> bool {
    at > 0 && (chars[at - 1].is_alphanumeric() || chars[at - 1] == '_') && chars[at - 1] != 'b'
}

fn block_comment(rest: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at + 1 < rest.len() {
        match (rest[at], rest[at + 1]) {
            ('/', '*') => {
                depth += 1;
                at += 2;
            }
            ('*', '/') => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

fn raw_string(rest: &[char]) -> Option<usize> {
    let hashes = rest[1..].iter().take_while(|c| **c == '#').count();
    if rest.get(1 + hashes) != Some(&'"') {
        return None;
    }
    let mut at = 2 + hashes;
    while at < rest.len() {
        if rest[at] == '"'
            && rest[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
        {
            return Some(at + 1 + hashes);
        }
        at += 1;
    }
    Some(rest.len())
}

fn quoted(rest: &[char]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// Exceptions that may only shrink: `path 512` or `path::function 88`, one a line.
pub(crate) fn ratchet() -> BTreeMap<String, usize> {
    include_str!("ratchet.txt")
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let (what, length) = line.rsplit_once(' ').expect("`what length`");
            (what.to_owned(), length.parse().expect("a number"))
        })
        .collect()
}

#[test]
fn masking_leaves_code_and_blanks_the_rest() {
    let text = "let a = \"{ crate::x\"; // crate::y\nlet b = '{'; let c = r#\"}\"#; crate::z";
    let masked = mask(text);
    assert_eq!(masked.lines().count(), 2);
    assert!(
        !masked.contains("crate::x") && !masked.contains("crate::y") && masked.contains("crate::z")
    );
    assert!(!masked.contains('{') && !masked.contains('}'));
}
