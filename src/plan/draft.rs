//! From the inputs to a finished plan, tenant by tenant: observe, decide, guard, order, count.
//!
//! A `Draft` collects what the steps decide for one tenant; guardrails look at it as a whole and
//! hold changes; what is left is put into waves and counted. Nothing else joins the parts of a plan.

use std::collections::BTreeMap;

use jiff::Timestamp;
use roaring::RoaringBitmap;

use crate::inventory::{Inventory, What};
use crate::model::{Facet, PolicyName, UnknownReason, Verb};
use crate::plan::circumstances::{Lift, Purpose};
use crate::plan::freeze::Freeze;
use crate::plan::guards::explain::Guardrail;
use crate::plan::order::Proposal;
use crate::plan::scene::Scene;
use crate::plan::standing::LeaseRow;
use crate::plan::types::{
    Aim, Change, Disposition, Entry, FORMAT_VERSION, Objection, Plan, Reason, Room, Summary,
    Target, TargetKind, TenantSection,
};
use crate::plan::{
    Input, PlanError, alerts, cancel, cost, guards, posture, rollouts, scan, standing, undo,
};

/// What the steps decide for one tenant.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) proposals: Vec<Proposal>,
    pub(super) rows: Vec<(Disposition, Entry)>,
    pub(super) objections: Vec<Objection>,
    /// Leases of devices that stay ours, where there is something to say about them.
    pub(super) standing: Vec<LeaseRow>,
    /// Devices and facets that have the value an exemption accepts, by its name.
    pub(super) accepted: BTreeMap<PolicyName, u32>,
    /// Alerts that each rule matches.
    pub(super) alerts: BTreeMap<PolicyName, u64>,
    /// How long policies keep devices that stay ours, and how many of them for too long.
    pub(super) kept: BTreeMap<PolicyName, (u64, u32)>,
    /// Devices that are protected by now and that we hold, by the rule that protects them.
    pub(super) spared: BTreeMap<&'static str, u32>,
    /// Devices already in the state a verb leads to, by group.
    pub(super) in_state: BTreeMap<Verb, BTreeMap<String, u32>>,
    /// Devices that are, or may be, isolated or restricted, or on their way there.
    pub(super) restrained: RoaringBitmap,
    /// What limits on devices leave when the plan is done.
    pub(super) room: Vec<Room>,
    /// Pairs of target and facet in scope.
    total: u64,
}

/// How long a policy keeps a device that stays ours, from its verified start.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub(super) policy: PolicyName,
    pub(super) seconds: u64,
    /// Whether that is longer than the workspace allows.
    pub(super) over: bool,
}

impl Draft {
    pub(super) fn keep(&mut self, leases: Vec<Kept>) {
        for Kept { policy, seconds, over } in leases {
            let (longest, devices) = self.kept.entry(policy).or_default();
            *longest = seconds.max(*longest);
            *devices += u32::from(over);
        }
    }

    pub(super) fn row(&mut self, disposition: Disposition, entry: Entry) {
        self.rows.push((disposition, entry));
    }

    pub(super) fn propose(&mut self, proposal: Proposal) {
        self.proposals.push(proposal);
    }

    pub(super) fn accept(&mut self, exemption: &PolicyName) {
        *self.accepted.entry(exemption.clone()).or_default() += 1;
    }

    pub(super) fn count_in_state(&mut self, verb: Verb, group: &str) {
        let groups = self.in_state.entry(verb).or_default();
        match groups.get_mut(group) {
            Some(count) => *count += 1,
            None => drop(groups.insert(group.to_owned(), 1)),
        }
    }

    pub(super) fn add_to_scope(&mut self, targets: u64) {
        self.total += targets;
    }

    /// The facet of every device is in scope: those that were read, and those that somebody names
    /// and a partial walk lacks, which are unknown.
    pub(super) fn facet_in_scope(&mut self, scene: &Scene<'_>, facet: Facet) {
        self.add_to_scope(scene.inventory.len() as u64 + scene.absent.len() as u64);
        for id in &scene.absent {
            let id = id.to_string();
            self.row(
                Disposition::Unknown,
                Entry {
                    tenant: scene.inventory.tenant().to_owned(),
                    target: Target {
                        kind: TargetKind::Device,
                        name: id.clone(),
                        id,
                        group: String::new(),
                        value: None,
                    },
                    facet,
                    verb: None,
                    from: None,
                    to: None,
                    because: Vec::new(),
                    reason: unknown_reason(&UnknownReason::DeviceMissing),
                },
            );
        }
    }
}

/// Why a reading is unknown, as published.
pub(super) fn unknown_reason(reason: &UnknownReason) -> Reason {
    let published = Reason::new(reason.code());
    match reason {
        UnknownReason::HistoryPartial | UnknownReason::DeviceMissing => published,
        UnknownReason::Disputed { history, other } => {
            published.with("history", &**history).with("other", &**other)
        }
        UnknownReason::Ambiguous { records } => published.with("records", *records),
        UnknownReason::ReadFailed { what } => published.with("what", &**what),
    }
}

pub(super) fn plan(input: &Input<'_>) -> Result<Plan, PlanError> {
    let mut plan = head(input);
    let mut total = 0;
    for inventory in in_order(input)? {
        let scene = Scene::new(*input, inventory);
        let mut draft = decided(&scene);
        guards::run(&scene, &mut draft);
        standing::conclude(&scene, &mut draft, &mut plan);
        total += draft.total;
        finish(&scene, draft, &mut plan);
    }
    let freeze = input.around.freeze.iter().filter(|freeze| freeze.is_in_force(input.now));
    plan.objections.extend(freeze.map(Freeze::objection));
    if let Some(opens) = freeze_ahead(input, &plan) {
        plan.valid_until = plan.valid_until.min(opens);
    }
    sort(&mut plan);
    plan.summary = count(&plan, total);
    Ok(plan)
}

/// A plan of nothing yet.
fn head(input: &Input<'_>) -> Plan {
    Plan {
        format_version: FORMAT_VERSION,
        tool: input.tool.to_owned(),
        workspace: input.workspace.id.to_string(),
        created_at: input.now,
        valid_until: input.workspace.plan_validity.after(input.now),
        study: input.study,
        policy_digest: input.policies.digest.clone(),
        sources: sources(input),
        purpose: Aim::of(&input.around.purpose),
        undoes: undoes(&input.around.purpose),
        lifts: lifts(input),
        ..Plan::default()
    }
}

/// The plan that this draft would make by itself if nothing were held.
pub(super) fn preview(scene: &Scene<'_>, draft: &Draft) -> Plan {
    let mut plan = head(&scene.input);
    plan.policies = standing::policies(scene, draft);
    finish(scene, draft.clone(), &mut plan);
    sort(&mut plan);
    plan.summary = count(&plan, draft.total);
    plan
}

fn sources(input: &Input<'_>) -> BTreeMap<String, String> {
    let files = input.policies.files.iter();
    files.map(|(file, digest)| (file.to_string(), digest.clone())).collect()
}

fn undoes(purpose: &Purpose) -> Option<String> {
    match purpose {
        Purpose::Undo(past) => Some(past.run.clone()),
        Purpose::Policies | Purpose::Cancel(_) => None,
    }
}

/// What the steps decide for one tenant, before any guardrail.
fn decided(scene: &Scene<'_>) -> Draft {
    let mut draft = Draft::default();
    match &scene.input.around.purpose {
        Purpose::Policies => {
            posture::isolation(scene, &mut draft);
            posture::restriction(scene, &mut draft);
            scan::scans(scene, &mut draft);
            alerts::alerts(scene, &mut draft);
        }
        Purpose::Undo(past) => undo::undo(scene, past, &mut draft),
        Purpose::Cancel(pending) => cancel::cancel(scene, pending, &mut draft),
    }
    draft
}

/// Every guardrail with what it counts in the plan for these inputs.
pub(super) fn explain(input: &Input<'_>) -> Result<Vec<Guardrail>, PlanError> {
    let mut rails = guards::explain::all(input);
    for inventory in in_order(input)? {
        let scene = Scene::new(*input, inventory);
        guards::explain(&scene, &decided(&scene), &mut rails);
    }
    rails.sort_by(|left, right| (&left.code, &left.setting).cmp(&(&right.code, &right.setting)));
    Ok(rails)
}

/// When a freeze window opens that would hold a change of the plan, unless somebody lifts those.
fn freeze_ahead(input: &Input<'_>, plan: &Plan) -> Option<Timestamp> {
    let lifted = input.around.lifted("freeze-window").is_some();
    guards::freeze_window::first(&input.workspace.guardrails, &plan.changes, input.now)
        .filter(|_| !lifted)
}

/// Lifts in order of their codes, each code once: the first word counts.
fn lifts(input: &Input<'_>) -> Vec<Lift> {
    let mut lifts = input.around.lifts.clone();
    lifts.sort_by(|left, right| left.code.cmp(&right.code));
    lifts.dedup_by(|later, first| later.code == first.code);
    lifts
}

/// Inventories by tenant name, each of a tenant of the workspace and each once.
fn in_order<'a>(input: &Input<'a>) -> Result<Vec<&'a Inventory>, PlanError> {
    let mut inventories: Vec<&Inventory> = input.inventories.iter().collect();
    inventories.sort_by_key(|inventory| inventory.tenant());
    for inventory in &inventories {
        let known = input.workspace.tenants.iter().any(|tenant| {
            *tenant.name == *inventory.tenant() && *tenant.tenant_id == *inventory.tenant_id()
        });
        if !known {
            return Err(PlanError::UnknownTenant {
                name: inventory.tenant().to_owned(),
                tenant_id: inventory.tenant_id().to_owned(),
            });
        }
    }
    for pair in inventories.windows(2) {
        if let [left, right] = pair
            && left.tenant() == right.tenant()
        {
            return Err(PlanError::TwoObservations(left.tenant().to_owned()));
        }
    }
    Ok(inventories)
}

fn finish(scene: &Scene<'_>, draft: Draft, plan: &mut Plan) {
    let Draft { proposals, rows, objections, room, .. } = draft;
    let offline = |proposal: &&Proposal| {
        proposal.device.is_some_and(|device| scene.inventory.is_offline(device))
    };
    let offline = proposals.iter().filter(offline).count();
    let mut changes: Vec<Change> = proposals.into_iter().map(|proposal| proposal.change).collect();
    let policies = scene.input.policies;
    plan.rollouts.extend(rollouts::assign(policies, scene.inventory.tenant(), &mut changes));
    let room_since = (!room.is_empty()).then(|| guards::room::since(scene.inventory));
    let section = section(scene, &changes, offline);
    plan.tenants.push(TenantSection { room, room_since, ..section });
    plan.changes.append(&mut changes);
    plan.objections.extend(objections);
    for (disposition, entry) in rows {
        match disposition {
            Disposition::Held => plan.held.push(entry),
            Disposition::Cannot => plan.cannot.push(entry),
            Disposition::Unknown => plan.unknown.push(entry),
            Disposition::Foreign => plan.foreign.push(entry),
            Disposition::Changing => plan.changing.push(entry),
            Disposition::Audit => plan.audit.push(entry),
            // Changes are proposals, and what is unchanged has no row.
            Disposition::Do | Disposition::Unchanged => {}
        }
    }
}

fn section(scene: &Scene<'_>, changes: &[Change], offline: usize) -> TenantSection {
    let inventory = scene.inventory;
    let missing = inventory.missing();
    let cost = cost::of(changes);
    TenantSection {
        name: inventory.tenant().to_owned(),
        tenant_id: inventory.tenant_id().to_owned(),
        observed_at: inventory.observed_at(),
        service_at: inventory.service_at(),
        // Scores are for reading; no decision rests on them.
        complete: missing.iter().all(|missing| missing.what == What::Scores),
        missing: missing.iter().map(|part| format!("{}: {}", part.what.word(), part.why)).collect(),
        devices: number(inventory.len()),
        groups: inventory
            .groups()
            .into_iter()
            .map(|(group, size)| (group.to_owned(), size))
            .collect(),
        baseline: guards::shrink::baseline(scene),
        calls: cost.calls,
        at_least_seconds: cost.at_least_seconds,
        offline: number(offline),
        ..TenantSection::default()
    }
}

fn sort(plan: &mut Plan) {
    plan.changes.sort_by(|left, right| {
        let key = |change: &Change| (change.wave, change.verb, change.facet);
        key(left)
            .cmp(&key(right))
            .then_with(|| left.tenant.cmp(&right.tenant))
            .then_with(|| left.target.group.cmp(&right.target.group))
            .then_with(|| left.target.name.cmp(&right.target.name))
            .then_with(|| (&left.target.id, &left.id).cmp(&(&right.target.id, &right.id)))
    });
    for list in [
        &mut plan.held,
        &mut plan.cannot,
        &mut plan.unknown,
        &mut plan.foreign,
        &mut plan.changing,
        &mut plan.audit,
    ] {
        list.sort_by(|left, right| {
            let head = |entry: &Entry| (entry.verb, entry.facet);
            (&left.tenant, &left.reason.code, head(left))
                .cmp(&(&right.tenant, &right.reason.code, head(right)))
                .then_with(|| left.target.group.cmp(&right.target.group))
                .then_with(|| left.target.name.cmp(&right.target.name))
                .then_with(|| left.target.kind.cmp(&right.target.kind))
                .then_with(|| left.target.id.cmp(&right.target.id))
        });
    }
    standing::sort(plan);
    plan.objections.sort_by(|left, right| {
        let key = |objection: &Objection| (objection.level, objection.verb);
        left.tenant
            .cmp(&right.tenant)
            .then_with(|| key(left).cmp(&key(right)))
            .then_with(|| (&left.code, &left.scope).cmp(&(&right.code, &right.scope)))
    });
}

/// Counts by disposition: what is in scope and in no list is unchanged.
fn count(plan: &Plan, total: u64) -> Summary {
    let mut verbs: BTreeMap<Verb, u32> = BTreeMap::new();
    for change in &plan.changes {
        *verbs.entry(change.verb).or_default() += 1;
    }
    let listed = [
        (Disposition::Do, plan.changes.len()),
        (Disposition::Held, plan.held.len()),
        (Disposition::Cannot, plan.cannot.len()),
        (Disposition::Unknown, plan.unknown.len()),
        (Disposition::Foreign, plan.foreign.len()),
        (Disposition::Changing, plan.changing.len()),
        (Disposition::Audit, plan.audit.len()),
    ];
    let rows: u64 = listed.iter().map(|(_, count)| *count as u64).sum();
    let mut dispositions: BTreeMap<Disposition, u32> =
        listed.into_iter().map(|(disposition, count)| (disposition, number(count))).collect();
    let unchanged = u32::try_from(total.saturating_sub(rows)).unwrap_or(u32::MAX);
    dispositions.insert(Disposition::Unchanged, unchanged);
    Summary { verbs, dispositions, total: u32::try_from(total).unwrap_or(u32::MAX) }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
