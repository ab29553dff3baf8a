//! One tenant as the planner's steps see it: the observation, and whom each policy reaches.
//!
//! All selectors are evaluated once, set-wise; steps ask bitmaps. Terms with facts are made only for
//! devices that end up in a row. Called by `draft`, read by every step.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use roaring::RoaringBitmap;

use crate::inventory::readings;
use crate::inventory::{Dev, Inventory, What};
use crate::model::{DeviceId, Facet};
use crate::plan::Input;
use crate::plan::types::{Reason, Target, TargetKind, Why};
use crate::policy::selector::{self, DeviceExpr, DeviceTerm, DeviceTerms, Trigger};
use crate::policy::set::{Exemption, Header, IsolationPolicy, RestrictionPolicy, ScanPolicy};

/// A policy and the devices it selects.
#[derive(Debug)]
pub(super) struct Reach<'a, P> {
    pub(super) policy: &'a P,
    pub(super) header: &'a Header,
    pub(super) selected: RoaringBitmap,
    /// A part of the observation that the selector reads is missing: who is not selected may only
    /// look so, and who is selected too.
    pub(super) doubt: Option<What>,
    terms: DeviceTerms<'a>,
}

impl<P> Reach<'_, P> {
    pub(super) fn selects(&self, device: Dev) -> bool {
        self.selected.contains(device.0)
    }

    /// The policy as a reason for what happens to a device.
    pub(super) fn why(&self, device: Dev) -> Why {
        why(self.header, self.terms.matched(device))
    }

    /// The alerts and incidents that made the policy select the device, when nothing else did.
    pub(super) fn triggers(&self, device: Dev) -> Vec<Trigger<'_>> {
        self.terms.triggers(device)
    }
}

/// A policy as a reason, with the terms that matched.
pub(super) fn why(header: &Header, terms: Vec<String>) -> Why {
    Why {
        kind: header.kind.word().to_owned(),
        name: header.name.to_string(),
        file: header.file.to_string(),
        line: header.line,
        terms,
    }
}

const ZERO: SignedDuration = SignedDuration::ZERO;

/// An instant of ours by the service's clock, where that is behind: one that is said to be ahead counts for nothing.
pub(super) fn by_the_earlier(ours: Timestamp, ahead: SignedDuration) -> Timestamp {
    ours.checked_add(ahead.min(ZERO)).unwrap_or(ours)
}

/// One tenant.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) input: Input<'a>,
    pub(super) inventory: &'a Inventory,
    pub(super) isolation: Vec<Reach<'a, IsolationPolicy>>,
    pub(super) restriction: Vec<Reach<'a, RestrictionPolicy>>,
    pub(super) scans: Vec<Reach<'a, ScanPolicy>>,
    /// Those that have not expired.
    pub(super) exemptions: Vec<Reach<'a, Exemption>>,
    /// Those that have.
    pub(super) expired: Vec<Reach<'a, Exemption>>,
    pub(super) protected: RoaringBitmap,
    /// Devices that the workspace calls domain controllers, and those that it says are none.
    pub(super) domain_controllers: Corrected,
    /// Devices that somebody names and a partial device list lacks, by id.
    pub(super) absent: BTreeSet<DeviceId>,
    /// By name or address of the machine that runs us, the devices that carry it; filled in by
    /// `guards::self_lockout` when somebody asks.
    pub(super) carriers: OnceCell<BTreeMap<String, Vec<Dev>>>,
}

impl<'a> Scene<'a> {
    /// The plan's instant (UTC) for what counts how long ago something was done: by the service's own clock, which
    /// its history goes by, where that is behind. One that is said to be ahead shortens no window. A plan that is
    /// made for another instant says itself what time it is there.
    pub(super) fn service_now(&self) -> Timestamp {
        let ahead = if self.input.study { ZERO } else { self.inventory.service_ahead() };
        by_the_earlier(self.input.now, ahead)
    }

    pub(super) fn new(input: Input<'a>, inventory: &'a Inventory) -> Self {
        let set = input.policies;
        let (exemptions, expired): (Vec<&Exemption>, Vec<&Exemption>) =
            set.exemptions.iter().partition(|exemption| exemption.expires > input.now);
        let mut exprs: Vec<&DeviceExpr> = Vec::new();
        exprs.extend(set.isolation.iter().map(|policy| &policy.containment.devices));
        exprs.extend(set.restriction.iter().map(|policy| &policy.containment.devices));
        exprs.extend(set.scans.iter().map(|policy| &policy.devices));
        exprs.extend(exemptions.iter().map(|exemption| &exemption.devices));
        exprs.extend(expired.iter().map(|exemption| &exemption.devices));
        exprs.extend(input.workspace.guardrails.selectors());
        let selected = selector::select_all(inventory, &exprs, input.now);
        let mut found = exprs.iter().copied().zip(selected);
        let rails = &input.workspace.guardrails;
        let mut scene = Self {
            input,
            inventory,
            isolation: reaches(input, inventory, &set.isolation, |p| &p.header, &mut found),
            restriction: reaches(input, inventory, &set.restriction, |p| &p.header, &mut found),
            scans: reaches(input, inventory, &set.scans, |p| &p.header, &mut found),
            exemptions: reaches(input, inventory, exemptions, |p| &p.header, &mut found),
            expired: reaches(input, inventory, expired, |p| &p.header, &mut found),
            protected: next(&rails.protected, &mut found),
            domain_controllers: Corrected {
                also: next(&rails.domain_controllers.also, &mut found),
                except: next(&rails.domain_controllers.except, &mut found),
            },
            absent: BTreeSet::new(),
            carriers: OnceCell::new(),
        };
        scene.absent = scene.find_absent(&exprs);
        scene
    }

    /// Everybody that policies or our own actions name and that a partial device list lacks.
    fn find_absent(&self, exprs: &[&DeviceExpr]) -> BTreeSet<DeviceId> {
        let inventory = self.inventory;
        let mut absent: BTreeSet<DeviceId> = inventory.absent().iter().cloned().collect();
        if !inventory.is_partial(What::Devices) {
            return absent;
        }
        let lacks =
            |id: &DeviceId| inventory.find(id).is_none() && inventory.superseded_by(id).is_none();
        for action in inventory.all_actions() {
            let ours = || {
                let holder = readings::holder_of(action, &self.input.workspace.id);
                holder.is_ours()
            };
            if lacks(&action.device) && ours() {
                absent.insert(action.device.clone());
            }
        }
        let mut name = |id: &DeviceId| {
            if lacks(id) {
                absent.insert(id.clone());
            }
        };
        exprs.iter().for_each(|expr| each_id(expr, &mut name));
        absent
    }

    /// A device as the target of a row.
    pub(super) fn target(&self, device: Dev) -> Target {
        Target {
            kind: TargetKind::Device,
            id: self.inventory.id(device).to_string(),
            name: self.inventory.name(device).to_owned(),
            group: self.inventory.group(device).to_owned(),
            value: Some(self.inventory.value(device)),
        }
    }

    /// What exemptions say of a facet of a device, if anything keeps it from being touched.
    pub(super) fn exemption(&self, device: Dev, facet: Facet) -> Option<Exempt> {
        let of_facet = || self.exemptions.iter().filter(|it| it.policy.facets.contains(&facet));
        let doubt = || {
            let unread = |reach: &Reach<'_, Exemption>| {
                Some(unanswered(reach.doubt?).with("exemption", reach.header.name.as_str()))
            };
            of_facet().find_map(unread).map(Exempt::Unread)
        };
        let mut certain = of_facet().filter(|reach| reach.doubt.is_none());
        let Some(reach) = certain.find(|reach| reach.selects(device)) else { return doubt() };
        let Exemption { header, reason, approver, expires, .. } = reach.policy;
        let reason = Reason::new("exemption")
            .with("name", header.name.as_str())
            .with("expires", expires.to_string())
            .with("reason", &**reason)
            .with("approver", &**approver);
        Some(Exempt::By(reason, reach.why(device)))
    }

    /// The value that an exemption accepts for a facet of a device, with that exemption; none where nobody can tell
    /// whether it speaks of the device.
    pub(super) fn accepted(
        &self,
        device: Dev,
        facet: Facet,
    ) -> Option<(&'static str, &Reach<'a, Exemption>)> {
        self.exemptions.iter().find_map(|reach| {
            let accepted = reach.policy.accepted.word(facet)?;
            let selects = || reach.doubt.is_none() && reach.selects(device);
            (reach.policy.facets.contains(&facet) && selects()).then_some((accepted, reach))
        })
    }
}

/// What keeps a facet of a device from being touched.
#[derive(Debug)]
pub(super) enum Exempt {
    /// An exemption, as a reason with its policy.
    By(Reason, Why),
    /// Nobody can tell whether one does: its selector reads what is missing.
    Unread(Reason),
}

/// A reason why nobody can tell whom a selector means.
pub(super) fn unanswered(what: What) -> Reason {
    Reason::new("selector-partial").with("what", what.word())
}

/// What corrects a search.
#[derive(Debug, Default)]
pub(super) struct Corrected {
    pub(super) also: RoaringBitmap,
    pub(super) except: RoaringBitmap,
}

/// Devices of a selector, if there is one: the next of those that were found.
fn next<'a>(
    expr: &Option<DeviceExpr>,
    found: &mut impl Iterator<Item = (&'a DeviceExpr, RoaringBitmap)>,
) -> RoaringBitmap {
    let selected = expr.as_ref().and_then(|_| found.next());
    selected.map(|(_, devices)| devices).unwrap_or_default()
}

fn reaches<'a, P>(
    input: Input<'a>,
    inventory: &'a Inventory,
    policies: impl IntoIterator<Item = &'a P>,
    header: impl Fn(&'a P) -> &'a Header,
    found: &mut impl Iterator<Item = (&'a DeviceExpr, RoaringBitmap)>,
) -> Vec<Reach<'a, P>> {
    // Policies first: `zip` asks its left side first and would lose a selection at the end.
    let pairs = policies.into_iter().map_while(|policy| Some((policy, found.next()?)));
    let reach = |(policy, (expr, selected)): (&'a P, (&'a DeviceExpr, RoaringBitmap))| Reach {
        policy,
        header: header(policy),
        selected,
        doubt: unread(inventory, expr),
        terms: DeviceTerms::new(inventory, expr, input.now),
    };
    pairs.map(reach).collect()
}

/// What a selector reads beside the devices themselves and nobody could read whole.
pub(super) fn unread(inventory: &Inventory, expr: &DeviceExpr) -> Option<What> {
    let partial = |what: &What| *what != What::Devices && inventory.is_partial(*what);
    selector::reads(expr).into_iter().find(partial)
}

/// Each device id that a selector names.
fn each_id(expr: &DeviceExpr, visit: &mut dyn FnMut(&DeviceId)) {
    match expr {
        DeviceExpr::Term(DeviceTerm::Id(ids)) => ids.iter().for_each(visit),
        DeviceExpr::All(parts) | DeviceExpr::Any(parts) => {
            parts.iter().for_each(|part| each_id(part, visit));
        }
        DeviceExpr::Not(part) => each_id(part, visit),
        DeviceExpr::Everything | DeviceExpr::Term(_) => {}
    }
}
