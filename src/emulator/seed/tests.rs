//! Determinism and content of seeded tenants.

use std::collections::BTreeMap;

use super::*;
use crate::emulator::tenant::{Action, Machine};
use crate::model::{ActionStatus, AlertStatus, Health, Isolation, Onboarding};

fn now() -> Timestamp {
    "2026-11-23T10:02:00Z".parse().unwrap()
}

fn tenant(devices: u32, seed: u64) -> Tenant {
    fleet(&Config { devices, seed, ..Config::default() }, now())
}

fn print(tenant: &Tenant) -> String {
    format!("{:?}\n{:?}\n{:?}", tenant.machines(), tenant.actions(), tenant.alerts())
}

#[test]
fn the_same_size_seed_and_instant_give_the_same_tenant() {
    assert_eq!(print(&tenant(300, 7)), print(&tenant(300, 7)));
    assert_ne!(print(&tenant(300, 7)), print(&tenant(300, 8)));
}

#[test]
fn a_device_does_not_depend_on_how_many_there_are() {
    let (small, large) = (tenant(150, 3), tenant(400, 3));
    let print = |machine: &Machine| format!("{} {:?} {:?}", machine.id, machine.name, machine.tags);
    for (one, other) in small.machines().iter().zip(large.machines()) {
        assert_eq!(print(one), print(other));
    }
}

#[test]
fn ten_devices_contain_something_of_interest() {
    let tenant = tenant(10, 1);
    let tagged = |tag: &str| {
        tenant.machines().iter().filter(|m| m.tags.iter().any(|held| &**held == tag)).count()
    };
    assert_eq!(tenant.machines().len(), 10);
    for tag in ["domain-controller", "ir-7781", "red-team-range", "kiosk", "hypervisor", "vip"] {
        assert!(tagged(tag) >= 1, "{tag}");
    }
    assert!(tenant.machines().iter().any(|m| m.merged_into.is_some()));
    assert!(tenant.machines().iter().any(|m| !m.online && m.merged_into.is_none()));
    assert!(tenant.machines().iter().any(|m| m.posture.isolation == Isolation::Full));
    assert!(tenant.actions().iter().any(Action::is_active));
    assert!(tenant.alerts().iter().any(|a| a.title.contains("Mimikatz")));
    assert!(tenant.alerts().iter().any(|a| a.title.contains("Ransomware")));
    assert!(!tenant.incidents.is_empty());
    for title in ["Mimikatz", "Ransomware"] {
        let fresh = |a: &&crate::emulator::tenant::Alert| {
            a.title.contains(title) && a.status == AlertStatus::New && a.assigned_to.is_none()
        };
        assert!(tenant.alerts().iter().any(|a| fresh(&a)), "nobody works on {title} yet");
    }
}

#[test]
fn a_fleet_has_every_group_oddity_and_state() {
    let tenant = tenant(2_000, 1);
    let mut groups: BTreeMap<u32, usize> = BTreeMap::new();
    for machine in tenant.machines() {
        *groups.entry(machine.group).or_default() += 1;
    }
    assert_eq!(groups.keys().copied().collect::<Vec<_>>(), [0, 101, 102, 103, 104, 107, 112, 119]);
    assert!(groups[&101] > groups[&102] * 4, "workstations dominate: {groups:?}");

    let any = |test: fn(&Machine) -> bool| tenant.machines().iter().filter(|m| test(m)).count();
    assert!(any(|m| m.merged_into.is_some()) >= 2);
    assert!(any(|m| m.potential_duplicate && m.merged_into.is_none()) >= 2);
    assert!(any(|m| m.name.is_none()) >= 2);
    assert!(any(|m| m.name.as_deref().is_some_and(|n| n.contains('\u{1b}'))) == 1);
    assert!(any(|m| m.onboarding == Onboarding::CanBeOnboarded) >= 2);
    assert!(any(|m| m.onboarding == Onboarding::Unsupported) >= 2);
    assert!(any(|m| m.base_health == Health::Inactive) >= 20);
    assert!(any(|m| m.excluded) >= 1);
    assert!(any(|m| m.vm.is_some()) >= 1);
    assert!(tenant.alerts().iter().any(|a| a.title.contains("<img")));
    assert!(tenant.incidents.iter().any(|incident| incident.alerts.len() > 1));
    let states: std::collections::BTreeSet<_> =
        tenant.actions().iter().map(|action| action.status.wire().to_owned()).collect();
    assert!(states.len() >= 5, "{states:?}");
    assert!(tenant.actions().is_sorted_by_key(|action| action.created));
    assert!(tenant.alerts().is_sorted_by_key(|alert| alert.created));
    for action in tenant.actions() {
        let terminal = action.status.is_terminal();
        assert!(action.created <= action.updated && action.updated <= now(), "{action:?}");
        assert!(terminal || action.status == ActionStatus::Pending);
    }
    for machine in tenant.machines() {
        assert!(machine.first_seen <= machine.reported && machine.reported <= now());
    }
}

#[test]
fn posture_agrees_with_the_history() {
    let tenant = tenant(3_000, 5);
    for (row, machine) in (0_u32..).zip(tenant.machines()) {
        let mut isolated = Isolation::Free;
        let rows = tenant.actions_of(row).iter().filter_map(|row| tenant.action(*row));
        for action in rows.filter(|action| action.status == ActionStatus::Succeeded) {
            match action.kind {
                crate::model::ActionKind::Isolate => {
                    isolated = action.isolation.unwrap().posture();
                }
                crate::model::ActionKind::Unisolate => isolated = Isolation::Free,
                _ => {}
            }
        }
        assert_eq!(machine.posture.isolation, isolated, "row {row}");
    }
}

#[test]
fn ids_are_unique() {
    let tenant = tenant(5_000, 2);
    let machines: std::collections::BTreeSet<_> = tenant.machines().iter().map(|m| m.id).collect();
    assert_eq!(machines.len(), 5_000);
    let actions: std::collections::BTreeSet<_> = tenant.actions().iter().map(|a| a.id).collect();
    assert_eq!(actions.len(), tenant.actions().len());
    let alerts: std::collections::BTreeSet<_> = tenant.alerts().iter().map(|a| &a.id).collect();
    assert_eq!(alerts.len(), tenant.alerts().len());
}

#[test]
fn no_devices_is_a_tenant_too() {
    let tenant = tenant(0, 1);
    assert!(
        tenant.machines().is_empty() && tenant.actions().is_empty() && tenant.alerts().is_empty()
    );
}
