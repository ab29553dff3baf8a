//! The exact inverse of what a run did, as far as it still stands.
//!
//! - Only what succeeded is inverted, and only while the action of the run is still the latest of its
//!   facet; for an alert, while its values are those that the run set. What moved since, or was undone
//!   before, is a row.
//! - An isolation or restriction of a free device is let go.
//! - A release is taken back with the strength that the device had, for the rest of its lease: until
//!   the instant that the marker of the released placement names. When that has passed, or the
//!   marker names none, nothing is put back: a posture never comes without an end.
//! - What was strengthened cannot be weakened without a moment in which the device is free, and stays.
//! - A verdict goes back to the values before it; comments stay, and one that says so is added.
//! - A scan that ran and an action that was cancelled have no inverse.
//!
//! Every comment begins with `undo of `, the run and the policies whose wish is taken back. By it later
//! plans know that a person took it back: a release counts as one by hand for each of them, what was put
//! back stays until its end, and an alert rule does not set again what was undone. Guardrails and exemptions hold as ever. Called by `draft`; undo is
//! undone in the same way.

mod alerts;
mod words;

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::inventory::readings::{self, completion};
use crate::inventory::{ActionRow, Dev, Inventory};
use crate::model::marker::UNDO;
use crate::model::{
    ActionStatus, DeviceId, Facet, Holder, Isolation, Marker, PolicyName, Reading, Restriction,
    UnknownReason, Verb, marker,
};
use crate::plan::draft::{Draft, unknown_reason};
use crate::plan::order::{Order, Proposal};

use crate::plan::posture::{self, Level, matrix};
use crate::plan::scene::{Exempt, Scene};
use crate::plan::types::{Change, Disposition, Entry, Parameters, Reason};

pub(super) use words::{is_undo, names, put_back_until, run_of};

/// A run that is to be undone.
#[derive(Clone, Debug)]
pub struct Past {
    /// Its name.
    pub run: String,
    /// Every change of its plan.
    pub changes: Vec<PastChange>,
}

/// A change of that run.
#[derive(Clone, Debug)]
pub struct PastChange {
    /// As the plan of the run had it.
    pub change: Change,
    /// What the journal says came of it.
    pub standing: Standing,
}

/// What a journal says came of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The wanted state was verified.
    Done,
    /// It was sent, and whether it took effect the journal does not know: the tenant says.
    Open,
    /// The run did nothing.
    Nothing,
}

/// A row for each change of the run in the scene's tenant.
pub(super) fn undo(scene: &Scene<'_>, past: &Past, draft: &mut Draft) {
    posture::count_states(scene, draft);
    let tenant = scene.inventory.tenant();
    // Several actions of one facet may have been cancelled: that there is no way back is said once.
    let mut cancelled: BTreeSet<(&str, Facet)> = BTreeSet::new();
    for item in past.changes.iter().filter(|item| item.change.tenant == tenant) {
        draft.add_to_scope(1);
        let case = Case { scene, run: &past.run, change: &item.change, standing: item.standing };
        let verdict = match (item.standing, item.change.verb) {
            (Standing::Nothing, _) => None,
            (_, Verb::Isolate | Verb::Release) => case.device::<Isolation>(),
            (_, Verb::Restrict | Verb::Unrestrict) => case.device::<Restriction>(),
            (_, Verb::Classify) => case.alert(),
            (Standing::Done, Verb::Cancel)
                if !cancelled.insert((&item.change.target.id, item.change.facet)) =>
            {
                None
            }
            (Standing::Done, _) => Some(case.no_inverse()),
            (Standing::Open, _) => None,
        };
        match verdict {
            None => {}
            Some(Verdict::Row(disposition, entry)) => draft.row(disposition, *entry),
            Some(Verdict::Do(proposal)) => draft.propose(*proposal),
        }
    }
}

enum Verdict {
    Row(Disposition, Box<Entry>),
    Do(Box<Proposal>),
}

/// One change that was sent. `None` everywhere means that there is nothing to take back.
struct Case<'c> {
    scene: &'c Scene<'c>,
    run: &'c str,
    change: &'c Change,
    standing: Standing,
}

/// What an undoing does to a device.
struct Inverse {
    verb: Verb,
    to: &'static str,
    parameters: Parameters,
    lease_end: Option<Timestamp>,
    policy: PolicyName,
    adds: bool,
}

impl Case<'_> {
    fn row(&self, disposition: Disposition, reason: Reason, to: Option<&str>) -> Verdict {
        let Change { tenant, target, facet, to: now, because, .. } = self.change;
        let verb = to.and(self.change.verb.inverse());
        Verdict::Row(
            disposition,
            Box::new(Entry {
                tenant: tenant.clone(),
                target: target.clone(),
                facet: *facet,
                verb,
                from: Some(now.clone()),
                to: to.map(str::to_owned),
                because: because.clone(),
                reason,
            }),
        )
    }

    fn no_inverse(&self) -> Verdict {
        let reason = Reason::new("no-inverse").with("verb", self.change.verb.word());
        self.row(Disposition::Cannot, reason, None)
    }

    /// Somebody acted on the device after the run; or the run was undone there before.
    fn moved_by(&self, last: &ActionRow) -> Verdict {
        let holder = readings::holder_of(last, &self.scene.input.workspace.id);
        if holder.is_ours() && self.is_undone_by(&last.comment) {
            return self.undone(last.updated);
        }
        self.moved(Some(&last.requestor), last.updated, last.kind.wire())
    }

    fn is_undone_by(&self, comment: &str) -> bool {
        is_undo(comment) && run_of(comment) == self.run
    }

    fn undone(&self, at: Timestamp) -> Verdict {
        let reason = Reason::new("already-undone").with("at", at.to_string());
        self.row(Disposition::Held, reason, Some(&self.change.from))
    }

    fn moved(&self, by: Option<&str>, at: Timestamp, found: &str) -> Verdict {
        let reason = Reason::new("moved-since").with("at", at.to_string()).with("found", found);
        let reason = by.into_iter().fold(reason, |reason, by| reason.with("by", by));
        self.row(Disposition::Held, reason, Some(&self.change.from))
    }

    fn unknown(&self, reason: &UnknownReason) -> Verdict {
        self.row(Disposition::Unknown, unknown_reason(reason), None)
    }

    fn reason(&self) -> Reason {
        Reason::new("undo").with("run", self.run).with("change", self.change.id.as_str())
    }

    fn text(&self) -> String {
        let policies = self.change.because.iter().map(|why| (why.name.as_str(), String::new()));
        marker::listed(&format!("{UNDO}{}: ", self.run), &policies.collect::<Vec<_>>())
    }

    // ── devices ─────────────────────────────────────────────────────────────────────────────────

    fn device<L: Level>(&self) -> Option<Verdict> {
        let inventory = self.scene.inventory;
        let Some(device) = inventory.find(&DeviceId::parse(&self.change.target.id)) else {
            return Some(self.unknown(&UnknownReason::DeviceMissing));
        };
        let facts = L::facts(inventory, device, &self.scene.input.workspace.id);
        let value = match &facts.reading {
            Reading::Known(value) => *value,
            Reading::Unknown(reason) => return Some(self.unknown(reason)),
            Reading::Changing { action, by, .. } => {
                let ours = by.is_ours();
                let code = if ours { "in-flight" } else { "in-flight-foreign" };
                let reason = Reason::new(code).with("action", action.as_str());
                let reason = posture::by_holder(reason, by);
                return Some(self.row(Disposition::Changing, reason, Some(&self.change.from)));
            }
        };
        let Some(own) = self.own_action(device) else {
            // What the journal knows of and the history does not is nothing to build upon.
            let gone = self.standing == Standing::Done;
            return gone.then(|| self.row(Disposition::Unknown, Reason::new("action-gone"), None));
        };
        if own.status != ActionStatus::Succeeded {
            return None;
        }
        let last = latest(inventory, device, L::FACET, None).unwrap_or(own);
        if last.id != own.id {
            return Some(self.moved_by(last));
        }
        Some(match self.inverse::<L>(device, own) {
            Ok(inverse) => self.exempt(device).unwrap_or_else(|| {
                let evidence = facts.newest.as_ref().map(|action| action.as_str().to_owned());
                self.propose(device, value.word(), inverse, evidence)
            }),
            Err(reason) => self.row(Disposition::Cannot, reason, Some(&self.change.from)),
        })
    }

    /// The action that carries the mark of the change, in whatever state.
    fn own_action(&self, device: Dev) -> Option<&ActionRow> {
        let kind = self.change.verb.action();
        let ours = &self.scene.input.workspace.id;
        let marked = |row: &&ActionRow| match readings::holder_of(row, ours) {
            Holder::Ours { change, .. } => change == self.change.id,
            _ => false,
        };
        let rows = self.scene.inventory.actions(device);
        rows.filter(|row| Some(&row.kind) == kind.as_ref()).filter(marked).max_by_key(|row| {
            (row.status == ActionStatus::Succeeded, row.updated, row.created, &row.id)
        })
    }

    /// What takes the action back; an error when nothing does.
    fn inverse<L: Level>(&self, device: Dev, own: &ActionRow) -> Result<Inverse, Reason> {
        let inventory = self.scene.inventory;
        let marker =
            |row: &ActionRow| match readings::holder_of(row, &self.scene.input.workspace.id) {
                Holder::Ours { .. } | Holder::OtherWorkspace { .. } => Marker::find(&row.comment),
                // A marker that somebody typed in the portal says nothing.
                Holder::Named { .. } | Holder::Nobody => None,
            };
        let policy = |row: &ActionRow| marker(row).map(|marker| marker.policy);
        let lost = || Reason::new("action-gone");
        if self.change.verb == L::PLACE {
            if self.change.from != L::FREE.word() {
                return Err(Reason::new("weakening-needs-release"));
            }
            if let Some(reason) = matrix::onboarded(inventory, device) {
                return Err(reason);
            }
            return Ok(Inverse {
                verb: L::FREE_VERB,
                to: L::FREE.word(),
                parameters: Parameters::default(),
                lease_end: None,
                policy: policy(own).ok_or_else(lost)?,
                adds: false,
            });
        }
        let level = L::parse(&self.change.from).ok_or_else(lost)?;
        if let Some(reason) = level.cannot(inventory, device) {
            return Err(reason);
        }
        let placed = latest(inventory, device, L::FACET, Some(own)).ok_or_else(lost)?;
        let until = marker(placed).and_then(|marker| marker.until);
        let until = until.ok_or_else(|| Reason::new("lease-unknown"))?;
        if until <= self.scene.input.now {
            return Err(Reason::new("lease-over").with("ended", until.to_string()));
        }
        Ok(Inverse {
            verb: L::PLACE,
            to: level.word(),
            parameters: level.parameters(),
            lease_end: Some(until),
            policy: policy(placed).ok_or_else(lost)?,
            adds: true,
        })
    }

    fn exempt(&self, device: Dev) -> Option<Verdict> {
        let (reason, why) = match self.scene.exemption(device, self.change.facet)? {
            Exempt::By(reason, why) => (reason, why),
            Exempt::Unread(reason) => return Some(self.row(Disposition::Unknown, reason, None)),
        };
        match self.row(Disposition::Held, reason, Some(&self.change.from)) {
            Verdict::Row(disposition, mut entry) => {
                entry.because.push(why);
                Some(Verdict::Row(disposition, entry))
            }
            verdict @ Verdict::Do(_) => Some(verdict),
        }
    }

    fn propose(
        &self,
        device: Dev,
        from: &str,
        inverse: Inverse,
        evidence: Option<String>,
    ) -> Verdict {
        let Inverse { verb, to, parameters, lease_end, policy, adds } = inverse;
        let change = self.scene.change(Order {
            verb,
            facet: self.change.facet,
            target: self.scene.target(device),
            from: from.to_owned(),
            to: to.to_owned(),
            parameters,
            lease_end,
            because: self.change.because.clone(),
            reason: Some(self.reason()),
            risk: self.scene.risk(device, verb),
            evidence,
            expects: None,
            policy,
            text: Some(self.text()),
        });
        Verdict::Do(Box::new(Proposal { change, device: Some(device), adds }))
    }
}

/// The latest succeeded action of a facet, by completion; before another one when it is given.
fn latest<'i>(
    inventory: &'i Inventory,
    device: Dev,
    facet: Facet,
    before: Option<&ActionRow>,
) -> Option<&'i ActionRow> {
    let kinds = posture::kinds(facet);
    inventory
        .actions(device)
        .filter(|row| kinds.contains(&row.kind) && row.status == ActionStatus::Succeeded)
        .filter(|row| before.is_none_or(|before| completion(row) < completion(before)))
        .max_by(|left, right| completion(left).cmp(&completion(right)))
}
