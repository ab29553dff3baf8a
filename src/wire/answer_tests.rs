//! Every shape of answer the services have been seen to give.

use super::*;

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Response<Bytes> {
    let mut builder = Response::builder().status(status);
    for (name, value) in headers {
        builder = builder.header(*name, *value);
    }
    builder.body(Bytes::copy_from_slice(body.as_bytes())).unwrap()
}

fn given(operation: Operation, roles: Option<&[String]>, response: Response<Bytes>) -> ApiError {
    let now = "2026-11-24T10:00:00Z".parse().unwrap();
    classify(response, &Context { operation, roles, now }).unwrap_err()
}

fn error(status: u16, body: &str) -> ApiError {
    given(Operation::ListMachines, None, answer(status, &[], body))
}

#[test]
fn the_documented_body_is_read() {
    let body = r#"{"error":{"code":"ResourceNotFound","message":"Machine 9f00 was not found","target":"c0ffee00"}}"#;
    let error = error(404, body);
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert_eq!(error.code, "ResourceNotFound");
    assert_eq!(error.message, "Machine 9f00 was not found");
    assert_eq!(error.correlation.as_deref(), Some("c0ffee00"));
}

#[test]
fn kinds_follow_from_status_and_code() {
    let body = |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"m"}}}}"#);
    for (status, code, kind) in [
        (400, "ActiveRequestAlreadyExists", ErrorKind::AlreadyExists),
        (400, "InvalidRequestBody", ErrorKind::Refused),
        (401, "Unauthorized", ErrorKind::Unauthorized),
        (403, "DisabledFeature", ErrorKind::Forbidden),
        (403, "DisallowedOperation", ErrorKind::Forbidden),
        (404, "NotFound", ErrorKind::NotFound),
        (408, "", ErrorKind::Unavailable),
        (409, "", ErrorKind::Refused),
        (412, "", ErrorKind::Refused),
        (429, "TooManyRequests", ErrorKind::Throttled),
        (500, "InternalServerError", ErrorKind::Unavailable),
        (501, "", ErrorKind::Refused),
        (503, "", ErrorKind::Unavailable),
        (509, "", ErrorKind::Unavailable),
        (302, "", ErrorKind::Refused),
    ] {
        assert_eq!(error(status, &body(code)).kind, kind, "{status} {code}");
    }
}

#[test]
fn other_shapes_of_bodies_are_survived() {
    let odata =
        error(400, r#"{"error":{"code":"","message":"The query is not valid.","details":[]}}"#);
    assert_eq!((odata.code.as_str(), odata.message.as_str()), ("", "The query is not valid."));
    let flat = error(401, r#"{"error":"invalid_token","error_description":"expired"}"#);
    assert_eq!((flat.code.as_str(), flat.message.as_str()), ("invalid_token", "expired"));
    let html = error(503, "<html><head><Title>Bad \u{7} gateway</title></head></html>");
    assert_eq!(html.message, "Bad gateway");
    assert_eq!(error(502, "<html>").message, "");
    assert_eq!(error(500, "").message, "");
    assert_eq!(error(500, "upstream\nreset").message, "upstream reset");
    assert_eq!(error(500, &"[".repeat(5_000)).message.len(), 200);
    assert_eq!(error(400, "\u{feff}{\"error\":{\"code\":\"X\"}}").code, "X");
    assert_eq!(error(400, r#"{"error":{"code":null,"message":null}}"#).code, "");
}

#[test]
fn the_correlation_id_is_found_wherever_it_stands() {
    for key in ["innerError", "innererror"] {
        let body = format!(
            r#"{{"error":{{"code":"","message":"","{key}":{{"request-id":"r-1","date":"d","{key}":{{}}}}}}}}"#
        );
        assert_eq!(error(403, &body).correlation.as_deref(), Some("r-1"));
    }
    let header = answer(500, &[("request-id", "r-2")], "");
    let error = given(Operation::ListAlerts, None, header);
    assert_eq!(error.correlation.as_deref(), Some("r-2"));
}

#[test]
fn a_missing_role_is_named_from_either_text_or_from_our_table() {
    let forbidden = |message: &str, roles: Option<&[String]>| {
        let body = format!(r#"{{"error":{{"code":"Forbidden","message":"{message}"}}}}"#);
        given(Operation::ListActions, roles, answer(403, &[], &body)).kind.clone()
    };
    let missing =
        |names: &[&str]| ErrorKind::RoleMissing(names.iter().map(|n| (*n).to_owned()).collect());
    let old = "The application does not have any of the required application permissions \
               (Machine.ReadWrite.All, Machine.Read.All) to access the resource.";
    assert_eq!(forbidden(old, None), missing(&["Machine.ReadWrite.All", "Machine.Read.All"]));
    let new = "Missing application roles. API required roles: Machine.ReadWrite.All, application \
               roles: Machine.Isolate.";
    let isolate = ["Machine.Isolate".to_owned()];
    assert_eq!(forbidden(new, Some(&isolate)), missing(&["Machine.ReadWrite.All"]));
    let table = missing(&["Machine.Read.All", "Machine.ReadWrite.All"]);
    assert_eq!(forbidden("no", Some(&isolate)), table);
    assert_eq!(forbidden("no", None), table);
    let read = ["Machine.Read.All".to_owned()];
    assert_eq!(forbidden("licence", Some(&read)), ErrorKind::Forbidden);
}

#[test]
fn success_of_any_kind_is_taken_and_partial_content_is_said() {
    let good = |status, headers: &[(&str, &str)]| {
        let now = "2026-11-24T10:00:00Z".parse().unwrap();
        let context = Context { operation: Operation::ListAlerts, roles: None, now };
        classify(answer(status, headers, "{}"), &context).unwrap().partial
    };
    for status in [200, 201, 202, 204] {
        assert_eq!(good(status, &[]), None);
    }
    assert_eq!(good(206, &[]).as_deref(), Some("partial content"));
    let warning = "199 - \"Microsoft/MDATP/504/10000\"";
    assert_eq!(good(206, &[("warning", warning)]).as_deref(), Some(warning));
    assert_eq!(good(200, &[("warning", warning)]).as_deref(), Some(warning));
    assert_eq!(good(200, &[("warning", "299 - deprecated")]), None);
}

#[test]
fn the_wait_is_taken_from_the_answer() {
    let busy = given(Operation::ListMachines, None, answer(429, &[("retry-after", "17")], ""));
    assert_eq!(busy.retry_after, Some(jiff::SignedDuration::from_secs(17)));
}
