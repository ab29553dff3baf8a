//! The check of bearer tokens, with each API's own way to say no.
//!
//! The Defender API answers a token for another resource with 403, Graph with 401. Source: Microsoft
//! Learn, `common-errors` and `device-health-export-antivirus-health-report-api`.

use bytes::Bytes;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use jiff::Timestamp;

use crate::emulator::Emulator;
use crate::emulator::error::ApiError;
use crate::emulator::graph::error::GraphError;
use crate::emulator::random::{Guid, Random, mix};
use crate::emulator::signin::jwt::{self, TokenFault};
use crate::emulator::signin::resource::Resource;
use crate::emulator::signin::{Audience, Caller};

/// Why a call is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Missing,
    Token(TokenFault),
    Audience,
}

/// Checks the bearer token.
///
/// # Errors
/// The 401 or 403 that answers the call instead.
#[expect(clippy::result_large_err, reason = "the error is the response itself")]
pub fn authorize(
    emulator: &Emulator,
    headers: &HeaderMap,
    audience: Audience,
    now: Timestamp,
) -> Result<Caller, Response<Bytes>> {
    check(emulator, headers, audience, now).map_err(|fault| {
        let id = request_id(headers, now);
        let mut response = match audience {
            Audience::Defender => defender(fault, id),
            Audience::Graph => graph(fault, id, headers, now),
        };
        if response.status() == StatusCode::UNAUTHORIZED {
            let challenge = challenge(&emulator.config.tenant_id, fault);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    })
}

fn check(
    emulator: &Emulator,
    headers: &HeaderMap,
    audience: Audience,
    now: Timestamp,
) -> Result<Caller, Fault> {
    let header = headers.get(AUTHORIZATION).ok_or(Fault::Missing)?;
    let malformed = Fault::Token(TokenFault::Malformed);
    let header = header.to_str().map_err(|_| malformed)?;
    let (scheme, token) = header.split_once(' ').ok_or(malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
        return Err(Fault::Missing);
    }
    let claims = jwt::verify(&emulator.config, token.trim(), now).map_err(Fault::Token)?;
    if claims.tid != emulator.config.tenant_id {
        return Err(Fault::Token(TokenFault::Signature));
    }
    if Resource::named(&claims.aud) != Some(Resource::Ours(audience)) {
        return Err(Fault::Audience);
    }
    Ok(Caller { app_name: claims.app_displayname, app_id: claims.appid, roles: claims.roles })
}

fn defender(fault: Fault, id: Guid) -> Response<Bytes> {
    let unauthorized = |text| ApiError::new(StatusCode::UNAUTHORIZED, "Unauthorized", text);
    let error = match fault {
        Fault::Missing => unauthorized("The request has no authorization token."),
        Fault::Token(TokenFault::Malformed | TokenFault::Signature) => {
            unauthorized("The authorization token is invalid.")
        }
        Fault::Token(TokenFault::Expired) => unauthorized("The authorization token has expired."),
        Fault::Audience => ApiError::new(
            StatusCode::FORBIDDEN,
            "Forbidden",
            "The audience of the token is not accepted by this API.",
        ),
    };
    error.into_response(id)
}

fn graph(fault: Fault, id: Guid, headers: &HeaderMap, now: Timestamp) -> Response<Bytes> {
    let text = match fault {
        Fault::Missing => "Access token is empty.",
        Fault::Token(TokenFault::Malformed) => {
            "CompactToken parsing failed with error code: 80049217"
        }
        Fault::Token(TokenFault::Signature) => {
            "Access token validation failure. Invalid signature."
        }
        Fault::Token(TokenFault::Expired) => "Lifetime validation failed, the token is expired.",
        Fault::Audience => "Access token validation failure. Invalid audience.",
    };
    GraphError::new(StatusCode::UNAUTHORIZED, "InvalidAuthenticationToken", text)
        .into_response(id, headers, now)
}

fn challenge(tenant: &str, fault: Fault) -> HeaderValue {
    let authority = format!("https://login.microsoftonline.com/{tenant}/oauth2/authorize");
    let mut text = format!("Bearer realm=\"\", authorization_uri=\"{authority}\"");
    let why = match fault {
        Fault::Missing | Fault::Audience => None,
        Fault::Token(TokenFault::Expired) => Some("The token has expired"),
        Fault::Token(_) => Some("The token is invalid"),
    };
    if let Some(why) = why {
        text.push_str(&format!(", error=\"invalid_token\", error_description=\"{why}\""));
    }
    HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static("Bearer"))
}

/// An id for the answer that follows from the call alone: refusals leave the tenant untouched.
fn request_id(headers: &HeaderMap, now: Timestamp) -> Guid {
    let token = headers.get(AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    let sum = token.iter().fold(0, |sum: u64, byte| mix(sum ^ u64::from(*byte)));
    Random::new(sum, now.as_microsecond().cast_unsigned()).guid()
}
