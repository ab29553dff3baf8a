//! One thing changed at a time in what takes back a change, and in what is a pending action of ours.

use super::*;
use crate::inventory::ActionRow;
use crate::model::ActionKind::Isolate;
use crate::model::ActionStatus::{Cancelled, Pending, Succeeded};
use crate::model::Facet;
use crate::plan::Circumstances;
use crate::plan::cancel::Pending as Wanted;
use crate::plan::tests::fleet::{Fleet, Machine, ago, marked};
use crate::plan::tests::policies::{isolate, set, tag, workspace};
use crate::plan::tests::{asked, planned, planned_around};
use crate::plan::types::TargetKind;
use crate::plan::undo::PastChange;
use crate::policy::PolicySet;

type Edit<'e, T> = &'e dyn Fn(&mut T);

/// Faults of a plan that was made for this purpose, by what it was read from.
fn faults(plan: &Plan, purpose: &Purpose, fleet: &Fleet) -> Vec<Fault> {
    let around = Circumstances { purpose: purpose.clone(), ..Circumstances::default() };
    against(plan, &asked(&around, &set(), &workspace(), &[fleet.build()]))
}

fn check<const N: usize>(
    plan: &Plan,
    purpose: &Purpose,
    fleet: &Fleet,
    wrong: [(&str, Edit<'_, Change>); N],
) {
    assert_eq!(faults(plan, purpose, fleet), []);
    for (what, change) in wrong {
        let mut plan = plan.clone();
        change(&mut plan.changes[0]);
        assert_eq!(faults(&plan, purpose, fleet).len(), 1, "{what}");
        assert_eq!(faults(&plan, &Purpose::Policies, fleet), []);
    }
}

fn run(standing: Standing) -> (Plan, Purpose) {
    let policies = PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() };
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir")]);
    let mut plan = planned(&policies, &workspace(), fleet.build());
    let change = plan.changes[0].clone();
    let past = Past { run: "run-1".to_owned(), changes: vec![PastChange { change, standing }] };
    let back = &mut plan.changes[0];
    std::mem::swap(&mut back.from, &mut back.to);
    back.verb = Verb::Release;
    (plan, Purpose::Undo(past))
}

#[test]
fn an_undoing_takes_back_a_change_of_its_run_and_nothing_else() {
    let fleet = Fleet::default();
    for standing in [Standing::Done, Standing::Open] {
        let (plan, purpose) = run(standing);
        check(
            &plan,
            &purpose,
            &fleet,
            [
                ("another tenant", &|it| it.tenant = "fabrikam".to_owned()),
                ("another device", &|it| it.target.id.push('0')),
                ("an alert", &|it| it.target.kind = TargetKind::Alert),
                ("another facet", &|it| it.facet = Facet::CodeExecution),
                ("another value", &|it| it.to = "selective".to_owned()),
                ("the same again", &|it| it.verb = Verb::Isolate),
                ("another verb", &|it| it.verb = Verb::Unrestrict),
            ],
        );
    }
    let (plan, purpose) = run(Standing::Nothing);
    assert_eq!(faults(&plan, &purpose, &fleet).len(), 1);
}

#[test]
fn an_undoing_may_act_on_the_record_that_the_device_became() {
    let (mut plan, purpose) = run(Standing::Done);
    let mut fleet = Fleet::of([Machine::new("pc-1"), Machine::new("pc-2"), Machine::new("pc-3")]);
    plan.changes[0].target.id = fleet.machines[1].id().to_string();
    assert_eq!(faults(&plan, &purpose, &fleet).len(), 1, "another device");
    fleet.machines[0].merged_into = Some("pc-3");
    assert_eq!(faults(&plan, &purpose, &fleet).len(), 1, "it became another one");
    fleet.machines[0].merged_into = Some("pc-2");
    assert_eq!(faults(&plan, &purpose, &fleet), []);
}

#[test]
fn a_cancelling_is_of_a_pending_action_of_this_workspace() {
    let fleet = Fleet::of([Machine::new("pc-1"), Machine::new("pc-2")])
        .by_hand("pc-2", Isolate, Pending, ago(2))
        .by_us("pc-1", Isolate, Pending, ago(1), "ir");
    let purpose = Purpose::Cancel(Wanted::default());
    let around = Circumstances { purpose: purpose.clone(), ..Circumstances::default() };
    let plan = planned_around(&around, &set(), &workspace(), fleet.build());
    check(
        &plan,
        &purpose,
        &fleet,
        [
            ("another verb", &|it| it.verb = Verb::Release),
            ("another tenant", &|it| it.tenant = "fabrikam".to_owned()),
            ("no action", &|it| it.parameters.action_id = None),
            ("another's action", &|it| it.parameters.action_id = Some("action-00000".to_owned())),
        ],
    );
    let other = marked("another", "ir");
    let cases: [(&str, bool, Edit<'_, ActionRow>); 7] = [
        ("by no way that is told", true, &|row| row.source = "".into()),
        ("by another spelling", true, &|row| row.source = "publicapi".into()),
        ("by the portal", false, &|row| row.source = "Portal".into()),
        ("no marker", false, &|row| row.comment = "by hand".into()),
        ("another workspace", false, &|row| row.comment = other.as_str().into()),
        ("over", false, &|row| row.status = Succeeded),
        ("cancelled", false, &|row| row.status = Cancelled),
    ];
    for (what, ours, change) in cases {
        let fleet = fleet.clone().last_action(change);
        assert_eq!(faults(&plan, &purpose, &fleet).is_empty(), ours, "{what}");
    }
}
