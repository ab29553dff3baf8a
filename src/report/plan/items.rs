//! Changes and entries looked at alike: both are a target, a facet and why.
//!
//! Used by `view` and `filter`; must never drop a kind of entry.

use crate::model::{DeviceValue, Facet, Verb};
use crate::plan::types::{Change, Disposition, Entry, Plan, Reason, Target, TargetKind, Why};

/// A change, or a target that is not acted upon.
#[derive(Clone, Copy, Debug)]
pub(super) enum Item<'a> {
    Change(&'a Change),
    Entry(Disposition, &'a Entry),
}

/// Everything in the plan, changes first, then the lists in the order of the screen.
pub(super) fn all(plan: &Plan) -> Vec<Item<'_>> {
    let changes = plan.changes.iter().map(Item::Change);
    let lists = lists(plan).into_iter();
    changes
        .chain(
            lists.flat_map(|(kind, list)| list.iter().map(move |entry| Item::Entry(kind, entry))),
        )
        .collect()
}

/// The lists of targets not acted upon, in the order of the screen.
pub(super) fn lists(plan: &Plan) -> [(Disposition, &[Entry]); 6] {
    [
        (Disposition::Held, &plan.held),
        (Disposition::Unknown, &plan.unknown),
        (Disposition::Cannot, &plan.cannot),
        (Disposition::Foreign, &plan.foreign),
        (Disposition::Changing, &plan.changing),
        (Disposition::Audit, &plan.audit),
    ]
}

/// The sign and the word of a disposition.
pub(super) const fn mark(disposition: Disposition) -> (char, &'static str) {
    match disposition {
        Disposition::Do => ('>', "do"),
        Disposition::Held => ('h', "held"),
        Disposition::Cannot => ('x', "cannot"),
        Disposition::Unknown => ('?', "unknown"),
        Disposition::Foreign => ('o', "foreign"),
        Disposition::Changing => ('c', "changing"),
        Disposition::Audit => ('a', "audit"),
        Disposition::Unchanged => ('=', "unchanged"),
    }
}

impl<'a> Item<'a> {
    pub(super) const fn disposition(&self) -> Disposition {
        match self {
            Self::Change(_) => Disposition::Do,
            Self::Entry(kind, _) => *kind,
        }
    }
    pub(super) fn tenant(&self) -> &'a str {
        match self {
            Self::Change(change) => &change.tenant,
            Self::Entry(_, entry) => &entry.tenant,
        }
    }
    pub(super) const fn target(&self) -> &'a Target {
        match self {
            Self::Change(change) => &change.target,
            Self::Entry(_, entry) => &entry.target,
        }
    }
    pub(super) const fn facet(&self) -> Facet {
        match self {
            Self::Change(change) => change.facet,
            Self::Entry(_, entry) => entry.facet,
        }
    }
    pub(super) const fn verb(&self) -> Option<Verb> {
        match self {
            Self::Change(change) => Some(change.verb),
            Self::Entry(_, entry) => entry.verb,
        }
    }
    pub(super) fn because(&self) -> &'a [Why] {
        match self {
            Self::Change(change) => &change.because,
            Self::Entry(_, entry) => &entry.because,
        }
    }
    pub(super) const fn reason(&self) -> Option<&'a Reason> {
        match self {
            Self::Change(change) => change.reason.as_ref(),
            Self::Entry(_, entry) => Some(&entry.reason),
        }
    }
    pub(super) fn from(&self) -> Option<&'a str> {
        match self {
            Self::Change(change) => Some(&change.from),
            Self::Entry(_, entry) => entry.from.as_deref(),
        }
    }
    pub(super) fn to(&self) -> Option<&'a str> {
        match self {
            Self::Change(change) => Some(&change.to),
            Self::Entry(_, entry) => entry.to.as_deref(),
        }
    }

    /// Names that never fold away: high value, protected, unknown.
    pub(super) fn always_named(&self) -> bool {
        self.target().value == Some(DeviceValue::High)
            || self.disposition() == Disposition::Unknown
            || self.reason().is_some_and(|reason| {
                let code = reason.code.as_str();
                matches!(
                    code,
                    "domain-controller" | "protected" | "protected-in-force" | "self-lockout"
                )
            })
    }

    /// Whether something is taken from a person at a device.
    pub(super) fn is_restrictive(&self) -> bool {
        matches!(self, Self::Change(change) if change.verb.is_restrictive())
            && self.target().kind == TargetKind::Device
    }
}
