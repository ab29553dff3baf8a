//! A device that somebody else holds: left alone, or adopted by a policy that says so.
//!
//! Called by `decide`.

use crate::inventory::readings::Placement;
use crate::model::Holder;
use crate::plan::posture::decide::rows::with_holder;
use crate::plan::posture::decide::{Case, Verdict, strongest};
use crate::plan::posture::{Level, Wish};
use crate::plan::types::{Disposition, Reason};

impl<'c, L: Level> Case<'c, L> {
    pub(super) fn foreign(&self, value: L, placed: &Placement) -> Verdict {
        let other_workspace = matches!(placed.by, Holder::OtherWorkspace { .. });
        let adopting: Vec<_> = self
            .wanted
            .iter()
            .copied()
            .filter(|wish| wish.containment.adopt && !other_workspace)
            .collect();
        let record = self.record();
        let able: Vec<_> =
            adopting.iter().copied().filter(|wish| self.may_take(wish, &record)).collect();
        if strongest(&able).is_some_and(|to| to > value) {
            return self.place(value, &able, &record, Some(self.witnessed(Reason::new("adopted"))));
        }
        let end = |wish: &Wish<'_, L>| {
            record.end(&wish.header.name, wish.containment, placed.completed, true)
        };
        if adopting.iter().any(|wish| end(wish).is_some_and(|end| end > self.now())) {
            return Verdict::Unchanged;
        }
        let code = if adopting.is_empty() { "held-by-other" } else { "adopted-lease-ended" };
        let reason = self.witnessed(Reason::new(code));
        let entry = self.entry(reason, Some(value), strongest(&self.wanted));
        Verdict::Row(Disposition::Foreign, Box::new(with_holder(entry, &placed.by)))
    }
}
