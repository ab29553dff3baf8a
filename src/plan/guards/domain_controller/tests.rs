//! Which signs make a domain controller, and what the setting corrects.

use super::*;
use crate::plan::tests::fleet::{Fleet, Machine};
use crate::plan::tests::planned;
use crate::plan::tests::policies::{isolate, set, tag, workspace};
use crate::plan::types::Plan;
use crate::policy::selector::DeviceExpr;
use crate::policy::{PolicySet, Workspace};

fn server(name: &str) -> Machine {
    Machine::new(name).platform("WindowsServer2022").group("Servers").tag("ir")
}

fn plan(machines: impl IntoIterator<Item = Machine>, workspace: &Workspace) -> Plan {
    let policies = PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() };
    planned(&policies, workspace, Fleet::of(machines).build())
}

#[test]
fn the_host_part_of_a_servers_name_says_it() {
    for (name, expected) in [
        ("dc", true),
        ("DC01", true),
        ("dc01.corp.example", true),
        ("lon-dc-01", true),
        ("LON_RODC2", true),
        ("dc-lon-01", true),
        ("londc01", true),
        ("corp-londc1", true),
        ("pdc", true),
        ("sql-prd-01.dc1.dc.contoso.example", false),
        ("web01", false),
        ("londc", false),
        ("dcom-01", false),
        ("dch1", false),
        ("dc1x-web", false),
        ("", false),
    ] {
        assert_eq!(named(name), expected, "{name}");
    }
}

#[test]
fn each_sign_holds_and_says_which() {
    for (machine, by) in [
        (server("dc01"), "name"),
        (Machine::new("pc-1").tag("ir").tag("Domain Controller"), "tag"),
        (Machine::new("pc-1").tag("ir").group("EMEA Domain-Controllers"), "group"),
    ] {
        let plan = plan([machine.clone()], &workspace());
        assert_eq!((plan.changes.len(), plan.held.len()), (0, 1), "{by}");
        assert_eq!(plan.objections[0].code, "domain-controller");
        assert_eq!(plan.objections[0].facts["by"], by);
    }
    let others = [
        Machine::new("dc01").tag("ir"),
        Machine::new("pc-2").tag("ir").tag("datacenter").tag("dc"),
        Machine::new("pc-3").tag("ir").group("DC Workstations"),
        server("web01"),
    ];
    let plan = plan(others, &workspace());
    assert_eq!((plan.changes.len(), plan.held.len()), (4, 0));
}

#[test]
fn the_setting_adds_and_corrects() {
    let mut workspace = workspace();
    workspace.guardrails.domain_controllers.also = Some(tag("tier-0"));
    workspace.guardrails.domain_controllers.except = Some(tag("virtual-desktops"));
    let machines = [
        server("vdc01").tag("virtual-desktops"),
        server("fs-01").tag("tier-0"),
        server("fs-02").tag("tier-0").tag("virtual-desktops"),
        server("dc02"),
    ];
    let plan = plan(machines, &workspace);
    let done: Vec<&str> = plan.changes.iter().map(|c| c.target.name.as_str()).collect();
    assert_eq!(done, ["fs-02", "vdc01"]);
    let by: Vec<_> = plan.objections.iter().map(|o| o.facts["by"].clone()).collect();
    assert_eq!(by, ["name", "setting"]);
}

#[test]
fn what_the_setting_reads_must_have_been_read() {
    let mut workspace = workspace();
    workspace.guardrails.domain_controllers.except = Some(DeviceExpr::Everything);
    assert_eq!(plan([server("dc01")], &workspace).changes.len(), 1);
}
