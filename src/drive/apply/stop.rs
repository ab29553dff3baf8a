//! What stops a run: a flag, raised by Ctrl-C and never lowered, and a brake that is looked at.
//!
//! The flag is heard at once. The brake is the workspace's freeze file: it is looked at before every
//! step of a run and again right before each request, and at least once a second while nothing else
//! is to be done.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;

use crate::host::files::{self, FileError};
use crate::plan::freeze::{self, Freeze};
use crate::plan::types::Reason;

/// How often the brake is looked at while a run waits.
const LOOK: SignedDuration = SignedDuration::from_secs(1);

/// Largest freeze file that is read; a larger one freezes unread.
const FREEZE_MAX: u64 = 64 * 1024;

/// Asks a run to stop. Clones share the flag.
#[derive(Clone, Debug, Default)]
pub struct StopFlag {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    raised: AtomicBool,
    wake: Notify,
    /// The workspace whose freeze file is looked at.
    workspace: Option<PathBuf>,
}

impl StopFlag {
    /// A flag that the workspace's freeze file raises too.
    #[must_use]
    pub fn with_freeze(workspace: &Path) -> Self {
        let workspace = Some(workspace.to_path_buf());
        Self { shared: Arc::new(Shared { workspace, ..Shared::default() }) }
    }

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

    /// Why nothing more may be sent, if so.
    #[must_use]
    pub fn asked(&self, now: Timestamp) -> Option<Reason> {
        if self.is_raised() {
            return Some(Reason::new("interrupted"));
        }
        let freeze = frozen(self.shared.workspace.as_deref()?)?;
        freeze.is_in_force(now).then(|| freeze.reason())
    }

    /// The instant at which a wait until `at` ends at the latest, so that the brake is looked at.
    #[must_use]
    pub fn look_by(&self, at: Timestamp, now: Timestamp) -> Timestamp {
        match &self.shared.workspace {
            Some(_) => at.min(now.checked_add(LOOK).unwrap_or(at)),
            None => at,
        }
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

/// The freeze file of a workspace; none when it is not there. One that cannot be read freezes.
#[must_use]
pub fn frozen(workspace: &Path) -> Option<Freeze> {
    let path = workspace.join(freeze::FILE);
    if !files::is_there(&path) {
        return None;
    }
    Some(match files::read_text(&path, FREEZE_MAX) {
        Ok(text) => Freeze::parse(&text),
        Err(FileError::Io { source, .. }) => Freeze::unreadable(&source.to_string()),
        Err(error) => Freeze::unreadable(&error.to_string()),
    })
}
