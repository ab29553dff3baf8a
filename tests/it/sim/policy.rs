//! Policies of a simulated workspace: as the author writes them, and what they mean to the reference
//! model. Its guardrails are in `guard`.
//!
//! `yaml` is what the product reads. `selects` and the like are the model's own idea of the same
//! document, in the plainest words; they share nothing with the product's selectors.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::accepts::Accepted;
use super::alerts::TITLES;
use super::by_hand::Manual;
use super::rules::Rule;
use super::transition::Draw;

pub(super) const TAGS: &[&str] = &["red", "blue", "green"];
pub(super) const GROUPS: &[&str] = &["Office", "Servers"];
/// The tag that guardrails protect.
pub(super) const PROTECTED: usize = 2;

/// A policy document.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Doc {
    pub(super) kind: Kind,
    pub(super) pick: Pick,
    pub(super) audit: bool,
    /// Hours; for an exemption, from the start of the life.
    pub(super) lease: u32,
    pub(super) hold: bool,
    pub(super) renewal: u32,
    pub(super) adopt: bool,
    pub(super) queue: bool,
    pub(super) rollout: Option<Rollout>,
    /// What a person's release means to it.
    pub(super) manual: Manual,
    /// Its text, where the product wrote it.
    pub(super) text: Option<Arc<str>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Isolate {
        full: bool,
    },
    Restrict,
    Scan {
        full: bool,
    },
    Exempt,
    Alerts(Rule),
    /// What somebody has accepted on a device.
    Accepted(Accepted),
}

/// Which devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pick {
    Tag(usize),
    NotTag(usize),
    Group(usize),
    Both(usize, usize),
    Everything,
    /// Devices with an alert of that title.
    Alert(usize),
    /// The device in that row.
    Device(u32),
}

/// What a policy can tell devices apart by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Traits {
    pub(super) tags: Vec<String>,
    pub(super) group: String,
    pub(super) row: u32,
    /// Titles of its alerts.
    pub(super) alerts: Vec<String>,
}

impl Traits {
    pub(super) fn has(&self, tag: usize) -> bool {
        self.tags.iter().any(|held| held == TAGS[tag])
    }
}

impl Pick {
    fn draw(draw: &mut Draw) -> Self {
        match draw.below(9) {
            0 => Self::NotTag(draw.below(2)),
            1 => Self::Group(draw.below(GROUPS.len())),
            2 => Self::Both(draw.below(GROUPS.len()), draw.below(2)),
            3 => Self::Everything,
            8 => Self::Alert(draw.below(TITLES.len())),
            _ => Self::Tag(draw.below(2)),
        }
    }
    pub(super) fn selects(self, device: &Traits) -> bool {
        match self {
            Self::Tag(tag) => device.has(tag),
            Self::NotTag(tag) => !device.has(tag),
            Self::Group(group) => device.group == GROUPS[group],
            Self::Both(group, tag) => device.group == GROUPS[group] && device.has(tag),
            Self::Everything => true,
            Self::Device(row) => device.row == row,
            Self::Alert(title) => device.alerts.iter().any(|held| held == TITLES[title]),
        }
    }
    fn yaml(self) -> String {
        match self {
            Self::Tag(tag) => format!("{{tag: {}}}", TAGS[tag]),
            Self::NotTag(tag) => format!("{{not: {{tag: {}}}}}", TAGS[tag]),
            Self::Group(group) => format!("{{group: {}}}", GROUPS[group]),
            Self::Both(group, tag) => format!("{{group: {}, tag: {}}}", GROUPS[group], TAGS[tag]),
            Self::Everything => "{everything: true}".to_owned(),
            Self::Device(row) => panic!("the product writes of the device in row {row}"),
            Self::Alert(title) => format!("{{alert: {{title: \"{}\"}}}}", TITLES[title]),
        }
    }
}

/// Names by slot; one is longer than a marker can carry.
pub(super) fn name(slot: usize) -> String {
    if slot == 3 { format!("p3-{}", "long".repeat(14)) } else { format!("p{slot}") }
}

impl Doc {
    pub(super) fn draw(draw: &mut Draw) -> Self {
        let kind = match draw.below(12) {
            0..=3 => Kind::Isolate { full: true },
            4 => Kind::Isolate { full: false },
            5 | 6 => Kind::Restrict,
            7 | 8 => Kind::Scan { full: draw.chance(50) },
            9 => Kind::Exempt,
            _ => Kind::Alerts(Rule::draw(draw)),
        };
        Self {
            kind,
            pick: Pick::draw(draw),
            audit: draw.chance(10),
            lease: draw.pick(&[1, 24, 72, 72, 150]),
            hold: draw.chance(15),
            renewal: draw.pick(&[1, 1, 2]),
            adopt: draw.chance(20),
            queue: draw.chance(80),
            rollout: draw.chance(30).then(|| Rollout::draw(draw)),
            manual: Manual::draw(draw),
            text: None,
        }
    }

    /// An alert rule.
    pub(super) fn rule(draw: &mut Draw) -> Self {
        let kind = Kind::Alerts(Rule::draw(draw));
        Self { kind, ..Self::draw(draw) }
    }

    /// An isolation of the devices that have an alert of that title.
    pub(super) fn triggered(draw: &mut Draw, title: usize) -> Self {
        let (kind, pick) = (Kind::Isolate { full: true }, Pick::Alert(title));
        Self { kind, pick, audit: false, ..Self::draw(draw) }
    }

    /// Whether it takes something away from devices.
    pub(super) fn contains(&self) -> bool {
        matches!(self.kind, Kind::Isolate { .. } | Kind::Restrict)
    }

    pub(super) fn yaml(&self, slot: usize, start: jiff::Timestamp) -> String {
        let (kind, lead) = match self.kind {
            Kind::Isolate { full: true } => ("IsolationSet", "isolation: full, "),
            Kind::Isolate { full: false } => ("IsolationSet", "isolation: selective, "),
            Kind::Restrict => ("CodeExecutionRestriction", ""),
            Kind::Scan { full: true } => ("ScanSchedule", "scan: full, every: 7d, "),
            Kind::Scan { full: false } => ("ScanSchedule", "scan: quick, every: 3d, "),
            Kind::Exempt => ("Exemption", "reason: a test, approver: ciso@contoso.example, "),
            Kind::Alerts(_) => ("AlertRule", ""),
            Kind::Accepted(_) => return self.text.as_deref().unwrap_or_default().to_owned(),
        };
        let mode = if self.audit { "audit" } else { "enforce" };
        let mut spec = format!("{lead}devices: {}", self.pick.yaml());
        if self.contains() {
            let Self { lease, renewal, adopt, .. } = self;
            let expiry = if self.hold { "hold" } else { "release" };
            let _ = write!(spec, ", lease: {lease}h, onExpiry: {expiry}");
            let _ = write!(spec, ", renewal: {renewal}, adopt: {adopt}");
            spec.push_str(self.manual.yaml());
        }
        match self.kind {
            Kind::Exempt => {
                let hours = jiff::SignedDuration::from_hours(i64::from(self.lease));
                let _ = write!(spec, ", expires: {}", start + hours);
            }
            Kind::Alerts(rule) => spec = rule.yaml(mode, &self.pick.yaml()),
            _ => {
                let _ = write!(spec, ", mode: {mode}, queueOffline: {}, comment: sim", self.queue);
            }
        }
        if let Some(rollout) = self.rollout.filter(|_| self.kind != Kind::Exempt) {
            let _ = write!(spec, ", rollout: {{{}}}", rollout.yaml());
        }
        let name = name(slot);
        format!(
            "apiVersion: palisade/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {{{spec}}}\n"
        )
    }
}

/// In which waves a policy goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rollout {
    waves: &'static [Size],
    bake: u32,
    failures: u32,
    offline: u32,
    pause: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Size {
    Count(usize),
    Percent(usize),
}

impl Rollout {
    pub(super) fn draw(draw: &mut Draw) -> Self {
        const WAVES: &[&[Size]] = &[
            &[Size::Count(1)],
            &[Size::Count(1), Size::Percent(50)],
            &[Size::Percent(30), Size::Percent(30)],
            &[Size::Count(2), Size::Count(1)],
            &[Size::Percent(10), Size::Count(2), Size::Percent(90)],
        ];
        Self {
            waves: draw.pick(WAVES),
            bake: draw.pick(&[1, 3, 15]),
            failures: draw.pick(&[0, 0, 1]),
            offline: draw.pick(&[0, 1, 5]),
            pause: draw.pick(&["never", "never", "first", "each"]),
        }
    }

    fn yaml(self) -> String {
        let size = |size: &Size| match size {
            Size::Count(count) => count.to_string(),
            Size::Percent(percent) => format!("{percent}%"),
        };
        let waves: Vec<String> = self.waves.iter().map(size).collect();
        let Self { bake, failures, offline, pause, .. } = self;
        let waves = waves.join(", ");
        format!(
            "waves: [{waves}], bake: {bake}m, failureLimit: {failures}, pendingOffline: \
             {offline}, pause: {pause}"
        )
    }

    /// How many of so many changes go in each wave.
    pub(super) fn sizes(self, total: usize) -> Vec<usize> {
        let mut left = total;
        let mut sizes: Vec<usize> = Vec::new();
        for size in self.waves {
            let size = match size {
                Size::Count(count) => *count,
                Size::Percent(percent) => (total * percent / 100).max(1),
            };
            sizes.push(size.min(left));
            left -= size.min(left);
        }
        sizes.push(left);
        sizes.retain(|size| *size > 0);
        sizes
    }
}

/// A workspace's policies by slot.
pub(super) type Docs = BTreeMap<usize, Doc>;
