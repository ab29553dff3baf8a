//! Devices: the action history since the observation decides.
//!
//! When the plan was made, every action of the facet on the device had ended, or no change would
//! have been planned; ended actions do not change. So the reading has moved exactly when there is an
//! action newer than the plan's evidence. Posture is the latest *succeeded* action by completion:
//! actions are seen to finish in another order than they were sent.

use jiff::Timestamp;

use crate::apply::judge::{After, Before, Own};
use crate::apply::outcome::Outcome;
use crate::inventory::ActionRow;
use crate::inventory::readings::completion;
use crate::model::{ActionId, ActionKind, ActionStatus, Facet, Isolation, ScanType, Verb};
use crate::plan::types::{Change, Reason};

/// Kinds of actions that move a facet.
#[must_use]
pub fn kinds(facet: Facet) -> &'static [ActionKind] {
    match facet {
        Facet::Isolation => &[ActionKind::Isolate, ActionKind::Unisolate],
        Facet::CodeExecution => {
            &[ActionKind::RestrictCodeExecution, ActionKind::UnrestrictCodeExecution]
        }
        Facet::Scan => &[ActionKind::RunAntiVirusScan],
        Facet::QuarantinedFile
        | Facet::InvestigationPackage
        | Facet::Onboarding
        | Facet::Tags
        | Facet::Value
        | Facet::Classification => &[],
    }
}

/// Actions of the change's facet that are newer than its evidence, oldest first: in the order of
/// creation, then of ids, in which the planner chose the newest as evidence.
///
/// `rows` are actions of the device created at or after `from`; older ones are passed over, so that
/// an old marker never counts.
#[must_use]
pub fn newer<'a>(change: &Change, rows: &[&'a ActionRow], from: Timestamp) -> Vec<&'a ActionRow> {
    let kinds = kinds(change.facet);
    let evidence = change.expects.evidence.as_deref();
    let order = |row: &'a ActionRow| (row.created, &row.id);
    let seen = rows.iter().find(|row| Some(row.id.as_str()) == evidence).map(|row| order(row));
    let mut newer: Vec<&ActionRow> = rows
        .iter()
        .copied()
        .filter(|row| kinds.contains(&row.kind) && row.created >= from)
        .filter(|row| seen.is_none_or(|seen| order(row) > seen))
        .collect();
    newer.sort_by_key(|row| order(row));
    newer
}

/// The last look before the change is sent; `sent` when it was sent before and did not arrive, as it
/// seemed.
#[must_use]
pub fn before(change: &Change, newer: &[&ActionRow], own: Own<'_>, sent: bool) -> Before {
    let Some(last) = newer.last() else { return Before::Unmoved };
    if own.wrote(&last.comment) && Some(&last.kind) == change.verb.action().as_ref() {
        if sent || !last.status.is_terminal() {
            return Before::Ours(Box::new((*last).clone()));
        }
        if last.status == ActionStatus::Succeeded {
            return Before::AlreadySo(seen("applied-before", last));
        }
    }
    if let Some(active) = newer.iter().rev().find(|row| !row.status.is_terminal()) {
        return Before::Moved(seen("action-in-flight", active));
    }
    match placing(change.facet, newer) {
        Some(row) if is_wanted(change, row) => Before::AlreadySo(seen("placed-since", row)),
        Some(row) => Before::Moved(seen("changed-since-plan", row)),
        None => Before::Moved(seen("tried-since", last)),
    }
}

/// An action that stands for the change after a lost or refused answer: ours first, then one of the
/// kind that is active, whoever's it is.
#[must_use]
pub fn standing<'a>(
    change: &Change,
    newer: &[&'a ActionRow],
    own: Own<'_>,
) -> (Option<&'a ActionRow>, Option<&'a ActionRow>) {
    let kind = change.verb.action();
    let of_kind = || newer.iter().rev().copied().filter(|row| Some(&row.kind) == kind.as_ref());
    let ours = of_kind().find(|row| own.wrote(&row.comment));
    let active = of_kind().find(|row| !row.status.is_terminal());
    (ours, active)
}

/// The look at the end. `action` is the one that stands for the change.
#[must_use]
pub fn after(
    change: &Change,
    action: Option<&ActionId>,
    newer: &[&ActionRow],
    own: Own<'_>,
) -> After {
    let ours = match action {
        Some(id) => newer.iter().copied().find(|row| row.id == *id),
        None => standing(change, newer, own).0,
    };
    let Some(ours) = ours else { return After::Absent };
    match ours.status {
        ActionStatus::Succeeded => {}
        ActionStatus::Pending | ActionStatus::InProgress | ActionStatus::Other(_) => {
            return After::Pending(Box::new(ours.clone()));
        }
        ActionStatus::Failed | ActionStatus::TimeOut | ActionStatus::Cancelled => {
            return After::Ended(Box::new(ours.clone()));
        }
    }
    if change.verb == Verb::Scan {
        return After::Verified;
    }
    match placing(change.facet, newer) {
        Some(row) if row.id != ours.id && !is_wanted(change, row) => {
            return After::Different(seen("changed-after", row));
        }
        Some(_) | None => {}
    }
    let against = newer
        .iter()
        .rev()
        .find(|row| !row.status.is_terminal() && Some(&row.kind) != change.verb.action().as_ref());
    match against {
        Some(row) => After::Different(seen("action-in-flight", row)),
        None => After::Verified,
    }
}

/// What an action's state means for its change; nothing while it has not ended.
#[must_use]
pub fn settled(verb: Option<Verb>, status: &ActionStatus) -> Option<Outcome> {
    match (verb, status) {
        (Some(Verb::Cancel), ActionStatus::Cancelled) => Some(Outcome::Done),
        // It ended before the cancelling reached it.
        (Some(Verb::Cancel), status) if status.is_terminal() => Some(Outcome::Moved),
        (_, ActionStatus::Succeeded) => Some(Outcome::Done),
        (_, ActionStatus::TimeOut) => Some(Outcome::TimedOut),
        (_, ActionStatus::Failed | ActionStatus::Cancelled) => Some(Outcome::Failed),
        (_, ActionStatus::Pending | ActionStatus::InProgress | ActionStatus::Other(_)) => None,
    }
}

/// The succeeded action that completed last: it says what is the case.
fn placing<'a>(facet: Facet, rows: &[&'a ActionRow]) -> Option<&'a ActionRow> {
    let kinds = kinds(facet);
    rows.iter()
        .copied()
        .filter(|row| kinds.contains(&row.kind) && row.status == ActionStatus::Succeeded)
        .max_by(|a, b| completion(a).cmp(&completion(b)))
}

/// Whether the state that a succeeded action leaves is the one the change wants.
fn is_wanted(change: &Change, row: &ActionRow) -> bool {
    if Some(&row.kind) != change.verb.action().as_ref() {
        return false;
    }
    match change.verb {
        Verb::Isolate => {
            // `scope` is often null on the wire; the service's default is a full isolation.
            let found = row.isolation.unwrap_or(Isolation::Full);
            let wanted = change.parameters.isolation_type.as_deref().and_then(Isolation::parse);
            wanted.unwrap_or(Isolation::Full) == found
        }
        Verb::Scan => {
            let wanted = change.parameters.scan_type.as_deref().and_then(ScanType::parse);
            row.scan.unwrap_or(ScanType::Quick) >= wanted.unwrap_or(ScanType::Full)
        }
        _ => true,
    }
}

/// The last look at an action before it is cancelled.
#[must_use]
pub fn before_cancel(row: Option<&ActionRow>) -> Before {
    match row {
        None => Before::Moved(Reason::new("action-gone")),
        Some(row) if row.status == ActionStatus::Cancelled => {
            Before::AlreadySo(seen("cancelled-since", row))
        }
        Some(row) if row.status.is_terminal() => Before::Moved(seen("action-ended", row)),
        Some(_) => Before::Unmoved,
    }
}

/// An action as the facts of a reason.
#[must_use]
pub fn seen(code: &str, row: &ActionRow) -> Reason {
    Reason::new(code)
        .with("action", row.id.as_str())
        .with("kind", row.kind.wire())
        .with("status", row.status.wire())
        .with("by", &*row.requestor)
        .with("created", row.created.to_string())
}
