//! The courses of a run's rollouts: which wave is under way, behind which gate a change waits, and what
//! the journal says of it.
//!
//! Made by `replay`; moved by `rollouts`, which decides when. Must never look at what devices came to.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::apply::engine::track::Tracks;
use crate::apply::journal::Entry;
use crate::plan::Plan;
use crate::plan::types::{Change, Reason, Wave};

/// The number of the gate that is always open: changes without a rollout.
pub(super) const OPEN: usize = 0;

/// A rollout on its way.
#[derive(Clone, Debug)]
pub(super) struct Course {
    pub(super) tenant: String,
    pub(super) policy: String,
    pub(super) name: String,
    pub(super) waves: Vec<Wave>,
    pub(super) bake: SignedDuration,
    /// The gate of the first wave; the others follow.
    pub(super) gate: usize,
    /// The wave under way, from 0.
    pub(super) current: usize,
    /// When it ended: the bake counts from here.
    pub(super) ended: Option<Timestamp>,
    /// Whether a person has gone on to the next one.
    pub(super) gone_on: bool,
    /// Why the next one does not begin in this life of the run.
    pub(super) hold: Option<Hold>,
    /// Why nothing more is sent.
    pub(super) halt: Option<Reason>,
    /// Members of a stopped rollout that are not at rest yet.
    pub(super) left: Vec<usize>,
}

/// What a wave waits for that does not come by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    Person,
    Devices { pending: u32 },
}

impl Course {
    pub(super) fn wave(&self) -> Option<&Wave> {
        self.waves.get(self.current)
    }

    pub(super) fn is_last(&self) -> bool {
        self.current + 1 >= self.waves.len()
    }

    /// The number of the wave under way, from 1.
    pub(super) fn number(&self) -> u32 {
        u32::try_from(self.current + 1).unwrap_or(u32::MAX)
    }

    pub(super) fn gate_now(&self) -> usize {
        self.gate + self.current
    }

    /// When the next wave may begin.
    pub(super) fn baked(&self) -> Option<Timestamp> {
        Some(self.ended?.checked_add(self.bake).unwrap_or(Timestamp::MAX))
    }

    /// Whether its next wave is still to come.
    pub(super) fn is_open_ended(&self) -> bool {
        self.halt.is_none() && !self.is_last()
    }
}

/// All rollouts of a run.
#[derive(Clone, Debug, Default)]
pub(super) struct Courses {
    pub(super) all: Vec<Course>,
    by_policy: BTreeMap<(String, String), usize>,
}

impl Courses {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut courses = Self::default();
        let mut gate = OPEN + 1;
        for rollout in &plan.rollouts {
            let key = (rollout.tenant.clone(), rollout.policy.clone());
            courses.by_policy.insert(key, courses.all.len());
            let bake = i64::try_from(rollout.bake_seconds).unwrap_or(i64::MAX);
            courses.all.push(Course {
                tenant: rollout.tenant.clone(),
                policy: rollout.policy.clone(),
                name: rollout.name().to_owned(),
                waves: rollout.waves.clone(),
                bake: SignedDuration::from_secs(bake),
                gate,
                current: 0,
                ended: None,
                gone_on: false,
                hold: None,
                halt: None,
                left: Vec::new(),
            });
            gate += rollout.waves.len();
        }
        courses
    }

    pub(super) fn gates(&self) -> usize {
        1 + self.all.iter().map(|course| course.waves.len()).sum::<usize>()
    }

    pub(super) fn find(&self, tenant: &str, policy: &str) -> Option<usize> {
        self.by_policy.get(&(tenant.to_owned(), policy.to_owned())).copied()
    }

    /// The gate that a change waits behind.
    pub(super) fn gate_of(&self, change: &Change) -> usize {
        let Some(policy) = &change.rollout else { return OPEN };
        let course = self.find(&change.tenant, policy).and_then(|at| self.all.get(at));
        let wave = usize::try_from(change.wave.saturating_sub(1)).unwrap_or(0);
        course.map_or(OPEN, |course| course.gate + wave.min(course.waves.len().saturating_sub(1)))
    }

    /// Gates of waves that have begun.
    pub(super) fn begun(&self) -> impl Iterator<Item = usize> + '_ {
        self.all.iter().flat_map(|course| course.gate..=course.gate_now())
    }

    /// Whether a gate belongs to a course.
    pub(super) fn members(&self, course: usize) -> std::ops::Range<usize> {
        self.all.get(course).map_or(0..0, |course| course.gate..course.gate + course.waves.len())
    }
}

/// Taking up again what the journal says.
impl Courses {
    /// Moves the courses as the entries say, in their order. That a run was resumed after it had
    /// stopped for a person is that person's word.
    pub(super) fn replay<'a>(&mut self, entries: impl Iterator<Item = (&'a Entry, Timestamp)>) {
        let (mut paused, mut stopped) = (Vec::new(), false);
        for (entry, time) in entries {
            match entry {
                Entry::WaveBegun { tenant, policy, wave } => {
                    self.edit(tenant, policy, |course| {
                        course.current = usize::try_from(wave.saturating_sub(1)).unwrap_or(0);
                        (course.ended, course.gone_on) = (None, false);
                    });
                }
                Entry::WaveEnded { tenant, policy, .. } => {
                    self.edit(tenant, policy, |course| course.ended = Some(time));
                }
                Entry::WavePaused { tenant, policy, .. } => paused.push((tenant, policy)),
                Entry::RolloutHalted { tenant, policy, reason, .. } => {
                    self.edit(tenant, policy, |course| course.halt = Some(reason.clone()));
                }
                Entry::Stopped { reason } => stopped = reason.code == PAUSED,
                Entry::Resumed { .. } => {
                    self.go_on(&mut paused, stopped);
                    stopped = false;
                }
                Entry::Started { .. }
                | Entry::Intent { .. }
                | Entry::Answer { .. }
                | Entry::Looked { .. }
                | Entry::State { .. }
                | Entry::Outcome { .. }
                | Entry::Verification { .. }
                | Entry::Finished { .. } => {}
            }
        }
        self.go_on(&mut paused, stopped);
    }

    fn go_on(&mut self, paused: &mut Vec<(&String, &String)>, stopped: bool) {
        for (tenant, policy) in paused.drain(..) {
            // A run that was killed before it had stopped has asked nobody yet.
            self.edit(tenant, policy, |course| course.gone_on |= stopped);
        }
    }

    /// Members of stopped rollouts, once the changes are taken up.
    pub(super) fn remember(&mut self, tracks: &Tracks) {
        for at in 0..self.all.len() {
            let members = self.members(at);
            if let Some(course) = self.all.get_mut(at).filter(|course| course.halt.is_some()) {
                course.left = tracks.behind(members);
            }
        }
    }

    fn edit(&mut self, tenant: &str, policy: &str, edit: impl FnOnce(&mut Course)) {
        if let Some(course) = self.find(tenant, policy).and_then(|at| self.all.get_mut(at)) {
            edit(course);
        }
    }
}

/// The code of a stop that waits for a person.
pub(super) const PAUSED: &str = "paused";
