//! Changes to machine records: tags one by one and in bulk, device value, PATCH.

use crate::emulator::defender::body::{self, Body};
use crate::emulator::defender::list;
use crate::emulator::defender::machines::{self, SET, Wire};
use crate::emulator::defender::{Answer, Context};
use crate::emulator::error::ApiError;
use crate::emulator::tenant::Tenant;
use crate::model::DeviceValue;

/// Most machines in one bulk call.
const MOST: usize = 500;
const VALUES: &[&str] = &["Normal", "Low", "High"];

/// POST `/api/machines/{id}/tags`. Adding a tag twice and removing one that is not there are fine.
///
/// # Errors
/// Those of the body; 404.
pub fn tag(tenant: &mut Tenant, context: &Context<'_>, id: &str) -> Answer {
    let body = Body::read(context.call, &["Value", "Action"])?;
    let (tag, add) = tag_and_action(&body)?;
    let row = machines::find(tenant, id)?;
    apply_tag(tenant, row, tag, add);
    machines::answer(tenant, context, row)
}

/// POST `/api/machines/AddOrRemoveTagForMultipleMachines`: all of them or, with one unknown, none.
///
/// # Errors
/// Those of the body; `MaximumBatchSizeExceeded`; 404.
pub fn tag_many(tenant: &mut Tenant, context: &Context<'_>) -> Answer {
    let body = Body::read(context.call, &["Value", "Action", "MachineIds"])?;
    let (tag, add) = tag_and_action(&body)?;
    let ids = body.texts("MachineIds")?.filter(|ids| !ids.is_empty());
    let ids = ids.ok_or_else(|| body::missing("MachineIds"))?;
    if ids.len() > MOST {
        return Err(ApiError::bad(
            "MaximumBatchSizeExceeded",
            format!("Maximum batch size exceeded, received: {}, allowed: {MOST}", ids.len()),
        ));
    }
    let rows: Vec<u32> =
        ids.iter().map(|id| machines::find(tenant, id)).collect::<Result<_, _>>()?;
    for row in &rows {
        apply_tag(tenant, *row, tag, add);
    }
    let changed = rows.iter().filter_map(|row| tenant.machine(*row));
    let value: Vec<Wire<'_>> =
        changed.map(|machine| Wire::of(tenant, machine, context.now)).collect();
    Ok(list::collection(context, SET, &value, None, None))
}

fn tag_and_action(body: &Body) -> Result<(&str, bool), ApiError> {
    let tag = body.required("Value")?;
    body.required("Action")?;
    Ok((tag, body.word("Action", &["Add", "Remove"])? == Some("Add")))
}

fn apply_tag(tenant: &mut Tenant, row: u32, tag: &str, add: bool) {
    let Some(machine) = tenant.machine_mut(row) else { return };
    if add {
        machine.add_tag(tag);
    } else {
        machine.remove_tag(tag);
    }
}

/// POST `/api/machines/{id}/setDeviceValue`.
///
/// # Errors
/// Those of the body; 404.
pub fn set_value(tenant: &mut Tenant, context: &Context<'_>, id: &str) -> Answer {
    let body = Body::read(context.call, &["DeviceValue"])?;
    body.required("DeviceValue")?;
    let value = body.word("DeviceValue", VALUES)?;
    let row = machines::find(tenant, id)?;
    if let (Some(machine), Some(value)) = (tenant.machine_mut(row), value) {
        machine.value = Some(DeviceValue::from_wire(value));
    }
    machines::answer(tenant, context, row)
}

/// PATCH `/api/machines/{id}`: replaces the whole set of tags, whatever the page says about
/// appending; an empty set is refused (observed).
///
/// # Errors
/// `InvalidRequestBody` when nothing can be used; 404.
pub fn patch(tenant: &mut Tenant, context: &Context<'_>, id: &str) -> Answer {
    let unusable =
        || body::invalid("Currently supporting only update of: 'tags' and 'deviceValue'");
    let body = Body::object(context.call)?;
    if !body.only(&["machineTags", "deviceValue"]) {
        return Err(unusable());
    }
    let tags = body.texts("machineTags")?;
    let value = body.word("deviceValue", VALUES)?;
    if tags.as_ref().is_some_and(Vec::is_empty) || (tags.is_none() && value.is_none()) {
        return Err(unusable());
    }
    let row = machines::find(tenant, id)?;
    if let Some(machine) = tenant.machine_mut(row) {
        if let Some(tags) = tags {
            machine.tags = Vec::with_capacity(tags.len());
            for tag in tags {
                machine.add_tag(tag);
            }
        }
        if let Some(value) = value {
            machine.value = Some(DeviceValue::from_wire(value));
        }
    }
    machines::answer(tenant, context, row)
}
