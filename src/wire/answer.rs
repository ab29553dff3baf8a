//! Responses: which are good, and what the others mean.
//!
//! Decides on the HTTP status and the error's code, never on its text. Bodies come in several
//! shapes: the Defender API's own, its OData layer's (empty code, no target), Graph's (empty code
//! or text, `innerError` or `innererror`, nested), a gateway's HTML, or nothing at all.
//! Called by `drive::client` for each response. Source: Microsoft Learn, `common-errors`; Graph
//! `errors`.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use jiff::Timestamp;
use serde::Deserialize;

use crate::wire::api::Operation;
use crate::wire::error::{ApiError, ErrorKind, clean};
use crate::wire::{retry, roles};

/// A response worth reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Good {
    /// The body as it came.
    pub body: Bytes,
    /// Set when the service says that it gave only a part (206, `Warning`).
    pub partial: Option<String>,
}

/// What the caller knows when a response comes in.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// What was asked.
    pub operation: Operation,
    /// The roles in the token, when it could be decoded.
    pub roles: Option<&'a [String]>,
    /// The present.
    pub now: Timestamp,
}

/// Takes a response apart.
///
/// # Errors
/// Whatever is not a success.
pub fn classify(response: Response<Bytes>, context: &Context<'_>) -> Result<Good, ApiError> {
    let (parts, body) = response.into_parts();
    if parts.status.is_success() {
        let partial = partial(parts.status, &parts.headers);
        return Ok(Good { body, partial });
    }
    let said = Said::read(&parts.headers, &body);
    let kind = kind(parts.status, &said, context);
    let mut error = ApiError::new(context.operation, kind).with_message(&said.message);
    let details = error.details_mut();
    details.status = Some(parts.status.as_u16());
    details.code = clean(&said.code);
    details.correlation = said.correlation.map(|id| clean(&id));
    details.retry_after = retry::retry_after(&parts.headers, context.now);
    if parts.status.is_redirection() {
        details.help = Some("redirects are not followed; check the endpoint's address".to_owned());
    }
    Err(error)
}

fn partial(status: StatusCode, headers: &HeaderMap) -> Option<String> {
    let warnings: Vec<String> = headers
        .get_all(header::WARNING)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .filter(|text| text.trim_start().starts_with("199"))
        .map(clean)
        .collect();
    if status != StatusCode::PARTIAL_CONTENT && warnings.is_empty() {
        return None;
    }
    Some(if warnings.is_empty() { "partial content".to_owned() } else { warnings.join("; ") })
}

fn kind(status: StatusCode, said: &Said, context: &Context<'_>) -> ErrorKind {
    let is = |code: &str| said.code.eq_ignore_ascii_case(code);
    match status.as_u16() {
        400 | 409 if is("ActiveRequestAlreadyExists") => ErrorKind::AlreadyExists,
        401 => ErrorKind::Unauthorized,
        403 if is("DisabledFeature") || is("DisallowedOperation") => ErrorKind::Forbidden,
        403 => forbidden(said, context),
        404 => ErrorKind::NotFound,
        429 => ErrorKind::Throttled,
        408 | 500 | 502..=504 | 506..=599 => ErrorKind::Unavailable,
        _ => ErrorKind::Refused,
    }
}

/// A 403 is about a role unless the token is known to have one that suffices.
fn forbidden(said: &Said, context: &Context<'_>) -> ErrorKind {
    let needed = roles::any_of(context.operation);
    let named = named_roles(&said.message);
    let has = |name: &str| {
        context.roles.is_some_and(|roles| roles.iter().any(|role| role.eq_ignore_ascii_case(name)))
    };
    if !named.is_empty() && !named.iter().any(|name| has(name)) {
        return ErrorKind::RoleMissing(named);
    }
    let lacks = match context.roles {
        Some(_) => !needed.iter().any(|name| has(name)),
        None => said.code.eq_ignore_ascii_case("Forbidden"),
    };
    if lacks && !needed.is_empty() {
        ErrorKind::RoleMissing(needed.iter().map(|name| (*name).to_owned()).collect())
    } else {
        ErrorKind::Forbidden
    }
}

/// The roles that a message names in either of its two known forms. Only to tell people more than
/// our own table knows; nothing is decided on it but which names are shown.
fn named_roles(message: &str) -> Vec<String> {
    let after = |start: &str, end: &str| {
        let (_, rest) = message.split_once(start)?;
        rest.split_once(end).map(|(names, _)| names)
    };
    let names = after("application permissions (", ")")
        .or_else(|| after("API required roles:", ", application roles:"))
        .unwrap_or("");
    names
        .split(',')
        .map(str::trim)
        .filter(|name| name.contains('.') && name.len() <= 80)
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'.'))
        .map(str::to_owned)
        .collect()
}

/// What an error body says, whatever its shape.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    code: String,
    message: String,
    correlation: Option<String>,
}

#[derive(Deserialize)]
struct Body {
    error: Inner,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Inner {
    code: Option<String>,
    message: Option<String>,
    target: Option<String>,
    #[serde(rename = "innerError")]
    inner_camel: Option<Deeper>,
    #[serde(rename = "innererror")]
    inner_lower: Option<Deeper>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Deeper {
    #[serde(rename = "request-id")]
    request_id: Option<String>,
}

/// Entra and some gateways put the code where the object should be.
#[derive(Deserialize)]
struct Flat {
    error: String,
    error_description: Option<String>,
}

impl Said {
    fn read(headers: &HeaderMap, body: &Bytes) -> Self {
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let mut said = if let Ok(Body { error }) = serde_json::from_slice(body) {
            let deeper = error.inner_camel.or(error.inner_lower).and_then(|inner| inner.request_id);
            Self {
                code: error.code.unwrap_or_default(),
                message: error.message.unwrap_or_default(),
                correlation: error.target.filter(|id| !id.is_empty()).or(deeper),
            }
        } else if let Ok(Flat { error, error_description }) = serde_json::from_slice(body) {
            let message = error_description.unwrap_or_default();
            Self { code: error, message, correlation: None }
        } else {
            Self { message: plain(body), ..Self::default() }
        };
        if said.correlation.is_none() {
            said.correlation = header("request-id").or_else(|| header("x-ms-request-id"));
        }
        said
    }
}

/// What a body that is not JSON says: the title of a page, or its beginning.
fn plain(body: &[u8]) -> String {
    let head = body.get(..body.len().min(4_096)).unwrap_or_default();
    let text = String::from_utf8_lossy(head);
    if !text.trim_start().starts_with('<') {
        return text.chars().take(200).collect();
    }
    let lower = text.to_ascii_lowercase();
    let title = lower.find("<title>").map(|at| at + "<title>".len());
    let end = lower.find("</title>");
    title.zip(end).and_then(|(from, to)| text.get(from..to)).unwrap_or("").to_owned()
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
