//! A device that somebody else holds: left alone, or adopted by a policy that says so.
//!
//! Called by `decide`.

use crate::inventory::readings::Placement;
use crate::model::Holder;
use crate::plan::posture::decide::rows::with_holder;
use crate::plan::posture::decide::{Case, Verdict, strongest};
use crate::plan::posture::lease::Record;
use crate::plan::posture::{Level, Wish};
use crate::plan::types::{Disposition, Reason};

impl<'c, L: Level> Case<'c, L> {
    pub(super) fn foreign(&self, value: L, placed: &Placement) -> Verdict {
        let adopting = self.adopting(placed);
        let record = self.record();
        let able = self.able_to_adopt(placed, &record);
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

    /// Policies that take over what somebody placed; nobody takes what another workspace did.
    fn adopting(&self, placed: &Placement) -> Vec<&'c Wish<'c, L>> {
        let other_workspace = matches!(placed.by, Holder::OtherWorkspace { .. });
        let wanted = self.wanted.iter().copied();
        wanted.filter(|wish| wish.containment.adopt && !other_workspace).collect()
    }

    /// Those of them that have a lease for it, so that they may also make the device stronger.
    pub(super) fn able_to_adopt(
        &self,
        placed: &Placement,
        record: &Record<'_>,
    ) -> Vec<&'c Wish<'c, L>> {
        let adopting = self.adopting(placed).into_iter();
        adopting.filter(|wish| self.may_take(wish, record)).collect()
    }
}
