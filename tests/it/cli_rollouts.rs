//! Rollouts as a person meets them: a run that waits for a word, and one whose first wave fails.

use std::fs;
use std::path::Path;

use palisade::host::files::Lock;
use serde_json::{Value, json};

use crate::cli_flow::Emulated;
use crate::cli_interrupt::{control, state};
use crate::cli_process::{err, out};

/// A workspace whose isolations go out by this rollout, and the names of the devices by wave.
fn rolling(rollout: &str) -> (Emulated, std::path::PathBuf, Vec<(u64, String)>) {
    let tenant = Emulated::start(&["--devices", "300", "--speed", "600"]);
    let soc = tenant.workspace();
    let file = soc.join("policies/containment/ir-tagged-devices.yaml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}  rollout: {rollout}\n")).unwrap();
    tenant.expect(&soc, 0, &["plan", "--out", "case.plan.json"]);
    let plan: Value =
        serde_json::from_slice(&fs::read(soc.join("case.plan.json")).unwrap()).unwrap();
    let changes = plan["changes"].as_array().unwrap();
    let mut waves: Vec<(u64, String)> = changes
        .iter()
        .filter(|change| change["verb"] == "isolate")
        .map(|change| {
            let name = change["target"]["name"].as_str().unwrap();
            (change["wave"].as_u64().unwrap(), name.to_owned())
        })
        .collect();
    waves.sort();
    assert!(waves.len() > 2 && waves[0].0 == 1 && waves[1].0 == 2, "{waves:?}");
    (tenant, soc, waves)
}

fn isolations(tenant: &Emulated) -> usize {
    let page = control(tenant, "GET", "requests?method=POST&path=/api/machines/*/isolate", "");
    page["requests"].as_array().unwrap().len()
}

fn result(tenant: &Emulated, soc: &Path) -> Value {
    let shown = tenant.expect(soc, 0, &["runs", "show", "--format", "json"]);
    serde_json::from_str(&out(&shown)).unwrap()
}

#[test]
fn a_run_waits_for_a_person_and_tells_what_was_undone_meanwhile() {
    let (tenant, soc, waves) = rolling("{waves: [1], pause: first}");
    let output = tenant.expect(&soc, 5, &["apply", "case.plan.json"]);
    let screen = out(&output);
    assert!(screen.contains("after wave 1 of ir-7781 a person has to go on"), "{screen}");
    assert!(err(&output).contains("goes on with the next wave"), "{}", err(&output));
    assert_eq!((state(&tenant, &soc).as_str(), isolations(&tenant)), ("stopped", 1));

    let first = &waves[0].1;
    let act = json!({"actor": "ana@contoso.example", "verb": "release", "device": first});
    control(&tenant, "POST", "act", &act.to_string());
    let resumed = out(&tenant.expect(&soc, 0, &["runs", "resume"]));
    assert!(resumed.contains("as planned"), "{resumed}");
    assert!(resumed.contains("confirmed in an earlier wave"), "{resumed}");
    assert!(
        resumed.contains("ana@contoso.example") && resumed.contains(first.as_str()),
        "{resumed}"
    );
    assert_eq!((state(&tenant, &soc).as_str(), isolations(&tenant)), ("finished", waves.len()));
    let result = result(&tenant, &soc);
    let changes = result["changes"].as_array().unwrap();
    let since: Vec<&Value> = changes
        .iter()
        .filter(|change| change["reason"]["code"] == "changed-since")
        .map(|change| &change["target"]["name"])
        .collect();
    assert_eq!(since, [first.as_str()]);
    assert!(changes.iter().all(|change| change["outcome"] == "done"), "{changes:#?}");
    tenant.expect(&soc, 0, &["runs", "verify"]);
    // A run that has ended is not gone on with.
    let again = out(&tenant.expect(&soc, 0, &["runs", "resume"]));
    assert_eq!((again, isolations(&tenant)), (resumed, waves.len()));
}

#[test]
fn a_run_that_was_undone_while_it_waited_sends_nothing_more() {
    let (tenant, soc, waves) = rolling("{waves: [1], pause: first}");
    tenant.expect(&soc, 5, &["apply", "case.plan.json"]);
    let runs = tenant.expect(&soc, 0, &["runs", "list", "--format", "json"]);
    let runs: Value = serde_json::from_str(&out(&runs)).unwrap();
    let first = runs["runs"][0]["run"].as_str().unwrap();
    tenant.expect(&soc, 0, &["undo", first, "--auto-approve"]);
    let before = isolations(&tenant);
    let resumed = tenant.expect(&soc, 5, &["runs", "resume", first]);
    let said = err(&resumed);
    assert!(said.contains("Nothing more is sent") && said.contains("has undone it"), "{said}");
    let screen = out(&resumed);
    assert!(screen.contains(&format!("{} not attempted", waves.len() - 1)), "{screen}");
    assert_eq!(isolations(&tenant), before);
}

#[test]
fn a_first_wave_that_fails_is_the_last() {
    let (tenant, soc, waves) = rolling("{waves: [1], failureLimit: 0}");
    control(&tenant, "POST", "scenario", "switch failures-per-mille 1000");
    let output = tenant.expect(&soc, 5, &["apply", "case.plan.json"]);
    let screen = out(&output);
    let left = waves.len() - 1;
    assert!(screen.contains(&format!("1 failed + {left} not attempted")), "{screen}");
    assert!(screen.contains("rollout ir-7781 stopped in wave 1"), "{screen}");
    assert_eq!((state(&tenant, &soc).as_str(), isolations(&tenant)), ("finished", 1));
    let result = result(&tenant, &soc);
    assert_eq!(result["counts"]["notAttempted"], left);
    tenant.expect(&soc, 0, &["runs", "verify"]);
    // When the cause is found, the next plan has them all again.
    control(&tenant, "POST", "scenario", "switch failures-per-mille 0");
    tenant.expect(&soc, 2, &["plan", "--detailed-exitcode"]);
}

/// Isolates one device more than the fleet cap leaves after the plan.
fn crowd(tenant: &Emulated, soc: &Path) {
    let plan: Value =
        serde_json::from_slice(&fs::read(soc.join("case.plan.json")).unwrap()).unwrap();
    let rooms = plan["tenants"][0]["room"].as_array().unwrap();
    let room = rooms.iter().find(|room| room["limit"] == "cap-fleet").unwrap();
    let left = usize::try_from(room["left"].as_u64().unwrap()).unwrap();
    let planned = plan["changes"].as_array().unwrap();
    let devices = out(&tenant.expect(soc, 0, &["devices", "--format", "json"]));
    let devices: Value = serde_json::from_str(&devices).unwrap();
    let rows = devices["tenants"][0]["rows"].as_array().unwrap();
    let ids = rows.iter().map(|device| &device["id"]);
    let others = ids.filter(|id| planned.iter().all(|it| it["target"]["id"] != **id));
    for device in others.take(left + 1) {
        let act = json!({"actor": "ana@contoso.example", "verb": "isolate", "device": device});
        control(tenant, "POST", "act", &act.to_string());
    }
}

#[test]
fn a_run_that_waits_while_others_take_what_was_left_sends_nothing_more() {
    let (tenant, soc, waves) = rolling("{waves: [1], pause: first}");
    tenant.expect(&soc, 5, &["apply", "case.plan.json"]);
    crowd(&tenant, &soc);
    // Neither by a run of its own nor by the one that waits.
    let refused = tenant.expect(&soc, 6, &["apply", "case.plan.json", "--format", "json"]);
    let said = err(&refused);
    assert!(said.contains("`guardrails.caps.isolate.fleet`"), "{said}");
    assert!(said.contains("run `plan` again"), "{said}");
    let resumed = tenant.expect(&soc, 5, &["runs", "resume"]);
    let said = err(&resumed);
    assert!(said.contains("Nothing more is sent: by now there is no room for it"), "{said}");
    let left = waves.len() - 1;
    let screen = out(&resumed);
    assert!(screen.contains(&format!("{left} not attempted")), "{screen}");
    assert_eq!((state(&tenant, &soc).as_str(), isolations(&tenant)), ("finished", 1));
    let changes = result(&tenant, &soc)["changes"].as_array().unwrap().clone();
    let crowded = changes.iter().filter(|change| change["reason"]["code"] == "crowded");
    assert_eq!(crowded.count(), left);
    let shown = out(&tenant.expect(&soc, 0, &["runs", "show", "--entries"]));
    assert!(shown.contains("nothing more is sent: by now"), "{shown}");
    tenant.expect(&soc, 0, &["runs", "verify"]);
}

#[test]
fn a_run_goes_on_only_when_others_can_be_counted() {
    let (tenant, soc, waves) = rolling("{waves: [1], pause: first}");
    let history = "fault 403 x* on GET /api/machineactions";
    control(&tenant, "POST", "scenario", history);
    let refused = tenant.expect(&soc, 4, &["apply", "case.plan.json"]);
    let said = err(&refused);
    assert!(said.contains("cannot count anew what others did in tenant `emulator`"), "{said}");
    assert!(said.contains("nothing was sent: apply again when the tenant answers"), "{said}");
    assert_eq!(isolations(&tenant), 0);
    let runs = out(&tenant.expect(&soc, 0, &["runs", "list"]));
    assert!(runs.contains("No run"), "{runs}");
    control(&tenant, "DELETE", "faults", "");

    tenant.expect(&soc, 5, &["apply", "case.plan.json"]);
    control(&tenant, "POST", "scenario", history);
    let resumed = tenant.expect(&soc, 4, &["runs", "resume"]);
    let said = err(&resumed);
    assert!(
        said.contains("Nothing more is sent: what others did since cannot be counted"),
        "{said}"
    );
    assert!(said.contains("finishes the run"), "{said}");
    assert_eq!((state(&tenant, &soc).as_str(), isolations(&tenant)), ("stopped", 1));
    // Nothing has been decided for good.
    control(&tenant, "DELETE", "faults", "");
    let screen = out(&tenant.expect(&soc, 0, &["runs", "resume"]));
    assert!(screen.contains("as planned"), "{screen}");
    assert_eq!((state(&tenant, &soc).as_str(), isolations(&tenant)), ("finished", waves.len()));
    tenant.expect(&soc, 0, &["runs", "verify"]);
}

#[test]
fn nothing_is_counted_while_another_run_is_under_way() {
    let (tenant, soc, _) = rolling("{waves: [1]}");
    let journal = soc.join(".palisade/runs");
    fs::create_dir_all(&journal).unwrap();
    let _other =
        Lock::take(&journal.join("lock"), "run 20260101T000000Z-abcdef, process 1").unwrap();
    control(&tenant, "DELETE", "requests", "");
    let refused = err(&tenant.expect(&soc, 1, &["apply", "case.plan.json"]));
    assert!(refused.contains("another apply is running here: wait for its end"), "{refused}");
    let reads = control(&tenant, "GET", "requests?path=/api/machineactions", "");
    assert_eq!(reads["requests"].as_array().map(Vec::len), Some(0), "{reads}");
}
