//! Machines: the wire form of a record, list and get.

use std::borrow::Cow;

use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;

use crate::emulator::dates;
use crate::emulator::defender::list::{self, Query};
use crate::emulator::defender::{Answer, Context};
use crate::emulator::error::ApiError;
use crate::emulator::odata::{Kind, Property, Record, Schema, Value};
use crate::emulator::random::Guid;
use crate::emulator::tenant::machine::{Interface, VmMetadata};
use crate::emulator::tenant::{Machine, MachineId, Tenant};

/// The entity set.
pub const SET: &str = "Machines";

/// What may be filtered, as documented; `rbacGroupName` may not.
pub const SCHEMA: Schema = Schema {
    entity: "microsoft.windowsDefenderATP.api.Machine",
    filterable: &[
        Property { name: "computerDnsName", kind: Kind::Text },
        Property { name: "id", kind: Kind::Text },
        Property { name: "version", kind: Kind::Text },
        Property { name: "deviceValue", kind: Kind::Enum(&["Normal", "Low", "High"]) },
        Property { name: "aadDeviceId", kind: Kind::Text },
        Property { name: "machineTags", kind: Kind::Texts },
        Property { name: "lastSeen", kind: Kind::Time },
        Property { name: "exposureLevel", kind: Kind::Enum(&["None", "Low", "Medium", "High"]) },
        Property {
            name: "onboardingStatus",
            kind: Kind::Enum(&["Onboarded", "CanBeOnboarded", "Unsupported", "InsufficientInfo"]),
        },
        Property { name: "lastIpAddress", kind: Kind::Text },
        Property {
            name: "healthStatus",
            kind: Kind::Enum(&[
                "Active",
                "Inactive",
                "ImpairedCommunication",
                "NoSensorData",
                "NoSensorDataImpairedCommunication",
                "Unknown",
            ]),
        },
        Property { name: "osPlatform", kind: Kind::Text },
        Property {
            name: "riskScore",
            kind: Kind::Enum(&["None", "Informational", "Low", "Medium", "High"]),
        },
        Property { name: "rbacGroupId", kind: Kind::Number },
    ],
    others: &[
        "mergedIntoMachineId",
        "isPotentialDuplication",
        "isExcluded",
        "exclusionReason",
        "firstSeen",
        "osVersion",
        "osProcessor",
        "lastExternalIpAddress",
        "agentVersion",
        "osBuild",
        "rbacGroupName",
        "isAadJoined",
        "defenderAvStatus",
        "osArchitecture",
        "managedBy",
        "managedByStatus",
        "ipAddresses",
        "vmMetadata",
    ],
};

/// A machine as it is at an instant.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    /// The record.
    pub machine: &'a Machine,
    /// The instant.
    pub now: Timestamp,
}

impl Record for Row<'_> {
    fn get(&self, property: &str) -> Value<'_> {
        let machine = self.machine;
        match property {
            "computerDnsName" => Value::maybe(machine.name.as_deref()),
            "id" => Value::owned(machine.id.to_string()),
            "version" => Value::maybe(machine.version.as_deref()),
            "deviceValue" => Value::maybe(machine.value.map(crate::model::DeviceValue::wire)),
            "aadDeviceId" => machine.aad_id.map_or(Value::Null, |id| Value::owned(id.to_string())),
            "machineTags" => {
                Value::Texts(machine.tags.iter().map(|tag| Cow::Borrowed(&**tag)).collect())
            }
            "lastSeen" => Value::Time(machine.last_seen(self.now)),
            "exposureLevel" => Value::maybe(machine.exposure.map(crate::model::Exposure::wire)),
            "onboardingStatus" => Value::text(machine.onboarding.wire()),
            "lastIpAddress" => {
                machine.last_ip.map_or(Value::Null, |ip| Value::owned(ip.to_string()))
            }
            "healthStatus" => Value::text(machine.health(self.now).wire()),
            "osPlatform" => Value::text(&machine.platform),
            "riskScore" => Value::maybe(machine.risk.map(crate::model::Risk::wire)),
            "rbacGroupId" => Value::Number(f64::from(machine.group)),
            _ => Value::Null,
        }
    }
}

/// A machine on the wire, in the service's order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wire<'a> {
    id: MachineId,
    merged_into_machine_id: Option<MachineId>,
    is_potential_duplication: bool,
    is_excluded: bool,
    exclusion_reason: Option<&'a str>,
    computer_dns_name: Option<&'a str>,
    #[serde(serialize_with = "dates::serialize")]
    first_seen: Timestamp,
    #[serde(serialize_with = "dates::serialize")]
    last_seen: Timestamp,
    os_platform: &'a str,
    os_version: Option<&'a str>,
    os_processor: Option<&'a str>,
    version: Option<&'a str>,
    last_ip_address: Option<String>,
    last_external_ip_address: Option<String>,
    agent_version: Option<&'a str>,
    os_build: Option<i64>,
    health_status: &'a str,
    device_value: Option<&'a str>,
    rbac_group_id: u32,
    rbac_group_name: Option<&'a str>,
    risk_score: Option<&'a str>,
    exposure_level: Option<&'a str>,
    is_aad_joined: Option<bool>,
    aad_device_id: Option<Guid>,
    machine_tags: &'a [std::sync::Arc<str>],
    #[serde(skip_serializing_if = "Option::is_none")]
    defender_av_status: Option<&'a str>,
    onboarding_status: &'a str,
    os_architecture: Option<&'a str>,
    managed_by: Option<&'a str>,
    managed_by_status: Option<&'a str>,
    ip_addresses: Vec<WireInterface>,
    vm_metadata: Option<WireVm<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireInterface {
    ip_address: String,
    mac_address: Option<String>,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    operational_status: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireVm<'a> {
    vm_id: Guid,
    cloud_provider: &'static str,
    resource_id: &'a str,
    subscription_id: Guid,
}

impl<'a> Wire<'a> {
    /// The wire form of a record at `now`.
    #[must_use]
    pub fn of(tenant: &'a Tenant, machine: &'a Machine, now: Timestamp) -> Self {
        let group = tenant.group(machine.group);
        Self {
            id: machine.id,
            merged_into_machine_id: machine.merged_into,
            is_potential_duplication: machine.potential_duplicate,
            is_excluded: machine.excluded,
            exclusion_reason: machine.exclusion_reason.as_deref(),
            computer_dns_name: machine.name.as_deref(),
            first_seen: machine.first_seen,
            last_seen: machine.last_seen(now),
            os_platform: &machine.platform,
            os_version: machine.os_version.as_deref(),
            os_processor: machine.processor,
            version: machine.version.as_deref(),
            last_ip_address: machine.last_ip.map(|ip| ip.to_string()),
            last_external_ip_address: machine.last_external_ip.map(|ip| ip.to_string()),
            agent_version: machine.agent_version.as_deref(),
            os_build: machine.os_build,
            health_status: machine.health(now).wire(),
            device_value: machine.value.map(crate::model::DeviceValue::wire),
            rbac_group_id: machine.group,
            rbac_group_name: group.map(|group| &*group.name),
            risk_score: machine.risk.map(crate::model::Risk::wire),
            exposure_level: machine.exposure.map(crate::model::Exposure::wire),
            is_aad_joined: machine.joined,
            aad_device_id: machine.aad_id,
            machine_tags: &machine.tags,
            defender_av_status: machine.av_status.map(crate::model::AvStatus::wire),
            onboarding_status: machine.onboarding.wire(),
            os_architecture: machine.architecture,
            managed_by: machine.managed_by,
            managed_by_status: Some("Unknown"),
            ip_addresses: machine.interfaces.iter().map(wire_interface).collect(),
            vm_metadata: machine.vm.as_deref().map(wire_vm),
        }
    }
}

fn wire_interface(interface: &Interface) -> WireInterface {
    let mac = interface.mac.map(|mac| mac.iter().map(|byte| format!("{byte:02X}")).collect());
    WireInterface {
        ip_address: interface.address.to_string(),
        mac_address: mac,
        kind: interface.kind,
        operational_status: interface.status,
    }
}

fn wire_vm(vm: &VmMetadata) -> WireVm<'_> {
    WireVm {
        vm_id: vm.vm_id,
        cloud_provider: vm.cloud_provider,
        resource_id: &vm.resource_id,
        subscription_id: vm.subscription_id,
    }
}

/// GET `/api/machines`: devices seen within the retention, discovered, stale and merged ones too.
///
/// # Errors
/// 400 of the OData layer; 404 for an empty list where the tenant is set so.
pub fn list(tenant: &Tenant, context: &Context<'_>) -> Answer {
    let query = Query::read(context, &SCHEMA, None)?;
    let behaviour = &tenant.behaviour;
    let oldest = context.now.checked_sub(behaviour.retention).unwrap_or(Timestamp::MIN);
    let rows = tenant.machines().iter().map(|machine| Row { machine, now: context.now });
    let rows = rows.filter(|row| row.machine.last_seen(row.now) >= oldest);
    let page = query.page(behaviour.page_size, behaviour.most_rows, rows);
    if page.rows.is_empty() && query.skip == 0 && behaviour.empty_machines_are_404 {
        return Err(ApiError::not_found("No recent machines were found"));
    }
    let value: Vec<Wire<'_>> =
        page.rows.iter().map(|row| Wire::of(tenant, row.machine, context.now)).collect();
    let next =
        page.more.then(|| query.next_link(context, behaviour.page_size, behaviour.next_links));
    Ok(list::collection(context, SET, &value, page.total, next.flatten()))
}

/// GET `/api/machines/{id}`, by device id or computer name.
///
/// # Errors
/// 404 when there is none.
pub fn get(tenant: &Tenant, context: &Context<'_>, id: &str) -> Answer {
    let row = find(tenant, id)?;
    answer(tenant, context, row)
}

/// The machine in a row as a response.
///
/// # Errors
/// 404 when there is none.
pub fn answer(tenant: &Tenant, context: &Context<'_>, row: u32) -> Answer {
    let machine = tenant.machine(row).ok_or_else(|| missing("?"))?;
    Ok(list::entity(context, StatusCode::OK, SET, Wire::of(tenant, machine, context.now)))
}

/// The row of a machine by id or name.
///
/// # Errors
/// 404; also for a merged record where the tenant is set so.
pub fn find(tenant: &Tenant, id: &str) -> Result<u32, ApiError> {
    let row = tenant.find(id).ok_or_else(|| missing(id))?;
    let merged = tenant.machine(row).is_some_and(|machine| machine.merged_into.is_some());
    if merged && tenant.behaviour.merged_records_are_404 {
        return Err(missing(id));
    }
    Ok(row)
}

fn missing(id: &str) -> ApiError {
    ApiError::not_found(format!("Machine {id} was not found"))
}
