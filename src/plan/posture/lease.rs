//! Leases: when one ends, and when a policy has used up what it may take on a device.
//!
//! A lease starts when the placing action was verified as succeeded and ends after the policy's
//! *current* `lease`, or at its `until`. A taking counts as used up when our own release names the
//! policy after `lease ended:`, or when somebody else released the device during the lease: what a
//! person let go is not taken again by the same policy. A taking that ended because the device was
//! no longer selected, or because another policy of ours placed something stronger, is not used up:
//! a tag removed by mistake and put back contains the device again. Asked by `decide`.

use jiff::Timestamp;

use crate::inventory::readings::{self, Taking};
use crate::inventory::{ActionRow, Dev, Inventory};
use crate::model::{Facet, Holder, Marker, PolicyName, WorkspaceId};
use crate::plan::types::Reason;
use crate::policy::set::{Containment, Lease};

/// How the comment of a release begins that ends leases; the names of the policies follow.
const ENDED: &str = "lease ended: ";

/// The comment before the marker of a release that ends the leases of these policies.
pub(super) fn ended_text<'a>(policies: impl Iterator<Item = &'a PolicyName>) -> String {
    let names: Vec<&str> = policies.map(PolicyName::as_str).collect();
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
        let used: Vec<Use<'_>> = self
            .takings
            .iter()
            .filter_map(|(taking, by)| self.used_up(policy, taking, *by))
            // A later `until` is a new wish; a person's release still stands against it.
            .filter(|used| matches!(containment.lease, Lease::For(_)) || used.by_hand.is_some())
            .collect();
        let last = used.last()?;
        if used.len() < usize::try_from(containment.renewal.max(1)).unwrap_or(usize::MAX) {
            return None;
        }
        let reason = match last.by_hand {
            Some(by) => Reason::new("released-by-hand").with("by", by),
            None => Reason::new("lease-spent"),
        };
        let reason = reason.with("ended", last.at.to_string()).with("taken", used.len());
        Some(reason.with("renewal", containment.renewal))
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
                let named = taking_ended_for(policy, &by.comment);
                named.then_some(Use { at, by_hand: None })
            }
            Holder::OtherWorkspace { .. } | Holder::Named { .. } | Holder::Nobody => {
                (taking.policy == *policy).then_some(Use { at, by_hand: Some(&by.requestor) })
            }
        }
    }
}

/// A taking that is used up.
#[derive(Debug)]
struct Use<'a> {
    at: Timestamp,
    by_hand: Option<&'a str>,
}

/// Whether a release's comment says that it ended the lease of the policy. When the list was cut to
/// fit, the marker's own policy still counts.
fn taking_ended_for(policy: &PolicyName, comment: &str) -> bool {
    let Some(names) = comment.strip_prefix(ENDED) else { return false };
    let marker = Marker::find(comment).is_some_and(|marker| marker.policy == *policy);
    let names = names.split_once(" [palisade ").map_or(names, |(names, _)| names);
    marker || names.split(", ").any(|name| name == policy.as_str())
}
