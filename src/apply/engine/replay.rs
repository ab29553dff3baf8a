//! A run from its journal: what each change had come to when the run was stopped or killed.
//!
//! The rule that matters: an intent without an answer may have taken effect. It is looked for, and
//! only when it is not found is it sent again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;

use crate::apply::engine::answers::refusal;
use crate::apply::engine::cancel::not_cancelled;
use crate::apply::engine::finish::refused;
use crate::apply::engine::send::request;
use crate::apply::engine::track::{Accepted, Lost, Phase, Track, Tracks};
use crate::apply::engine::{Engine, Stage};
use crate::apply::journal::{Entry, FORMAT_VERSION, JournalEntry, Noted, Part};
use crate::apply::judge::alert;
use crate::apply::outcome::{Ended, Outcome};
use crate::model::{ActionStatus, ChangeId, DeviceId, Verb};
use crate::plan::types::{Change, Reason, TargetKind};

/// Why a journal does not fit a plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WrongJournal {
    /// The journal is of another plan.
    #[error("the journal is of plan `{found}`, not of plan `{expected}`")]
    Plan {
        /// Hash in the journal.
        found: String,
        /// Hash of the plan.
        expected: String,
    },
    /// The journal does not begin with the start of a run.
    #[error("the journal does not begin with the start of a run")]
    NoStart,
    /// Written by a later version.
    #[error("the journal has format {found}, this program reads {FORMAT_VERSION}")]
    Format {
        /// Its version.
        found: u32,
    },
    /// An entry names a change that the plan does not have.
    #[error("the journal names change `{change}`, which the plan does not have")]
    Change {
        /// The change.
        change: String,
    },
}

impl Engine {
    pub(super) fn replay(
        &mut self,
        history: &[JournalEntry],
        tool: &str,
    ) -> Result<(), WrongJournal> {
        let mut tracks: Vec<Track> =
            self.plan.changes.iter().map(|change| self.begin(change)).collect();
        let Some((first, rest)) = history.split_first() else {
            self.start(tracks, tool);
            return Ok(());
        };
        self.check_start(&first.entry)?;
        let index: BTreeMap<&ChangeId, usize> =
            self.plan.changes.iter().enumerate().map(|(at, change)| (&change.id, at)).collect();
        for line in rest {
            let Some(id) = line.entry.change() else { continue };
            let change = index.get(id).and_then(|at| Some((*at, self.plan.changes.get(*at)?)));
            let track = change.and_then(|(at, change)| Some((change, tracks.get_mut(at)?)));
            let Some((change, track)) = track else {
                return Err(WrongJournal::Change { change: id.to_string() });
            };
            apply(track, change, &line.entry, line.time);
        }
        let last = history.last().map_or(Timestamp::MIN, |line| line.time);
        let ends = rest.iter().filter(|line| matches!(line.entry, Entry::Outcome { .. }));
        let told: BTreeSet<usize> =
            ends.filter_map(|line| index.get(line.entry.change()?).copied()).collect();
        if matches!(history.last().map(|line| &line.entry), Some(Entry::Finished { .. })) {
            // Nothing is left to do, and nothing to add to what is written.
            self.stage = Stage::Closed;
        } else {
            let withheld = self.brakes.sending.withheld().cloned();
            self.outbox.push(Entry::Resumed { tool: tool.to_owned(), withheld });
        }
        self.courses.replay(rest.iter().map(|line| (&line.entry, line.time)));
        self.take_up(tracks, &told);
        self.courses.remember(&self.tracks);
        for tenant in self.tenants.values_mut() {
            tenant.last_accepted = last;
        }
        Ok(())
    }

    fn start(&mut self, tracks: Vec<Track>, tool: &str) {
        let tenants = self.plan.tenants.iter();
        self.outbox.push(Entry::Started {
            format_version: FORMAT_VERSION,
            run: None,
            plan_hash: self.plan.plan_hash.clone(),
            tool: tool.to_owned(),
            workspace: self.plan.workspace.clone(),
            tenants: tenants.map(|t| (t.name.clone(), t.tenant_id.clone())).collect(),
            changes: u32::try_from(self.plan.changes.len()).unwrap_or(u32::MAX),
            lifts: self.plan.lifts.clone(),
        });
        self.take_up(tracks, &BTreeSet::new());
    }

    fn check_start(&self, entry: &Entry) -> Result<(), WrongJournal> {
        let Entry::Started { format_version, plan_hash, .. } = entry else {
            return Err(WrongJournal::NoStart);
        };
        if *format_version != FORMAT_VERSION {
            return Err(WrongJournal::Format { found: *format_version });
        }
        if *plan_hash != self.plan.plan_hash {
            let (found, expected) = (plan_hash.clone(), self.plan.plan_hash.clone());
            return Err(WrongJournal::Plan { found, expected });
        }
        Ok(())
    }

    /// A change at its beginning.
    fn begin(&self, change: &Change) -> Track {
        let is_device = change.target.kind == TargetKind::Device;
        let part = match change.verb {
            Verb::Classify if alert::sets_something(&change.parameters) => Part::Patch,
            Verb::Classify => Part::Comment,
            _ => Part::Action,
        };
        let not_before = change.parameters.not_before.unwrap_or(Timestamp::MIN);
        let mut track = Track {
            tenant: Arc::from(change.tenant.as_str()),
            gate: self.courses.gate_of(change),
            device: is_device.then(|| DeviceId::parse(&change.target.id)),
            part,
            attempts: 0,
            absent: 0,
            throttled: 0,
            unsent: 0,
            sent: false,
            action: None,
            earlier: false,
            phase: Phase::Idle(not_before),
        };
        let latest = self.plan.created_at.checked_add(self.options.wait_spread);
        let refuse =
            |code: &str| Phase::Ended(Ended::because(Outcome::NotAttempted, Reason::new(code)));
        if request(change, part).is_none() {
            track.phase = refuse("verb-not-supported");
        } else if !self.tenants.contains_key(&track.tenant) {
            track.phase = refuse("tenant-missing");
        } else if latest.is_ok_and(|latest| not_before > latest) {
            track.phase = refuse("starts-too-late");
        }
        track
    }

    /// Takes the tracks up and records the ends that are not in the journal yet.
    fn take_up(&mut self, tracks: Vec<Track>, told: &BTreeSet<usize>) {
        self.tracks = Tracks::with_gates(self.courses.gates());
        for gate in self.courses.begun() {
            self.tracks.open(gate);
        }
        for (index, track) in tracks.into_iter().enumerate() {
            if let (Phase::Ended(ended), false) = (&track.phase, told.contains(&index))
                && let Some(change) = self.change(index).map(|change| change.id.clone())
            {
                self.outbox.push(Entry::Outcome { change, ended: ended.clone() });
            }
            if track.sent {
                self.tracks.sent += 1;
            }
            self.tracks.add(track);
        }
    }
}

/// Moves a track as the entry says.
fn apply(track: &mut Track, change: &Change, entry: &Entry, time: Timestamp) {
    match entry {
        Entry::Intent { part, attempt, .. } => {
            (track.part, track.attempts, track.sent) = (*part, *attempt, true);
            track.phase = Phase::Lost(Lost::new(Timestamp::MIN));
        }
        Entry::Answer { answer, .. } => answered(track, change, answer, time),
        Entry::Looked { found: true, action: Some(action), .. } => {
            accept(track, action.clone(), time);
        }
        Entry::Looked { found: true, action: None, .. } => {
            if track.part != Part::Patch {
                track.phase = Phase::Claimed(None);
            }
        }
        Entry::Looked { found: false, absent: true, .. } => {
            // Each life counts anew: that a run was killed says nothing about the service.
            track.phase = Phase::Idle(Timestamp::MIN);
        }
        Entry::Looked { .. } => {}
        Entry::State { action, status, .. } => {
            let status = ActionStatus::from_wire(status);
            if let Phase::Accepted(accepted) = &mut track.phase
                && accepted.action == *action
            {
                // An action that has ended is listed once more: its end is settled from there.
                accepted.status = status;
            }
        }
        Entry::Outcome { ended, .. } => {
            let is_confirmed = ended.outcome == Outcome::Done && ended.reason.is_none();
            track.earlier = is_confirmed && track.device.is_some();
            track.phase = Phase::Ended(ended.clone());
        }
        Entry::Started { .. }
        | Entry::WaveBegun { .. }
        | Entry::WaveEnded { .. }
        | Entry::WavePaused { .. }
        | Entry::RolloutHalted { .. }
        | Entry::Verification { .. }
        | Entry::Stopped { .. }
        | Entry::Resumed { .. }
        | Entry::Finished { .. } => {}
    }
}

fn answered(track: &mut Track, change: &Change, answer: &Noted, time: Timestamp) {
    match answer {
        Noted::Accepted { action: Some(action) } => accept(track, action.clone(), time),
        Noted::Accepted { action: None } => {
            if track.part == Part::Patch && change.parameters.comment.is_some() {
                (track.part, track.absent) = (Part::Comment, 0);
                track.phase = Phase::Idle(Timestamp::MIN);
            } else {
                track.phase = Phase::Claimed(None);
            }
        }
        Noted::AlreadyExists { message } => {
            let exists = Some(message.clone());
            track.phase = Phase::Lost(Lost { exists, ..Lost::new(Timestamp::MIN) });
        }
        Noted::Refused { status, code, message } => {
            let reason = refusal(*status, code, message);
            track.phase = match change.verb {
                verb if (verb == Verb::Cancel || track.part == Part::Cancel) && *status == 400 => {
                    let exists = Some(message.clone());
                    Phase::Lost(Lost { exists, ..Lost::new(Timestamp::MIN) })
                }
                _ if track.part == Part::Cancel => Phase::Shelved(
                    Ended::because(Outcome::PendingOffline, not_cancelled(&reason))
                        .by(track.action.clone()),
                ),
                _ => Phase::Ended(refused(change, track.part, reason)),
            };
        }
        Noted::Ambiguous { .. } => track.phase = Phase::Lost(Lost::new(Timestamp::MIN)),
        Noted::Throttled | Noted::NotSent { .. } => track.phase = Phase::Idle(Timestamp::MIN),
    }
}

fn accept(track: &mut Track, action: crate::model::ActionId, time: Timestamp) {
    track.sent = true;
    track.action = Some(action.clone());
    let status = ActionStatus::Pending;
    track.phase = Phase::Accepted(Accepted { action, since: time, status });
}
