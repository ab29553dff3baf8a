//! What a person meets in a hurry: flags that would be ignored, files that are none, nothing to do.

use std::fs;
use std::path::Path;

use crate::cli_flow::Emulated;
use crate::cli_interrupt::{begun, finish, sent, standing, state};
use crate::cli_process::{err, out};
use crate::cli_stop::{fits, json};

const FREEZE: &str = "palisade.freeze";

#[test]
fn what_is_done_to_the_whole_workspace_takes_no_tenant() {
    let (tenant, soc, devices) = standing();
    tenant.expect(&soc, 0, &["freeze"]);
    for command in [
        &["unfreeze"][..],
        &["freeze"],
        &["freeze", "--status"],
        &["runs", "list"],
        &["runs", "show"],
        &["runs", "verify"],
    ] {
        for name in ["nosuch", "emulator"] {
            let refused = tenant.expect(&soc, 1, &[command, &["--tenant", name]].concat());
            assert!(err(&refused).contains("`--tenant`"), "{}", err(&refused));
            assert!(err(&refused).contains("whole workspace"), "{}", err(&refused));
        }
    }
    assert!(soc.join(FREEZE).exists());
    tenant.expect(&soc, 0, &["unfreeze"]);

    let unknown = ["apply", "case.plan.json", "--tenant", "nosuch"];
    let unknown = tenant.expect(&soc, 1, &unknown);
    assert!(err(&unknown).contains("no tenant `nosuch`"), "{}", err(&unknown));
    let mut child = begun(&tenant, &soc, devices);
    child.kill().unwrap();
    child.wait().unwrap();
    let unknown = tenant.expect(&soc, 1, &["runs", "resume", "last", "--tenant", "nosuch"]);
    assert!(err(&unknown).contains("no tenant `nosuch`"), "{}", err(&unknown));
    // A second tenant of the workspace: the run has nothing for it, and is carried out whole or not.
    let file = soc.join("palisade.yaml");
    let text = fs::read_to_string(&file).unwrap();
    let second = "tenants:\n  - name: other\n    tenantId: 99999999-2222-3333-4444-555555555555\n";
    fs::write(&file, text.replacen("tenants:\n", second, 1)).unwrap();
    let out_of_it = tenant.expect(&soc, 1, &["runs", "resume", "last", "--tenant", "other"]);
    assert!(err(&out_of_it).contains("which `--tenant` leaves out"), "{}", err(&out_of_it));
    assert_eq!(state(&tenant, &soc), "open");
    fs::write(&file, text).unwrap();
    finish(&tenant, &soc, devices);
}

#[test]
fn nothing_to_do_is_a_document_too() {
    let tenant = Emulated::start(&["--devices", "60", "--speed", "60"]);
    let soc = tenant.workspace();
    tenant.expect(&soc, 0, &["apply", "--auto-approve"]);
    tenant.expect(&soc, 0, &["plan", "--out", "empty.plan.json"]);
    for command in [
        &["apply", "--auto-approve"][..],
        &["apply", "empty.plan.json"],
        &["cancel", "--ours", "--auto-approve"],
    ] {
        let output = tenant.expect(&soc, 0, &[command, &["--format", "json"]].concat());
        let result = json(&output);
        fits("run", &result);
        assert_eq!((&result["total"], result.get("run")), (&0.into(), None), "{result:#}");
        assert_eq!(result["changes"].as_array().map(Vec::len), Some(0));
    }
    let undo = ["undo", "last", "--auto-approve", "--format", "json"];
    tenant.expect(&soc, 0, &undo);
    let first = json(&tenant.expect(&soc, 0, &["runs", "list", "--format", "json"]));
    let first = first["runs"][1]["run"].as_str().unwrap();
    let again = tenant.expect(&soc, 0, &["undo", first, "--auto-approve", "--format", "json"]);
    fits("run", &json(&again));
    assert_eq!(json(&again)["total"], 0);
    assert!(err(&again).contains("already undone"), "{}", err(&again));
}

#[cfg(unix)]
fn pipe(path: &Path) {
    let _ = fs::remove_file(path);
    let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

#[cfg(unix)]
#[test]
fn a_pipe_freezes_and_never_hangs() {
    let (tenant, soc, devices) = standing();
    pipe(&soc.join(FREEZE));
    let status = tenant.expect(&soc, 3, &["freeze", "--status"]);
    assert!(out(&status).contains("cannot be read whole"), "{}", out(&status));
    tenant.expect(&soc, 3, &["apply", "case.plan.json"]);
    tenant.expect(&soc, 0, &["unfreeze"]);
    // In the middle of a run.
    let child = begun(&tenant, &soc, devices);
    pipe(&soc.join(FREEZE));
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", err(&output));
    assert!(out(&output).contains("its end was not waited for"), "{}", out(&output));
    assert!(!out(&output).contains("offline"), "{}", out(&output));
    tenant.expect(&soc, 0, &["unfreeze"]);

    let folder = crate::cli_stop::folder(&tenant, &soc);
    for name in ["journal.jsonl", "plan.json"] {
        let kept = fs::read(folder.join(name)).unwrap();
        pipe(&folder.join(name));
        let checks = json(&tenant.expect(&soc, 1, &["runs", "verify", "--format", "json"]));
        assert_eq!(checks["runs"][0]["verdict"], "broken", "{checks:#}");
        tenant.expect(&soc, 1, &["runs", "resume"]);
        fs::remove_file(folder.join(name)).unwrap();
        fs::write(folder.join(name), kept).unwrap();
    }
    let lock = folder.parent().unwrap().join("lock");
    pipe(&lock);
    let verified = tenant.expect(&soc, 1, &["runs", "verify"]);
    assert!(err(&verified).contains("no regular file"), "{}", err(&verified));
    fs::remove_file(lock).unwrap();
    tenant.expect(&soc, 0, &["freeze", "--status"]);
}

#[test]
fn cancelling_tells_a_policy_that_has_nothing_pending_from_nothing_pending() {
    let (tenant, soc, devices) = standing();
    let named = ["cancel", "--ours", "--policy", "nosuch", "--auto-approve"];
    let none = tenant.expect(&soc, 0, &named);
    assert!(out(&none).contains("Nothing to do"), "{}", out(&none));
    let mut child = begun(&tenant, &soc, devices);
    // A run that is under way is stopped first, and that is what is said.
    let locked = tenant.expect(&soc, 1, &["cancel", "--ours", "--auto-approve"]);
    assert!(err(&locked).contains("Ctrl-C"), "{}", err(&locked));
    assert!(err(&locked).contains("palisade freeze"), "{}", err(&locked));
    assert!(!err(&locked).contains("wait for its end"), "{}", err(&locked));
    child.kill().unwrap();
    child.wait().unwrap();
    let other = tenant.expect(&soc, 1, &named);
    assert!(err(&other).contains("policy `nosuch`"), "{}", err(&other));
    assert!(err(&other).contains("pending: "), "{}", err(&other));
    assert_eq!(sent(&tenant).len(), devices);
}

#[test]
fn a_second_freeze_keeps_the_longer_end_and_the_newer_reason() {
    let tenant = Emulated::start(&["--devices", "20"]);
    let soc = tenant.workspace();
    let status = || json(&tenant.expect(&soc, 3, &["freeze", "--status", "--format", "json"]));
    tenant.expect(&soc, 0, &["freeze", "--because", "first", "--until", "4h"]);
    let end = status()["until"].clone();
    tenant.expect(&soc, 0, &["freeze", "--because", "second", "--until", "1h"]);
    assert_eq!((&status()["because"], &status()["until"]), (&"second".into(), &end));
    tenant.expect(&soc, 0, &["freeze"]);
    assert_eq!((&status()["because"], status().get("until")), (&"second".into(), None));
    // One that nobody can read stays as it is, and that is said.
    fs::write(soc.join(FREEZE), b"\xff").unwrap();
    let kept = tenant.expect(&soc, 0, &["freeze", "--because", "third"]);
    assert!(err(&kept).contains("the new reason is not written"), "{}", err(&kept));
    assert_eq!(fs::read(soc.join(FREEZE)).unwrap(), b"\xff");
}

#[test]
fn a_folder_in_place_of_a_file_and_a_file_that_is_not_there_come_with_advice() {
    let tenant = Emulated::start(&["--devices", "20"]);
    let soc = tenant.workspace();
    fs::create_dir(soc.join(FREEZE)).unwrap();
    let refuse = |args: &[&str], word: &str| {
        let said = err(&tenant.expect(&soc, 1, args));
        assert!(said.contains("help:") && said.contains(word), "{args:?}: {said}");
    };
    refuse(&["unfreeze"], "by hand");
    fs::remove_dir(soc.join(FREEZE)).unwrap();
    refuse(&["show", "nosuch.json"], "palisade plan --out FILE");
    refuse(&["apply", "nosuch.json"], "palisade plan --out FILE");
    refuse(&["apply", "."], "folder");
    refuse(&["show", "."], "folder");
    refuse(&["plan", "--out", "."], "folder");
    refuse(&["plan", "--out", "policies"], "folder");
    refuse(&["plan", "--out", "nosuch/case.plan.json"], "nosuch");
    refuse(&["undo", "last", "--out", "policies"], "folder");
}
