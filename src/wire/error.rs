//! Why a call did not give what was asked, in one shape for all three services.
//!
//! Made by `answer` and `token` from responses and by `drive::client` from transport failures.
//! Kinds are for deciding, texts are for people: no code may match on `message`, which the service
//! changes as it likes. Texts from outside are cut and freed of control characters here.

use std::fmt;
use std::ops::Deref;

use jiff::SignedDuration;

use crate::wire::api::Operation;
use crate::wire::roles::write_any_of;

/// Longest text of the service that is kept, in characters.
const TEXT_MAX: usize = 400;

/// Why a call failed. One pointer wide; the details are behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError(Box<Details>);

/// What is known about a failed call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details {
    /// What kind of failure: decide on this.
    pub kind: ErrorKind,
    /// What was tried.
    pub operation: Operation,
    /// HTTP status, when an answer came.
    pub status: Option<u16>,
    /// The service's code (`ResourceNotFound`, `AADSTS7000215`); may be empty.
    pub code: String,
    /// The service's text; may be empty.
    pub message: String,
    /// The service's correlation id, to quote to its support.
    pub correlation: Option<String>,
    /// Our `client-request-id`.
    pub request_id: Option<String>,
    /// How long the service asks to wait.
    pub retry_after: Option<SignedDuration>,
    /// How often it was tried.
    pub attempts: u32,
    /// What a person may do about it.
    pub help: Option<String>,
}

/// Kinds of failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The credential could not be read; nothing was sent.
    Credential,
    /// Entra refused to issue a token.
    SignIn,
    /// The token was refused (401), also after a new one.
    Unauthorized,
    /// The application lacks a role; any of these would do.
    RoleMissing(Vec<String>),
    /// Refused for another reason than a role (403).
    Forbidden,
    /// No such thing (404).
    NotFound,
    /// An action of that kind is already active on the machine.
    AlreadyExists,
    /// Refused as it stands (other 4xx).
    Refused,
    /// Too many calls (429).
    Throttled,
    /// The service is not well (5xx, 408).
    Unavailable,
    /// No whole answer arrived.
    Network(Loss),
    /// An answer arrived that is not what was asked for.
    Unreadable,
    /// The address is not a configured one: the token was not sent there.
    ForeignOrigin,
    /// Held back by who asked for it, when it could have left: nothing was sent.
    HeldBack,
}

/// Why no whole answer arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing was sent: safe to send again.
    Unconnected,
    /// No answer in time; the request may have taken effect.
    Late,
    /// The connection broke; the request may have taken effect.
    Broken,
}

impl Loss {
    const fn phrase(self) -> &'static str {
        match self {
            Self::Unconnected => "cannot connect",
            Self::Late => "no answer in time",
            Self::Broken => "the connection broke",
        }
    }
}

impl ApiError {
    /// An error without further details.
    #[must_use]
    pub fn new(operation: Operation, kind: ErrorKind) -> Self {
        Self(Box::new(Details {
            kind,
            operation,
            status: None,
            code: String::new(),
            message: String::new(),
            correlation: None,
            request_id: None,
            retry_after: None,
            attempts: 1,
            help: None,
        }))
    }

    /// The same error with a text.
    #[must_use]
    pub fn with_message(mut self, message: &str) -> Self {
        self.0.message = clean(message);
        self
    }

    /// The details, to be completed.
    #[must_use]
    pub fn details_mut(&mut self) -> &mut Details {
        &mut self.0
    }

    /// Whether trying again later may help: throttling, an unwell service, a broken connection, an
    /// answer cut off.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(
            self.0.kind,
            ErrorKind::Throttled
                | ErrorKind::Unavailable
                | ErrorKind::Network(_)
                | ErrorKind::Unreadable
        )
    }

    /// Whether the request may have taken effect although no good answer came.
    #[must_use]
    pub const fn is_ambiguous(&self) -> bool {
        match &self.0.kind {
            ErrorKind::Network(loss) => !matches!(loss, Loss::Unconnected),
            ErrorKind::Unavailable | ErrorKind::Unreadable => true,
            _ => false,
        }
    }
}

impl Deref for ApiError {
    type Target = Details;
    fn deref(&self) -> &Details {
        &self.0
    }
}

impl std::error::Error for ApiError {}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: ", self.operation)?;
        match &self.kind {
            ErrorKind::Credential => f.write_str("no usable credential")?,
            ErrorKind::SignIn => f.write_str("sign-in was refused")?,
            ErrorKind::Unauthorized => f.write_str("the token was refused")?,
            ErrorKind::RoleMissing(any_of) => {
                f.write_str("the application lacks the role ")?;
                write_any_of(f, any_of)?;
            }
            ErrorKind::Forbidden => f.write_str("the service forbids it")?,
            ErrorKind::NotFound => f.write_str("there is no such thing")?,
            ErrorKind::AlreadyExists => f.write_str("an action of that kind is already active")?,
            ErrorKind::Refused => f.write_str("the request was refused")?,
            ErrorKind::Throttled => f.write_str("too many calls")?,
            ErrorKind::Unavailable => f.write_str("the service is not available")?,
            ErrorKind::Network(loss) => f.write_str(loss.phrase())?,
            ErrorKind::Unreadable => f.write_str("the answer is not what was asked for")?,
            ErrorKind::ForeignOrigin => f.write_str("the address is not a configured one")?,
            ErrorKind::HeldBack => f.write_str("it was held back before it left")?,
        }
        self.write_details(f)
    }
}

impl Details {
    fn write_details(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.message.is_empty() {
            write!(f, ": {}", self.message.trim_end_matches('.'))?;
        }
        let mut notes = Vec::new();
        if let Some(status) = self.status {
            notes.push(format!("HTTP {status}"));
        }
        if !self.code.is_empty() {
            notes.push(self.code.clone());
        }
        if self.attempts > 1 {
            notes.push(format!("tried {} times", self.attempts));
        }
        if let Some(id) = &self.correlation {
            notes.push(format!("correlation {id}"));
        } else if let Some(id) = &self.request_id {
            notes.push(format!("request {id}"));
        }
        if notes.is_empty() { Ok(()) } else { write!(f, " ({})", notes.join(", ")) }
    }
}

/// A text of the service, fit for a terminal: control characters become spaces, runs of white
/// space one, and long texts are cut.
#[must_use]
pub fn clean(text: &str) -> String {
    let mut out = String::new();
    let mut count = 0usize;
    for word in text.split(is_separator).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
            count += 1;
        }
        for c in word.chars() {
            if count == TEXT_MAX {
                out.push('…');
                return out;
            }
            out.push(c);
            count += 1;
        }
    }
    out
}

/// White space, control characters, and the invisible ones that turn the direction of writing.
fn is_separator(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_from_outside_are_harmless_and_short() {
        assert_eq!(clean("a\u{1b}[2Jb\r\n c\u{9b}d  "), "a [2Jb c d");
        assert_eq!(clean(&"ä".repeat(900)).chars().count(), TEXT_MAX + 1);
        assert_eq!(clean("a\u{202e}b"), "a b");
        assert_eq!(clean(""), "");
    }

    #[test]
    fn an_error_says_what_was_tried_and_what_to_quote() {
        let mut error = ApiError::new(
            Operation::ListMachines,
            ErrorKind::RoleMissing(vec!["Machine.Read.All".into(), "Machine.ReadWrite.All".into()]),
        )
        .with_message("Missing application roles.");
        error.details_mut().status = Some(403);
        error.details_mut().code = "Forbidden".into();
        error.details_mut().correlation = Some("c0ffee00".into());
        assert_eq!(
            error.to_string(),
            "cannot list machines: the application lacks the role `Machine.Read.All` or \
             `Machine.ReadWrite.All`: Missing application roles (HTTP 403, Forbidden, correlation \
             c0ffee00)"
        );
    }
}
