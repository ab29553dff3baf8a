//! What made a selector take a device, as far as somebody else can steer it: alerts and incidents.
//!
//! Whoever can make an alert fire on a device can make a policy select it. Guardrails ask here which
//! alerts those are. A device that the selector would take without any alert has no trigger.

use crate::inventory::{AlertRow, Dev};
use crate::model::IncidentId;
use crate::policy::selector::ast::{DeviceExpr, DeviceTerm};
use crate::policy::selector::interpret::Meaning;

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger<'a> {
    /// An alert that an `alert` term matches.
    Alert(&'a AlertRow),
    /// An incident that an `incident` term names.
    Incident(&'a IncidentId),
}

/// The triggers behind a match: none when the device is not selected, an empty list when it would be
/// without any alert. An alert that must *not* be there triggers nothing.
pub(crate) fn triggers<'a>(
    meaning: &'a Meaning<'_>,
    expr: &'a DeviceExpr,
    device: Dev,
) -> Option<Vec<Trigger<'a>>> {
    match expr {
        DeviceExpr::All(parts) if parts.is_empty() => None,
        DeviceExpr::All(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(triggers(meaning, part, device)?);
            }
            Some(all)
        }
        DeviceExpr::Any(parts) => {
            let found: Vec<_> =
                parts.iter().filter_map(|part| triggers(meaning, part, device)).collect();
            let untriggered = found.iter().any(Vec::is_empty);
            let all = || found.into_iter().flatten().collect::<Vec<_>>();
            match untriggered {
                true => Some(Vec::new()),
                false => Some(all()).filter(|all| !all.is_empty()),
            }
        }
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
        DeviceExpr::Everything | DeviceExpr::Not(_) | DeviceExpr::Term(_) => {
            meaning.device(expr, device).then(Vec::new)
        }
    }
}
