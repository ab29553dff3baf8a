//! Changes to alerts: PATCH of exactly four properties, comments.
//!
//! The pairing of classification and determination is documented for the Defender API only; Graph
//! stores any pair. There is no ETag: the last writer wins. A comment posted twice is there twice.

use std::sync::Arc;

use http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

use super::error::GraphError;
use super::wire::WireComment;
use super::{Answer, Context, alerts, reply};
use crate::emulator::dates;
use crate::emulator::tenant::{Comment, Tenant};
use crate::model::{AlertStatus, Classification, Determination};

/// What is to change; `None` stays as it is.
#[derive(Debug, Default)]
struct Change {
    status: Option<AlertStatus>,
    classification: Option<Classification>,
    determination: Option<Determination>,
    /// Inner `None`: nobody.
    assigned_to: Option<Option<Arc<str>>>,
}

/// PATCH `/security/alerts_v2/{id}`; answers the whole alert.
pub(super) fn patch(tenant: &mut Tenant, context: &Context<'_>, id: &str) -> Answer {
    let change = Change::read(&object(context)?)?;
    let row = tenant.find_alert(id).ok_or_else(|| alerts::unknown(id))?;
    let now = dates::whole_ticks(context.now);
    tenant.edit_alert(row, &context.caller.app_name, now, |alert| {
        if let Some(status) = change.status {
            alert.set_status(status, now);
        }
        alert.classification = change.classification.unwrap_or(alert.classification);
        alert.determination = change.determination.unwrap_or(alert.determination);
        if let Some(assigned_to) = change.assigned_to {
            alert.assigned_to = assigned_to;
        }
    });
    let alert = tenant.alert(row).ok_or_else(|| alerts::unknown(id))?;
    Ok(alerts::entity(tenant, context, alert))
}

#[derive(Serialize)]
struct Comments<'a> {
    #[serde(rename = "@odata.context")]
    context: String,
    value: Vec<WireComment<'a>>,
}

/// POST `/security/alerts_v2/{id}/comments`; answers all comments.
pub(super) fn comment(tenant: &mut Tenant, context: &Context<'_>, id: &str) -> Answer {
    let body = object(context)?;
    let known = |name: &String| name == "comment" || name.starts_with("@odata.");
    if let Some(other) = body.keys().find(|name| !known(name)) {
        return Err(not_writable(other));
    }
    let text = match body.get("comment") {
        Some(Value::String(text)) if !text.trim().is_empty() => text,
        _ => return Err(GraphError::bad("The property 'comment' is missing or empty.")),
    };
    let row = tenant.find_alert(id).ok_or_else(|| alerts::unknown(id))?;
    let now = dates::whole_ticks(context.now);
    let by: &str = &context.caller.app_name;
    tenant.edit_alert(row, by, now, |alert| {
        let text = Arc::from(text.as_str());
        alert.comments.push(Comment { text, by: Arc::from(by), at: now });
    });
    let alert = tenant.alert(row).ok_or_else(|| alerts::unknown(id))?;
    let body = Comments {
        context: context.metadata(&format!("security/alerts_v2('{id}')/comments")),
        value: alert.comments.iter().map(WireComment::from).collect(),
    };
    Ok(reply(context, StatusCode::OK, &body))
}

/// The body as an object.
fn object(context: &Context<'_>) -> Result<Map<String, Value>, GraphError> {
    let body = context.call.body;
    if body.iter().all(u8::is_ascii_whitespace) {
        return Err(GraphError::bad("Empty Payload. JSON content expected."));
    }
    let json = context.call.header("content-type").is_some_and(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json")
    });
    if !json {
        return Err(GraphError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "UnsupportedMediaType",
            "The media type of the body is not supported; application/json is.",
        ));
    }
    serde_json::from_slice(body)
        .map_err(|_| GraphError::bad("Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format."))
}

impl Change {
    fn read(body: &Map<String, Value>) -> Result<Self, GraphError> {
        let mut change = Self::default();
        for (name, value) in body {
            match name.as_str() {
                "status" => {
                    let status = member(name, value, AlertStatus::parse)?;
                    change.status = Some(status.ok_or_else(|| bad_value(name, value))?);
                }
                "classification" => {
                    let said = member(name, value, Classification::parse)?;
                    change.classification = Some(said.unwrap_or(Classification::Unknown));
                }
                "determination" => {
                    let said = member(name, value, Determination::parse)?;
                    change.determination = Some(said.unwrap_or(Determination::Unknown));
                }
                "assignedTo" => {
                    change.assigned_to = Some(match value {
                        Value::Null => None,
                        Value::String(text) => (!text.is_empty()).then(|| Arc::from(text.as_str())),
                        other => return Err(bad_value(name, other)),
                    });
                }
                other if other.starts_with("@odata.") => {}
                other => return Err(not_writable(other)),
            }
        }
        Ok(change)
    }
}

/// An enum member in any case; null is none.
fn member<T>(
    name: &str,
    value: &Value,
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, GraphError> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => parse(text).map(Some).ok_or_else(|| bad_value(name, value)),
        other => Err(bad_value(name, other)),
    }
}

fn bad_value(name: &str, value: &Value) -> GraphError {
    GraphError::bad(format!("The value {value} is not valid for the property '{name}'."))
}

fn not_writable(name: &str) -> GraphError {
    GraphError::bad(format!("The property '{name}' does not exist or cannot be updated."))
}
