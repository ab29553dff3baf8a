//! A free device: it is put where policies want it, or it is said why not.
//!
//! Called by `decide`, and by `ours` and `foreign` for what is to become stronger.

use crate::plan::order::{Order, Proposal};
use crate::plan::posture::decide::{Case, Verdict, Wishes, strongest};
use crate::plan::posture::lease::{Claim, Record};
use crate::plan::posture::{Level, Wish, offline};
use crate::plan::types::{Disposition, Reason};

impl<'c, L: Level> Case<'c, L> {
    pub(super) fn free(&self) -> Verdict {
        if self.wanted.is_empty() {
            return self.audit();
        }
        let record = self.record();
        let (mut spent, mut why) = (None, None);
        let (mut able, mut asking) = (Vec::new(), Vec::new());
        for wish in &self.wanted {
            let name = &wish.header.name;
            match record.claim(name, wish.containment) {
                Claim::Open => able.push(*wish),
                Claim::Reassert(reason) => {
                    able.push(*wish);
                    why = why.or(Some(reason));
                }
                Claim::Ask(reason) => asking.push((*wish, reason)),
                Claim::Spent(reason) => {
                    spent = spent.or(Some(reason.with("policy", name.as_str())))
                }
            }
        }
        if able.is_empty() && !asking.is_empty() {
            // Proposed, and held by the guardrail `manual_release` until somebody lifts it.
            why = asking.first().map(|(_, reason)| reason.clone());
            able = asking.into_iter().map(|(wish, _)| wish).collect();
        }
        match (able.is_empty(), spent) {
            (true, Some(reason)) => self.held(reason, L::FREE, strongest(&self.wanted)),
            _ => self.place(L::FREE, &able, &record, why),
        }
    }

    /// Whether nothing that is over for good stands against the wish.
    pub(super) fn may_take(&self, wish: &Wish<'_, L>, record: &Record<'_>) -> bool {
        let claim = record.claim(&wish.header.name, wish.containment);
        !matches!(claim, Claim::Spent(_))
    }

    /// Puts the device where `able` want it, unless something stands against it.
    pub(super) fn place(
        &self,
        from: L,
        able: Wishes<'_, 'c, L>,
        record: &Record<'_>,
        reason: Option<Reason>,
    ) -> Verdict {
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
        // Whoever may take the device has a lease for it.
        let end =
            |wish: &Wish<'_, L>| record.end(&wish.header.name, wish.containment, self.now(), true);
        // The marker names the policy whose lease ends last among those that decide.
        let first = deciding().max_by_key(|wish| (end(wish), std::cmp::Reverse(&wish.header.name)));
        let Some(first) = first else { return Verdict::Unchanged };
        let change = scene.change(Order {
            verb: L::PLACE,
            facet: L::FACET,
            target: scene.target(self.device),
            from: from.word().to_owned(),
            to: to.word().to_owned(),
            parameters: to.parameters(),
            lease_end: able.iter().filter_map(|wish| end(wish)).max(),
            because: self.because(able),
            reason,
            risk: scene.risk(self.device, L::PLACE),
            evidence: self.evidence(),
            expects: None,
            policy: first.header.name.clone(),
            text: Some(first.containment.comment.to_string()),
        });
        let adds = from == L::FREE;
        Verdict::Do(Box::new(Proposal { change, device: Some(self.device), adds }))
    }

    fn audit(&self) -> Verdict {
        let Some(to) = strongest(&self.watched) else { return Verdict::Unchanged };
        let reason = to.cannot(self.scene.inventory, self.device);
        let disposition = if reason.is_some() { Disposition::Cannot } else { Disposition::Audit };
        let reason = reason.unwrap_or_else(|| Reason::new("audit-mode"));
        let mut entry = self.entry(reason, Some(L::FREE), Some(to));
        entry.because = self.because(&self.watched);
        Verdict::Row(disposition, Box::new(entry))
    }
}
