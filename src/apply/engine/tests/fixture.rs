//! Plans made by hand.

use jiff::Timestamp;

use crate::inventory::AlertRow;
use crate::model::{
    AlertStatus, Classification, Determination, DeviceId, Facet, Marker, Severity, Verb,
};
use crate::plan::Plan;
use crate::plan::types::{
    Change, Expectation, FORMAT_VERSION, Parameters, Risk, Rollout, Target, TargetKind,
    TenantSection, Wave, Why,
};

pub(super) const WORKSPACE: &str = "contoso-soc";

pub(super) fn start() -> Timestamp {
    "2026-11-23T10:02:00Z".parse().unwrap()
}

pub(super) fn after(seconds: i64) -> Timestamp {
    start() + jiff::SignedDuration::from_secs(seconds)
}

pub(super) fn device(n: usize) -> DeviceId {
    DeviceId::parse(&format!("{n:040x}"))
}

pub(super) fn comment(change: &str) -> String {
    let marker = Marker {
        workspace: WORKSPACE.into(),
        policy: "ir-7781".into(),
        change: change.into(),
        until: None,
    };
    marker.comment("IR-7781")
}

/// A change of `verb` on device `n`.
pub(super) fn change(n: usize, verb: Verb) -> Change {
    let (facet, from, to) = match verb {
        Verb::Isolate => (Facet::Isolation, "free", "full"),
        Verb::Release => (Facet::Isolation, "full", "free"),
        Verb::Restrict => (Facet::CodeExecution, "unrestricted", "restricted"),
        Verb::Unrestrict => (Facet::CodeExecution, "restricted", "unrestricted"),
        Verb::Scan => (Facet::Scan, "due", "scanned"),
        Verb::Cancel => (Facet::Isolation, "changing", "free"),
        other => panic!("no fixture for {other}"),
    };
    let id = format!("{:04x}{n:08x}", verb as usize);
    let parameters = Parameters {
        isolation_type: (verb == Verb::Isolate).then(|| "Full".to_owned()),
        scan_type: (verb == Verb::Scan).then(|| "Quick".to_owned()),
        action_id: (verb == Verb::Cancel).then(|| format!("old-{n}")),
        comment: Some(comment(&id)),
        ..Parameters::default()
    };
    Change {
        id: id.as_str().into(),
        tenant: "contoso".to_owned(),
        verb,
        facet,
        target: Target {
            kind: TargetKind::Device,
            id: device(n).to_string(),
            name: format!("host-{n}"),
            group: "EMEA".to_owned(),
            value: None,
        },
        from: from.to_owned(),
        to: to.to_owned(),
        parameters,
        lease_end: None,
        because: vec![Why {
            kind: "IsolationSet".to_owned(),
            name: "ir-7781".to_owned(),
            file: "policies/ir.yaml".to_owned(),
            line: 1,
            terms: Vec::new(),
        }],
        reason: None,
        risk: Risk::Low,
        rollout: None,
        wave: 1,
        expects: Expectation { value: from.to_owned(), evidence: None },
    }
}

/// A change that resolves alert `n` and comments on it.
pub(super) fn classify(n: usize) -> Change {
    let mut change = change(n, Verb::Scan);
    let id = format!("a1e7{n:08x}");
    let alert = alert(n);
    change.id = id.as_str().into();
    change.verb = Verb::Classify;
    change.facet = Facet::Classification;
    change.target.kind = TargetKind::Alert;
    change.target.id = alert.id.to_string();
    change.parameters = Parameters {
        status: Some("resolved".to_owned()),
        classification: Some("informationalExpectedActivity".to_owned()),
        determination: Some("securityTesting".to_owned()),
        comment: Some(comment(&id)),
        ..Parameters::default()
    };
    change.expects = Expectation {
        value: "new/unknown/unknown/".to_owned(),
        evidence: Some(alert.updated.to_string()),
    };
    change
}

/// Alert `n` as it was when the plan was made.
pub(super) fn alert(n: usize) -> AlertRow {
    AlertRow {
        id: format!("da{n}").into(),
        title: "Mimikatz".into(),
        severity: Severity::Medium,
        status: AlertStatus::New,
        classification: Classification::Unknown,
        determination: Determination::Unknown,
        assigned_to: None,
        category: "CredentialAccess".into(),
        detection_source: "antivirus".into(),
        service_source: "microsoftDefenderForEndpoint".into(),
        mitre: Vec::new(),
        incident: None,
        created: after(-7_200),
        updated: after(-3_600),
        devices: Vec::new(),
        comments: Vec::new(),
    }
}

pub(super) fn plan(changes: Vec<Change>) -> Plan {
    Plan {
        format_version: FORMAT_VERSION,
        plan_hash: "7f3c9a".repeat(10),
        tool: "palisade/test".to_owned(),
        workspace: WORKSPACE.to_owned(),
        created_at: start(),
        valid_until: after(1_800),
        policy_digest: String::new(),
        tenants: vec![TenantSection {
            name: "contoso".to_owned(),
            tenant_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            observed_at: start(),
            complete: true,
            devices: 100,
            groups: [("EMEA".to_owned(), 100)].into(),
            ..TenantSection::default()
        }],
        changes,
        ..Plan::default()
    }
}

/// A wave of so many changes that bears anything and stops for nobody.
pub(super) const fn wave(changes: u32) -> Wave {
    Wave { changes, failure_limit: 1_000, offline_limit: 1_000, pause: false }
}

/// A plan whose changes go out in these waves, in their order.
pub(super) fn staged(mut changes: Vec<Change>, waves: Vec<Wave>, bake_seconds: u64) -> Plan {
    let policy = "IsolationSet/ir-7781";
    let numbers =
        (1..).zip(&waves).flat_map(|(number, wave)| (0..wave.changes).map(move |_| number));
    for (change, number) in changes.iter_mut().zip(numbers) {
        (change.wave, change.rollout) = (number, Some(policy.to_owned()));
    }
    let rollout =
        Rollout { tenant: "contoso".to_owned(), policy: policy.to_owned(), bake_seconds, waves };
    Plan { rollouts: vec![rollout], ..plan(changes) }
}
