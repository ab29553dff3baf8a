//! A line as words: separated by blanks, quoted where they hold some, `#` begins a comment.

use jiff::SignedDuration;

use crate::model::Span;

/// The words of a line, taken from the front.
#[derive(Clone, Debug)]
pub(super) struct Words {
    words: std::collections::VecDeque<String>,
}

impl Words {
    /// Splits a line.
    pub(super) fn read(line: &str) -> Result<Self, String> {
        let mut words = std::collections::VecDeque::new();
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            if first == '#' {
                break;
            }
            if first == '"' {
                let (word, after) = quoted(rest.get(1..).unwrap_or_default())?;
                words.push_back(word);
                rest = after;
            } else {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                words.push_back(word.to_owned());
                rest = after;
            }
            rest = rest.trim_start();
        }
        Ok(Self { words })
    }

    /// Whether there are no more.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The next word, left where it is.
    pub(super) fn peek(&self) -> Option<&str> {
        self.words.front().map(String::as_str)
    }

    /// The next word, if there is one.
    pub(super) fn next(&mut self) -> Option<String> {
        self.words.pop_front()
    }

    /// The next word; `what` says what is missing.
    pub(super) fn need(&mut self, what: &str) -> Result<String, String> {
        self.next().ok_or_else(|| format!("{what} is missing"))
    }

    /// Takes the next word if it is that one.
    pub(super) fn take(&mut self, word: &str) -> bool {
        self.words.pop_front_if(|next| next == word).is_some()
    }

    /// A whole number.
    pub(super) fn number(&mut self, what: &str) -> Result<u64, String> {
        let word = self.need(what)?;
        word.parse().map_err(|_| format!("`{word}` is not a number"))
    }

    /// A length of time.
    pub(super) fn span(&mut self, what: &str) -> Result<SignedDuration, String> {
        span(&self.need(what)?)
    }

    /// Nothing may be left.
    pub(super) fn end(mut self) -> Result<(), String> {
        match self.next() {
            None => Ok(()),
            Some(word) => Err(format!("`{word}` is too much")),
        }
    }
}

/// `10m`, `72h`, `1h30m`; `300ms` too, and a minus sign in front.
pub(super) fn span(text: &str) -> Result<SignedDuration, String> {
    let (sign, bare) = match text.strip_prefix('-') {
        Some(bare) => (-1, bare),
        None => (1, text),
    };
    let millis = bare.strip_suffix("ms").and_then(|number| number.parse::<u32>().ok());
    let span = match millis {
        Some(millis) => SignedDuration::from_millis(i64::from(millis)),
        None => Span::parse(bare).map_err(|error| error.to_string())?.to_signed(),
    };
    Ok(span * sign)
}

/// A quoted word and what follows; `\"`, `\\` and `\n` are escapes.
fn quoted(text: &str) -> Result<(String, &str), String> {
    let mut word = String::new();
    let mut chars = text.char_indices();
    while let Some((index, c)) = chars.next() {
        match c {
            '"' => return Ok((word, text.get(index + 1..).unwrap_or_default())),
            '\\' => match chars.next() {
                Some((_, 'n')) => word.push('\n'),
                Some((_, c @ ('"' | '\\'))) => word.push(c),
                _ => return Err("only `\\\"`, `\\\\` and `\\n` are escapes".to_owned()),
            },
            c => word.push(c),
        }
    }
    Err("a quotation mark is missing at the end".to_owned())
}
