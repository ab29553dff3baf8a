//! `audit` and `accept` as processes: what deviates, what is accepted, what is watched from then on.

use serde_json::Value;

use crate::cli_flow::Emulated;
use crate::cli_interrupt::control;
use crate::cli_process::{err, out};

fn audit(tenant: &Emulated, soc: &std::path::Path) -> Value {
    let said = tenant.expect(soc, 0, &["audit", "--format", "json"]);
    serde_json::from_str(&out(&said)).unwrap()
}

/// A device that somebody else isolated: its id and name.
fn foreign(audit: &Value) -> (String, String) {
    let rows = audit["deviations"].as_array().unwrap();
    let row = rows
        .iter()
        .find(|row| row["cause"] == "foreign" && row["facet"] == "isolation")
        .unwrap_or_else(|| panic!("nobody else isolated anything: {audit:#}"));
    for key in ["action", "requestor", "at"] {
        assert!(row["evidence"][key].is_string(), "{row:#}");
    }
    let text = |key: &str| row["target"][key].as_str().unwrap().to_owned();
    (text("id"), text("name"))
}

fn about(audit: &Value, id: &str) -> Vec<String> {
    let rows = audit["deviations"].as_array().unwrap().iter();
    rows.filter(|row| row["target"]["id"] == id && row["facet"] == "isolation")
        .map(|row| row["cause"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_foreign_isolation_is_accepted_and_then_quiet() {
    let tenant = Emulated::start(&["--devices", "500", "--seed", "7"]);
    let soc = tenant.workspace();
    let before = audit(&tenant, &soc);
    let total: u64 =
        before["deviating"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(total as usize, before["deviations"].as_array().unwrap().len());
    let (id, _) = foreign(&before);
    tenant.expect(&soc, 2, &["audit", "--detailed-exitcode"]);
    let text = out(&tenant.expect(&soc, 0, &["audit"]));
    assert!(text.contains("foreign") && text.contains("as intended"), "{text}");
    let xml = out(&tenant.expect(&soc, 0, &["audit", "--format", "junit"]));
    assert!(xml.contains("<testcase") && xml.ends_with("</testsuite>\n"), "{xml}");
    let markdown = out(&tenant.expect(&soc, 0, &["audit", "--format", "markdown"]));
    assert!(markdown.starts_with("### Palisade audit"), "{markdown}");

    let why = ["--reason", "forensics keep it", "--approver", "ciso@contoso.example"];
    let accept = |more: &[&'static str]| [&["accept", id.as_str()], &why[..], more].concat();
    let usage = tenant.expect(&soc, 1, &accept(&[]));
    assert!(err(&usage).contains("--expires"), "{}", err(&usage));
    let shown = out(&tenant.expect(&soc, 0, &accept(&["--expires", "14d", "--stdout"])));
    assert!(shown.contains("accepted:\n    isolation: full") && shown.contains(&id), "{shown}");
    let expires = shown.lines().find(|line| line.starts_with("  expires: ")).unwrap();
    assert!(expires.ends_with('Z') && !expires.contains('.'), "{expires}");
    assert!(!soc.join("policies/exemptions/kept.yaml").exists());
    let named = [&accept(&["--expires", "14d", "--name", "kept"])[..], &[id.as_str()]].concat();
    let written = tenant.expect(&soc, 0, &named);
    assert!(out(&written).ends_with("policies/exemptions/kept.yaml\n"), "{}", out(&written));
    assert!(err(&written).contains("counts for this folder at once"), "{}", err(&written));
    let file = std::fs::read_to_string(soc.join("policies/exemptions/kept.yaml")).unwrap();
    tenant.expect(&soc, 0, &["validate"]);
    tenant.expect(&soc, 0, &["fmt", "--check", "policies/exemptions/kept.yaml"]);

    let after = audit(&tenant, &soc);
    assert_eq!(about(&after, &id), [] as [&str; 0]);
    let rows = after["exemptions"].as_array().unwrap();
    let row = rows.iter().find(|row| row["name"] == "kept").unwrap();
    assert_eq!((&row["accepted"], &row["state"]), (&1.into(), &"ending".into()));
    // It does not deviate any longer, and what stands there is not overwritten.
    let again = tenant.expect(&soc, 1, &named);
    let said = "isolation of `";
    assert!(
        err(&again).contains(said) && err(&again).contains("already, by `kept`"),
        "{}",
        err(&again)
    );
    assert_eq!(std::fs::read_to_string(soc.join("policies/exemptions/kept.yaml")).unwrap(), file);
    // While nobody can tell whom it means, a second one is not written either.
    let kept = soc.join("policies/exemptions/kept.yaml");
    let one = format!("    id: {id}");
    assert!(file.contains(&one), "{file}");
    let either = format!("    any: [{{id: {id}}}, {{alert: {{title: nobody saw this}}}}]");
    std::fs::write(&kept, file.replace(&one, &either)).unwrap();
    let fault = "fault 403 x* on GET /v1.0/security/alerts_v2";
    control(&tenant, "POST", "scenario", fault);
    let doubled = tenant.expect(&soc, 1, &accept(&["--expires", "14d", "--name", "second"]));
    assert!(err(&doubled).contains("is not known: selector-partial"), "{}", err(&doubled));
    control(&tenant, "POST", "scenario", "clear faults");
    std::fs::write(&kept, "# mine\n").unwrap();
    let taken = tenant.expect(&soc, 1, &named);
    assert!(err(&taken).contains("is there already"), "{}", err(&taken));
    std::fs::remove_file(soc.join("policies/exemptions/kept.yaml")).unwrap();
    let nobody = tenant.expect(
        &soc,
        1,
        &["accept", "nobody", "--expires", "14d", "--reason", "r", "--approver", "a"],
    );
    let said = err(&nobody);
    assert!(said.contains("no tenant has a device `nobody`") && said.contains("help"), "{said}");
    let past = tenant.expect(&soc, 1, &accept(&["--expires", "2020-01-01T00:00:00Z"]));
    assert!(err(&past).contains("has passed") && err(&past).contains("help"), "{}", err(&past));
    let mute = ["--expires", "14d", "--reason", "\u{200b}", "--approver", "a"];
    let mute = tenant.expect(&soc, 1, &[&["accept", id.as_str()], &mute[..]].concat());
    assert!(err(&mute).contains("`--reason` says nothing"), "{}", err(&mute));
}

#[test]
fn a_folder_of_policies_that_is_lost_releases_nobody() {
    let tenant = Emulated::start(&["--devices", "120", "--speed", "60"]);
    let soc = tenant.workspace();
    tenant.expect(&soc, 0, &["apply", "--auto-approve"]);
    std::fs::remove_dir_all(soc.join("policies/containment")).unwrap();
    let plan = tenant.expect(&soc, 3, &["plan", "--format", "json"]);
    let plan: Value = serde_json::from_str(&out(&plan)).unwrap();
    let changes = plan["changes"].as_array().unwrap();
    assert!(changes.iter().all(|change| change["verb"] != "release"), "{changes:#?}");
    let held = plan["held"].as_array().unwrap().iter();
    let held = held.filter(|row| row["reason"]["code"] == "orphaned-releases").count();
    assert!(held > 0, "{:#}", plan["held"]);
    let text = out(&tenant.expect(&soc, 3, &["plan"]));
    assert!(text.contains("guardrails.holdOrphanedReleases"), "{text}");
    assert!(text.contains("policy ir-7781 gone"), "{text}");
    let markdown = out(&tenant.expect(&soc, 3, &["plan", "--format", "markdown"]));
    let (open, _) = markdown.split_once("<details>").unwrap();
    assert!(open.contains("**HELD** policy ir-7781 gone"), "{open}");
}
