//! Alerts of the last month with their evidence, grouped into incidents.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::emulator::random::Random;
use crate::emulator::seed::kinds::weighted;
use crate::emulator::seed::sorts::{MIMIKATZ, RANSOMWARE, SORTS, Sort};
use crate::emulator::seed::{DAY, Seeder, names};
use crate::emulator::tenant::alert::{ProcessEvidence, UserEvidence};
use crate::emulator::tenant::{Alert, Comment, Incident, Tenant};
use crate::model::{AlertStatus, Classification, Determination, Onboarding};

/// Most alerts a seeded tenant has.
const MOST: u32 = 20_000;

/// Writes the alerts, oldest first, and the incidents they belong to.
pub(super) fn write(seeder: &mut Seeder, tenant: &mut Tenant) {
    let candidates = candidates(tenant);
    if candidates.is_empty() {
        return;
    }
    let extra = (seeder.devices / 25).clamp(2, MOST);
    let mut drafts = cast(seeder, tenant);
    for index in 0..extra {
        let mut random = seeder.random(6, index);
        let Some(machine) = random.pick(&candidates).copied() else { continue };
        let Some(sort) = weighted(&mut random, SORTS) else { continue };
        let created = seeder.ago(&mut random, 60, 30 * DAY);
        // Some come in company: more of the same device within hours, one incident.
        let company = if random.chance(1, 6) { 1 + index % 2 } else { 0 };
        for more in 0..company {
            let mut random = seeder.random(8 + u64::from(more), index);
            let Some(sort) = weighted(&mut random, SORTS) else { continue };
            let after = 300 + random.below(20_000);
            let after = SignedDuration::from_secs(after.cast_signed());
            let created = created.checked_add(after).unwrap_or(created).min(seeder.now);
            drafts.push(Draft { created, machine, sort, random, fresh: false });
        }
        drafts.push(Draft { created, machine, sort, random, fresh: false });
    }
    drafts.sort_by_key(|draft| (draft.created, draft.machine));
    let mut latest = HashMap::new();
    for mut draft in drafts {
        let alert = alert(seeder, tenant, &mut draft);
        add(tenant, &mut latest, &mut draft.random, alert);
    }
    hostile(seeder, tenant);
}

/// An alert to be.
struct Draft {
    created: Timestamp,
    machine: u32,
    sort: Sort,
    random: Random,
    /// Nobody has looked at it yet.
    fresh: bool,
}

/// Rows of devices that sensors run on.
fn candidates(tenant: &Tenant) -> Vec<u32> {
    let rows = (0_u32..).zip(tenant.machines());
    rows.filter(|(_, machine)| {
        machine.onboarding == Onboarding::Onboarded
            && machine.merged_into.is_none()
            && machine.av.is_some()
    })
    .map(|(row, _)| row)
    .collect()
}

/// Alerts that are always there: the red team's range, and ransomware on a device or two.
fn cast(seeder: &Seeder, tenant: &Tenant) -> Vec<Draft> {
    let mut drafts = Vec::new();
    for (row, machine) in (0_u32..).zip(tenant.machines()) {
        let mut random = seeder.random(7, row);
        let tagged = machine.tags.iter().any(|tag| &**tag == "red-team-range");
        if tagged && machine.merged_into.is_none() && (row < 12 || random.chance(2, 3)) {
            let created = seeder.ago(&mut random, 600, 5 * DAY);
            drafts.push(Draft { created, machine: row, sort: MIMIKATZ, random, fresh: row < 12 });
        } else if row == 7 && machine.av.is_some() {
            let created = seeder.ago(&mut random, 600, 20 * 3_600);
            drafts.push(Draft { created, machine: row, sort: RANSOMWARE, random, fresh: true });
        }
    }
    drafts
}

fn alert(seeder: &mut Seeder, tenant: &Tenant, draft: &mut Draft) -> Alert {
    let Draft { created, machine, sort, random, fresh } = draft;
    let (created, machine, fresh) = (*created, *machine, *fresh);
    let now = seeder.now;
    let later = |secs: u64| {
        let at = created.checked_add(SignedDuration::from_secs(secs.cast_signed()));
        at.unwrap_or(created).min(now)
    };
    let first_event = created.checked_sub(SignedDuration::from_secs(240)).unwrap_or(created);
    let mut machines = vec![machine];
    if random.chance(1, 20)
        && machine > 0
        && tenant.machine(machine - 1).is_some_and(|m| m.av.is_some())
    {
        machines.push(machine - 1);
    }
    let mut alert = Alert {
        id: Arc::from(id(created, random)),
        incident: 0,
        investigation: None,
        investigation_state: Some("UnsupportedAlertType"),
        assigned_to: None,
        severity: sort.severity,
        status: AlertStatus::New,
        classification: Classification::Unknown,
        determination: Determination::Unknown,
        detection_source: sort.source,
        service_source: "microsoftDefenderForEndpoint",
        detector_id: random.guid(),
        category: seeder.word(sort.category),
        threat_family: sort.threat.map(|threat| seeder.word(threat)),
        threat_name: None,
        title: seeder.word(sort.title),
        description: seeder.word("Activity on the device matches behavior seen in attacks."),
        recommended: seeder.word("Check the process tree and the user's recent activity."),
        created,
        first_event,
        last_event: later(random.below(3_600)),
        updated: later(random.below(7_200)),
        resolved: None,
        machines,
        mitre: sort.mitre.iter().map(|technique| seeder.word(technique)).collect(),
        comments: Vec::new(),
        process: Some(process(seeder, random, sort)),
        user: random.chance(2, 3).then(|| user(seeder, random)),
    };
    if !fresh {
        judge(seeder, random, &mut alert);
    }
    alert
}

/// `da<.NET ticks>_<number>`.
fn id(created: Timestamp, random: &mut Random) -> String {
    let seconds = created.as_second() + 62_135_596_800;
    let ticks = i64::from(created.subsec_nanosecond()) / 100 + seconds * 10_000_000;
    let number = i32::from_le_bytes(random.bytes());
    format!("da{ticks}_{number}")
}

/// What analysts did with the alert so far.
fn judge(seeder: &mut Seeder, random: &mut Random, alert: &mut Alert) {
    let roll = random.below(100);
    if roll < 60 {
        return;
    }
    let analyst = seeder.word(random.pick(names::ANALYSTS).copied().unwrap_or("someone"));
    alert.assigned_to = Some(Arc::clone(&analyst));
    if roll < 76 {
        alert.status = AlertStatus::InProgress;
        return;
    }
    (alert.classification, alert.determination) = match roll % 4 {
        0 => (Classification::TruePositive, Determination::Malware),
        1 => (Classification::FalsePositive, Determination::NotMalicious),
        2 => (Classification::InformationalExpectedActivity, Determination::SecurityTesting),
        _ => (Classification::TruePositive, Determination::Other),
    };
    alert.comments.push(Comment {
        text: seeder.word("Reviewed with the owner of the device."),
        by: analyst,
        at: alert.updated,
    });
    // Some verdicts are given before the alert is closed.
    if roll >= 80 {
        alert.status = AlertStatus::Resolved;
        alert.resolved = Some(alert.updated);
    }
}

fn process(seeder: &mut Seeder, random: &mut Random, sort: &Sort) -> ProcessEvidence {
    let sha1: [u8; 20] = random.bytes();
    let sha256: [u8; 32] = random.bytes();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    ProcessEvidence {
        file: seeder.word(sort.file),
        folder: seeder.word("C:\\Users\\Public\\Downloads"),
        sha1: Arc::from(hex(&sha1)),
        sha256: Arc::from(hex(&sha256)),
        pid: 1_000 + u32::try_from(random.below(60_000)).unwrap_or(0),
        command: seeder.word(sort.command),
        parent: 500 + u32::try_from(random.below(9_000)).unwrap_or(0),
    }
}

fn user(seeder: &mut Seeder, random: &mut Random) -> UserEvidence {
    const ACCOUNTS: &[(&str, &str)] = &[
        ("k.meyer", "k.meyer@contoso.example"),
        ("s.rossi", "s.rossi@contoso.example"),
        ("d.nguyen", "d.nguyen@contoso.example"),
        ("svc-backup", "svc-backup@contoso.example"),
    ];
    let (account, upn) = random.pick(ACCOUNTS).copied().unwrap_or(("user", "user@contoso.example"));
    let sid = format!("S-1-5-21-1004336348-1177238915-682003330-{}", 1_000 + random.below(9_000));
    UserEvidence {
        account: seeder.word(account),
        domain: seeder.word("contoso"),
        sid: Arc::from(sid),
        upn: seeder.word(upn),
    }
}

/// Adds an alert to the tenant and to an incident: the device's latest one if it is younger than
/// three days, or a new one.
fn add(
    tenant: &mut Tenant,
    latest: &mut HashMap<u32, usize>,
    random: &mut Random,
    mut alert: Alert,
) {
    let row = u32::try_from(tenant.alerts.len()).unwrap_or(u32::MAX);
    let machine = alert.machines.first().copied().unwrap_or(u32::MAX);
    let known = latest.get(&machine).and_then(|index| tenant.incidents.get_mut(*index));
    let young = known.filter(|incident| {
        alert.created.duration_since(incident.created) < SignedDuration::from_hours(72)
    });
    if let Some(incident) = young {
        incident.alerts.push(row);
        incident.severity = incident.severity.max(alert.severity);
        alert.incident = incident.id;
    } else {
        let last = tenant.incidents.last().map_or(20_400, |incident| incident.id);
        alert.incident = last + 1 + random.below(3);
        latest.insert(machine, tenant.incidents.len());
        tenant.incidents.push(Incident {
            id: alert.incident,
            name: Arc::clone(&alert.title),
            created: alert.created,
            alerts: vec![row],
            severity: alert.severity,
        });
    }
    tenant.add_alert(alert);
}

/// Titles that break whoever trusts them.
fn hostile(seeder: &Seeder, tenant: &mut Tenant) {
    if seeder.devices < 100 {
        return;
    }
    let count = tenant.alerts.len();
    for (index, title) in names::HOSTILE_TITLES.iter().enumerate() {
        let at = count.saturating_sub(1 + index * 2);
        if let Some(alert) = tenant.alerts.get_mut(at)
            && alert.machines.first().is_some_and(|row| *row >= 12)
        {
            alert.title = Arc::from(*title);
        }
    }
}
