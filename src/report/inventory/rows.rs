//! Rows of lists, as JSON has them.
//!
//! Pure. Called by `inventory`, which shows the same rows as text; times are UTC.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::inventory::{ActionRow, AlertRow, Dev, Inventory};

/// A device as it is listed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the words of selectors")]
pub struct DeviceLine {
    pub id: String,
    pub name: String,
    pub group: String,
    pub platform: String,
    pub health: String,
    pub risk: String,
    pub exposure: String,
    pub value: String,
    pub onboarding: String,
    pub tags: Vec<String>,
    #[schemars(with = "Option<String>")]
    pub last_seen: Option<Timestamp>,
}

/// An alert as it is listed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the words of selectors")]
pub struct AlertLine {
    pub id: String,
    pub title: String,
    pub severity: String,
    pub status: String,
    pub classification: String,
    pub determination: String,
    pub assigned_to: Option<String>,
    pub category: String,
    pub incident: Option<String>,
    #[schemars(with = "String")]
    pub created: Timestamp,
    pub devices: Vec<String>,
}

/// A machine action as it is listed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(missing_docs, reason = "the names are the service's own")]
pub struct ActionLine {
    pub id: String,
    pub kind: String,
    pub status: String,
    pub device: String,
    pub device_id: String,
    pub requestor: String,
    pub comment: String,
    #[schemars(with = "String")]
    pub created: Timestamp,
    #[schemars(with = "String")]
    pub updated: Timestamp,
}

/// One tenant's rows.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listing<T> {
    /// Name of the tenant.
    pub tenant: String,
    /// When it was read (UTC).
    #[schemars(with = "String")]
    pub observed_at: Timestamp,
    /// What could not be read.
    pub missing: Vec<String>,
    /// The rows.
    pub rows: Vec<T>,
    /// Rows before narrowing.
    pub total: u32,
}

/// Rows of every tenant as other programs read them: `Listed<[Listing<DeviceLine>]>`.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listed<T> {
    /// Version of this format.
    pub format_version: u32,
    /// One part for each tenant.
    pub tenants: T,
}

/// Exposure scores of a tenant; absent ones are null.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Scores {
    /// Name of the tenant.
    pub tenant: String,
    /// When it was read (UTC).
    #[schemars(with = "String")]
    pub observed_at: Timestamp,
    /// Of the tenant as a whole.
    pub exposure_score: Option<f64>,
    /// Of each device group.
    pub groups: BTreeMap<String, f64>,
}

impl<T> Listing<T> {
    /// Rows of an inventory.
    #[must_use]
    pub fn of(inventory: &Inventory, rows: Vec<T>, total: usize) -> Self {
        let missing = inventory.missing().iter();
        Self {
            tenant: inventory.tenant().to_owned(),
            observed_at: inventory.observed_at(),
            missing: missing.map(|part| format!("{}: {}", part.what.word(), part.why)).collect(),
            rows,
            total: u32::try_from(total).unwrap_or(u32::MAX),
        }
    }
}

impl DeviceLine {
    /// A device of the inventory.
    #[must_use]
    pub fn of(inventory: &Inventory, device: Dev) -> Self {
        Self {
            id: inventory.id(device).to_string(),
            name: inventory.name(device).to_owned(),
            group: inventory.group(device).to_owned(),
            platform: inventory.platform(device).to_owned(),
            health: inventory.health(device).to_string(),
            risk: inventory.risk(device).to_string(),
            exposure: inventory.exposure(device).to_string(),
            value: inventory.value(device).to_string(),
            onboarding: inventory.onboarding(device).to_string(),
            tags: inventory.tags(device).map(str::to_owned).collect(),
            last_seen: inventory.last_seen(device),
        }
    }
}

impl AlertLine {
    /// An alert of the inventory, its devices by name.
    #[must_use]
    pub fn of(inventory: &Inventory, alert: &AlertRow) -> Self {
        let devices = inventory.alert_devices(alert).into_iter();
        Self {
            id: alert.id.to_string(),
            title: alert.title.to_string(),
            severity: alert.severity.to_string(),
            status: alert.status.to_string(),
            classification: alert.classification.to_string(),
            determination: alert.determination.to_string(),
            assigned_to: alert.assigned_to.as_deref().map(str::to_owned),
            category: alert.category.to_string(),
            incident: alert.incident.as_ref().map(ToString::to_string),
            created: alert.created,
            devices: devices.map(|device| inventory.name(device).to_owned()).collect(),
        }
    }
}

impl ActionLine {
    /// An action of the inventory, its device by name where it is known.
    #[must_use]
    pub fn of(inventory: &Inventory, action: &ActionRow) -> Self {
        let name = inventory.find(&action.device).map(|device| inventory.name(device));
        Self {
            id: action.id.to_string(),
            kind: action.kind.wire().to_owned(),
            status: action.status.wire().to_owned(),
            device: name.unwrap_or_default().to_owned(),
            device_id: action.device.to_string(),
            requestor: action.requestor.to_string(),
            comment: action.comment.to_string(),
            created: action.created,
            updated: action.updated,
        }
    }
}
