//! After every run: its outcomes add up and tell the truth, and its journal reads back.

use jiff::{SignedDuration, Timestamp};
use palisade::apply::journal::JournalEntry;
use palisade::apply::{Ended, Outcome, Summary};
use palisade::model::{ActionStatus, Verb};
use palisade::plan::Change;

use super::reference::{Truth, is_of, marked};
use super::runs::Run;
use super::world::World;
use super::{Broken, Check, freezes, on_edits, on_undo, on_waves};

/// Longer than every wait of a run on one device after another.
const LONGEST: SignedDuration = SignedDuration::from_hours(8);

pub(super) fn check(
    world: &mut World,
    site: usize,
    run: &mut Run,
    summary: Option<&Summary>,
    began: Timestamp,
) -> Check {
    let entries = run.memory.revive();
    on_edits::check(world)?;
    freezes::check(world, site, run, summary)?;
    on_waves::check(world, run, &entries, summary)?;
    let Some(summary) = summary else {
        world.count("killed");
        return Ok(());
    };
    let took = world.clock.now().duration_since(began);
    if took > LONGEST {
        return Err(Broken::new(9, format!("a run took {took:#}")));
    }
    let counted: u32 = summary.counts.values().sum();
    let planned = run.plan.changes.iter().map(|change| &change.id);
    if counted as usize != run.plan.changes.len() || !planned.eq(planned_order(run, summary)) {
        return Err(Broken::new(5, format!("outcomes do not add up: {summary:?}")));
    }
    if entries.is_empty() {
        return Err(Broken::new(7, "a run that ended has no journal".to_owned()));
    }
    told_again(run, &entries, summary)?;
    world.count(if summary.stopped.is_some() { "stopped" } else { "ended" });
    for change in &run.plan.changes {
        let ended = &summary.outcomes[&change.id];
        world.count(ended.outcome.word());
        if summary.stopped.is_none() && change.verb == Verb::Classify {
            on_edits::outcome(world, site, change, ended)?;
        } else if summary.stopped.is_none() {
            let id = world.sites[site].id;
            world.truth(|truth| outcome(truth, id, change, ended))?;
        }
    }
    on_undo::restored(world, site, run, summary)
}

/// What the journal tells afterwards is what the run told itself; how long it has waited for an action
/// stands in no journal.
fn told_again(run: &Run, entries: &[JournalEntry], summary: &Summary) -> Check {
    let again = palisade::report::runs::standing(&run.plan, entries);
    for (id, ended) in &summary.outcomes {
        let later = &again.outcomes[id];
        let waits = [ended.outcome, later.outcome].iter().all(|it| {
            matches!(it, Outcome::PendingOffline | Outcome::TimedOut | Outcome::UnderWay)
        });
        if later.outcome != ended.outcome && !waits {
            let about = entries.iter().filter(|line| line.entry.change() == Some(id));
            let said: Vec<_> = about.map(|line| &line.entry).collect();
            let what = format!("{ended:?}, and by the journal {later:?}: {said:?}");
            return Err(Broken::new(5, what));
        }
    }
    Ok(())
}

/// The plan's changes that have an outcome, in the plan's order.
fn planned_order<'r>(
    run: &'r Run,
    summary: &'r Summary,
) -> impl Iterator<Item = &'r palisade::model::ChangeId> {
    let changes = run.plan.changes.iter().map(|change| &change.id);
    changes.filter(|id| summary.outcomes.contains_key(*id))
}

/// An outcome is what is the case.
fn outcome(truth: Truth<'_>, site: &str, change: &Change, ended: &Ended) -> Check {
    let lie = |what: &str| Err(Broken::new(5, format!("{what}: {ended:?} of {change:?}")));
    let id = change.id.to_string();
    let own =
        truth.0.actions().iter().find(|action| marked(action).is_some_and(|m| m.change == id));
    match (change.verb, ended.outcome) {
        (Verb::Cancel, Outcome::Done) => {
            let wanted = change.parameters.action_id.as_deref().unwrap_or_default();
            let row = truth.0.find_action(wanted).and_then(|row| truth.0.action(row));
            if row.is_none_or(|action| action.status != ActionStatus::Cancelled) {
                return lie("it was not cancelled");
            }
        }
        (_, Outcome::Done) => {
            let stands = ended.action.as_ref().and_then(|id| truth.0.find_action(id.as_str()));
            let action = stands.and_then(|row| truth.0.action(row));
            let Some(action) = action.filter(|action| is_of(action, site)) else {
                return lie("no action of ours stands for it");
            };
            if action.status != ActionStatus::Succeeded {
                return lie("its action did not succeed");
            }
        }
        (_, Outcome::NotAttempted | Outcome::Refused) if own.is_some() => {
            return lie("it was done all the same");
        }
        (_, Outcome::PendingOffline) if own.is_none() && ended.action.is_none() => {
            return lie("nothing is pending");
        }
        _ => {}
    }
    Ok(())
}
