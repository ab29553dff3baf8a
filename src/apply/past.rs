//! What a run has come to: change by change, for the plan that undoes it; and as a whole, for going on.
//!
//! The journal says what was sent and how it ended as far as the run saw; a run that was stopped or
//! killed leaves some open. Whether those took effect since, the planner finds in the tenant, where
//! each action carries the mark of its change. Called by `cli::commands::undo`
//! and `drive::apply::folder`.

use std::collections::{BTreeMap, BTreeSet};

use crate::apply::journal::audit::End;
use crate::apply::journal::{Entry, JournalEntry};
use crate::apply::outcome::Outcome;
use crate::model::ChangeId;
use crate::plan::file::Begun;
use crate::plan::types::TargetKind;
use crate::plan::undo::{Past, PastChange, Standing};
use crate::plan::{Change, Plan};

/// The run of this plan, as its journal tells it. Of one without an end, killed or cut off, nothing says
/// that a change of a device was not sent: the tenant is asked for all that did not end.
#[must_use]
pub fn past(run: &str, plan: &Plan, entries: &[JournalEntry], end: End) -> Past {
    let mut sent: BTreeSet<&ChangeId> = BTreeSet::new();
    let mut ended: BTreeMap<&ChangeId, Outcome> = BTreeMap::new();
    for entry in entries {
        match &entry.entry {
            Entry::Intent { change, .. } => drop(sent.insert(change)),
            Entry::Outcome { change, ended: end } => drop(ended.insert(change, end.outcome)),
            _ => {}
        }
    }
    let standing = |change: &Change| match ended.get(&change.id) {
        Some(Outcome::Done) => Standing::Done,
        Some(Outcome::AlreadySo | Outcome::Refused | Outcome::NotAttempted) => Standing::Nothing,
        _ if sent.contains(&change.id) => Standing::Open,
        // An action carries the mark of its change; of an alert nobody could tell who set it.
        _ if end == End::None && change.target.kind == TargetKind::Device => Standing::Open,
        _ => Standing::Nothing,
    };
    let change =
        |change: &Change| PastChange { standing: standing(change), change: change.clone() };
    Past { run: run.to_owned(), changes: plan.changes.iter().map(change).collect() }
}

/// What the journal says of a run that goes on.
#[must_use]
pub fn begun(entries: &[JournalEntry]) -> Begun {
    let withheld = entries.iter().rev().find_map(|line| match &line.entry {
        Entry::Resumed { withheld, .. } => withheld.clone(),
        _ => None,
    });
    let life = entries.rsplit(|line| matches!(line.entry, Entry::Resumed { .. })).next();
    let mut life = life.unwrap_or_default().iter();
    let paused = life.any(|line| matches!(line.entry, Entry::WavePaused { .. }));
    Begun { last: entries.last().map(|line| line.time), paused, withheld }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::Ended;
    use crate::apply::journal::{Chain, Part};
    use crate::plan::types::Reason;
    use crate::plan::undo::Standing::{Done, Nothing, Open};

    #[test]
    fn what_was_sent_and_did_not_end_well_stays_open() {
        let plan = crate::report::plan::tests::samples::busy();
        let ids: Vec<ChangeId> = plan.changes.iter().take(7).map(|it| it.id.clone()).collect();
        let intent =
            |at: usize| Entry::Intent { change: ids[at].clone(), part: Part::Action, attempt: 1 };
        let outcome = |at: usize, outcome| Entry::Outcome {
            change: ids[at].clone(),
            ended: Ended::plain(outcome),
        };
        let list = [
            intent(0),
            outcome(0, Outcome::Done),
            outcome(1, Outcome::AlreadySo),
            intent(2),
            intent(3),
            outcome(3, Outcome::PendingOffline),
            intent(4),
            outcome(4, Outcome::Refused),
            intent(5),
            outcome(5, Outcome::NotAttempted),
        ];
        let mut chain = Chain::default();
        let at: jiff::Timestamp = "2026-11-23T10:02:00Z".parse().unwrap();
        let entries: Vec<JournalEntry> =
            list.into_iter().map(|entry| chain.line(at, entry).unwrap().1).collect();
        for (end, unsent) in [(End::Stopped, Nothing), (End::None, Open)] {
            let past = past("20261123T100200Z-7f3c9a", &plan, &entries, end);
            assert_eq!(past.changes.len(), plan.changes.len());
            let found: Vec<Standing> = past.changes.iter().take(7).map(|it| it.standing).collect();
            assert_eq!(found, [Done, Nothing, Open, Open, Nothing, Nothing, unsent]);
        }
    }

    #[test]
    fn a_run_waits_for_a_person_until_it_is_resumed() {
        let line = |seq: u64, entry: Entry| JournalEntry {
            seq,
            time: jiff::Timestamp::from_second(i64::try_from(seq).unwrap()).unwrap(),
            prev: String::new(),
            entry,
            hash: None,
        };
        let (tenant, policy) = ("contoso".to_owned(), "IsolationSet/ir".to_owned());
        let pause = Entry::WavePaused { tenant, policy, wave: 2 };
        let resumed = |withheld| Entry::Resumed { tool: "palisade".to_owned(), withheld };
        let stale = || Some(Reason::new("stale"));
        for (entries, paused, withheld) in [
            (vec![], false, None),
            (vec![pause.clone()], true, None),
            (vec![pause.clone(), resumed(None)], false, None),
            (vec![pause.clone(), resumed(None), pause.clone()], true, None),
            (vec![pause.clone(), resumed(stale()), resumed(None)], false, stale()),
        ] {
            let lines: Vec<_> = (0..).zip(entries).map(|(seq, entry)| line(seq, entry)).collect();
            let found = begun(&lines);
            assert_eq!(found.last, lines.last().map(|line| line.time));
            assert_eq!((found.paused, found.withheld), (paused, withheld), "{lines:?}");
        }
    }
}
