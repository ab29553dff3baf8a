//! Which record stands for which device, and what the inventory answers.

use proptest::prelude::*;

use crate::inventory::testing::{NOW, action, alert, at, builder, device, id, observe};
use crate::inventory::{AvRow, DeviceRow, Inventory, Missing, What};
use crate::model::{ActionKind, ActionStatus, DeviceId, Health, Onboarding, ScanType};

fn names(inventory: &Inventory) -> Vec<&str> {
    let mut names: Vec<&str> = inventory.devices().map(|dev| inventory.name(dev)).collect();
    names.sort_unstable();
    names
}

fn merged<'a>(number: u32, name: &'a str, into: u32) -> DeviceRow<'a> {
    DeviceRow { merged_into: Some(id(into)), ..device(number, name) }
}

fn stale<'a>(number: u32, name: &'a str) -> DeviceRow<'a> {
    DeviceRow {
        health: Health::Inactive,
        last_seen: Some(at("2026-10-01T00:00:00Z")),
        ..device(number, name)
    }
}

#[test]
fn every_field_comes_back() {
    let row = DeviceRow {
        group: "EMEA-Servers",
        tags: vec!["pos", "ring-2", "pos"],
        ips: ["10.7.0.41", "10.7.0.41", "fe80::12", "0.0.0.0", "192.0.2.1"]
            .map(|text| text.parse().unwrap())
            .to_vec(),
        ..device(7, "Till-07.shop.example")
    };
    let twin = DeviceRow { potential_duplicate: true, ..device(2, "x") };
    let inventory = observe(vec![device(1, ""), row, twin], vec![]);
    let dev = inventory.find(&id(7)).unwrap();
    let twins = [1, 2, 7].map(|it| inventory.potential_duplicate(inventory.find(&id(it)).unwrap()));
    assert_eq!(twins, [false, true, false]);
    assert_eq!(inventory.id(dev), id(7));
    assert_eq!(inventory.name(dev), "Till-07.shop.example");
    assert_eq!(inventory.group(dev), "EMEA-Servers");
    assert_eq!(inventory.tags(dev).collect::<Vec<_>>(), ["pos", "ring-2"]);
    let ips: Vec<String> = inventory.ips(dev).map(|ip| ip.to_string()).collect();
    assert_eq!(ips, ["10.7.0.41", "fe80::12", "192.0.2.1"]);
    assert_eq!(inventory.platform(dev), "Windows11");
    assert_eq!(inventory.os(dev).word(), "windows");
    assert_eq!((inventory.version(dev), inventory.os_build(dev)), ("24H2", Some(26_100)));
    assert_eq!(inventory.agent_version(dev), "10.8800.26100.1");
    assert_eq!(inventory.managed_by(dev), "Intune");
    assert_eq!(inventory.last_seen(dev), Some(at("2026-11-24T11:00:00Z")));
    assert_eq!(inventory.find_by_name("TILL-07"), [dev]);
    assert_eq!(inventory.find_by_name("till-07.SHOP.example"), [dev]);
    assert!(inventory.find_by_name("till").is_empty() && inventory.find_by_name("").is_empty());
    assert_eq!(inventory.groups(), [("", 2), ("EMEA-Servers", 1)].into());
    assert_eq!((inventory.len(), inventory.is_empty()), (3, false));
    assert!(observe(vec![], vec![]).is_empty());
}

#[test]
fn merged_records_lead_to_the_survivor() {
    let inventory = observe(
        vec![merged(1, "pc", 2), merged(2, "pc", 3), device(3, "pc"), device(4, "other")],
        vec![
            action(1, 1, ActionKind::Isolate, "2026-11-20T00:00:00Z"),
            action(2, 3, ActionKind::Unisolate, "2026-11-21T00:00:00Z"),
            action(3, 99, ActionKind::Isolate, "2026-11-22T00:00:00Z"),
        ],
    );
    let survivor = inventory.find(&id(3)).unwrap();
    assert_eq!(inventory.len(), 2);
    assert_eq!(inventory.find(&id(1)), Some(survivor));
    assert_eq!(inventory.find(&id(2)), Some(survivor));
    assert_eq!(inventory.ambiguous(survivor), None);
    assert_eq!(inventory.merged(), [(id(2), survivor), (id(1), survivor)]);
    assert_eq!(inventory.superseded(), []);
    let actions: Vec<&str> = inventory.actions(survivor).map(|row| row.id.as_str()).collect();
    assert_eq!(actions, ["a0001", "a0002"]);
    assert_eq!(inventory.all_actions().len(), 3, "actions of unknown devices are kept");
}

#[test]
fn merges_that_end_nowhere_are_ambiguous() {
    // A circle, a record that points into it, a chain to an id that was not read, and one that
    // names itself.
    let inventory = observe(
        vec![
            merged(1, "a", 2),
            merged(2, "b", 1),
            merged(3, "c", 1),
            merged(4, "d", 5),
            merged(5, "e", 99),
            merged(6, "f", 6),
        ],
        vec![],
    );
    let ambiguous =
        |number| inventory.find(&id(number)).and_then(|device| inventory.ambiguous(device));
    assert_eq!(ambiguous(1), Some(2));
    assert_eq!(ambiguous(2), Some(2));
    assert_eq!(ambiguous(3), Some(3));
    assert_eq!(inventory.find(&id(4)), inventory.find(&id(5)));
    assert_eq!(ambiguous(5), Some(2));
    assert_eq!(ambiguous(6), None);
    assert_eq!(names(&inventory), ["a", "b", "c", "e", "f"]);
}

#[test]
fn records_of_one_name_are_settled_or_ambiguous() {
    let off = |number| DeviceRow {
        onboarding: Onboarding::CanBeOnboarded,
        ..device(number, "PC.example")
    };
    let old_but_active = |number| DeviceRow {
        last_seen: Some(at("2026-11-01T00:00:00Z")),
        ..device(number, "pc.example")
    };
    let undated = |number| DeviceRow { last_seen: None, ..device(number, "pc.example") };
    let alive = |number| device(number, "pc.EXAMPLE");
    /// What is expected of each record: it stays, is ambiguous, or gave way.
    #[derive(Debug, PartialEq)]
    enum Is {
        Device,
        Ambiguous(u32),
        Superseded,
    }
    use Is::{Ambiguous, Device, Superseded};
    let table: Vec<(&str, Vec<DeviceRow<'_>>, Vec<Is>)> = vec![
        ("one alive", vec![alive(1), stale(2, "pc.example")], vec![Device, Superseded]),
        ("not onboarded", vec![off(1), alive(2)], vec![Superseded, Device]),
        ("long unseen", vec![old_but_active(1), alive(2)], vec![Superseded, Device]),
        ("two alive", vec![alive(1), alive(2)], vec![Ambiguous(2), Ambiguous(2)]),
        (
            "two alive and a stale one",
            vec![alive(1), alive(2), stale(3, "pc.example")],
            vec![Ambiguous(3), Ambiguous(3), Ambiguous(3)],
        ),
        ("none alive", vec![stale(1, "pc.example"), off(2)], vec![Ambiguous(2), Ambiguous(2)]),
        ("no date", vec![undated(1), alive(2)], vec![Ambiguous(2), Ambiguous(2)]),
        ("merged away", vec![merged(1, "pc.example", 2), alive(2)], vec![Device, Device]),
        (
            "merged into nothing",
            vec![merged(1, "pc.example", 99), alive(2)],
            vec![Superseded, Device],
        ),
        (
            "merged into a stale one",
            vec![alive(1), merged(2, "another", 3), stale(3, "pc.example")],
            vec![Device, Superseded, Superseded],
        ),
        ("other name", vec![alive(1), device(2, "pc")], vec![Device, Device]),
        ("no name", vec![device(1, ""), device(2, "")], vec![Device, Device]),
    ];
    for (case, rows, expected) in table {
        let ids: Vec<DeviceId> = rows.iter().map(|row| row.id.clone()).collect();
        let inventory = observe(rows, vec![]);
        let found: Vec<Is> = ids
            .iter()
            .map(|id| match inventory.find(id) {
                Some(device) => inventory.ambiguous(device).map_or(Device, Ambiguous),
                None => {
                    let by = inventory.superseded_by(id);
                    assert!(by.is_some(), "{case}");
                    let listed = inventory.superseded().iter().find(|(old, _)| old == id);
                    assert_eq!(listed.map(|(_, device)| *device), by, "{case}");
                    Superseded
                }
            })
            .collect();
        assert_eq!(found, expected, "{case}");
    }
}

#[test]
fn a_named_device_is_unknown_only_when_the_list_is_partial() {
    for (partial, expected) in [(true, vec![id(9)]), (false, vec![])] {
        let mut builder = builder();
        builder.device(device(1, "a"));
        builder.note_named_device(&id(1));
        builder.note_named_device(&id(9));
        if partial {
            builder.missing(Missing { what: What::Devices, why: "page 2: 500".into() });
        }
        let inventory = builder.build();
        assert_eq!(inventory.absent(), expected);
        assert_eq!(inventory.is_complete(), !partial);
        assert_eq!(inventory.is_partial(What::Devices), partial);
        assert!(!inventory.is_partial(What::Actions));
    }
}

#[test]
fn of_an_action_that_comes_twice_the_later_state_counts() {
    let pending = {
        let mut row = action(1, 1, ActionKind::Isolate, "2026-11-20T00:00:00Z");
        row.status = ActionStatus::Pending;
        row
    };
    let mut done = pending.clone();
    done.status = ActionStatus::Succeeded;
    done.updated = at("2026-11-20T00:01:00Z");
    for rows in [[pending.clone(), done.clone()], [done.clone(), pending]] {
        let inventory = observe(vec![device(1, "a")], rows.to_vec());
        assert_eq!(inventory.all_actions(), std::slice::from_ref(&done));
    }
}

#[test]
fn scans_count_whoever_started_them() {
    let scan = |number, created: &str, depth: Option<ScanType>, status: ActionStatus| {
        let mut row = action(number, 1, ActionKind::RunAntiVirusScan, created);
        row.scan = depth;
        row.status = status;
        row
    };
    let av = |quick: Option<&str>, full: Option<&str>| AvRow {
        device: id(1),
        quick_scan: quick.map(at),
        full_scan: full.map(at),
    };
    let (mon, tue, wed) = ("2026-11-16T00:00:00Z", "2026-11-17T00:00:00Z", "2026-11-18T00:00:00Z");
    let done = ActionStatus::Succeeded;
    let table = [
        (vec![], vec![], None, None),
        (vec![av(Some(tue), Some(mon))], vec![], Some(tue), Some(mon)),
        // A full scan satisfies a quick one, never the other way round.
        (vec![av(Some(mon), Some(tue))], vec![], Some(tue), Some(tue)),
        (vec![av(None, Some("0001-01-01T00:00:00Z"))], vec![], None, None),
        (vec![], vec![scan(1, wed, Some(ScanType::Full), done.clone())], Some(wed), Some(wed)),
        (vec![], vec![scan(1, wed, Some(ScanType::Quick), done.clone())], Some(wed), None),
        (vec![], vec![scan(1, wed, None, done.clone())], Some(wed), None),
        (vec![], vec![scan(1, wed, Some(ScanType::Full), ActionStatus::Failed)], None, None),
        (
            vec![av(Some(mon), Some(tue)), av(Some(wed), None)],
            vec![scan(1, tue, Some(ScanType::Full), done)],
            Some(wed),
            Some(tue),
        ),
    ];
    for (case, (health, actions, quick, full)) in table.into_iter().enumerate() {
        let mut builder = builder();
        builder.device(device(1, "a"));
        health.into_iter().for_each(|row| builder.av(row));
        actions.into_iter().for_each(|row| builder.action(row));
        let inventory = builder.build();
        let device = inventory.find(&id(1)).unwrap();
        assert_eq!(inventory.last_scan(device, ScanType::Quick), quick.map(at), "case {case}");
        assert_eq!(inventory.last_scan(device, ScanType::Full), full.map(at), "case {case}");
    }
}

#[test]
fn offline_is_unwell_or_long_unseen() {
    let table = [
        (Health::Active, Some("2026-11-17T12:00:00Z"), false),
        (Health::Active, Some("2026-11-17T11:59:59Z"), true),
        (Health::Active, None, false),
        (Health::Unknown, Some(NOW), false),
        (Health::Inactive, Some(NOW), true),
        (Health::ImpairedCommunication, Some(NOW), true),
        (Health::NoSensorData, Some(NOW), true),
        (Health::NoSensorDataImpairedCommunication, Some(NOW), true),
    ];
    for (health, seen, offline) in table {
        let row = DeviceRow { health, last_seen: seen.map(at), ..device(1, "a") };
        let inventory = observe(vec![row], vec![]);
        let device = inventory.devices().next().unwrap();
        assert_eq!(inventory.is_offline(device), offline, "{health} {seen:?}");
    }
}

#[test]
fn alerts_lead_to_devices_and_back() {
    let mut builder = builder();
    builder.device(device(1, "a"));
    builder.device(merged(2, "b", 1));
    builder.alert(alert(2, "second", &[2, 1]));
    builder.alert(alert(1, "first", &[1, 77]));
    let inventory = builder.build();
    let device = inventory.find(&id(1)).unwrap();
    let titles: Vec<&str> = inventory.device_alerts(device).map(|alert| &*alert.title).collect();
    assert_eq!(titles, ["first", "second"]);
    let first = inventory.alert(&"da0001_1".into()).unwrap();
    assert_eq!(inventory.alert_devices(first), [device]);
    assert!(!inventory.alert_devices_known(first));
    let second = inventory.alert(&"da0002_1".into()).unwrap();
    assert_eq!(inventory.alert_devices(second), [device]);
    assert!(inventory.alert_devices_known(second));
}

/// Everything an inventory says, as text.
fn render(inventory: &Inventory) -> String {
    let devices: Vec<String> = inventory
        .devices()
        .map(|dev| {
            format!(
                "{} {} {} {:?} {:?} {} {:?} {:?} {:?} {:?} {:?}",
                inventory.id(dev),
                inventory.name(dev),
                inventory.group(dev),
                inventory.tags(dev).collect::<Vec<_>>(),
                inventory.ips(dev).collect::<Vec<_>>(),
                inventory.platform(dev),
                inventory.last_seen(dev),
                inventory.ambiguous(dev),
                inventory.actions(dev).collect::<Vec<_>>(),
                inventory.device_alerts(dev).map(|alert| &alert.id).collect::<Vec<_>>(),
                inventory.last_scan(dev, ScanType::Quick),
            )
        })
        .collect();
    format!(
        "{devices:#?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        inventory.groups(),
        inventory.merged(),
        inventory.superseded(),
        inventory.absent(),
        inventory.missing(),
        inventory.all_actions(),
        inventory.alerts(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]
    /// Pages in any order, with rows that come twice and differ, make the same inventory.
    #[test]
    fn order_of_rows_changes_nothing(
        picks in proptest::collection::vec(
            (0u32..12, 0u32..5, 0u32..4, proptest::option::of(0u32..14), 0u32..3), 0..40),
        shuffled in Just(()).prop_perturb(|(), mut rng| rng.random::<u64>()),
    ) {
        let hosts = ["", "pc-a", "PC-A", "pc-b", "srv"];
        let groups = ["", "EMEA", "APAC"];
        let build = |order: &[usize]| {
            let mut builder = builder();
            for at_row in order {
                let (number, host, age, into, group) = picks[*at_row];
                let seen = at("2026-11-24T00:00:00Z") - jiff::SignedDuration::from_hours(i64::from(age) * 100);
                builder.device(DeviceRow {
                    merged_into: into.map(id),
                    group: groups[group as usize],
                    tags: vec![groups[group as usize], hosts[host as usize]],
                    last_seen: Some(seen),
                    ..device(number, hosts[host as usize])
                });
                let mut row = action(number, into.unwrap_or(number), ActionKind::Isolate, "2026-11-20T00:00:00Z");
                row.status = [ActionStatus::Pending, ActionStatus::Succeeded, ActionStatus::Failed][group as usize].clone();
                row.updated = seen;
                builder.action(row);
                let mut row = alert(number % 4, hosts[host as usize], &[number]);
                row.updated = seen;
                builder.alert(row);
                builder.av(AvRow { device: id(number), quick_scan: Some(seen), full_scan: None });
                builder.note_named_device(&id(number + 6));
            }
            builder.missing(Missing { what: What::Devices, why: "x".into() });
            render(&builder.build())
        };
        let forward: Vec<usize> = (0..picks.len()).collect();
        let mut other = forward.clone();
        other.sort_by_key(|at_row| (*at_row as u64 + 1).wrapping_mul(shuffled | 1));
        prop_assert_eq!(build(&forward), build(&other));
    }
}

#[test]
fn a_device_keeps_no_more_than_150_bytes() {
    let count = 20_000u32;
    let names: Vec<String> =
        (0..count).map(|number| format!("ws-{number:07}.emea.contoso.example")).collect();
    let tags: Vec<String> = (0..500).map(|number| format!("tag-{number:04}")).collect();
    let groups: Vec<String> = (0..60).map(|number| format!("EMEA-{number:03}")).collect();
    let mut builder = builder();
    for (number, name) in (0..count).zip(&names) {
        let mix = number.wrapping_mul(0x9e37_79b9) >> 7;
        let pick = |list: &'static [Health]| list[mix as usize % list.len()];
        let v4 = std::net::Ipv4Addr::from_bits(0x0a00_0000 | mix & 0x00ff_ffff);
        builder.device(DeviceRow {
            group: &groups[mix as usize % groups.len()],
            tags: (0..mix % 4).map(|at| tags[(mix + at * 77) as usize % 500].as_str()).collect(),
            health: pick(Health::ALL),
            ips: vec![v4.into(), std::net::Ipv4Addr::LOCALHOST.into()],
            ..device(number, name)
        });
        let scanned = Some(at("2026-11-20T00:00:00Z"));
        builder.av(AvRow { device: id(number), quick_scan: scanned, full_scan: None });
    }
    let inventory = builder.build();
    assert_eq!(inventory.len(), count as usize);
    let a_device = inventory.footprint().of_devices() / count as usize;
    assert!(a_device <= 150, "{a_device} bytes a device: {:?}", inventory.footprint());
}
