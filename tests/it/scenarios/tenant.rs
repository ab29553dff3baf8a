//! Commands that make the tenant and let others act in it: devices, alerts, people, other tools.

use std::sync::Arc;

use jiff::SignedDuration;
use palisade::emulator::tenant::machine::{Machine, MachineId};
use palisade::emulator::tenant::{Group, Tenant};
use palisade::emulator::{Config, Emulator};
use palisade::model::{Classification, Determination, DeviceValue, Onboarding, Severity};

use super::script::Words;
use super::stage::Stage;
use crate::alarm::{self, Alarm};

/// `seed devices=N seed=S`
pub(super) fn seed(stage: &mut Stage, words: &mut Words) -> Result<(), String> {
    let mut config = Config::default();
    for (name, value) in words.pairs()? {
        let number = value.parse().map_err(|_| format!("`{value}` is not a number"))?;
        match name.as_str() {
            "devices" => config.devices = number,
            "seed" => config.seed = number.into(),
            other => return Err(format!("`{other}` is neither `devices` nor `seed`")),
        }
    }
    *stage.emulator() = Emulator::new(config, stage.clock.now());
    Ok(())
}

/// `device NAME [PROPERTIES]`, `devices COUNT PREFIX [PROPERTIES]`
pub(super) fn devices(stage: &mut Stage, words: &mut Words, many: bool) -> Result<(), String> {
    let count: u32 = if many { words.number("a number")? } else { 1 };
    let name = words.need("a name")?;
    let pairs = words.pairs()?;
    let now = stage.clock.now();
    let mut emulator = stage.emulator();
    let tenant = emulator.tenant_mut();
    for index in 1..=count {
        let name = if many { format!("{name}-{index:02}") } else { name.clone() };
        let number = u32::try_from(tenant.machines().len()).unwrap() + 1;
        let mut id = [0; 20];
        id[16..].copy_from_slice(&number.to_be_bytes());
        let mut machine = Machine::plain(MachineId(id), &name, "Windows11", now);
        machine.version = Some("23H2".into());
        for (property, value) in &pairs {
            set(tenant, &mut machine, property, value)?;
        }
        tenant.add_machine(machine);
    }
    Ok(())
}

fn set(
    tenant: &mut Tenant,
    machine: &mut Machine,
    property: &str,
    value: &str,
) -> Result<(), String> {
    match property {
        "group" => machine.group = group(tenant, value),
        "tag" => value.split(',').for_each(|tag| machine.add_tag(tag)),
        "value" => {
            let read = DeviceValue::parse(value);
            machine.value = Some(read.ok_or_else(|| format!("`{value}` is not a value"))?);
        }
        "os" => machine.platform = Arc::from(value),
        "version" => machine.version = Some(Arc::from(value)),
        "ip" => machine.last_ip = Some(value.parse().map_err(|_| format!("`{value}` is no IP"))?),
        "onboarding" => {
            let read = Onboarding::parse(value);
            machine.onboarding = read.ok_or_else(|| format!("`{value}` is not an onboarding"))?;
        }
        other => return Err(format!("`{other}` is not a property of a device")),
    }
    Ok(())
}

fn group(tenant: &mut Tenant, name: &str) -> u32 {
    if let Some(group) = tenant.groups.iter().find(|group| &*group.name == name) {
        return group.id;
    }
    let id = u32::try_from(tenant.groups.len()).unwrap() + 1;
    tenant.groups.push(Group { id, name: Arc::from(name) });
    id
}

/// `vanish PREFIX`: the service lists these devices no more.
pub(super) fn vanish(stage: &mut Stage, words: &mut Words) -> Result<(), String> {
    let prefix = words.need("the beginning of names")?;
    let long_ago = stage.clock.now() - SignedDuration::from_hours(24 * 365);
    let mut emulator = stage.emulator();
    let tenant = emulator.tenant_mut();
    let mut gone = 0;
    for row in 0..u32::try_from(tenant.machines().len()).unwrap() {
        let machine = tenant.machine_mut(row).unwrap();
        if machine.name.as_deref().is_some_and(|name| name.starts_with(&prefix)) {
            machine.online = false;
            machine.reported = long_ago;
            gone += 1;
        }
    }
    if gone == 0 { Err(format!("no device begins with `{prefix}`")) } else { Ok(()) }
}

/// `alert TITLE on=DEVICE[,DEVICE] [severity=high]`
pub(super) fn alert(stage: &mut Stage, words: &mut Words) -> Result<(), String> {
    let title = words.need("a title")?;
    let (mut severity, mut devices) = (Severity::High, Vec::new());
    for (name, value) in words.pairs()? {
        match name.as_str() {
            "on" => devices = value.split(',').map(str::to_owned).collect(),
            "severity" => {
                let read = Severity::parse(&value);
                severity = read.ok_or_else(|| format!("`{value}` is not a severity"))?;
            }
            other => return Err(format!("`{other}` is not a property of an alert")),
        }
    }
    let now = stage.clock.now();
    let mut emulator = stage.emulator();
    let tenant = emulator.tenant_mut();
    let find = |name: &String| tenant.find(name).ok_or_else(|| format!("no device `{name}`"));
    let machines = devices.iter().map(find).collect::<Result<Vec<u32>, String>>()?;
    let number = tenant.alerts().len() + 1;
    let alarm = Alarm {
        id: format!("da63900000000000000{number}_1"),
        title: &title,
        severity,
        machines,
        classification: Classification::Unknown,
        determination: Determination::Unknown,
    };
    alarm::raise(tenant, alarm, now);
    Ok(())
}

/// `analyst isolates|releases|restricts|unrestricts|cancels DEVICE [comment TEXT]`; the same after
/// `app NAME`.
pub(super) fn somebody(stage: &mut Stage, actor: &str, words: &mut Words) -> Result<(), String> {
    let said = words.need("what is done")?;
    let verb = match said.as_str() {
        "isolates" => "isolate",
        "releases" => "release",
        "restricts" => "restrict",
        "unrestricts" => "unrestrict",
        "cancels" => "cancel",
        other => return Err(format!("`{other}` is not something that people do here")),
    };
    let device = words.need("a device")?;
    let comment = if words.take("comment") { words.need("the comment")? } else { String::new() };
    let said = if comment.is_empty() { String::new() } else { format!(" comment \"{comment}\"") };
    stage.play(&format!("act \"{actor}\" {verb} {device}{said}"))
}
