//! What a plan is made from: observations of tenants of the workspace, each once; and whom somebody
//! names that a partial one lacks.

use std::collections::BTreeSet;

use super::fleet::{Fleet, Machine, TENANT, TENANT_ID, ago, device_id, now};
use super::planned;
use super::policies::{isolate, set, tag, workspace};
use crate::inventory::{Builder, Inventory, What};
use crate::model::ActionKind::Isolate;
use crate::model::ActionStatus::Succeeded;
use crate::plan::check::Fault;
use crate::plan::types::Plan;
use crate::plan::{Circumstances, Input, PlanError, plan};
use crate::policy::selector::{DeviceExpr, DeviceTerm};
use crate::policy::{PolicySet, Workspace};

const OTHER_ID: &str = "99999999-2222-3333-4444-555555555555";

/// The workspace of the tests with a second tenant, `fabrikam`.
fn two_tenants() -> Workspace {
    let mut workspace = workspace();
    let mut second = workspace.tenants[0].clone();
    (second.name, second.tenant_id) = ("fabrikam".into(), OTHER_ID.into());
    workspace.tenants.push(second);
    workspace
}

fn of(observed: &[(&str, &str)], study: bool) -> Result<Plan, PlanError> {
    let inventories: Vec<Inventory> =
        observed.iter().map(|(name, id)| Builder::new(name, id, now()).build()).collect();
    plan(&Input {
        policies: &set(),
        workspace: &two_tenants(),
        inventories: &inventories,
        now: now(),
        around: &Circumstances::default(),
        study,
        tool: "palisade 9.9.9",
    })
}

#[test]
fn each_observation_is_of_a_tenant_of_the_workspace_and_there_is_one_of_each() {
    let unknown = |name: &str, id: &str| {
        Err(PlanError::UnknownTenant { name: name.to_owned(), tenant_id: id.to_owned() })
    };
    for (observed, expected) in [
        (&[][..], Ok(vec![])),
        (&[(TENANT, TENANT_ID)], Ok(vec![TENANT])),
        (&[("fabrikam", OTHER_ID), (TENANT, TENANT_ID)], Ok(vec![TENANT, "fabrikam"])),
        (&[(TENANT, OTHER_ID)], unknown(TENANT, OTHER_ID)),
        (&[("litware", TENANT_ID)], unknown("litware", TENANT_ID)),
        (
            &[(TENANT, TENANT_ID), ("fabrikam", OTHER_ID), (TENANT, TENANT_ID)],
            Err(PlanError::TwoObservations(TENANT.to_owned())),
        ),
    ] {
        let found = of(observed, false);
        let names = found.map(|plan| plan.tenants.into_iter().map(|it| it.name).collect());
        let expected = expected.map(|it| it.into_iter().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(names, expected, "{observed:?}");
    }
}

#[test]
fn a_plan_says_by_what_it_was_made_and_whether_for_study() {
    for study in [true, false] {
        let plan = of(&[(TENANT, TENANT_ID)], study).unwrap();
        assert_eq!((plan.tool.as_str(), plan.study), ("palisade 9.9.9", study));
    }
}

#[test]
fn a_plan_that_contradicts_itself_names_the_first_fault_and_counts_the_others() {
    let fault = |id: &str| Fault::NoWave { id: id.to_owned() };
    let said = |faults: Vec<Fault>| PlanError::Internal(faults).to_string();
    let one = "internal error: the plan contradicts itself: change `a` is in wave 0";
    assert_eq!(said(vec![fault("a")]), one);
    let more = said(vec![fault("a"), fault("b"), fault("c")]);
    assert_eq!(more, format!("{one}, and 2 more"));
}

#[test]
fn whom_policies_and_our_own_actions_name_is_unknown_when_the_list_is_partial() {
    let id = |name: &str| DeviceExpr::Term(DeviceTerm::Id(vec![device_id(name)]));
    let policies = PolicySet {
        isolation: vec![
            isolate("a", id("named")),
            isolate("b", DeviceExpr::All(vec![tag("x"), DeviceExpr::Not(Box::new(id("spared")))])),
            isolate("c", DeviceExpr::Any(vec![tag("x"), id("either"), id("pc-1")])),
        ],
        ..set()
    };
    let fleet = Fleet::of([Machine::new("pc-1"), Machine::new("pc-2")])
        .by_us("pc-2", Isolate, Succeeded, ago(5), "b")
        .by_hand("pc-1", Isolate, Succeeded, ago(5))
        .by_us("ours", Isolate, Succeeded, ago(5), "b")
        .by_hand("theirs", Isolate, Succeeded, ago(5));
    let missing = |fleet: &Fleet| -> BTreeSet<String> {
        let plan = planned(&policies, &workspace(), fleet.build());
        let missing = plan.unknown.iter().filter(|row| row.reason.code == "device-missing");
        missing.map(|row| row.target.id.clone()).collect()
    };
    assert_eq!(missing(&fleet), BTreeSet::new());
    let expected = ["named", "spared", "either", "ours"].map(|name| device_id(name).to_string());
    assert_eq!(missing(&fleet.lacks(What::Devices)), expected.into());
}
