//! Text of a filter into tokens.

use jiff::Timestamp;

use super::Error;
use crate::emulator::dates;
use crate::emulator::random::Guid;

/// A token with the position of its first character.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Open,
    Close,
    Comma,
    Colon,
    Slash,
    /// Quoted text, unescaped.
    Text(String),
    /// A name or a keyword.
    Word(String),
    Number(f64),
    Time(Timestamp),
    Guid(String),
}

/// Longest filter that is read at all.
const LONGEST: usize = 64 * 1024;

pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Error> {
    if text.len() > LONGEST {
        return Err(Error("The filter is too long.".to_owned()));
    }
    let mut out = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let at = text.len() - rest.len();
        let Some(first) = rest.chars().next() else { return Ok(out) };
        let (token, length) = match first {
            '(' => (Token::Open, 1),
            ')' => (Token::Close, 1),
            ',' => (Token::Comma, 1),
            ':' => (Token::Colon, 1),
            '/' => (Token::Slash, 1),
            '\'' => quoted(rest, at, text)?,
            _ => match guid(rest) {
                Some(found) => found,
                None if first.is_ascii_digit() || first == '-' => literal(rest, at, text)?,
                None if first.is_alphabetic() || first == '_' || first == '@' => word(rest),
                None => {
                    return Err(Error(format!(
                        "Syntax error: character '{first}' is not valid at position {at} in '{text}'."
                    )));
                }
            },
        };
        out.push((at, token));
        rest = rest.get(length..).unwrap_or_default();
    }
}

fn quoted(rest: &str, at: usize, whole: &str) -> Result<(Token, usize), Error> {
    let mut text = String::new();
    let mut chars = rest.char_indices().skip(1).peekable();
    while let Some((index, c)) = chars.next() {
        if c != '\'' {
            text.push(c);
        } else if matches!(chars.peek(), Some((_, '\''))) {
            text.push('\'');
            chars.next();
        } else {
            return Ok((Token::Text(text), index + 1));
        }
    }
    Err(Error(format!("There is an unterminated string literal at position {at} in '{whole}'.")))
}

fn guid(rest: &str) -> Option<(Token, usize)> {
    let head = rest.get(..36)?;
    Guid::parse(head).map(|guid| (Token::Guid(guid.to_string()), 36))
}

fn word(rest: &str) -> (Token, usize) {
    let inside = |c: char| c.is_alphanumeric() || c == '_' || c == '.' || c == '@';
    let length = rest.find(|c| !inside(c)).unwrap_or(rest.len());
    (Token::Word(rest.get(..length).unwrap_or_default().to_owned()), length)
}

fn literal(rest: &str, at: usize, whole: &str) -> Result<(Token, usize), Error> {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '+');
    let length = rest.find(|c| !inside(c)).unwrap_or(rest.len());
    let text = rest.get(..length).unwrap_or_default();
    // A number may carry a type suffix: `5L`, `1.5d`.
    let number = text.trim_end_matches(['L', 'l', 'd', 'D', 'f', 'F', 'm', 'M']);
    if let Ok(number) = number.parse::<f64>() {
        return Ok((Token::Number(number), length));
    }
    match dates::read(text) {
        Some(at) => Ok((Token::Time(at), length)),
        None => Err(Error(format!("Unrecognized literal '{text}' at position {at} in '{whole}'."))),
    }
}
