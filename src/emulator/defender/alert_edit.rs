//! Changes to alerts: PATCH of one, batch update of many.

use std::sync::Arc;

use http::StatusCode;

use crate::emulator::dates;
use crate::emulator::defender::alert_words as words;
use crate::emulator::defender::body::{self, Body};
use crate::emulator::defender::{Answer, Context, alerts};
use crate::emulator::error::{ApiError, empty};
use crate::emulator::tenant::{Comment, Tenant};
use crate::model::{AlertStatus, Classification, Determination};

const FIELDS: &[&str] = &["status", "assignedTo", "classification", "determination", "comment"];
const BATCH_FIELDS: &[&str] =
    &["alertIds", "status", "assignedTo", "classification", "determination", "comment"];

/// What is to change; `None` stays as it is.
#[derive(Debug, Default)]
struct Change {
    status: Option<AlertStatus>,
    /// Inner `None`: nobody.
    assigned_to: Option<Option<Arc<str>>>,
    classification: Option<Classification>,
    determination: Option<Determination>,
    comment: Option<Arc<str>>,
}

impl Change {
    fn read(body: &Body) -> Result<Self, ApiError> {
        let status = body.word("status", words::STATUSES)?;
        let assigned_to = match body.text("assignedTo")? {
            None if body.has("assignedTo") => Some(None),
            None => None,
            Some(text) => Some((!text.is_empty()).then(|| Arc::from(text))),
        };
        let comment = body.text("comment")?.filter(|text| !text.is_empty());
        Ok(Self {
            status: status.map(AlertStatus::from_wire),
            assigned_to,
            classification: one_of(body, "classification", words::CLASSIFICATIONS)?,
            determination: one_of(body, "determination", words::DETERMINATIONS)?,
            comment: comment.map(Arc::from),
        })
    }

    const fn is_empty(&self) -> bool {
        self.status.is_none()
            && self.assigned_to.is_none()
            && self.classification.is_none()
            && self.determination.is_none()
            && self.comment.is_none()
    }

    fn apply(&self, tenant: &mut Tenant, row: u32, context: &Context<'_>) {
        let now = dates::whole_ticks(context.now);
        let by: &str = &context.caller.app_name;
        tenant.edit_alert(row, by, now, |alert| {
            if let Some(status) = self.status {
                alert.set_status(status, now);
            }
            if let Some(assigned_to) = &self.assigned_to {
                alert.assigned_to.clone_from(assigned_to);
            }
            alert.classification = self.classification.unwrap_or(alert.classification);
            alert.determination = self.determination.unwrap_or(alert.determination);
            if let Some(text) = &self.comment {
                let text = Arc::clone(text);
                alert.comments.push(Comment { text, by: Arc::from(by), at: now });
            }
        });
    }
}

fn one_of<T: Copy>(
    body: &Body,
    name: &str,
    words: &[(&'static str, T)],
) -> Result<Option<T>, ApiError> {
    let spellings: Vec<&'static str> = words.iter().map(|(word, _)| *word).collect();
    let word = body.word(name, &spellings)?;
    Ok(word
        .and_then(|word| words.iter().find(|(known, _)| *known == word))
        .map(|(_, value)| *value))
}

/// PATCH `/api/alerts/{id}`.
///
/// # Errors
/// Those of the body; 404.
pub fn patch(tenant: &mut Tenant, context: &Context<'_>, id: &str) -> Answer {
    let body = Body::read(context.call, FIELDS)?;
    let change = Change::read(&body)?;
    if change.is_empty() {
        return Err(body::invalid("Request body is incorrect: nothing to update"));
    }
    let row = alerts::find(tenant, id)?;
    change.apply(tenant, row, context);
    alerts::answer(tenant, context, row, false)
}

/// POST `/api/alerts/batchUpdate`: 200 without a body; with one unknown alert nothing changes.
///
/// # Errors
/// Those of the body; 404.
pub fn batch(tenant: &mut Tenant, context: &Context<'_>) -> Answer {
    let body = Body::read(context.call, BATCH_FIELDS)?;
    let ids = body.texts("alertIds")?.filter(|ids| !ids.is_empty());
    let ids = ids.ok_or_else(|| body::missing("alertIds"))?;
    let change = Change::read(&body)?;
    if change.is_empty() {
        return Err(body::invalid("Request body is incorrect: nothing to update"));
    }
    let rows: Vec<u32> = ids.iter().map(|id| alerts::find(tenant, id)).collect::<Result<_, _>>()?;
    for row in rows {
        change.apply(tenant, row, context);
    }
    Ok(empty(StatusCode::OK))
}
