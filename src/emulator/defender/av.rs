//! GET `/api/deviceavinfo`: antivirus health, twenty rows a page unless told otherwise.
//!
//! `True`, `False` and `Unknown` are strings here, `Canceled` has one L, and `id` and
//! `rbacGroupName` may not be filtered. Source: Microsoft Learn, `device-health-export-antivirus-
//! health-report-api`.

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::emulator::dates;
use crate::emulator::defender::list::{self, Query};
use crate::emulator::defender::{Answer, Context};
use crate::emulator::odata::{Kind, Property, Record, Schema, Value};
use crate::emulator::tenant::av;
use crate::emulator::tenant::{AvHealth, Machine, MachineId, Tenant};
use crate::model::{Onboarding, OsFamily};

const fn text(name: &'static str) -> Property {
    Property { name, kind: Kind::Text }
}

const SCHEMA: Schema = Schema {
    entity: "microsoft.windowsDefenderATP.api.DeviceAvInfo",
    filterable: &[
        text("machineId"),
        text("computerDnsName"),
        text("osKind"),
        text("osPlatform"),
        text("osVersion"),
        text("avMode"),
        text("avSignatureVersion"),
        text("avEngineVersion"),
        text("avPlatformVersion"),
        text("quickScanResult"),
        text("quickScanError"),
        text("fullScanResult"),
        text("fullScanError"),
        text("avIsSignatureUpToDate"),
        text("avIsEngineUpToDate"),
        text("avIsPlatformUpToDate"),
        Property { name: "rbacGroupId", kind: Kind::Number },
    ],
    others: &[
        "id",
        "lastSeenTime",
        "quickScanTime",
        "fullScanTime",
        "dataRefreshTimestamp",
        "avEngineUpdateTime",
        "avSignatureUpdateTime",
        "avPlatformUpdateTime",
        "avSignaturePublishTime",
        "rbacGroupName",
    ],
};

struct Row<'a> {
    machine: &'a Machine,
    av: &'a AvHealth,
}

impl Record for Row<'_> {
    fn get(&self, property: &str) -> Value<'_> {
        let (machine, av) = (self.machine, self.av);
        match property {
            "machineId" => Value::owned(machine.id.to_string()),
            "computerDnsName" => Value::maybe(machine.name.as_deref()),
            "osKind" => Value::maybe(av::kind(machine.family())),
            "osPlatform" => Value::text(&machine.platform),
            "osVersion" => Value::maybe(machine.version.as_deref()),
            "avMode" => Value::text(av.mode),
            "avSignatureVersion" => Value::text(signature(av)),
            "avEngineVersion" => Value::text(engine(machine.family())),
            "avPlatformVersion" => Value::text(platform(machine.family())),
            "quickScanResult" => Value::text(av.quick.result),
            "quickScanError" => Value::text(av.quick.error),
            "fullScanResult" => Value::text(av.full.result),
            "fullScanError" => Value::text(av.full.error),
            "avIsSignatureUpToDate" => Value::text(current(av)),
            "avIsEngineUpToDate" | "avIsPlatformUpToDate" => Value::text("True"),
            "rbacGroupId" => Value::Number(f64::from(machine.group)),
            _ => Value::Null,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    id: MachineId,
    machine_id: MachineId,
    computer_dns_name: Option<&'a str>,
    os_kind: Option<&'static str>,
    os_platform: &'a str,
    os_version: Option<&'a str>,
    av_mode: &'a str,
    av_signature_version: &'static str,
    av_engine_version: &'static str,
    av_platform_version: &'static str,
    #[serde(serialize_with = "dates::serialize")]
    last_seen_time: Timestamp,
    quick_scan_result: &'a str,
    quick_scan_error: &'a str,
    #[serde(serialize_with = "dates::optional::serialize")]
    quick_scan_time: Option<Timestamp>,
    full_scan_result: &'a str,
    full_scan_error: &'a str,
    #[serde(serialize_with = "dates::optional::serialize")]
    full_scan_time: Option<Timestamp>,
    av_is_signature_up_to_date: &'static str,
    av_is_engine_up_to_date: &'static str,
    av_is_platform_up_to_date: &'static str,
    #[serde(serialize_with = "dates::serialize")]
    data_refresh_timestamp: Timestamp,
    #[serde(serialize_with = "dates::serialize")]
    av_engine_update_time: Timestamp,
    #[serde(serialize_with = "dates::serialize")]
    av_signature_update_time: Timestamp,
    #[serde(serialize_with = "dates::serialize")]
    av_platform_update_time: Timestamp,
    #[serde(serialize_with = "dates::serialize")]
    av_signature_publish_time: Timestamp,
    rbac_group_id: u32,
    rbac_group_name: Option<&'a str>,
}

/// GET `/api/deviceavinfo`.
///
/// # Errors
/// 400 of the OData layer.
pub fn list(tenant: &Tenant, context: &Context<'_>) -> Answer {
    let query = Query::read(context, &SCHEMA, None)?;
    let behaviour = &tenant.behaviour;
    let rows = tenant.machines().iter().filter_map(|machine| {
        let onboarded = machine.onboarding == Onboarding::Onboarded;
        machine.av.as_deref().filter(|_| onboarded).map(|av| Row { machine, av })
    });
    let page = query.page(behaviour.av_page_size, behaviour.most_rows, rows);
    let value: Vec<Wire<'_>> = page.rows.iter().map(|row| wire(tenant, row, context.now)).collect();
    let next =
        page.more.then(|| query.next_link(context, behaviour.av_page_size, behaviour.next_links));
    Ok(list::collection(context, "DeviceAvInfo", &value, page.total, next.flatten()))
}

fn wire<'a>(tenant: &'a Tenant, row: &Row<'a>, now: Timestamp) -> Wire<'a> {
    let (machine, av) = (row.machine, row.av);
    let before = |days: u32| {
        let span = SignedDuration::from_hours(24 * i64::from(days));
        av.refreshed.checked_sub(span).unwrap_or(av.refreshed)
    };
    Wire {
        id: machine.id,
        machine_id: machine.id,
        computer_dns_name: machine.name.as_deref(),
        os_kind: av::kind(machine.family()),
        os_platform: &machine.platform,
        os_version: machine.version.as_deref(),
        av_mode: av.mode,
        av_signature_version: signature(av),
        av_engine_version: engine(machine.family()),
        av_platform_version: platform(machine.family()),
        last_seen_time: machine.last_seen(now),
        quick_scan_result: av.quick.result,
        quick_scan_error: av.quick.error,
        quick_scan_time: av.quick.at,
        full_scan_result: av.full.result,
        full_scan_error: av.full.error,
        full_scan_time: av.full.at,
        av_is_signature_up_to_date: current(av),
        av_is_engine_up_to_date: "True",
        av_is_platform_up_to_date: "True",
        data_refresh_timestamp: av.refreshed,
        av_engine_update_time: before(12),
        av_signature_update_time: before(av.signatures_behind),
        av_platform_update_time: before(20),
        av_signature_publish_time: before(av.signatures_behind),
        rbac_group_id: machine.group,
        rbac_group_name: tenant.group(machine.group).map(|group| &*group.name),
    }
}

const fn current(av: &AvHealth) -> &'static str {
    if av.signatures_behind > 7 { "False" } else { "True" }
}

const fn signature(av: &AvHealth) -> &'static str {
    if av.signatures_behind > 7 { "1.439.120.0" } else { "1.441.36.0" }
}

const fn engine(family: OsFamily) -> &'static str {
    if matches!(family, OsFamily::Windows | OsFamily::WindowsServer) {
        "1.1.25090.3001"
    } else {
        "1.1.25080.2000"
    }
}

const fn platform(family: OsFamily) -> &'static str {
    if matches!(family, OsFamily::Windows | OsFamily::WindowsServer) {
        "4.18.25090.3009"
    } else {
        "101.25072.0003"
    }
}
