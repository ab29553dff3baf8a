//! The tenant as it truly is, for tests: what is in force on devices, which no API shows.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::{count, online};
use crate::emulator::Emulator;
use crate::emulator::tenant::machine::Machine;

/// The whole in numbers.
pub(super) fn summary(emulator: &Emulator, now: Timestamp) -> Value {
    let tenant = &emulator.tenant;
    json!({
        "now": now,
        "tenantId": emulator.config.tenant_id,
        "seed": emulator.config.seed,
        "devices": {"records": tenant.machines().len(), "online": online(tenant)},
        "actions": count(tenant.actions().iter().map(|action| action.status.wire())),
        "alerts": count(tenant.alerts().iter().map(|alert| alert.status.wire())),
        "requests": {"received": emulator.log.received(), "kept": emulator.log.entries().len()},
        "faults": emulator.faults.lines().count(),
        "scenarioLines": emulator.timeline.len(),
        "nextEvent": emulator.next_event(),
    })
}

/// The faults still to come.
pub(super) fn faults(emulator: &Emulator) -> Value {
    let lines = emulator.faults.lines().map(|(line, met)| json!({"line": line, "met": met}));
    json!({"faults": lines.collect::<Vec<_>>()})
}

/// One device: the truth about it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Device<'a> {
    id: String,
    name: Option<&'a str>,
    online: bool,
    isolation: &'a str,
    restriction: &'a str,
    contained: bool,
    tags: Vec<&'a str>,
    last_seen: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<Vec<Value>>,
}

fn truth(machine: &Machine, now: Timestamp) -> Device<'_> {
    Device {
        id: machine.id.to_string(),
        name: machine.name.as_deref(),
        online: machine.online,
        isolation: machine.posture.isolation.word(),
        restriction: machine.posture.restriction.word(),
        contained: machine.posture.contained,
        tags: machine.tags.iter().map(|tag| &**tag).collect(),
        last_seen: machine.last_seen(now),
        actions: None,
    }
}

/// Every machine record.
pub(super) fn devices(emulator: &Emulator, now: Timestamp) -> impl Serialize {
    #[derive(Serialize)]
    struct Devices<'a> {
        devices: Vec<Device<'a>>,
    }
    Devices { devices: emulator.tenant.machines().iter().map(|m| truth(m, now)).collect() }
}

/// One device with its actions, oldest first.
pub(super) fn device(emulator: &Emulator, row: u32, now: Timestamp) -> impl Serialize {
    let tenant = &emulator.tenant;
    tenant.machine(row).map(|machine| {
        let actions = tenant.actions_of(row).iter().filter_map(|row| tenant.action(*row));
        let actions = actions.map(|action| {
            json!({
                "id": action.id,
                "type": action.kind.wire(),
                "status": action.status.wire(),
                "requestor": action.requestor,
                "comment": action.comment,
                "created": action.created,
                "updated": action.updated,
                "next": action.next,
            })
        });
        Device { actions: Some(actions.collect()), ..truth(machine, now) }
    })
}
