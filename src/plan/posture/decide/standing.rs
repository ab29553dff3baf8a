//! A device that stays ours: when its lease ends, and whether an edit of the policies moved that.
//!
//! The end is computed from the policies, as everywhere; the marker on the device has the end that
//! was expected when it was placed. The two differ by the time from the plan to the action's
//! success. What is known of that is taken off; what is not known, the time from the plan to the
//! request, is allowed for by `LATE`, so that an extension by less than that shows only in `ends`.
//!
//! Called by `decide`; makes a row only where there is something to say.

use jiff::{SignedDuration, Timestamp};

use crate::inventory::readings::Placement;
use crate::model::{Holder, Marker, Reading, Span, marker};
use crate::plan::posture::decide::Case;
use crate::plan::posture::{Level, Wish};
use crate::plan::standing::{LeaseRow, SOON, Then};
use crate::plan::types::Reason;
use crate::plan::undo;
use crate::policy::set::{Lease, OnExpiry};

/// From the end of a plan's validity to a request of its run, at most, for the ends to be compared.
const LATE: Span = Span::from_hours(2);
/// The marker's end is cut to the minute.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

impl<L: Level> Case<'_, L> {
    /// The lease that keeps the device in its state, when it ends soon or was moved.
    pub(super) fn standing(&self) -> Option<LeaseRow> {
        let Reading::Known(value) = self.facts.reading else { return None };
        let placed = self.facts.placed.as_ref()?;
        let Holder::Ours { policy, .. } = &placed.by else { return None };
        let mut ends = self.ends(&self.record(), placed);
        ends.retain(|(_, end)| *end > self.now());
        let (last, end) = ends.iter().max_by_key(|(_, end)| *end).copied()?;
        let written = Marker::find(&placed.comment).and_then(|marker| marker.until);
        let gone = !self.all.iter().any(|wish| marker::names(policy, &wish.header.name));
        let reason = if gone {
            Some(Reason::new("policy-renamed").with("policy", policy.as_str()))
        } else {
            written.and_then(|written| self.moved(last, end, written))
        };
        if reason.is_none() && end > SOON.after(self.now()) {
            return None;
        }
        let wishes: Vec<_> = ends.iter().map(|(wish, _)| *wish).collect();
        let hold = wishes.iter().any(|wish| wish.containment.on_expiry == OnExpiry::Hold);
        let rails = &self.scene.input.workspace.guardrails;
        let then = match gone && rails.hold_orphaned_releases {
            _ if hold => Then::Hold,
            true if self.promised(placed).is_none_or(|promised| promised > end) => Then::Orphan,
            _ => Then::Release,
        };
        Some(LeaseRow {
            tenant: self.scene.inventory.tenant().to_owned(),
            target: self.scene.target(self.device),
            facet: L::FACET,
            value: value.word().to_owned(),
            because: self.because(&wishes),
            ends: end,
            written,
            then,
            reason,
            action: placed.action.to_string(),
            since: placed.completed,
        })
    }

    /// What was written when the lease should have ended by now only because an edit moved it.
    pub(super) fn cut_short(
        &self,
        placed: &Placement,
        ends: &[(&Wish<'_, L>, Timestamp)],
    ) -> Option<Timestamp> {
        let written = Marker::find(&placed.comment).and_then(|marker| marker.until)?;
        let (last, end) = ends.iter().max_by_key(|(_, end)| *end).copied()?;
        let moved = self.moved(last, end, written)?;
        (moved.code == "lease-sooner" && written > self.now()).then_some(written)
    }

    /// Whether the end is another one than was written, and which way it moved.
    fn moved(&self, last: &Wish<'_, L>, end: Timestamp, written: Timestamp) -> Option<Reason> {
        let placed = self.facts.placed.as_ref()?;
        if end.duration_since(written).abs() < MINUTE {
            return None;
        }
        let (known, allowed) = match last.containment.lease {
            // The marker of an undoing is the end itself and no estimate of it.
            _ if undo::put_back_until(&placed.comment).is_some() => {
                (SignedDuration::ZERO, SignedDuration::ZERO)
            }
            Lease::Until(_) => (SignedDuration::ZERO, SignedDuration::ZERO),
            Lease::For(_) => {
                let created = self.placing()?.created;
                let validity = self.scene.input.workspace.plan_validity;
                let allowed = validity.as_secs().saturating_add(LATE.as_secs());
                let allowed = SignedDuration::from_secs(i64::try_from(allowed).unwrap_or(i64::MAX));
                (placed.completed.duration_since(created), allowed)
            }
        };
        let shift = end.duration_since(written) - known;
        let code = match shift {
            shift if shift < -MINUTE => "lease-sooner",
            shift if shift > allowed + MINUTE => "lease-later",
            _ => return None,
        };
        Some(Reason::new(code).with("written", written.to_string()).with("ends", end.to_string()))
    }
}
