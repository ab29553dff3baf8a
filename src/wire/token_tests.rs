//! Token requests, answers and payloads.

use super::*;

fn body(request: &Request<Bytes>) -> &str {
    std::str::from_utf8(request.body()).unwrap()
}

#[test]
fn a_secret_is_sent_in_the_form_of_the_v2_endpoint() {
    let authority = Url::parse("https://login.microsoftonline.com/").unwrap();
    let scope = "https://api.securitycenter.microsoft.com/.default";
    let request = request(&authority, "t/1", "app", scope, Proof::Secret("a&b=c é")).unwrap();
    assert_eq!(request.uri(), "https://login.microsoftonline.com/t%2F1/oauth2/v2.0/token");
    assert_eq!(
        body(&request),
        "grant_type=client_credentials&client_id=app&scope=https%3A%2F%2Fapi.securitycenter.\
         microsoft.com%2F.default&client_secret=a%26b%3Dc+%C3%A9"
    );
}

#[test]
fn an_assertion_is_sent_with_its_type() {
    let authority = Url::parse("http://127.0.0.1:8400").unwrap();
    let request = request(&authority, "t", "app", "s", Proof::Assertion("x.y.z")).unwrap();
    assert!(body(&request).ends_with(
        "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer\
         &client_assertion=x.y.z"
    ));
}

#[test]
fn expiry_is_read_as_number_or_digits() {
    for text in [r#"3599"#, r#""3599""#] {
        let body = format!(r#"{{"token_type":"Bearer","expires_in":{text},"access_token":"t"}}"#);
        let issued = read(Api::Graph, &Bytes::from(body), None).unwrap();
        assert_eq!(issued.lasts, SignedDuration::from_secs(3_599));
        assert_eq!(issued.token.as_str(), "t");
    }
    let error = read(Api::Graph, &Bytes::from_static(b"<html>"), None).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreadable);
}

fn refused(codes: &str, description: &str) -> ApiError {
    let body = format!(
        r#"{{"error":"invalid_client","error_description":"{description}","error_codes":{codes},"correlation_id":"c-1"}}"#
    );
    let failure = ApiError::new(Operation::SignIn(Api::Defender), ErrorKind::Unauthorized);
    read(Api::Defender, &Bytes::from(body), Some(failure)).unwrap_err()
}

#[test]
fn a_refusal_carries_number_and_hint_but_not_the_whole_text() {
    let error = refused(
        "[7000215]",
        "AADSTS7000215: Invalid client secret provided. Trace ID: 1 Correlation ID: 2",
    );
    assert_eq!(error.kind, ErrorKind::SignIn);
    assert_eq!(error.code, "AADSTS7000215");
    assert_eq!(error.message, "AADSTS7000215: Invalid client secret provided.");
    assert_eq!(error.correlation.as_deref(), Some("c-1"));
    assert!(error.help.as_deref().unwrap().contains("not its id"));
}

#[test]
fn a_credential_that_is_still_spreading_is_tried_again() {
    assert!(refused("[70021]", "no matching federated identity record").is_transient());
    assert!(!refused("[700213]", "subject").is_transient());
    assert_eq!(refused("[]", "x").code, "invalid_client");
}

#[test]
fn what_is_not_entras_keeps_its_own_error() {
    let operation = Operation::SignIn(Api::Defender);
    let failure = ApiError::new(operation, ErrorKind::Unavailable);
    let error = read(Api::Defender, &Bytes::from_static(b"<html>"), Some(failure)).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
}

#[test]
fn claims_are_decoded_and_not_validated() {
    let payload = URL_SAFE_NO_PAD
        .encode(r#"{"aud":["https://graph.microsoft.com"],"tid":"t","roles":["A.B"],"exp":1}"#);
    let read = claims(&format!("h.{payload}.s")).unwrap();
    assert_eq!((read.aud.as_str(), read.tid.as_str()), ("https://graph.microsoft.com", "t"));
    assert_eq!(read.roles, ["A.B"]);
    for broken in ["", "opaque", "a.b.c", "a.!.c"] {
        assert_eq!(claims(broken), None);
    }
}

#[test]
fn an_audience_is_compared_with_the_scope() {
    let scope = "https://api.securitycenter.microsoft.com/.default";
    for (audience, fits) in [
        ("https://api.securitycenter.microsoft.com", true),
        ("https://api.securitycenter.microsoft.com/", true),
        ("fc780465-2017-40d4-a0c5-307022471b92", true),
        ("https://api.security.microsoft.com", false),
        ("00000003-0000-0000-c000-000000000000", false),
        ("", false),
    ] {
        assert_eq!(audience_fits(audience, scope), fits, "{audience}");
    }
}

#[test]
fn secrets_do_not_show() {
    let issued = Issued { token: Zeroizing::new("topsecret".into()), lasts: SignedDuration::ZERO };
    let shown = format!("{issued:?} {:?}", Proof::Secret("topsecret"));
    assert!(!shown.contains("topsecret"), "{shown}");
}
