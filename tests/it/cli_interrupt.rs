//! A run that is stopped or killed, and finished by `runs resume`: nothing is sent twice.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::cli_flow::Emulated;
use crate::cli_process::{err, out};

/// An emulator whose time stands still: what is sent stays pending until somebody moves it.
pub(crate) fn standing() -> (Emulated, std::path::PathBuf, usize) {
    let tenant = Emulated::start(&["--devices", "120", "--clock", "manual"]);
    let soc = tenant.workspace();
    tenant.expect(&soc, 0, &["plan", "--out", "case.plan.json"]);
    let plan: Value =
        serde_json::from_slice(&std::fs::read(soc.join("case.plan.json")).unwrap()).unwrap();
    let changes = plan["changes"].as_array().unwrap();
    let devices = changes.iter().filter(|change| change["target"]["kind"] == "device").count();
    assert!(devices > 1, "{changes:?}");
    (tenant, soc, devices)
}

/// A control request to the emulator; a connection of its own for each.
pub(crate) fn control(tenant: &Emulated, method: &str, path: &str, body: &str) -> Value {
    let root = tenant.ready["defender"].as_str().unwrap();
    let host = root.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} /_emulator/{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(body).unwrap()
}

/// Comments of all machine actions that were asked for, each with its marker.
pub(crate) fn sent(tenant: &Emulated) -> Vec<String> {
    let page = control(tenant, "GET", "requests?method=POST&path=/api/machines/**", "");
    let requests = page["requests"].as_array().unwrap();
    let comment = |request: &Value| {
        let body: Value = serde_json::from_str(request["body"].as_str().unwrap()).unwrap();
        body["Comment"].as_str().unwrap().to_owned()
    };
    requests.iter().map(comment).collect()
}

/// Begins the apply and waits until everything has been sent.
pub(crate) fn begun(tenant: &Emulated, soc: &std::path::Path, devices: usize) -> Child {
    let child = tenant
        .command(soc)
        .args(["apply", "case.plan.json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let all = (0..50_000).any(|_| sent(tenant).len() >= devices);
    assert!(all, "only {:?} were sent", sent(tenant));
    child
}

pub(crate) fn state(tenant: &Emulated, soc: &std::path::Path) -> String {
    let runs = tenant.expect(soc, 0, &["runs", "list", "--format", "json"]);
    let runs: Value = serde_json::from_str(&out(&runs)).unwrap();
    runs["runs"][0]["state"].as_str().unwrap().to_owned()
}

/// Lets the devices act, finishes the run, and looks that nobody was asked twice.
pub(crate) fn finish(tenant: &Emulated, soc: &std::path::Path, devices: usize) {
    control(tenant, "POST", "advance", r#"{"by": "1h"}"#);
    let resumed = tenant.expect(soc, 0, &["runs", "resume"]);
    assert!(out(&resumed).contains("as planned"), "{}", out(&resumed));
    assert_eq!(state(tenant, soc), "finished");
    let mut sent = sent(tenant);
    assert_eq!(sent.len(), devices);
    sent.sort();
    sent.dedup();
    assert_eq!(sent.len(), devices, "a change was sent twice");
    tenant.expect(soc, 0, &["runs", "verify"]);
    let again = tenant.expect(soc, 0, &["plan", "--detailed-exitcode"]);
    assert!(out(&again).contains("Nothing to do"), "{}", out(&again));
}

#[test]
fn a_killed_run_is_finished_by_resume() {
    let (tenant, soc, devices) = standing();
    let mut child = begun(&tenant, &soc, devices);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(state(&tenant, &soc), "open");
    finish(&tenant, &soc, devices);
}

#[cfg(unix)]
#[test]
fn ctrl_c_stops_sending_and_leaves_a_run_to_resume() {
    let (tenant, soc, devices) = standing();
    let child = begun(&tenant, &soc, devices);
    let pid = child.id().to_string();
    let signal = std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap();
    assert!(signal.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", err(&output));
    assert!(err(&output).contains("Stopping") && err(&output).contains("runs resume"));
    assert!(out(&output).contains("Stopped: interrupted"), "{}", out(&output));
    assert_eq!(state(&tenant, &soc), "stopped");
    finish(&tenant, &soc, devices);
}

#[test]
fn two_applies_at_once_are_kept_apart() {
    let (tenant, soc, devices) = standing();
    let mut child = begun(&tenant, &soc, devices);
    let second = tenant.expect(&soc, 1, &["apply", "case.plan.json"]);
    assert!(err(&second).contains("locked") && err(&second).contains("wait for its end"));
    child.kill().unwrap();
    child.wait().unwrap();
    finish(&tenant, &soc, devices);
}
