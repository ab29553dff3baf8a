//! Alerts of the Defender API: the wire form, list, get, and the ones of a machine.

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Response, StatusCode};
use jiff::Timestamp;
use serde::Serialize;

use crate::emulator::dates;
use crate::emulator::defender::alert_evidence::{self, Evidence};
use crate::emulator::defender::alert_words as words;
use crate::emulator::defender::list::{self, Query};
use crate::emulator::defender::{Answer, Context, machines};
use crate::emulator::error::ApiError;
use crate::emulator::odata::{Kind, Property, Record, Schema, Value};
use crate::emulator::random::Guid;
use crate::emulator::tenant::{Alert, MachineId, Tenant};

/// The entity set.
pub const SET: &str = "Alerts";

const SCHEMA: Schema = Schema {
    entity: "microsoft.windowsDefenderATP.api.Alert",
    filterable: &[
        Property { name: "alertCreationTime", kind: Kind::Time },
        Property { name: "lastUpdateTime", kind: Kind::Time },
        Property { name: "incidentId", kind: Kind::Number },
        Property { name: "investigationId", kind: Kind::Number },
        Property { name: "id", kind: Kind::Text },
        Property { name: "assignedTo", kind: Kind::Text },
        Property { name: "detectionSource", kind: Kind::Text },
        Property { name: "lastEventTime", kind: Kind::Time },
        Property {
            name: "status",
            kind: Kind::Enum(&["Unknown", "New", "InProgress", "Resolved"]),
        },
        Property {
            name: "severity",
            kind: Kind::Enum(&["UnSpecified", "Informational", "Low", "Medium", "High"]),
        },
        Property { name: "category", kind: Kind::Text },
    ],
    others: &[
        "classification",
        "determination",
        "investigationState",
        "detectorId",
        "threatFamilyName",
        "threatName",
        "title",
        "description",
        "firstEventTime",
        "resolvedTime",
        "machineId",
        "computerDnsName",
        "rbacGroupName",
        "aadTenantId",
        "mitreTechniques",
        "relatedUser",
        "comments",
        "evidence",
    ],
};

struct Row<'a>(&'a Alert);

impl Record for Row<'_> {
    fn get(&self, property: &str) -> Value<'_> {
        let alert = self.0;
        #[expect(clippy::cast_precision_loss, reason = "ids are far below 2^53")]
        let number = |id: u64| Value::Number(id as f64);
        match property {
            "alertCreationTime" => Value::Time(alert.created),
            "lastUpdateTime" => Value::Time(alert.updated),
            "lastEventTime" => Value::Time(alert.last_event),
            "incidentId" => number(alert.incident),
            "investigationId" => alert.investigation.map_or(Value::Null, number),
            "id" => Value::text(&alert.id),
            "assignedTo" => Value::maybe(alert.assigned_to.as_deref()),
            "detectionSource" => Value::text(alert.detection_source),
            "status" => Value::text(words::status(alert.status)),
            "severity" => Value::text(words::severity(alert.severity)),
            "category" => Value::text(&alert.category),
            _ => Value::Null,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Wire<'a> {
    id: &'a str,
    incident_id: u64,
    investigation_id: Option<u64>,
    assigned_to: Option<&'a str>,
    severity: &'static str,
    status: &'static str,
    classification: Option<&'static str>,
    determination: Option<&'static str>,
    investigation_state: Option<&'static str>,
    detection_source: &'a str,
    detector_id: Guid,
    category: &'a str,
    threat_family_name: Option<&'a str>,
    threat_name: Option<&'a str>,
    title: &'a str,
    description: &'a str,
    #[serde(serialize_with = "dates::serialize")]
    alert_creation_time: Timestamp,
    #[serde(serialize_with = "dates::serialize")]
    first_event_time: Timestamp,
    #[serde(serialize_with = "dates::serialize")]
    last_event_time: Timestamp,
    #[serde(serialize_with = "dates::serialize")]
    last_update_time: Timestamp,
    #[serde(serialize_with = "dates::optional::serialize")]
    resolved_time: Option<Timestamp>,
    machine_id: Option<MachineId>,
    computer_dns_name: Option<&'a str>,
    rbac_group_name: Option<&'a str>,
    aad_tenant_id: &'a str,
    mitre_techniques: &'a [std::sync::Arc<str>],
    related_user: Option<RelatedUser<'a>>,
    comments: Vec<WireComment<'a>>,
    evidence: Vec<Evidence<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RelatedUser<'a> {
    user_name: &'a str,
    domain_name: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireComment<'a> {
    comment: &'a str,
    created_by: &'a str,
    #[serde(serialize_with = "dates::serialize")]
    created_time: Timestamp,
}

fn wire<'a>(tenant: &'a Tenant, alert: &'a Alert, expand: bool) -> Wire<'a> {
    let machine = alert.machines.first().and_then(|row| tenant.machine(*row));
    let group = machine.and_then(|machine| tenant.group(machine.group));
    Wire {
        id: &alert.id,
        incident_id: alert.incident,
        investigation_id: alert.investigation,
        assigned_to: alert.assigned_to.as_deref(),
        severity: words::severity(alert.severity),
        status: words::status(alert.status),
        classification: words::classification(alert.classification),
        determination: words::determination(alert.determination),
        investigation_state: alert.investigation_state,
        detection_source: alert.detection_source,
        detector_id: alert.detector_id,
        category: &alert.category,
        threat_family_name: alert.threat_family.as_deref(),
        threat_name: alert.threat_name.as_deref(),
        title: &alert.title,
        description: &alert.description,
        alert_creation_time: alert.created,
        first_event_time: alert.first_event,
        last_event_time: alert.last_event,
        last_update_time: alert.updated,
        resolved_time: alert.resolved,
        machine_id: machine.map(|machine| machine.id),
        computer_dns_name: machine.and_then(|machine| machine.name.as_deref()),
        rbac_group_name: group.map(|group| &*group.name),
        aad_tenant_id: &tenant.id,
        mitre_techniques: &alert.mitre,
        related_user: alert
            .user
            .as_ref()
            .map(|user| RelatedUser { user_name: &user.account, domain_name: &user.domain }),
        comments: alert
            .comments
            .iter()
            .map(|comment| WireComment {
                comment: &comment.text,
                created_by: &comment.by,
                created_time: comment.at,
            })
            .collect(),
        evidence: if expand { alert_evidence::of(alert) } else { Vec::new() },
    }
}

/// Alerts of other products are not in this API.
fn is_ours(alert: &Alert) -> bool {
    alert.service_source == "microsoftDefenderForEndpoint"
}

/// GET `/api/alerts`, newest first.
///
/// # Errors
/// 400 of the OData layer.
pub fn list(tenant: &Tenant, context: &Context<'_>) -> Answer {
    let query = Query::read(context, &SCHEMA, Some("evidence"))?;
    let rows = tenant.alerts().iter().rev().filter(|alert| is_ours(alert)).map(Row);
    page(tenant, context, &query, rows)
}

fn page<'a>(
    tenant: &'a Tenant,
    context: &Context<'_>,
    query: &Query,
    rows: impl Iterator<Item = Row<'a>>,
) -> Answer {
    let behaviour = &tenant.behaviour;
    let page = query.page(behaviour.page_size, behaviour.most_rows, rows);
    let value: Vec<Wire<'_>> =
        page.rows.iter().map(|row| wire(tenant, row.0, query.expand)).collect();
    let next =
        page.more.then(|| query.next_link(context, behaviour.page_size, behaviour.next_links));
    Ok(list::collection(context, SET, &value, page.total, next.flatten()))
}

/// GET `/api/alerts/{id}`.
///
/// # Errors
/// 404 when there is none.
pub fn get(tenant: &Tenant, context: &Context<'_>, id: &str) -> Answer {
    let query = Query::read(context, &SCHEMA, Some("evidence"))?;
    let row = find(tenant, id)?;
    answer(tenant, context, row, query.expand)
}

/// GET `/api/alerts/{id}/machine`.
///
/// # Errors
/// 404 when there is no alert or it has no machine.
pub fn machine(tenant: &Tenant, context: &Context<'_>, id: &str) -> Answer {
    let row = find(tenant, id)?;
    let machine = tenant.alert(row).and_then(|alert| alert.machines.first().copied());
    let machine = machine
        .ok_or_else(|| ApiError::not_found(format!("Machine of alert {id} was not found")))?;
    machines::answer(tenant, context, machine)
}

/// GET `/api/machines/{id}/alerts`, and its `/$count`, which answers with a bare number.
///
/// # Errors
/// 400 of the OData layer; 404 when there is no such machine.
pub fn of_machine(tenant: &Tenant, context: &Context<'_>, id: &str, count: bool) -> Answer {
    let query = Query::read(context, &SCHEMA, Some("evidence"))?;
    let machine = machines::find(tenant, id)?;
    let concerns = |alert: &&Alert| is_ours(alert) && alert.machines.contains(&machine);
    let rows = tenant.alerts().iter().rev().filter(concerns).map(Row);
    if !count {
        return page(tenant, context, &query, rows);
    }
    let number = rows.filter(|row| query.admits(row)).count();
    let mut response = Response::new(Bytes::from(number.to_string()));
    let plain = HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(CONTENT_TYPE, plain);
    Ok(response)
}

/// The row of an alert.
///
/// # Errors
/// 404 when there is none in this API.
pub fn find(tenant: &Tenant, id: &str) -> Result<u32, ApiError> {
    let row = tenant.find_alert(id).filter(|row| tenant.alert(*row).is_some_and(is_ours));
    row.ok_or_else(|| ApiError::not_found(format!("Alert {id} was not found")))
}

/// The alert in a row as a response.
///
/// # Errors
/// 404 when there is none.
pub fn answer(tenant: &Tenant, context: &Context<'_>, row: u32, expand: bool) -> Answer {
    let alert = tenant.alert(row);
    let alert = alert.ok_or_else(|| ApiError::not_found("Alert was not found"))?;
    Ok(list::entity(context, StatusCode::OK, SET, wire(tenant, alert, expand)))
}
