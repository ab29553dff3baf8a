//! What a plan may let go: what is ours, whose lease is over or which nobody wants; and what a policy
//! placed that is gone, only by its lift.
//!
//! Called by `on_plans` for each release of a plan that follows policies.

use jiff::SignedDuration;
use palisade::emulator::tenant::Action;
use palisade::plan::Change;

use super::on_plans::{Scene, side_of};
use super::policy::{Doc, Traits};
use super::reference::{Side, is_of, marked, strength};
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
        if let Some(name) = self.keeper(placed, row, side, traits) {
            return wrong(9, &format!("the lease of {name} runs"));
        }
        // A deleted file and a lost one look alike, whatever another policy's lease says.
        let runs = on_undo::until(placed).is_none_or(|end| end > now);
        let lifted = self.plan.lifts.iter().any(|lift| lift.code == "orphaned-releases");
        if author.is_none() && runs && !lifted {
            return wrong(6, "its policy is gone, and nobody lifted that");
        }
        Ok(())
    }

    /// A policy that selects the device and whose first lease runs, where nobody but us has ever acted on that side
    /// and nothing was let go: whatever placed it, it stays. Calling off what another policy would have made stronger
    /// lets nothing go.
    fn keeper(&self, placed: &Action, row: u32, side: Side, traits: &Traits) -> Option<String> {
        let calm = |name: &str, action: &Action| {
            let others = action.created >= placed.updated
                && marked(action).is_some_and(|mark| !is_called(&mark.policy, name));
            is_of(action, self.site.id)
                && strength(action) > 0
                && (action.cancellation.is_none() || others)
        };
        self.site.docs.iter().find_map(|(slot, doc)| {
            let name = super::policy::name(*slot);
            let end = placed.updated + SignedDuration::from_hours(i64::from(doc.lease));
            let keeps = concerns(doc.kind, side)
                && !doc.audit
                && doc.pick.selects(traits)
                && end > self.plan.created_at
                && self.truth.actions(row, side).all(|action| calm(&name, action));
            keeps.then_some(name)
        })
    }

    /// What is said to be spent was ended by a release of ours that names it.
    pub(super) fn spent_truly(&self) -> Check {
        for entry in self.plan.held.iter().filter(|entry| entry.reason.code == "lease-spent") {
            let (Some(row), Some(side)) = (self.truth.row(&entry.target.id), side_of(entry.facet))
            else {
                continue;
            };
            let policy = entry.reason.text("policy").unwrap_or_default();
            let names = |action: &Action| {
                let text = action.comment.strip_prefix("lease ended: ").unwrap_or_default();
                let names = text.split(" [palisade ").next().unwrap_or_default();
                is_of(action, self.site.id) && names.split([',', ' ']).any(|name| name == policy)
            };
            if !self.truth.actions(row, side).any(names) {
                let what = format!("no lease of {policy} was ended: {entry:?}");
                return Err(Broken::new(4, what));
            }
        }
        Ok(())
    }

    /// The policy of that name that is about that side.
    fn author(&self, policy: &str, side: Side) -> Option<&Doc> {
        let (_, doc) = self.site.docs.iter().find(|(slot, doc)| {
            concerns(doc.kind, side) && is_called(policy, &super::policy::name(**slot))
        })?;
        Some(doc)
    }
}

/// Whether the policy that a marker names is that one. A marker carries the beginning of a long name.
fn is_called(marked: &str, name: &str) -> bool {
    let beginning = marked.split('~').next().unwrap_or_default();
    marked == name || (marked.contains('~') && name.starts_with(beginning))
}
