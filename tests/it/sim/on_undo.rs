//! Undoing a run: the plan takes back what the run did and nothing else, and afterwards the devices
//! are as they were before the run.
//!
//! What "before" was is read off the tenant's own history: the state that the run's action met.

use palisade::apply::{Outcome, Summary};
use palisade::emulator::tenant::Action;
use palisade::inventory::Inventory;
use palisade::model::{ActionStatus, Verb};
use palisade::plan::undo::Past;
use palisade::plan::{Change, Circumstances, Disposition, Entry, Plan, Purpose};

use super::on_plans::{Scene, side_of};
use super::reference::{Side, Truth, is_of, marked, strength};
use super::runs::Run;
use super::transition::Course;
use super::world::World;
use super::{Broken, Check, on_edits};

/// How an undoing begins its comments.
const WORDS: &str = "undo of ";

/// Until when that lasts which an undoing put back.
pub(super) fn put_back_until(action: &Action) -> Option<jiff::Timestamp> {
    action.comment.starts_with(WORDS).then(|| until(action)).flatten()
}

/// Whether an undoing of ours wrote it.
pub(super) fn is_undoing(action: &Action) -> bool {
    action.comment.starts_with(WORDS)
}

/// The end that the marker of a comment names.
pub(super) fn until(action: &Action) -> Option<jiff::Timestamp> {
    let (_, end) = action.comment.strip_suffix(']')?.rsplit_once(" until ")?;
    end.parse().ok()
}

impl World {
    /// Plans the undoing of one of the last runs and applies it.
    pub(super) async fn undo(&mut self, site: usize, back: usize, course: &Course) -> Check {
        let Some(past) = nth(self, site, back) else { return Ok(()) };
        self.count("undoings planned");
        let around = Circumstances { purpose: Purpose::Undo(past), ..Circumstances::default() };
        let Some(review) = self.plan(site, around).await? else { return Ok(()) };
        let Some(run) = self.begin(site, review).await? else { return Ok(()) };
        self.count("undoings begun");
        self.live(vec![(site, run, course)]).await.map(drop)
    }
}

/// One of the last runs of a workspace: so many before the last.
pub(super) fn nth(world: &World, site: usize, back: usize) -> Option<Past> {
    let past = &world.sites[site].past;
    past.iter().rev().nth(back % past.len().max(1)).cloned()
}

/// What takes an action back, as far as it still stands.
#[derive(Debug, PartialEq)]
struct Inverse {
    /// The strength that the device had.
    level: u8,
    /// How long it is to last; none for a release.
    end: Option<jiff::Timestamp>,
}

/// The action of a change, if it succeeded, and the success that it met.
fn done<'t>(
    truth: Truth<'t>,
    site: &str,
    change: &Change,
) -> Option<(u32, Side, &'t Action, Option<&'t Action>)> {
    let (row, side) = (truth.row(&change.target.id)?, side_of(change.facet)?);
    let id = change.id.to_string();
    let own = truth.actions(row, side).find(|action| {
        is_of(action, site) && marked(action).is_some_and(|mark| mark.change == id)
    })?;
    let key = |action: &&Action| (action.updated, action.created);
    let ended = |action: &&Action| action.status == ActionStatus::Succeeded;
    let earlier = truth.actions(row, side).filter(ended).filter(|action| key(action) < key(&own));
    ended(&own).then(|| (row, side, own, earlier.max_by_key(key)))
}

impl Scene<'_> {
    /// The inverse of a change of a past run; none when there is nothing to take back any longer.
    fn inverse(&self, change: &Change) -> Option<(u32, Side, Inverse)> {
        let (row, side, own, before) = done(self.truth, self.site.id, change)?;
        let standing = self.truth.standing(row, side, self.began);
        let last = self
            .truth
            .actions(row, side)
            .filter(|action| action.status == ActionStatus::Succeeded)
            .max_by_key(|action| (action.updated, action.created));
        if side == Side::Scan || last.map(|last| &last.id) != Some(&own.id) {
            return None;
        }
        let level = before.map_or(0, strength);
        if standing.level > 0 {
            // Weaker is reached by a release only, in which the device would be free.
            return (level == 0).then_some((row, side, Inverse { level, end: None }));
        }
        // What is typed in the portal is a person's, and has no end.
        let end = before
            .filter(|action| marked(action).is_some())
            .and_then(until)
            .filter(|end| *end > self.plan.created_at)?;
        (level > 0).then_some((row, side, Inverse { level, end: Some(end) }))
    }

    /// Law 10: what is in the plan is the inverse of something that the run did and that stands.
    pub(super) fn undo_may(&self, past: &Past, change: &Change) -> Check {
        if change.verb == Verb::Classify {
            return self.undo_may_alert(past, change);
        }
        let wrong = |law, what: &str| Err(Broken::new(law, format!("{what}: {change:?}")));
        let place = |item: &Change| (self.truth.became(&item.target.id), item.facet);
        let of_run = past.changes.iter().map(|item| &item.change);
        let Some(undone) = of_run.into_iter().find(|item| place(item) == place(change)) else {
            return wrong(10, "the run did not touch it");
        };
        let Some((row, side)) = self.truth.row(&change.target.id).zip(side_of(change.facet)) else {
            return wrong(4, "no such device");
        };
        let traits = self.truth.traits(row);
        let restricts = matches!(change.verb, Verb::Isolate | Verb::Restrict);
        if restricts && self.site.guard.protects(&traits) {
            return wrong(6, "a protected device");
        }
        if self.exempt(&traits, side) {
            return wrong(6, "an exempt device");
        }
        if !self.truth.is_quiet_since(row, side, self.began) {
            return Ok(());
        }
        if self.truth.in_flight(row, side, self.began).next().is_some() {
            return wrong(4, "an action is in flight");
        }
        let level = match (change.verb, change.parameters.isolation_type.as_deref()) {
            (Verb::Isolate, Some("Selective")) | (Verb::Restrict, _) => 1,
            (Verb::Isolate, _) => 2,
            _ => 0,
        };
        let wanted = self.inverse(undone).map(|(.., inverse)| inverse);
        match wanted == Some(Inverse { level, end: change.lease_end }) {
            true => Ok(()),
            false => wrong(10, &format!("the inverse of {undone:?} is {wanted:?}")),
        }
    }

    /// Law 10: what the run did and what stands is taken back, unless a guardrail holds something.
    pub(super) fn undo_must(&self, past: &Past) -> Check {
        if self.plan.objections.iter().any(|objection| objection.held > 0) {
            return Ok(());
        }
        self.undo_must_alerts(past)?;
        for undone in past.changes.iter().map(|item| &item.change) {
            let Some((row, side, inverse)) = self.inverse(undone) else { continue };
            let quiet = self.truth.is_quiet_since(row, side, self.began)
                && self.truth.in_flight(row, side, self.began).next().is_none();
            let traits = self.truth.traits(row);
            let able = inverse.level == 0 || self.truth.able(row, side, inverse.level);
            let place = |item: &Change| (self.truth.became(&item.target.id), item.facet);
            let planned = self.plan.changes.iter().any(|change| place(change) == place(undone));
            let known =
                self.truth.rows().any(|it| Some(it) == self.truth.became(&undone.target.id));
            if quiet && known && able && !self.exempt(&traits, side) && !planned {
                return Err(Broken::new(10, format!("{inverse:?} is left out: {undone:?}")));
            }
        }
        Ok(())
    }
}

/// Law 5: every change of the run has a row or nothing to take back.
pub(super) fn adds_up(past: &Past, plan: &Plan, inventory: &Inventory) -> Check {
    let lists: [&Vec<Entry>; 6] =
        [&plan.held, &plan.cannot, &plan.unknown, &plan.foreign, &plan.changing, &plan.audit];
    let rows: usize = lists.iter().map(|list| list.len()).sum();
    let unchanged = plan.summary.dispositions.get(&Disposition::Unchanged).copied().unwrap_or(0);
    let counted = rows + plan.changes.len() + unchanged as usize;
    if counted == past.changes.len() && plan.summary.total as usize == counted {
        return Ok(());
    }
    let (devices, summary) = (inventory.len(), &plan.summary);
    let what = format!("{counted} of {} on {devices}: {summary:?}", past.changes.len());
    Err(Broken::new(5, what))
}

/// Law 10: after the undoing the devices are as they were before the run, unless somebody else has
/// acted on them since.
pub(super) fn restored(world: &mut World, site: usize, run: &Run, summary: &Summary) -> Check {
    let Purpose::Undo(past) = &run.purpose else { return Ok(()) };
    let (id, now) = (world.sites[site].id, world.clock.now());
    let (mut restored, mut alerts) = (0, 0_u32);
    let checked = world.truth(|truth| {
        for undone in past.changes.iter().map(|item| &item.change) {
            let taken_back = run.plan.changes.iter().find(|change| {
                let became = |change: &Change| truth.became(&change.target.id);
                // An alert never becomes another.
                let same = change.target.id == undone.target.id
                    || became(change).is_some_and(|row| became(undone) == Some(row));
                same && change.facet == undone.facet
                    && summary.outcomes[&change.id].outcome == Outcome::Done
            });
            let Some(change) = taken_back else { continue };
            if change.verb == Verb::Classify {
                alerts += u32::from(on_edits::is_restored(&world.sites[site], undone, change)?);
            }
            let Some((row, side, _, before)) = done(truth, id, undone) else { continue };
            let standing = truth.standing(row, side, now);
            let own = done(truth, id, change).map(|(.., own, _)| own);
            let touched = truth.actions(row, side).any(|action| {
                own.is_some_and(|own| action.updated > own.updated && action.id != own.id)
            });
            if !touched && standing.level != before.map_or(0, strength) {
                let what = format!("{undone:?} met {before:?}, now {standing:?} after {change:?}");
                return Err(Broken::new(10, what));
            }
            restored += 1;
        }
        Ok(())
    });
    for _ in 0..restored {
        world.count("restored");
    }
    (0..alerts).for_each(|_| world.count("alerts restored"));
    checked
}
