//! What a plan may let go: what is ours, whose lease is over or which nobody wants; and what a policy
//! placed that is gone, only by its lift.
//!
//! Called by `on_plans` for each release of a plan that follows policies.

use jiff::SignedDuration;
use palisade::plan::Change;

use super::on_plans::Scene;
use super::policy::{Doc, Traits};
use super::reference::{Side, marked};
use super::settle::concerns;
use super::{Broken, Check, on_undo};

impl Scene<'_> {
    pub(super) fn may_release(
        &self,
        change: &Change,
        row: u32,
        side: Side,
        traits: &Traits,
    ) -> Check {
        let wrong = |law, what: &str| Err(Broken::new(law, format!("{what}: {change:?}")));
        let standing = self.truth.standing(row, side, self.began);
        let Some(placed) = standing.by.filter(|_| standing.is_of(self.site.id)) else {
            return wrong(6, "releases what is not ours");
        };
        let now = self.plan.created_at;
        if let Some(end) = on_undo::put_back_until(placed) {
            return if end > now { wrong(10, "it was put back until later") } else { Ok(()) };
        }
        let policy = marked(placed).map(|mark| mark.policy).unwrap_or_default();
        let author = self.author(&policy, side);
        // A policy that placed it, still selects it and has its first lease left keeps it.
        let keeps = author.is_some_and(|doc| {
            let end = placed.updated + SignedDuration::from_hours(i64::from(doc.lease));
            !doc.audit && doc.pick.selects(traits) && end > now
        });
        if keeps {
            return wrong(9, "releases before the lease ends");
        }
        // A deleted file and a lost one look alike, whatever another policy's lease says.
        let runs = on_undo::until(placed).is_none_or(|end| end > now);
        let lifted = self.plan.lifts.iter().any(|lift| lift.code == "orphaned-releases");
        if author.is_none() && runs && !lifted {
            return wrong(6, "its policy is gone, and nobody lifted that");
        }
        Ok(())
    }

    /// The policy of that name that is about that side. A marker carries the beginning of a long one.
    fn author(&self, policy: &str, side: Side) -> Option<&Doc> {
        let (_, doc) = self.site.docs.iter().find(|(slot, doc)| {
            let name = super::policy::name(**slot);
            concerns(doc.kind, side)
                && (name == policy || (policy.len() > 20 && name.starts_with(policy)))
        })?;
        Some(doc)
    }
}
