//! What a plan says beside its dispositions: leases that end soon or were moved, how many targets
//! each policy selects, how exemptions stand. Published as part of the plan; nothing here is acted
//! upon.
//!
//! Called by `draft` when the guardrails have spoken; read by `report` and by `palisade audit`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::inventory::Dev;
use crate::model::{DeviceId, Facet, Span};
use crate::plan::draft::Draft;
use crate::plan::scene::{Reach, Scene};
use crate::plan::types::{Level, Objection, Plan, Reason, Target, TargetKind, Why};
use crate::policy::set::{Exemption, Header, Mode};

/// A lease that ends within this is listed.
pub(super) const SOON: Span = Span::from_hours(24);

/// An exemption that ends within this is warned of.
const EXEMPTION_SOON: Span = Span::from_days(14);

/// A lease of this workspace on a device that stays as it is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LeaseRow {
    /// Name of the tenant.
    pub tenant: String,
    /// The device.
    pub target: Target,
    /// Which aspect.
    pub facet: Facet,
    /// The value it has, as a word.
    pub value: String,
    /// The policies that keep it there.
    pub because: Vec<Why>,
    /// When the last of their leases ends, by the present text of the policies (UTC).
    #[schemars(with = "String")]
    pub ends: Timestamp,
    /// The end that stands in the marker on the device, to the minute (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub written: Option<Timestamp>,
    /// What happens then.
    pub then: Then,
    /// Why it is worth a word: `lease-later`, `lease-sooner`, `policy-renamed`; none when it only
    /// ends soon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The action that placed it.
    pub action: String,
    /// Since when it has been there (UTC).
    #[schemars(with = "String")]
    pub since: Timestamp,
}

/// What happens when a lease ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Then {
    /// The device is released.
    Release,
    /// It stays and is shown as held.
    Hold,
    /// It stays until `orphaned-releases` is lifted: the policy that had placed it is gone, and the end that was
    /// written has not come by then.
    Orphan,
}

impl Then {
    /// What is said of the device behind `then`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Release => "released",
            Self::Hold => "held",
            Self::Orphan => "held until somebody lifts that its policy is gone",
        }
    }
}

/// A policy in one tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyRow {
    /// Name of the tenant.
    pub tenant: String,
    /// The aspect it governs.
    pub facet: Facet,
    /// Kind of the document.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// File, relative to the workspace.
    pub file: String,
    /// Line of the document, from 1.
    pub line: u32,
    /// Whether it only reports.
    pub audit: bool,
    /// Devices or alerts that it selects.
    pub selected: u32,
}

impl PolicyRow {
    /// Its key among the counts of a run, and how many it selects.
    pub(super) fn counted(&self) -> (String, u32) {
        (format!("{}/{}", self.kind, self.name), self.selected)
    }
}

/// An exemption in one tenant.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExemptionRow {
    /// Name of the tenant.
    pub tenant: String,
    /// Its name.
    pub name: String,
    /// File, relative to the workspace.
    pub file: String,
    /// Line of the document, from 1.
    pub line: u32,
    /// How it stands.
    pub state: ExemptionState,
    /// When it stops holding (UTC).
    #[schemars(with = "String")]
    pub expires: Timestamp,
    /// Why it was given.
    pub reason: String,
    /// Who agreed.
    pub approver: String,
    /// Devices that it selects.
    pub devices: u32,
    /// Devices and aspects that have the value it accepts, and of which nothing else is said.
    pub accepted: u32,
}

/// How an exemption stands.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum ExemptionState {
    /// It holds.
    Holding,
    /// It holds and ends within 14 days.
    Ending,
    /// It has ended and holds nothing.
    Ended,
}

/// Adds what there is to say about a tenant.
pub(super) fn conclude(scene: &Scene<'_>, draft: &mut Draft, plan: &mut Plan) {
    let soon = SOON.after(scene.input.now);
    for row in std::mem::take(&mut draft.standing) {
        if row.reason.is_some() {
            plan.leases.push(row.clone());
        }
        if row.ends <= soon {
            plan.ending.push(row);
        }
    }
    plan.policies.extend(policies(scene, draft));
    let spared = std::mem::take(&mut draft.spared);
    draft.objections.extend(spared.iter().map(|held| restrained(scene, held)));
    for reach in scene.exemptions.iter().chain(&scene.expired) {
        let row = exemption(scene, reach, draft);
        draft.objections.extend(notice(scene, reach, &row, draft));
        plan.exemptions.push(row);
    }
}

/// The order of the lists: tenant, then what comes first, then group and name.
pub(super) fn sort(plan: &mut Plan) {
    for list in [&mut plan.ending, &mut plan.leases] {
        list.sort_by(|left, right| key(left).cmp(&key(right)));
    }
    plan.policies.sort();
    plan.exemptions.sort();
}

fn key(row: &LeaseRow) -> impl Ord + '_ {
    let target = &row.target;
    (&row.tenant, row.facet, row.ends, &target.group, &target.name, &target.id)
}

pub(super) fn policies(scene: &Scene<'_>, draft: &Draft) -> Vec<PolicyRow> {
    let tenant = scene.inventory.tenant();
    let row = |facet: Facet, header: &Header, mode: Mode, selected: u64| PolicyRow {
        tenant: tenant.to_owned(),
        facet,
        kind: header.kind.word().to_owned(),
        name: header.name.to_string(),
        file: header.file.to_string(),
        line: header.line,
        audit: mode == Mode::Audit,
        selected: u32::try_from(selected).unwrap_or(u32::MAX),
    };
    let mut rows = Vec::new();
    rows.extend(scene.isolation.iter().map(|reach| {
        let mode = reach.policy.containment.mode;
        row(Facet::Isolation, reach.header, mode, reach.selected.len())
    }));
    rows.extend(scene.restriction.iter().map(|reach| {
        let mode = reach.policy.containment.mode;
        row(Facet::CodeExecution, reach.header, mode, reach.selected.len())
    }));
    rows.extend(
        scene
            .scans
            .iter()
            .map(|reach| row(Facet::Scan, reach.header, reach.policy.mode, reach.selected.len())),
    );
    rows.extend(scene.input.policies.alert_rules.iter().map(|rule| {
        let alerts = draft.alerts.get(&rule.header.name).copied().unwrap_or(0);
        row(Facet::Classification, &rule.header, rule.mode, alerts)
    }));
    rows
}

fn exemption(scene: &Scene<'_>, reach: &Reach<'_, Exemption>, draft: &Draft) -> ExemptionRow {
    let Exemption { header, expires, reason, approver, .. } = reach.policy;
    let now = scene.input.now;
    let state = match *expires {
        at if at <= now => ExemptionState::Ended,
        at if at <= EXEMPTION_SOON.after(now) => ExemptionState::Ending,
        _ => ExemptionState::Holding,
    };
    ExemptionRow {
        tenant: scene.inventory.tenant().to_owned(),
        name: header.name.to_string(),
        file: header.file.to_string(),
        line: header.line,
        state,
        expires: *expires,
        reason: reason.to_string(),
        approver: approver.to_string(),
        devices: u32::try_from(reach.selected.len()).unwrap_or(u32::MAX),
        accepted: draft.accepted.get(&header.name).copied().unwrap_or(0),
    }
}

/// A word about an exemption that ends soon, or about one that has ended and whose devices this
/// plan would touch.
fn notice(
    scene: &Scene<'_>,
    reach: &Reach<'_, Exemption>,
    row: &ExemptionRow,
    draft: &Draft,
) -> Option<Objection> {
    let (code, devices) = match row.state {
        ExemptionState::Holding => return None,
        ExemptionState::Ending => ("exemption-ending", row.devices),
        ExemptionState::Ended => ("exemption-ended", touched(scene, reach, draft)),
    };
    (devices > 0).then(|| Objection {
        code: code.to_owned(),
        level: Level::Warn,
        tenant: row.tenant.clone(),
        scope: format!("exemption {}", row.name),
        verb: None,
        about: 0,
        held: 0,
        lifted: None,
        setting: format!("{}:{} expires", row.file, row.line),
        facts: [
            ("name".to_owned(), row.name.as_str().into()),
            ("expires".to_owned(), row.expires.to_string().into()),
            ("devices".to_owned(), devices.into()),
        ]
        .into(),
    })
}

/// A word about protected devices that we hold: nobody else would see that they are.
fn restrained(scene: &Scene<'_>, (rule, devices): (&&'static str, &u32)) -> Objection {
    let setting = match *rule {
        "protected" => "guardrails.protected",
        "domain-controller" => "guardrails.domainControllers",
        _ => "",
    };
    Objection {
        code: "protected-in-force".to_owned(),
        level: Level::Warn,
        tenant: scene.inventory.tenant().to_owned(),
        scope: "protected devices".to_owned(),
        verb: None,
        about: 0,
        held: 0,
        lifted: None,
        setting: setting.to_owned(),
        facts: [("rule".to_owned(), (*rule).into()), ("devices".to_owned(), (*devices).into())]
            .into(),
    }
}

/// Devices of the exemption that changes of its facets are about.
fn touched(scene: &Scene<'_>, reach: &Reach<'_, Exemption>, draft: &Draft) -> u32 {
    let covered = |id: &str| {
        let device: Option<Dev> = scene.inventory.find(&DeviceId::parse(id));
        device.is_some_and(|device| reach.selects(device))
    };
    let mut ids: Vec<&str> = draft
        .proposals
        .iter()
        .map(|proposal| &proposal.change)
        .filter(|change| change.target.kind == TargetKind::Device)
        .filter(|change| reach.policy.facets.contains(&change.facet))
        .map(|change| change.target.id.as_str())
        .filter(|id| covered(id))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    u32::try_from(ids.len()).unwrap_or(u32::MAX)
}
