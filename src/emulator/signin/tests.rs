//! Tokens and their refusals, body by body.

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::{Audience, authorize};
use crate::emulator::{Config, Emulator};

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const CLIENT: &str = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

fn now() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

fn emulator() -> Emulator {
    Emulator::new(Config { devices: 0, ..Config::default() }, now())
}

fn post(emulator: &mut Emulator, path: &str, body: &str) -> (u16, Value) {
    let request = Request::post(path)
        .header("host", "127.0.0.1:8400")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Bytes::copy_from_slice(body.as_bytes()))
        .unwrap();
    read(emulator.handle(&request, now()).response)
}

fn read(response: Response<Bytes>) -> (u16, Value) {
    (response.status().as_u16(), serde_json::from_slice(response.body()).unwrap())
}

fn form(scope: &str) -> String {
    format!(
        "grant_type=client_credentials&client_id={CLIENT}&client_secret=emulator-secret&{scope}"
    )
}

const DEFENDER: &str = "scope=https%3A%2F%2Fapi.securitycenter.microsoft.com%2F.default";
const GRAPH: &str = "scope=https%3A%2F%2Fgraph.microsoft.com%2F.default";

fn token(emulator: &mut Emulator, scope: &str) -> String {
    let path = format!("/{TENANT}/oauth2/v2.0/token");
    let (status, body) = post(emulator, &path, &form(scope));
    assert_eq!(status, 200, "{body}");
    body["access_token"].as_str().unwrap().to_owned()
}

fn bearer(token: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", format!("Bearer {token}").parse().unwrap());
    headers
}

#[test]
fn both_endpoints_give_tokens_that_the_apis_accept() {
    let mut emulator = emulator();
    for tenant in [TENANT, "contoso.onmicrosoft.com"] {
        let path = format!("/{tenant}/oauth2/v2.0/token");
        let (status, body) = post(&mut emulator, &path, &form(DEFENDER));
        assert_eq!(status, 200);
        let keys: Vec<&String> = body.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), 4, "{keys:?}");
        assert_eq!(body["token_type"], "Bearer");
        assert_eq!(body["expires_in"], 3599);
        assert_eq!(body["ext_expires_in"], 3599);
    }
    let form = form("resource=https://api.securitycenter.microsoft.com");
    let (status, body) = post(&mut emulator, &format!("/{TENANT}/oauth2/token"), &form);
    assert_eq!(status, 200);
    assert_eq!(body["expires_in"], "3599");
    assert_eq!(body["expires_on"], (now().as_second() + 3600).to_string());
    assert_eq!(body["not_before"], (now().as_second() - 300).to_string());
    assert_eq!(body["resource"], "https://api.securitycenter.microsoft.com");
    let headers = bearer(body["access_token"].as_str().unwrap());
    let caller = authorize(&emulator, &headers, Audience::Defender, now()).unwrap();
    assert_eq!(caller.app_name, "palisade");
    assert_eq!(caller.app_id, CLIENT);
    assert!(caller.has("Machine.Isolate"));
    assert!(!caller.has("SecurityAlert.Read.All"), "a role of the other resource");
}

#[test]
fn the_claims_are_the_documented_ones() {
    let mut emulator = emulator();
    let claims = super::read_unverified(&token(&mut emulator, DEFENDER)).unwrap();
    let claims = serde_json::to_value(claims).unwrap();
    assert_eq!(claims["aud"], "https://api.securitycenter.microsoft.com");
    assert_eq!(claims["tid"], TENANT);
    assert_eq!(claims["appid"], CLIENT);
    assert_eq!(claims["app_displayname"], "palisade");
    assert_eq!(claims["ver"], "1.0");
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 3900);
    let older = "scope=https://securitycenter.onmicrosoft.com/windowsatpservice/.default";
    let older = super::read_unverified(&token(&mut emulator, older)).unwrap();
    assert_eq!(older.aud, "https://api.securitycenter.microsoft.com");
}

#[test]
fn credentials_may_come_as_basic_or_as_an_assertion() {
    let mut emulator = emulator();
    let path = format!("/{TENANT}/oauth2/v2.0/token");
    let basic = {
        use base64::Engine as _;
        base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT}:emulator%2Dsecret"))
    };
    let body = format!("grant_type=client_credentials&{DEFENDER}");
    let request = Request::post(&path)
        .header("content-type", "application/x-www-form-urlencoded; charset=UTF-8")
        .header("authorization", format!("Basic {basic}"))
        .body(Bytes::from(body))
        .unwrap();
    assert_eq!(read(emulator.handle(&request, now()).response).0, 200);

    let part = |json: Value| {
        use base64::Engine as _;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(json.to_string())
    };
    for (iss, sub, life, expected) in [
        (CLIENT, CLIENT, 300, None),
        ("https://token.actions.githubusercontent.com", "repo:o/r:environment:prod", 300, None),
        (CLIENT, CLIENT, -1, Some(700_024)),
        ("other", "other", 300, Some(700_027)),
    ] {
        let claims = serde_json::json!({"iss": iss, "sub": sub, "exp": now().as_second() + life});
        let jwt = format!("{}.{}.c2ln", part(serde_json::json!({"alg": "PS256"})), part(claims));
        let body = format!(
            "grant_type=client_credentials&client_id={CLIENT}&{DEFENDER}&client_assertion={jwt}\
             &client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        );
        let (status, body) = post(&mut emulator, &path, &body);
        match expected {
            None => assert_eq!(status, 200, "{body}"),
            Some(code) => {
                assert_eq!((status, &body["error_codes"][0]), (401, &Value::from(code)), "{body}");
            }
        }
    }
}

#[test]
fn each_refusal_has_its_number() {
    let two = "scope=https%3A%2F%2Fgraph.microsoft.com%2F.default+https%3A%2F%2Fapi.securitycenter.microsoft.com%2F.default";
    let without = |text: &str| form(DEFENDER).replace(text, "");
    let unknown = "scope=https://api.example.org/.default";
    for (path, body, status, error, code) in [
        ("v", form(DEFENDER).replace("emulator-secret", "wrong"), 401, "invalid_client", 7_000_215),
        ("v", without("&client_secret=emulator-secret"), 401, "invalid_client", 7_000_216),
        (
            "v",
            form(DEFENDER).replace("eeeeeeeeeeee", "000000000000"),
            400,
            "unauthorized_client",
            700_016,
        ),
        ("v", without("grant_type=client_credentials&"), 400, "invalid_request", 900_144),
        ("v", without(&format!("client_id={CLIENT}&")), 400, "invalid_request", 900_144),
        ("v", form(""), 400, "invalid_request", 900_144),
        ("v", form("scope=https://graph.microsoft.com/User.Read"), 400, "invalid_scope", 70_011),
        ("v", form("scope=.default"), 400, "invalid_scope", 700_023),
        ("v", form(two), 400, "invalid_scope", 700_022),
        ("v", form(unknown), 400, "invalid_resource", 500_011),
        (
            "v",
            form(DEFENDER).replace("client_credentials", "password"),
            400,
            "unsupported_grant_type",
            70_003,
        ),
        (
            "/99999999-2222-3333-4444-555555555555/oauth2/v2.0/token",
            form(DEFENDER),
            400,
            "invalid_request",
            90_002,
        ),
        ("/common/oauth2/v2.0/token", form(DEFENDER), 400, "invalid_request", 9_001_023),
        ("/consumers/oauth2/token", form(DEFENDER), 400, "invalid_request", 9_001_023),
    ] {
        let own = format!("/{TENANT}/oauth2/v2.0/token");
        let path = if path == "v" { own.as_str() } else { path };
        let (got, answer) = post(&mut emulator(), path, &body);
        let seen =
            (got, answer["error"].as_str().unwrap(), answer["error_codes"][0].as_u64().unwrap());
        assert_eq!(seen, (status, error, code), "{path} {body}");
        let text = answer["error_description"].as_str().unwrap();
        assert!(text.starts_with(&format!("AADSTS{code}: ")), "{text}");
        assert!(text.ends_with(" Timestamp: 2026-03-02 10:00:00Z"), "{text}");
        let id = answer["trace_id"].as_str().unwrap();
        assert!(text.contains(&format!(" Trace ID: {id} Correlation ID: ")), "{text}");
        assert_eq!(answer["timestamp"], "2026-03-02 10:00:00Z");
        let page = format!("https://login.microsoftonline.com/error?code={code}");
        assert_eq!(answer["error_uri"], page);
    }
}

#[test]
fn a_refusal_names_the_callers_own_correlation_id() {
    let own = "0A0A0A0A-0b0b-4c0c-8d0d-0e0e0e0e0e0e";
    let request = Request::post(format!("/{TENANT}/oauth2/v2.0/token"))
        .header("client-request-id", own)
        .body(Bytes::from_static(b"{}"))
        .unwrap();
    let (status, body) = read(emulator().handle(&request, now()).response);
    assert_eq!(status, 400);
    assert_eq!(body["correlation_id"], own.to_lowercase());
    assert_eq!(body["error_codes"][0], 900_144, "a body that is no form has no grant");
}

#[test]
fn an_api_says_why_it_does_not_let_a_call_in() {
    let mut emulator = emulator();
    let graph = token(&mut emulator, GRAPH);
    let defender = token(&mut emulator, DEFENDER);
    let other = token(&mut emulator, "scope=https://api.security.microsoft.com/.default");
    let forged = {
        let (signed, _) = defender.rsplit_once('.').unwrap();
        format!("{signed}.{}", graph.rsplit_once('.').unwrap().1)
    };
    let late = now().checked_add(SignedDuration::from_hours(2)).unwrap();
    let refused = |headers: &HeaderMap, audience, at| {
        let response = authorize(&emulator, headers, audience, at).unwrap_err();
        let challenged = response.headers().contains_key("www-authenticate");
        let (status, body) = read(response);
        assert_eq!(challenged, status == 401, "{body}");
        (status, body["error"]["code"].as_str().unwrap().to_owned())
    };
    let unauthorized = (401, "Unauthorized".to_owned());
    let invalid = (401, "InvalidAuthenticationToken".to_owned());
    for (headers, at) in [
        (HeaderMap::new(), now()),
        (bearer("nonsense"), now()),
        (bearer(&forged), now()),
        (bearer(&defender), late),
    ] {
        assert_eq!(refused(&headers, Audience::Defender, at), unauthorized);
        assert_eq!(refused(&headers, Audience::Graph, at), invalid);
    }
    let forbidden = (403, "Forbidden".to_owned());
    assert_eq!(refused(&bearer(&graph), Audience::Defender, now()), forbidden);
    assert_eq!(refused(&bearer(&other), Audience::Defender, now()), forbidden);
    assert_eq!(refused(&bearer(&defender), Audience::Graph, now()), invalid);
    assert!(authorize(&emulator, &bearer(&graph), Audience::Graph, now()).is_ok());
}

#[test]
fn libraries_find_the_endpoints_where_they_asked() {
    let mut emulator = emulator();
    let mut get = |path: &str| {
        let request =
            Request::get(path).header("host", "127.0.0.1:8400").body(Bytes::new()).unwrap();
        read(emulator.handle(&request, now()).response)
    };
    let (status, body) = get("/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration");
    assert_eq!(status, 200);
    let base = format!("http://127.0.0.1:8400/{TENANT}");
    assert_eq!(body["token_endpoint"], format!("{base}/oauth2/v2.0/token"));
    assert_eq!(body["issuer"], format!("{base}/v2.0"));
    let (status, body) = get("/nobody.example/v2.0/.well-known/openid-configuration");
    assert_eq!((status, body["error"].as_str()), (400, Some("invalid_tenant")));
    let (_, body) = get(&format!(
        "/common/discovery/instance?api-version=1.1&authorization_endpoint=https%3A%2F%2F127.0.0.1%3A8400%2F{TENANT}%2Foauth2%2Fv2.0%2Fauthorize"
    ));
    assert_eq!(
        body["tenant_discovery_endpoint"],
        format!("{base}/v2.0/.well-known/openid-configuration")
    );
    assert_eq!(body["metadata"][0]["aliases"][0], "127.0.0.1:8400");
}
