//! `cap-alert-rule`: at most so many devices within a window for what triggered them.
//!
//! Whoever can make alerts fire must not be able to isolate the fleet. A change counts when each
//! policy that decides it selects the device only because of alerts or an incident; it counts once
//! for each trigger: detector and title, or incident. Whatever policies there are: one that is split
//! or renamed gains nothing. Devices that this workspace took within the window are counted from the
//! action history, by its marker and by an alert of the same trigger, so that many small runs add up.
//! A device counts once. Titles are compared without case, quoted names, digits and names of the
//! alert's devices: an attacker often has a say in those.

use std::collections::{BTreeMap, BTreeSet};

use crate::inventory::{ActionRow, AlertRow, Dev, readings};
use crate::model::{ActionStatus, DeviceId, Holder, Isolation, PolicyName, Verb, marker};
use crate::plan::guards::{Breach, Ground, Left, Measured, number};
use crate::plan::scene::Reach;
use crate::plan::types::Change;
use crate::policy::selector::Trigger;
use crate::policy::workspace::Rolling;

/// What one trigger would take.
#[derive(Default)]
struct Triggered<'g> {
    policies: BTreeSet<&'g str>,
    held: Vec<usize>,
}

/// Triggers, `DETECTOR: TITLE` or `incident ID`, with the policies that each sets off.
type Triggers<'g> = BTreeMap<String, BTreeSet<&'g str>>;

/// Devices by trigger.
type Taken = BTreeMap<String, BTreeSet<DeviceId>>;

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    let mut measured = Vec::new();
    for (verb, caps, changes) in ground.capped() {
        let Some(cap) = caps.alert_rule else { continue };
        let mut groups: BTreeMap<String, Triggered<'_>> = BTreeMap::new();
        for at in changes {
            for (trigger, policies) in triggers(ground, at) {
                let of = groups.entry(trigger).or_default();
                of.policies.extend(policies);
                of.held.push(at);
            }
        }
        if groups.is_empty() {
            continue;
        }
        let taken = taken(ground, verb, cap);
        let one = |(trigger, of)| one(ground, verb, cap, (trigger, of), &taken);
        measured.extend(groups.into_iter().map(one));
    }
    measured
}

fn one(
    ground: &Ground<'_>,
    verb: Verb,
    cap: Rolling,
    (trigger, Triggered { policies, held }): (String, Triggered<'_>),
    taken: &Taken,
) -> Measured {
    let planned: BTreeSet<DeviceId> = held.iter().filter_map(|at| device_id(ground, *at)).collect();
    let none = BTreeSet::new();
    let taken = taken.get(&trigger).unwrap_or(&none);
    let would_be = number(planned.union(taken).count());
    let policies: Vec<&str> = policies.into_iter().collect();
    let breach = Breach {
        code: "cap-alert-rule".into(),
        scope: trigger.clone(),
        verb: Some(verb),
        setting: format!("guardrails.caps.{verb}.alertRule"),
        facts: vec![
            (if policies.len() == 1 { "policy" } else { "policies" }, policies.join(", ").into()),
            ("trigger", trigger.into()),
            ("limit", cap.count.into()),
            ("wouldBe", would_be.into()),
            ("already", number(taken.difference(&planned).count()).into()),
            ("planned", number(planned.len()).into()),
            ("windowSeconds", cap.window.as_secs().into()),
        ],
        held,
    };
    breach.measured(would_be > cap.count).left(Left::Count(cap.count.saturating_sub(would_be)))
}

fn device_id(ground: &Ground<'_>, at: usize) -> Option<DeviceId> {
    let device = ground.proposals.get(at)?.device?;
    Some(ground.scene.inventory.id(device))
}

/// Devices that this workspace took within the window, by what triggers them.
fn taken(ground: &Ground<'_>, verb: Verb, cap: Rolling) -> Taken {
    let inventory = ground.scene.inventory;
    let since = cap.window.before(ground.scene.service_now());
    let now = |id: &DeviceId| {
        inventory.find(id).map_or_else(|| id.clone(), |device| inventory.id(device))
    };
    let actions = inventory.all_actions().iter();
    let devices: BTreeSet<DeviceId> = actions
        .filter(|action| verb.action().as_ref() == Some(&action.kind) && action.created > since)
        .filter(|action| action.status != ActionStatus::Cancelled)
        .filter(|action| counts(ground, verb, action))
        .map(|action| now(&action.device))
        .collect();
    let mut taken = Taken::new();
    if devices.is_empty() {
        return taken;
    }
    for alert in inventory.alerts() {
        for device in alert.devices.iter().map(now).filter(|device| devices.contains(device)) {
            let incident = alert.incident.as_ref().map(|id| incident(id.as_str()));
            for trigger in incident.into_iter().chain([title(ground, alert)]) {
                taken.entry(trigger).or_default().insert(device.clone());
            }
        }
    }
    taken
}

/// Whether the workspace did it and no policy of that name needs no alert for the device. What a
/// policy was called that is gone, and why it selected the device, nobody can tell: that counts.
fn counts(ground: &Ground<'_>, verb: Verb, action: &ActionRow) -> bool {
    let scene = ground.scene;
    let Holder::Ours { policy, .. } = readings::holder_of(action, &scene.input.workspace.id) else {
        return false;
    };
    let Some(device) = scene.inventory.find(&action.device) else { return true };
    let untriggered = match verb {
        Verb::Isolate => scene.isolation.iter().any(|reach| needs_none(reach, &policy, device)),
        Verb::Restrict => scene.restriction.iter().any(|reach| needs_none(reach, &policy, device)),
        _ => false,
    };
    !untriggered
}

/// Whether the policy of that name selects the device without any alert.
fn needs_none<P>(reach: &Reach<'_, P>, policy: &PolicyName, device: Dev) -> bool {
    let named = marker::names(policy, &reach.header.name);
    named && reach.selects(device) && reach.triggers(device).is_empty()
}

/// The triggers of a change; none when a policy that decides it needs no alert.
fn triggers<'g>(ground: &Ground<'g>, at: usize) -> Triggers<'g> {
    let mut found = Triggers::new();
    let Some(proposal) = ground.proposals.get(at) else { return found };
    let Some(device) = proposal.device else { return found };
    for (policy, triggers) in deciding(ground, &proposal.change, device) {
        if triggers.is_empty() {
            return Triggers::new();
        }
        for trigger in triggers {
            let trigger = match trigger {
                Trigger::Alert(alert) => title(ground, alert),
                Trigger::Incident(id) => incident(id.as_str()),
            };
            found.entry(trigger).or_default().insert(policy.as_str());
        }
    }
    found
}

/// The policies without which the change would be weaker or not be there, with their triggers.
fn deciding<'g>(
    ground: &Ground<'g>,
    change: &Change,
    device: Dev,
) -> Vec<(&'g PolicyName, Vec<Trigger<'g>>)> {
    let wants = |name: &PolicyName| change.because.iter().any(|why| why.name == name.as_str());
    let scene = ground.scene;
    match change.verb {
        Verb::Isolate => {
            let reaches = scene.isolation.iter().filter(|reach| wants(&reach.header.name));
            let strong =
                reaches.filter(|reach| Isolation::from(reach.policy.isolation).word() == change.to);
            strong.map(|reach| (&reach.header.name, reach.triggers(device))).collect()
        }
        Verb::Restrict => {
            let reaches = scene.restriction.iter().filter(|reach| wants(&reach.header.name));
            reaches.map(|reach| (&reach.header.name, reach.triggers(device))).collect()
        }
        _ => Vec::new(),
    }
}

fn incident(id: &str) -> String {
    format!("incident {id}")
}

/// Detector and title of an alert, without what differs from device to device.
fn title(ground: &Ground<'_>, alert: &AlertRow) -> String {
    let inventory = ground.scene.inventory;
    let names = inventory.alert_devices(alert).into_iter().map(|device| inventory.name(device));
    format!("{}: {}", alert.detection_source, plain(&alert.title, names))
}

/// A title without case, quoted names, names of devices and digits.
fn plain<'n>(title: &str, names: impl Iterator<Item = &'n str>) -> String {
    let mut folded = title.to_lowercase();
    for name in names.map(str::to_lowercase) {
        let host = name.split('.').next().unwrap_or_default().to_owned();
        for name in [name, host].iter().filter(|name| name.len() > 2) {
            folded = folded.replace(name.as_str(), "*");
        }
    }
    let mut plain = String::with_capacity(folded.len());
    let mut rest = folded.chars().peekable();
    while let Some(c) = rest.next() {
        let closing = match c {
            '"' => Some('"'),
            '\'' if plain.chars().next_back().is_none_or(|last| !last.is_alphanumeric()) => {
                Some('\'')
            }
            '\u{201c}' => Some('\u{201d}'),
            '\u{2018}' => Some('\u{2019}'),
            _ => None,
        };
        let varies = match closing {
            Some(closing) => {
                rest.by_ref().take_while(|c| *c != closing).count();
                true
            }
            None => c.is_ascii_digit(),
        };
        let c = if varies { '*' } else { c };
        if !(c == '*' && plain.ends_with('*')) {
            plain.push(c);
        }
    }
    plain.trim().to_owned()
}

#[cfg(test)]
mod tests;
