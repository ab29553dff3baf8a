//! A flag that asks a run to stop: raised by Ctrl-C, heard at once, never lowered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Asks a run to stop. Clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct StopFlag {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    raised: AtomicBool,
    wake: Notify,
}

impl StopFlag {
    /// Raises the flag.
    pub fn raise(&self) {
        self.shared.raised.store(true, Ordering::SeqCst);
        self.shared.wake.notify_waiters();
    }

    /// Whether it has been raised.
    #[must_use]
    pub fn is_raised(&self) -> bool {
        self.shared.raised.load(Ordering::SeqCst)
    }

    /// Ready when it is raised.
    pub async fn raised(&self) {
        let wake = self.shared.wake.notified();
        // Asked after the waiting began: a flag raised in between is not missed.
        let mut wake = std::pin::pin!(wake);
        wake.as_mut().enable();
        if !self.is_raised() {
            wake.await;
        }
    }
}
