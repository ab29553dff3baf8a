//! A device that we hold and that is protected by now: it is not let go by itself, and it is told.
//!
//! Protection stands against taking, and a release nobody asked for may be what an attacker waits for.
//! So the device stays until its lease ends; the plan has a row for it, which `audit` shows as a
//! deviation, and `standing` warns with how many there are.
//!
//! Called by `decide`.

use crate::plan::draft::Draft;
use crate::plan::guards::protection;
use crate::plan::posture::Level;
use crate::plan::posture::decide::{Case, Verdict};
use crate::plan::types::Disposition;

impl<L: Level> Case<'_, L> {
    pub(super) fn spared(&self, verdict: Verdict, draft: &mut Draft) -> Verdict {
        let Some((value, placed)) = self.held_by_us() else { return verdict };
        // Whoever is let go, or accepted as it is, needs no word.
        let stays = match &verdict {
            Verdict::Unchanged | Verdict::Row(Disposition::Held, _) => true,
            Verdict::Do(proposal) => proposal.change.verb.is_restrictive(),
            Verdict::Accepted(_) | Verdict::Row(..) => false,
        };
        let protection = stays.then(|| protection::of(self.scene, self.device)).flatten();
        let Some(protection) = protection else { return verdict };
        *draft.spared.entry(protection.rule).or_default() += 1;
        let Verdict::Unchanged = verdict else { return verdict };
        let mut reason = protection.reason("protected-in-force");
        let ends = self.ends(&self.record(), placed).into_iter().map(|(_, end)| end).max();
        if let Some(end) = ends {
            reason = reason.with("until", end.to_string());
        }
        self.held(reason, value, Some(L::FREE))
    }
}
