//! Policies and workspaces in a few words.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use url::Url;

use super::fleet::{TENANT, TENANT_ID, WORKSPACE};
use crate::model::{Facet, IsolationMode, ScanType, Span};
use crate::policy::limits::Remaining;
use crate::policy::schedule::{Cron, Schedule, Tick};
use crate::policy::selector::ast::Glob;
use crate::policy::selector::{AlertExpr, AlertTerm, DeviceExpr, DeviceTerm};
use crate::policy::set::{
    Accepted, AlertRule, Containment, Exemption, Header, IsolationPolicy, Lease, Mode, OnExpiry,
    OnManualRelease, PolicyKind, RestrictionPolicy, ScanPolicy, Verdict,
};
use crate::policy::workspace::{CredentialSource, Endpoints, Guardrails, Tenant};
use crate::policy::{PolicySet, Workspace};

pub(in crate::plan) fn header(kind: PolicyKind, name: &str) -> Header {
    Header {
        kind,
        name: name.into(),
        description: None,
        owner: None,
        labels: BTreeMap::new(),
        file: Arc::from(format!("policies/{name}.yaml")),
        line: 1,
    }
}

pub(in crate::plan) fn tag(tag: &str) -> DeviceExpr {
    DeviceExpr::Term(DeviceTerm::Tag(vec![Glob { text: Arc::from(tag) }]))
}

pub(in crate::plan) fn containment(devices: DeviceExpr) -> Containment {
    Containment {
        mode: Mode::Enforce,
        devices,
        lease: Lease::For(Span::from_hours(72)),
        on_expiry: OnExpiry::Release,
        renewal: 1,
        adopt: false,
        on_manual_release: OnManualRelease::Respect,
        queue_offline: true,
        rollout: None,
        comment: Arc::from("for a test"),
    }
}

pub(in crate::plan) fn isolate(name: &str, devices: DeviceExpr) -> IsolationPolicy {
    IsolationPolicy {
        header: header(PolicyKind::IsolationSet, name),
        containment: containment(devices),
        isolation: IsolationMode::Full,
    }
}

pub(in crate::plan) fn restrict(name: &str, devices: DeviceExpr) -> RestrictionPolicy {
    RestrictionPolicy {
        header: header(PolicyKind::CodeExecutionRestriction, name),
        containment: containment(devices),
    }
}

pub(in crate::plan) fn scan(name: &str, devices: DeviceExpr, cron: &str) -> ScanPolicy {
    ScanPolicy {
        header: header(PolicyKind::ScanSchedule, name),
        mode: Mode::Enforce,
        devices,
        scan: ScanType::Full,
        schedule: Schedule {
            tick: Tick::Cron(Cron::parse(cron).unwrap()),
            zone: TimeZone::UTC,
            window: Span::from_hours(8),
            spread: Span::from_secs(0),
            catch_up: false,
        },
        retry_delay: Span::from_hours(4),
        queue_offline: false,
        rollout: None,
        comment: Arc::from("for a test"),
    }
}

pub(in crate::plan) fn rule(name: &str, title: &str, set: Verdict) -> AlertRule {
    AlertRule {
        header: header(PolicyKind::AlertRule, name),
        mode: Mode::Enforce,
        priority: 100,
        alerts: AlertExpr::Term(AlertTerm::Title(vec![Glob { text: Arc::from(title) }])),
        set,
        overwrite_analyst: false,
        rollout: None,
    }
}

pub(in crate::plan) fn exempt(
    name: &str,
    devices: DeviceExpr,
    facets: &[Facet],
    expires: Timestamp,
) -> Exemption {
    Exemption {
        header: header(PolicyKind::Exemption, name),
        devices,
        facets: facets.to_vec(),
        accepted: Accepted::default(),
        reason: Arc::from("a board meeting"),
        approver: Arc::from("ciso@contoso.example"),
        expires,
    }
}

pub(in crate::plan) fn set() -> PolicySet {
    PolicySet { digest: "d".repeat(64), ..PolicySet::default() }
}

/// A workspace with the tenant of the tests on loopback, without guardrails that hold what is planned.
pub(in crate::plan) fn workspace() -> Workspace {
    let url: Url = "http://127.0.0.1:8400".parse().unwrap();
    let tenant = Tenant {
        name: Arc::from(TENANT),
        tenant_id: Arc::from(TENANT_ID),
        endpoints: Endpoints {
            authority: url.clone(),
            defender: url.clone(),
            graph: url,
            defender_scope: Arc::from("https://api.securitycenter.microsoft.com/.default"),
            graph_scope: Arc::from("https://graph.microsoft.com/.default"),
        },
        credential: CredentialSource::ClientSecret,
        site: None,
    };
    let mut workspace = Workspace::new(WORKSPACE.into(), vec![tenant]);
    let rails = Guardrails::default();
    let (remaining, none) = (Remaining::NONE, Span::from_secs(0));
    workspace.guardrails = Guardrails {
        caps: BTreeMap::new(),
        hold_orphaned_releases: false,
        remaining,
        dwell: none,
        cooldown: none,
        ..rails
    };
    workspace
}
