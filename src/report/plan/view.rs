//! A plan grouped, sorted, counted and folded once, for every format that shows it.
//!
//! Numbers on screen come from here only. Must never format for one output.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Verb;
use crate::plan::types::{
    Change, Disposition, Level, Objection, Plan, Risk, Rollout, TargetKind, TenantSection,
};
use crate::report::plan::blocks::{Block, blocks_of, count, tally, wanted};
use crate::report::plan::items::Item;
use crate::report::{measure, reason};

/// One tenant's part of the plan.
pub(super) struct Section<'a> {
    pub(super) tenant: &'a TenantSection,
    pub(super) risk: Option<(Risk, Vec<String>)>,
    pub(super) verbs: Vec<VerbRow<'a>>,
    pub(super) lists: Vec<ListRow>,
    pub(super) objections: Vec<&'a Objection>,
    /// Objections without a verb, and those that only warn.
    pub(super) notices: Vec<&'a Objection>,
    pub(super) changes: u32,
    /// Rollouts of its changes.
    pub(super) rollouts: Vec<&'a Rollout>,
    pub(super) blocks: Vec<Block<'a>>,
}

/// One line of the table: a verb with what will be done.
pub(super) struct VerbRow<'a> {
    pub(super) verb: Verb,
    pub(super) count: u32,
    /// Groups with their share, or reasons with their count.
    pub(super) notes: Vec<String>,
    /// Guardrails that hold changes of this verb.
    pub(super) held: Vec<&'a Objection>,
}

/// One line of the table: a disposition with its reasons.
pub(super) struct ListRow {
    pub(super) disposition: Disposition,
    pub(super) count: u32,
    /// Short reasons with their count, most frequent first.
    pub(super) reasons: Vec<(String, u32)>,
}

/// The tenants' sections in the plan's order.
pub(super) fn sections<'a>(plan: &'a Plan, items: &'a [Item<'a>]) -> Vec<Section<'a>> {
    plan.tenants.iter().map(|tenant| section(plan, tenant, items)).collect()
}

fn section<'a>(plan: &'a Plan, tenant: &'a TenantSection, items: &'a [Item<'a>]) -> Section<'a> {
    let own: Vec<&Item<'a>> = items.iter().filter(|item| item.tenant() == tenant.name).collect();
    let changes: Vec<&Change> =
        plan.changes.iter().filter(|change| change.tenant == tenant.name).collect();
    let objections: Vec<&Objection> = plan
        .objections
        .iter()
        .filter(|objection| objection.tenant == tenant.name || objection.tenant.is_empty())
        .collect();
    let holds =
        |objection: &&&Objection| objection.verb.is_some() && objection.level == Level::Hold;
    // Said with the devices themselves, in the list of what is held.
    let in_list = |objection: &Objection| {
        matches!(objection.code.as_str(), "domain-controller" | "protected" | "self-lockout")
    };
    Section {
        tenant,
        risk: risk(tenant, &changes),
        verbs: verb_rows(plan, tenant, &changes, &objections),
        lists: list_rows(&own),
        notices: objections.iter().filter(|it| !holds(it) && !in_list(it)).copied().collect(),
        objections,
        changes: count(changes.len()),
        rollouts: plan.rollouts.iter().filter(|it| it.tenant == tenant.name).collect(),
        blocks: blocks_of(own, true),
    }
}

/// Blocks of the given items; `fold` shortens long lists of names.
pub(super) fn blocks<'a>(items: &'a [Item<'a>], fold: bool) -> Vec<Block<'a>> {
    blocks_of(items.iter().collect(), fold)
}

fn risk(tenant: &TenantSection, changes: &[&Change]) -> Option<(Risk, Vec<String>)> {
    let level = changes.iter().map(|change| change.risk).max()?;
    let restrictive: Vec<&&Change> =
        changes.iter().filter(|change| Item::Change(change).is_restrictive()).collect();
    let mut facts = Vec::new();
    let high = restrictive
        .iter()
        .filter(|change| change.target.value == Some(crate::model::DeviceValue::High))
        .map(|change| &change.target.id)
        .collect::<BTreeSet<_>>()
        .len();
    if high > 0 {
        let devices = measure::plural(high as u64, "device", "devices");
        facts.push(format!("{devices} of value high"));
    }
    let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for change in &restrictive {
        groups.entry(&change.target.group).or_default().insert(&change.target.id);
    }
    let share = |(name, ids): &(&str, BTreeSet<&str>)| {
        let size = tenant.groups.get(*name).copied().unwrap_or(0).max(1);
        ids.len() as u64 * 1_000_000 / u64::from(size)
    };
    let most = groups.into_iter().max_by_key(|group| (share(group), std::cmp::Reverse(group.0)));
    if let Some((name, ids)) = most {
        let size = tenant.groups.get(name).copied().unwrap_or(0);
        let part = match ids.len() as u64 * 1_000 / u64::from(size.max(1)) {
            0 => measure::unbroken("under 0.1 %"),
            _ => measure::share(ids.len() as u64, size.into()),
        };
        facts.push(format!("{part} of {}", group_name(name)));
    }
    if restrictive.is_empty() {
        facts.push("no change restricts a device".to_owned());
    }
    Some((level, facts))
}

/// A group as it is written; ungrouped devices have none.
pub(super) fn group_name(name: &str) -> String {
    measure::unbroken(&crate::report::escape::name(measure::group(name), 40))
}

fn verb_rows<'a>(
    plan: &'a Plan,
    tenant: &'a TenantSection,
    changes: &[&'a Change],
    objections: &[&'a Objection],
) -> Vec<VerbRow<'a>> {
    let holding = |verb: Verb| {
        let mut held: Vec<&Objection> = objections
            .iter()
            .filter(|objection| objection.verb == Some(verb) && objection.level == Level::Hold)
            .copied()
            .collect();
        held.sort_by(|a, b| b.held.cmp(&a.held).then_with(|| a.scope.cmp(&b.scope)));
        held
    };
    Verb::ALL
        .iter()
        .filter_map(|verb| {
            let own: Vec<&Change> =
                changes.iter().filter(|change| change.verb == *verb).copied().collect();
            let held = holding(*verb);
            (!own.is_empty() || !held.is_empty()).then(|| VerbRow {
                verb: *verb,
                count: count(own.len()),
                notes: notes(plan, tenant, *verb, &own),
                held,
            })
        })
        .collect()
}

/// What the table says beside a verb's count: groups where somebody loses something, reasons where
/// it is given back, and how for the rest.
fn notes(plan: &Plan, tenant: &TenantSection, verb: Verb, changes: &[&Change]) -> Vec<String> {
    match verb {
        Verb::Release | Verb::Unrestrict | Verb::Cancel => {
            tally(changes.iter().map(|change| match &change.reason {
                Some(why) => reason::short(why),
                None => change.to.clone(),
            }))
            .into_iter()
            .map(|(text, count)| {
                measure::unbroken(&format!("{} {text}", measure::number(count.into())))
            })
            .collect()
        }
        Verb::Classify => tally(changes.iter().map(|change| wanted(&Item::Change(change))))
            .into_iter()
            .map(|(text, count)| format!("{} {text}", measure::number(count.into())))
            .collect(),
        Verb::Scan => {
            let mut notes: Vec<String> =
                tally(changes.iter().map(|change| wanted(&Item::Change(change))))
                    .into_iter()
                    .map(|(text, count)| {
                        measure::unbroken(&format!("{} {text}", measure::number(count.into())))
                    })
                    .collect();
            notes.extend(sending_window(plan, changes));
            notes.extend(groups(tenant, changes));
            notes
        }
        _ => groups(tenant, changes),
    }
}

fn sending_window(plan: &Plan, changes: &[&Change]) -> Option<String> {
    let times = || changes.iter().filter_map(|change| change.parameters.not_before);
    let (first, last) = (times().min()?, times().max()?);
    if last <= plan.created_at {
        return None;
    }
    let near = |at| measure::time_near(at, plan.created_at);
    let first = first.max(plan.created_at);
    Some(measure::unbroken(&format!("sent {}–{}", near(first), near(last))))
}

/// Groups with their share, fullest first.
fn groups(tenant: &TenantSection, changes: &[&Change]) -> Vec<String> {
    let devices = changes.iter().filter(|change| change.target.kind == TargetKind::Device);
    let mut counts: Vec<(String, u32)> = tally(devices.map(|change| change.target.group.clone()));
    let folded = counts.split_off(counts.len().min(5));
    let mut notes: Vec<String> = counts
        .iter()
        .map(|(name, part)| {
            let size = tenant.groups.get(name).copied().unwrap_or(*part);
            format!("{} {}", group_name(name), measure::of(*part, size))
        })
        .collect();
    if !folded.is_empty() {
        let rest: u32 = folded.iter().map(|(_, count)| count).sum();
        notes.push(format!(
            "{} in {}",
            measure::number(rest.into()),
            measure::plural(folded.len() as u64, "more group", "more groups")
        ));
    }
    notes
}

fn list_rows(items: &[&Item<'_>]) -> Vec<ListRow> {
    [
        Disposition::Held,
        Disposition::Unknown,
        Disposition::Cannot,
        Disposition::Foreign,
        Disposition::Changing,
        Disposition::Audit,
    ]
    .into_iter()
    .filter_map(|disposition| {
        let own: Vec<&&Item<'_>> =
            items.iter().filter(|item| item.disposition() == disposition).collect();
        (!own.is_empty()).then(|| ListRow {
            disposition,
            count: count(own.len()),
            reasons: tally(own.iter().filter_map(|item| item.reason()).map(reason::short)),
        })
    })
    .collect()
}
