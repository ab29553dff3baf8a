//! A free device: it is put where policies want it, or it is said why not.
//!
//! Called by `decide`, and by `ours` and `foreign` for what is to become stronger.

use crate::model::Holder;
use crate::plan::order::{Order, Proposal};
use crate::plan::posture::decide::{Case, Verdict, Wishes, strongest};
use crate::plan::posture::lease::Record;
use crate::plan::posture::{Level, Wish, offline};
use crate::plan::types::{Disposition, Reason};

impl<'c, L: Level> Case<'c, L> {
    pub(super) fn free(&self) -> Verdict {
        if self.wanted.is_empty() {
            return self.audit(L::FREE);
        }
        let record = self.record();
        let mut spent = None;
        let mut able = Vec::new();
        for wish in &self.wanted {
            match record.spent(&wish.header.name, wish.containment, self.now()) {
                None => able.push(*wish),
                Some(reason) => {
                    spent = spent.or(Some(reason.with("policy", wish.header.name.as_str())))
                }
            }
        }
        match (able.is_empty(), spent) {
            (true, Some(reason)) => self.held(reason, L::FREE, strongest(&self.wanted)),
            _ => self.place(L::FREE, &able, &record),
        }
    }

    /// Puts the device where `able` want it, unless something stands against it.
    pub(super) fn place(&self, from: L, able: Wishes<'_, 'c, L>, record: &Record<'_>) -> Verdict {
        let Some(to) = strongest(able) else { return Verdict::Unchanged };
        let scene = self.scene;
        if let Some(reason) = to.cannot(scene.inventory, self.device) {
            return self.row(Disposition::Cannot, reason, from, Some(to));
        }
        if let Some(exempt) = self.exempt(from, Some(to)) {
            return exempt;
        }
        let deciding = || able.iter().filter(|wish| wish.level == to);
        let queue = deciding().any(|wish| wish.containment.queue_offline);
        if !queue && scene.inventory.is_offline(self.device) {
            return self.held(offline(scene, self.device), from, Some(to));
        }
        let end = |wish: &Wish<'_, L>| {
            record.end(&wish.header.name, wish.containment, self.now(), from != L::FREE)
        };
        // The marker names the policy whose lease ends last among those that decide.
        let first = deciding().max_by_key(|wish| (end(wish), std::cmp::Reverse(&wish.header.name)));
        let Some(first) = first else { return Verdict::Unchanged };
        let adopted = from != L::FREE && !matches!(self.facts.holder, Holder::Ours { .. });
        let change = scene.change(Order {
            verb: L::PLACE,
            facet: L::FACET,
            target: scene.target(self.device),
            from: from.word().to_owned(),
            to: to.word().to_owned(),
            parameters: to.parameters(),
            lease_end: able.iter().filter_map(|wish| end(wish)).max(),
            because: self.because(able),
            reason: (from != L::FREE)
                .then(|| Reason::new(if adopted { "adopted" } else { "strengthened" })),
            risk: scene.risk(self.device, L::PLACE),
            evidence: self.evidence(),
            expects: None,
            policy: first.header.name.clone(),
            text: Some(first.containment.comment.to_string()),
        });
        let adds = from == L::FREE;
        Verdict::Do(Box::new(Proposal { change, device: Some(self.device), adds }))
    }

    fn audit(&self, value: L) -> Verdict {
        match strongest(&self.watched) {
            Some(to) if to > value => {
                let reason = to.cannot(self.scene.inventory, self.device);
                let disposition =
                    if reason.is_some() { Disposition::Cannot } else { Disposition::Audit };
                let reason = reason.unwrap_or_else(|| Reason::new("audit-mode"));
                let mut entry = self.entry(reason, Some(value), Some(to));
                entry.because = self.because(&self.watched);
                Verdict::Row(disposition, Box::new(entry))
            }
            _ => Verdict::Unchanged,
        }
    }
}
