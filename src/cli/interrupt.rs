//! Ctrl-C or a polite end (SIGTERM) during a run: the first stops sending and lets answers in flight
//! arrive, the second ends the process at once.

use crate::cli::exit::Exit;
use crate::drive::apply::StopFlag;
use crate::host::terminal;

/// Listens while it lives.
#[derive(Debug)]
pub struct Interrupt {
    task: tokio::task::JoinHandle<()>,
}

impl Interrupt {
    /// Raises the flag at the first Ctrl-C and ends the process at the second. Must be called
    /// inside the runtime.
    #[must_use]
    pub fn listen(stop: StopFlag, run: &str) -> Self {
        let run = run.to_owned();
        let task = tokio::spawn(async move {
            signal().await;
            stop.raise();
            terminal::message(
                "\nStopping: nothing more is sent, answers in flight are waited for. \
                 Ctrl-C again ends at once.",
            );
            signal().await;
            terminal::message(&format!("Ended. `palisade runs resume {run}` finishes the run."));
            end();
        });
        Self { task }
    }
}

/// Ready when somebody asks the process to end. Where no handler can be set, nobody can ask.
pub async fn signal() {
    let interrupt = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupt => {}
        () = terminate() => {}
    }
}

#[cfg(unix)]
async fn terminate() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => drop(terminate.recv().await),
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminate() {
    std::future::pending().await
}

#[expect(clippy::exit, reason = "a second Ctrl-C means now; the journal is on disk already")]
fn end() {
    std::process::exit(i32::from(Exit::Interrupted.code()));
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        self.task.abort();
    }
}
