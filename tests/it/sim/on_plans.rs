//! After every plan: it wants only what it may and all that it must.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use palisade::inventory::{Inventory, What};
use palisade::model::{DeviceId, Facet, Verb};
use palisade::plan::file::{CheckedPlan, PlanFileError};
use palisade::plan::{Change, Circumstances, Disposition, Entry, Plan, Purpose};

use super::guard::Guard;
use super::policy::{Doc, Kind, Traits};
use super::reference::{Side, Truth, mark, marked};
use super::settle::{concerns, is_wanted};
use super::world::{Site, World};
use super::{
    Broken, Check, accepts, by_hand, on_alerts, on_guards, on_reads, on_undo, on_waves, twins,
};

/// How long a plan may be applied.
const VALID: SignedDuration = SignedDuration::from_mins(30);

pub(super) fn plan(
    world: &mut World,
    site: usize,
    plan: &Plan,
    around: &Circumstances,
    inventories: &[Inventory],
    began: Timestamp,
) -> Check {
    let inventory = &inventories[0];
    match &around.purpose {
        Purpose::Undo(past) => on_undo::adds_up(past, plan, inventory)?,
        _ => {
            let alerts =
                world.truth(|truth| on_alerts::in_scope(truth, &world.sites[site], inventory));
            adds_up(&world.sites[site], plan, inventory, alerts)?;
        }
    }
    world.truth(|truth| {
        let scene = Scene { truth, site: &world.sites[site], began, plan };
        plan.changes.iter().try_for_each(|change| match &around.purpose {
            Purpose::Undo(past) => scene.undo_may(past, change),
            _ => scene.may(change).and_then(|()| scene.let_go_may(change)),
        })?;
        twins::plan(truth, plan, inventory)?;
        scene.caps()?;
        if matches!(around.purpose, Purpose::Policies) {
            scene.alerts(inventory)?;
        }
        match &around.purpose {
            _ if !inventory.is_complete() => scene.partial(inventory),
            Purpose::Undo(past) => scene.undo_must(past),
            _ => scene
                .must()
                .and_then(|()| scene.spent_truly())
                .and_then(|()| scene.let_go_must())
                .and_then(|()| scene.watched())
                .and_then(|()| scene.waves()),
        }
    })?;
    by_hand::tally(world, plan);
    on_alerts::count(world, plan);
    accepts::count(world, plan);
    on_waves::order(world, site, plan)?;
    on_guards::lifted(world, site, plan, around, inventories)?;
    // These cost more than the rest together; some of the plans show as much as all of them.
    let turn = plan.changes.len() + world.seen.requests();
    match turn % 4 {
        0 => on_reads::file(plan, turn),
        1 => on_guards::tighter(world, site, plan, around, inventories),
        _ => Ok(()),
    }
}

/// Law 5: every device and facet in scope has exactly one disposition.
fn adds_up(site: &Site, plan: &Plan, inventory: &Inventory, alerts: usize) -> Check {
    let lists: [&Vec<Entry>; 6] =
        [&plan.held, &plan.cannot, &plan.unknown, &plan.foreign, &plan.changing, &plan.audit];
    let rows = || lists.into_iter().flatten();
    let mut named = BTreeSet::new();
    let mut facets = BTreeSet::new();
    let targets = plan.changes.iter().map(|change| (&change.target.id, change.facet));
    for (id, facet) in targets.chain(rows().map(|row| (&row.target.id, row.facet))) {
        facets.insert(facet);
        if !named.insert((id, facet)) {
            return Err(Broken::new(5, format!("two dispositions: {id} {facet}")));
        }
    }
    for doc in site.docs.values() {
        if let Kind::Accepted(accepted) = doc.kind {
            let lasts = accepts::ends(doc) > plan.created_at;
            facets.extend(accepted.facets().filter(|_| lasts));
        }
        facets.extend(match doc.kind {
            Kind::Isolate { .. } => Some(Facet::Isolation),
            Kind::Restrict => Some(Facet::CodeExecution),
            Kind::Scan { .. } => Some(Facet::Scan),
            Kind::Exempt | Kind::Alerts(_) | Kind::Accepted(_) => None,
        });
    }
    let missing = rows().filter(|row| row.reason.code == "device-missing").count();
    facets.remove(&Facet::Classification);
    let expected = facets.len() * inventory.len() + missing + alerts;
    let unchanged = plan.summary.dispositions.get(&Disposition::Unchanged).copied().unwrap_or(0);
    let counted = named.len() + unchanged as usize;
    if counted != expected || plan.summary.total as usize != expected {
        let what = format!("{counted} dispositions of {expected}: {:?}", plan.summary);
        return Err(Broken::new(5, what));
    }
    Ok(())
}

/// A plan beside the truth of the instant at which its observation began.
pub(super) struct Scene<'s> {
    pub(super) truth: Truth<'s>,
    pub(super) site: &'s Site,
    pub(super) began: Timestamp,
    pub(super) plan: &'s Plan,
}

pub(super) fn side_of(facet: Facet) -> Option<Side> {
    match facet {
        Facet::Isolation => Some(Side::Network),
        Facet::CodeExecution => Some(Side::Code),
        Facet::Scan => Some(Side::Scan),
        _ => None,
    }
}

impl Scene<'_> {
    pub(super) fn exempt(&self, traits: &Traits, side: Side) -> bool {
        self.site.docs.values().any(|doc| {
            accepts::exempts(doc, side)
                && doc.pick.selects(traits)
                && accepts::ends(doc) > self.plan.created_at
        })
    }

    /// What a change must never be.
    fn may(&self, change: &Change) -> Check {
        let (truth, began) = (self.truth, self.began);
        let wrong = |law, what: &str| Err(Broken::new(law, format!("{what}: {change:?}")));
        if change.verb == Verb::Classify {
            // `on_alerts` looks at all of them together.
            return Ok(());
        }
        let (Some(row), Some(side)) = (truth.row(&change.target.id), side_of(change.facet)) else {
            return wrong(4, "no such device");
        };
        let traits = truth.traits(row);
        let restricts = matches!(change.verb, Verb::Isolate | Verb::Restrict);
        if restricts && self.site.guard.protects(&traits) {
            return wrong(6, "a protected device");
        }
        if change.verb != Verb::Cancel && self.exempt(&traits, side) {
            return wrong(6, "an exempt device");
        }
        if !truth.is_quiet_since(row, side, began) {
            return Ok(());
        }
        if change.verb == Verb::Cancel {
            let id = change.parameters.action_id.as_deref().unwrap_or_default();
            let own = |action: &&palisade::emulator::tenant::Action| {
                action.id.to_string() == id && super::reference::is_of(action, self.site.id)
            };
            return match truth.in_flight(row, side, began).find(own) {
                Some(_) => Ok(()),
                None => wrong(6, "cancels what is not ours or not pending"),
            };
        }
        if truth.in_flight(row, side, began).next().is_some() {
            return wrong(4, "an action is in flight");
        }
        match change.verb {
            Verb::Isolate | Verb::Restrict => self.may_restrict(change, row, side, &traits),
            Verb::Release | Verb::Unrestrict => self.may_release(change, row, side, &traits),
            _ if is_wanted(self.site, side, &traits) => Ok(()),
            _ => wrong(6, "no policy wants it"),
        }
    }

    fn may_restrict(&self, change: &Change, row: u32, side: Side, traits: &Traits) -> Check {
        let wrong = |law, what: &str| Err(Broken::new(law, format!("{what}: {change:?}")));
        let wanted = match change.parameters.isolation_type.as_deref() {
            Some("Selective") => 1,
            Some(_) => 2,
            None => 1,
        };
        let standing = self.truth.standing(row, side, self.began);
        if standing.level >= wanted {
            return wrong(4, "it is so already");
        }
        let wishes: Vec<&Doc> = self
            .site
            .docs
            .values()
            .filter(|doc| concerns(doc.kind, side) && !doc.audit && doc.pick.selects(traits))
            .collect();
        let level = |doc: &&Doc| if doc.kind == (Kind::Isolate { full: true }) { 2 } else { 1 };
        if !wishes.iter().any(|doc| level(doc) == wanted) {
            return wrong(6, "no policy wants it");
        }
        let others = standing.by.filter(|_| !standing.is_of(self.site.id));
        if others
            .is_some_and(|action| marked(action).is_some() || !wishes.iter().any(|doc| doc.adopt))
        {
            return wrong(6, "strengthens what somebody else holds");
        }
        if let Some(action) = self.called_off(change, row, side)
            && !self.puts_back(change, action)
        {
            return wrong(6, &format!("somebody had cancelled it: {action:?}"));
        }
        if let Some(policy) = self.spent(change, row, side, &wishes) {
            return wrong(9, &format!("the lease of {policy} on it was used up"));
        }
        let longest = wishes.iter().map(|doc| doc.lease * doc.renewal).max().unwrap_or(0);
        let latest = self.plan.created_at + SignedDuration::from_hours(i64::from(longest));
        match change.lease_end {
            Some(end) if end > self.plan.created_at && end <= latest => Ok(()),
            _ => wrong(9, "its lease does not end in time"),
        }
    }

    /// The last placement of the change's own policy, when it came to nothing because somebody who
    /// is not us cancelled it.
    fn called_off(
        &self,
        change: &Change,
        row: u32,
        side: Side,
    ) -> Option<&palisade::emulator::tenant::Action> {
        use palisade::model::ActionStatus::{Cancelled, Succeeded};
        let policy = mark(change.parameters.comment.as_deref()?)?.policy;
        let own = |action: &&palisade::emulator::tenant::Action| {
            marked(action).is_some_and(|mark| mark.site == self.site.id && mark.policy == policy)
                && super::reference::strength(action) > 0
                && [Succeeded, Cancelled].contains(&action.status)
        };
        let last = self.truth.actions(row, side).filter(own).max_by_key(|action| action.updated)?;
        let cancellation = last.cancellation.as_ref().filter(|_| last.status == Cancelled)?;
        let by_us = cancellation.comment.as_deref().and_then(mark).is_some()
            || cancellation.requestor == last.requestor;
        (!by_us).then_some(last)
    }

    /// The policy of the change's marker, when every lease that it may take has been ended by us.
    fn spent(&self, change: &Change, row: u32, side: Side, wishes: &[&Doc]) -> Option<String> {
        let policy = mark(change.parameters.comment.as_deref()?)?.policy;
        let most = wishes.iter().map(|doc| doc.renewal).max()?;
        let ended = self.truth.actions(row, side).filter(|action| {
            let text = action.comment.strip_prefix("lease ended: ").unwrap_or_default();
            let names = text.split(" [palisade ").next().unwrap_or_default();
            super::reference::is_of(action, self.site.id)
                && action.status == palisade::model::ActionStatus::Succeeded
                && names.split([',', ' ']).any(|name| name == policy)
        });
        (ended.count() >= most as usize).then_some(policy)
    }

    /// What a plan of a whole observation must want, unless a guardrail holds something.
    fn must(&self) -> Check {
        if self.plan.objections.iter().any(|objection| objection.held > 0) {
            return Ok(());
        }
        let wants = |id: &str, side, verbs: &[Verb]| {
            self.plan.changes.iter().any(|change| {
                change.target.id == id
                    && side_of(change.facet) == Some(side)
                    && verbs.contains(&change.verb)
            })
        };
        for row in self.truth.rows() {
            let (traits, id) = (self.truth.traits(row), self.truth.0.machine(row).unwrap().id);
            for side in [Side::Network, Side::Code] {
                let untouched = self.truth.actions(row, side).next().is_none();
                let exempt = self.exempt(&traits, side);
                if untouched && !exempt && self.ready(row, side, &traits) {
                    if !wants(&id.to_string(), side, &[Verb::Isolate, Verb::Restrict]) {
                        return Err(Broken::new(4, format!("{id} is wanted and left free")));
                    }
                    continue;
                }
                let standing = self.truth.standing(row, side, self.began);
                let put_back = standing.by.and_then(on_undo::put_back_until);
                let ours = standing.is_of(self.site.id)
                    && put_back.is_none_or(|end| end <= self.plan.created_at);
                let calm = self.truth.is_quiet_since(row, side, self.began)
                    && self.truth.in_flight(row, side, self.began).next().is_none();
                let unwanted = ours && calm && !exempt && !is_wanted(self.site, side, &traits);
                if unwanted && !wants(&id.to_string(), side, &[Verb::Release, Verb::Unrestrict]) {
                    return Err(Broken::new(9, format!("{id} is kept though nobody wants it")));
                }
            }
        }
        Ok(())
    }

    /// Whether the strongest wish on a free device can be fulfilled now.
    pub(super) fn ready(&self, row: u32, side: Side, traits: &Traits) -> bool {
        let wishes = self
            .site
            .docs
            .values()
            .filter(|doc| concerns(doc.kind, side) && !doc.audit && doc.pick.selects(traits));
        self.can(row, side, traits, &wishes.collect::<Vec<_>>())
    }

    /// Whether the strongest of these wishes can be.
    pub(super) fn can(&self, row: u32, side: Side, traits: &Traits, wishes: &[&Doc]) -> bool {
        let level = |doc: &&Doc| if doc.kind == (Kind::Isolate { full: false }) { 1 } else { 2 };
        let Some(strongest) = wishes.iter().map(level).max() else { return false };
        let mut deciding = wishes.iter().filter(|doc| level(doc) == strongest);
        let queued = deciding.any(|doc| doc.queue);
        let machine = self.truth.0.machine(row).unwrap();
        let reports = machine.health(self.began) == palisade::model::Health::Active;
        let protected = self.site.guard.protects(traits);
        !protected && (queued || reports) && self.truth.able(row, side, strongest)
    }

    /// Law 4: without the history nothing is done to a device; what is not read is not let go.
    fn partial(&self, inventory: &Inventory) -> Check {
        let changes = || self.plan.changes.iter().filter(|c| side_of(c.facet).is_some());
        if inventory.is_partial(What::Actions) && changes().next().is_some() {
            return Err(Broken::new(4, format!("acts without a history: {:?}", self.plan.changes)));
        }
        let unread = changes().find(|c| inventory.find(&DeviceId::parse(&c.target.id)).is_none());
        match unread {
            Some(change) => Err(Broken::new(4, format!("the device was not read: {change:?}"))),
            None => Ok(()),
        }
    }
}

/// Whether a plan must be refused, and was; the word for it.
pub(super) fn verdict(
    plan: &Plan,
    guard: &Guard,
    checked: &Result<CheckedPlan, PlanFileError>,
    stale: bool,
    now: Timestamp,
) -> Result<Option<&'static str>, Broken> {
    let incomplete = !plan.changes.is_empty() && plan.tenants.iter().any(|t| !t.complete);
    let expired = now > plan.created_at + VALID || on_guards::shut_since(plan, guard, now);
    let expected = match (incomplete, stale, expired) {
        (true, ..) => Some("incomplete"),
        (_, true, _) => Some("stale"),
        (.., true) => Some("expired"),
        _ => None,
    };
    match (expected, checked) {
        (Some(_), Ok(_)) => Err(Broken::new(4, format!("a plan that is {expected:?} was taken"))),
        (None, Err(error)) => Err(Broken::new(1, format!("a sound plan was refused: {error}"))),
        _ => Ok(expected),
    }
}
