//! Access tokens: three parts of base64url, signed with a key that follows from the seed.
//!
//! Clients must not look into an access token's signature, but they do read its claims, so these are
//! the documented ones of a version 1.0 app-only token. The emulator accepts only what it has issued.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use ring::hmac;
use serde::{Deserialize, Serialize};

use crate::emulator::config::{App, Config};
use crate::emulator::random::Random;

/// How long before its issue a token already holds: clocks differ.
const BACKDATED: SignedDuration = SignedDuration::from_mins(5);

/// The claims of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The resource.
    pub(crate) aud: String,
    iss: String,
    iat: i64,
    nbf: i64,
    /// The end, in seconds since 1970.
    pub(crate) exp: i64,
    aio: String,
    /// Display name of the application.
    pub(crate) app_displayname: String,
    /// Its client id.
    pub(crate) appid: String,
    appidacr: String,
    idp: String,
    idtyp: String,
    oid: String,
    rh: String,
    /// Its roles; the claim is missing when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) roles: Vec<String>,
    sub: String,
    /// The tenant.
    pub(crate) tid: String,
    uti: String,
    ver: String,
}

impl Claims {
    /// The claims of a new token.
    pub(super) fn new(config: &Config, issue: Issue<'_>, ids: &mut Random) -> Self {
        let Issue { app, aud, roles, credential, now, lifetime } = issue;
        let issuer = format!("https://sts.windows.net/{}/", config.tenant_id);
        let issued = now.as_second() - BACKDATED.as_secs();
        // The service principal's object id belongs to the application, not to the token.
        let name = app
            .client_id
            .bytes()
            .fold(config.seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let principal = Random::new(name, 0x006f_6964).guid().to_string();
        Self {
            aud: aud.to_owned(),
            iss: issuer.clone(),
            iat: issued,
            nbf: issued,
            exp: now.as_second() + lifetime.as_secs() + 1,
            aio: URL_SAFE_NO_PAD.encode(ids.bytes::<24>()),
            app_displayname: app.name.clone(),
            appid: app.client_id.clone(),
            appidacr: credential.to_string(),
            idp: issuer,
            idtyp: "app".to_owned(),
            oid: principal.clone(),
            rh: format!("1.{}.", URL_SAFE_NO_PAD.encode(ids.bytes::<24>())),
            roles,
            sub: principal,
            tid: config.tenant_id.clone(),
            uti: URL_SAFE_NO_PAD.encode(ids.bytes::<16>()),
            ver: "1.0".to_owned(),
        }
    }

    /// The beginning, in seconds since 1970.
    pub(super) const fn not_before(&self) -> i64 {
        self.nbf
    }
}

/// What a new token is about.
pub(super) struct Issue<'a> {
    /// The application.
    pub(super) app: &'a App,
    /// The resource's identifier.
    pub(super) aud: &'a str,
    /// The roles it carries.
    pub(super) roles: Vec<String>,
    /// How the application proved who it is: 1 by a secret, 2 by an assertion.
    pub(super) credential: u8,
    /// The time of issue.
    pub(super) now: Timestamp,
    /// How long it holds.
    pub(super) lifetime: SignedDuration,
}

/// Writes a token.
pub(super) fn mint(config: &Config, claims: &Claims) -> String {
    let header = serde_json::json!({"typ": "JWT", "alg": "HS256", "kid": "emulator"});
    let part = |json: Vec<u8>| URL_SAFE_NO_PAD.encode(json);
    // Values of ours always serialize.
    let payload = serde_json::to_vec(claims).unwrap_or_default();
    let signed = format!("{}.{}", part(header.to_string().into_bytes()), part(payload));
    let signature = hmac::sign(&key(config), signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenFault {
    /// Not three parts of base64url with claims.
    Malformed,
    /// Not issued here, or changed since.
    Signature,
    /// Its time is over.
    Expired,
}

/// Reads a token and checks that it was issued here and still holds.
pub(super) fn verify(config: &Config, token: &str, now: Timestamp) -> Result<Claims, TokenFault> {
    let claims = read_unverified(token).ok_or(TokenFault::Malformed)?;
    let (signed, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenFault::Malformed)?;
    hmac::verify(&key(config), signed.as_bytes(), &signature).map_err(|_| TokenFault::Signature)?;
    if claims.exp <= now.as_second() { Err(TokenFault::Expired) } else { Ok(claims) }
}

/// The claims as they stand there: for the log only.
pub(crate) fn read_unverified(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_, payload, _) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
}

fn key(config: &Config) -> hmac::Key {
    let text = format!("palisade emulator {} {}", config.seed, config.tenant_id);
    hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes())
}
