//! Worlds drawn from a seed: machines, history, scans, alerts, policies, guardrails; and the world
//! after a plan was carried out.

use std::sync::Arc;

use jiff::Timestamp;

use super::fleet::{Fleet, Machine, WORKSPACE, ago, alert, marked, now};
use super::policies::{exempt, isolate, restrict, rule, scan, set, tag, workspace};
use crate::inventory::{self as cancel, ActionRow, Cancelled};
use crate::model::{
    ActionKind, ActionStatus, AlertStatus, Classification, Determination, DeviceId, DeviceValue,
    Facet, Health, Isolation, IsolationMode, Onboarding, ScanType, Span, Verb,
};
use crate::plan::types::{Change, Plan, TargetKind};
use crate::policy::limits::Remaining;
use crate::policy::rollout::{Pause, Rollout};
use crate::policy::selector::{AlertExpr, AlertTerm, DeviceExpr, DeviceTerm};
use crate::policy::set::{Containment, Lease, Mode, OnExpiry, OnManualRelease, Verdict};
use crate::policy::workspace::{Caps, Guardrails, Limit, Rolling};
use crate::policy::{PolicySet, Workspace};

/// Numbers from a seed (splitmix64).
pub(super) struct Draw(pub(super) u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
    pub(super) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()].clone()
    }
    pub(super) fn shuffle<T>(&mut self, rows: &mut [T]) {
        for at in (1..rows.len()).rev() {
            let other = usize::try_from(self.below(at as u64 + 1)).unwrap();
            rows.swap(at, other);
        }
    }
}

pub(super) const NAMES: &[&str] = &["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
const POLICIES: &[&str] = &["one", "two", "three", "gone"];

fn machine(draw: &mut Draw, name: &str) -> Machine {
    let mut machine = Machine::new(name);
    for word in ["red", "blue", "green"] {
        if draw.chance(40) {
            machine.tags.push(word.to_owned());
        }
    }
    machine.group = draw.pick(&["Servers", "Office", ""]).to_owned();
    let platforms = ["Windows11", "Windows11", "Windows10", "WindowsServer2022", "Ubuntu", "iOS"];
    machine.platform = draw.pick(&platforms).to_owned();
    machine.value = draw.pick(&[DeviceValue::Normal, DeviceValue::Normal, DeviceValue::High]);
    machine.health = draw.pick(&[Health::Active, Health::Active, Health::Inactive]);
    if draw.chance(10) {
        machine.onboarding = Onboarding::CanBeOnboarded;
    }
    machine
}

fn action(draw: &mut Draw, fleet: Fleet) -> Fleet {
    use ActionKind::{
        Isolate, RestrictCodeExecution, RunAntiVirusScan, Unisolate, UnrestrictCodeExecution,
    };
    use ActionStatus::{Cancelled, Failed, Pending, Succeeded, TimeOut};
    let kinds = [
        Isolate,
        Isolate,
        Unisolate,
        RestrictCodeExecution,
        UnrestrictCodeExecution,
        RunAntiVirusScan,
    ];
    let states = [Succeeded, Succeeded, Succeeded, Succeeded, Pending, Failed, TimeOut, Cancelled];
    let (kind, status) = (draw.pick(&kinds), draw.pick(&states));
    let policy = draw.pick(POLICIES);
    let ours = marked(WORKSPACE, policy);
    let (comment, by) = match draw.below(5) {
        0 => ("by hand".to_owned(), "ana"),
        1 => (marked("another", policy), "palisade"),
        2 if matches!(kind, Unisolate | UnrestrictCodeExecution) => {
            (ours.replace("for a test", &format!("lease ended: {policy}")), "palisade")
        }
        _ => (ours, "palisade"),
    };
    let strength = draw.pick(&[None, Some(Isolation::Full), Some(Isolation::Selective)]);
    let depth = draw.pick(&[None, Some(ScanType::Quick), Some(ScanType::Full)]);
    let (name, created) = (draw.pick(NAMES), ago(1 + draw.below(200)));
    let canceller = draw.pick(&[None, Some("palisade"), Some("ana")]);
    fleet.action(name, kind.clone(), status, created, &comment, by).last_action(|action| {
        action.isolation = strength.filter(|_| kind == Isolate);
        action.cancelled = canceller.filter(|_| action.status == Cancelled).map(|by| {
            let (requestor, comment) = (Arc::from(by), Arc::from(""));
            Box::new(cancel::Cancelled { requestor, comment, at: action.updated })
        });
        action.scan = depth.filter(|_| kind == RunAntiVirusScan);
    })
}

pub(super) fn fleet(draw: &mut Draw) -> Fleet {
    let mut fleet = Fleet::of(NAMES.iter().map(|name| machine(draw, name)));
    for _ in 0..draw.below(20) {
        fleet = action(draw, fleet);
    }
    for name in NAMES {
        if draw.chance(30) {
            let depth = draw.pick(&[ScanType::Quick, ScanType::Full]);
            fleet = fleet.scanned(name, depth, ago(draw.below(48)));
        }
    }
    for number in 0..draw.below(5) {
        let mut row = alert(&format!("da{number}"), draw.pick(NAMES));
        row.status = draw.pick(&[AlertStatus::New, AlertStatus::InProgress, AlertStatus::Resolved]);
        if draw.chance(30) {
            row.classification = Classification::TruePositive;
            row.determination = Determination::Malware;
        }
        if draw.chance(30) {
            row.comments.push(Arc::from(marked(WORKSPACE, "expected")));
        }
        fleet = fleet.alert(row);
    }
    fleet
}

/// Devices with an alert, by something that no rule changes.
pub(in crate::plan) fn by_alert() -> DeviceExpr {
    let category = AlertTerm::Category(vec![Arc::from("CredentialAccess")]);
    DeviceExpr::Term(DeviceTerm::Alert(Box::new(AlertExpr::Term(category))))
}

pub(super) fn devices(draw: &mut Draw) -> DeviceExpr {
    match draw.below(8) {
        0 => DeviceExpr::Everything,
        6 => by_alert(),
        7 => DeviceExpr::Any(vec![by_alert(), tag("blue")]),
        1 => DeviceExpr::Not(Box::new(tag("red"))),
        _ => tag(draw.pick(&["red", "blue", "green"])),
    }
}

fn contain(draw: &mut Draw, containment: &mut Containment) {
    if draw.chance(20) {
        containment.mode = Mode::Audit;
    }
    let until = Span::from_hours(draw.below(90)).after(ago(40));
    let leases = [24, 72, 240].map(|hours| Lease::For(Span::from_hours(hours)));
    containment.lease = draw.pick(&[leases[0], leases[1], leases[2], Lease::Until(until)]);
    containment.on_expiry = draw.pick(&[OnExpiry::Release, OnExpiry::Release, OnExpiry::Hold]);
    containment.renewal = draw.pick(&[1, 1, 2]);
    containment.adopt = draw.chance(25);
    use OnManualRelease::{Ask, Reassert, Respect};
    containment.on_manual_release = draw.pick(&[Respect, Respect, Reassert, Ask]);
    containment.queue_offline = draw.chance(70);
    containment.rollout = rollout(draw);
}

fn rollout(draw: &mut Draw) -> Option<Rollout> {
    let share = |percent: u32| Limit::Share { basis_points: percent * 100, at_least: 1 };
    let waves = [vec![Limit::Count(1)], vec![share(10), share(40)], vec![share(50), share(50)]];
    let mut rollout = Rollout::in_waves(draw.pick(&waves));
    rollout.pause = draw.pick(&[Pause::Never, Pause::First, Pause::Each]);
    rollout.bake = Span::from_secs(draw.below(3) * 600);
    draw.chance(50).then_some(rollout)
}

pub(super) fn policies(draw: &mut Draw) -> PolicySet {
    let mut set = set();
    for name in ["one", "three", "two"] {
        if draw.chance(60) {
            let mut policy = isolate(name, devices(draw));
            policy.isolation = draw.pick(&[IsolationMode::Full, IsolationMode::Selective]);
            contain(draw, &mut policy.containment);
            set.isolation.push(policy);
        }
        if draw.chance(40) {
            let mut policy = restrict(name, devices(draw));
            contain(draw, &mut policy.containment);
            set.restriction.push(policy);
        }
        if draw.chance(40) {
            let cron = draw.pick(&["0 8 * * *", "30 1 * * *", "0 9 * * MON"]);
            let mut policy = scan(name, devices(draw), cron);
            policy.scan = draw.pick(&[ScanType::Quick, ScanType::Full]);
            policy.schedule.catch_up = draw.chance(30);
            policy.queue_offline = draw.chance(30);
            policy.rollout = rollout(draw);
            set.scans.push(policy);
        }
    }
    if draw.chance(60) {
        let verdict = Verdict {
            status: Some(AlertStatus::Resolved),
            classification: Some(Classification::FalsePositive),
            determination: Some(Determination::NotMalicious),
            assigned_to: None,
            comment: draw.chance(50).then(|| Arc::from("expected")),
        };
        let mut rule = rule("expected", "*", verdict);
        rule.overwrite_analyst = draw.chance(30);
        set.alert_rules.push(rule);
    }
    if draw.chance(30) {
        let expires = Span::from_hours(draw.below(80)).after(ago(20));
        let facets = [Facet::Isolation, Facet::CodeExecution];
        let mut exemption = exempt("vip", tag("green"), &facets, expires);
        let isolation = [None, Some(Isolation::Free), Some(Isolation::Full)];
        exemption.accepted.isolation = draw.pick(&isolation);
        if draw.chance(25) {
            exemption.devices = by_alert();
        }
        set.exemptions.push(exemption);
    }
    set
}

/// Limits against flapping, up to the length of the histories drawn here.
pub(super) fn flapping(draw: &mut Draw, guardrails: &mut Guardrails) {
    guardrails.dwell = Span::from_hours(draw.below(100));
    guardrails.cooldown = Span::from_hours(draw.below(100));
}

pub(super) fn guarded(draw: &mut Draw) -> Workspace {
    let mut workspace = workspace();
    let guardrails = &mut workspace.guardrails;
    guardrails.hold_orphaned_releases = draw.chance(50);
    guardrails.protected = draw.chance(40).then(|| tag("blue"));
    for verb in [Verb::Isolate, Verb::Restrict, Verb::Scan, Verb::Release] {
        let mut limit = || {
            draw.chance(40).then(|| match draw.below(2) {
                0 => Limit::Count(u32::try_from(draw.below(6)).unwrap()),
                _ => {
                    let percent = u32::try_from(draw.below(60)).unwrap();
                    Limit::Share { basis_points: percent * 100, at_least: 1 }
                }
            })
        };
        let (run, group, fleet) = (limit(), limit(), limit());
        let alert_rule = draw.chance(40).then(|| Rolling {
            count: u32::try_from(draw.below(3)).unwrap(),
            window: Span::from_hours(1 + draw.below(100)),
        });
        guardrails.caps.insert(verb, Caps { run, group, fleet, alert_rule, ..Caps::default() });
    }
    if draw.chance(40) {
        let least = Limit::Count(u32::try_from(draw.below(6)).unwrap());
        guardrails.remaining = Remaining { least, groups_from: 1 };
    }
    flapping(draw, guardrails);
    workspace
}

/// The fleet after each change has succeeded at once.
pub(super) fn applied(fleet: Fleet, plan: &Plan) -> Fleet {
    applied_at(fleet, plan, now())
}

/// The fleet after each change has succeeded at that time.
pub(super) fn applied_at(mut fleet: Fleet, plan: &Plan, at: Timestamp) -> Fleet {
    for change in &plan.changes {
        match change.target.kind {
            TargetKind::Device => act(&mut fleet, change, at),
            TargetKind::Alert | TargetKind::Incident => classify(&mut fleet, change),
        }
    }
    fleet
}

fn act(fleet: &mut Fleet, change: &Change, at: Timestamp) {
    let parameters = &change.parameters;
    if let Some(id) = &parameters.action_id {
        let row = fleet.actions.iter_mut().find(|row| row.id.as_str() == id).unwrap();
        row.status = ActionStatus::Cancelled;
        row.updated = at;
        let comment = Arc::from(parameters.comment.clone().unwrap());
        row.cancelled = Some(Box::new(Cancelled { requestor: Arc::from("palisade"), comment, at }));
        return;
    }
    let number = fleet.actions.len();
    fleet.actions.push(ActionRow {
        id: format!("action-{number:05}").into(),
        device: DeviceId::parse(&change.target.id),
        kind: change.verb.action().unwrap(),
        status: ActionStatus::Succeeded,
        requestor: Arc::from("palisade"),
        comment: Arc::from(parameters.comment.clone().unwrap()),
        source: Arc::from("PublicApi"),
        created: at,
        updated: at,
        isolation: parameters.isolation_type.as_deref().and_then(Isolation::parse),
        scan: parameters.scan_type.as_deref().and_then(ScanType::parse),
        cancelled: None,
    });
}

fn classify(fleet: &mut Fleet, change: &Change) {
    let row = fleet.alerts.iter_mut().find(|row| row.id.as_str() == change.target.id).unwrap();
    let parameters = &change.parameters;
    if let Some(status) = &parameters.status {
        row.status = AlertStatus::from_wire(status);
    }
    if let Some(verdict) = &parameters.classification {
        row.classification = Classification::read(Some(verdict));
    }
    if let Some(verdict) = &parameters.determination {
        row.determination = Determination::read(Some(verdict));
    }
    row.comments.extend(parameters.comment.as_deref().map(Arc::from));
}
