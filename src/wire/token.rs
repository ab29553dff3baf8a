//! Tokens: the request for one, the answer, and what stands in it.
//!
//! Client credentials against Entra's v2 endpoint, with a secret or a federated assertion. The
//! payload of a token is decoded and not validated: it is ours to show and to compare, the service
//! decides. Called by `drive::client`. Source: Microsoft Learn, v2 client credentials flow.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{Request, header};
use jiff::SignedDuration;
use serde::{Deserialize, Deserializer};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use crate::wire::api::{Api, Operation};
use crate::wire::error::{ApiError, ErrorKind, clean};
use crate::wire::{hints, odata};

/// What proves who we are.
#[derive(Clone, Copy)]
pub enum Proof<'a> {
    /// The application's secret.
    Secret(&'a str),
    /// A token of a federated issuer, verbatim.
    Assertion(&'a str),
}

impl std::fmt::Debug for Proof<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Secret(_) => "Secret(***)",
            Self::Assertion(_) => "Assertion(***)",
        })
    }
}

/// The request for a token, or `None` when the authority is no address to build on.
#[must_use]
pub fn request(
    authority: &Url,
    tenant_id: &str,
    client_id: &str,
    scope: &str,
    proof: Proof<'_>,
) -> Option<Request<Bytes>> {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    form.append_pair("client_id", client_id);
    form.append_pair("scope", scope);
    match proof {
        Proof::Secret(secret) => form.append_pair("client_secret", secret),
        Proof::Assertion(token) => form
            .append_pair(
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            )
            .append_pair("client_assertion", token),
    };
    let root = authority.as_str().trim_end_matches('/');
    let address = format!("{root}/{}/oauth2/v2.0/token", odata::segment(tenant_id));
    Request::post(address)
        .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
        .header(header::ACCEPT, "application/json")
        .body(Bytes::from(form.finish()))
        .ok()
}

/// A token as it was issued.
pub struct Issued {
    /// The bearer token; wiped when dropped.
    pub token: Zeroizing<String>,
    /// How long it lasts from now on.
    pub lasts: SignedDuration,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issued(***, {:?})", self.lasts)
    }
}

#[derive(Deserialize)]
struct Success {
    access_token: String,
    #[serde(deserialize_with = "number")]
    expires_in: i64,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Failure {
    error: String,
    error_description: String,
    error_codes: Vec<u32>,
    correlation_id: Option<String>,
}

/// Seconds as a number, or as digits in a string.
fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(i64),
        Text(String),
    }
    match Either::deserialize(deserializer)? {
        Either::Number(number) => Ok(number),
        Either::Text(text) => text.trim().parse().map_err(serde::de::Error::custom),
    }
}

/// Reads the answer of the token endpoint. `failure` is what `answer::classify` says of it when it
/// is not a success: it carries status, wait and kind for everything that is not Entra's own.
///
/// # Errors
/// Entra's refusal with its number as code and a hint, or the answer's own error.
pub fn read(api: Api, body: &Bytes, failure: Option<ApiError>) -> Result<Issued, ApiError> {
    let operation = Operation::SignIn(api);
    let Some(mut error) = failure else {
        let success: Success = serde_json::from_slice(body).map_err(|_| {
            ApiError::new(operation, ErrorKind::Unreadable)
                .with_message("the token endpoint gave no token")
        })?;
        let lasts = SignedDuration::from_secs(success.expires_in.clamp(0, 86_400 * 2));
        return Ok(Issued { token: Zeroizing::new(success.access_token), lasts });
    };
    if let Ok(refusal) = serde_json::from_slice::<Failure>(body)
        && !refusal.error.is_empty()
    {
        describe(&mut error, &refusal);
    }
    Err(error)
}

fn describe(error: &mut ApiError, refusal: &Failure) {
    let number = refusal.error_codes.first().copied();
    let details = error.details_mut();
    if details.kind != ErrorKind::Throttled {
        let again = refusal.error_codes.iter().any(|number| hints::is_transient(*number))
            || refusal.error == "temporarily_unavailable";
        details.kind = if again { ErrorKind::Unavailable } else { ErrorKind::SignIn };
    }
    details.code = number.map_or_else(|| clean(&refusal.error), |number| format!("AADSTS{number}"));
    // The description repeats number, trace and time in its later lines.
    let first = refusal.error_description.lines().next().unwrap_or("");
    let first = first.split(" Trace ID:").next().unwrap_or(first);
    details.message = clean(first);
    details.correlation = refusal.correlation_id.as_deref().map(clean);
    details.help =
        refusal.error_codes.iter().find_map(|number| hints::hint(*number)).map(str::to_owned);
}

/// What stands in a token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Claims {
    /// Audience.
    #[serde(deserialize_with = "one_text")]
    pub aud: String,
    /// Tenant.
    pub tid: String,
    /// Application, in tokens of version 1.
    pub appid: String,
    /// Application, in tokens of version 2.
    pub azp: String,
    /// Name of the application: how it signs its machine actions.
    pub app_displayname: String,
    /// Application roles; empty when none were granted.
    pub roles: Vec<String>,
}

/// The audience is a text, or by the letter of the specification a list.
fn one_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        One(String),
        Many(Vec<String>),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::One(text) => text,
        Either::Many(texts) => texts.into_iter().next().unwrap_or_default(),
    })
}

/// Decodes the payload of a token without validating anything; `None` when it is no JWT.
#[must_use]
pub fn claims(token: &str) -> Option<Claims> {
    let payload = token.split('.').nth(1)?;
    let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&payload).ok()
}

/// Whether a token for `audience` fits requests for `scope`. A wrong audience is answered with a
/// 403 that looks like a missing role.
#[must_use]
pub fn audience_fits(audience: &str, scope: &str) -> bool {
    /// The applications behind the APIs: a token may name its audience by id.
    const BY_ID: &[(&str, &str)] = &[
        ("fc780465-2017-40d4-a0c5-307022471b92", "securitycenter"),
        ("00000003-0000-0000-c000-000000000000", "graph"),
    ];
    let resource = scope.trim_end_matches(".default").trim_end_matches('/');
    audience.trim_end_matches('/').eq_ignore_ascii_case(resource)
        || BY_ID.iter().any(|(id, part)| audience == *id && resource.contains(part))
}

#[cfg(test)]
#[path = "token_tests.rs"]
mod tests;
