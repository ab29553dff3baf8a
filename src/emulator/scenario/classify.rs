//! `classify`: somebody works on an alert, in the portal or by another program.
//!
//! Called by `parse` and, when the line's time has come, by the emulator. The words are Graph's.

use std::sync::Arc;

use jiff::Timestamp;

use super::line::Words;
use crate::emulator::dates;
use crate::emulator::tenant::{Comment, Tenant};
use crate::model::{AlertStatus, Classification, Determination};

/// What somebody does to an alert; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Classify {
    actor: String,
    alert: String,
    status: Option<AlertStatus>,
    classification: Option<Classification>,
    determination: Option<Determination>,
    /// `nobody` is nobody.
    assigned_to: Option<String>,
    comment: Option<String>,
}

impl Classify {
    /// `ACTOR ALERT [status WORD] [classification WORD] [determination WORD] [assigned-to WHO]
    /// [comment TEXT]`
    pub(super) fn read(words: &mut Words) -> Result<Self, String> {
        let actor = words.need("who acts")?;
        let alert = words.need("an alert")?;
        let mut read = Self { actor, alert, ..Self::default() };
        let mut said = false;
        while let Some(name) = words.next() {
            said = true;
            let value = words.need("a value")?;
            let unknown = || format!("`{value}` is no {name}");
            match name.as_str() {
                "status" => read.status = Some(AlertStatus::parse(&value).ok_or_else(unknown)?),
                "classification" => {
                    read.classification = Some(Classification::parse(&value).ok_or_else(unknown)?);
                }
                "determination" => {
                    read.determination = Some(Determination::parse(&value).ok_or_else(unknown)?);
                }
                "assigned-to" => read.assigned_to = Some(value),
                "comment" => read.comment = Some(value),
                other => {
                    return Err(format!(
                        "`{other}` is not one of status, classification, determination, assigned-to, comment"
                    ));
                }
            }
        }
        if said { Ok(read) } else { Err("what is done to the alert is missing".to_owned()) }
    }

    /// The alert's id.
    pub(super) fn alert(&self) -> &str {
        &self.alert
    }

    /// Does it.
    pub(super) fn carry_out(self, tenant: &mut Tenant, at: Timestamp) {
        let Some(row) = tenant.find_alert(&self.alert) else { return };
        let (by, at) = (self.actor, dates::whole_ticks(at));
        tenant.edit_alert(row, &by, at, |alert| {
            if let Some(status) = self.status {
                alert.set_status(status, at);
            }
            alert.classification = self.classification.unwrap_or(alert.classification);
            alert.determination = self.determination.unwrap_or(alert.determination);
            if let Some(who) = self.assigned_to {
                alert.assigned_to = (who != "nobody").then(|| Arc::from(who));
            }
            if let Some(text) = self.comment {
                alert.comments.push(Comment { text: Arc::from(text), by: Arc::from(&*by), at });
            }
        });
    }
}
