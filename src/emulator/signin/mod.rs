//! Sign-in: the token endpoints, the discovery documents, and the check of bearer tokens.
//!
//! Speaks the part of Entra ID that a confidential client needs: the client-credentials grant over
//! both versions of the token endpoint, and the documents an OpenID Connect library reads first. An
//! application gets a token for any resource its tenant knows, with or without roles; whether the
//! token opens anything is for the API to say. Source: Microsoft Learn,
//! `v2-oauth2-client-creds-grant-flow`, `reference-error-codes`.

mod aadsts;
mod check;
mod discovery;
mod jwt;
mod resource;
mod token;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::{Method, Response};
use jiff::Timestamp;

use crate::emulator::Emulator;
use crate::emulator::call::Call;

pub use check::authorize;
pub(crate) use jwt::read_unverified;

/// The resource a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// `https://api.securitycenter.microsoft.com`
    Defender,
    /// `https://graph.microsoft.com`
    Graph,
}

/// Who calls, as the token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Display name of the application.
    pub app_name: String,
    /// Its client id.
    pub app_id: String,
    /// The roles in the token.
    pub roles: Vec<String>,
}

impl Caller {
    /// Whether the token carries the role.
    #[must_use]
    pub fn has(&self, role: &str) -> bool {
        self.roles.iter().any(|held| held == role)
    }
}

/// Which token endpoint was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// `/{tenant}/oauth2/token`, with `resource`.
    V1,
    /// `/{tenant}/oauth2/v2.0/token`, with `scope`.
    V2,
}

/// Answers the token endpoints and the discovery documents; `None` when the path is none of them.
pub fn route(emulator: &mut Emulator, call: &Call<'_>, now: Timestamp) -> Option<Response<Bytes>> {
    let path: Vec<String> = call.path.iter().map(|part| part.to_ascii_lowercase()).collect();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let response = match path.as_slice() {
        [tenant, "oauth2", "v2.0", "token"] => {
            token::answer(emulator, call, tenant, Version::V2, now)
        }
        [tenant, "oauth2", "token"] => token::answer(emulator, call, tenant, Version::V1, now),
        ["common", "discovery", "instance"] if call.method == Method::GET => {
            discovery::instances(call)
        }
        [tenant, "v2.0", ".well-known", "openid-configuration"] if call.method == Method::GET => {
            discovery::openid(emulator, call, tenant, Version::V2, now)
        }
        [tenant, ".well-known", "openid-configuration"] if call.method == Method::GET => {
            discovery::openid(emulator, call, tenant, Version::V1, now)
        }
        [_, "discovery", "v2.0" | "keys", ..] if call.method == Method::GET => discovery::keys(),
        _ => return None,
    };
    Some(response)
}

/// Whether a tenant segment names the emulated tenant: its id or one of its domains.
fn is_tenant(emulator: &Emulator, segment: &str) -> bool {
    let config = &emulator.config;
    segment.eq_ignore_ascii_case(&config.tenant_id)
        || config.domains.iter().any(|domain| domain.eq_ignore_ascii_case(segment))
}
