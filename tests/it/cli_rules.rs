//! An organization's own rules as people meet them: what they hold, how they are lifted, what a
//! changed rule does to a plan, and where a broken one is shown.

use std::path::Path;

use crate::cli_flow::Emulated;
use crate::cli_process::{err, out};

fn rule(soc: &Path, text: &str) {
    let folder = soc.join("guardrails");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("own.rego"), text).unwrap();
}

#[test]
fn a_rule_holds_is_lifted_by_its_code_and_makes_older_plans_stale() {
    let tenant = Emulated::start(&["--devices", "60", "--speed", "60"]);
    let soc = tenant.workspace();
    let denial = "package own\ndeny contains {\"code\": \"quiet\", \"msg\": \"no isolation today\", \"verb\": \"isolate\"}\n";
    rule(&soc, denial);
    let held = out(&tenant.expect(&soc, 3, &["plan"]));
    assert!(held.contains("HELD") && held.contains("no isolation today"), "{held}");

    let args = ["plan", "--detailed-exitcode", "--out", "case.plan.json"];
    let lift = ["--lift", "rego-quiet", "--because", "IR-7781"];
    let lifted = out(&tenant.expect(&soc, 2, &[&args[..], &lift].concat()));
    assert!(lifted.contains("LIFTED") && lifted.contains("IR-7781"), "{lifted}");

    rule(&soc, &denial.replace("today", "at all"));
    let refused = err(&tenant.expect(&soc, 6, &["apply", "case.plan.json"]));
    assert!(refused.contains("stale"), "{refused}");

    rule(&soc, "package own\ndeny contains x if { x := time.now_ns() }\n");
    let shown = out(&tenant.expect(&soc, 1, &["validate"]));
    assert!(shown.contains("rego-invalid") && shown.contains("guardrails/own.rego:2"), "{shown}");
    assert!(err(&tenant.expect(&soc, 1, &["plan"])).contains("time.now_ns"));
}

/// What is there and cannot be read is no empty folder.
#[cfg(unix)]
#[test]
fn rules_that_cannot_be_read_are_an_error_and_not_absent() {
    use std::os::unix::fs::symlink;
    let tenant = Emulated::start(&["--devices", "10"]);
    let soc = tenant.workspace();
    let folder = soc.join("guardrails");
    tenant.expect(&soc, 0, &["validate"]);
    let refused = |path: &str, cause: &str| {
        let said = err(&tenant.expect(&soc, 1, &["validate"]));
        assert!(said.contains(path) && said.contains(cause) && said.contains("help"), "{said}");
    };
    symlink(soc.join("gone"), &folder).unwrap();
    refused("guardrails`", "No such file");
    std::fs::remove_file(&folder).unwrap();
    std::fs::write(&folder, "package own\ndeny contains \"m\"\n").unwrap();
    refused("guardrails`", "no folder");
    std::fs::remove_file(&folder).unwrap();
    rule(&soc, "package own\nwarn contains \"m\"\n");
    symlink(soc.join("gone"), folder.join("b.rego")).unwrap();
    refused("b.rego`", "No such file");
    std::fs::remove_file(folder.join("b.rego")).unwrap();
    tenant.expect(&soc, 0, &["validate"]);
    std::fs::write(folder.join("loud.REGO"), "package loud\ndeny contains\n").unwrap();
    let shown = out(&tenant.expect(&soc, 1, &["validate"]));
    assert!(shown.contains("rego-invalid") && shown.contains("guardrails/loud.REGO"), "{shown}");
    std::fs::remove_file(folder.join("loud.REGO")).unwrap();

    std::fs::rename(soc.join("policies"), soc.join("elsewhere")).unwrap();
    refused("policies`", "No such file");
}
