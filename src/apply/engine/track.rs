//! The changes of a run, each in its phase, and the phases as sets.
//!
//! A phase changes in one place (`Tracks::put`), which keeps the sets, the counts per gate and the
//! counters of progress true; nothing walks all changes to find the few that are due.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use jiff::Timestamp;

use crate::apply::journal::Part;
use crate::apply::outcome::{Ended, Outcome};
use crate::model::{ActionId, ActionStatus, DeviceId};

/// Where a change is on its way.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Phase {
    /// To be read, not before this instant.
    Idle(Timestamp),
    /// The last look before it is sent is under way.
    Reading,
    /// Found as expected at that instant: may be sent while the reading is fresh.
    Fresh(Timestamp),
    /// Its intent is being written to the journal.
    Recording,
    /// Its intent is on the disk.
    Armed,
    /// Its request is under way.
    Sent,
    /// Whether it took effect is not known.
    Lost(Lost),
    /// The service took it; its action is waited for.
    Accepted(Accepted),
    /// Its action succeeded; the look at the end is to confirm it.
    Claimed(Option<ActionId>),
    /// Given up waiting for; the look at the end may still find better.
    Shelved(Ended),
    /// Settled for good.
    Ended(Ended),
}

/// A request without a clear answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Lost {
    /// Looks that found nothing.
    pub(super) looks: usize,
    /// Looks in a row that could not be taken.
    pub(super) failed: u32,
    /// When the next look is due.
    pub(super) next: Timestamp,
    /// Whether one is under way.
    pub(super) looking: bool,
    /// The service's message, when it said that an action is active already.
    pub(super) exists: Option<String>,
}

impl Lost {
    pub(super) const fn new(next: Timestamp) -> Self {
        Self { looks: 0, failed: 0, next, looking: false, exists: None }
    }
}

/// An action that is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) action: ActionId,
    /// When we learned of it: the waiting time counts from here.
    pub(super) since: Timestamp,
    pub(super) status: ActionStatus,
}

/// One change of the plan on its way.
#[derive(Clone, Debug)]
pub(super) struct Track {
    pub(super) tenant: Arc<str>,
    /// The gate it waits behind.
    pub(super) gate: usize,
    /// The device, when the target is one.
    pub(super) device: Option<DeviceId>,
    /// The request that is next or under way.
    pub(super) part: Part,
    /// Intents so far, of all parts.
    pub(super) attempts: u32,
    /// Requests of this part that were shown not to have arrived.
    pub(super) absent: u32,
    /// Throttled answers.
    pub(super) throttled: u32,
    /// Requests that did not leave.
    pub(super) unsent: u32,
    /// Whether a request has left at least once.
    pub(super) sent: bool,
    /// The action that stands for it, once there is one.
    pub(super) action: Option<ActionId>,
    /// Confirmed before the run stopped and went on; looked at once more when all has ended.
    pub(super) earlier: bool,
    pub(super) phase: Phase,
}

/// The sets of phases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Idle,
    Reading,
    Fresh,
    Recording,
    Armed,
    Sent,
    Lost,
    Accepted,
    Claimed,
    Shelved,
    Ended,
}

impl Phase {
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Idle(_) => Kind::Idle,
            Self::Reading => Kind::Reading,
            Self::Fresh(_) => Kind::Fresh,
            Self::Recording => Kind::Recording,
            Self::Armed => Kind::Armed,
            Self::Sent => Kind::Sent,
            Self::Lost(_) => Kind::Lost,
            Self::Accepted(_) => Kind::Accepted,
            Self::Claimed(_) => Kind::Claimed,
            Self::Shelved(_) => Kind::Shelved,
            Self::Ended(_) => Kind::Ended,
        }
    }

    /// Whether nothing more is sent or waited for: the next wave may go.
    pub(super) const fn is_settled(&self) -> bool {
        matches!(self, Self::Claimed(_) | Self::Shelved(_) | Self::Ended(_))
    }
}

/// All changes, by their place in the plan.
#[derive(Clone, Debug, Default)]
pub(super) struct Tracks {
    all: Vec<Track>,
    sets: BTreeMap<Kind, BTreeSet<usize>>,
    /// Idle ones behind open gates, in the order in which they are begun.
    queue: BTreeSet<(Timestamp, usize)>,
    gates: Vec<Gate>,
    /// Changes that are not settled.
    unsettled: usize,
    pub(super) good: u32,
    pub(super) failed: u32,
    pub(super) offline: u32,
    pub(super) sent: u32,
}

/// What the changes of one wave wait behind.
#[derive(Clone, Debug, Default)]
struct Gate {
    open: bool,
    /// All changes behind it.
    members: Vec<usize>,
    /// Those that are not settled.
    unsettled: usize,
    /// Those that ended in a way that counts against a failure limit.
    failures: u32,
    /// Those that were given up waiting for: their devices are offline.
    offline: u32,
}

impl Tracks {
    /// So many gates; the first is open.
    pub(super) fn with_gates(count: usize) -> Self {
        let mut tracks = Self { gates: vec![Gate::default(); count], ..Self::default() };
        tracks.open(0);
        tracks
    }

    /// Opens a gate: its changes may be begun.
    pub(super) fn open(&mut self, gate: usize) {
        let Some(gate) = self.gates.get_mut(gate) else { return };
        gate.open = true;
        for index in &gate.members {
            if let Some(Phase::Idle(at)) = self.all.get(*index).map(|track| &track.phase) {
                self.queue.insert((*at, *index));
            }
        }
    }

    /// The changes behind some gates.
    pub(super) fn behind(&self, gates: Range<usize>) -> Vec<usize> {
        let gates = self.gates.get(gates).unwrap_or_default();
        gates.iter().flat_map(|gate| gate.members.iter().copied()).collect()
    }

    pub(super) fn unsettled_of(&self, gate: usize) -> usize {
        self.gates.get(gate).map_or(0, |gate| gate.unsettled)
    }

    pub(super) fn offline_of(&self, gate: usize) -> u32 {
        self.gates.get(gate).map_or(0, |gate| gate.offline)
    }

    pub(super) fn failures_of(&self, gates: RangeInclusive<usize>) -> u32 {
        self.gates.get(gates).unwrap_or_default().iter().map(|gate| gate.failures).sum()
    }

    /// Changes that are not settled, behind whatever gate.
    pub(super) const fn unsettled(&self) -> usize {
        self.unsettled
    }

    pub(super) fn add(&mut self, track: Track) {
        let index = self.all.len();
        if let Some(gate) = self.gates.get_mut(track.gate) {
            gate.members.push(index);
        }
        if !track.phase.is_settled() {
            self.count_unsettled(track.gate, 1);
        }
        self.all.push(track);
        self.enter(index);
    }

    fn count_unsettled(&mut self, gate: usize, by: isize) {
        self.unsettled = self.unsettled.saturating_add_signed(by);
        if let Some(gate) = self.gates.get_mut(gate) {
            gate.unsettled = gate.unsettled.saturating_add_signed(by);
        }
    }

    pub(super) fn get(&self, index: usize) -> Option<&Track> {
        self.all.get(index)
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    /// Changes what does not concern the phase.
    pub(super) fn edit(&mut self, index: usize, edit: impl FnOnce(&mut Track)) {
        if let Some(track) = self.all.get_mut(index) {
            edit(track);
        }
    }

    pub(super) fn mark_sent(&mut self, index: usize) {
        if let Some(track) = self.all.get_mut(index)
            && !track.sent
        {
            track.sent = true;
            self.sent += 1;
        }
    }

    /// The later look at what was confirmed already has been taken, or given up.
    pub(super) fn looked_again(&mut self, index: usize) {
        if let Some(track) = self.all.get_mut(index) {
            track.earlier = false;
        }
    }

    pub(super) fn in_phase(&self, kind: Kind) -> impl Iterator<Item = usize> + '_ {
        self.sets.get(&kind).into_iter().flatten().copied()
    }

    pub(super) fn count(&self, kind: Kind) -> usize {
        self.sets.get(&kind).map_or(0, BTreeSet::len)
    }

    pub(super) fn first(&self, kind: Kind) -> Option<usize> {
        self.sets.get(&kind)?.first().copied()
    }

    /// Idle changes behind open gates in the order in which they are begun, with their instants.
    pub(super) fn queued(&self) -> impl Iterator<Item = (Timestamp, usize)> + '_ {
        self.queue.iter().copied()
    }

    pub(super) fn put(&mut self, index: usize, phase: Phase) {
        self.leave(index);
        let Some(track) = self.all.get_mut(index) else { return };
        let before = track.phase.is_settled();
        track.phase = phase;
        let (gate, after) = (track.gate, track.phase.is_settled());
        match (before, after) {
            (true, false) => self.count_unsettled(gate, 1),
            (false, true) => self.count_unsettled(gate, -1),
            (true, true) | (false, false) => {}
        }
        self.enter(index);
    }

    fn enter(&mut self, index: usize) {
        let Some(track) = self.all.get(index) else { return };
        self.sets.entry(track.phase.kind()).or_default().insert(index);
        match &track.phase {
            Phase::Idle(at) => {
                if self.gates.get(track.gate).is_none_or(|gate| gate.open) {
                    self.queue.insert((*at, index));
                }
            }
            Phase::Ended(ended) | Phase::Shelved(ended) => {
                let (gate, ended) = (track.gate, ended.clone());
                self.tally(gate, &ended, 1);
            }
            Phase::Reading
            | Phase::Fresh(_)
            | Phase::Recording
            | Phase::Armed
            | Phase::Sent
            | Phase::Lost(_)
            | Phase::Accepted(_)
            | Phase::Claimed(_) => {}
        }
    }

    fn leave(&mut self, index: usize) {
        let Some(track) = self.all.get(index) else { return };
        if let Some(set) = self.sets.get_mut(&track.phase.kind()) {
            set.remove(&index);
        }
        match &track.phase {
            Phase::Idle(at) => {
                self.queue.remove(&(*at, index));
            }
            Phase::Ended(ended) | Phase::Shelved(ended) => {
                let (gate, ended) = (track.gate, ended.clone());
                self.tally(gate, &ended, -1);
            }
            Phase::Reading
            | Phase::Fresh(_)
            | Phase::Recording
            | Phase::Armed
            | Phase::Sent
            | Phase::Lost(_)
            | Phase::Accepted(_)
            | Phase::Claimed(_) => {}
        }
    }

    fn tally(&mut self, gate: usize, ended: &Ended, by: i32) {
        let add = |count: &mut u32| *count = count.saturating_add_signed(by);
        let is_offline = ended.outcome == Outcome::PendingOffline;
        if ended.outcome.is_good() {
            add(&mut self.good);
        } else if ended.outcome.is_failure() {
            add(&mut self.failed);
        } else if is_offline {
            add(&mut self.offline);
        }
        if let Some(gate) = self.gates.get_mut(gate) {
            if ended.counts_against() {
                add(&mut gate.failures);
            }
            if is_offline {
                add(&mut gate.offline);
            }
        }
    }
}
