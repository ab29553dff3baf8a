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
//! restrict an exempt device is still cancelled, as is one that would restrict a protected device.
//! Where it accepts a value, nothing is said while the device has that value, whoever put it there,
//! and it is shown as soon as it has another one.
//!
//! Here the questions, in files of their own the answers: `flight` 2, `free` 3, `ours` 4, `foreign`
//! 5; `bound` says how long what we hold may be kept; `spared` tells of what we hold and what is
//! protected by now; `rows` makes what is said of a device that is left as it is, `standing` looks at
//! the lease of one that stays ours.

mod bound;
mod flight;
mod foreign;
mod free;
mod ours;
mod rows;
mod spared;
mod standing;

use jiff::Timestamp;

use crate::inventory::Dev;
use crate::inventory::readings::{Facts, Placement};
use crate::model::{PolicyName, Reading, UnknownReason};
use crate::plan::draft::{Draft, unknown_reason};
use crate::plan::order::Proposal;
use crate::plan::posture::lease::Record;
use crate::plan::posture::{Level, Wish};
use crate::plan::scene::{Scene, unanswered};
use crate::plan::types::{Disposition, Entry};
use crate::policy::set::Mode;

pub(in crate::plan::posture) fn decide<L: Level>(
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
    let verdict = case.spared(case.settle(), draft);
    if matches!(verdict, Verdict::Unchanged | Verdict::Row(Disposition::Held, _)) {
        draft.standing.extend(case.standing());
        draft.keep(case.kept());
    }
    match verdict {
        Verdict::Unchanged => {}
        Verdict::Accepted(exemption) => draft.accept(&exemption),
        Verdict::Row(disposition, entry) => draft.row(disposition, *entry),
        Verdict::Do(proposal) => draft.propose(*proposal),
    }
}

enum Verdict {
    Unchanged,
    /// As the exemption of this name accepts it.
    Accepted(PolicyName),
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
        let doubt = || self.wanted.iter().find_map(|wish| wish.reach.doubt());
        match &self.facts.reading {
            Reading::Unknown(reason) => self.unknown(unknown_reason(reason)),
            Reading::Changing { from, to, action, by } => self.in_flight(*from, *to, action, by),
            Reading::Known(value) => match doubt() {
                Some(what) => self.unknown(unanswered(what)),
                None => self.accepted(*value).unwrap_or_else(|| self.known(*value)),
            },
        }
    }

    fn known(&self, value: L) -> Verdict {
        match &self.facts.placed {
            _ if value == L::FREE => self.free(),
            Some(placed) if placed.by.is_ours() => self.ours(value, placed),
            Some(placed) => self.foreign(value, placed),
            // A restrictive reading always rests on an action.
            None => self.unknown(unknown_reason(&UnknownReason::HistoryPartial)),
        }
    }

    /// What we have placed here and is in force, with its value.
    fn held_by_us(&self) -> Option<(L, &'c Placement)> {
        let Reading::Known(value) = self.facts.reading else { return None };
        let placed = self.facts.placed.as_ref().filter(|_| value != L::FREE)?;
        placed.by.is_ours().then_some((value, placed))
    }

    fn record(&self) -> Record<'c> {
        let scene = self.scene;
        let ours = &scene.input.workspace.id;
        Record::of(scene.inventory, self.device, L::FACET, ours, self.now())
    }
}
