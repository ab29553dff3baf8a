//! Rolling caps counted anew, right before a run begins: whoever else acted since the plan was made
//! has filled the same window.
//!
//! Two plans that were made side by side are each below a cap and together above it. Called by
//! `cli::applying` with the tenant's action history of then, by `guards::cap_rolling` for the count
//! itself. Caps of a group or the fleet need every device and are counted by the next plan only.

use jiff::Timestamp;

use crate::inventory::ActionRow;
use crate::model::{ActionKind, ActionStatus, Verb};
use crate::plan::file::PlanFileError;
use crate::plan::types::Plan;
use crate::policy::Workspace;
use crate::policy::workspace::Rolling;

/// Actions of a kind within a window that ends at `now`, whoever acted. A cancelled action took nothing
/// from anybody and is not counted; one that failed may have taken effect and is.
#[must_use]
pub fn within(actions: &[ActionRow], kind: &ActionKind, rolling: Rolling, now: Timestamp) -> u32 {
    let since = rolling.window.before(now);
    let counts = |action: &&ActionRow| {
        action.kind == *kind && action.created > since && action.status != ActionStatus::Cancelled
    };
    u32::try_from(actions.iter().filter(counts).count()).unwrap_or(u32::MAX)
}

/// A rolling cap on what the plan does in a tenant.
struct Capped {
    verb: Verb,
    kind: ActionKind,
    rolling: Rolling,
    planned: u32,
}

/// Those that no lift of the plan takes away.
fn capped<'a>(
    plan: &'a Plan,
    workspace: &'a Workspace,
    tenant: &'a str,
) -> impl Iterator<Item = Capped> + 'a {
    let lifted = plan.lifts.iter().any(|lift| lift.code == "cap-rolling");
    let caps = workspace.guardrails.caps.iter().filter(move |_| !lifted);
    caps.filter_map(move |(verb, caps)| {
        let changes = plan.changes.iter().filter(|it| it.verb == *verb && it.tenant == tenant);
        let planned = u32::try_from(changes.count()).unwrap_or(u32::MAX);
        let (rolling, kind) = (caps.rolling?, verb.action()?);
        (planned > 0).then_some(Capped { verb: *verb, kind, rolling, planned })
    })
}

/// From when on (UTC) the history of a tenant is needed to count; none when there is nothing to count.
#[must_use]
pub fn since(
    plan: &Plan,
    workspace: &Workspace,
    tenant: &str,
    now: Timestamp,
) -> Option<Timestamp> {
    capped(plan, workspace, tenant).map(|it| it.rolling.window.before(now)).min()
}

/// Counts what a plan would come to by now.
///
/// # Errors
/// `Crowded` for the first cap that it would exceed.
pub fn recount(
    plan: &Plan,
    workspace: &Workspace,
    tenant: &str,
    actions: &[ActionRow],
    now: Timestamp,
) -> Result<(), PlanFileError> {
    for Capped { verb, kind, rolling, planned } in capped(plan, workspace, tenant) {
        let already = within(actions, &kind, rolling, now);
        if already.saturating_add(planned) > rolling.count {
            let tenant = tenant.to_owned();
            return Err(PlanFileError::Crowded { tenant, verb, already, planned, rolling });
        }
    }
    Ok(())
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
        let asked = |cap, now| {
            recount(&plan, &capped_at(cap), "contoso", fleet.all_actions(), now)
                .map_err(|refusal| refusal.to_string())
        };
        assert_eq!(asked(3, begins), Ok(()));
        let refused = asked(2, begins).unwrap_err();
        assert!(refused.contains("1 isolate within 1h and 2 planned, cap 2"), "{refused}");
        assert_eq!(asked(2, begins + jiff::SignedDuration::from_hours(1)), Ok(()));
    }

    #[test]
    fn nothing_is_read_for_a_plan_that_meets_no_rolling_cap() {
        let plan = plan();
        let at = now();
        let since = |plan: &Plan, tenant, workspace: &Workspace| since(plan, workspace, tenant, at);
        let hour = at - jiff::SignedDuration::from_hours(1);
        assert_eq!(since(&plan, "contoso", &capped_at(2)), Some(hour));
        assert_eq!(since(&plan, "fabrikam", &capped_at(2)), None);
        assert_eq!(since(&plan, "contoso", &workspace()), None);
        let (code, because) = ("cap-rolling".to_owned(), "IR-7781".to_owned());
        let lifted = Plan { lifts: vec![Lift { code, because }], ..plan };
        assert_eq!(since(&lifted, "contoso", &capped_at(2)), None);
    }
}
