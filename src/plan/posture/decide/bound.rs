//! How long what is in force may be kept: to `maxLease` from its verified start.
//!
//! A lease is held against `maxLease` when the device is taken. An edit can make it longer afterwards
//! (`renewal`, a later `until`) without any change for the guardrail to look at; so the extension is
//! held here, and the end stands that there was before: the one in the marker or that of one lease,
//! whichever is later. `max_lease` objects with the numbers, and its lift lets the extension be.
//!
//! Called by `ours`, for every lease that keeps a device, and by `decide`.

use jiff::Timestamp;

use crate::inventory::readings::Placement;
use crate::model::Marker;
use crate::plan::draft::Kept;
use crate::plan::posture::decide::{Case, Verdict, strongest};
use crate::plan::posture::{Level, Wish};
use crate::plan::types::{Disposition, Reason};
use crate::policy::set::Lease;

/// A lease on a device that we hold.
pub(super) struct Held<'c, L> {
    pub(super) wish: &'c Wish<'c, L>,
    /// Its end by the policy's text.
    pub(super) text: Timestamp,
    /// Whether the text would keep the device longer than the workspace allows.
    pub(super) over: bool,
    /// The end that counts.
    pub(super) ends: Timestamp,
}

impl<'c, L: Level> Case<'c, L> {
    /// A lease with the end that counts.
    pub(super) fn bounded(
        &self,
        wish: &'c Wish<'c, L>,
        placed: &Placement,
        text: Timestamp,
        own: bool,
    ) -> Held<'c, L> {
        let input = self.scene.input;
        let latest = input.workspace.guardrails.max_lease.after(placed.completed);
        let over = text > latest;
        let ends = if !over || input.around.lifted("max-lease").is_some() {
            text
        } else {
            let one = match wish.containment.lease {
                Lease::For(span) => Some(span.after(placed.completed)),
                Lease::Until(_) => None,
            };
            let marker = Marker::find(&placed.comment).filter(|_| own);
            one.max(marker.and_then(|marker| marker.until)).map_or(latest, |end| end.min(latest))
        };
        Held { wish, text, over, ends }
    }

    /// The row of a device that stays, but not for as long as a policy now says.
    pub(super) fn not_longer(&self, value: L, placed: &Placement) -> Option<Verdict> {
        let leases = self.leases(&self.record(), placed);
        let longest = leases.iter().filter(|it| it.over && it.ends < it.text);
        let longest = longest.max_by_key(|it| it.text)?;
        let kept = leases.iter().map(|it| it.ends).max()?;
        let length = longest.text.duration_since(placed.completed).as_secs();
        let reason = Reason::new("max-lease")
            .with("policy", longest.wish.header.name.as_str())
            .with("leaseSeconds", length)
            .with("mostSeconds", self.scene.input.workspace.guardrails.max_lease.as_secs())
            .with("ends", longest.text.to_string())
            .with("kept", kept.to_string())
            .with("setting", "guardrails.maxLease");
        let to = strongest(&self.wanted);
        let entry = self.entry(self.witnessed(reason), Some(value), to);
        Some(Verdict::Row(Disposition::Held, Box::new(entry)))
    }

    /// How long each policy keeps a device that we hold, for the guardrail to measure.
    pub(super) fn kept(&self) -> Vec<Kept> {
        let Some((_, placed)) = self.held_by_us() else { return Vec::new() };
        let leases = self.leases(&self.record(), placed).into_iter();
        let kept = |it: Held<'c, L>| Kept {
            policy: it.wish.header.name.clone(),
            seconds: u64::try_from(it.text.duration_since(placed.completed).as_secs()).unwrap_or(0),
            over: it.over,
        };
        leases.map(kept).collect()
    }
}
