//! What the targets hold their inputs against: one small fleet, a plan for it, the journal of a run.
//!
//! Made by the program itself, once, so that no file has to follow every change of a format.

use std::sync::OnceLock;

use jiff::Timestamp;
use palisade::inventory::{Builder, Inventory};
use palisade::model::DeviceId;
use palisade::plan::file::{self, VerifyContext};
use palisade::plan::{Circumstances, Input, Plan, plan as planner};
use palisade::policy::workspace::{CredentialSource, Endpoints, Tenant};
use palisade::policy::{self, PolicySet, SourceText, Workspace};
use palisade::wire::pages;

/// When everything here happens.
pub fn now() -> Timestamp {
    Timestamp::from_second(1_795_000_000).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The device of which the service says nothing but its id.
pub fn nobody() -> DeviceId {
    DeviceId::parse(&"0".repeat(40))
}

const MACHINES: &str = include_str!("made/machines.json");
const ACTIONS: &str = include_str!("made/actions.json");
const ALERTS: &str = include_str!("made/alerts.json");
const POLICIES: &str = include_str!("made/policies.yaml");

/// A fleet in which every property of a device and of an alert occurs.
pub fn inventory() -> &'static Inventory {
    static MADE: OnceLock<Inventory> = OnceLock::new();
    MADE.get_or_init(|| {
        let mut builder = Builder::new("contoso", "11111111-2222-3333-4444-555555555555", now());
        let devices = pages::machines(MACHINES.as_bytes(), &mut builder);
        assert!(devices.is_ok_and(|end| end.bad == 0), "every machine can be read");
        let (mut actions, mut alerts) = (Vec::new(), Vec::new());
        assert!(pages::actions(ACTIONS.as_bytes(), &mut actions).is_ok_and(|end| end.bad == 0));
        assert!(pages::alerts(ALERTS.as_bytes(), &mut alerts).is_ok_and(|end| end.bad == 0));
        actions.into_iter().for_each(|row| builder.action(row));
        alerts.into_iter().for_each(|row| builder.alert(row));
        builder.build()
    })
}

/// The workspace of the plan.
pub fn workspace() -> &'static Workspace {
    static MADE: OnceLock<Workspace> = OnceLock::new();
    MADE.get_or_init(|| {
        let url = || "http://127.0.0.1:8400".parse().ok();
        let endpoints = url().zip(url()).zip(url()).map(|((authority, defender), graph)| {
            let defender_scope = "https://api.securitycenter.microsoft.com/.default".into();
            let graph_scope = "https://graph.microsoft.com/.default".into();
            Endpoints { authority, defender, graph, defender_scope, graph_scope }
        });
        let tenant = endpoints.map(|endpoints| Tenant {
            name: "contoso".into(),
            tenant_id: "11111111-2222-3333-4444-555555555555".into(),
            endpoints,
            credential: CredentialSource::ClientSecret,
            site: None,
        });
        let mut workspace = Workspace::new("contoso-soc".into(), tenant.into_iter().collect());
        workspace.guardrails.caps.clear();
        workspace
    })
}

fn policies() -> PolicySet {
    let source = SourceText { file: "policies.yaml".into(), text: POLICIES.into() };
    let loaded = policy::load(Some(workspace()), &[source], now());
    assert!(loaded.set.is_some(), "{:?}", loaded.findings);
    loaded.set.unwrap_or_default()
}

/// A plan with changes and every other kind of entry.
pub fn plan() -> &'static Plan {
    static MADE: OnceLock<Plan> = OnceLock::new();
    MADE.get_or_init(|| {
        let input = Input {
            policies: &policies(),
            workspace: workspace(),
            inventories: std::slice::from_ref(inventory()),
            now: now(),
            around: &Circumstances::default(),
            study: false,
            tool: "palisade/fuzz",
        };
        let plan = planner(&input);
        assert!(plan.as_ref().is_ok_and(|plan| plan.changes.len() > 2), "{plan:?}");
        plan.unwrap_or_else(|_| unreachable!())
    })
}

/// The plan's file.
pub fn plan_file() -> &'static [u8] {
    static MADE: OnceLock<Vec<u8>> = OnceLock::new();
    MADE.get_or_init(|| file::to_bytes(plan()))
}

/// What the plan is verified against.
pub fn against() -> VerifyContext<'static> {
    VerifyContext { workspace: workspace(), policy_digest: None, now: now() }
}
