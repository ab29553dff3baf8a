//! Hand-made plans, and files in `tests/fixtures/screen` that their text is compared with.
//!
//! `BLESS=1` writes the files anew; read the difference before you commit it.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use unicode_width::UnicodeWidthStr;

use crate::model::{DeviceValue, Facet, Verb};
use crate::plan::types::*;
use crate::report::escape;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn why(kind: &str, name: &str, line: u32, terms: &[&str]) -> Why {
    Why {
        kind: kind.into(),
        name: name.into(),
        file: format!("policies/{name}.yaml"),
        line,
        terms: terms.iter().map(|term| (*term).to_owned()).collect(),
    }
}

fn target(name: &str, group: &str) -> Target {
    let id = format!("{:0>40}", name.bytes().map(|b| format!("{b:02x}")).collect::<String>());
    let id = id[id.len() - 40..].to_owned();
    Target { kind: TargetKind::Device, id, name: name.into(), group: group.into(), value: None }
}

struct Wish(Verb, Facet, &'static str, &'static str);

const ISOLATE: Wish = Wish(Verb::Isolate, Facet::Isolation, "free", "selective");
const RELEASE: Wish = Wish(Verb::Release, Facet::Isolation, "selective", "free");
const SCAN: Wish = Wish(Verb::Scan, Facet::Scan, "due", "full");
const RESTRICT: Wish = Wish(Verb::Restrict, Facet::CodeExecution, "unrestricted", "restricted");

fn change(wish: &Wish, target: Target, because: Why) -> Change {
    let parameters = Parameters {
        isolation_type: (wish.0 == Verb::Isolate).then(|| "Selective".to_owned()),
        scan_type: (wish.0 == Verb::Scan).then(|| "Full".to_owned()),
        comment: Some("IR-7781 [palisade contoso-soc/ir-7781 0123456789ab]".into()),
        ..Parameters::default()
    };
    Change {
        id: "0123456789ab".into(),
        tenant: "contoso".into(),
        verb: wish.0,
        facet: wish.1,
        target,
        from: wish.2.into(),
        to: wish.3.into(),
        parameters,
        lease_end: (wish.0 == Verb::Isolate).then(|| at("2026-11-26T10:02:00Z")),
        because: vec![because],
        reason: None,
        risk: if wish.0.is_restrictive() { Risk::Medium } else { Risk::Low },
        rollout: None,
        wave: 1,
        expects: Expectation { value: wish.2.into(), evidence: None },
    }
}

fn entry(wish: &Wish, target: Target, because: Option<Why>, reason: Reason) -> Entry {
    Entry {
        tenant: "contoso".into(),
        target,
        facet: wish.1,
        verb: Some(wish.0),
        from: Some(wish.2.into()),
        to: Some(wish.3.into()),
        because: because.into_iter().collect(),
        reason,
    }
}

fn section(name: &str) -> TenantSection {
    let groups = [
        ("", 1),
        ("APAC-Kiosk", 500),
        ("EMEA-Servers", 64),
        ("EMEA-Workstations", 7_300),
        ("LATAM", 6_347),
    ];
    TenantSection {
        name: name.into(),
        tenant_id: "11111111-2222-3333-4444-555555555555".into(),
        observed_at: at("2026-11-23T10:02:00Z"),
        complete: true,
        missing: Vec::new(),
        devices: 14_212,
        groups: groups.into_iter().map(|(name, size)| (name.to_owned(), size)).collect(),
        calls: 2_998,
        at_least_seconds: 7_140,
        offline: 38,
        ..TenantSection::default()
    }
}

pub(crate) fn empty() -> Plan {
    Plan {
        format_version: FORMAT_VERSION,
        plan_hash: "7f3c9a00".repeat(8),
        tool: "palisade 0.1.0".into(),
        workspace: "contoso-soc".into(),
        created_at: at("2026-11-23T10:02:00Z"),
        valid_until: at("2026-11-23T10:32:00Z"),
        policy_digest: "d1".repeat(32),
        tenants: vec![section("contoso")],
        ..Plan::default()
    }
}

pub(crate) fn add_up(mut plan: Plan, unchanged: u32) -> Plan {
    let mut counts = BTreeMap::new();
    for item in crate::report::plan::items::all(&plan) {
        *counts.entry(item.disposition()).or_insert(0) += 1;
    }
    counts.insert(Disposition::Unchanged, unchanged);
    plan.summary.total = counts.values().sum();
    plan.summary.dispositions = counts;
    for (at, change) in plan.changes.iter_mut().enumerate() {
        change.id = format!("{at:012x}").into();
        *plan.summary.verbs.entry(change.verb).or_insert(0) += 1;
    }
    plan
}

/// The plan of the design's example, a little smaller, with what an attacker may have named.
pub(crate) fn busy() -> Plan {
    let mut plan = empty();
    let ir = || why("IsolationSet", "ir-7781", 1, &["tag=ir-7781", "os=windows"]);
    for n in 0..44 {
        let target = target(&format!("lon-{n:04}"), "EMEA-Workstations");
        plan.changes.push(change(&ISOLATE, target, ir()));
    }
    let mut server = change(&ISOLATE, target("sql-prd-04", "EMEA-Servers"), ir());
    server.target.value = Some(DeviceValue::High);
    server.risk = Risk::High;
    plan.changes.push(server);
    let hostile = "fs-02\x1b[2J\u{202e}.contoso.example-with-a-name-that-goes-on-and-on-and-on";
    plan.changes.push(change(&ISOLATE, target(hostile, "EMEA-Servers"), ir()));
    for n in 0..12 {
        let target = target(&format!("rel-{n:02}"), "EMEA-Workstations");
        let mut change = change(&RELEASE, target, why("IsolationSet", "ir-7702", 4, &[]));
        change.reason =
            Some(Reason::new(if n < 11 { "lease-ended" } else { "no-longer-selected" }));
        plan.changes.push(change);
    }
    for n in 0..29 {
        let weekly =
            why("ScanSchedule", "weekly-full", 12, &["group=EMEA-Workstations", "health=active"]);
        let mut change = change(&SCAN, target(&format!("wks-{n:03}"), "EMEA-Workstations"), weekly);
        change.parameters.not_before = Some(at(&format!("2026-11-23T2{}:00:00Z", n % 4)));
        change.rollout = Some("ScanSchedule/weekly-full".into());
        change.wave = if n < 4 { 1 } else { 2 };
        plan.changes.push(change);
    }
    let wave = |changes, failure_limit, offline_limit, pause| Wave {
        changes,
        failure_limit,
        offline_limit,
        pause,
    };
    plan.rollouts.push(Rollout {
        tenant: "contoso".into(),
        policy: "ScanSchedule/weekly-full".into(),
        bake_seconds: 1_800,
        waves: vec![wave(4, 1, 2, true), wave(25, 2, 12, false)],
    });
    let kiosks =
        || why("CodeExecutionRestriction", "kiosks", 20, &["group=APAC-Kiosk", "os=windows"]);
    for n in 0..310 {
        let reason = Reason::new("cap-group").with("group", "APAC-Kiosk");
        let target = target(&format!("kiosk-{n:03}"), "APAC-Kiosk");
        plan.held.push(entry(&RESTRICT, target, Some(kiosks()), reason));
    }
    for n in 0..10 {
        let reason = Reason::new("protected").with("setting", "guardrails.protected");
        let target = target(&format!("dc-{n:02}"), "EMEA-Servers");
        plan.held.push(entry(&ISOLATE, target, Some(ir()), reason));
    }
    for n in 0..5 {
        let reason = Reason::new("exemption")
            .with("name", "vip-laptops")
            .with("expires", "2026-11-26T10:02:00Z");
        let target = target(&format!("vip-{n}"), "EMEA-Workstations");
        plan.held.push(entry(&ISOLATE, target, Some(ir()), reason));
    }
    for n in 0..9 {
        let mut one = entry(
            &ISOLATE,
            target(&format!("bog-{n}"), "LATAM"),
            None,
            Reason::new("history-partial"),
        );
        one.from = None;
        plan.unknown.push(one);
    }
    let reason = Reason::new("held-by-another").with("requestor", "analyst@contoso.example");
    plan.foreign.push(entry(&RELEASE, target("par-0007", "EMEA-Workstations"), None, reason));
    plan.objections.push(Objection {
        code: "cap-group".into(),
        level: Level::Hold,
        tenant: "contoso".into(),
        scope: "group APAC-Kiosk".into(),
        verb: Some(Verb::Restrict),
        about: 310,
        held: 310,
        lifted: None,
        setting: "guardrails.caps.restrict.group".into(),
        facts: Reason::new("").with("wouldBe", 310).with("size", 500).with("limit", 125).facts,
    });
    add_up(plan, 13_000)
}

/// A plan that two lifted guardrails would have held in part.
pub(crate) fn lifted() -> Plan {
    let mut plan = empty();
    let ir = || why("IsolationSet", "ir-7781", 1, &["tag=ir-7781"]);
    for n in 0..60 {
        let target = target(&format!("lon-{n:04}"), "EMEA-Workstations");
        plan.changes.push(change(&ISOLATE, target, ir()));
    }
    let objection =
        |code: &str, verb: Option<Verb>, because: &str, setting: &str, facts: Reason| Objection {
            code: code.into(),
            level: Level::Hold,
            tenant: "contoso".into(),
            scope: if verb.is_none() { "policy ir-7781".into() } else { "run".into() },
            verb,
            about: 60,
            held: 0,
            lifted: Some(because.into()),
            setting: setting.into(),
            facts: facts.facts,
        };
    let agreed = "IR-7781: agreed with the CISO\u{202e}, 60 hosts are infected";
    let run = Reason::new("").with("wouldBe", 60).with("limit", 50);
    let lease = Reason::new("").with("policy", "ir-7781").with("mostSeconds", 86_400);
    plan.objections = vec![
        objection("max-lease", None, "IR-7781: three days", "guardrails.maxLease", lease),
        objection("cap-run", Some(Verb::Isolate), agreed, "guardrails.caps.isolate.run", run),
    ];
    let lift = |it: &Objection| crate::plan::Lift {
        code: it.code.clone(),
        because: it.lifted.clone().unwrap(),
    };
    plan.lifts = plan.objections.iter().map(lift).collect();
    plan.lifts.sort();
    add_up(plan, 10)
}

pub(crate) fn partial() -> Plan {
    let mut plan = empty();
    plan.tenants = vec![section("contoso"), section("fabrikam")];
    plan.tenants[1].complete = false;
    plan.tenants[1].missing = vec!["machine actions: 403 on page 2".into()];
    plan.tenants[1].devices = 31;
    plan.study = true;
    let ir = why("IsolationSet", "ir-7781", 1, &["tag=ir-7781"]);
    plan.changes.push(change(&ISOLATE, target("lon-0001", "EMEA-Workstations"), ir.clone()));
    let mut one =
        entry(&ISOLATE, target("par-0001", "LATAM"), Some(ir), Reason::new("history-partial"));
    one.tenant = "fabrikam".into();
    plan.unknown.push(one);
    add_up(plan, 2)
}

pub(crate) fn golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/screen").join(name);
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == text, "{name} has changed (BLESS=1 writes it anew):\n{text}");
}

pub(crate) fn fits(text: &str, width: usize) {
    for line in text.lines() {
        assert!(line.width() <= width, "{} columns in {width}: {line}", line.width());
        assert!(!line.chars().any(escape::is_hidden), "{line:?}");
        assert!(!line.ends_with(' '), "{line:?}");
    }
}
