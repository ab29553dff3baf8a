//! Progress on stderr: one moving line on a terminal, a heartbeat every 15 seconds elsewhere.
//!
//! The heartbeat counts real time: a hastened clock must not flood a log. Made by the commands that
//! wait; told by `drive`. Nothing here may slow down or fail the work.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::drive::progress::{Event, Progress};
use crate::host::clock::{Clock as _, SystemClock};
use crate::host::terminal;
use crate::report::{escape, measure};

/// How often a line is written where nobody watches a terminal.
pub const HEARTBEAT: Duration = Duration::from_secs(15);

/// Shows what is going on until it is dropped.
#[derive(Debug)]
pub struct Reporter {
    line: Arc<Mutex<String>>,
    bar: Option<ProgressBar>,
    beat: Option<tokio::task::JoinHandle<()>>,
}

impl Reporter {
    /// Begins to show; `watched` says whether a person sees a moving line. Must be called inside
    /// the runtime.
    #[must_use]
    pub fn start(watched: bool) -> Arc<Self> {
        let line = Arc::new(Mutex::new(String::new()));
        if watched {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            return Arc::new(Self { line, bar: Some(bar), beat: None });
        }
        let shared = Arc::clone(&line);
        let beat = tokio::spawn(async move {
            loop {
                tokio::time::sleep(HEARTBEAT).await;
                let line = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
                if !line.is_empty() {
                    let now = SystemClock.now().strftime("%H:%M:%SZ").to_string();
                    terminal::message(&format!("{now} {line}"));
                }
            }
        });
        Arc::new(Self { line, bar: None, beat: Some(beat) })
    }

    /// What is going on now.
    pub fn say(&self, line: String) {
        if let Some(bar) = &self.bar {
            bar.set_message(line.clone());
        }
        *self.line.lock().unwrap_or_else(PoisonError::into_inner) = line;
    }

    /// Ends the moving line; what was said last is forgotten.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if let Some(beat) = &self.beat {
            beat.abort();
        }
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        self.end();
    }
}

impl Progress for Reporter {
    fn tell(&self, event: &Event<'_>) {
        let time = |at: jiff::Timestamp| at.strftime("%H:%M:%SZ").to_string();
        self.say(match event {
            Event::Started { what } => format!("reading {}", what.word()),
            Event::Page { what, pages, rows } => format!(
                "reading {}: {} in {}",
                what.word(),
                measure::number(*rows),
                measure::plural((*pages).into(), "page", "pages").replace(measure::NO_BREAK, " ")
            ),
            Event::Finished { what, rows, complete } => format!(
                "read {} {}{}",
                measure::number(*rows),
                what.word(),
                if *complete { "" } else { ", incomplete" }
            ),
            Event::Waiting { until, .. } => {
                format!("rate windows are full, going on at {}", time(*until))
            }
            Event::Retrying { error, at, .. } => {
                escape::name(&format!("{error}; trying again at {}", time(*at)), 200)
            }
        });
    }
}
