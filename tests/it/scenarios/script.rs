//! A script's text as commands: words, `name=value` pairs and blocks, each with its line.

use std::collections::VecDeque;

/// One line of a script, or several when a block follows.
#[derive(Clone, Debug)]
pub(super) struct Line {
    /// Counted from 1.
    pub(super) number: usize,
    /// As it was written, its block included.
    pub(super) text: String,
    /// The command; none on a comment or an empty line.
    pub(super) words: Words,
}

/// The words of a command, taken from the front.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    words: VecDeque<String>,
    /// The lines between `<<END` and `END`.
    pub(super) block: Option<String>,
}

/// Reads a script.
///
/// # Errors
/// The first wrong line with its number.
pub(super) fn read(text: &str) -> Result<Vec<Line>, String> {
    let mut lines = text.lines().enumerate();
    let mut read = Vec::new();
    while let Some((index, first)) = lines.next() {
        let number = index + 1;
        let wrong = |why: String| format!("line {number}: {why}");
        let mut words = split(first).map_err(wrong)?;
        let mut text = first.to_owned();
        let mut block = None;
        if let Some(end) = words.back().and_then(|word| word.strip_prefix("<<")).map(str::to_owned)
        {
            words.pop_back();
            let mut body = String::new();
            loop {
                let (_, line) = lines.next().ok_or_else(|| wrong(format!("`{end}` is missing")))?;
                text.push('\n');
                text.push_str(line);
                if line == end {
                    break;
                }
                body.push_str(line);
                body.push('\n');
            }
            block = Some(body);
        }
        read.push(Line { number, text, words: Words { words, block } });
    }
    Ok(read)
}

/// Words are separated by blanks; `"` quotes, also within a word; `#` begins a comment. Between
/// quotation marks `\"`, `\\`, `\n` and `\u{…}` are escapes.
fn split(line: &str) -> Result<VecDeque<String>, String> {
    let mut words = VecDeque::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                quoted = !quoted;
                word.get_or_insert_default();
            }
            '\\' if quoted => word.get_or_insert_default().push(escaped(&mut chars)?),
            '#' if !quoted && word.is_none() => break,
            c if c.is_whitespace() && !quoted => words.extend(word.take()),
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    if quoted { Err("a quotation mark is missing".to_owned()) } else { Ok(words) }
}

fn escaped(chars: &mut std::str::Chars<'_>) -> Result<char, String> {
    match chars.next() {
        Some('n') => Ok('\n'),
        Some(c @ ('"' | '\\')) => Ok(c),
        Some('u') => {
            let digits: String = chars.take_while(|c| *c != '}').skip(1).collect();
            let number = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
            number.ok_or_else(|| format!("`\\u{{{digits}}}` is not a character"))
        }
        _ => Err("only `\\\"`, `\\\\`, `\\n` and `\\u{…}` are escapes".to_owned()),
    }
}

impl Words {
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub(super) fn peek(&self) -> Option<&str> {
        self.words.front().map(String::as_str)
    }

    pub(super) fn next(&mut self) -> Option<String> {
        self.words.pop_front()
    }

    /// The next word; `what` says what is missing.
    pub(super) fn need(&mut self, what: &str) -> Result<String, String> {
        self.next().ok_or_else(|| format!("{what} is missing"))
    }

    pub(super) fn number<T: std::str::FromStr>(&mut self, what: &str) -> Result<T, String> {
        let word = self.need(what)?;
        word.parse().map_err(|_| format!("`{word}` is not {what}"))
    }

    /// Takes the next word if it is that one.
    pub(super) fn take(&mut self, word: &str) -> bool {
        self.words.pop_front_if(|next| next == word).is_some()
    }

    /// The value of the last word when it is `name=value`, wherever it stands.
    pub(super) fn pairs(&mut self) -> Result<Vec<(String, String)>, String> {
        self.words
            .drain(..)
            .map(|word| match word.split_once('=') {
                Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
                None => Ok((word, String::new())),
            })
            .collect()
    }

    pub(super) fn block(&mut self) -> Result<String, String> {
        self.block.take().ok_or_else(|| "a block `<<END` … `END` is missing".to_owned())
    }

    /// Nothing may be left.
    pub(super) fn end(&self) -> Result<(), String> {
        match (self.words.front(), &self.block) {
            (Some(word), _) => Err(format!("`{word}` is too much")),
            (None, Some(_)) => Err("a block is too much".to_owned()),
            (None, None) => Ok(()),
        }
    }
}
