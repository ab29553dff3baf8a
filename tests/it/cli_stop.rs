//! Stopping and going back: freeze, cancel, undo, and journals that somebody changed.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::cli_flow::Emulated;
use crate::cli_interrupt::{begun, finish, sent, standing, state};
use crate::cli_process::{err, out};

const FREEZE: &str = "palisade.freeze";

pub(crate) fn json(output: &std::process::Output) -> Value {
    serde_json::from_str(&out(output)).unwrap()
}

/// The JSON of a command satisfies the schema that is committed for it.
pub(crate) fn fits(name: &str, value: &Value) {
    let schema = palisade::schema::named(name).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(value).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{name}: {errors:?}\n{value:#}");
}

#[test]
fn a_freeze_refuses_every_apply_before_anything_is_sent() {
    let (tenant, soc, _) = standing();
    let frozen = tenant.expect(&soc, 0, &["freeze", "--because", "IR-7781", "--until", "4h"]);
    assert!(out(&frozen).starts_with("the workspace is frozen since "), "{}", out(&frozen));
    let refused = |args: &[&str]| {
        let output = tenant.expect(&soc, 3, args);
        assert!(out(&output).is_empty(), "{}", out(&output));
        assert!(err(&output).contains("nothing was sent: the workspace is frozen"));
        err(&output)
    };
    let said = refused(&["apply", "case.plan.json"]);
    assert!(said.contains("IR-7781") && said.contains("palisade unfreeze"), "{said}");
    refused(&["apply", "--auto-approve"]);
    let status = tenant.expect(&soc, 3, &["freeze", "--status", "--format", "json"]);
    fits("freeze", &json(&status));
    assert_eq!(
        (&json(&status)["frozen"], &json(&status)["because"]),
        (&true.into(), &"IR-7781".into())
    );
    // The plan still shows what would be done, and says that it is not.
    let plan = tenant.expect(&soc, 2, &["plan", "--detailed-exitcode"]);
    assert!(out(&plan).contains("NOTE   the workspace is frozen"), "{}", out(&plan));
    // A shorter freeze does not shorten it.
    let text = fs::read_to_string(soc.join(FREEZE)).unwrap();
    tenant.expect(&soc, 0, &["freeze", "--until", "1h"]);
    assert_eq!(fs::read_to_string(soc.join(FREEZE)).unwrap(), text);
    tenant.expect(&soc, 0, &["unfreeze"]);
    tenant.expect(&soc, 0, &["freeze", "--status"]);
    assert!(!soc.join(FREEZE).exists());
    // Made by hand: empty, unreadable, in the way.
    fs::write(soc.join(FREEZE), "").unwrap();
    refused(&["apply", "case.plan.json"]);
    fs::write(soc.join(FREEZE), b"\xff\xfe").unwrap();
    assert!(refused(&["apply", "case.plan.json"]).contains("cannot be read whole"));
    fs::remove_file(soc.join(FREEZE)).unwrap();
    fs::create_dir(soc.join(FREEZE)).unwrap();
    refused(&["apply", "case.plan.json"]);
    fs::remove_dir(soc.join(FREEZE)).unwrap();
    // One that is over holds nobody.
    fs::write(soc.join(FREEZE), "until: 2020-01-01T00:00:00Z\n").unwrap();
    tenant.expect(&soc, 0, &["freeze", "--status"]);
    assert!(sent(&tenant).is_empty(), "{:?}", sent(&tenant));
    assert_eq!(state_count(&tenant, &soc), 0);
}

fn state_count(tenant: &Emulated, soc: &Path) -> usize {
    let runs = json(&tenant.expect(soc, 0, &["runs", "list", "--format", "json"]));
    fits("runs", &runs);
    runs["runs"].as_array().unwrap().len()
}

#[test]
fn a_freeze_stops_a_run_that_is_under_way_and_resume_settles_it() {
    let (tenant, soc, devices) = standing();
    let child = begun(&tenant, &soc, devices);
    // A run that is under way is not undone, and its journal is no evidence yet.
    let early = tenant.expect(&soc, 1, &["undo", "last", "--auto-approve"]);
    assert!(err(&early).contains("is under way"), "{}", err(&early));
    let checks = json(&tenant.expect(&soc, 0, &["runs", "verify", "--format", "json"]));
    fits("run-checks", &checks);
    assert_eq!(checks["runs"][0]["verdict"], "underWay");
    fs::write(soc.join(FREEZE), "").unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(5), "{}", err(&output));
    assert!(out(&output).contains("Stopped: the workspace is frozen"), "{}", out(&output));
    assert_eq!(state(&tenant, &soc), "stopped");
    // Everything was sent before it: settling that is let through, and is the end of the run.
    finish(&tenant, &soc, devices);
    tenant.expect(&soc, 0, &["unfreeze"]);
}

#[test]
fn cancelling_takes_back_what_is_ours_and_works_while_frozen() {
    let (tenant, soc, devices) = standing();
    let mut child = begun(&tenant, &soc, devices);
    child.kill().unwrap();
    child.wait().unwrap();
    tenant.expect(&soc, 0, &["freeze"]);
    let listed =
        json(&tenant.expect(&soc, 0, &["actions", "list", "--pending", "--format", "json"]));
    fits("actions", &listed);
    let rows = listed["tenants"][0]["rows"].as_array().unwrap().clone();
    let ours = |row: &&Value| row["comment"].as_str().unwrap().contains("[palisade ");
    let others = rows.iter().filter(|row| !ours(row)).count();
    assert_eq!(rows.iter().filter(ours).count(), devices);
    let alone = tenant.expect(&soc, 1, &["cancel", "--auto-approve"]);
    assert!(err(&alone).contains("--ours"), "{}", err(&alone));
    if let Some(other) = rows.iter().find(|row| !ours(row)) {
        let id = other["id"].as_str().unwrap();
        let refused = tenant.expect(&soc, 1, &["actions", "cancel", id, "--auto-approve"]);
        assert!(err(&refused).contains("is not of this workspace"), "{}", err(&refused));
    }
    let one = rows.iter().find(ours).unwrap()["id"].as_str().unwrap();
    let first = tenant.expect(&soc, 0, &["actions", "cancel", one, "--auto-approve"]);
    assert!(out(&first).contains("1 change as planned"), "{}", out(&first));
    let none =
        tenant.expect(&soc, 1, &["cancel", "--ours", "--policy", "no-such", "--auto-approve"]);
    assert!(err(&none).contains("policy `no-such`"), "{}", err(&none));
    let rest = tenant.expect(&soc, 0, &["cancel", "--ours", "--auto-approve", "--format", "json"]);
    let result = json(&rest);
    fits("run", &result);
    assert_eq!(result["counts"]["done"], devices - 1);
    let left = json(&tenant.expect(&soc, 0, &["actions", "list", "--pending", "--format", "json"]));
    assert_eq!(left["tenants"][0]["rows"].as_array().unwrap().len(), others);
    // Its own run cannot be taken back.
    tenant.expect(&soc, 0, &["unfreeze"]);
    let undo = tenant.expect(&soc, 0, &["undo", "last", "--auto-approve"]);
    let said = out(&undo);
    assert!(said.contains("no inverse") && said.contains("Nothing to do"), "{said}");
}

#[test]
fn an_undone_run_leaves_the_tenant_as_it_was_and_the_next_plan_leaves_it_so() {
    let tenant = Emulated::start(&["--devices", "60", "--speed", "60"]);
    let soc = tenant.workspace();
    tenant.expect(&soc, 0, &["plan", "--out", "case.plan.json"]);
    let devices = || {
        let plan = tenant.expect(&soc, 0, &["plan", "--format", "json"]);
        let plan: Value = serde_json::from_str(&out(&plan)).unwrap();
        plan["changes"].as_array().unwrap().clone()
    };
    let verbs = |changes: &[Value], verb: &str| {
        changes.iter().filter(|change| change["verb"] == verb).count()
    };
    let first = devices();
    let isolated = verbs(&first, "isolate");
    assert!(isolated > 0);
    tenant.expect(&soc, 0, &["apply", "case.plan.json"]);
    let planned = tenant.expect(&soc, 0, &["undo", "last", "--out", "undo.plan.json"]);
    assert!(out(&planned).contains("undoes run "), "{}", out(&planned));
    let file: Value =
        serde_json::from_slice(&fs::read(soc.join("undo.plan.json")).unwrap()).unwrap();
    fits("plan", &file);
    assert_eq!(file["purpose"], "undo");
    assert_eq!(verbs(file["changes"].as_array().unwrap(), "release"), isolated);
    let applied = tenant.expect(&soc, 0, &["apply", "undo.plan.json"]);
    assert!(out(&applied).contains("as planned"), "{}", out(&applied));
    // What was undone is not simply done again.
    assert_eq!(verbs(&devices(), "isolate"), 0);
    assert_eq!(verbs(&devices(), "classify"), 0);
    // And the undoing is undone: by the beginning of its name.
    let redo = tenant.expect(&soc, 0, &["undo", "last", "--auto-approve", "--format", "json"]);
    let redo = json(&redo);
    fits("run", &redo);
    let again = redo["changes"].as_array().unwrap();
    assert_eq!(verbs(again, "isolate"), isolated);
    tenant.expect(&soc, 0, &["runs", "verify"]);
    let nobody = tenant.expect(&soc, 1, &["undo", "19991231", "--auto-approve"]);
    assert!(err(&nobody).contains("there is no run"), "{}", err(&nobody));
}

/// The only run's folder.
pub(crate) fn folder(tenant: &Emulated, soc: &Path) -> PathBuf {
    let runs = json(&tenant.expect(soc, 0, &["runs", "list", "--format", "json"]));
    let name = runs["runs"][0]["run"].as_str().unwrap();
    let found = walk(soc).into_iter().find(|path| path.ends_with(name));
    found.unwrap_or_else(|| panic!("no folder {name}"))
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
            found.push(path);
        }
    }
    found
}

#[test]
fn verify_finds_whatever_somebody_did_to_a_run() {
    let tenant = Emulated::start(&["--devices", "60", "--speed", "60"]);
    let soc = tenant.workspace();
    tenant.expect(&soc, 0, &["apply", "--auto-approve"]);
    tenant.expect(&soc, 0, &["runs", "verify", "last"]);
    let run = folder(&tenant, &soc);
    let (journal, plan) = (run.join("journal.jsonl"), run.join("plan.json"));
    let (lines, planned) =
        (fs::read_to_string(&journal).unwrap(), fs::read_to_string(&plan).unwrap());
    let all: Vec<&str> = lines.split_inclusive('\n').collect();
    let last = all.len() - 1;
    assert!(last > 3);
    let swapped = |a: usize, b: usize| {
        let mut all = all.clone();
        all.swap(a, b);
        all.concat()
    };
    let edited = |at: usize| {
        let mut all: Vec<String> = all.iter().map(|line| (*line).to_owned()).collect();
        all[at] = all[at].replacen("\"time\":\"2", "\"time\":\"1", 1);
        all.concat()
    };
    let bare = format!(
        "{lines}{{\"seq\":{},\"time\":\"2026-01-01T00:00:00Z\",\"prev\":\"\",\"type\":\"resumed\",\"tool\":\"x\"}}\n",
        all.len()
    );
    for (what, text, verdict) in [
        ("edited", edited(2), "broken"),
        ("edited at its end", edited(last), "broken"),
        ("removed", [&all[..2], &all[3..]].concat().concat(), "broken"),
        ("swapped", swapped(1, 2), "broken"),
        ("added", bare, "broken"),
        ("added twice", format!("{lines}{}", all[last]), "broken"),
        ("cut in a line", lines[..lines.len() - 9].to_owned(), "noEnd"),
        ("cut between lines", all[..last].concat(), "noEnd"),
        ("emptied", String::new(), "broken"),
    ] {
        fs::write(&journal, text).unwrap();
        let checks = json(&tenant.expect(&soc, 1, &["runs", "verify", "--format", "json"]));
        fits("run-checks", &checks);
        assert_eq!(checks["runs"][0]["verdict"], verdict, "{what}: {checks:#}");
        assert!(checks["runs"][0]["trouble"].is_string(), "{what}");
    }
    fs::write(&journal, &lines).unwrap();
    // The plan is sealed itself; another plan that is sealed is not the journal's.
    fs::write(&plan, planned.replacen("\"workspace\"", "\"workspace\" ", 1)).unwrap();
    let output = tenant.expect(&soc, 1, &["runs", "verify"]);
    assert!(out(&output).contains("edited"), "{}", out(&output));
    tenant.expect(&soc, 1, &["undo", "last", "--auto-approve"]);
    tenant.expect(&soc, 0, &["plan", "--out", "other.json"]);
    fs::copy(soc.join("other.json"), &plan).unwrap();
    let output = tenant.expect(&soc, 1, &["runs", "verify"]);
    assert!(out(&output).contains("the journal is of plan"), "{}", out(&output));
    fs::write(&plan, &planned).unwrap();
    tenant.expect(&soc, 0, &["runs", "verify"]);
    fs::remove_file(&journal).unwrap();
    let output = tenant.expect(&soc, 1, &["runs", "verify"]);
    assert!(out(&output).contains("missing"), "{}", out(&output));
}

/// What a journal no longer says the tenant is asked; what it says wrongly is not believed.
#[test]
fn an_undoing_does_not_trust_a_journal_that_was_tampered_with() {
    let tenant = Emulated::start(&["--devices", "60", "--speed", "60"]);
    let soc = tenant.workspace();
    tenant.expect(&soc, 0, &["plan", "--out", "case.plan.json"]);
    tenant.expect(&soc, 0, &["apply", "case.plan.json"]);
    let run = folder(&tenant, &soc);
    let name = run.file_name().unwrap().to_str().unwrap();
    let journal = run.join("journal.jsonl");
    let lines = fs::read_to_string(&journal).unwrap();
    let undone = || {
        tenant.expect(&soc, 0, &["undo", name, "--out", "undo.plan.json"]);
        let bytes = fs::read(soc.join("undo.plan.json")).unwrap();
        let file: Value = serde_json::from_slice(&bytes).unwrap();
        // Of an alert nobody could tell who set it.
        let changes = file["changes"].as_array().unwrap().clone();
        let devices = changes.iter().filter(|change| change["target"]["kind"] == "device");
        devices.map(|change| change["target"]["id"].clone()).collect::<Vec<_>>()
    };
    let whole = undone();
    assert!(!whole.is_empty());
    let first = lines.split_inclusive('\n').next().unwrap();
    fs::write(&journal, first).unwrap();
    assert_eq!(undone(), whole, "the tenant knows what the journal lacks");
    fs::write(&journal, "").unwrap();
    let refused = tenant.expect(&soc, 1, &["undo", name, "--auto-approve"]);
    assert!(err(&refused).contains("does not begin with the start"), "{}", err(&refused));

    // A second run of the same plan did nothing: its journal is not that of the first.
    fs::write(&journal, &lines).unwrap();
    tenant.expect(&soc, 0, &["apply", "case.plan.json"]);
    let second = folder(&tenant, &soc);
    assert_ne!(second, run);
    fs::copy(second.join("journal.jsonl"), &journal).unwrap();
    let output = tenant.expect(&soc, 1, &["runs", "verify", name]);
    assert!(out(&output).contains("the journal is of run"), "{}", out(&output));
    let refused = tenant.expect(&soc, 1, &["undo", name, "--auto-approve"]);
    assert!(err(&refused).contains("is not known"), "{}", err(&refused));
    let refused = tenant.expect(&soc, 1, &["runs", "resume", name]);
    assert!(err(&refused).contains("is that of run"), "{}", err(&refused));
}

#[test]
fn a_plan_that_was_edited_is_shown_as_such() {
    let tenant = Emulated::start(&["--devices", "60", "--speed", "60"]);
    let soc = tenant.workspace();
    tenant.expect(&soc, 0, &["plan", "--out", "case.plan.json"]);
    let file = fs::read_to_string(soc.join("case.plan.json")).unwrap();
    let edited = file.replacen("\"risk\": \"", "\"risk\":  \"", 1);
    assert_ne!(edited, file);
    fs::write(soc.join("edited.json"), edited).unwrap();
    let shown = tenant.expect(&soc, 1, &["show", "edited.json"]);
    assert!(out(&shown).starts_with("EDITED: "), "{}", out(&shown));
    assert!(err(&shown).contains("`apply` refuses it"), "{}", err(&shown));
    let shown = tenant.expect(&soc, 1, &["show", "edited.json", "--format", "markdown"]);
    assert!(out(&shown).starts_with("> **EDITED: "), "{}", out(&shown));
}
