//! What a policy placed that is gone: is it let go before its time without anybody's word?
//!
//! Whatever the plan calls the release. Asked by `inputs`, from policies and markers alone.

use jiff::{SignedDuration, Timestamp};

use crate::inventory::ActionRow;
use crate::model::{Facet, Marker, PolicyName, marker};
use crate::plan::{Input, Purpose};

/// Whether what the action placed stays until somebody says that its policy is gone on purpose: there is no such
/// policy, and the end that was written has not come. That end was reckoned before the action had succeeded, so
/// that what it took comes on top; an undoing writes the end itself.
pub(super) fn stays(input: &Input<'_>, facet: Facet, action: &ActionRow, marker: &Marker) -> bool {
    let holds = input.workspace.guardrails.hold_orphaned_releases
        && matches!(input.around.purpose, Purpose::Policies)
        && input.around.lifted("orphaned-releases").is_none();
    let took = match action.comment.starts_with("undo of ") {
        true => SignedDuration::ZERO,
        false => action.updated.duration_since(action.created),
    };
    let end = marker.until.map(|until| until.checked_add(took).unwrap_or(Timestamp::MAX));
    let runs = end.is_none_or(|end| end > input.now);
    let is_there = |name: &PolicyName| marker::names(&marker.policy, name);
    let gone = match facet {
        Facet::Isolation => !input.policies.isolation.iter().any(|it| is_there(&it.header.name)),
        _ => !input.policies.restriction.iter().any(|it| is_there(&it.header.name)),
    };
    holds && runs && gone
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ActionKind::Isolate;
    use crate::model::ActionStatus::Succeeded;
    use crate::model::Span;
    use crate::plan::check::{Fault, check};
    use crate::plan::tests::asked;
    use crate::plan::tests::fleet::{Fleet, Machine, ago, marked, marked_until, now};
    use crate::plan::tests::policies::{isolate, restrict, set, tag, workspace};
    use crate::plan::{Circumstances, Lift, plan};
    use crate::policy::PolicySet;

    /// Whatever the release is called, a plan that has it is refused.
    #[test]
    fn a_plan_that_lets_go_of_an_orphan_is_an_internal_error() {
        let until = Span::from_hours(67).after(now());
        let comment = marked_until("contoso-soc", "gone", until);
        let fleet = Fleet::of([Machine::new("pc-1")]);
        let inventories =
            [fleet.action("pc-1", Isolate, Succeeded, ago(5), &comment, "palisade").build()];
        let (policies, nobody) = (set(), Circumstances::default());
        let mut workspace = workspace();
        let made = plan(&asked(&nobody, &policies, &workspace, &inventories)).unwrap();
        assert_eq!(made.changes.len(), 1);
        workspace.guardrails.hold_orphaned_releases = true;
        let faults = check(&made, &asked(&nobody, &policies, &workspace, &inventories));
        let id = made.changes[0].id.to_string();
        assert_eq!(faults, [Fault::Orphan { id, policy: "gone".to_owned() }]);
    }

    #[test]
    fn only_what_runs_of_a_policy_that_is_gone_stays() {
        let later = Span::from_hours(1).after(now());
        let row = |comment: &str, took: u64| {
            let fleet = Fleet::of([Machine::new("pc-1")]);
            let fleet = fleet.action("pc-1", Isolate, Succeeded, ago(5), comment, "palisade");
            let mut row = fleet.actions[0].clone();
            row.updated = Span::from_hours(took).after(row.created);
            row
        };
        let placed = |until, took| row(&marked_until("contoso-soc", "ir", until), took);
        let undone = |until, took| {
            let comment = marked_until("contoso-soc", "ir", until);
            row(&comment.replace("for a test", "undo of 20261123T080000Z-7f3c9a"), took)
        };
        let there = PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() };
        let other = PolicySet { restriction: vec![restrict("ir", tag("ir"))], ..set() };
        let lift = Lift { code: "orphaned-releases".to_owned(), because: "IR-7781".to_owned() };
        let lifted = Circumstances { lifts: vec![lift], ..Circumstances::default() };
        let nobody = Circumstances::default();
        let stays = |around, policies, row: &ActionRow, on, facet| {
            let mut workspace = workspace();
            workspace.guardrails.hold_orphaned_releases = on;
            let read = [Fleet::default().build()];
            let marker = Marker::find(&row.comment).unwrap();
            stays(&asked(around, policies, &workspace, &read), facet, row, &marker)
        };
        let (runs, ended) = (placed(later, 0), placed(ago(1), 0));
        let endless = row(&marked("contoso-soc", "ir"), 0);
        use Facet::{CodeExecution, Isolation};
        for (around, policies, row, on, facet, expected) in [
            (&nobody, &other, &runs, true, Isolation, true),
            (&nobody, &other, &endless, true, Isolation, true),
            (&nobody, &there, &runs, true, CodeExecution, true),
            (&nobody, &other, &runs, true, CodeExecution, false),
            (&nobody, &there, &runs, true, Isolation, false),
            (&nobody, &other, &ended, true, Isolation, false),
            (&nobody, &other, &placed(now(), 0), true, Isolation, false),
            // It began an hour, or two, after it was asked for.
            (&nobody, &other, &placed(ago(1), 1), true, Isolation, false),
            (&nobody, &other, &placed(ago(1), 2), true, Isolation, true),
            (&nobody, &other, &undone(ago(1), 2), true, Isolation, false),
            (&nobody, &other, &runs, false, Isolation, false),
            (&lifted, &other, &runs, true, Isolation, false),
        ] {
            assert_eq!(stays(around, policies, row, on, facet), expected, "{row:?} {facet}");
        }
    }
}
