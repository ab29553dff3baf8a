//! One device, one facet: what is wanted, what is the case, and what follows.
//!
//! The questions in their order:
//! 1. Nothing may be concluded: `unknown`.
//! 2. An action is in flight: `changing`, but one of ours that leads away from what is wanted now is
//!    cancelled rather than raced.
//! 3. The device is free: it is placed when a policy wants it whose lease is not spent.
//! 4. We hold it: it stays while a lease runs, else it is released.
//! 5. Somebody else holds it: `foreign`, left alone. A policy with `adopt: true` takes it as its own
//!    wish fulfilled and may strengthen it, which makes it ours; it is never released by us, since
//!    no action of ours put it there. What another workspace holds is not adopted.
//!
//! Going from selective to full is one more `Isolate` on the isolated device. Such an action has
//! been seen to hang, which shows as `changing` and is cancelled when it is no longer wanted. Going
//! from full to selective would need a release first, and with it a moment in which the device is
//! free; the stronger posture stays (`held`, `weakening-needs-release`) until the last lease ends.
//!
//! An exemption keeps our hands off in both directions; only a pending action of ours that would
//! restrict an exempt device is still cancelled.

use jiff::Timestamp;

use crate::inventory::readings::{Facts, Placement};
use crate::inventory::{Dev, What};
use crate::model::marker;
use crate::model::{ActionId, Holder, PolicyName, Reading, UnknownReason};
use crate::plan::draft::{Draft, unknown_reason};
use crate::plan::order::{Order, Proposal};
use crate::plan::posture::lease::Record;
use crate::plan::posture::{Level, Wish, matrix, offline};
use crate::plan::scene::Scene;
use crate::plan::types::{Disposition, Entry, Parameters, Reason, Why};
use crate::policy::set::{Mode, OnExpiry};

pub(super) fn decide<L: Level>(
    scene: &Scene<'_>,
    wishes: &[Wish<'_, L>],
    device: Dev,
    facts: &Facts<L>,
    draft: &mut Draft,
) {
    let selecting = |mode| {
        let wishes = wishes.iter().filter(move |wish| wish.containment.mode == mode);
        wishes.filter(|wish| wish.reach.selects(device)).collect::<Vec<_>>()
    };
    let case = Case {
        scene,
        device,
        facts,
        wanted: selecting(Mode::Enforce),
        watched: selecting(Mode::Audit),
        all: wishes,
    };
    match case.settle() {
        Verdict::Unchanged => {}
        Verdict::Row(disposition, entry) => draft.row(disposition, *entry),
        Verdict::Do(proposal) => draft.propose(*proposal),
    }
}

enum Verdict {
    Unchanged,
    Row(Disposition, Box<Entry>),
    Do(Box<Proposal>),
}

struct Case<'c, L: Level> {
    scene: &'c Scene<'c>,
    device: Dev,
    facts: &'c Facts<L>,
    /// Enforcing policies that select the device, by name.
    wanted: Vec<&'c Wish<'c, L>>,
    /// Policies in audit mode that select it, by name.
    watched: Vec<&'c Wish<'c, L>>,
    all: &'c [Wish<'c, L>],
}

type Wishes<'w, 'c, L> = &'w [&'c Wish<'c, L>];

fn strongest<L: Level>(wishes: Wishes<'_, '_, L>) -> Option<L> {
    wishes.iter().map(|wish| wish.level).max()
}

impl<'c, L: Level> Case<'c, L> {
    fn now(&self) -> Timestamp {
        self.scene.input.now
    }

    fn settle(&self) -> Verdict {
        if let Reading::Unknown(reason) = &self.facts.reading {
            return self.unknown(unknown_reason(reason));
        }
        if let Some(what) = self.wanted.iter().find_map(|wish| wish.reach.doubt()) {
            return self.unknown(partial(what));
        }
        match &self.facts.reading {
            Reading::Unknown(_) => Verdict::Unchanged,
            Reading::Changing { from, to, action, by } => self.in_flight(*from, *to, action, by),
            Reading::Known(value) if *value == L::FREE => self.free(),
            Reading::Known(value) => match &self.facts.placed {
                Some(placed) if matches!(placed.by, Holder::Ours { .. }) => {
                    self.ours(*value, placed)
                }
                Some(placed) => self.foreign(*value, placed),
                // A restrictive reading always rests on an action.
                None => self.unknown(unknown_reason(&UnknownReason::HistoryPartial)),
            },
        }
    }

    fn record(&self) -> Record<'c> {
        let scene = self.scene;
        Record::of(scene.inventory, self.device, L::FACET, &scene.input.workspace.id)
    }

    // ── an action in flight ─────────────────────────────────────────────────────────────────────

    fn in_flight(&self, from: L, to: L, action: &ActionId, by: &Holder) -> Verdict {
        let changing = |code: &str| {
            let mut reason = Reason::new(code).with("action", action.as_str());
            reason = reason.with("from", from.word()).with("to", to.word());
            let entry = self.entry(reason, None, strongest(&self.wanted));
            Verdict::Row(Disposition::Changing, Box::new(with_holder(entry, by)))
        };
        let Holder::Ours { policy, .. } = by else { return changing("in-flight-foreign") };
        if self.all.iter().any(|wish| wish.reach.doubt().is_some()) {
            return changing("in-flight");
        }
        let exempt = self.scene.exemption(self.device, L::FACET).is_some();
        let wish = if exempt { L::FREE } else { self.wish_behind(from) };
        // Leading to where it should be, or a step on the way there.
        if (to == L::FREE) == (wish == L::FREE) || (exempt && to == L::FREE) {
            return changing("in-flight");
        }
        self.cancel(from, to, action, policy)
    }

    /// The level wanted now, as if nothing were in flight.
    fn wish_behind(&self, settled: L) -> L {
        let record = self.record();
        let wanted = match &self.facts.placed {
            Some(placed) if settled != L::FREE => {
                let ends = self.ends(&record, placed).into_iter();
                ends.filter(|(_, end)| *end > self.now()).map(|(wish, _)| wish.level).max()
            }
            _ => {
                let able = |wish: &&&Wish<'c, L>| {
                    record.spent(&wish.header.name, wish.containment, self.now()).is_none()
                };
                self.wanted.iter().filter(able).map(|wish| wish.level).max()
            }
        };
        wanted.unwrap_or(L::FREE)
    }

    fn cancel(&self, from: L, to: L, action: &ActionId, policy: &PolicyName) -> Verdict {
        let verb = crate::model::Verb::Cancel;
        let reason = Reason::new("no-longer-wanted")
            .with("action", action.as_str())
            .with("pending", to.word());
        let change = self.scene.change(Order {
            verb,
            facet: L::FACET,
            target: self.scene.target(self.device),
            from: to.word().to_owned(),
            to: from.word().to_owned(),
            parameters: Parameters {
                action_id: Some(action.as_str().to_owned()),
                ..Parameters::default()
            },
            lease_end: None,
            because: self.because_or_marker(policy),
            reason: Some(reason),
            risk: self.scene.risk(self.device, verb),
            evidence: self.evidence(),
            expects: Some("changing".to_owned()),
            policy: policy.clone(),
            text: Some("no longer wanted".to_owned()),
        });
        Verdict::Do(Box::new(Proposal { change, device: Some(self.device), adds: false }))
    }

    // ── a free device ───────────────────────────────────────────────────────────────────────────

    fn free(&self) -> Verdict {
        if self.wanted.is_empty() {
            return self.audit(L::FREE);
        }
        let record = self.record();
        let mut spent = None;
        let mut able = Vec::new();
        for wish in &self.wanted {
            match record.spent(&wish.header.name, wish.containment, self.now()) {
                None => able.push(*wish),
                Some(reason) => {
                    spent = spent.or(Some(reason.with("policy", wish.header.name.as_str())))
                }
            }
        }
        match (able.is_empty(), spent) {
            (true, Some(reason)) => self.held(reason, L::FREE, strongest(&self.wanted)),
            _ => self.place(L::FREE, &able, &record),
        }
    }

    /// Puts the device where `able` want it, unless something stands against it.
    fn place(&self, from: L, able: Wishes<'_, 'c, L>, record: &Record<'_>) -> Verdict {
        let Some(to) = strongest(able) else { return Verdict::Unchanged };
        let scene = self.scene;
        if let Some(reason) = to.cannot(scene.inventory, self.device) {
            return self.row(Disposition::Cannot, reason, from, Some(to));
        }
        if let Some(exempt) = self.exempt(from, Some(to)) {
            return exempt;
        }
        let deciding = || able.iter().filter(|wish| wish.level == to);
        let queue = deciding().any(|wish| wish.containment.queue_offline);
        if !queue && scene.inventory.is_offline(self.device) {
            return self.held(offline(scene, self.device), from, Some(to));
        }
        let end = |wish: &Wish<'_, L>| {
            record.end(&wish.header.name, wish.containment, self.now(), from != L::FREE)
        };
        // The marker names the policy whose lease ends last among those that decide.
        let first = deciding().max_by_key(|wish| (end(wish), std::cmp::Reverse(&wish.header.name)));
        let Some(first) = first else { return Verdict::Unchanged };
        let adopted = from != L::FREE && !matches!(self.facts.holder, Holder::Ours { .. });
        let change = scene.change(Order {
            verb: L::PLACE,
            facet: L::FACET,
            target: scene.target(self.device),
            from: from.word().to_owned(),
            to: to.word().to_owned(),
            parameters: to.parameters(),
            lease_end: able.iter().filter_map(|wish| end(wish)).max(),
            because: self.because(able),
            reason: (from != L::FREE)
                .then(|| Reason::new(if adopted { "adopted" } else { "strengthened" })),
            risk: scene.risk(self.device, L::PLACE),
            evidence: self.evidence(),
            expects: None,
            policy: first.header.name.clone(),
            text: Some(first.containment.comment.to_string()),
        });
        let adds = from == L::FREE;
        Verdict::Do(Box::new(Proposal { change, device: Some(self.device), adds }))
    }

    fn audit(&self, value: L) -> Verdict {
        match strongest(&self.watched) {
            Some(to) if to > value => {
                let reason = to.cannot(self.scene.inventory, self.device);
                let disposition =
                    if reason.is_some() { Disposition::Cannot } else { Disposition::Audit };
                let reason = reason.unwrap_or_else(|| Reason::new("audit-mode"));
                let mut entry = self.entry(reason, Some(value), Some(to));
                entry.because = self.because(&self.watched);
                Verdict::Row(disposition, Box::new(entry))
            }
            _ => Verdict::Unchanged,
        }
    }

    // ── a device we hold ────────────────────────────────────────────────────────────────────────

    fn ours(&self, value: L, placed: &Placement) -> Verdict {
        let record = self.record();
        let ends = self.ends(&record, placed);
        let (running, over): (Vec<_>, Vec<_>) =
            ends.into_iter().partition(|(_, end)| *end > self.now());
        let running: Vec<_> = running.into_iter().map(|(wish, _)| wish).collect();
        match strongest(&running) {
            Some(to) if to > value => self.place(value, &running, &record),
            // The service did not say how strong; we asked for what we wanted.
            Some(to) if to == value || placed.assumed => Verdict::Unchanged,
            Some(to) => self.held(Reason::new("weakening-needs-release"), value, Some(to)),
            None if over.is_empty() => self.unwanted(value, placed),
            None => self.over(value, placed, &over, &record),
        }
    }

    /// Policies that have a say in what was placed, with the ends of their leases.
    fn ends(&self, record: &Record<'_>, placed: &Placement) -> Vec<(&'c Wish<'c, L>, Timestamp)> {
        let end = |wish: &'c Wish<'c, L>| {
            let name = &wish.header.name;
            let own = |policy| marker::names(policy, name);
            let own = matches!(&placed.by, Holder::Ours { policy, .. } if own(policy));
            let end = record.end(name, wish.containment, placed.completed, own)?;
            Some((wish, end))
        };
        self.wanted.iter().copied().filter_map(end).collect()
    }

    /// Every lease has ended.
    fn over(
        &self,
        value: L,
        placed: &Placement,
        over: &[(&'c Wish<'c, L>, Timestamp)],
        record: &Record<'_>,
    ) -> Verdict {
        let ended = over.iter().map(|(_, end)| *end).max();
        let ended = ended.map(|at| at.to_string()).unwrap_or_default();
        let over: Vec<_> = over.iter().map(|(wish, _)| *wish).collect();
        if over.iter().any(|wish| wish.containment.on_expiry == OnExpiry::Hold) {
            let reason = Reason::new("on-expiry-hold").with("ended", ended);
            return self.held(reason, value, Some(L::FREE));
        }
        let reason = Reason::new("lease-ended").with("ended", ended);
        let text = record.ended_text(over.iter().map(|wish| (&wish.header.name, wish.containment)));
        self.release(value, placed, reason, self.because(&over), text)
    }

    /// No enforcing policy selects the device any longer.
    fn unwanted(&self, value: L, placed: &Placement) -> Verdict {
        let doubt = self.all.iter().find_map(|wish| wish.reach.doubt());
        if let Some(what) = doubt {
            return self.unknown(partial(what));
        }
        let Holder::Ours { policy, .. } = &placed.by else { return Verdict::Unchanged };
        let placing = self.all.iter().find(|wish| marker::names(policy, &wish.header.name));
        let (code, text) = match placing.map(|wish| wish.containment.mode) {
            None => ("policy-gone", "policy gone"),
            Some(Mode::Enforce) => ("no-longer-selected", "no longer selected"),
            Some(Mode::Audit) => ("policy-in-audit", "policy in audit mode"),
        };
        let reason = Reason::new(code).with("policy", policy.as_str());
        self.release(value, placed, reason, self.because_or_marker(policy), text.to_owned())
    }

    fn release(
        &self,
        value: L,
        placed: &Placement,
        reason: Reason,
        because: Vec<Why>,
        text: String,
    ) -> Verdict {
        let Holder::Ours { policy, .. } = &placed.by else { return Verdict::Unchanged };
        let scene = self.scene;
        if let Some(reason) = matrix::onboarded(scene.inventory, self.device) {
            return self.row(Disposition::Cannot, reason, value, Some(L::FREE));
        }
        if let Some(exempt) = self.exempt(value, Some(L::FREE)) {
            return exempt;
        }
        let change = scene.change(Order {
            verb: L::FREE_VERB,
            facet: L::FACET,
            target: scene.target(self.device),
            from: value.word().to_owned(),
            to: L::FREE.word().to_owned(),
            parameters: Parameters::default(),
            lease_end: None,
            because,
            reason: Some(reason),
            risk: scene.risk(self.device, L::FREE_VERB),
            evidence: self.evidence(),
            expects: None,
            policy: policy.clone(),
            text: Some(text),
        });
        Verdict::Do(Box::new(Proposal { change, device: Some(self.device), adds: false }))
    }

    // ── a device that somebody else holds ───────────────────────────────────────────────────────

    fn foreign(&self, value: L, placed: &Placement) -> Verdict {
        let other_workspace = matches!(placed.by, Holder::OtherWorkspace { .. });
        let adopting: Vec<_> = self
            .wanted
            .iter()
            .copied()
            .filter(|wish| wish.containment.adopt && !other_workspace)
            .collect();
        let record = self.record();
        let able: Vec<_> = adopting
            .iter()
            .copied()
            .filter(|wish| record.spent(&wish.header.name, wish.containment, self.now()).is_none())
            .collect();
        if strongest(&able).is_some_and(|to| to > value) {
            return self.place(value, &able, &record);
        }
        let end = |wish: &Wish<'_, L>| {
            record.end(&wish.header.name, wish.containment, placed.completed, true)
        };
        if adopting.iter().any(|wish| end(wish).is_some_and(|end| end > self.now())) {
            return Verdict::Unchanged;
        }
        let code = if adopting.is_empty() { "held-by-other" } else { "adopted-lease-ended" };
        let reason = Reason::new(code).with("since", placed.completed.to_string());
        let entry = self.entry(reason, Some(value), strongest(&self.wanted));
        Verdict::Row(Disposition::Foreign, Box::new(with_holder(entry, &placed.by)))
    }

    // ── rows ────────────────────────────────────────────────────────────────────────────────────

    fn unknown(&self, reason: Reason) -> Verdict {
        let entry = self.entry(reason, None, strongest(&self.wanted));
        Verdict::Row(Disposition::Unknown, Box::new(entry))
    }

    fn held(&self, reason: Reason, from: L, to: Option<L>) -> Verdict {
        self.row(Disposition::Held, reason, from, to)
    }

    fn row(&self, disposition: Disposition, reason: Reason, from: L, to: Option<L>) -> Verdict {
        Verdict::Row(disposition, Box::new(self.entry(reason, Some(from), to)))
    }

    fn exempt(&self, from: L, to: Option<L>) -> Option<Verdict> {
        let (reason, why) = self.scene.exemption(self.device, L::FACET)?;
        let mut entry = self.entry(reason, Some(from), to);
        entry.because.push(why);
        Some(Verdict::Row(Disposition::Held, Box::new(entry)))
    }

    fn entry(&self, reason: Reason, from: Option<L>, to: Option<L>) -> Entry {
        let verb = to.map(|to| if to == L::FREE { L::FREE_VERB } else { L::PLACE });
        Entry {
            tenant: self.scene.inventory.tenant().to_owned(),
            target: self.scene.target(self.device),
            facet: L::FACET,
            verb,
            from: from.map(|value| value.word().to_owned()),
            to: to.map(|value| value.word().to_owned()),
            because: self.because(&self.wanted),
            reason,
        }
    }

    fn because(&self, wishes: Wishes<'_, 'c, L>) -> Vec<Why> {
        wishes.iter().map(|wish| wish.reach.why(self.device)).collect()
    }

    /// The policies that select the device, or the one that the marker names when none does.
    fn because_or_marker(&self, policy: &PolicyName) -> Vec<Why> {
        let because = self.because(&self.wanted);
        if !because.is_empty() {
            return because;
        }
        let header = self
            .all
            .iter()
            .map(|wish| wish.header)
            .find(|header| marker::names(policy, &header.name));
        vec![header.map_or_else(
            || Why {
                kind: kind_word::<L>().to_owned(),
                name: policy.to_string(),
                file: String::new(),
                line: 0,
                terms: Vec::new(),
            },
            |header| crate::plan::scene::why(header, Vec::new()),
        )]
    }

    fn evidence(&self) -> Option<String> {
        self.facts.newest.as_ref().map(|action| action.as_str().to_owned())
    }
}

/// The kind of document that governs a facet.
fn kind_word<L: Level>() -> &'static str {
    use crate::policy::set::PolicyKind;
    match L::FACET {
        crate::model::Facet::Isolation => PolicyKind::IsolationSet.word(),
        _ => PolicyKind::CodeExecutionRestriction.word(),
    }
}

fn partial(what: What) -> Reason {
    Reason::new("selector-partial").with("what", what.word())
}

fn with_holder(mut entry: Entry, holder: &Holder) -> Entry {
    let (kind, who) = match holder {
        Holder::Ours { policy, .. } => ("policy", policy.as_str()),
        Holder::OtherWorkspace { workspace } => ("workspace", workspace.as_str()),
        Holder::Named { requestor } => ("by", &**requestor),
        Holder::Nobody => ("by", "nobody named"),
    };
    entry.reason = entry.reason.with(kind, who);
    entry
}
