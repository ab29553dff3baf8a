//! Waves: which changes wait for which others to have ended, and when a rollout stops.
//!
//! Each rollout of the plan takes its own course; what belongs to none waits for nothing. A wave
//! begins when the one before has ended, its bake has passed, few enough devices are pending and,
//! where the plan says so, a person has gone on. Too many failures stop the rollout for good, and
//! only that one: policies of other rollouts did not fail. What the courses have come to is in the
//! journal, so that a run that is resumed waits no longer and no shorter.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::apply::engine::Engine;
use crate::apply::engine::courses::{Course, Hold, PAUSED};
use crate::apply::engine::track::Kind;
use crate::apply::journal::Entry;
use crate::apply::outcome::{Course as Moment, CourseState};
use crate::apply::step::Wait;
use crate::plan::types::Reason;

impl Engine {
    /// Lets waves begin and rollouts stop, as far as what has ended allows.
    pub(super) fn advance(&mut self, now: Timestamp) {
        for at in 0..self.courses.all.len() {
            while self.step_on(at, now) {}
            self.dismantle(at, now);
        }
    }

    /// One step of one rollout; whether there may be another.
    fn step_on(&mut self, at: usize, now: Timestamp) -> bool {
        let Some(course) = self.courses.all.get(at) else { return false };
        let Some(wave) = course.wave().cloned() else { return false };
        if course.halt.is_some() {
            return false;
        }
        let failures = self.tracks.failures_of(course.gate..=course.gate_now());
        if failures > wave.failure_limit {
            self.halt(at, failures, wave.failure_limit);
            return false;
        }
        let gate = course.gate_now();
        if self.tracks.unsettled_of(gate) > 0 {
            return false;
        }
        let pending = self.tracks.offline_of(gate);
        if course.ended.is_none() {
            self.wave_ended(at, failures, pending, now);
            return true;
        }
        if course.is_last() {
            return false;
        }
        let hold = if pending > wave.offline_limit {
            Some(Hold::Devices { pending })
        } else if wave.pause && !course.gone_on {
            Some(Hold::Person)
        } else {
            None
        };
        let baked = course.baked().is_some_and(|baked| baked <= now);
        if let Some(course) = self.courses.all.get_mut(at) {
            course.hold = hold;
        }
        if hold.is_none() && baked {
            self.begin_next(at);
            return true;
        }
        false
    }

    fn wave_ended(&mut self, at: usize, failures: u32, offline: u32, now: Timestamp) {
        let Some(course) = self.courses.all.get_mut(at) else { return };
        course.ended = Some(now);
        self.outbox.push(Entry::WaveEnded {
            tenant: course.tenant.clone(),
            policy: course.policy.clone(),
            wave: course.number(),
            failures,
            offline,
        });
    }

    fn begin_next(&mut self, at: usize) {
        let Some(course) = self.courses.all.get_mut(at) else { return };
        course.current += 1;
        (course.ended, course.gone_on) = (None, false);
        self.outbox.push(Entry::WaveBegun {
            tenant: course.tenant.clone(),
            policy: course.policy.clone(),
            wave: course.number(),
        });
        self.tracks.open(course.gate_now());
    }

    /// Nothing more of this rollout is sent.
    fn halt(&mut self, at: usize, failures: u32, limit: u32) {
        let members = self.courses.members(at);
        let Some(course) = self.courses.all.get_mut(at) else { return };
        let wave = course.number();
        let reason = Reason::new("rollout-halted")
            .with("policy", course.name.as_str())
            .with("wave", wave)
            .with("failures", failures)
            .with("limit", limit);
        course.halt = Some(reason.clone());
        course.left = self.tracks.behind(members);
        let (tenant, policy) = (course.tenant.clone(), course.policy.clone());
        self.outbox.push(Entry::RolloutHalted { tenant, policy, wave, reason });
    }

    /// Whether what is left of the run waits for a person or for devices, and nothing is under way.
    pub(super) fn is_at_rest(&self) -> bool {
        let moving = [
            Kind::Reading,
            Kind::Fresh,
            Kind::Recording,
            Kind::Armed,
            Kind::Sent,
            Kind::Lost,
            Kind::Accepted,
        ];
        let mut held = self.courses.all.iter().filter(|course| course.is_open_ended()).peekable();
        held.peek().is_some()
            && held.all(|course| course.hold.is_some())
            && moving.into_iter().all(|kind| self.tracks.count(kind) == 0)
            && self.tracks.queued().next().is_none()
    }

    /// Stops a run that is at rest and whose successes have been confirmed.
    pub(super) fn stop_at_rest(&mut self) {
        let confirmed = self.tracks.count(Kind::Claimed) == 0 && self.asked.is_empty();
        if self.stop.is_some() || !self.is_at_rest() || !confirmed || self.recording.is_some() {
            return;
        }
        let held = || self.courses.all.iter().filter(|course| course.is_open_ended());
        let paused: Vec<&Course> =
            held().filter(|course| course.hold == Some(Hold::Person)).collect();
        for course in &paused {
            self.outbox.push(Entry::WavePaused {
                tenant: course.tenant.clone(),
                policy: course.policy.clone(),
                wave: course.number() + 1,
            });
        }
        let reason = match (paused.first(), held().next()) {
            (Some(course), _) => {
                let names: Vec<&str> = paused.iter().map(|course| course.name.as_str()).collect();
                Reason::new(PAUSED).with("policy", names.join(", ")).with("wave", course.number())
            }
            (None, Some(course)) => {
                let limit = course.wave().map_or(0, |wave| wave.offline_limit);
                let pending = match course.hold {
                    Some(Hold::Devices { pending }) => pending,
                    Some(Hold::Person) | None => 0,
                };
                Reason::new("offline-limit")
                    .with("policy", course.name.as_str())
                    .with("wave", course.number())
                    .with("pending", pending)
                    .with("limit", limit)
            }
            (None, None) => return,
        };
        self.stop = Some(reason);
    }

    /// Names the ends of bakes.
    pub(super) fn bakes(&self, offer: &mut dyn FnMut(Timestamp, Wait)) {
        for course in &self.courses.all {
            if let Some(baked) = self.baking(course) {
                offer(baked, Wait::Bake);
            }
        }
    }

    /// Until when a rollout bakes, if it does.
    fn baking(&self, course: &Course) -> Option<Timestamp> {
        let settled = self.tracks.unsettled_of(course.gate_now()) == 0;
        course.baked().filter(|_| course.is_open_ended() && course.hold.is_none() && settled)
    }

    /// Where the rollouts with more than one wave are.
    pub(super) fn moments(&self) -> Vec<Moment> {
        let several = self.courses.all.iter().filter(|course| course.waves.len() > 1);
        several
            .map(|course| Moment {
                name: Arc::from(course.name.as_str()),
                wave: course.number(),
                waves: u32::try_from(course.waves.len()).unwrap_or(u32::MAX),
                state: self.state(course),
            })
            .collect()
    }

    fn state(&self, course: &Course) -> CourseState {
        if course.halt.is_some() {
            return CourseState::Halted;
        }
        match (course.hold, self.baking(course)) {
            (Some(Hold::Person), _) => CourseState::Paused,
            (Some(Hold::Devices { .. }), _) => CourseState::Offline,
            (None, Some(until)) => CourseState::Baking(until),
            (None, None) if course.is_last() && course.ended.is_some() => CourseState::Ended,
            (None, None) => CourseState::Running,
        }
    }

    /// Time that the bakes still to come take at least.
    pub(super) fn bakes_left(&self, now: Timestamp) -> SignedDuration {
        let left = |course: &Course| {
            let now_baking = self.baking(course).map(|until| until.duration_since(now));
            let later = course.waves.len().saturating_sub(course.current + 1);
            let later = later.saturating_sub(usize::from(now_baking.is_some()));
            let later = course.bake.checked_mul(i32::try_from(later).unwrap_or(i32::MAX));
            let now_baking = now_baking.unwrap_or_default().max(SignedDuration::ZERO);
            now_baking.checked_add(later.unwrap_or(SignedDuration::MAX))
        };
        let open = self.courses.all.iter().filter(|course| course.is_open_ended());
        open.filter_map(left).max().unwrap_or_default()
    }
}
