//! The blocks of a plan: targets that share verb, policies and reason, with their names folded.
//!
//! Called by `view`. Must never format for one output.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::model::{Facet, Verb};
use crate::plan::types::{Change, Disposition, TargetKind, Why};
use crate::report::plan::items::Item;
use crate::report::reason;

/// Names up to so many are all written out.
const FOLD_ABOVE: usize = 8;
/// How many names stand for a longer list.
const FOLD_TO: usize = 3;

/// Targets that share verb, policies and reason.
pub(super) struct Block<'a> {
    pub(super) tenant: &'a str,
    pub(super) disposition: Disposition,
    pub(super) verb: Option<Verb>,
    pub(super) facet: Facet,
    pub(super) count: u32,
    pub(super) what: String,
    pub(super) lease_end: Option<Timestamp>,
    /// The rollout that its changes go by.
    pub(super) rollout: Option<&'a str>,
    pub(super) reason: Option<String>,
    pub(super) policies: Vec<&'a Why>,
    /// Combinations of terms with their count, most frequent first.
    pub(super) terms: Vec<(String, u32)>,
    pub(super) groups: Vec<Names<'a>>,
}

impl Block<'_> {
    /// Whether it lets go of what a policy holds that is gone.
    pub(super) fn is_orphaned(&self) -> bool {
        let first = self.groups.first().and_then(|names| names.shown.first());
        let reason = first.and_then(|item| item.reason());
        reason.is_some_and(|it| matches!(it.code.as_str(), "policy-gone" | "orphaned-releases"))
    }
}

/// The targets of a block in one device group.
pub(super) struct Names<'a> {
    /// `None`: not devices.
    pub(super) group: Option<&'a str>,
    pub(super) count: u32,
    pub(super) shown: Vec<&'a Item<'a>>,
    pub(super) more: u32,
}

pub(super) fn blocks_of<'a>(items: Vec<&'a Item<'a>>, fold: bool) -> Vec<Block<'a>> {
    let mut grouped: BTreeMap<_, Vec<&'a Item<'a>>> = BTreeMap::new();
    for item in items {
        let lease_end = lease_end(item);
        let policies: Vec<(&str, &str, u32)> = item
            .because()
            .iter()
            .map(|why| (why.name.as_str(), why.file.as_str(), why.line))
            .collect();
        let key = (
            item.tenant(),
            item.disposition(),
            item.verb(),
            item.facet(),
            policies,
            item.reason().map(reason::short),
            wanted(item),
            lease_end,
        );
        grouped.entry(key).or_default().push(item);
    }
    grouped
        .into_iter()
        .filter_map(|((tenant, disposition, verb, facet, _, reason, what, lease_end), items)| {
            let policies = items.first()?.because().iter().collect();
            let terms = tally(items.iter().map(|item| terms(item)).filter(|text| !text.is_empty()));
            Some(Block {
                tenant,
                disposition,
                verb,
                facet,
                count: count(items.len()),
                what,
                lease_end,
                rollout: items.first().and_then(|item| rollout(item)),
                reason,
                policies,
                terms,
                groups: names(items, fold),
            })
        })
        .collect()
}

fn rollout<'a>(item: &Item<'a>) -> Option<&'a str> {
    match item {
        Item::Change(change) => change.rollout.as_deref(),
        Item::Entry(..) => None,
    }
}

const fn lease_end(item: &Item<'_>) -> Option<Timestamp> {
    match item {
        Item::Change(change) => change.lease_end,
        Item::Entry(..) => None,
    }
}

/// All terms that matched, of every policy, each once.
fn terms(item: &Item<'_>) -> String {
    let mut seen = BTreeSet::new();
    let terms = item.because().iter().flat_map(|why| &why.terms);
    let texts: Vec<String> = terms
        .filter(|term| seen.insert(term.as_str()))
        .map(|term| crate::report::escape::name(term, 80))
        .collect();
    texts.join(", ")
}

/// The value wanted, as short as the facet allows.
pub(super) fn wanted(item: &Item<'_>) -> String {
    if let Item::Change(change) = item {
        if let Some(scan) = &change.parameters.scan_type {
            return scan.to_lowercase();
        }
        if change.verb == Verb::Classify {
            return verdict(change);
        }
    }
    let to = item.to().unwrap_or_default();
    // What was before differs from target to target: the last scan, an alert's present verdict.
    if matches!(item.facet(), Facet::Scan | Facet::Classification) {
        return to.to_owned();
    }
    match item.from() {
        Some(from)
            if !matches!(from, "" | "free" | "unrestricted") && from != to && !to.is_empty() =>
        {
            format!("{from} → {to}")
        }
        _ => to.to_owned(),
    }
}

fn verdict(change: &Change) -> String {
    let set = &change.parameters;
    let mut parts: Vec<String> = Vec::new();
    parts.extend(set.status.clone());
    parts.extend(match (&set.classification, &set.determination) {
        (Some(class), Some(why)) => Some(format!("{class}/{why}")),
        (one, other) => one.clone().or_else(|| other.clone()),
    });
    parts.extend(set.assigned_to.as_deref().map(|who| match who {
        "" => "assigned to nobody".to_owned(),
        who => format!("assigned to {who}"),
    }));
    if parts.is_empty() {
        "comment".to_owned()
    } else {
        crate::report::escape::name(&parts.join(", "), 120)
    }
}

fn names<'a>(items: Vec<&'a Item<'a>>, fold: bool) -> Vec<Names<'a>> {
    let mut grouped: BTreeMap<Option<&str>, Vec<&'a Item<'a>>> = BTreeMap::new();
    for item in items {
        let target = item.target();
        let group = (target.kind == TargetKind::Device).then_some(target.group.as_str());
        grouped.entry(group).or_default().push(item);
    }
    let mut groups: Vec<Names<'a>> = grouped
        .into_iter()
        .map(|(group, mut items)| {
            let total = items.len();
            items.sort_by_key(|item| {
                (!item.always_named(), item.target().name.as_str(), item.target().id.as_str())
            });
            let always = items.iter().take_while(|item| item.always_named()).count();
            if fold && total - always > FOLD_ABOVE {
                items.truncate(always + FOLD_TO);
            }
            let more = count(total - items.len());
            Names { group, count: count(total), shown: items, more }
        })
        .collect();
    groups.sort_by(|a, b| b.count.cmp(&a.count).then_with(|| a.group.cmp(&b.group)));
    groups
}

/// Counts equal texts, most frequent first, then by text.
pub(super) fn tally(texts: impl Iterator<Item = String>) -> Vec<(String, u32)> {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    texts.for_each(|text| *counts.entry(text).or_insert(0) += 1);
    let mut found: Vec<(String, u32)> = counts.into_iter().collect();
    found.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    found
}

pub(super) fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::plan::tests::samples;

    #[test]
    fn a_verdict_says_who_gets_the_alert_or_that_nobody_does() {
        let mut change = samples::busy().changes.remove(0);
        change.parameters = crate::plan::Parameters::default();
        for (who, said) in [
            (None, "comment"),
            (Some("soc@contoso.example"), "assigned to soc@contoso.example"),
            (Some(""), "assigned to nobody"),
        ] {
            change.parameters.assigned_to = who.map(str::to_owned);
            assert_eq!(verdict(&change), said);
        }
    }
}
