//! Guardrails: what is done stays within the caps, and a tighter guardrail never adds a change.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use palisade::inventory::Inventory;
use palisade::model::Verb;
use palisade::plan::{Change, Circumstances, Plan, plan as replan};

use super::alerts::TITLES;
use super::guard::Guard;
use super::on_plans::Scene;
use super::policy::{self, Doc, GROUPS, Kind, Pick};
use super::reference::{Side, marked};
use super::rules::is_called;
use super::twins::Record;
use super::world::World;
use super::{Broken, Check};

/// Whether it takes something from a device: what gives back is done at any time.
pub(super) fn takes(change: &Change) -> bool {
    !matches!(change.verb, Verb::Release | Verb::Unrestrict | Verb::Cancel)
}

/// A cap on a share of devices.
pub(super) struct Share {
    pub(super) most: usize,
    /// What the plan isolates.
    pub(super) newly: usize,
    /// What surely is isolated already.
    pub(super) isolated: usize,
}

impl Scene<'_> {
    /// Law 3's other half: what is done stays within the caps.
    pub(super) fn caps(&self) -> Check {
        let guard = &self.site.guard;
        let lifted = |code: &str| self.plan.lifts.iter().any(|lift| lift.code == code);
        let shut = guard.is_shut(self.plan.created_at) && !lifted("freeze-window");
        if let Some(change) = self.plan.changes.iter().find(|change| shut && takes(change)) {
            return Err(Broken::new(3, format!("planned in a freeze window: {change:?}")));
        }
        let isolates = || self.plan.changes.iter().filter(|change| change.verb == Verb::Isolate);
        let count = isolates().count();
        if guard.run.is_some_and(|most| count > most as usize) && !lifted("cap-run") {
            return Err(Broken::new(3, format!("{count} isolations in one run")));
        }
        let day = self.plan.created_at - SignedDuration::from_hours(24);
        let recent = self.truth.0.actions().iter().filter(|action| {
            action.created > day
                && action.created < self.began
                && action.kind == palisade::model::ActionKind::Isolate
                && action.cancellation.is_none()
        });
        let in_a_day = count + recent.count();
        if count > 0
            && guard.day.is_some_and(|most| in_a_day > most as usize)
            && !lifted("cap-rolling")
        {
            return Err(Broken::new(3, format!("{in_a_day} isolations in a day")));
        }
        if let Some(most) = guard.trigger.filter(|_| !lifted("cap-alert-rule")) {
            self.trigger_caps(most as usize)?;
        }
        if let Some(percent) = guard.fleet.filter(|_| !lifted("cap-fleet")) {
            self.share_cap(percent, None)?;
        }
        let group_cap = guard.group.filter(|_| !lifted("cap-group"));
        let mut groups = GROUPS.iter().filter_map(|group| Some((group, group_cap?)));
        groups.try_for_each(|(group, percent)| self.share_cap(percent, Some(group)))
    }

    /// Whoever raises alerts of one title has only so many devices isolated by a policy in a day.
    fn trigger_caps(&self, most: usize) -> Check {
        let day = self.plan.created_at - SignedDuration::from_hours(24);
        for (slot, doc) in &self.site.docs {
            let (Kind::Isolate { .. }, Pick::Alert(title)) = (doc.kind, doc.pick) else { continue };
            let name = policy::name(*slot);
            let planned: BTreeSet<u32> = self
                .plan
                .changes
                .iter()
                .filter(|change| change.verb == Verb::Isolate && self.is_triggered(change, &name))
                .filter_map(|change| self.truth.row(&change.target.id))
                .collect();
            let taken = self.truth.0.actions().iter().filter(|action| {
                let own = marked(action).filter(|mark| mark.site == self.site.id);
                action.created > day
                    && action.created < self.began
                    && action.kind == palisade::model::ActionKind::Isolate
                    && action.cancellation.is_none()
                    && own.is_some_and(|mark| is_called(&mark.policy, &name))
                    && self.truth.traits(action.machine).alerts.iter().any(|it| it == TITLES[title])
            });
            let mut all = planned.clone();
            all.extend(taken.map(|action| action.machine));
            if !planned.is_empty() && all.len() > most {
                let what = format!("{name}: more than {most} because of `{}`", TITLES[title]);
                return Err(Broken::new(3, what));
            }
        }
        Ok(())
    }

    /// Whether that policy is behind an isolation, and all that are ask for alerts.
    fn is_triggered(&self, change: &Change, name: &str) -> bool {
        let behind = |(slot, doc): &(&usize, &Doc)| {
            let full = doc.kind == Kind::Isolate { full: true };
            let level = if full { "full" } else { "selective" };
            matches!(doc.kind, Kind::Isolate { .. })
                && change.to == level
                && change.because.iter().any(|why| why.name == policy::name(**slot))
        };
        let mut behind = self.site.docs.iter().filter(behind);
        behind.clone().any(|(slot, _)| policy::name(*slot) == name)
            && behind.all(|(_, doc)| matches!(doc.pick, Pick::Alert(_)))
    }

    /// Only so many of a group, or of all, are isolated, whoever did it.
    fn share_cap(&self, percent: u32, group: Option<&str>) -> Check {
        let Share { most, newly, isolated } = self.share(percent, group);
        match newly > 0 && newly + isolated > most {
            true => Err(Broken::new(3, format!("more than {most} isolated in {group:?}"))),
            false => Ok(()),
        }
    }

    /// A cap on a share, and what counts towards it when the plan is done.
    pub(super) fn share(&self, percent: u32, group: Option<&str>) -> Share {
        let within = |row: &u32| group.is_none_or(|group| self.truth.traits(*row).group == group);
        let members = || self.truth.members().filter(within);
        let most = (members().count() * percent as usize / 100).max(1);
        let newly = members().filter(|row| {
            let id = self.truth.0.machine(*row).unwrap().id.to_string();
            let isolates = |change: &Change| {
                change.target.id == id && change.verb == Verb::Isolate && change.from == "free"
            };
            self.plan.changes.iter().any(isolates)
        });
        let isolated = members()
            .filter(|row| self.truth.record(*row) == Record::Device)
            .filter(|row| self.truth.is_quiet_since(*row, Side::Network, self.began))
            .filter(|row| self.truth.standing(*row, Side::Network, self.began).level > 0);
        Share { most, newly: newly.count(), isolated: isolated.count() }
    }
}

/// Law 3: a lift gives back what objections of its code held, and nothing else.
pub(super) fn lifted(
    world: &World,
    site: usize,
    plan: &Plan,
    around: &Circumstances,
    inventories: &[Inventory],
) -> Check {
    if around.lifts.is_empty() {
        return Ok(());
    }
    let without = Circumstances { lifts: Vec::new(), ..around.clone() };
    let strict = world.input(site, inventories, &without, replan);
    let strict = strict.map_err(|error| Broken::new(5, format!("no plan: {error}")))?;
    let has = |plan: &Plan, change: &Change| plan.changes.iter().any(|it| it.id == change.id);
    if let Some(lost) = strict.changes.iter().find(|change| !has(plan, change)) {
        return Err(Broken::new(3, format!("a lift takes away {lost:?}")));
    }
    let was_held = |change: &Change| {
        let mut rows = strict
            .held
            .iter()
            .filter(|row| row.target.id == change.target.id && row.facet == change.facet);
        rows.any(|row| around.lifts.iter().any(|lift| lift.code == row.reason.code))
    };
    let mut added = plan.changes.iter().filter(|change| !has(&strict, change));
    match added.find(|change| !was_held(change)) {
        Some(change) => Err(Broken::new(3, format!("{:?} gives {change:?}", around.lifts))),
        None => Ok(()),
    }
}

/// Whether a freeze window has opened since the plan was made that would hold some of it.
pub(super) fn shut_since(plan: &Plan, guard: &Guard, now: Timestamp) -> bool {
    let lifted = plan.lifts.iter().any(|lift| lift.code == "freeze-window");
    let minutes = now.duration_since(plan.created_at).as_mins().min(120);
    let opened = (0..=minutes).map(|minute| now - SignedDuration::from_mins(minute));
    plan.changes.iter().any(takes)
        && !lifted
        && !guard.is_shut(plan.created_at)
        && opened.into_iter().any(|at| at > plan.created_at && guard.is_shut(at))
}

/// Law 3: with tighter guardrails the same plan has fewer changes or the same, beside the cancelling
/// of what would restrict a protected device. Order of the inputs aside, planning is a function.
pub(super) fn tighter(
    world: &mut World,
    site: usize,
    plan: &Plan,
    around: &Circumstances,
    inventories: &[Inventory],
) -> Check {
    let again = world.input(site, inventories, around, replan);
    if again.as_ref() != Ok(plan) {
        return Err(Broken::new(2, "the same input gives another plan".to_owned()));
    }
    let guard = world.sites[site].guard.clone();
    let tight = Guard {
        protects: true,
        run: Some(guard.run.unwrap_or(6).min(3)),
        group: Some(guard.group.unwrap_or(100).min(40)),
        fleet: Some(guard.fleet.unwrap_or(100).min(60)),
        day: guard.day.map(|day| day.saturating_sub(1)),
        trigger: guard.trigger.map(|most| most.saturating_sub(1)),
        window: guard.window.or_else(|| Some(TimeZone::UTC.to_datetime(plan.created_at).hour())),
    };
    let loose = world.tighten(site, &tight);
    let fewer = world.input(site, inventories, around, replan);
    world.sites[site].workspace = loose;
    let fewer = fewer.map_err(|error| Broken::new(5, format!("no plan: {error}")))?;
    let ids: BTreeSet<_> = plan.changes.iter().map(|change| &change.id).collect();
    let spares = |change: &Change| {
        let row = change.target.id.as_str();
        change.verb == Verb::Cancel
            && world
                .truth(|truth| truth.row(row).is_some_and(|row| tight.protects(&truth.traits(row))))
    };
    match fewer.changes.iter().find(|change| !ids.contains(&change.id) && !spares(change)) {
        Some(change) => Err(Broken::new(3, format!("tighter guardrails add {change:?}"))),
        None => Ok(()),
    }
}
