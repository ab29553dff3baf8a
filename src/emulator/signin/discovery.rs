//! The documents an OpenID Connect library reads before it asks for a token.
//!
//! Every endpoint in them has the origin that the caller used, so that a library told to sign in at
//! a loopback address stays there.

use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::Timestamp;
use serde_json::json;

use crate::emulator::Emulator;
use crate::emulator::call::Call;
use crate::emulator::random::Guid;
use crate::emulator::signin::aadsts::{self, Refusal};
use crate::emulator::signin::{Version, is_tenant};

/// `/{tenant}/v2.0/.well-known/openid-configuration`, and the same without the version.
pub(super) fn openid(
    emulator: &mut Emulator,
    call: &Call<'_>,
    tenant: &str,
    version: Version,
    now: Timestamp,
) -> Response<Bytes> {
    let trace = emulator.ids.guid();
    let shared = matches!(tenant, "common" | "organizations" | "consumers");
    if !shared && !is_tenant(emulator, tenant) {
        return Refusal::no_tenant("invalid_tenant", tenant).into_response(call, trace, now);
    }
    // A shared document has no tenant of its own: clients put it in.
    let id = if shared { "{tenantid}" } else { emulator.config.tenant_id.as_str() };
    let base = format!("{}/{}", call.origin, if shared { tenant } else { id });
    let v2 = version == Version::V2;
    let oauth = if v2 { "oauth2/v2.0" } else { "oauth2" };
    let issuer = if v2 {
        format!("{}/{id}/v2.0", call.origin)
    } else {
        format!("https://sts.windows.net/{id}/")
    };
    let body = json!({
        "token_endpoint": format!("{base}/{oauth}/token"),
        "token_endpoint_auth_methods_supported":
            ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": format!("{base}/discovery/{}keys", if v2 { "v2.0/" } else { "" }),
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": issuer,
        "request_uri_parameter_supported": false,
        "authorization_endpoint": format!("{base}/{oauth}/authorize"),
        "device_authorization_endpoint": format!("{base}/{oauth}/devicecode"),
        "http_logout_supported": true,
        "frontchannel_logout_supported": true,
        "end_session_endpoint": format!("{base}/{oauth}/logout"),
        "claims_supported": ["sub", "iss", "aud", "exp", "iat", "nonce", "tid", "ver"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
        "rbac_url": "https://pas.windows.net",
    });
    aadsts::json(StatusCode::OK, &body, call, trace)
}

/// `/common/discovery/instance`: which hosts are the same sign-in service.
pub(super) fn instances(call: &Call<'_>) -> Response<Bytes> {
    let asked = call.option("authorization_endpoint").unwrap_or_default();
    let path = asked.split_once("://").map_or(asked, |(_, rest)| rest);
    let tenant = path.split('/').nth(1).filter(|part| !part.is_empty()).unwrap_or("common");
    let host = call.origin.split_once("://").map_or("", |(_, host)| host);
    let real = [
        "login.microsoftonline.com",
        "login.windows.net",
        "login.microsoft.com",
        "sts.windows.net",
    ];
    let body = json!({
        "tenant_discovery_endpoint":
            format!("{}/{tenant}/v2.0/.well-known/openid-configuration", call.origin),
        "api-version": "1.1",
        "metadata": [
            {"preferred_network": host, "preferred_cache": host, "aliases": [host]},
            {"preferred_network": real[0], "preferred_cache": real[1], "aliases": real},
        ],
    });
    aadsts::json(StatusCode::OK, &body, call, Guid([0; 16]))
}

/// The signing keys: none are published, access tokens are opaque to clients.
pub(super) fn keys() -> Response<Bytes> {
    crate::emulator::error::json(StatusCode::OK, &json!({"keys": []}))
}
