//! Leases: when one ends, and when a policy has used up what it may take on a device.
//!
//! A lease starts when the placing action was verified as succeeded and ends after the policy's
//! *current* `lease`, or at its `until`. A taking counts as used up when our own release names the
//! policy after `lease ended:`, or when somebody else released the device during the lease: what a
//! person let go is not taken again by the same policy. A taking that ended because the device was
//! no longer selected, or because another policy of ours placed something stronger, is not used up:
//! a tag removed by mistake and put back contains the device again.
//!
//! `renewal` says how many leases a policy may take on one device. Those that are left follow each
//! other without a gap: a device is not let go only to be taken again. Asked by `decide`.

use jiff::Timestamp;

use crate::inventory::readings::{self, Taking};
use crate::inventory::{ActionRow, Dev, Inventory};
use crate::model::{Facet, Holder, Marker, PolicyName, Span, WorkspaceId, marker};
use crate::plan::types::Reason;
use crate::policy::set::{Containment, Lease};

/// How the comment of a release begins that ends leases; the names of the policies follow.
const ENDED: &str = "lease ended: ";

/// The comment before the marker of a release that ends these policies' leases, and how many each
/// of them: `lease ended: ir-7781, kiosks x2`.
fn ended_text<'a>(ended: impl Iterator<Item = (&'a PolicyName, u64)>) -> String {
    let names: Vec<String> = ended
        .map(|(name, count)| if count > 1 { format!("{name} x{count}") } else { name.to_string() })
        .collect();
    format!("{ENDED}{}", names.join(", "))
}

/// What took place on one device, as far as leases are concerned.
#[derive(Debug)]
pub(super) struct Record<'a> {
    takings: Vec<(Taking, Option<&'a ActionRow>)>,
    ours: &'a WorkspaceId,
}

impl<'a> Record<'a> {
    pub(super) fn of(
        inventory: &'a Inventory,
        device: Dev,
        facet: Facet,
        ours: &'a WorkspaceId,
    ) -> Self {
        let takings = readings::takings(inventory, device, facet, ours);
        let ender = |taking: &Taking| {
            let ended = taking.ended?;
            let kinds = super::kinds(facet);
            inventory
                .actions(device)
                .filter(|action| kinds.contains(&action.kind) && action.updated == ended)
                .max_by_key(|action| (action.created, &action.id))
        };
        let takings = takings.into_iter().map(|taking| {
            let by = ender(&taking);
            (taking, by)
        });
        Self { takings: takings.collect(), ours }
    }

    /// Why the policy may not take the free device again, if so.
    pub(super) fn spent(
        &self,
        policy: &PolicyName,
        containment: &Containment,
        now: Timestamp,
    ) -> Option<Reason> {
        if let Lease::Until(until) = containment.lease
            && until <= now
        {
            return Some(Reason::new("lease-spent").with("ended", until.to_string()));
        }
        let used = self.used(policy, containment);
        let last = used.last()?;
        let taken = count(&used);
        if left(containment, taken) > 0 {
            return None;
        }
        let reason = match last.by_hand {
            Some(by) => Reason::new("released-by-hand").with("by", by),
            None => Reason::new("lease-spent"),
        };
        let reason = reason.with("ended", last.at.to_string()).with("taken", taken);
        Some(reason.with("renewal", containment.renewal))
    }

    /// When the posture that was placed at `start` ends as far as this policy goes: after every
    /// lease that is left to it. None when none is left, so that the policy has no say; the policy
    /// that placed it (`own`) always has the lease it is in.
    pub(super) fn end(
        &self,
        policy: &PolicyName,
        containment: &Containment,
        start: Timestamp,
        own: bool,
    ) -> Option<Timestamp> {
        let left = self.left(policy, containment, own);
        match containment.lease {
            _ if left == 0 => None,
            Lease::Until(until) => Some(until),
            Lease::For(span) => {
                Some(Span::from_secs(span.as_secs().saturating_mul(left)).after(start))
            }
        }
    }

    /// What a release writes that ends everything that was left to these policies.
    pub(super) fn ended_text<'p>(
        &self,
        policies: impl Iterator<Item = (&'p PolicyName, &'p Containment)>,
    ) -> String {
        let left = |policy, containment: &Containment| match containment.lease {
            Lease::For(_) => self.left(policy, containment, true),
            Lease::Until(_) => 1,
        };
        ended_text(policies.map(|(policy, containment)| (policy, left(policy, containment))))
    }

    fn left(&self, policy: &PolicyName, containment: &Containment, own: bool) -> u64 {
        let used = count(&self.used(policy, containment));
        left(containment, used).max(u64::from(own))
    }

    /// The policy's leases on the device that are used up, oldest first.
    fn used(&self, policy: &PolicyName, containment: &Containment) -> Vec<Use<'_>> {
        self.takings
            .iter()
            .filter_map(|(taking, by)| self.used_up(policy, taking, *by))
            // A later `until` is a new wish; a person's release still stands against it.
            .filter(|used| matches!(containment.lease, Lease::For(_)) || used.by_hand.is_some())
            .collect()
    }

    fn used_up<'b>(
        &self,
        policy: &PolicyName,
        taking: &Taking,
        by: Option<&'b ActionRow>,
    ) -> Option<Use<'b>> {
        let (at, by) = (taking.ended?, by?);
        match readings::holder_of(by, self.ours) {
            Holder::Ours { .. } => {
                let leases = ended_for(policy, &by.comment)?;
                Some(Use { at, leases, by_hand: None })
            }
            Holder::OtherWorkspace { .. } | Holder::Named { .. } | Holder::Nobody => {
                let by_hand = Some(&*by.requestor);
                marker::names(&taking.policy, policy).then_some(Use { at, leases: 1, by_hand })
            }
        }
    }
}

/// How many leases are left.
fn left(containment: &Containment, used: u64) -> u64 {
    u64::from(containment.renewal.max(1)).saturating_sub(used)
}

fn count(used: &[Use<'_>]) -> u64 {
    used.iter().map(|used| used.leases).sum()
}

/// A taking that is used up.
#[derive(Debug)]
struct Use<'a> {
    at: Timestamp,
    leases: u64,
    by_hand: Option<&'a str>,
}

/// How many leases of the policy a release's comment says that it ended. When the list was cut to
/// fit, the marker's own policy still counts once.
fn ended_for(policy: &PolicyName, comment: &str) -> Option<u64> {
    let names = comment.strip_prefix(ENDED)?;
    let marker = Marker::find(comment).is_some_and(|found| marker::names(&found.policy, policy));
    let names = names.split_once(" [palisade ").map_or(names, |(names, _)| names);
    let ended = names.split(", ").find_map(|item| {
        let (name, count) = item.split_once(" x").unwrap_or((item, "1"));
        (name == policy.as_str()).then(|| count.parse().ok()).flatten()
    });
    ended.or_else(|| marker.then_some(1))
}
