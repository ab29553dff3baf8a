//! Sign-in: token endpoints and the check of bearer tokens.

use bytes::Bytes;
use http::{HeaderMap, Response};
use jiff::Timestamp;

use crate::emulator::Emulator;
use crate::emulator::call::Call;

/// The resource a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Answers the token endpoints; `None` when the path is none of them.
pub fn route(
    _emulator: &mut Emulator,
    _call: &Call<'_>,
    _now: Timestamp,
) -> Option<Response<Bytes>> {
    None
}

/// Checks the bearer token.
///
/// # Errors
/// The 401 or 403 that answers the call instead.
#[expect(clippy::result_large_err, reason = "the error is the response itself")]
pub fn authorize(
    emulator: &Emulator,
    _headers: &HeaderMap,
    _audience: Audience,
    _now: Timestamp,
) -> Result<Caller, Response<Bytes>> {
    let config = &emulator.config;
    Ok(Caller {
        app_name: config.app_name.clone(),
        app_id: config.client_id.clone(),
        roles: config.roles.clone(),
    })
}
