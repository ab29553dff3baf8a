//! Questions that the plan's own words answer: counts, order, uniqueness, completeness of changes.

use std::collections::{BTreeMap, HashSet};

use foldhash::fast::FixedState;

use crate::model::{Facet, Marker, Verb};
use crate::plan::check::{Fault, room, waves, words};
use crate::plan::types::{Change, Disposition, Entry, Plan, Target};

/// Faults that can be seen without the inputs; also asked before an apply.
#[must_use]
pub fn structure(plan: &Plan) -> Vec<Fault> {
    let mut faults = Vec::new();
    counts(plan, &mut faults);
    uniqueness(plan, &mut faults);
    order(plan, &mut faults);
    words::objections(plan, &mut faults);
    waves::structure(plan, &mut faults);
    room::structure(plan, &mut faults);
    for change in &plan.changes {
        whole(plan, change, &mut faults);
    }
    faults
}

fn lists(plan: &Plan) -> [(&'static str, Disposition, &[Entry]); 6] {
    [
        ("held", Disposition::Held, &plan.held),
        ("cannot", Disposition::Cannot, &plan.cannot),
        ("unknown", Disposition::Unknown, &plan.unknown),
        ("foreign", Disposition::Foreign, &plan.foreign),
        ("changing", Disposition::Changing, &plan.changing),
        ("audit", Disposition::Audit, &plan.audit),
    ]
}

fn counts(plan: &Plan, faults: &mut Vec<Fault>) {
    let mut same = |what: &str, found: u64, expected: u64| {
        if found != expected {
            faults.push(Fault::Count { what: what.to_owned(), found, expected });
        }
    };
    let said = |disposition| u64::from(*plan.summary.dispositions.get(&disposition).unwrap_or(&0));
    same("do", said(Disposition::Do), plan.changes.len() as u64);
    for (name, disposition, entries) in lists(plan) {
        same(name, said(disposition), entries.len() as u64);
    }
    let sum = plan.summary.dispositions.values().map(|count| u64::from(*count)).sum();
    same("the dispositions", sum, u64::from(plan.summary.total));
    let mut verbs: BTreeMap<Verb, u64> = BTreeMap::new();
    for change in &plan.changes {
        *verbs.entry(change.verb).or_default() += 1;
    }
    for (verb, count) in &plan.summary.verbs {
        same(verb.word(), u64::from(*count), verbs.remove(verb).unwrap_or(0));
    }
    for (verb, count) in verbs {
        same(verb.word(), 0, count);
    }
    for section in &plan.tenants {
        let grouped: u64 = section.groups.values().map(|count| u64::from(*count)).sum();
        same("the groups", grouped, u64::from(section.devices));
    }
}

fn uniqueness<'p>(plan: &'p Plan, faults: &mut Vec<Fault>) {
    let mut ids: HashSet<_, FixedState> = HashSet::default();
    let mut targets: HashSet<_, FixedState> = HashSet::default();
    let mut actions: HashSet<_, FixedState> = HashSet::default();
    // Who cancels and nothing else cancels every action that is pending on a facet, each once.
    let cancels = plan.only_cancels();
    let mut once = |tenant: &'p str, target: &'p Target, facet: Facet, action: Option<&'p str>| {
        let is_first = targets.insert((tenant, target.kind, target.id.as_str(), facet));
        let is_another = action.is_some_and(|action| actions.insert((tenant, action)));
        if !(is_first || cancels && is_another) {
            faults.push(Fault::TwoDispositions {
                tenant: tenant.to_owned(),
                target: target.id.clone(),
                facet: facet.to_string(),
            });
        }
    };
    for change in &plan.changes {
        let action = change.parameters.action_id.as_deref();
        once(&change.tenant, &change.target, change.facet, action);
    }
    for entry in lists(plan).into_iter().flat_map(|(_, _, entries)| entries) {
        once(&entry.tenant, &entry.target, entry.facet, None);
    }
    for change in &plan.changes {
        if !ids.insert(&change.id) {
            faults.push(Fault::DuplicateId { id: change.id.to_string() });
        }
    }
}

fn order(plan: &Plan, faults: &mut Vec<Fault>) {
    let mut unsorted = |list: &str, target: &str| {
        faults.push(Fault::Unsorted { list: list.to_owned(), target: target.to_owned() });
    };
    for pair in plan.changes.windows(2) {
        if let [left, right] = pair
            && change_key(left) >= change_key(right)
        {
            unsorted("changes", &right.target.id);
        }
    }
    for (name, _, entries) in lists(plan) {
        for pair in entries.windows(2) {
            if let [left, right] = pair
                && entry_key(left) >= entry_key(right)
            {
                unsorted(name, &right.target.id);
            }
        }
    }
}

/// The order of changes: wave, danger, tenant, group, name.
pub(crate) fn change_key(change: &Change) -> impl Ord + '_ {
    (
        (change.wave, change.verb, change.facet),
        (&change.tenant, &change.target.group, &change.target.name),
        (&change.target.id, &change.id),
    )
}

/// The order of all other rows: tenant, reason, verb, group, name.
pub(crate) fn entry_key(entry: &Entry) -> impl Ord + '_ {
    (
        (&entry.tenant, &entry.reason.code, entry.verb, entry.facet),
        (&entry.target.group, &entry.target.name, entry.target.kind, &entry.target.id),
    )
}

/// Whether one change says everything that apply needs.
fn whole(plan: &Plan, change: &Change, faults: &mut Vec<Fault>) {
    let id = || change.id.to_string();
    if !plan.tenants.iter().any(|section| section.name == change.tenant) {
        faults.push(Fault::NoSection { id: id(), tenant: change.tenant.clone() });
    }
    if change.because.is_empty() {
        faults.push(Fault::NoReason { id: id() });
    }
    if change.wave == 0 {
        faults.push(Fault::NoWave { id: id() });
    }
    if change.expects.value.is_empty() {
        faults.push(Fault::NoExpectation { id: id() });
    }
    match change.lease_end {
        None if matches!(change.verb, Verb::Isolate | Verb::Restrict) => {
            faults.push(Fault::NoLease { id: id() });
        }
        Some(end) if end <= plan.created_at => faults.push(Fault::LeaseOver { id: id() }),
        _ => {}
    }
    let parameters = &change.parameters;
    for (verb, name, value) in [
        (Verb::Isolate, "isolationType", &parameters.isolation_type),
        (Verb::Scan, "scanType", &parameters.scan_type),
        (Verb::Quarantine, "sha1", &parameters.sha1),
        (Verb::Cancel, "actionId", &parameters.action_id),
    ] {
        if change.verb == verb && value.is_none() {
            faults.push(Fault::NoParameter { id: id(), parameter: name.to_owned() });
        }
    }
    marker(plan, change, faults);
}

fn marker(plan: &Plan, change: &Change, faults: &mut Vec<Fault>) {
    let Some(comment) = &change.parameters.comment else {
        // An alert's verdict may be set without a word; an action may not.
        if change.verb != Verb::Classify {
            faults.push(Fault::NoMarker { id: change.id.to_string() });
        }
        return;
    };
    let ours = Marker::find(comment).is_some_and(|marker| {
        marker.workspace.as_str() == plan.workspace && marker.change == change.id
    });
    if !ours {
        faults.push(Fault::NoMarker { id: change.id.to_string() });
    }
}
