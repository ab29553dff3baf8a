//! Limits counted anew, right before a run begins or goes on: whoever else acted since the plan was made
//! has filled the same windows and taken from the same devices.
//!
//! Two plans that were made side by side are each within a limit and together beyond it. Rolling caps
//! are counted from the tenant's action history of now; caps of a group and the fleet and what stays
//! free from what the plan says they leave (`room`). Called by `cli::recounting`, which reads, and by
//! `guards::cap_rolling` for the count itself. Must never read anything.

mod crowded;
mod room;

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::inventory::ActionRow;
use crate::inventory::readings::holder_of;
use crate::model::{ActionKind, ActionStatus, ChangeId, Holder, Verb, WorkspaceId};
use crate::plan::scene::by_the_earlier;
use crate::plan::types::{Change, Plan, TenantSection};
use crate::policy::Workspace;
use crate::policy::workspace::Rolling;

pub use crowded::{Crowd, Crowded};
pub use room::Newcomers;

/// Actions of a kind within a window that ends at `now`, whoever acted. A cancelled action took nothing
/// from anybody and is not counted; one that failed may have taken effect and is.
#[must_use]
pub fn within(actions: &[ActionRow], kind: &ActionKind, rolling: Rolling, now: Timestamp) -> u32 {
    let since = rolling.window.before(now);
    let counts = |action: &&ActionRow| {
        action.kind == *kind && action.created > since && action.status != ActionStatus::Cancelled
    };
    number(actions.iter().filter(counts).count())
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// What is counted anew of one tenant of a plan.
#[derive(Debug)]
pub struct Recount<'a> {
    plan: &'a Plan,
    workspace: &'a Workspace,
    tenant: &'a str,
    /// Changes that may still be sent.
    ahead: Vec<&'a Change>,
    /// By the service's clock where the plan knows that it was behind: the history goes by that one.
    now: Timestamp,
}

/// A rolling cap on what is ahead.
struct Capped {
    verb: Verb,
    kind: ActionKind,
    rolling: Rolling,
}

impl<'a> Recount<'a> {
    /// Of the changes in `ahead`, which are all when the run begins and those that were not sent when it
    /// goes on. Those are among them of which nobody knows whether they were sent, until the history says.
    #[must_use]
    pub fn new(
        plan: &'a Plan,
        workspace: &'a Workspace,
        tenant: &'a str,
        ahead: impl IntoIterator<Item = &'a Change>,
        now: Timestamp,
    ) -> Self {
        let ahead = ahead.into_iter().filter(|change| change.tenant == tenant).collect();
        let section = plan.tenants.iter().find(|section| section.name == tenant);
        let section = section.filter(|_| !plan.study);
        let there = section.map(TenantSection::service_ahead).unwrap_or_default();
        let now = by_the_earlier(now, there);
        Self { plan, workspace, tenant, ahead, now }
    }

    /// From when on (UTC) the history of the tenant is needed to count; none when there is nothing to
    /// count.
    #[must_use]
    pub fn since(&self) -> Option<Timestamp> {
        let rolling = self.capped().map(|it| it.rolling.window.before(self.now)).min();
        rolling.into_iter().chain(self.room_since()).min()
    }

    /// Without what the history has of it: that is not sent again.
    #[must_use]
    pub fn without_sent(mut self, actions: &[ActionRow]) -> Self {
        let ours = WorkspaceId::from(self.plan.workspace.as_str());
        let changes = actions.iter().filter_map(|action| match holder_of(action, &ours) {
            Holder::Ours { change, .. } => Some((change, &action.kind)),
            _ => None,
        });
        let sent: BTreeMap<ChangeId, &ActionKind> = changes.collect();
        self.ahead.retain(|it| {
            let kind = it.verb.action();
            sent.get(&it.id).is_none_or(|sent| Some(*sent) != kind.as_ref())
        });
        self
    }

    /// Counts rolling caps. What the run itself has sent is in the history like everything else.
    ///
    /// # Errors
    /// `Crowded` for the first cap that would be exceeded.
    pub fn rolling(&self, actions: &[ActionRow]) -> Result<(), Crowded> {
        for Capped { verb, kind, rolling } in self.capped() {
            let already = within(actions, &kind, rolling, self.now);
            let planned = number(self.ahead.iter().filter(|it| it.verb == verb).count());
            if already.saturating_add(planned) > rolling.count {
                let setting = format!("guardrails.caps.{verb}.rolling");
                let crowd = Crowd::Rolling { verb, already, planned, rolling };
                let tenant = self.tenant.to_owned();
                return Err(Crowded { tenant, setting, crowd });
            }
        }
        Ok(())
    }

    /// Rolling caps that count what is ahead, those that no lift of the plan takes away.
    fn capped(&self) -> impl Iterator<Item = Capped> + '_ {
        let lifted = self.plan.lifts.iter().any(|lift| lift.code == "cap-rolling");
        let caps = self.workspace.guardrails.caps.iter().filter(move |_| !lifted);
        caps.filter_map(|(verb, caps)| {
            let (rolling, kind) = (caps.rolling?, verb.action()?);
            let counts = self.ahead.iter().any(|change| change.verb == *verb);
            counts.then_some(Capped { verb: *verb, kind, rolling })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ActionKind::{Isolate, Unisolate};
    use crate::model::Span;
    use crate::plan::tests::fleet::{Fleet, Machine, ago, now};
    use crate::plan::tests::planned;
    use crate::plan::tests::policies::{isolate, set, tag, workspace};
    use crate::plan::{Lift, Plan};
    use crate::policy::PolicySet;
    use crate::policy::workspace::Caps;

    fn capped_at(count: u32) -> Workspace {
        let rolling = Some(Rolling { count, window: Span::from_hours(1) });
        let mut workspace = workspace();
        workspace.guardrails.caps = [(Verb::Isolate, Caps { rolling, ..Caps::default() })].into();
        workspace
    }

    fn plan() -> Plan {
        let policies = PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() };
        let fleet = Fleet::of(["pc-1", "pc-2"].map(|name| Machine::new(name).tag("ir")));
        planned(&policies, &capped_at(10), fleet.build())
    }

    fn counted(
        plan: &Plan,
        ahead: &[Change],
        cap: u32,
        actions: &[ActionRow],
        now: Timestamp,
    ) -> Result<(), String> {
        let workspace = capped_at(cap);
        let recount = Recount::new(plan, &workspace, "contoso", ahead, now);
        recount.without_sent(actions).rolling(actions).map_err(|refusal| refusal.to_string())
    }

    #[test]
    fn what_others_did_since_counts_until_it_leaves_the_window() {
        let plan = plan();
        assert_eq!(plan.changes.len(), 2);
        let fleet = Fleet::of([Machine::new("pc-8"), Machine::new("pc-9")])
            .by_hand("pc-8", Isolate, ActionStatus::Succeeded, ago(1))
            .by_hand("pc-9", Isolate, ActionStatus::Cancelled, ago(1))
            .by_hand("pc-9", Unisolate, ActionStatus::Succeeded, ago(1))
            .build();
        let begins = ago(1) + jiff::SignedDuration::from_mins(1);
        let asked = |cap, now| counted(&plan, &plan.changes, cap, fleet.all_actions(), now);
        assert_eq!(asked(3, begins), Ok(()));
        let refused = asked(2, begins).unwrap_err();
        assert!(refused.contains("1 isolate within 1h and 2 planned, cap 2"), "{refused}");
        assert_eq!(asked(2, begins + jiff::SignedDuration::from_hours(1)), Ok(()));
    }

    #[test]
    fn of_a_run_that_goes_on_only_what_is_ahead_is_planned() {
        let plan = plan();
        let at = ago(0);
        let comment = |at: usize| plan.changes[at].parameters.comment.clone().unwrap();
        let sent = |fleet: Fleet, name, comment: &str| {
            fleet.action(name, Isolate, ActionStatus::Pending, at, comment, "palisade")
        };
        let others = Fleet::of(["pc-1", "pc-8"].map(Machine::new)).by_hand(
            "pc-8",
            Isolate,
            ActionStatus::Failed,
            at,
        );
        let half = sent(others.clone(), "pc-1", &comment(0)).build();
        let later = at + jiff::SignedDuration::from_mins(1);
        let rest = &plan.changes[1..];
        assert_eq!(counted(&plan, rest, 3, half.all_actions(), later), Ok(()));
        let refused = counted(&plan, rest, 2, half.all_actions(), later).unwrap_err();
        assert!(refused.contains("2 isolate within 1h and 1 planned, cap 2"), "{refused}");
        // Of the first nobody knew whether it was sent: the history does.
        assert_eq!(counted(&plan, &plan.changes, 3, half.all_actions(), later), Ok(()));
        assert_eq!(counted(&plan, &[], 0, half.all_actions(), later), Ok(()));
        // A mark of another workspace is none of ours.
        let theirs = comment(0).replace("contoso-soc", "emea-soc");
        let theirs = sent(others, "pc-1", &theirs).build();
        counted(&plan, &plan.changes, 3, theirs.all_actions(), later).unwrap_err();
    }

    /// The history has the times of the service's clock; one that is said to be ahead shortens no window.
    #[test]
    fn a_window_ends_by_the_services_clock() {
        let hour = jiff::SignedDuration::from_hours(1);
        let mut plan = plan();
        let since = |plan: &Plan| {
            let workspace = capped_at(2);
            let recount = Recount::new(plan, &workspace, "contoso", &plan.changes, now());
            recount.since().map(|since| since.duration_since(now() - hour).as_hours())
        };
        assert_eq!(since(&plan), Some(0));
        for (ahead, expected) in [(3, 0), (-3, -3)] {
            let there = plan.tenants[0].observed_at + jiff::SignedDuration::from_hours(ahead);
            plan.tenants[0].service_at = Some(there);
            assert_eq!(since(&plan), Some(expected));
        }
        // A plan for another time says itself what time it is there.
        plan.study = true;
        assert_eq!(since(&plan), Some(0));
    }

    #[test]
    fn nothing_is_read_for_a_plan_that_meets_no_limit() {
        let plan = plan();
        let at = now();
        let since = |plan: &Plan, tenant, workspace: &Workspace| {
            Recount::new(plan, workspace, tenant, &plan.changes, at).since()
        };
        let hour = at - jiff::SignedDuration::from_hours(1);
        assert_eq!(since(&plan, "contoso", &capped_at(2)), Some(hour));
        assert_eq!(since(&plan, "fabrikam", &capped_at(2)), None);
        assert_eq!(since(&plan, "contoso", &workspace()), None);
        let sent = Recount::new(&plan, &capped_at(2), "contoso", [], at).since();
        assert_eq!(sent, None);
        let (code, because) = ("cap-rolling".to_owned(), "IR-7781".to_owned());
        let lifted = Plan { lifts: vec![Lift { code, because }], ..plan };
        assert_eq!(since(&lifted, "contoso", &capped_at(2)), None);
    }
}
