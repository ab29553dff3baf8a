//! Alerts in plans: a rule changes what it selects and nothing else, sets nothing that is so
//! already, and leaves a person's verdict and a person's undoing alone.
//!
//! Called by `on_plans`, `on_undo` and `settle`. What the rules want is asked of `rules`, what was
//! done to an alert of the tenant's own notes.

use palisade::emulator::tenant::{Alert, AlertEdit, Handling};
use palisade::inventory::{Inventory, What};
use palisade::model::{AlertStatus, Classification, Determination, Verb};
use palisade::plan::undo::{Past, Standing};
use palisade::plan::{Change, Circumstances, Parameters, Plan, Purpose, TargetKind};

use super::alerts::Look;
use super::on_plans::Scene;
use super::policy::{Kind, Pick};
use super::reference::{Truth, mark};
use super::rules::{Set, Wish, is_called, selecting, wish};
use super::world::{Site, World};
use super::{Broken, Check};

/// Whether a plan for these circumstances has to know the alerts.
pub(super) fn are_needed(site: &Site, around: &Circumstances) -> bool {
    let undoes = match &around.purpose {
        Purpose::Undo(past) => past.changes.iter().any(|it| it.change.verb == Verb::Classify),
        _ => false,
    };
    let asks = |kind, pick| matches!(kind, Kind::Alerts(_)) || matches!(pick, Pick::Alert(_));
    undoes || site.docs.values().any(|doc| asks(doc.kind, doc.pick))
}

/// Law 5: alerts that any rule selects have a disposition; how many of those that were read.
pub(super) fn in_scope(truth: Truth<'_>, site: &Site, inventory: &Inventory) -> usize {
    let read = inventory.alerts().iter().map(|row| Look::read(truth, inventory, row));
    read.filter(|look| !selecting(site, look).is_empty()).count()
}

/// Law 4: a whole observation has every alert as it is.
pub(super) fn observation(
    truth: Truth<'_>,
    inventory: &Inventory,
    began: jiff::Timestamp,
) -> Check {
    if inventory.is_partial(What::Alerts) {
        return Ok(());
    }
    for alert in truth.0.alerts().iter().filter(|alert| alert.updated < began) {
        let mut rows = inventory.alerts().iter();
        let Some(row) = rows.find(|row| *row.id.to_string() == *alert.id) else {
            return Err(Broken::new(4, format!("not read, and not missed: {alert:?}")));
        };
        let read = Look::read(truth, inventory, row);
        let comments: Vec<_> = alert.comments.iter().map(|it| it.text.to_string()).collect();
        if read.handling != alert.handling() || read.comments != comments {
            return Err(Broken::new(4, format!("{row:?} was read, and there is {alert:?}")));
        }
    }
    Ok(())
}

/// What the parameters of a change would leave of an alert.
pub(super) fn after(parameters: &Parameters, before: &Handling) -> Handling {
    let Parameters { status, classification, determination, assigned_to, .. } = parameters;
    let mut after = before.clone();
    if let Some(word) = status {
        after.status = AlertStatus::parse(word).unwrap();
    }
    if let Some(word) = classification {
        after.classification = Classification::parse(word).unwrap();
    }
    if let Some(word) = determination {
        after.determination = Determination::parse(word).unwrap();
    }
    if let Some(who) = assigned_to {
        after.assigned_to = (!who.is_empty()).then(|| who.as_str().into());
    }
    after
}

/// Whether the change sets something, beside commenting.
pub(super) fn sets(change: &Change) -> bool {
    let Parameters { status, classification, determination, assigned_to, .. } = &change.parameters;
    status.is_some() || classification.is_some() || determination.is_some() || assigned_to.is_some()
}

impl Scene<'_> {
    fn planned(&self, alert: &Alert) -> Option<&Change> {
        let mut changes = self.plan.changes.iter();
        changes.find(|it| it.target.kind == TargetKind::Alert && *it.target.id == *alert.id)
    }

    /// What the rules want is planned, and nothing else.
    pub(super) fn alerts(&self, inventory: &Inventory) -> Check {
        let about = |change: &&Change| change.target.kind == TargetKind::Alert;
        let unknown = |change: &&Change| self.truth.0.find_alert(&change.target.id).is_none();
        if let Some(change) = self.plan.changes.iter().filter(about).find(unknown) {
            return Err(Broken::new(4, format!("no such alert: {change:?}")));
        }
        let held = self.plan.objections.iter().any(|objection| objection.held > 0);
        let must = !held && inventory.is_complete();
        for alert in self.truth.0.alerts().iter().filter(|alert| alert.updated < self.began) {
            let look = Look::of(self.truth, alert);
            let wish = wish(self.site, &look);
            match (self.planned(alert), &wish) {
                (Some(change), Wish::Do(name, set)) => {
                    self.as_said(change, name, *set, inventory)?
                }
                (Some(change), other) => {
                    let law = match other {
                        Wish::Undone => 10,
                        Wish::Nothing => 4,
                        _ => 6,
                    };
                    let what = format!("{other:?} is what the rules say: {change:?} of {look:?}");
                    return Err(Broken::new(law, what));
                }
                (None, Wish::Do(..)) if must => {
                    return Err(Broken::new(1, format!("{wish:?} is left out: {look:?}")));
                }
                (None, _) => {}
            }
        }
        Ok(())
    }

    /// A change is what the rule of that name says of it.
    fn as_said(&self, change: &Change, name: &str, set: Set, inventory: &Inventory) -> Check {
        let wrong = |law, what: &str| Err(Broken::new(law, format!("{what}: {change:?}")));
        let Parameters { status, classification, determination, assigned_to, comment, .. } =
            &change.parameters;
        let same = status.as_deref() == set.status.map(AlertStatus::wire)
            && classification.as_deref() == set.classification.map(Classification::wire)
            && determination.as_deref() == set.determination.map(Determination::wire)
            && assigned_to.as_deref() == set.assigned_to;
        let by_rule = change.because.iter().any(|why| why.name == name);
        if change.verb != Verb::Classify || !same || !by_rule {
            return wrong(6, &format!("{name} says {set:?}"));
        }
        let mark = comment.as_deref().map(mark);
        match mark {
            None if !set.comment => {}
            Some(Some(mark)) if set.comment => {
                let own = mark.site == self.site.id && mark.change == change.id.to_string();
                if !own || !is_called(&mark.policy, name) {
                    return wrong(6, "its comment says otherwise");
                }
            }
            Some(_) if !set.comment => return wrong(7, "a comment that is there, or nobody's"),
            _ => return wrong(6, "nothing says whose it is"),
        }
        let mut docs = self.site.docs.iter();
        let doc = docs.find(|(slot, doc)| {
            matches!(doc.kind, Kind::Alerts(_)) && super::policy::name(**slot) == name
        });
        let asks = doc.is_some_and(|(_, doc)| matches!(doc.kind, Kind::Alerts(it) if it.device));
        match asks && inventory.is_partial(What::Devices) {
            true => wrong(4, "whose devices it names is not known"),
            false => Ok(()),
        }
    }

    /// The alert of a change of a past run, and how it was before, as far as that still stands.
    fn undone(&self, change: &Change) -> Option<(&Alert, &Handling)> {
        let row = self.truth.0.find_alert(&change.target.id)?;
        let alert = self.truth.0.alert(row)?;
        let edit = self.site.patched.get(&change.id.to_string())?;
        let stands = alert.handling() == edit.after && edit.after != edit.before;
        // Somebody who came between the last look and the request is not in the plan.
        let seen = spelled(&edit.before) == change.from;
        (stands && seen).then_some((alert, &edit.before))
    }

    /// Law 10: an alert gets back what it had before the run, and a comment says so.
    pub(super) fn undo_may_alert(&self, past: &Past, change: &Change) -> Check {
        let wrong = |law, what: &str| Err(Broken::new(law, format!("{what}: {change:?}")));
        let mut of_run = past.changes.iter();
        let Some(item) = of_run.find(|it| it.change.target.id == change.target.id) else {
            return wrong(10, "the run did not touch it");
        };
        let undone = &item.change;
        let row = self.truth.0.find_alert(&change.target.id);
        let Some(alert) = row.and_then(|row| self.truth.0.alert(row)) else {
            return wrong(4, "no such alert");
        };
        if alert.updated >= self.began {
            return Ok(());
        }
        let Some(edit) = self.site.patched.get(&undone.id.to_string()) else {
            // Whoever gave it just what a lost request asked for cannot be told from us, be it a person
            // or another run of the workspace.
            let row = self.truth.0.find_alert(&change.target.id);
            let ours = |edit: &AlertEdit| Some(edit.alert) == row && edit.after == alert.handling();
            let ours = self.site.patched.values().any(ours);
            let lost = spelled(&alert.handling()) == undone.to
                && (ours || item.standing == Standing::Open);
            return if lost { Ok(()) } else { wrong(10, "the run did not change it") };
        };
        if alert.handling() != edit.after {
            return wrong(10, "somebody has changed it since");
        }
        let back = after(&change.parameters, &alert.handling());
        let said = change.parameters.comment.as_deref().unwrap_or_default();
        if spelled(&back) != undone.from || !said.starts_with("undo of ") {
            return wrong(10, &format!("it was {:?}", edit.before));
        }
        Ok(())
    }

    /// Law 10: what the run did to alerts and what stands is taken back.
    pub(super) fn undo_must_alerts(&self, past: &Past) -> Check {
        for undone in past.changes.iter().map(|item| &item.change) {
            let Some((alert, before)) = self.undone(undone) else { continue };
            if alert.updated < self.began && self.planned(alert).is_none() {
                return Err(Broken::new(10, format!("{before:?} is left out: {undone:?}")));
            }
        }
        Ok(())
    }
}

/// A state as plans spell it.
fn spelled(handling: &Handling) -> String {
    let Handling { status, classification, determination, assigned_to } = handling;
    let who = assigned_to.as_deref().unwrap_or_default();
    format!("{}/{}/{}/{who}", status.word(), classification.word(), determination.word())
}

/// What a plan leaves alone because of alerts, and why.
pub(super) fn count(world: &mut World, plan: &Plan) {
    for row in &plan.held {
        match row.reason.code.as_str() {
            "cap-alert-rule" => world.count("triggers capped"),
            "analyst-verdict" => world.count("verdicts spared"),
            "undone" => world.count("undone and left"),
            "rule-conflict" => world.count("rules in conflict"),
            _ => {}
        }
    }
}

/// Calm: two workspaces that want different verdicts would take turns for ever, so one gives way.
pub(super) fn give_way(world: &mut World) -> Check {
    let last = world.sites.len() - 1;
    world.sites[last].docs.retain(|_, doc| !matches!(doc.kind, Kind::Alerts(_)));
    world.load(last)
}

/// Law 1: when everything has come to rest, alerts are as the rules want them.
pub(super) fn at_rest(world: &World) -> Check {
    world.truth(|truth| {
        for site in &world.sites {
            for alert in truth.0.alerts() {
                let look = Look::of(truth, alert);
                let wish = wish(site, &look);
                if matches!(wish, Wish::Do(..)) {
                    let what = format!("{wish:?} of {} is not so: {look:?}", site.id);
                    return Err(Broken::new(1, what));
                }
            }
        }
        Ok(())
    })
}
