//! Alerts: the alert as it is now, its comments included, decides.
//!
//! The service has neither ETags nor idempotent comments, so that the last look is what keeps a
//! person's verdict from being overwritten and a comment from being posted twice.

use std::sync::Arc;

use jiff::Timestamp;

use crate::apply::journal::Part;
use crate::apply::judge::{Before, Own};
use crate::inventory::AlertRow;
use crate::model::{AlertStatus, Classification, Determination};
use crate::plan::types::{Change, Parameters, Reason};

/// The value of an alert as plans spell it: `status/classification/determination/assignedTo`.
#[must_use]
pub fn value(row: &AlertRow) -> String {
    let AlertRow { status, classification, determination, assigned_to, .. } = row;
    let assigned = assigned_to.as_deref().unwrap_or_default();
    format!("{status}/{classification}/{determination}/{assigned}")
}

/// Whether the change sets properties, beside commenting.
#[must_use]
pub const fn sets_something(parameters: &Parameters) -> bool {
    parameters.status.is_some()
        || parameters.classification.is_some()
        || parameters.determination.is_some()
        || parameters.assigned_to.is_some()
}

/// Whether every property that the change sets is set.
#[must_use]
pub fn is_set(parameters: &Parameters, row: &AlertRow) -> bool {
    let same =
        |wanted: &Option<String>, read: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(read);
    same(&parameters.status, &|text| AlertStatus::from_wire(text) == row.status)
        && same(&parameters.classification, &|text| {
            Classification::read(Some(text)) == row.classification
        })
        && same(&parameters.determination, &|text| {
            Determination::read(Some(text)) == row.determination
        })
        && same(&parameters.assigned_to, &|text| {
            row.assigned_to.as_deref().unwrap_or_default().eq_ignore_ascii_case(text)
        })
}

/// Whether the change's comment is there, or it has none.
#[must_use]
pub fn is_commented(parameters: &Parameters, comments: &[Arc<str>], own: Own<'_>) -> bool {
    parameters.comment.is_none() || comments.iter().any(|comment| own.wrote(comment))
}

/// The last look before `part` of the change is sent, or the look for it after a lost answer.
#[must_use]
pub fn before(change: &Change, part: Part, row: Option<&AlertRow>, own: Own<'_>) -> Before {
    let Some(row) = row else { return Before::Moved(Reason::new("alert-gone")) };
    let parameters = &change.parameters;
    let set = is_set(parameters, row);
    if set && is_commented(parameters, &row.comments, own) {
        return Before::AlreadySo(Reason::new("set-since").with("value", value(row)));
    }
    let expected = match part {
        // The comment follows our own update: what is expected is what we set.
        Part::Comment if sets_something(parameters) => set,
        Part::Comment | Part::Patch | Part::Action | Part::Cancel => is_as_expected(change, row),
    };
    if expected {
        return Before::Unmoved;
    }
    let reason = Reason::new("alert-changed")
        .with("expected", change.expects.value.as_str())
        .with("found", value(row))
        .with("updated", row.updated.to_string());
    Before::Moved(reason)
}

fn is_as_expected(change: &Change, row: &AlertRow) -> bool {
    let evidence = change.expects.evidence.as_deref().and_then(|text| text.parse().ok());
    let unchanged = evidence.is_none_or(|seen: Timestamp| seen == row.updated);
    unchanged && value(row).eq_ignore_ascii_case(&change.expects.value)
}
