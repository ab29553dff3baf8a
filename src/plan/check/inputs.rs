//! Questions about the inputs: does what was read and written allow what the plan does.
//!
//! The history is read here anew, in the plainest way, and selectors are asked device by device.

use std::collections::BTreeSet;

use crate::inventory::{ActionRow, Dev, Inventory, What};
use crate::model::{
    ActionKind, ActionStatus, DeviceId, Facet, Isolation, Marker, Restriction, Verb,
};
use crate::plan::Input;
use crate::plan::check::{Fault, orphans, purpose, restricted};
use crate::plan::types::{Change, Entry, Plan, TargetKind};
use crate::policy::selector::interpret::Meaning;
use crate::policy::selector::{DeviceExpr, reads};

pub(super) fn against(plan: &Plan, input: &Input<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for inventory in input.inventories {
        let asked = Asked::new(input, inventory);
        let changes = plan.changes.iter().filter(|change| change.tenant == inventory.tenant());
        for change in changes.filter(|change| change.target.kind == TargetKind::Device) {
            match inventory.find(&DeviceId::parse(&change.target.id)) {
                None => faults.push(Fault::NoDevice { id: change.id.to_string() }),
                Some(device) => asked.change(change, device, &mut faults),
            }
        }
    }
    total(plan, input, &mut faults);
    faults
}

/// One selector, with its globs compiled.
struct Question<'a> {
    name: &'a str,
    facets: &'a [Facet],
    expr: &'a DeviceExpr,
    meaning: Meaning<'a>,
}

struct Asked<'a> {
    input: &'a Input<'a>,
    inventory: &'a Inventory,
    protected: Option<Question<'a>>,
    /// Called a domain controller, and said to be none.
    controllers: [Option<Question<'a>>; 2],
    exemptions: Vec<Question<'a>>,
    /// Facets of which nobody can tell whether the device is exempt.
    unread: BTreeSet<Facet>,
    /// Nobody can tell who may not be restricted.
    unguarded: bool,
}

impl<'a> Asked<'a> {
    fn new(input: &'a Input<'a>, inventory: &'a Inventory) -> Self {
        let question = |name: &'a str, facets: &'a [Facet], expr: &'a DeviceExpr| Question {
            name,
            facets,
            expr,
            meaning: Meaning::of_devices(inventory, expr, input.now),
        };
        let rails = &input.workspace.guardrails;
        let protected = rails.protected.as_ref();
        let corrected = [&rails.domain_controllers.also, &rails.domain_controllers.except];
        let exemptions = || input.policies.exemptions.iter().filter(|e| e.expires > input.now);
        let is_unread = |expr: &DeviceExpr| {
            inventory.is_partial(What::Alerts) && reads(expr).contains(&What::Alerts)
        };
        let unread = exemptions().filter(|exemption| is_unread(&exemption.devices));
        let guards = protected.into_iter().chain(&rails.domain_controllers.also);
        Self {
            input,
            inventory,
            protected: protected.map(|expr| question("protected", &[], expr)),
            controllers: corrected.map(|it| it.as_ref().map(|expr| question("", &[], expr))),
            unguarded: guards.into_iter().any(is_unread),
            unread: unread.flat_map(|exemption| &exemption.facets).copied().collect(),
            exemptions: exemptions()
                .map(|e| question(e.header.name.as_str(), &e.facets, &e.devices))
                .collect(),
        }
    }

    fn change(&self, change: &Change, device: Dev, faults: &mut Vec<Fault>) {
        let id = || change.id.to_string();
        if change.verb.is_restrictive() {
            self.restriction(change, device, faults);
        }
        let exempt = self.exemptions.iter().find(|question| {
            question.facets.contains(&change.facet)
                && question.meaning.device(question.expr, device)
        });
        if let Some(question) = exempt.filter(|_| change.verb != Verb::Cancel) {
            faults.push(Fault::Exempt { id: id(), exemption: question.name.to_owned() });
        }
        let unread = self.inventory.is_partial(What::Actions)
            || self.inventory.ambiguous(device).is_some()
            || (change.facet == Facet::Scan && self.inventory.is_partial(What::AvHealth))
            || (change.verb != Verb::Cancel && self.unread.contains(&change.facet))
            || (change.verb.is_restrictive() && self.unguarded);
        if unread {
            faults.push(Fault::Unknown { id: id() });
        }
        if let Some((value, placing)) = self.settled(change.facet, device) {
            self.posture(change, device, value, placing, faults);
        }
    }

    /// Whether a device may be restricted at all.
    fn restriction(&self, change: &Change, device: Dev, faults: &mut Vec<Fault>) {
        let id = || change.id.to_string();
        let says = |question: &Option<Question<'_>>| {
            question.as_ref().is_some_and(|it| it.meaning.device(it.expr, device))
        };
        if says(&self.protected) {
            faults.push(Fault::Protected { id: id() });
        }
        let [also, except] = &self.controllers;
        let looks_so = || restricted::domain_controller(self.inventory, device);
        if !says(except) && (says(also) || looks_so()) {
            faults.push(Fault::DomainController { id: id() });
        }
        let runner = self.input.around.runner.as_ref();
        if runner.is_some_and(|runner| restricted::runner(runner, self.inventory, device)) {
            faults.push(Fault::SelfLockout { id: id() });
        }
        if change.verb.is_destructive() {
            let named = self.input.workspace.guardrails.destructive.contains(&change.verb);
            if !named && self.input.around.lifted("destructive").is_none() {
                faults.push(Fault::Destructive { id: id() });
            }
        }
    }

    fn posture(
        &self,
        change: &Change,
        device: Dev,
        value: &str,
        placing: Option<&ActionRow>,
        faults: &mut Vec<Fault>,
    ) {
        let id = || change.id.to_string();
        let kinds = kinds(change.facet);
        let in_flight = self
            .inventory
            .actions(device)
            .any(|action| kinds.contains(&action.kind) && !action.status.is_terminal());
        if in_flight != (change.verb == Verb::Cancel) {
            faults.push(Fault::Unknown { id: id() });
        }
        if change.verb != Verb::Cancel && change.from != value {
            let found = change.from.clone();
            faults.push(Fault::WrongStart { id: id(), found, read: value.to_owned() });
        }
        if matches!(change.verb, Verb::Release | Verb::Unrestrict) {
            let by_api = |action: &&ActionRow| matches!(&*action.source, "" | "PublicApi");
            let placing = placing.filter(by_api);
            let marked = placing.and_then(|action| Some((action, Marker::find(&action.comment)?)));
            match marked.filter(|(_, marker)| marker.workspace == self.input.workspace.id) {
                None => faults.push(Fault::ForeignRelease { id: id() }),
                Some((action, marker)) => {
                    if orphans::stays(self.input, change.facet, action, &marker) {
                        let policy = marker.policy.to_string();
                        faults.push(Fault::Orphan { id: id(), policy });
                    }
                }
            }
        }
    }

    /// The value that the last succeeded action left, for facets that are kept by actions.
    fn settled(&self, facet: Facet, device: Dev) -> Option<(&'static str, Option<&'a ActionRow>)> {
        let kinds = kinds(facet);
        let last = self
            .inventory
            .actions(device)
            .filter(|action| kinds.contains(&action.kind))
            .filter(|action| action.status == ActionStatus::Succeeded)
            .max_by_key(|action| (action.updated, action.created, &action.id));
        let placed = last.filter(|action| kinds.first() == Some(&action.kind));
        let value = match (facet, placed) {
            (Facet::Isolation, None) => Isolation::Free.word(),
            (Facet::Isolation, Some(action)) => match action.isolation {
                Some(Isolation::Selective) => Isolation::Selective.word(),
                _ => Isolation::Full.word(),
            },
            (Facet::CodeExecution, None) => Restriction::Unrestricted.word(),
            (Facet::CodeExecution, Some(_)) => Restriction::Restricted.word(),
            _ => return None,
        };
        Some((value, placed))
    }
}

/// The placing kind first, then the one that lets go.
const fn kinds(facet: Facet) -> &'static [ActionKind] {
    match facet {
        Facet::Isolation => &[ActionKind::Isolate, ActionKind::Unisolate],
        Facet::CodeExecution => {
            &[ActionKind::RestrictCodeExecution, ActionKind::UnrestrictCodeExecution]
        }
        _ => &[],
    }
}

/// Devices times facets in scope, alerts that a rule matches, and devices that are missing.
fn total(plan: &Plan, input: &Input<'_>, faults: &mut Vec<Fault>) {
    let expected = purpose::total(plan, input).unwrap_or_else(|| governed(plan, input));
    let found = u64::from(plan.summary.total);
    if found != expected {
        faults.push(Fault::Count { what: "the total".to_owned(), found, expected });
    }
}

fn governed(plan: &Plan, input: &Input<'_>) -> u64 {
    let mut expected = 0u64;
    for inventory in input.inventories {
        let in_scope = facets(plan, input, inventory.tenant()).len() as u64;
        expected += in_scope * inventory.len() as u64 + matched_alerts(input, inventory);
    }
    let missing = |entry: &&Entry| entry.reason.code == "device-missing";
    expected + plan.unknown.iter().filter(missing).count() as u64
}

/// Facets of devices that a policy governs, that an exemption watches, or that stand in a row of the
/// tenant.
fn facets(plan: &Plan, input: &Input<'_>, tenant: &str) -> BTreeSet<Facet> {
    let set = input.policies;
    let governed = [
        (Facet::Isolation, !set.isolation.is_empty()),
        (Facet::CodeExecution, !set.restriction.is_empty()),
        (Facet::Scan, !set.scans.is_empty()),
    ];
    let governed = governed.into_iter().filter(|(_, governed)| *governed).map(|(facet, _)| facet);
    let lists =
        [&plan.held, &plan.cannot, &plan.unknown, &plan.foreign, &plan.changing, &plan.audit];
    let rows = lists
        .into_iter()
        .flatten()
        .filter(|entry| entry.tenant == tenant && entry.target.kind == TargetKind::Device)
        .map(|entry| entry.facet);
    let changes = plan
        .changes
        .iter()
        .filter(|change| change.tenant == tenant && change.target.kind == TargetKind::Device)
        .map(|change| change.facet);
    let exemptions = || set.exemptions.iter().filter(|exemption| exemption.expires > input.now);
    let watched = [Facet::Isolation, Facet::CodeExecution]
        .into_iter()
        .filter(|facet| exemptions().any(|exemption| exemption.accepted.word(*facet).is_some()));
    governed.chain(watched).chain(rows).chain(changes).collect()
}

fn matched_alerts(input: &Input<'_>, inventory: &Inventory) -> u64 {
    let rules = &input.policies.alert_rules;
    let meanings: Vec<_> = rules
        .iter()
        .map(|rule| (&rule.alerts, Meaning::of_alerts(inventory, &rule.alerts, input.now)))
        .collect();
    let matched = inventory
        .alerts()
        .iter()
        .filter(|alert| meanings.iter().any(|(expr, meaning)| meaning.alert(expr, alert)));
    matched.count() as u64
}
