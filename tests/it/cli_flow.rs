//! The whole flow as a person or a pipeline runs it: an emulator in one process, commands in others.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::cli_process::{err, out, palisade};

/// An emulator in a process of its own, ended when dropped.
pub(crate) struct Emulated {
    child: Child,
    folder: tempfile::TempDir,
    pub(crate) ready: Value,
}

impl Emulated {
    /// Starts it and waits until it says where it answers.
    pub(crate) fn start(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut child = palisade(folder.path())
            .args(["emulator", "--listen", "127.0.0.1:0", "--ready-file", "ready.json"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        while !said.trim_end().ends_with('}') {
            assert!(lines.read_line(&mut said).unwrap() > 0, "the emulator ended: {said}");
        }
        let ready: Value = serde_json::from_str(&said).unwrap();
        let file = std::fs::read(folder.path().join("ready.json")).unwrap();
        assert_eq!(serde_json::from_slice::<Value>(&file).unwrap(), ready);
        Self { child, folder, ready }
    }

    /// A workspace for it, with the starter pack.
    pub(crate) fn workspace(&self) -> PathBuf {
        let made = palisade(self.folder.path())
            .args(["init", "play", "--emulator", "ready.json"])
            .output()
            .unwrap();
        assert_eq!(made.status.code(), Some(0), "{}", err(&made));
        self.folder.path().join("play")
    }

    pub(crate) fn command(&self, folder: &Path) -> Command {
        let mut command = palisade(folder);
        command
            .env("AZURE_CLIENT_ID", self.ready["clientId"].as_str().unwrap())
            .env("AZURE_CLIENT_SECRET", self.ready["clientSecret"].as_str().unwrap());
        command
    }

    fn run(&self, folder: &Path, args: &[&str]) -> Output {
        self.command(folder).args(args).output().unwrap()
    }

    /// Runs a command that must end with `code`.
    pub(crate) fn expect(&self, folder: &Path, code: i32, args: &[&str]) -> Output {
        let output = self.run(folder, args);
        let (said, told) = (out(&output), err(&output));
        assert_eq!(output.status.code(), Some(code), "{args:?}\n{said}\n{told}");
        output
    }
}

impl Drop for Emulated {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn init_validate_plan_apply_plan() {
    let tenant = Emulated::start(&["--devices", "60", "--speed", "60"]);
    let soc = tenant.workspace();
    tenant.expect(&soc, 0, &["validate"]);
    let planned =
        tenant.expect(&soc, 2, &["plan", "--detailed-exitcode", "--out", "case.plan.json"]);
    assert!(out(&planned).contains("to make"), "{}", out(&planned));
    let shown = tenant.expect(&soc, 0, &["show", "case.plan.json"]);
    assert_eq!(out(&shown), out(&planned));
    let file = std::fs::read_to_string(soc.join("case.plan.json")).unwrap();
    let json = tenant.expect(&soc, 0, &["show", "case.plan.json", "--format", "json"]);
    assert_eq!(out(&json), file);

    let applied = tenant.expect(&soc, 0, &["apply", "case.plan.json"]);
    assert!(out(&applied).contains("as planned"), "{}", out(&applied));
    let again = tenant.expect(&soc, 0, &["plan", "--detailed-exitcode"]);
    assert!(out(&again).contains("Nothing to do"), "{}", out(&again));

    let runs = tenant.expect(&soc, 0, &["runs", "list", "--format", "json"]);
    let runs: Value = serde_json::from_str(&out(&runs)).unwrap();
    assert_eq!(runs["runs"][0]["state"], "finished");
    assert_eq!(runs["runs"].as_array().map(Vec::len), Some(1));
    let verified = tenant.expect(&soc, 0, &["runs", "verify"]);
    assert!(out(&verified).starts_with("ok "), "{}", out(&verified));
    let shown = tenant.expect(&soc, 0, &["runs", "show"]);
    assert_eq!(out(&shown), out(&applied));
}

#[test]
fn plan_files_are_refused_with_the_reason() {
    let tenant = Emulated::start(&["--devices", "60", "--speed", "60"]);
    let soc = tenant.workspace();
    tenant.expect(&soc, 0, &["plan", "--out", "case.plan.json"]);
    let file = std::fs::read_to_string(soc.join("case.plan.json")).unwrap();
    let refuse = |code: i32, args: &[&str], word: &str| {
        let output = tenant.expect(&soc, code, args);
        assert!(out(&output).is_empty() && err(&output).contains(word), "{}", err(&output));
    };

    std::fs::write(soc.join("edited.json"), file.replacen("selective", "full     ", 1)).unwrap();
    refuse(1, &["apply", "edited.json"], "edited");
    refuse(6, &["apply", "case.plan.json", "--now", "2099-01-01T00:00:00Z"], "expired");
    std::fs::write(soc.join("no.json"), "{}").unwrap();
    refuse(1, &["apply", "no.json"], "plan file `no.json` is refused");

    let policy = soc.join("policies/containment/ir-tagged-devices.yaml");
    let text = std::fs::read_to_string(&policy).unwrap();
    std::fs::write(&policy, text.replace("lease: 72h", "lease: 48h")).unwrap();
    refuse(6, &["apply", "case.plan.json"], "stale");
    std::fs::write(&policy, text).unwrap();

    let workspace = soc.join("palisade.yaml");
    let text = std::fs::read_to_string(&workspace).unwrap();
    let id = tenant.ready["tenantId"].as_str().unwrap();
    let other = text.replace(id, "99999999-2222-3333-4444-555555555555");
    std::fs::write(&workspace, other).unwrap();
    refuse(1, &["apply", "case.plan.json"], "tenant `emulator`");
}

#[test]
fn apply_without_a_terminal_wants_a_file_or_approval() {
    let tenant = Emulated::start(&["--devices", "20", "--speed", "60"]);
    let soc = tenant.workspace();
    let output = tenant.expect(&soc, 1, &["apply"]);
    assert!(err(&output).contains("--auto-approve") && out(&output).is_empty());
    let output = tenant.expect(&soc, 0, &["apply", "--auto-approve", "--format", "json"]);
    let result: Value = serde_json::from_str(&out(&output)).unwrap();
    let counts = result["counts"].as_object().unwrap().values();
    assert_eq!(counts.filter_map(Value::as_u64).sum::<u64>(), result["total"].as_u64().unwrap());
}

#[test]
fn the_same_plan_twice_byte_for_byte() {
    let start = "2026-11-24T10:00:00Z";
    let tenant = Emulated::start(&["--devices", "60", "--clock", "manual", "--start", start]);
    let soc = tenant.workspace();
    let plan = |name: &str| {
        tenant.expect(&soc, 0, &["plan", "--now", start, "--out", name]);
        let mut plan: Value =
            serde_json::from_slice(&std::fs::read(soc.join(name)).unwrap()).unwrap();
        assert_eq!(plan["study"], true);
        // When it was read, by whichever clock, is the one thing that differs between two observations.
        plan["tenants"][0]["observedAt"].take();
        plan["tenants"][0]["serviceAt"].take();
        plan["planHash"].take();
        plan.to_string()
    };
    assert_eq!(plan("a.json"), plan("b.json"));
}

#[test]
fn errors_of_the_service_come_with_advice() {
    let tenant = Emulated::start(&["--devices", "20"]);
    let soc = tenant.workspace();
    let wrong =
        tenant.command(&soc).env("AZURE_CLIENT_SECRET", "wrong").arg("plan").output().unwrap();
    assert_eq!(wrong.status.code(), Some(1));
    assert!(err(&wrong).contains("AADSTS7000215"), "{}", err(&wrong));
    assert!(out(&wrong).is_empty());
    let none = palisade(&soc).arg("plan").output().unwrap();
    assert_eq!(none.status.code(), Some(1));
    assert!(err(&none).contains("`AZURE_CLIENT_ID`"), "{}", err(&none));
    let unknown = tenant.expect(&soc, 1, &["plan", "--tenant", "fabrikam"]);
    assert!(err(&unknown).contains("no tenant `fabrikam`"), "{}", err(&unknown));
    let doctor = tenant.expect(&soc, 0, &["doctor"]);
    assert!(out(&doctor).contains("sign-in") && !out(&doctor).contains("FAIL"), "{}", out(&doctor));
}

#[test]
fn a_plan_into_a_closed_pipe_keeps_its_exit_code() {
    let tenant = Emulated::start(&["--devices", "60"]);
    let soc = tenant.workspace();
    let mut child = tenant
        .command(&soc)
        .args(["plan", "--detailed-exitcode"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", err(&output));
}

#[test]
fn lists_and_explanations_come_as_text_and_json() {
    let tenant = Emulated::start(&["--devices", "60"]);
    let soc = tenant.workspace();
    let tagged = ["devices", "--where", "tag=ir-7781"];
    let text = out(&tenant.expect(&soc, 0, &tagged));
    assert!(text.contains("tenant emulator"), "{text}");
    let json = out(&tenant.expect(&soc, 0, &[&tagged[..], &["--format", "json"]].concat()));
    let json: Value = serde_json::from_str(&json).unwrap();
    let rows = json["tenants"][0]["rows"].as_array().unwrap();
    assert!(!rows.is_empty());
    for row in rows {
        assert!(row["tags"].as_array().unwrap().iter().any(|tag| tag == "ir-7781"), "{row}");
    }
    let name = rows[0]["name"].as_str().unwrap();
    let explained = out(&tenant.expect(&soc, 0, &["explain", name]));
    assert!(explained.contains("+ tag=ir-7781"), "{explained}");
    let wrong = tenant.expect(&soc, 1, &["devices", "--where", "tga=x"]);
    assert!(err(&wrong).contains("tga"), "{}", err(&wrong));
    for command in [&["alerts"][..], &["actions", "list"], &["scores"]] {
        let text = out(&tenant.expect(&soc, 0, command));
        assert!(text.contains("tenant emulator"), "{command:?}: {text}");
        let json = out(&tenant.expect(&soc, 0, &[command, &["--format", "json"]].concat()));
        let json: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(json["formatVersion"], 1, "{command:?}");
    }
}
