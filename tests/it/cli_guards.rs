//! Guardrails as people meet them: what holds, `--lift CODE --because TEXT`, and what is on record.

use std::path::Path;

use palisade::host::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::cli_flow::Emulated;
use crate::cli_interrupt::control;
use crate::cli_process::{err, out};

/// Why the cap is lifted in these tests.
const WHY: &str = "IR-7781, agreed with the CISO";

fn edit(soc: &Path, from: &str, to: &str) {
    let file = soc.join("palisade.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.contains(from), "{text}");
    std::fs::write(&file, text.replacen(from, to, 1)).unwrap();
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn a_lift_is_by_name_with_a_reason_and_on_record_to_the_end() {
    let tenant = Emulated::start(&["--devices", "60", "--speed", "60"]);
    let soc = tenant.workspace();
    edit(&soc, "run: 50", "run: 0");
    let held = tenant.expect(&soc, 3, &["plan"]);
    assert!(out(&held).contains("HELD") && !out(&held).contains("LIFTED"), "{}", out(&held));

    let lift = ["--lift", "cap-run", "--because", WHY];
    let args = [&["plan", "--detailed-exitcode", "--out", "case.plan.json"][..], &lift].concat();
    let lifted = tenant.expect(&soc, 2, &args);
    let screen = out(&lifted);
    assert!(screen.contains("LIFTED") && screen.contains("cap 0"), "{screen}");
    assert!(screen.contains("(guardrails.caps.isolate.run)") && screen.contains(WHY), "{screen}");
    let plan = json(&soc.join("case.plan.json"));
    assert_eq!(plan["lifts"][0]["code"], "cap-run");
    assert_eq!(plan["objections"][0]["lifted"], WHY);
    assert!(plan["objections"][0]["about"].as_u64().unwrap() > 0);
    let shown = out(&tenant.expect(&soc, 0, &["show", "case.plan.json", "--format", "markdown"]));
    assert!(shown.contains("LIFTED") && shown.contains("cap-run lifted"), "{shown}");

    let both = [&["apply", "case.plan.json"][..], &lift].concat();
    let refused = err(&tenant.expect(&soc, 1, &both));
    assert!(refused.contains("a plan file says itself what is lifted"), "{refused}");
    let applied = out(&tenant.expect(&soc, 0, &["apply", "case.plan.json"]));
    assert!(applied.contains(&format!("LIFTED cap-run because “{WHY}”")), "{applied}");
    let entries = out(&tenant.expect(&soc, 0, &["runs", "show", "--entries", "--format", "json"]));
    let entries: Value = serde_json::from_str(&entries).unwrap();
    assert_eq!(entries["entries"][0]["lifts"][0]["because"], WHY);
    let run = out(&tenant.expect(&soc, 0, &["runs", "show"]));
    assert_eq!(run, applied);
}

#[test]
fn lifts_that_are_none_are_refused_before_anything_is_read() {
    let tenant = Emulated::start(&["--devices", "20", "--speed", "60"]);
    let soc = tenant.workspace();
    let because = ["--because", "x"];
    for (command, lift, said) in [
        ("plan", &["--lift", "cap-run"][..], "gives no reason"),
        ("plan", &because[..], "belongs to no `--lift`"),
        ("plan", &["--lift", "cap-runs", "--because", "x"], "did you mean `cap-run`?"),
        ("plan", &["--lift", "all", "--because", "x"], "each by its own name: `cap-alert-rule`"),
        ("plan", &["--lift", "protected", "--because", "x"], "nothing lifts `protected`"),
        ("apply", &["--auto-approve", "--lift", "cap-run"], "gives no reason"),
    ] {
        let output = tenant.expect(&soc, 1, &[&[command][..], lift].concat());
        assert!(err(&output).contains(said) && out(&output).is_empty(), "{}", err(&output));
    }
    let args = ["apply", "--auto-approve", "--lift", "max-lease", "--because", "to be safe"];
    let unused = tenant.expect(&soc, 0, &args);
    assert!(err(&unused).contains("`max-lease` had nothing to lift"), "{}", err(&unused));
}

/// Adds a setting to the guardrails of the starter workspace.
fn set(soc: &Path, setting: &str) {
    edit(soc, "guardrails:\n", &format!("guardrails:\n  {setting}\n"));
}

#[test]
fn a_freeze_holds_until_it_is_lifted_and_the_guardrails_explain_themselves() {
    let tenant = Emulated::start(&["--devices", "60", "--speed", "60"]);
    let soc = tenant.workspace();
    tenant.expect(&soc, 2, &["plan", "--detailed-exitcode"]);
    set(&soc, r#"freeze: [{name: closing, schedule: "* * * * *", window: 1h}]"#);
    let held = out(&tenant.expect(&soc, 3, &["plan", "--detailed-exitcode"]));
    assert!(held.contains("freeze closing") && held.contains("(guardrails.freeze)"), "{held}");
    let explained = out(&tenant.expect(&soc, 3, &["plan", "--explain-guardrails"]));
    assert!(explained.contains("lifted by `--lift freeze-window --because TEXT`"), "{explained}");
    assert!(explained.contains("Held by freeze-window."), "{explained}");

    let args = ["plan", "--explain-guardrails", "--format", "json", "--detailed-exitcode"];
    let lift = ["--lift", "freeze-window", "--because", WHY];
    let json = out(&tenant.expect(&soc, 2, &[&args[..], &lift].concat()));
    let json: Value = serde_json::from_str(&json).unwrap();
    let schema = palisade::schema::named("guardrails").unwrap();
    assert!(jsonschema::draft202012::new(&schema).unwrap().is_valid(&json), "{json}");
    let rails = json["guardrails"].as_array().unwrap();
    let of = |code: &str| rails.iter().find(|rail| rail["code"] == code).unwrap();
    assert_eq!(of("freeze-window")["counted"][0]["lifted"], WHY);
    assert!(of("freeze-window")["line"].is_u64() && of("max-lease")["line"].is_null());
    assert_eq!(of("max-lease")["value"], "365d");
    let run = rails.iter().find(|rail| rail["setting"] == "guardrails.caps.isolate.run").unwrap();
    assert_eq!((&run["value"], run["liftable"].as_bool()), (&50.into(), Some(true)));
    let counted = &run["counted"][0];
    let number = |key: &str| counted["facts"][key].as_u64().unwrap();
    assert_eq!(counted["left"], 50 - number("wouldBe"));
    let wrong = tenant.expect(&soc, 1, &["plan", "--explain-guardrails", "--format", "yaml"]);
    assert!(err(&wrong).contains("text or JSON"), "{}", err(&wrong));
}

#[test]
fn the_machine_that_runs_it_and_domain_controllers_are_left_out() {
    let tenant = Emulated::start(&["--devices", "60", "--speed", "60"]);
    let soc = tenant.workspace();
    tenant.expect(&soc, 0, &["plan", "--out", "all.plan.json"]);
    let plan = json(&soc.join("all.plan.json"));
    let restricts = |change: &&Value| change["verb"] == "isolate";
    let isolated = || plan["changes"].as_array().unwrap().iter().filter(restricts);
    let first = isolated().next().unwrap()["target"]["name"].as_str().unwrap();
    let host = first.split('.').next().unwrap().to_uppercase();
    let planned = tenant
        .command(&soc)
        .env("PALISADE_RUNNER", format!("{host},10.255.0.1"))
        .args(["plan", "--out", "own.plan.json"])
        .output()
        .unwrap();
    assert_eq!(planned.status.code(), Some(0), "{}", err(&planned));
    assert!(out(&planned).contains("the machine that runs Palisade"), "{}", out(&planned));
    let own = json(&soc.join("own.plan.json"));
    let held = |entry: &&Value| entry["reason"]["code"] == "self-lockout";
    let held = own["held"].as_array().unwrap().iter().find(held).unwrap();
    assert_eq!(held["target"]["name"], first);
    let lift = ["plan", "--lift", "self-lockout", "--because", "no"];
    let refused = tenant.expect(&soc, 1, &lift);
    assert!(err(&refused).contains("nothing lifts `self-lockout`"), "{}", err(&refused));

    set(&soc, "domainControllers: {also: {tag: ir-7781}}");
    let planned = tenant.expect(&soc, 0, &["plan", "--out", "dc.plan.json"]);
    assert!(out(&planned).contains("domain controller by setting"), "{}", out(&planned));
    let dc = json(&soc.join("dc.plan.json"));
    let code = |entry: &&Value| entry["reason"]["code"] == "domain-controller";
    let count = dc["held"].as_array().unwrap().iter().filter(code).count();
    assert_eq!(count, isolated().count());
}

#[test]
fn a_plan_of_any_kind_is_stale_when_a_guardrail_has_changed() {
    let tenant = Emulated::start(&["--devices", "60", "--speed", "60"]);
    let soc = tenant.workspace();
    let stale = |file: &str| {
        let refused = tenant.expect(&soc, 6, &["apply", file]);
        let said = err(&refused);
        assert!(said.contains("is stale") && said.contains("since: `palisade.yaml`"), "{said}");
    };
    let file = soc.join("palisade.yaml");
    let before = std::fs::read_to_string(&file).unwrap();
    edit(&soc, "run: 50", "run: 0");
    let lift = ["plan", "--out", "lifted.plan.json", "--lift", "cap-run", "--because", WHY];
    tenant.expect(&soc, 0, &lift);
    set(&soc, "dwell: 2h");
    stale("lifted.plan.json");
    std::fs::write(&file, &before).unwrap();
    tenant.expect(&soc, 0, &["plan", "--out", "case.plan.json"]);
    // Whoever only moves a comment has changed nothing.
    std::fs::write(&file, format!("# reviewed\n{before}")).unwrap();
    tenant.expect(&soc, 0, &["apply", "case.plan.json"]);
    tenant.expect(&soc, 0, &["undo", "last", "--out", "undo.plan.json"]);
    edit(&soc, "run: 50", "run: 49");
    stale("undo.plan.json");
    // Cancelling rests on the workspace alone, and what it applies at once is what it planned.
    std::fs::write(soc.join("policies/broken.yaml"), "kind: [").unwrap();
    tenant.expect(&soc, 0, &["cancel", "--ours", "--auto-approve"]);
}

#[test]
fn what_was_read_is_not_counted_again_although_the_services_clock_is_ahead() {
    let ahead = SystemClock.now() + jiff::SignedDuration::from_hours(1);
    let tenant =
        Emulated::start(&["--devices", "60", "--speed", "60", "--start", &ahead.to_string()]);
    let soc = tenant.workspace();
    edit(&soc, "group: 25%", "group: 100%\n      fleet: 3");
    tenant.expect(&soc, 0, &["apply", "--auto-approve"]);
    let file = soc.join("policies/containment/ir-tagged-devices.yaml");
    let policy = std::fs::read_to_string(&file).unwrap();
    let other = "id: 508ae87008bd5be9c3e2b50c0a0fb0df4ac8d67b";
    let second = policy.replace("name: ir-7781", "name: other").replace("tag: ir-7781", other);
    std::fs::write(soc.join("policies/second.yaml"), second).unwrap();
    let told =
        tenant.expect(&soc, 2, &["plan", "--detailed-exitcode", "--out", "second.plan.json"]);
    let said = err(&told);
    assert!(said.contains("The clock of tenant `emulator` is 1 h"), "{said}");
    assert!(said.contains("ahead of this machine's"), "{said}");
    let plan = json(&soc.join("second.plan.json"));
    let section = &plan["tenants"][0];
    // Of three that the fleet may have one is foreign, one was taken, and the plan takes the last one.
    assert_eq!(
        (&section["room"][0]["limit"], &section["room"][0]["left"]),
        (&"cap-fleet".into(), &0.into())
    );
    let time = |key: &str| section[key].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(time("serviceAt").duration_since(time("observedAt")).as_secs() >= 3_600, "{section}");
    tenant.expect(&soc, 0, &["apply", "second.plan.json"]);
}

#[test]
fn what_others_did_is_seen_although_the_services_clock_is_behind() {
    let behind = SystemClock.now() - jiff::SignedDuration::from_hours(10);
    let start = behind.to_string();
    let tenant = Emulated::start(&["--devices", "60", "--speed", "60", "--start", &start]);
    let soc = tenant.workspace();
    tenant.expect(&soc, 0, &["plan", "--out", "case.plan.json"]);
    let plan = json(&soc.join("case.plan.json"));
    let isolates = |change: &&Value| change["verb"] == "isolate";
    let device =
        &plan["changes"].as_array().unwrap().iter().find(isolates).unwrap()["target"]["id"];
    for verb in ["isolate", "release"] {
        let act = json!({"actor": "ana@contoso.example", "verb": verb, "device": device});
        control(&tenant, "POST", "act", &act.to_string());
        control(&tenant, "POST", "advance", r#"{"by":"20m"}"#);
    }
    let applied = tenant.expect(&soc, 5, &["apply", "case.plan.json"]);
    assert!(out(&applied).contains("1 moved"), "{}", out(&applied));
    let path =
        format!("requests?method=POST&path=/api/machines/{}/isolate", device.as_str().unwrap());
    let sent = control(&tenant, "GET", &path, "");
    assert_eq!(sent["requests"].as_array().map(Vec::len), Some(0), "{sent}");
}
