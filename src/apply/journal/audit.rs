//! Whether a journal makes sense as the journal of one plan.
//!
//! The chain says that each line is as it was written and follows the one before it (`chain`); this
//! asks what a chain cannot: whether the run is of this plan, whether its counts add up, whether it
//! came to an end. Called by `cli::commands::runs`; must never be lenient towards a journal because
//! a run could go on from it.

use std::collections::BTreeMap;

use crate::apply::journal::{Entry, JournalEntry};
use crate::apply::outcome::Outcome;
use crate::model::ChangeId;
use crate::plan::Plan;

/// What is wrong with a journal whose chain holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its members are")]
pub enum Unfit {
    #[error("the journal does not begin with the start of a run")]
    NoStart,
    #[error("the journal is of run `{found}`, not of run `{expected}`")]
    OtherRun { found: String, expected: String },
    #[error("line {line} of the journal begins the run a second time")]
    SecondStart { line: u64 },
    #[error("the journal is of plan `{found}`, the plan beside it is `{expected}`")]
    OtherPlan { found: String, expected: String },
    #[error("line {line} of the journal names change `{change}`, which the plan does not have")]
    OtherChange { line: u64, change: String },
    #[error("line {line} of the journal comes after the end of the run")]
    AfterEnd { line: u64 },
    #[error("the journal says at its end that {found} changes ended so, its lines say {expected}")]
    Counts { found: u32, expected: u32 },
}

/// How the journal of a plan ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With the end of the run.
    Finished,
    /// With a stop.
    Stopped,
    /// With neither: the run is under way, was killed, or the end was cut off.
    None,
}

/// Reads the entries against the run's name and plan. A journal of earlier versions names no run.
///
/// # Errors
/// The first thing that does not fit.
pub fn audit(run: &str, plan: &Plan, entries: &[JournalEntry]) -> Result<End, Unfit> {
    let first = entries.first().map(|entry| &entry.entry);
    let Some(Entry::Started { plan_hash, run: named, .. }) = first else {
        return Err(Unfit::NoStart);
    };
    if let Some(found) = named.clone().filter(|named| named != run) {
        return Err(Unfit::OtherRun { found, expected: run.to_owned() });
    }
    if *plan_hash != plan.plan_hash {
        let (found, expected) = (plan_hash.clone(), plan.plan_hash.clone());
        return Err(Unfit::OtherPlan { found, expected });
    }
    let mut outcomes: BTreeMap<&ChangeId, Option<Outcome>> =
        plan.changes.iter().map(|change| (&change.id, None)).collect();
    let mut end = End::None;
    for JournalEntry { seq, entry, .. } in entries.iter().skip(1) {
        let line = seq + 1;
        if end == End::Finished {
            return Err(Unfit::AfterEnd { line });
        }
        end = End::None;
        match entry {
            Entry::Started { .. } => return Err(Unfit::SecondStart { line }),
            Entry::Finished { counts, total } => {
                counted(&outcomes, counts, *total)?;
                end = End::Finished;
            }
            Entry::Stopped { .. } => end = End::Stopped,
            Entry::Outcome { change, ended } => {
                *known(&mut outcomes, change, line)? = Some(ended.outcome);
            }
            Entry::Intent { change, .. }
            | Entry::Answer { change, .. }
            | Entry::Looked { change, .. }
            | Entry::State { change, .. } => {
                known(&mut outcomes, change, line)?;
            }
            Entry::Verification { .. }
            | Entry::Resumed { .. }
            | Entry::WaveBegun { .. }
            | Entry::WaveEnded { .. }
            | Entry::WavePaused { .. }
            | Entry::RolloutHalted { .. } => {}
        }
    }
    Ok(end)
}

fn known<'o>(
    outcomes: &'o mut BTreeMap<&ChangeId, Option<Outcome>>,
    change: &ChangeId,
    line: u64,
) -> Result<&'o mut Option<Outcome>, Unfit> {
    let unknown = || Unfit::OtherChange { line, change: change.to_string() };
    outcomes.get_mut(change).ok_or_else(unknown)
}

/// The end of a run says how each of its changes ended; the lines before it say it again.
fn counted(
    outcomes: &BTreeMap<&ChangeId, Option<Outcome>>,
    counts: &BTreeMap<Outcome, u32>,
    total: u32,
) -> Result<(), Unfit> {
    let differ = |found: u32, expected: usize| {
        let expected = u32::try_from(expected).unwrap_or(u32::MAX);
        if found == expected { Ok(()) } else { Err(Unfit::Counts { found, expected }) }
    };
    differ(total, outcomes.values().flatten().count())?;
    differ(total, outcomes.len())?;
    for outcome in Outcome::ALL {
        let found = counts.get(outcome).copied().unwrap_or(0);
        differ(found, outcomes.values().filter(|ended| **ended == Some(*outcome)).count())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::Ended;
    use crate::apply::journal::{Chain, Part};
    use crate::plan::types::Reason;

    fn journal(list: Vec<Entry>) -> Vec<JournalEntry> {
        let mut chain = Chain::default();
        let at: jiff::Timestamp = "2026-11-23T10:02:00Z".parse().unwrap();
        list.into_iter().map(|entry| chain.line(at, entry).unwrap().1).collect()
    }

    #[test]
    fn a_journal_is_read_against_its_plan() {
        let mut plan = crate::report::plan::tests::samples::busy();
        plan.changes.truncate(2);
        let ids: Vec<ChangeId> = plan.changes.iter().map(|change| change.id.clone()).collect();
        let named = |hash: &str, run: Option<&str>| Entry::Started {
            format_version: 1,
            run: run.map(str::to_owned),
            plan_hash: hash.to_owned(),
            tool: String::new(),
            workspace: String::new(),
            tenants: BTreeMap::new(),
            changes: 2,
            lifts: Vec::new(),
        };
        let start = |hash: &str| named(hash, None);
        let own = || start(&plan.plan_hash);
        let of_run = |run: &str| named(&plan.plan_hash, Some(run));
        let done = |id: &ChangeId| Entry::Outcome {
            change: id.clone(),
            ended: Ended::plain(Outcome::Done),
        };
        let (a, b) = (done(&ids[0]), done(&ids[1]));
        let end = |done: u32| Entry::Finished { counts: [(Outcome::Done, done)].into(), total: 2 };
        let stop = || Entry::Stopped { reason: Reason::new("interrupted") };
        let resumed = || Entry::Resumed { tool: String::new(), withheld: None };
        let strange = Entry::Intent { change: "ffff".into(), part: Part::Action, attempt: 1 };
        for (list, expected) in [
            (vec![own(), a.clone(), b.clone(), end(2)], Ok(End::Finished)),
            (vec![own(), a.clone(), stop()], Ok(End::Stopped)),
            (vec![own(), stop(), resumed(), a.clone()], Ok(End::None)),
            (vec![], Err(Unfit::NoStart)),
            (vec![a.clone(), own()], Err(Unfit::NoStart)),
            (vec![own(), own()], Err(Unfit::SecondStart { line: 2 })),
            (vec![of_run("20261123T100200Z-7f3c9a")], Ok(End::None)),
            (
                vec![of_run("20261123T110000Z-7f3c9a")],
                Err(Unfit::OtherRun {
                    found: "20261123T110000Z-7f3c9a".into(),
                    expected: "20261123T100200Z-7f3c9a".into(),
                }),
            ),
            (
                vec![start("00")],
                Err(Unfit::OtherPlan { found: "00".into(), expected: plan.plan_hash.clone() }),
            ),
            (vec![own(), strange], Err(Unfit::OtherChange { line: 2, change: "ffff".into() })),
            (vec![own(), a.clone(), end(2)], Err(Unfit::Counts { found: 2, expected: 1 })),
            (
                vec![own(), a.clone(), b.clone(), end(1)],
                Err(Unfit::Counts { found: 1, expected: 2 }),
            ),
            (
                vec![own(), a.clone(), b.clone(), end(2), resumed()],
                Err(Unfit::AfterEnd { line: 5 }),
            ),
        ] {
            assert_eq!(
                audit("20261123T100200Z-7f3c9a", &plan, &journal(list.clone())),
                expected,
                "{list:?}"
            );
        }
    }
}
