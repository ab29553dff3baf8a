//! Rollouts: who is in which wave, and that no wave begins before the one before it has ended well
//! and baked.
//!
//! The plan is held against the documents, the run against the requests that came and what became
//! of their actions in the tenant.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use palisade::apply::{Entry, JournalEntry, Summary};
use palisade::emulator::tenant::Action;
use palisade::model::{ActionStatus, DeviceValue, Verb};
use palisade::plan::{Change, Plan, Rollout};

use super::on_plans::{Scene, side_of};
use super::reference::{Truth, mark, marked};
use super::runs::{PATIENCE, Run};
use super::settle::concerns;
use super::world::{Site, World};
use super::{Broken, Check, freezes, on_edits, policy};

/// Pairs of devices of which the first went before the second, by workspace and policy.
pub(super) type Order = BTreeMap<(String, String, String), ()>;

fn members<'p>(plan: &'p Plan, rollout: &'p Rollout) -> impl Iterator<Item = &'p Change> {
    plan.changes.iter().filter(|change| change.rollout.as_ref() == Some(&rollout.policy))
}

impl Scene<'_> {
    /// The waves of a plan are those that its policies say.
    pub(super) fn waves(&self) -> Check {
        for rollout in &self.plan.rollouts {
            self.sizes(rollout)?;
        }
        for change in self.plan.changes.iter().filter(|change| change.rollout.is_none()) {
            if self.must_wait(change) {
                return Err(Broken::new(3, format!("it waits for no wave: {change:?}")));
            }
        }
        Ok(())
    }

    fn sizes(&self, rollout: &Rollout) -> Check {
        let wrong = |what: &str| {
            let members: Vec<&Change> = members(self.plan, rollout).collect();
            Err(Broken::new(3, format!("{what}: {rollout:?} of {members:?}")))
        };
        let Some(doc) = doc(self.site, rollout) else { return wrong("no policy says so") };
        let Some(said) = doc.rollout else { return wrong("its policy has no rollout") };
        let high = |change: &&Change| {
            let row = self.truth.row(&change.target.id);
            let machine = row.and_then(|row| self.truth.0.machine(row));
            machine.is_some_and(|machine| machine.value == Some(DeviceValue::High))
        };
        let total = members(self.plan, rollout).count();
        let others = total - members(self.plan, rollout).filter(high).count();
        let mut wanted = said.sizes(total);
        if wanted.len() == 1 && others > 0 && others < total {
            wanted = vec![others, total - others];
        }
        if others > 0 && wanted.len() > 1 && wanted[0] > others {
            *wanted.last_mut().unwrap() += wanted[0] - others;
            wanted[0] = others;
        }
        let count =
            |wave| members(self.plan, rollout).filter(|it| it.wave as usize == wave).count();
        let found: Vec<usize> = (1..=rollout.waves.len()).map(count).collect();
        if found != wanted || found.iter().sum::<usize>() != total {
            return wrong(&format!("waves of {found:?} instead of {wanted:?}"));
        }
        let first = |change: &&Change| change.wave == 1;
        if others > 0 && members(self.plan, rollout).filter(first).any(|change| high(&change)) {
            return wrong("high value goes first");
        }
        if members(self.plan, rollout).any(|change| !takes(change)) {
            return wrong("what gives back waits");
        }
        Ok(())
    }

    /// Whether all that wants it has a rollout: here, one policy alone.
    fn must_wait(&self, change: &Change) -> bool {
        if change.verb == Verb::Classify {
            let by = |slot: usize| change.because.iter().any(|why| why.name == policy::name(slot));
            let mut rules = self.site.docs.iter().filter(|(slot, _)| by(**slot));
            return rules.any(|(_, doc)| doc.rollout.is_some());
        }
        let Some((row, side)) = self.truth.row(&change.target.id).zip(side_of(change.facet)) else {
            return false;
        };
        let traits = self.truth.traits(row);
        let mut wishes = self
            .site
            .docs
            .values()
            .filter(|doc| concerns(doc.kind, side) && !doc.audit && doc.pick.selects(&traits));
        let (first, second) = (wishes.next(), wishes.next());
        takes(change) && second.is_none() && first.is_some_and(|doc| doc.rollout.is_some())
    }
}

fn takes(change: &Change) -> bool {
    matches!(change.verb, Verb::Isolate | Verb::Restrict | Verb::Scan | Verb::Classify)
}

fn doc<'s>(site: &'s Site, rollout: &Rollout) -> Option<&'s policy::Doc> {
    let (_, name) = rollout.policy.split_once('/')?;
    site.docs.iter().find(|(slot, _)| policy::name(**slot) == name).map(|(_, doc)| doc)
}

/// Two devices have the same order in every plan of a policy.
pub(super) fn order(world: &mut World, site: usize, plan: &Plan) -> Check {
    for rollout in &plan.rollouts {
        let policy = format!("{site} {}", rollout.policy);
        let members: Vec<&Change> = members(plan, rollout).collect();
        let high = |change: &Change| change.target.value == Some(DeviceValue::High);
        for first in &members {
            for second in members.iter().filter(|it| it.wave > first.wave) {
                let pair = |a: &Change, b: &Change| {
                    (policy.clone(), a.target.id.clone(), b.target.id.clone())
                };
                if high(first) == high(second) && world.order.contains_key(&pair(second, first)) {
                    let what = format!("{first:?} goes before {second:?}, and went after it");
                    return Err(Broken::new(2, what));
                }
                world.order.insert(pair(first, second), ());
            }
        }
    }
    Ok(())
}

/// Asked after each life of a run.
pub(super) fn check(
    world: &mut World,
    run: &mut Run,
    entries: &[JournalEntry],
    summary: Option<&Summary>,
) -> Check {
    for sent in freezes::sent(world, run).into_iter().chain(on_edits::sent(world, run)) {
        run.sent.entry(sent.change).or_insert(sent.at);
    }
    let stopped = summary.and_then(|summary| summary.stopped.as_ref());
    if stopped.is_some_and(|reason| reason.code == "paused") {
        run.paused.push(run.ended);
        world.count("paused");
    }
    for _ in run.plan.rollouts.iter().filter(|rollout| rollout.waves.len() > 1) {
        world.count("waves");
    }
    let of_alerts = |it: &&Rollout| it.waves.len() > 1 && it.policy.starts_with("AlertRule/");
    for _ in run.plan.rollouts.iter().filter(of_alerts) {
        world.count("waves of alerts");
    }
    let halted = |rollout: &&Rollout| {
        let of = |entry: &JournalEntry| matches!(&entry.entry, Entry::RolloutHalted { policy, .. } if *policy == rollout.policy);
        entries.iter().any(of)
    };
    for _ in run.plan.rollouts.iter().filter(halted) {
        world.count("halted");
    }
    let at_peace = summary.is_some_and(|summary| summary.stopped.is_none()) && !world.faulty;
    world.truth(|truth| {
        for rollout in &run.plan.rollouts {
            let site = world.sites.iter().find(|site| *site.id == *run.plan.workspace);
            waited(truth, run, rollout, site)?;
            let halted = at_peace && halted(&rollout);
            let mut own = members(&run.plan, rollout).filter_map(|change| own(truth, change));
            if let Some(action) = own.find(|action| halted && action.is_active()) {
                let what = format!("the rollout was stopped, and this is pending: {action:?}");
                return Err(Broken::new(3, what));
            }
        }
        Ok(())
    })
}

/// The action of a change.
fn own<'t>(truth: Truth<'t>, change: &Change) -> Option<&'t Action> {
    let (row, id) = (truth.row(&change.target.id)?, change.id.to_string());
    let actions = truth.0.actions_of(row).iter().filter_map(|row| truth.0.action(*row));
    actions.into_iter().find(|action| marked(action).is_some_and(|mark| mark.change == id))
}

/// When a change of an alert set or said something.
fn edited(truth: Truth<'_>, site: Option<&Site>, change: &Change) -> Vec<Timestamp> {
    let (id, row) = (change.id.to_string(), truth.0.find_alert(&change.target.id));
    let Some(alert) = row.and_then(|row| truth.0.alert(row)) else { return Vec::new() };
    let own = |text: &str| mark(text).is_some_and(|mark| mark.change == id);
    let said = alert.comments.iter().filter(|comment| own(&comment.text)).map(|it| it.at);
    let set = site.and_then(|site| site.patched.get(&id)).map(|edit| edit.at);
    said.chain(set).collect()
}

/// No wave began before the one before it had ended, baked and failed no more than it may.
fn waited(truth: Truth<'_>, run: &Run, rollout: &Rollout, site: Option<&Site>) -> Check {
    let sent = |change: &Change| run.sent.get(&change.id.to_string()).copied();
    let bake = SignedDuration::from_secs(i64::try_from(rollout.bake_seconds).unwrap());
    for (number, wave) in (1..).zip(&rollout.waves) {
        let later = members(&run.plan, rollout).filter(|change| change.wave > number);
        let Some(next) = later.filter_map(sent).min() else { break };
        let wrong = |what: String| {
            let what = format!("wave {number} of {rollout:?}, the next at {next}: {what}");
            Err(Broken::new(3, what))
        };
        let before = || members(&run.plan, rollout).filter(|change| change.wave <= number);
        if let Some(late) = before().find(|change| sent(change).is_some_and(|at| at > next)) {
            return wrong(format!("{late:?} came after"));
        }
        let mut edits = before().flat_map(|change| edited(truth, site, change));
        if let Some(at) = edits.find(|at| *at + bake > next) {
            return wrong(format!("not baked: an alert was changed at {at}"));
        }
        let (mut failed, mut pending) = (0, 0);
        for action in before().filter_map(|change| own(truth, change)) {
            let waited_for = action.updated - action.created < PATIENCE;
            if action.is_active() || action.updated > next {
                pending += 1;
            } else if waited_for && action.updated + bake > next {
                return wrong(format!("not baked: {action:?}"));
            } else if waited_for && action.status == ActionStatus::Failed {
                failed += 1;
            }
        }
        if failed > wave.failure_limit {
            return wrong(format!("{failed} had failed"));
        }
        let borne: u32 = rollout.waves[..number as usize].iter().map(|it| it.offline_limit).sum();
        if pending > borne {
            return wrong(format!("{pending} were pending"));
        }
        let last = before().filter_map(sent).max().unwrap_or(Timestamp::MIN);
        if wave.pause && !run.paused.iter().any(|at| *at >= last && *at <= next) {
            return wrong("nobody has gone on".to_owned());
        }
    }
    Ok(())
}
