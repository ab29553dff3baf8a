//! Evidence of an alert in Graph: typed objects, devices first.
//!
//! Device evidence carries the Defender API's machine id as `mdeDeviceId`, and nothing about
//! isolation. Source: Graph metadata v1.0 (msgraph-sdk 1.65.0).

use jiff::Timestamp;
use serde::Serialize;

use super::words;
use crate::emulator::dates;
use crate::emulator::random::Guid;
use crate::emulator::tenant::alert::{ProcessEvidence, UserEvidence};
use crate::emulator::tenant::{Alert, Machine, MachineId, Tenant};
use crate::model::{AvStatus, Risk};

/// The members that every kind of evidence has.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Base<'a> {
    #[serde(rename = "@odata.type")]
    kind: &'static str,
    #[serde(serialize_with = "dates::serialize")]
    created_date_time: Timestamp,
    verdict: &'static str,
    remediation_status: &'static str,
    remediation_status_details: Option<&'static str>,
    roles: [&'static str; 0],
    detailed_roles: [&'static str; 0],
    tags: &'a [std::sync::Arc<str>],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Device<'a> {
    #[serde(flatten)]
    base: Base<'a>,
    #[serde(serialize_with = "dates::serialize")]
    first_seen_date_time: Timestamp,
    mde_device_id: MachineId,
    azure_ad_device_id: Option<Guid>,
    device_dns_name: Option<&'a str>,
    host_name: Option<&'a str>,
    nt_domain: Option<&'a str>,
    dns_domain: Option<&'a str>,
    os_platform: &'a str,
    os_build: Option<i64>,
    version: Option<&'a str>,
    health_status: String,
    risk_score: String,
    rbac_group_id: u32,
    rbac_group_name: &'a str,
    onboarding_status: String,
    defender_av_status: String,
    last_ip_address: Option<String>,
    last_external_ip_address: Option<String>,
    ip_interfaces: Vec<String>,
    vm_metadata: Option<Vm<'a>>,
    logged_on_users: Vec<LoggedOn<'a>>,
    resource_access_events: [&'static str; 0],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Vm<'a> {
    vm_id: Guid,
    cloud_provider: &'static str,
    resource_id: &'a str,
    subscription_id: Guid,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LoggedOn<'a> {
    account_name: &'a str,
    domain_name: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct FileDetails<'a> {
    sha1: &'a str,
    sha256: &'a str,
    md5: Option<&'a str>,
    sha256_ac: Option<&'a str>,
    file_name: &'a str,
    file_path: &'a str,
    file_size: Option<u64>,
    file_publisher: Option<&'a str>,
    signer: Option<&'a str>,
    issuer: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct File<'a> {
    #[serde(flatten)]
    base: Base<'a>,
    file_details: FileDetails<'a>,
    detection_status: &'static str,
    mde_device_id: Option<MachineId>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Process<'a> {
    #[serde(flatten)]
    base: Base<'a>,
    process_id: u32,
    parent_process_id: u32,
    process_command_line: &'a str,
    #[serde(serialize_with = "dates::serialize")]
    process_creation_date_time: Timestamp,
    #[serde(serialize_with = "dates::optional::serialize")]
    parent_process_creation_date_time: Option<Timestamp>,
    detection_status: &'static str,
    mde_device_id: Option<MachineId>,
    image_file: FileDetails<'a>,
    parent_process_image_file: Option<FileDetails<'a>>,
    user_account: Option<Account<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Account<'a> {
    account_name: &'a str,
    domain_name: &'a str,
    user_sid: &'a str,
    azure_ad_user_id: Option<&'a str>,
    user_principal_name: &'a str,
    display_name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct User<'a> {
    #[serde(flatten)]
    base: Base<'a>,
    stream: Option<&'a str>,
    user_account: Account<'a>,
}

/// One piece of evidence.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Evidence<'a> {
    Device(Box<Device<'a>>),
    Process(Box<Process<'a>>),
    File(Box<File<'a>>),
    User(Box<User<'a>>),
}

/// All evidence of an alert.
pub(super) fn of<'a>(tenant: &'a Tenant, alert: &'a Alert, now: Timestamp) -> Vec<Evidence<'a>> {
    let machines = alert.machines.iter().filter_map(|row| tenant.machine(*row));
    let first = machines.clone().next().map(|machine| machine.id);
    let devices = machines.map(|machine| device(tenant, alert, machine, now));
    let mut all: Vec<Evidence<'a>> = devices.collect();
    if let Some(found) = &alert.process {
        all.push(process(alert, found, first));
        all.push(file(alert, found, first));
    }
    all.extend(alert.user.iter().map(|found| {
        Evidence::User(Box::new(User {
            base: base("user", alert, &[]),
            stream: None,
            user_account: account(found),
        }))
    }));
    all
}

fn base<'a>(kind: &str, alert: &Alert, tags: &'a [std::sync::Arc<str>]) -> Base<'a> {
    let kind = match kind {
        "device" => "#microsoft.graph.security.deviceEvidence",
        "process" => "#microsoft.graph.security.processEvidence",
        "file" => "#microsoft.graph.security.fileEvidence",
        _ => "#microsoft.graph.security.userEvidence",
    };
    Base {
        kind,
        created_date_time: alert.created,
        verdict: "unknown",
        remediation_status: "none",
        remediation_status_details: None,
        roles: [],
        detailed_roles: [],
        tags,
    }
}

fn device<'a>(
    tenant: &'a Tenant,
    alert: &'a Alert,
    machine: &'a Machine,
    now: Timestamp,
) -> Evidence<'a> {
    let name = machine.name.as_deref();
    let (host, domain) = match name.and_then(|name| name.split_once('.')) {
        Some((host, domain)) => (Some(host), Some(domain)),
        None => (name, None),
    };
    let word = |word: Option<&str>, none: &str| words::lower_first(word.unwrap_or(none));
    Evidence::Device(Box::new(Device {
        base: base("device", alert, &machine.tags),
        first_seen_date_time: machine.first_seen,
        mde_device_id: machine.id,
        azure_ad_device_id: machine.aad_id,
        device_dns_name: name,
        host_name: host,
        nt_domain: None,
        dns_domain: domain,
        os_platform: &machine.platform,
        os_build: machine.os_build,
        version: machine.version.as_deref(),
        health_status: words::health(machine.health(now)),
        risk_score: word(machine.risk.map(Risk::wire), "None"),
        rbac_group_id: machine.group,
        rbac_group_name: tenant.group(machine.group).map_or("UnassignedGroup", |group| &group.name),
        onboarding_status: words::lower_first(machine.onboarding.wire()),
        defender_av_status: word(machine.av_status.map(AvStatus::wire), "Unknown"),
        last_ip_address: machine.last_ip.map(|ip| ip.to_string()),
        last_external_ip_address: machine.last_external_ip.map(|ip| ip.to_string()),
        ip_interfaces: machine.interfaces.iter().map(|i| i.address.to_string()).collect(),
        vm_metadata: machine.vm.as_deref().map(|vm| Vm {
            vm_id: vm.vm_id,
            cloud_provider: match vm.cloud_provider {
                provider if provider.eq_ignore_ascii_case("azure") => "azure",
                _ => "unknown",
            },
            resource_id: &vm.resource_id,
            subscription_id: vm.subscription_id,
        }),
        logged_on_users: alert.user.iter().map(logged_on).collect(),
        resource_access_events: [],
    }))
}

fn logged_on(user: &UserEvidence) -> LoggedOn<'_> {
    LoggedOn { account_name: &user.account, domain_name: &user.domain }
}

fn account(user: &UserEvidence) -> Account<'_> {
    Account {
        account_name: &user.account,
        domain_name: &user.domain,
        user_sid: &user.sid,
        azure_ad_user_id: None,
        user_principal_name: &user.upn,
        display_name: None,
    }
}

fn details(found: &ProcessEvidence) -> FileDetails<'_> {
    FileDetails {
        sha1: &found.sha1,
        sha256: &found.sha256,
        md5: None,
        sha256_ac: None,
        file_name: &found.file,
        file_path: &found.folder,
        file_size: None,
        file_publisher: None,
        signer: None,
        issuer: None,
    }
}

fn process<'a>(
    alert: &'a Alert,
    found: &'a ProcessEvidence,
    device: Option<MachineId>,
) -> Evidence<'a> {
    Evidence::Process(Box::new(Process {
        base: base("process", alert, &[]),
        process_id: found.pid,
        parent_process_id: found.parent,
        process_command_line: &found.command,
        process_creation_date_time: alert.first_event,
        parent_process_creation_date_time: None,
        detection_status: "detected",
        mde_device_id: device,
        image_file: details(found),
        parent_process_image_file: None,
        user_account: alert.user.as_ref().map(account),
    }))
}

fn file<'a>(
    alert: &'a Alert,
    found: &'a ProcessEvidence,
    device: Option<MachineId>,
) -> Evidence<'a> {
    Evidence::File(Box::new(File {
        base: base("file", alert, &[]),
        file_details: details(found),
        detection_status: "detected",
        mde_device_id: device,
    }))
}
