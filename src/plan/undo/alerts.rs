//! An alert of an undone run: its values go back while they are those that the run set.
//!
//! Called by `undo`. Comments stay, and one that says so is added.

use crate::inventory::{AlertRow, What};
use crate::model::{
    AlertId, AlertStatus, Classification, Determination, Facet, PolicyName, UnknownReason, Verb,
};
use crate::plan::alerts::{self, verdict};
use crate::plan::order::{Order, Proposal};
use crate::plan::types::{Change, Disposition, Parameters, Reason, Risk};
use crate::plan::undo::{Case, Standing, Verdict};

impl Case<'_> {
    pub(super) fn alert(&self) -> Option<Verdict> {
        let inventory = self.scene.inventory;
        let Some(alert) = inventory.alert(&AlertId::from(self.change.target.id.as_str())) else {
            if inventory.is_partial(What::Alerts) {
                let what = What::Alerts.word().into();
                return Some(self.unknown(&UnknownReason::ReadFailed { what }));
            }
            return Some(self.row(Disposition::Unknown, Reason::new("alert-gone"), None));
        };
        let now = alerts::value_of(alert);
        let Change { from, to, .. } = self.change;
        if from == to {
            // A comment was all there was.
            return (self.standing == Standing::Done).then(|| self.no_inverse());
        }
        if now == *from {
            let undone = alert.comments.iter().any(|comment| self.is_undone_by(comment));
            return undone.then(|| self.undone(alert.updated));
        }
        if now != *to {
            return Some(self.moved(None, alert.updated, &now));
        }
        let Some(parameters) = before(self.change) else {
            return Some(self.no_inverse());
        };
        Some(self.reclassify(alert, now, parameters))
    }

    fn reclassify(&self, alert: &AlertRow, now: String, parameters: Parameters) -> Verdict {
        let judges = parameters.classification.is_some() || parameters.determination.is_some();
        let text = if judges { verdict::undone(&self.text()) } else { self.text() };
        let rule = self.change.because.first().map_or("", |why| why.name.as_str());
        let change = self.scene.change(Order {
            verb: Verb::Classify,
            facet: Facet::Classification,
            target: self.change.target.clone(),
            from: now,
            to: self.change.from.clone(),
            parameters,
            lease_end: None,
            because: self.change.because.clone(),
            reason: Some(self.reason()),
            risk: Risk::Low,
            evidence: Some(alert.updated.to_string()),
            expects: None,
            policy: PolicyName::from(rule),
            text: Some(text),
        });
        Verdict::Do(Box::new(Proposal { change, device: None, adds: false }))
    }
}

/// The values that the change set, as they were before; none when they cannot be told.
fn before(change: &Change) -> Option<Parameters> {
    let mut parts = change.from.splitn(4, '/');
    let mut part = || parts.next();
    let status = AlertStatus::parse(part()?)?;
    let classification = Classification::parse(part()?)?;
    let determination = Determination::parse(part()?)?;
    let assigned_to = part()?;
    let set = &change.parameters;
    if set.status.is_some() && status == AlertStatus::Unknown {
        return None;
    }
    // The service clears what does not fit a new classification: the pair goes together.
    let verdict = set.classification.is_some() || set.determination.is_some();
    Some(Parameters {
        status: set.status.as_ref().map(|_| status.wire().to_owned()),
        classification: verdict.then(|| classification.wire().to_owned()),
        determination: verdict.then(|| determination.wire().to_owned()),
        // An empty one unassigns.
        assigned_to: set.assigned_to.as_ref().map(|_| assigned_to.to_owned()),
        ..Parameters::default()
    })
}
