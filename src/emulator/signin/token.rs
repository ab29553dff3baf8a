//! The token endpoint: form in, token or AADSTS error out.
//!
//! Only the client-credentials grant. A secret is taken from the form or from HTTP Basic; an
//! assertion is checked for what can be seen without the client's key: shape, subject, time.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::emulator::Emulator;
use crate::emulator::call::Call;
use crate::emulator::config::App;
use crate::emulator::signin::aadsts::{self, Refusal};
use crate::emulator::signin::jwt::{self, Claims, Issue};
use crate::emulator::signin::resource::{self, Resource, ScopeFault};
use crate::emulator::signin::{Version, is_tenant};

/// The only assertion type there is.
const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Answers a token request.
pub(super) fn answer(
    emulator: &mut Emulator,
    call: &Call<'_>,
    tenant: &str,
    version: Version,
    now: Timestamp,
) -> Response<Bytes> {
    let trace = emulator.ids.guid();
    if call.method != Method::POST {
        let text =
            format!("The endpoint only accepts POST requests. Received a {} request.", call.method);
        let refusal = Refusal::new("invalid_request", 900_561, text);
        let mut response = refusal.into_response(call, trace, now);
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        return response;
    }
    match grant(emulator, call, tenant, version, now) {
        Ok(granted) => match version {
            Version::V1 => aadsts::json(StatusCode::OK, &granted.v1(), call, trace),
            Version::V2 => aadsts::json(StatusCode::OK, &granted.v2(), call, trace),
        },
        Err(refusal) => refusal.into_response(call, trace, now),
    }
}

/// A token with its times.
struct Granted {
    token: String,
    resource: &'static str,
    lifetime: i64,
    expires: i64,
    not_before: i64,
}

#[derive(Serialize)]
struct BodyV2 {
    token_type: &'static str,
    expires_in: i64,
    ext_expires_in: i64,
    access_token: String,
}

/// The older endpoint writes numbers as strings.
#[derive(Serialize)]
struct BodyV1 {
    token_type: &'static str,
    expires_in: String,
    ext_expires_in: String,
    expires_on: String,
    not_before: String,
    resource: &'static str,
    access_token: String,
}

impl Granted {
    fn v2(self) -> BodyV2 {
        BodyV2 {
            token_type: "Bearer",
            expires_in: self.lifetime,
            ext_expires_in: self.lifetime,
            access_token: self.token,
        }
    }

    fn v1(self) -> BodyV1 {
        BodyV1 {
            token_type: "Bearer",
            expires_in: self.lifetime.to_string(),
            ext_expires_in: self.lifetime.to_string(),
            expires_on: self.expires.to_string(),
            not_before: self.not_before.to_string(),
            resource: self.resource,
            access_token: self.token,
        }
    }
}

fn grant(
    emulator: &mut Emulator,
    call: &Call<'_>,
    tenant: &str,
    version: Version,
    now: Timestamp,
) -> Result<Granted, Refusal> {
    if matches!(tenant, "common" | "consumers" | "organizations") {
        let text = "The grant type is not supported over the /common or /consumers endpoints. Please use a tenant-specific endpoint.";
        return Err(Refusal::new("invalid_request", 9_001_023, text));
    }
    if !is_tenant(emulator, tenant) {
        return Err(Refusal::no_tenant("invalid_request", tenant));
    }
    let form = Form::read(call);
    let kind = form.get("grant_type").ok_or_else(|| Refusal::missing("grant_type"))?;
    if kind != "client_credentials" {
        let text = format!("The app requested an unsupported grant type '{kind}'.");
        return Err(Refusal::new("unsupported_grant_type", 70_003, text));
    }
    let basic = basic_credentials(call);
    let id = form.get("client_id").or(basic.as_ref().map(|(id, _)| id.as_str()));
    let id = id.ok_or_else(|| Refusal::missing("client_id"))?;
    let app = emulator.config.apps().into_iter().find(|app| app.client_id.eq_ignore_ascii_case(id));
    let app = app.ok_or_else(|| unknown_app(id, tenant))?;
    let credential = prove(&form, basic.as_ref(), &app, now)?;
    let resource = wanted(&form, version, tenant)?;
    let lifetime = emulator.tenant.behaviour.token_lifetime;
    let issue = Issue {
        app: &app,
        aud: resource.identifier(),
        roles: resource.roles(&app.roles),
        credential,
        now,
        lifetime,
    };
    let claims = Claims::new(&emulator.config, issue, &mut emulator.ids);
    Ok(Granted {
        token: jwt::mint(&emulator.config, &claims),
        resource: resource.identifier(),
        lifetime: lifetime.as_secs(),
        expires: claims.exp,
        not_before: claims.not_before(),
    })
}

/// Checks the client's proof; 1 for a secret, 2 for an assertion, as `appidacr` has it.
fn prove(
    form: &Form,
    basic: Option<&(String, String)>,
    app: &App,
    now: Timestamp,
) -> Result<u8, Refusal> {
    let secret = form.get("client_secret").or(basic.map(|(_, secret)| secret.as_str()));
    if let Some(secret) = secret.filter(|secret| !secret.is_empty()) {
        if secret == app.client_secret {
            return Ok(1);
        }
        let text = format!(
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{}'.",
            app.client_id
        );
        return Err(Refusal::new("invalid_client", 7_000_215, text));
    }
    match (form.get("client_assertion_type"), form.get("client_assertion")) {
        (None, None) => {
            let text = "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.";
            Err(Refusal::new("invalid_client", 7_000_216, text))
        }
        (Some(JWT_BEARER), Some(assertion)) => check_assertion(assertion, app, now).map(|()| 2),
        (kind, None) if kind.is_some() => Err(Refusal::new(
            "invalid_client",
            7_000_218,
            "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.",
        )),
        _ => Err(Refusal::missing("client_assertion_type")),
    }
}

/// What an assertion says that can be checked without the client's key.
#[derive(Deserialize)]
struct Assertion {
    #[serde(default)]
    iss: String,
    #[serde(default)]
    sub: String,
    exp: Option<i64>,
}

fn check_assertion(assertion: &str, app: &App, now: Timestamp) -> Result<(), Refusal> {
    let parts: Vec<&str> = assertion.split('.').collect();
    let payload = match parts.as_slice() {
        [header, payload, signature] if !signature.is_empty() => {
            let header = URL_SAFE_NO_PAD.decode(header).ok();
            let header: Option<serde_json::Map<String, serde_json::Value>> =
                header.and_then(|json| serde_json::from_slice(&json).ok());
            header.and_then(|_| URL_SAFE_NO_PAD.decode(payload).ok())
        }
        _ => None,
    };
    let claims: Option<Assertion> =
        payload.and_then(|payload| serde_json::from_slice(&payload).ok());
    let refuse = |code, text: &str| Err(Refusal::new("invalid_client", code, text));
    let Some(claims) = claims else {
        return refuse(
            700_027,
            "The client assertion is malformed: its signature cannot be validated.",
        );
    };
    let own = claims.iss == claims.sub;
    if own && !claims.sub.eq_ignore_ascii_case(&app.client_id) {
        return refuse(700_027, "The issuer of the client assertion is not the application.");
    }
    if claims.exp.is_none_or(|end| end <= now.as_second()) {
        return refuse(700_024, "Client assertion is not within its valid time range.");
    }
    Ok(())
}

/// The resource the token shall be for.
fn wanted(form: &Form, version: Version, tenant: &str) -> Result<Resource, Refusal> {
    let name = match version {
        Version::V1 => form.get("resource").ok_or_else(|| Refusal::missing("resource"))?.to_owned(),
        Version::V2 => {
            let scope = form.get("scope").ok_or_else(|| Refusal::missing("scope"))?;
            resource::of_scope(scope).map_err(|fault| bad_scope(fault, scope))?
        }
    };
    Resource::named(&name).ok_or_else(|| {
        let text = format!(
            "The resource principal named {name} was not found in the tenant named {tenant}. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have sent your authentication request to the wrong tenant."
        );
        Refusal::new("invalid_resource", 500_011, text)
    })
}

fn bad_scope(fault: ScopeFault, scope: &str) -> Refusal {
    let (code, why) = match fault {
        ScopeFault::Invalid => (
            70_011,
            format!(
                "The provided request must include a 'scope' input parameter. The provided value for the input parameter 'scope' is not valid. The scope {scope} is not valid."
            ),
        ),
        ScopeFault::Several => (
            700_022,
            format!(
                "Provided value for the input parameter scope is not valid because it contains more than one resource. Scope {scope} is not valid."
            ),
        ),
        ScopeFault::NoResource => (
            700_023,
            format!(
                "Provided value for the input parameter scope is not valid because it contains no resource. Scope {scope} is not valid."
            ),
        ),
    };
    Refusal::new("invalid_scope", code, why)
}

fn unknown_app(id: &str, tenant: &str) -> Refusal {
    let text = format!(
        "Application with identifier '{id}' was not found in the directory '{tenant}'. This can happen if the application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
    );
    Refusal::new("unauthorized_client", 700_016, text)
}

/// The members of a form-encoded body.
struct Form(Vec<(String, String)>);

impl Form {
    /// Reads the body; empty unless its media type is that of a form.
    fn read(call: &Call<'_>) -> Self {
        let kind = call.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        if !kind.starts_with("application/x-www-form-urlencoded") {
            return Self(Vec::new());
        }
        Self(url::form_urlencoded::parse(call.body).into_owned().collect())
    }

    /// A member that is not empty.
    fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Client id and secret of HTTP Basic; both are form-encoded there, too.
fn basic_credentials(call: &Call<'_>) -> Option<(String, String)> {
    let (scheme, text) = call.header("authorization")?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(text.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    let decode = |text: &str| {
        let text = text.replace('+', " ");
        percent_encoding::percent_decode_str(&text).decode_utf8_lossy().into_owned()
    };
    Some((decode(id), decode(secret)))
}
