//! When a device is the machine that runs us, and when nobody can say.

use super::*;
use crate::plan::Circumstances;
use crate::plan::tests::fleet::{Fleet, Machine};
use crate::plan::tests::planned_around;
use crate::plan::tests::policies::{isolate, set, tag, workspace};
use crate::plan::types::{Level, Plan};
use crate::policy::PolicySet;

fn on(names: &[&str], addresses: &[&str]) -> Circumstances {
    let names = names.iter().map(|name| (*name).to_owned());
    let addresses = addresses.iter().map(|text| text.parse().unwrap());
    Circumstances { runner: Some(Runner::new(names, addresses)), ..Circumstances::default() }
}

fn machine(name: &str, ip: &str) -> Machine {
    let mut machine = Machine::new(name).tag("ir");
    machine.ips = vec![ip.parse().unwrap()];
    machine
}

fn plan(around: &Circumstances, machines: impl IntoIterator<Item = Machine>) -> Plan {
    let policies = PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() };
    planned_around(around, &policies, &workspace(), Fleet::of(machines).build())
}

fn held(plan: &Plan) -> Vec<&str> {
    plan.held.iter().map(|entry| entry.target.name.as_str()).collect()
}

#[test]
fn by_host_name_or_by_address() {
    let fleet = || [machine("build-7.corp.example", "10.0.0.7"), machine("pc-1", "10.0.0.8")];
    for (names, addresses, expected) in [
        (&["BUILD-7"][..], &[][..], &["build-7.corp.example"][..]),
        (&["build-7.other.example"], &[], &["build-7.corp.example"]),
        (&[], &["10.0.0.8"], &["pc-1"]),
        (&["build-7"], &["10.0.0.8"], &["build-7.corp.example", "pc-1"]),
        (&["build"], &["10.0.0.9"], &[]),
    ] {
        let plan = plan(&on(names, addresses), fleet());
        assert_eq!(held(&plan), expected, "{names:?} {addresses:?}");
        assert_eq!(plan.objections.len(), usize::from(!expected.is_empty()));
        assert!(plan.objections.iter().all(|it| it.code == "self-lockout"));
    }
    assert_eq!(held(&plan(&Circumstances::default(), fleet())), Vec::<&str>::new());
}

#[test]
fn nothing_lifts_it() {
    let mut around = on(&["pc-1"], &[]);
    let lift = |code: &str| crate::plan::Lift { code: code.to_owned(), because: "x".to_owned() };
    around.lifts = vec![lift("self-lockout")];
    let plan = plan(&around, [machine("pc-1", "10.0.0.1")]);
    assert_eq!((plan.changes.len(), held(&plan)), (0, vec!["pc-1"]));
}

#[test]
fn an_address_or_name_of_many_protects_nobody_and_is_told() {
    let site = |count: usize| (0..count).map(|n| machine(&format!("pc-{n}"), "203.0.113.9"));
    let around = on(&[], &["203.0.113.9"]);
    let few = plan(&around, site(3));
    assert_eq!((few.changes.len(), few.held.len()), (0, 3));
    let many = plan(&around, site(4));
    assert_eq!((many.changes.len(), many.held.len()), (4, 0));
    let [told] = &many.objections[..] else { panic!("{:?}", many.objections) };
    assert_eq!((told.code.as_str(), told.level), ("self-lockout-shared", Level::Warn));
    assert_eq!((&told.facts["by"], &told.facts["devices"]), (&"203.0.113.9".into(), &4.into()));
    // A name of its own still counts.
    let named = plan(&on(&["pc-2"], &["203.0.113.9"]), site(4));
    assert_eq!(held(&named), ["pc-2"]);
}

#[test]
fn what_every_machine_has_is_no_sign() {
    let runner = Runner::new(
        ["localhost", "LOCALHOST.localdomain", " ", "", "ip6-localhost", "real"].map(str::to_owned),
        [
            "127.0.0.1",
            "::1",
            "0.0.0.0",
            "169.254.1.1",
            "fe80::1",
            "172.17.0.1",
            "224.0.0.1",
            "10.1.1.1",
            "::ffff:10.1.1.1",
        ]
        .map(|text| text.parse().unwrap()),
    );
    assert_eq!(runner.names(), ["real"]);
    assert_eq!(runner.addresses(), ["10.1.1.1".parse::<std::net::IpAddr>().unwrap()]);
}
