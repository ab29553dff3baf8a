//! The loop that carries out what the engine asks: send, read, record, wait.
//!
//! It decides nothing. Entries are on the disk before the engine hears of it, so that a process
//! killed anywhere leaves a journal from which `Engine` goes on. Requests are in flight side by
//! side in one task: dropping the future ends everything at once, like a kill. Called by
//! `cli::commands::{apply, runs, demo}`; must never send anything the engine did not ask for.

pub mod flight;
pub mod folder;
pub mod service;
pub mod stop;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use jiff::Timestamp;

use crate::apply::step::{Answer, Event, Lane, Step};
use crate::apply::{Engine, Entry, Options, Progress, Summary};
use crate::host::clock::Clock;
use crate::host::files::FileError;
use crate::plan::file::CheckedPlan;

pub use flight::Flight;
pub use folder::{Found, Ledger, OpenRun, Reserved, find_run, is_active, last_run, runs};
pub use service::Service;
pub use stop::{StopFlag, frozen};

/// Why a run could not go on. What has been recorded stands, and the run can be resumed.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// A file of the run.
    #[error(transparent)]
    File(#[from] FileError),
    /// An entry that cannot be written.
    #[error("cannot write an entry of the journal")]
    Entry(#[source] serde_json::Error),
    /// The journal is not what was written.
    #[error("the journal of run `{run}` was changed")]
    Broken {
        /// The run.
        run: String,
        /// Where.
        #[source]
        source: crate::apply::journal::Broken,
    },
    /// The journal does not fit the plan.
    #[error("the journal does not fit its plan")]
    WrongJournal(#[from] crate::apply::engine::WrongJournal),
    /// The plan beside the journal is refused.
    #[error("the plan of the run is refused")]
    Plan(#[from] crate::plan::file::PlanFileError),
    /// The plan is for a tenant nobody gave a client for.
    #[error("there is no client for tenant `{tenant}`")]
    NoClient {
        /// The tenant.
        tenant: String,
    },
    /// The journal is that of another run.
    #[error("the journal of run `{run}` is that of run `{found}`")]
    OtherRun {
        /// The run.
        run: String,
        /// The run that the journal names.
        found: String,
    },
    /// No run of that name.
    #[error("there is no run `{run}`")]
    NoRun {
        /// As it was asked for.
        run: String,
    },
    /// Several runs begin so.
    #[error("several runs begin with `{run}`")]
    SeveralRuns {
        /// As it was asked for.
        run: String,
    },
}

/// Where entries go.
pub trait Journal: Send {
    /// Appends the entries; they are on the disk when this returns.
    ///
    /// # Errors
    /// When that cannot be said.
    fn append(&mut self, now: Timestamp, entries: Vec<Entry>) -> Result<(), ApplyError>;
}

/// What a run touches.
pub struct Ports<'a> {
    /// The service of each tenant, by the tenant's name.
    pub services: &'a BTreeMap<Arc<str>, &'a dyn Service>,
    /// Where entries go.
    pub journal: &'a mut dyn Journal,
    /// Time.
    pub clock: &'a dyn Clock,
    /// Asks to stop.
    pub stop: &'a StopFlag,
}

impl std::fmt::Debug for Ports<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").field("tenants", &self.services.keys()).finish_non_exhaustive()
    }
}

/// Applies a plan in a new run, in its folder below `root`, with the journal's lock held.
///
/// # Errors
/// When the journal cannot be written, or somebody else holds its lock.
pub async fn apply(
    plan: &CheckedPlan,
    options: Options,
    root: &std::path::Path,
    services: &BTreeMap<Arc<str>, &dyn Service>,
    clock: &dyn Clock,
    stop: &StopFlag,
    observer: &mut (dyn FnMut(&Progress) + Send),
) -> Result<(crate::model::RunId, Summary), ApplyError> {
    let mut open = OpenRun::create(root, plan, clock.now())?;
    let mut engine = Engine::new(plan, &[], options, &plan.tool)?;
    let ports = Ports { services, journal: &mut open.ledger, clock, stop };
    let summary = run(&mut engine, ports, observer).await?;
    Ok((open.id, summary))
}

/// Carries a run to its end, or until it is told to stop.
///
/// # Errors
/// When the journal cannot be written: nothing more is sent then.
pub async fn run(
    engine: &mut Engine,
    ports: Ports<'_>,
    observer: &mut (dyn FnMut(&Progress) + Send),
) -> Result<Summary, ApplyError> {
    let Ports { services, journal, clock, stop } = ports;
    for tenant in engine.tenants() {
        if !services.contains_key(tenant) {
            return Err(ApplyError::NoClient { tenant: tenant.to_string() });
        }
    }
    let mut flight = Flight::default();
    tell_pace(engine, services, clock.now());
    loop {
        let now = clock.now();
        let asked = stop.asked(now);
        let heard = asked.is_some();
        if let Some(reason) = asked {
            engine.handle(Event::Stop(reason), now);
        }
        match engine.poll(now) {
            Step::Record(ticket, entries) => {
                journal.append(now, entries)?;
                engine.handle(Event::Recorded(ticket), clock.now());
            }
            Step::Ask { ticket, tenant, question } => match services.get(&tenant).copied() {
                Some(service) => {
                    flight.add(async move { Event::Read(ticket, service.ask(&question).await) })
                }
                None => engine.handle(Event::Read(ticket, Err("no client".to_owned())), now),
            },
            Step::Submit { ticket, tenant, change, send, leave_by } => {
                match services.get(&tenant).copied() {
                    Some(service) => flight.add(async move {
                        let gate = move || {
                            let now = clock.now();
                            now < leave_by && stop.asked(now).is_none()
                        };
                        let answer = service.submit(&send, &gate).await;
                        tracing::debug!(%change, ?answer, "answered");
                        Event::Answered(ticket, answer)
                    }),
                    None => {
                        let answer = Answer::NotSent { why: "no client".to_owned() };
                        engine.handle(Event::Answered(ticket, answer), now);
                    }
                }
            }
            Step::WaitUntil(at, why) => {
                tracing::trace!(%at, ?why, "waiting");
                observer(&engine.progress(now));
                for event in wait(&mut flight, clock, at, stop, heard).await {
                    engine.handle(event, clock.now());
                }
                tell_pace(engine, services, clock.now());
            }
            Step::Done(summary) => {
                observer(&engine.progress(now));
                return Ok(summary);
            }
        }
    }
}

/// Tells the engine what the budgets allow, so that it reads and sends when a request can leave.
fn tell_pace(engine: &mut Engine, services: &BTreeMap<Arc<str>, &dyn Service>, now: Timestamp) {
    for (tenant, service) in services {
        for lane in Lane::ALL {
            if let Some((ready_at, left)) = service.pace(lane) {
                let tenant = tenant.clone();
                engine.handle(Event::Pace { tenant, lane, ready_at, left }, now);
            }
        }
    }
}

/// Waits for answers, for an instant or for the flag to be raised, whatever comes first. All answers
/// that are there are returned together, so that one poll of the engine serves them.
async fn wait(
    flight: &mut Flight<'_>,
    clock: &dyn Clock,
    at: Timestamp,
    stop: &StopFlag,
    heard: bool,
) -> Vec<Event> {
    // What came up since the engine was told is not heard yet: it must not be waited out.
    let at = if heard { at } else { stop.look_by(at, clock.now()) };
    let mut raised = pin!(stop.raised());
    // The sleep is made when nothing is ready: a clock moved by hand would move for nothing.
    let mut sleep: Option<Pin<Box<dyn Future<Output = ()> + Send + '_>>> = None;
    std::future::poll_fn(|context| {
        let events = flight.poll(context);
        if !events.is_empty() {
            return Poll::Ready(events);
        }
        if !heard && raised.as_mut().poll(context).is_ready() {
            return Poll::Ready(Vec::new());
        }
        let sleep = sleep.get_or_insert_with(|| clock.sleep_until(at));
        sleep.as_mut().poll(context).map(|()| Vec::new())
    })
    .await
}
