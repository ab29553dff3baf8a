//! What made a selector take a device, as far as somebody else can steer it: alerts and incidents.
//!
//! Whoever can make an alert fire on a device can make a policy select it. Guardrails ask here which
//! alerts those are. A device that the selector would take without any alert has no trigger. A
//! negation is pushed through to the terms: `not: {not: …}` is what it holds, and an alert that must
//! *not* be there triggers nothing.

use crate::inventory::{AlertRow, Dev};
use crate::model::IncidentId;
use crate::policy::selector::ast::{DeviceExpr, DeviceTerm};
use crate::policy::selector::interpret::Meaning;
use crate::policy::selector::walk;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger<'a> {
    /// An alert that an `alert` term matches.
    Alert(&'a AlertRow),
    /// An incident that an `incident` term names.
    Incident(&'a IncidentId),
}

/// The triggers behind a match: none when the device is not selected, an empty list when it would be
/// without any alert.
pub(crate) fn triggers<'a>(
    meaning: &'a Meaning<'_>,
    expr: &'a DeviceExpr,
    device: Dev,
) -> Option<Vec<Trigger<'a>>> {
    match expr {
        DeviceExpr::All(parts) if parts.is_empty() => None,
        DeviceExpr::All(parts) => all(parts.iter().map(|part| triggers(meaning, part, device))),
        DeviceExpr::Any(parts) => any(parts.iter().map(|part| triggers(meaning, part, device))),
        // Nothing void selects anybody, negated or not.
        DeviceExpr::Not(part) if walk::is_void(part) => None,
        DeviceExpr::Not(part) => spares(meaning, part, device),
        DeviceExpr::Term(DeviceTerm::Alert(alerts)) => {
            let of = meaning.inventory().device_alerts(device);
            let found: Vec<_> =
                of.filter(|alert| meaning.alert(alerts, alert)).map(Trigger::Alert).collect();
            Some(found).filter(|found| !found.is_empty())
        }
        DeviceExpr::Term(DeviceTerm::Incident(wanted)) => {
            let of = |incident: &&IncidentId| {
                let mut alerts = meaning.inventory().device_alerts(device);
                alerts.any(|alert| alert.incident.as_ref() == Some(*incident))
            };
            let found: Vec<_> = wanted.iter().filter(of).map(Trigger::Incident).collect();
            Some(found).filter(|found| !found.is_empty())
        }
        DeviceExpr::Everything | DeviceExpr::Term(_) => meaning.device(expr, device).then(Vec::new),
    }
}

/// The triggers behind a selector's *not* matching: none when it does match.
fn spares<'a>(
    meaning: &'a Meaning<'_>,
    expr: &'a DeviceExpr,
    device: Dev,
) -> Option<Vec<Trigger<'a>>> {
    match expr {
        DeviceExpr::All(parts) if parts.is_empty() => Some(Vec::new()),
        DeviceExpr::All(parts) => any(parts.iter().map(|part| spares(meaning, part, device))),
        DeviceExpr::Any(parts) => all(parts.iter().map(|part| spares(meaning, part, device))),
        DeviceExpr::Not(part) if walk::is_void(part) => Some(Vec::new()),
        DeviceExpr::Not(part) => triggers(meaning, part, device),
        DeviceExpr::Everything | DeviceExpr::Term(_) => {
            (!meaning.device(expr, device)).then(Vec::new)
        }
    }
}

/// Each part is needed, and so is what triggers it.
fn all<'a>(parts: impl Iterator<Item = Option<Vec<Trigger<'a>>>>) -> Option<Vec<Trigger<'a>>> {
    let needed: Vec<_> = parts.collect::<Option<_>>()?;
    Some(needed.concat())
}

/// One part is enough; one that needs no alert makes the others no matter.
fn any<'a>(parts: impl Iterator<Item = Option<Vec<Trigger<'a>>>>) -> Option<Vec<Trigger<'a>>> {
    let found: Vec<_> = parts.flatten().collect();
    if found.is_empty() {
        return None;
    }
    let untriggered = found.iter().any(Vec::is_empty);
    Some(if untriggered { Vec::new() } else { found.concat() })
}
