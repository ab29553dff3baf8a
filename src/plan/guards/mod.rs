//! Guardrails: rules over a draft as a whole.
//!
//! Every guardrail sees the same draft, as the steps made it: none sees what another has held. So
//! lowering a cap or widening the protected set can only hold more (and take back what is pending).
//! All of them run, and each objects with its numbers and the setting that would change it. A breach
//! holds the whole group of changes it belongs to; nothing is silently cut down to fit. One rule, one
//! file; a new one is registered below and touches no other. What protects a device is also asked by `posture`, about
//! what is pending or in force already (`protection`). Called by `draft`.

mod cap_alert_rule;
mod cap_fleet;
mod cap_group;
mod cap_rolling;
mod cap_run;
mod codes;
mod cooldown;
mod destructive;
mod domain_controller;
mod dwell;
pub mod explain;
pub(super) mod freeze_window;
mod lease_missing;
mod manual_release;
mod max_lease;
mod orphaned_releases;
mod protected;
mod protected_nobody;
pub(super) mod protection;
mod rego;
mod remaining;
pub(super) mod room;
mod self_lockout;
pub(super) mod shrink;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use roaring::RoaringBitmap;
use serde_json::Value;

use crate::model::Verb;
use crate::plan::circumstances::Lift;
use crate::plan::draft::Draft;
use crate::plan::order::Proposal;
use crate::plan::scene::Scene;
use crate::plan::standing::LeaseRow;
use crate::plan::types::{Change, Disposition, Entry, Level, Objection, Reason};
use crate::policy::workspace::{Caps, Guardrails};

#[cfg(test)]
use codes::codes;
pub use codes::{Lifting, liftable, lifting};
#[cfg(test)]
pub(super) use domain_controller::named as names_domain_controller;

/// Every guardrail. The first that holds a change is the reason shown with it.
const GUARDS: &[fn(&Ground<'_>) -> Vec<Measured>] = &[
    protected::measure,
    domain_controller::measure,
    protected_nobody::measure,
    self_lockout::measure,
    destructive::measure,
    freeze_window::measure,
    lease_missing::measure,
    max_lease::measure,
    orphaned_releases::measure,
    manual_release::measure,
    cap_run::measure,
    cap_group::measure,
    cap_fleet::measure,
    cap_rolling::measure,
    cap_alert_rule::measure,
    remaining::measure,
    dwell::measure,
    cooldown::measure,
    shrink::measure,
    rego::measure,
];

/// What guardrails look at.
struct Ground<'g> {
    scene: &'g Scene<'g>,
    draft: &'g Draft,
    proposals: &'g [Proposal],
    in_state: &'g BTreeMap<Verb, BTreeMap<String, u32>>,
    standing: &'g [LeaseRow],
    restrained: &'g RoaringBitmap,
    /// Whether numbers are wanted that no objection needs and that cost a look at every device.
    explains: bool,
}

/// What a guardrail says about some changes.
struct Breach {
    code: Cow<'static, str>,
    scope: String,
    verb: Option<Verb>,
    setting: String,
    facts: Vec<(&'static str, Value)>,
    /// Positions among the proposals; all of them are held. When there is none, it only warns.
    held: Vec<usize>,
}

/// What a guardrail counted in one scope, whether it objects or not: enforcing and explaining read
/// the same numbers.
struct Measured {
    /// Whether it objects.
    over: bool,
    /// By how much it is past its limit with nothing to hold; nothing when it is not. Explaining
    /// tells it as a note.
    beyond: u32,
    /// How far it is from its limit.
    left: Option<Left>,
    /// Numbers that only explaining tells.
    numbers: Vec<(&'static str, Value)>,
    breach: Breach,
}

/// A distance from a limit.
#[derive(Clone, Copy)]
enum Left {
    Count(u32),
    Seconds(u64),
}

impl Measured {
    fn left(self, left: Left) -> Self {
        Self { left: Some(left), ..self }
    }

    /// Past its limit by what others did, while no change of this plan has a part in it.
    fn beyond(self, beyond: u32) -> Self {
        if beyond == 0 || self.over {
            return self;
        }
        Self { beyond, left: None, ..self }.with("beyond", beyond)
    }

    fn with(mut self, key: &'static str, number: impl Into<Value>) -> Self {
        self.numbers.push((key, number.into()));
        self
    }
}

/// A length of whole positions; a plan has fewer than fit.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Whole seconds from one instant to a later one.
fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_secs()).unwrap_or(0)
}

impl<'g> Ground<'g> {
    const fn new(scene: &'g Scene<'g>, draft: &'g Draft, explains: bool) -> Self {
        let Draft { proposals, in_state, standing, restrained, .. } = draft;
        let (proposals, standing) = (proposals.as_slice(), standing.as_slice());
        Self { scene, draft, proposals, in_state, standing, restrained, explains }
    }

    fn guardrails(&self) -> &'g Guardrails {
        &self.scene.input.workspace.guardrails
    }

    fn changes(&self) -> impl Iterator<Item = (usize, &'g Change)> + 'g {
        self.proposals.iter().map(|proposal| &proposal.change).enumerate()
    }

    /// Changes that take something away.
    fn restrictions(&self) -> impl Iterator<Item = (usize, &'g Change)> + 'g {
        self.changes().filter(|(_, change)| change.verb.is_restrictive())
    }

    /// Verbs of the draft that have caps, with the positions of their changes; when explaining also
    /// those without a change.
    fn capped(&self) -> impl Iterator<Item = (Verb, Caps, Vec<usize>)> + '_ {
        self.guardrails().caps.iter().filter_map(|(verb, caps)| {
            let held: Vec<usize> =
                self.changes().filter(|(_, c)| c.verb == *verb).map(|(at, _)| at).collect();
            (self.explains || !held.is_empty()).then_some((*verb, *caps, held))
        })
    }

    /// How many of these changes newly put a device into the state.
    fn added(&self, held: &[usize]) -> u32 {
        number(held.iter().filter_map(|at| self.proposals.get(*at)).filter(|p| p.adds).count())
    }

    /// Devices of the tenant already in the state that the verb leads to.
    fn already(&self, verb: Verb) -> u32 {
        self.in_state.get(&verb).map_or(0, |groups| groups.values().sum())
    }

    /// Devices of the group already there.
    fn already_in(&self, verb: Verb, group: &str) -> u32 {
        self.in_state.get(&verb).and_then(|groups| groups.get(group)).copied().unwrap_or(0)
    }
}

/// Runs every guardrail over the draft: what they object to is held.
pub(super) fn run(scene: &Scene<'_>, draft: &mut Draft) {
    let ground = Ground::new(scene, draft, false);
    let measured: Vec<Measured> = GUARDS.iter().flat_map(|guard| guard(&ground)).collect();
    let lifts = &scene.input.around.lifts;
    let mut reasons: BTreeMap<usize, Reason> = BTreeMap::new();
    for Measured { breach, .. } in measured.iter().filter(|it| it.over) {
        if breach.lifted(lifts).is_none() {
            let reason = breach.reason();
            for at in &breach.held {
                reasons.entry(*at).or_insert_with(|| reason.clone());
            }
        }
    }
    let room = room::left(&ground, &measured, &reasons);
    draft.room = room;
    for Measured { breach, .. } in measured.into_iter().filter(|it| it.over) {
        let lifted = breach.lifted(lifts);
        draft.objections.push(breach.objection(scene.inventory.tenant(), lifted));
    }
    let proposals = std::mem::take(&mut draft.proposals);
    for (at, proposal) in proposals.into_iter().enumerate() {
        match reasons.remove(&at) {
            Some(reason) => draft.row(Disposition::Held, entry(proposal.change, reason)),
            None => draft.propose(proposal),
        }
    }
}

/// Adds what every guardrail says about the draft, which stays as it is.
pub(super) fn explain(scene: &Scene<'_>, draft: &Draft, rails: &mut Vec<explain::Guardrail>) {
    explain::count(&Ground::new(scene, draft, true), rails);
}

impl Breach {
    /// Objects, or only tells its numbers.
    const fn measured(self, over: bool) -> Measured {
        Measured { over, beyond: 0, left: None, numbers: Vec::new(), breach: self }
    }

    fn reason(&self) -> Reason {
        let reason = Reason::new(&self.code)
            .with("scope", self.scope.as_str())
            .with("setting", self.setting.as_str());
        self.facts.iter().fold(reason, |reason, (key, value)| reason.with(key, value.clone()))
    }

    /// Why somebody lifts it, if somebody does and it is one that may be.
    fn lifted(&self, lifts: &[Lift]) -> Option<String> {
        let lift = lifts.iter().find(|lift| lift.code == self.code)?;
        (lifting(&self.code) == Some(Lifting::ByName)).then(|| lift.because.clone())
    }

    fn objection(self, tenant: &str, lifted: Option<String>) -> Objection {
        // What is about nothing only says so.
        let level = if self.held.is_empty() { Level::Warn } else { Level::Hold };
        let about: BTreeSet<usize> = self.held.into_iter().collect();
        let about = number(about.len());
        Objection {
            code: self.code.into_owned(),
            level,
            tenant: tenant.to_owned(),
            scope: self.scope,
            verb: self.verb,
            about,
            held: if lifted.is_some() { 0 } else { about },
            lifted,
            setting: self.setting,
            facts: self.facts.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
        }
    }
}

fn entry(change: Change, mut reason: Reason) -> Entry {
    // What the change rests on is still what its row rests on.
    let own = change.reason.iter().flat_map(|own| &own.facts);
    for (key, value) in own.filter(|(key, _)| matches!(&***key, "action" | "requestor" | "since")) {
        reason.facts.entry(key.clone()).or_insert_with(|| value.clone());
    }
    let Change { tenant, target, facet, verb, from, to, because, .. } = change;
    Entry {
        tenant,
        target,
        facet,
        verb: Some(verb),
        from: Some(from),
        to: Some(to),
        because,
        reason,
    }
}

#[cfg(test)]
mod tests;
