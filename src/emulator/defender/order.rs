//! Ordering machine actions: body, machine, platform and plan, conflict, in this order.

use std::sync::Arc;

use http::StatusCode;

use crate::emulator::defender::body::Body;
use crate::emulator::defender::endpoint::Ordered;
use crate::emulator::defender::{Answer, Context, actions, machines, platform};
use crate::emulator::error::ApiError;
use crate::emulator::tenant::action::{Containment, FileRef};
use crate::emulator::tenant::{Actor, Order, Submission, Tenant};
use crate::model::{ActionKind, ScanType};

/// POST `/api/machines/{id}/{action}`: 201 with the action, new or already active.
///
/// # Errors
/// As documented for each action.
pub fn submit(tenant: &mut Tenant, context: &Context<'_>, id: &str, what: Ordered) -> Answer {
    let order = read(context, what)?;
    let row = machines::find(tenant, id)?;
    if let Some(machine) = tenant.machine(row) {
        platform::check(machine, what, order.isolation)?;
    }
    platform::check_plan(tenant.behaviour.plan, what)?;
    let actor = Actor::app(&context.caller.app_name);
    // The page of offboard says 200; everything else is created.
    let status = if what == Ordered::Offboard { StatusCode::OK } else { StatusCode::CREATED };
    match tenant.submit(row, &actor, order, context.now) {
        Submission::New(action) => actions::answer(tenant, context, status, action, true),
        Submission::Existing(action) => actions::answer(tenant, context, status, action, false),
        Submission::Conflict => {
            Err(ApiError::bad("ActiveRequestAlreadyExists", "Action is already in progress"))
        }
    }
}

fn read(context: &Context<'_>, what: Ordered) -> Result<Order, ApiError> {
    let allowed: &[&str] = match what {
        Ordered::Isolate => &["Comment", "IsolationType", "ExternalId"],
        Ordered::Scan => &["Comment", "ScanType", "ExternalId"],
        Ordered::Quarantine => &["Comment", "Sha1", "ExternalId"],
        _ => &["Comment", "ExternalId"],
    };
    let body = Body::read(context.call, allowed)?;
    let comment = body.required("Comment")?;
    let mut order = Order::new(kind(what), comment);
    order.external_id = body.text("ExternalId")?.map(Arc::from);
    match what {
        Ordered::Isolate => order.isolation = Some(isolation(&body)?),
        Ordered::Scan => order.scan = Some(scan(&body)?),
        Ordered::Quarantine => order.file = Some(file(&body)?),
        _ => {}
    }
    Ok(order)
}

const fn kind(what: Ordered) -> ActionKind {
    match what {
        Ordered::Isolate => ActionKind::Isolate,
        Ordered::Unisolate => ActionKind::Unisolate,
        Ordered::Restrict => ActionKind::RestrictCodeExecution,
        Ordered::Unrestrict => ActionKind::UnrestrictCodeExecution,
        Ordered::Scan => ActionKind::RunAntiVirusScan,
        Ordered::Offboard => ActionKind::Offboard,
        Ordered::Collect => ActionKind::CollectInvestigationPackage,
        Ordered::Quarantine => ActionKind::StopAndQuarantineFile,
    }
}

/// The type is not marked as required; without it the isolation is full.
fn isolation(body: &Body) -> Result<Containment, ApiError> {
    let word = body.word("IsolationType", &["Full", "Selective", "UnManagedDevice"])?;
    Ok(match word {
        Some("Selective") => Containment::Selective,
        Some("UnManagedDevice") => Containment::UnManagedDevice,
        _ => Containment::Full,
    })
}

fn scan(body: &Body) -> Result<ScanType, ApiError> {
    body.required("ScanType")?;
    let word = body.word("ScanType", &["Quick", "Full"])?;
    Ok(if word == Some("Full") { ScanType::Full } else { ScanType::Quick })
}

fn file(body: &Body) -> Result<FileRef, ApiError> {
    let sha1 = body.required("Sha1")?;
    if sha1.len() != 40 || !sha1.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ApiError::bad("InvalidHashValue", format!("'{sha1}' is not a valid SHA-1")));
    }
    Ok(FileRef { identifier: Arc::from(sha1), kind: "Sha1" })
}
