//! Machine actions: the wire form, list, get, cancel, and the link to a collected package.

use http::StatusCode;
use jiff::Timestamp;
use serde::Serialize;

use crate::emulator::dates;
use crate::emulator::defender::body::Body;
use crate::emulator::defender::list::{self, Query};
use crate::emulator::defender::{Answer, Context};
use crate::emulator::error::ApiError;
use crate::emulator::odata::{Kind, Property, Record, Schema, Value};
use crate::emulator::random::{Guid, mix};
use crate::emulator::tenant::{Action, Actor, MachineId, Tenant};
use crate::model::{ActionKind, ActionStatus};

/// The entity set.
pub const SET: &str = "MachineActions";

const SCHEMA: Schema = Schema {
    entity: "microsoft.windowsDefenderATP.api.MachineAction",
    filterable: &[
        Property { name: "id", kind: Kind::Text },
        Property {
            name: "status",
            kind: Kind::Enum(&[
                "Pending",
                "InProgress",
                "Succeeded",
                "Failed",
                "TimeOut",
                "Cancelled",
            ]),
        },
        Property { name: "machineId", kind: Kind::Text },
        Property {
            name: "type",
            kind: Kind::Enum(&[
                "RunAntiVirusScan",
                "Offboard",
                "LiveResponse",
                "CollectInvestigationPackage",
                "Isolate",
                "Unisolate",
                "StopAndQuarantineFile",
                "RestrictCodeExecution",
                "UnrestrictCodeExecution",
            ]),
        },
        Property { name: "requestor", kind: Kind::Text },
        Property { name: "creationDateTimeUtc", kind: Kind::Time },
    ],
    others: &[
        "title",
        "requestorComment",
        "computerDnsName",
        "lastUpdateDateTimeUtc",
        "cancellationRequestor",
        "cancellationComment",
        "cancellationDateTimeUtc",
        "errorHResult",
        "scope",
        "externalId",
        "requestSource",
        "relatedFileInfo",
        "commands",
        "troubleshootInfo",
    ],
};

struct Row<'a> {
    tenant: &'a Tenant,
    action: &'a Action,
}

impl Record for Row<'_> {
    fn get(&self, property: &str) -> Value<'_> {
        let action = self.action;
        match property {
            "id" => Value::owned(action.id.to_string()),
            "status" => Value::text(action.status.wire()),
            "machineId" => match self.tenant.machine(action.machine) {
                Some(machine) => Value::owned(machine.id.to_string()),
                None => Value::Null,
            },
            "type" => Value::text(action.kind.wire()),
            "requestor" => Value::text(&action.requestor),
            "creationDateTimeUtc" => Value::Time(action.created),
            _ => Value::Null,
        }
    }
}

/// An action on the wire, in the service's order.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wire<'a> {
    id: Guid,
    #[serde(rename = "type")]
    kind: &'a str,
    title: Option<&'a str>,
    requestor: &'a str,
    requestor_comment: &'a str,
    status: &'a str,
    machine_id: Option<MachineId>,
    computer_dns_name: Option<&'a str>,
    #[serde(serialize_with = "dates::serialize")]
    creation_date_time_utc: Timestamp,
    #[serde(serialize_with = "dates::serialize")]
    last_update_date_time_utc: Timestamp,
    cancellation_requestor: Option<&'a str>,
    cancellation_comment: Option<&'a str>,
    #[serde(serialize_with = "dates::optional::serialize")]
    cancellation_date_time_utc: Option<Timestamp>,
    error_h_result: i32,
    scope: Option<&'static str>,
    external_id: Option<&'a str>,
    request_source: &'a str,
    related_file_info: Option<WireFile<'a>>,
    commands: [(); 0],
    troubleshoot_info: Option<&'a str>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WireFile<'a> {
    file_identifier: &'a str,
    file_identifier_type: &'static str,
}

impl<'a> Wire<'a> {
    /// The wire form. A fresh isolation may hide its scope.
    #[must_use]
    pub fn of(tenant: &'a Tenant, action: &'a Action, fresh: bool) -> Self {
        let machine = tenant.machine(action.machine);
        let cancelled = action.cancellation.as_deref();
        let hidden =
            fresh && action.kind == ActionKind::Isolate && tenant.behaviour.fresh_scope_is_null;
        Self {
            id: action.id,
            kind: action.kind.wire(),
            title: None,
            requestor: &action.requestor,
            requestor_comment: &action.comment,
            status: action.status.wire(),
            machine_id: machine.map(|machine| machine.id),
            computer_dns_name: machine.and_then(|machine| machine.name.as_deref()),
            creation_date_time_utc: action.created,
            last_update_date_time_utc: action.updated,
            cancellation_requestor: cancelled.map(|cancelled| &*cancelled.requestor),
            cancellation_comment: cancelled.and_then(|cancelled| cancelled.comment.as_deref()),
            cancellation_date_time_utc: cancelled.map(|cancelled| cancelled.at),
            error_h_result: action.error,
            scope: if hidden { None } else { action.scope() },
            external_id: action.external_id.as_deref(),
            request_source: &action.source,
            related_file_info: action.file.as_deref().map(|file| WireFile {
                file_identifier: &file.identifier,
                file_identifier_type: file.kind,
            }),
            commands: [],
            troubleshoot_info: None,
        }
    }
}

/// GET `/api/machineactions`, newest first.
///
/// # Errors
/// 400 of the OData layer.
pub fn list(tenant: &Tenant, context: &Context<'_>) -> Answer {
    let query = Query::read(context, &SCHEMA, None)?;
    let behaviour = &tenant.behaviour;
    let oldest = context.now.checked_sub(behaviour.retention).unwrap_or(Timestamp::MIN);
    // An index spares reading a long history when the filter names the device.
    let machine = query.required("machineId").and_then(|id| {
        let known = MachineId::parse(id).filter(|known| known.to_string() == id);
        known.and_then(|_| tenant.find(id))
    });
    let rows: Box<dyn Iterator<Item = &Action>> = match machine {
        Some(machine) => {
            let rows = tenant.actions_of(machine).iter().rev();
            Box::new(rows.filter_map(|row| tenant.action(*row)))
        }
        None => Box::new(tenant.actions().iter().rev()),
    };
    let rows = rows.filter(|action| action.created >= oldest).map(|action| Row { tenant, action });
    let page = query.page(behaviour.page_size, behaviour.most_rows, rows);
    let value: Vec<Wire<'_>> =
        page.rows.iter().map(|row| Wire::of(tenant, row.action, false)).collect();
    let next =
        page.more.then(|| query.next_link(context, behaviour.page_size, behaviour.next_links));
    Ok(list::collection(context, SET, &value, page.total, next.flatten()))
}

/// GET `/api/machineactions/{id}`.
///
/// # Errors
/// 404 when there is none.
pub fn get(tenant: &Tenant, context: &Context<'_>, id: &str) -> Answer {
    let row = find(tenant, id)?;
    answer(tenant, context, StatusCode::OK, row, false)
}

/// POST `/api/machineactions/{id}/cancel`: fills the cancellation in on the same action.
///
/// # Errors
/// 404 when there is none, 400 when it has ended.
pub fn cancel(tenant: &mut Tenant, context: &Context<'_>, id: &str) -> Answer {
    let body = Body::read(context.call, &["Comment"])?;
    let comment = body.text("Comment")?;
    let row = find(tenant, id)?;
    let actor = Actor::app(&context.caller.app_name);
    if !tenant.cancel(row, &actor, comment, context.now) {
        return Err(ApiError::bad("BadRequest", "Action is already in a final state"));
    }
    answer(tenant, context, StatusCode::OK, row, false)
}

/// GET `/api/machineactions/{id}/getPackageUri`. The value carries quotes of its own.
///
/// # Errors
/// 404 until the package is there.
pub fn package_uri(tenant: &Tenant, context: &Context<'_>, id: &str) -> Answer {
    let row = find(tenant, id)?;
    let ready = tenant.action(row).filter(|action| {
        action.kind == ActionKind::CollectInvestigationPackage
            && action.status == ActionStatus::Succeeded
    });
    let action = ready
        .ok_or_else(|| ApiError::not_found(format!("Package of action {id} was not found")))?;
    let token = mix(u64::from(row) ^ context.now.as_second().cast_unsigned());
    let link = format!("\"https://packages.contoso.example/{}.zip?token={token:016x}\"", action.id);
    Ok(list::primitive(context, "Edm.String", &link))
}

/// The action in a row as a response.
///
/// # Errors
/// 404 when there is none.
pub fn answer(
    tenant: &Tenant,
    context: &Context<'_>,
    status: StatusCode,
    row: u32,
    fresh: bool,
) -> Answer {
    let action = tenant.action(row).ok_or_else(|| missing("?"))?;
    Ok(list::entity(context, status, SET, Wire::of(tenant, action, fresh)))
}

fn find(tenant: &Tenant, id: &str) -> Result<u32, ApiError> {
    tenant.find_action(id).ok_or_else(|| missing(id))
}

fn missing(id: &str) -> ApiError {
    ApiError::not_found(format!("Machine action {id} was not found"))
}
