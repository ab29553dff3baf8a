//! Time as a capability: the real clock, a hastened one for demos, one moved by hand for tests.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

/// A boxed future, so that the capability can be a trait object.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Tells the time and waits for it.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// The present instant.
    fn now(&self) -> Timestamp;
    /// Ready at `at`, at once when it has passed.
    fn sleep_until(&self, at: Timestamp) -> Pending<'_, ()>;
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }
    fn sleep_until(&self, at: Timestamp) -> Pending<'_, ()> {
        let wait = positive(at.duration_since(self.now()));
        Box::pin(tokio::time::sleep(wait))
    }
}

/// Runs `factor` times as fast as the machine's clock, from `start` on: demos only.
#[derive(Clone, Debug)]
pub struct HastenedClock {
    start: Timestamp,
    since: Instant,
    factor: u32,
}

impl HastenedClock {
    /// A clock that shows `start` now; `factor` is at least 1.
    #[must_use]
    pub fn new(start: Timestamp, factor: u32) -> Self {
        Self { start, since: Instant::now(), factor: factor.max(1) }
    }
}

impl Clock for HastenedClock {
    fn now(&self) -> Timestamp {
        let real = SignedDuration::try_from(self.since.elapsed()).unwrap_or(SignedDuration::MAX);
        let fast = real.checked_mul(i32::try_from(self.factor).unwrap_or(i32::MAX));
        fast.and_then(|fast| self.start.checked_add(fast).ok()).unwrap_or(Timestamp::MAX)
    }
    fn sleep_until(&self, at: Timestamp) -> Pending<'_, ()> {
        let wait = positive(at.duration_since(self.now())) / self.factor;
        Box::pin(tokio::time::sleep(wait))
    }
}

/// Moves only by hand; whoever sleeps moves it to where the sleep ends. For a single task that
/// waits: tests and simulation.
#[derive(Clone, Debug)]
pub struct ManualClock {
    now: Arc<Mutex<Timestamp>>,
}

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self { now: Arc::new(Mutex::new(now)) }
    }
    /// Moves forward to `at`; never back.
    pub fn advance_to(&self, at: Timestamp) {
        let mut now = self.now.lock().unwrap_or_else(PoisonError::into_inner);
        *now = (*now).max(at);
    }
    /// Moves forward by `span`.
    pub fn advance(&self, span: SignedDuration) {
        let at = self.now().checked_add(span).unwrap_or(Timestamp::MAX);
        self.advance_to(at);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn sleep_until(&self, at: Timestamp) -> Pending<'_, ()> {
        Box::pin(async move {
            self.advance_to(at);
            // Others get their turn, as they would in a real sleep.
            tokio::task::yield_now().await;
        })
    }
}

fn positive(span: SignedDuration) -> Duration {
    Duration::try_from(span).unwrap_or(Duration::ZERO)
}
