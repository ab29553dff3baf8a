//! The service's rate windows, kept on our side, so that our own pace never causes a 429.
//!
//! A call counts from the moment it leaves until a whole window after its answer came. The service
//! saw it some time in between, so however long requests travel, it never sees more than its limit
//! in any window. Rejected calls count like others: the service counts them too. Called by
//! `drive::client`; pure, the present is an argument.

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::wire::api::{RateClass, Window};

/// Beyond the end of a window: both ends may be counted in, and instants are rounded.
const GRAIN: SignedDuration = SignedDuration::from_millis(50);

/// The windows of one class of calls.
#[derive(Clone, Debug)]
pub struct Budget {
    windows: &'static [Window],
    /// When answered calls were answered, oldest first.
    answered: VecDeque<Timestamp>,
    in_flight: u32,
    blocked_until: Option<Timestamp>,
}

impl Budget {
    /// Full windows for a class.
    #[must_use]
    pub const fn new(class: RateClass) -> Self {
        Self {
            windows: class.windows(),
            answered: VecDeque::new(),
            in_flight: 0,
            blocked_until: None,
        }
    }

    /// The first instant, not before `now`, at which another call may leave.
    #[must_use]
    pub fn next_free(&self, now: Timestamp) -> Timestamp {
        let mut at = self.blocked_until.map_or(now, |until| until.max(now));
        for window in self.windows {
            at = at.max(self.free_in(*window, now));
        }
        at
    }

    fn free_in(&self, window: Window, now: Timestamp) -> Timestamp {
        let length = length(window);
        let old = self.answered.partition_point(|stamp| add(*stamp, length) <= now);
        let counted = self.answered.len() - old + self.in_flight as usize;
        let limit = window.limit as usize;
        if counted < limit {
            return now;
        }
        // So many of the oldest must leave the window; calls in flight cannot.
        match self.answered.get(old + (counted - limit)) {
            Some(stamp) => add(*stamp, length),
            None => add(now, SignedDuration::from_secs(1)),
        }
    }

    /// Takes a place for a call that leaves now, or says when to ask again.
    ///
    /// # Errors
    /// The first instant at which a place may be free.
    pub fn start(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        let at = self.next_free(now);
        if at > now {
            return Err(at);
        }
        self.in_flight += 1;
        Ok(())
    }

    /// A call that had started was answered, or given up, at `now`.
    pub fn finish(&mut self, now: Timestamp) {
        self.in_flight = self.in_flight.saturating_sub(1);
        let stamp = self.answered.back().map_or(now, |last| (*last).max(now));
        self.answered.push_back(stamp);
        let longest = self.windows.iter().map(|window| length(*window)).max();
        let longest = longest.unwrap_or(SignedDuration::ZERO);
        while self.answered.front().is_some_and(|first| add(*first, longest) <= now) {
            self.answered.pop_front();
        }
    }

    /// A place was taken, but nothing was sent.
    pub fn cancel(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// The service refuses calls until then: somebody else spends from the same windows.
    pub fn block(&mut self, until: Timestamp) {
        self.blocked_until = Some(self.blocked_until.map_or(until, |at| at.max(until)));
    }

    /// How many calls could leave at once now; `None` when nothing limits them.
    #[must_use]
    pub fn left(&self, now: Timestamp) -> Option<u32> {
        if self.blocked_until.is_some_and(|until| until > now) {
            return Some(0);
        }
        let left = |window: &Window| {
            let length = length(*window);
            let old = self.answered.partition_point(|stamp| add(*stamp, length) <= now);
            let counted = self.answered.len() - old + self.in_flight as usize;
            window.limit.saturating_sub(u32::try_from(counted).unwrap_or(u32::MAX))
        };
        self.windows.iter().map(left).min()
    }
}

fn length(window: Window) -> SignedDuration {
    SignedDuration::from_secs(i64::from(window.seconds)).saturating_add(GRAIN)
}

fn add(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Timestamp {
        "2026-11-24T10:00:00Z".parse().unwrap()
    }

    fn seconds(count: i64) -> SignedDuration {
        SignedDuration::from_secs(count)
    }

    /// Sends as fast as the budget allows; each call is seen by the service `travel` after it left
    /// and answered at twice that. Returns the instants at which the service saw the calls.
    fn run(class: RateClass, calls: usize, travel: impl Fn(usize) -> i64) -> Vec<Timestamp> {
        let mut budget = Budget::new(class);
        let mut now = start();
        let mut seen = Vec::new();
        for call in 0..calls {
            while let Err(at) = budget.start(now) {
                assert!(at > now, "the wait must move on");
                now = at;
            }
            let travel = SignedDuration::from_millis(travel(call));
            seen.push(now + travel);
            now += travel * 2;
            budget.finish(now);
        }
        seen.sort_unstable();
        seen
    }

    /// Most calls seen in any window of that length, both ends counted in.
    fn most_in(seen: &[Timestamp], window: SignedDuration) -> usize {
        let count = |from: &Timestamp| {
            seen.iter().filter(|at| *at >= from && **at <= *from + window).count()
        };
        seen.iter().map(count).max().unwrap_or(0)
    }

    #[test]
    fn three_hundred_writes_keep_both_windows_and_waste_nothing() {
        let seen = run(RateClass::Submit, 300, |_| 0);
        assert_eq!(most_in(&seen, seconds(60)), 100);
        let took = seen.last().unwrap().duration_since(start()).as_secs_f64();
        assert!((120.0..=126.0).contains(&took), "{took}");
    }

    #[test]
    fn the_hour_is_kept_too() {
        let seen = run(RateClass::Submit, 3_001, |_| 0);
        assert_eq!(most_in(&seen, seconds(60)), 100);
        assert_eq!(most_in(&seen, seconds(3_600)), 1_500);
        let took = seen.last().unwrap().duration_since(start()).as_secs_f64();
        assert!((7_200.0..=7_260.0).contains(&took), "{took}");
    }

    #[test]
    fn uneven_travel_times_do_not_crowd_a_window() {
        let seen = run(RateClass::Submit, 1_000, |call| if call % 7 == 0 { 900 } else { 5 });
        assert!(most_in(&seen, seconds(60)) <= 100);
        let seen = run(RateClass::AvHealth, 100, |call| if call == 0 { 4_000 } else { 1 });
        assert!(most_in(&seen, seconds(60)) <= 30);
    }

    #[test]
    fn calls_in_flight_hold_their_place_until_they_are_answered() {
        let mut budget = Budget::new(RateClass::AvHealth);
        for _ in 0..30 {
            assert_eq!(budget.start(start()), Ok(()));
        }
        let late = start() + seconds(300);
        assert!(budget.start(late).is_err(), "thirty are still under way");
        budget.finish(late);
        assert_eq!(budget.left(late), Some(0));
        budget.cancel();
        assert_eq!(budget.start(late), Ok(()));
    }

    #[test]
    fn a_refusal_blocks_the_class_until_it_ends() {
        let mut budget = Budget::new(RateClass::Machines);
        budget.block(start() + seconds(40));
        budget.block(start() + seconds(10));
        assert_eq!(budget.start(start()), Err(start() + seconds(40)));
        assert_eq!(budget.left(start()), Some(0));
        assert_eq!(budget.start(start() + seconds(40)), Ok(()));
    }

    #[test]
    fn signing_in_is_not_limited() {
        let budget = Budget::new(RateClass::SignIn);
        assert_eq!((budget.left(start()), budget.next_free(start())), (None, start()));
    }
}
