//! From the inputs to a finished plan, tenant by tenant.

use std::collections::BTreeMap;

use crate::inventory::{Inventory, What};
use crate::plan::types::{FORMAT_VERSION, Plan, Summary, TenantSection};
use crate::plan::{Input, PlanError};

pub(super) fn plan(input: &Input<'_>) -> Result<Plan, PlanError> {
    let tenants = input.inventories.iter().map(section).collect();
    Ok(Plan {
        format_version: FORMAT_VERSION,
        plan_hash: String::new(),
        tool: input.tool.to_owned(),
        workspace: input.workspace.id.to_string(),
        created_at: input.now,
        valid_until: input.workspace.plan_validity.after(input.now),
        study: input.study,
        policy_digest: input.policies.digest.clone(),
        tenants,
        summary: Summary::default(),
        changes: Vec::new(),
        held: Vec::new(),
        cannot: Vec::new(),
        unknown: Vec::new(),
        foreign: Vec::new(),
        changing: Vec::new(),
        audit: Vec::new(),
        objections: Vec::new(),
    })
}

fn section(inventory: &Inventory) -> TenantSection {
    let missing = inventory.missing();
    TenantSection {
        name: inventory.tenant().to_owned(),
        tenant_id: inventory.tenant_id().to_owned(),
        observed_at: inventory.observed_at(),
        complete: missing.iter().all(|missing| missing.what == What::Scores),
        missing: missing.iter().map(|m| format!("{}: {}", m.what.word(), m.why)).collect(),
        devices: u32::try_from(inventory.len()).unwrap_or(u32::MAX),
        groups: inventory
            .groups()
            .into_iter()
            .map(|(g, n)| (g.to_owned(), n))
            .collect::<BTreeMap<_, _>>(),
        calls: 0,
        at_least_seconds: 0,
        offline: 0,
    }
}
