//! What has to be read of a tenant so that a command's answer holds: no more, no less.
//!
//! Derived from the policies: alerts are read when a rule is about them or a selector asks for
//! them, scan times when a policy schedules scans. Devices that policies or earlier runs name are
//! passed on, so that one which a partial list lacks is unknown and not absent.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::drive::apply as driver;
use crate::drive::observe::{Alerts, Scope};
use crate::inventory::What;
use crate::model::DeviceId;
use crate::plan::TargetKind;
use crate::policy::selector::{self, DeviceExpr, DeviceTerm};
use crate::policy::{PolicySet, Workspace};

/// Runs whose plans are looked into for names of devices, newest first.
const RUNS: usize = 20;

/// What planning needs.
#[must_use]
pub fn for_policies(workspace: &Workspace, policies: &PolicySet, now: Timestamp) -> Scope {
    let devices = device_selectors(workspace, policies);
    let mut reads: BTreeSet<What> = devices.iter().flat_map(|expr| selector::reads(expr)).collect();
    reads.extend(policies.alert_rules.iter().flat_map(|rule| selector::alert_reads(&rule.alerts)));
    let mut scope = of(workspace, reads, now);
    if !policies.alert_rules.is_empty() && scope.alerts.is_none() {
        scope.alerts = Some(alerts(workspace, now));
    }
    scope.av_health |= !policies.scans.is_empty();
    let mut named = BTreeSet::new();
    devices.iter().for_each(|expr| ids(expr, &mut named));
    named.extend(of_runs(workspace));
    scope.named_devices = named.into_iter().collect();
    scope
}

/// What a command needs that lists these parts.
#[must_use]
pub fn of(workspace: &Workspace, parts: impl IntoIterator<Item = What>, now: Timestamp) -> Scope {
    let mut scope = Scope::default();
    for part in parts {
        match part {
            What::Devices | What::Actions => {}
            What::AvHealth => scope.av_health = true,
            What::Alerts => scope.alerts = Some(alerts(workspace, now)),
            What::Scores => scope.scores = true,
        }
    }
    scope
}

/// The same with alerts.
#[must_use]
pub fn with_alerts(mut scope: Scope, workspace: &Workspace, now: Timestamp) -> Scope {
    scope.alerts.get_or_insert_with(|| alerts(workspace, now));
    scope
}

fn alerts(workspace: &Workspace, now: Timestamp) -> Alerts {
    Alerts { since: Some(workspace.observe.alerts.before(now)) }
}

fn device_selectors<'a>(workspace: &'a Workspace, policies: &'a PolicySet) -> Vec<&'a DeviceExpr> {
    let PolicySet {
        isolation,
        restriction,
        scans,
        alert_rules: _,
        exemptions,
        rules: _,
        digest: _,
        files: _,
    } = policies;
    let mut found: Vec<&DeviceExpr> = Vec::new();
    found.extend(isolation.iter().map(|policy| &policy.containment.devices));
    found.extend(restriction.iter().map(|policy| &policy.containment.devices));
    found.extend(scans.iter().map(|policy| &policy.devices));
    found.extend(exemptions.iter().map(|policy| &policy.devices));
    found.extend(workspace.guardrails.selectors());
    found
}

fn ids(expr: &DeviceExpr, found: &mut BTreeSet<DeviceId>) {
    match expr {
        DeviceExpr::All(parts) | DeviceExpr::Any(parts) => {
            parts.iter().for_each(|part| ids(part, found));
        }
        DeviceExpr::Not(part) => ids(part, found),
        DeviceExpr::Term(DeviceTerm::Id(list)) => found.extend(list.iter().cloned()),
        DeviceExpr::Term(_) | DeviceExpr::Everything => {}
    }
}

/// Devices that earlier runs acted on. Journals are evidence, not state: one that cannot be read
/// takes nothing from the plan.
fn of_runs(workspace: &Workspace) -> BTreeSet<DeviceId> {
    let root = workspace.root.join(&workspace.journal);
    let found = driver::runs(&root).unwrap_or_default();
    let plans = found.iter().rev().take(RUNS).filter_map(|run| run.plan().ok());
    plans
        .flat_map(|plan| plan.changes)
        .filter(|change| change.target.kind == TargetKind::Device)
        .map(|change| DeviceId::parse(&change.target.id))
        .collect()
}
