//! How every change of a run's plan stands by its journal alone: what `runs show` tells of a run that was
//! stopped or killed.
//!
//! It says the same as the run said itself when it stopped; of one that was killed nobody else does.
//! Must never tell more than the journal has.

use std::collections::BTreeMap;

use crate::apply::engine::{refusal, refused};
use crate::apply::journal::{Noted, Part};
use crate::apply::judge::alert::sets_something;
use crate::apply::judge::device::settled;
use crate::apply::outcome::COMMENT_MISSING;
use crate::apply::{Ended, Entry, JournalEntry, Outcome, Summary};
use crate::model::{ActionId, ActionStatus, ChangeId, Verb};
use crate::plan::Plan;
use crate::plan::types::{Change, Reason};
use crate::report::runs::summary;

/// How every change of the plan stands by the journal: ended, under way when the run ended, or not
/// begun.
#[must_use]
pub fn standing(plan: &Plan, entries: &[JournalEntry]) -> Summary {
    let Summary { outcomes, stopped, .. } = summary(entries);
    let changes: BTreeMap<&ChangeId, &Change> =
        plan.changes.iter().map(|change| (&change.id, change)).collect();
    let mut standing: BTreeMap<ChangeId, Ended> = BTreeMap::new();
    for JournalEntry { entry, .. } in entries {
        let Some(change) = entry.change().and_then(|id| changes.get(id)) else { continue };
        let before = standing.remove(&change.id);
        standing.extend(after(change, before, entry).map(|ended| (change.id.clone(), ended)));
    }
    let left = || stopped.clone().unwrap_or_else(|| Reason::new("not-begun"));
    for change in &plan.changes {
        let left = || Ended::because(Outcome::NotAttempted, left());
        standing.entry(change.id.clone()).or_insert_with(left);
    }
    standing.extend(outcomes);
    Summary::of(standing, stopped)
}

/// How the change stands after the entry; nothing when nothing of it is under way.
fn after(change: &Change, before: Option<Ended>, entry: &Entry) -> Option<Ended> {
    match entry {
        Entry::Intent { part, .. } => Some(sent(*part, before)),
        Entry::Answer { part, answer, .. } => answered(change, *part, answer, before),
        Entry::Looked { part, found: true, action, .. } => match action {
            Some(action) => Some(pending(action)),
            None if *part == Part::Patch => before,
            None => Some(claimed(None)),
        },
        Entry::Looked { part, absent: true, .. } => unsent(change, *part, before),
        Entry::State { action, status, .. } => {
            // Any other end stands in the journal beside it.
            let outcome = settled(Some(change.verb), &ActionStatus::from_wire(status));
            let done = outcome == Some(Outcome::Done);
            Some(if done { claimed(Some(action)) } else { pending(action) })
        }
        _ => before,
    }
}

fn answered(change: &Change, part: Part, answer: &Noted, before: Option<Ended>) -> Option<Ended> {
    match answer {
        Noted::Accepted { action: Some(action) } => Some(pending(action)),
        Noted::Accepted { action: None }
            if part == Part::Patch && change.parameters.comment.is_some() =>
        {
            unsent(change, Part::Comment, before)
        }
        Noted::Accepted { action: None } => Some(claimed(None)),
        Noted::Throttled | Noted::NotSent { .. } => unsent(change, part, before),
        // A 400 to a cancelling may be of an action that has ended: a resumed run looks.
        Noted::Refused { status, code, message }
            if part != Part::Cancel && !(change.verb == Verb::Cancel && *status == 400) =>
        {
            Some(refused(change, part, refusal(*status, code, message)))
        }
        Noted::AlreadyExists { .. } | Noted::Refused { .. } | Noted::Ambiguous { .. } => before,
    }
}

/// The request has not arrived, and may be sent again.
fn unsent(change: &Change, part: Part, before: Option<Ended>) -> Option<Ended> {
    match part {
        Part::Cancel => Some(uncancelled(before)),
        Part::Comment if sets_something(&change.parameters) => {
            Some(Ended::because(Outcome::UnderWay, Reason::new(COMMENT_MISSING)))
        }
        _ => None,
    }
}

/// A request is on its way, and nobody knows whether it arrived.
fn sent(part: Part, before: Option<Ended>) -> Ended {
    match part {
        Part::Cancel => uncancelled(before),
        _ => Ended::because(Outcome::Failed, Reason::new("answer-lost")),
    }
}

fn pending(action: &ActionId) -> Ended {
    Ended::because(Outcome::UnderWay, Reason::new("not-waited-for")).by(Some(action.clone()))
}

fn claimed(action: Option<&ActionId>) -> Ended {
    Ended::because(Outcome::Done, Reason::new("not-verified")).by(action.cloned())
}

/// An action of a rollout that was stopped, about to be cancelled.
fn uncancelled(before: Option<Ended>) -> Ended {
    let action = before.and_then(|ended| ended.action);
    Ended::because(Outcome::PendingOffline, Reason::new("not-cancelled")).by(action)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::plan::tests::samples;
    use crate::report::runs::tests::{journal, started};

    #[test]
    fn every_change_of_a_stopped_run_is_somewhere() {
        let plan = samples::busy();
        let id = |at: usize| plan.changes[at].id.clone();
        let intent = |at| Entry::Intent { change: id(at), part: Part::Action, attempt: 1 };
        let answer = |at, answer| Entry::Answer { change: id(at), part: Part::Action, answer };
        let list = [
            started(),
            intent(0),
            answer(0, Noted::Accepted { action: Some("a-0".into()) }),
            Entry::Outcome { change: id(0), ended: Ended::plain(Outcome::Done) },
            intent(1),
            answer(1, Noted::Accepted { action: Some("a-1".into()) }),
            intent(2),
            intent(3),
            answer(3, Noted::Throttled),
            Entry::Stopped { reason: Reason::new("paused") },
        ];
        let summary = standing(&plan, &journal(&list));
        let total = u32::try_from(plan.changes.len()).unwrap();
        assert_eq!((summary.total, summary.counts.values().sum::<u32>()), (total, total));
        for (outcome, count) in [
            (Outcome::Done, 1),
            (Outcome::UnderWay, 1),
            (Outcome::Failed, 1),
            (Outcome::NotAttempted, total - 3),
        ] {
            assert_eq!(summary.count(outcome), count, "{outcome:?}");
        }
        let last = summary.outcomes[&id(3)].reason.as_ref().map(|reason| reason.code.as_str());
        assert_eq!(last, Some("paused"));
    }

    #[test]
    fn what_the_last_line_of_a_change_says_is_how_it_stands() {
        let mut change = samples::busy().changes.remove(0);
        change.parameters.comment = Some("said [palisade w/p 0123456789ab]".to_owned());
        change.parameters.status = Some("resolved".to_owned());
        let id = change.id.clone();
        let standing = |change: &Change, list: &[Entry]| {
            let after = |before, entry: &Entry| after(change, before, entry);
            let ended = list.iter().fold(None, after);
            ended.map(|ended| (ended.outcome, ended.action.is_some()))
        };
        let intent = |part| Entry::Intent { change: id.clone(), part, attempt: 1 };
        let answer = |part, answer| Entry::Answer { change: id.clone(), part, answer };
        let accepted = |part| answer(part, Noted::Accepted { action: Some("a".into()) });
        let set = |part| answer(part, Noted::Accepted { action: None });
        let state = |status: &str| Entry::State {
            change: id.clone(),
            action: "a".into(),
            status: status.to_owned(),
        };
        let looked = |part, action: Option<ActionId>, found, absent| Entry::Looked {
            change: id.clone(),
            part,
            found,
            action,
            absent,
        };
        let refused = Noted::Refused { status: 400, code: String::new(), message: String::new() };
        let refusal = |part| answer(part, refused.clone());
        let (action, patch, comment, cancel) =
            (Part::Action, Part::Patch, Part::Comment, Part::Cancel);
        let done = |action| Some((Outcome::Done, action));
        let (lost, under_way) = (Some((Outcome::Failed, false)), Some((Outcome::UnderWay, true)));
        let uncancelled = Some((Outcome::PendingOffline, true));
        let half = Some((Outcome::UnderWay, false));
        let sent = [intent(action), accepted(action)];
        let cancelling = [&sent[..], &[intent(cancel)]].concat();
        let then = |list: &[Entry], entry: Entry| [list, &[entry]].concat();
        for (list, expected) in [
            (vec![intent(action)], lost),
            (then(&[intent(action)], answer(action, Noted::Throttled)), None),
            (then(&[intent(action)], looked(action, None, false, true)), None),
            (then(&[intent(action)], looked(action, None, false, false)), lost),
            (then(&[intent(action)], looked(action, Some("a".into()), true, false)), under_way),
            (then(&sent, state("InProgress")), under_way),
            (then(&sent, state("Succeeded")), done(true)),
            (then(&sent, state("Cancelled")), under_way),
            (vec![intent(patch), set(patch)], half),
            (vec![intent(patch), set(patch), intent(comment)], lost),
            (then(&[intent(comment)], answer(comment, Noted::Throttled)), half),
            (then(&[intent(comment)], looked(comment, None, false, true)), half),
            (then(&[intent(patch)], answer(patch, Noted::Throttled)), None),
            (vec![intent(patch), looked(patch, None, true, false)], lost),
            (vec![intent(comment), set(comment)], done(false)),
            (vec![intent(comment), looked(comment, None, true, false)], done(false)),
            (cancelling.clone(), uncancelled),
            (then(&cancelling, answer(cancel, Noted::Throttled)), uncancelled),
            (then(&cancelling, refusal(cancel)), uncancelled),
            (then(&[intent(action)], refusal(action)), Some((Outcome::Refused, false))),
            (then(&[intent(patch)], refusal(patch)), Some((Outcome::Refused, false))),
            // The verdict was set.
            (then(&[intent(comment)], refusal(comment)), Some((Outcome::Failed, false))),
            (then(&cancelling, looked(cancel, None, false, true)), uncancelled),
            (then(&cancelling, accepted(cancel)), under_way),
        ] {
            assert_eq!(standing(&change, &list), expected, "{list:?}");
        }
        change.parameters.comment = None;
        assert_eq!(standing(&change, &[intent(patch), set(patch)]), done(false));
        change.parameters.status = None;
        assert_eq!(standing(&change, &[intent(comment), answer(comment, Noted::Throttled)]), None);
        change.verb = Verb::Cancel;
        assert_eq!(standing(&change, &then(&[intent(action)], refusal(action))), lost);
        assert_eq!(standing(&change, &then(&sent, state("Cancelled"))), done(true));
        assert_eq!(standing(&change, &then(&sent, state("Succeeded"))), under_way);
    }
}
