//! Runs of a simulated life: a plan is held against the present, begun, broken off and taken up
//! again, by the real engine and driver.
//!
//! Must never decide what is right: `on_runs` does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use palisade::apply::past::past;
use palisade::apply::{Engine, Options, Summary};
use palisade::drive::apply::{Ports, Service, StopFlag, run};
use palisade::drive::client::Client;
use palisade::host::clock::Clock;
use palisade::plan::file::{CheckedPlan, VerifyContext, verify};
use palisade::plan::{Circumstances, Purpose};

use super::transition::{Course, End};
use super::world::{Review, Site, World};
use super::{Broken, Check, on_plans, on_runs};
use crate::apply_rig::{Memory, kill};

/// A run and the disk it writes to.
pub(super) struct Run {
    pub(super) plan: CheckedPlan,
    pub(super) purpose: Purpose,
    pub(super) memory: Memory,
}

/// A change that a run may carry out.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) planned: Timestamp,
    pub(super) change: palisade::plan::Change,
}

impl World {
    /// Applies the plans under review, or new ones, at the same time.
    pub(super) async fn apply(&mut self, courses: &[(usize, &Course)]) -> Check {
        let mut begun = Vec::new();
        for (site, course) in courses {
            let review = match self.sites[*site].review.take() {
                Some(review) => Some(review),
                None => self.plan(*site, Circumstances::default()).await?,
            };
            if let Some(run) = review.map(|review| self.begin(*site, review)).transpose()?.flatten()
            {
                begun.push((*site, run, *course));
            }
        }
        self.live(begun).await.map(drop)
    }

    /// Holds a plan against the present, and opens its run.
    pub(super) fn begin(&mut self, site: usize, review: Review) -> Result<Option<Run>, Broken> {
        let Review { plan, docs, guard, purpose } = review;
        let now = self.clock.now();
        let Site { workspace, policies, docs: current, guard: present, .. } = &self.sites[site];
        let policy_digest = Some(policies.digest.as_str());
        let context = VerifyContext { workspace, policy_digest, now };
        let checked = verify(plan.clone(), &context);
        let stale = docs != *current || guard != *present;
        match on_plans::verdict(&plan, &checked, stale, now)? {
            Some(refused) => {
                self.count(refused);
                Ok(None)
            }
            None => Ok(checked.ok().filter(|plan| !plan.changes.is_empty()).map(|plan| {
                for change in &plan.changes {
                    let (planned, change) = (plan.created_at, change.clone());
                    let known = Known { planned, change };
                    self.sites[site].known.insert(known.change.id.to_string(), known);
                }
                Run { plan, purpose, memory: Memory::default() }
            })),
        }
    }

    pub(super) async fn resume(&mut self, site: usize, course: &Course) -> Check {
        match self.sites[site].broken.pop() {
            Some(run) => {
                self.count("resumed");
                self.live(vec![(site, run, course)]).await.map(drop)
            }
            None => Ok(()),
        }
    }

    /// Runs side by side until each has ended or is broken off; the summaries of those that ended.
    pub(super) async fn live(
        &mut self,
        runs: Vec<(usize, Run, &Course)>,
    ) -> Result<Vec<Summary>, Broken> {
        let mut lives = Vec::new();
        for (site, run, course) in runs {
            for (seconds, deed) in &course.meanwhile {
                self.play(&format!("at {seconds}s {}", deed.line(&self.names)));
            }
            lives.push((site, run, self.client(site), course.end));
        }
        let began = self.clock.now();
        let clock = self.clock.clone();
        let lived = match lives.as_mut_slice() {
            [(_, a, client, end), (_, b, other, stop)] => {
                let (first, second) =
                    tokio::join!(life(a, client, *end, &clock), life(b, other, *stop, &clock));
                vec![first?, second?]
            }
            [(_, run, client, end)] => vec![life(run, client, *end, &clock).await?],
            _ => Vec::new(),
        };
        let mut summaries = Vec::new();
        for ((site, mut run, ..), summary) in lives.into_iter().zip(lived) {
            self.remember(site, &mut run);
            on_runs::check(self, site, &mut run, summary.as_ref(), began)?;
            match summary {
                Some(summary) if summary.stopped.is_none() => summaries.push(summary),
                _ => self.sites[site].broken.push(run),
            }
        }
        Ok(summaries)
    }

    /// Keeps what an undoing is made from. A run that was taken up again is told anew.
    fn remember(&mut self, site: usize, run: &mut Run) {
        let name = format!("{}-{:.6}", run.plan.created_at, run.plan.plan_hash);
        let told = past(&name, &run.plan, &run.memory.revive());
        let site = &mut self.sites[site].past;
        site.retain(|past| past.run != name);
        site.push(told);
    }

    /// Leaves runs that were broken off as they are.
    pub(super) fn give_up(&mut self) {
        self.sites.iter_mut().for_each(|site| site.broken.clear());
    }
}

/// Awaits something that must end within so many hours of simulated time.
pub(super) async fn bounded<T>(
    what: &str,
    hours: u64,
    future: impl Future<Output = T>,
) -> Result<T, Broken> {
    let most = Duration::from_secs(hours * 3_600);
    let ended = tokio::time::timeout(most, future).await;
    ended.map_err(|_| Broken::new(9, format!("{what} does not end within {hours} h")))
}

/// Waits shorter than usual: what is asked of a run does not depend on them.
fn options() -> Options {
    let (wait_containment, wait_scan) =
        (SignedDuration::from_mins(8), SignedDuration::from_mins(20));
    Options { wait_containment, wait_scan, ..Options::default() }
}

/// One life of a run: nothing when it was killed or its disk failed.
async fn life(
    run_: &mut Run,
    client: &Client,
    end: Option<End>,
    clock: &Arc<dyn Clock>,
) -> Result<Option<Summary>, Broken> {
    let history = run_.memory.revive();
    let engine = Engine::new(&run_.plan, &history, options(), "palisade/sim");
    let mut engine =
        engine.map_err(|error| Broken::new(7, format!("the journal is refused: {error}")))?;
    run_.memory.fail = match end {
        Some(End::Power(writes, bytes)) => Some((writes, bytes)),
        _ => None,
    };
    let stop = StopFlag::default();
    let services: BTreeMap<Arc<str>, &dyn Service> =
        [(Arc::from("contoso"), client as &dyn Service)].into();
    let ports =
        Ports { services: &services, journal: &mut run_.memory, clock: &**clock, stop: &stop };
    let mut told = |_: &palisade::apply::Progress| {};
    let running = run(&mut engine, ports, &mut told);
    let running = async {
        match end {
            Some(End::Kill(polls)) => kill(running, polls).await.and_then(Result::ok),
            Some(End::Stop(seconds)) => {
                let raise = async {
                    tokio::time::sleep(Duration::from_secs(seconds)).await;
                    stop.raise();
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    biased;
                    ended = running => ended.ok(),
                    () = raise => None,
                }
            }
            Some(End::Power(..)) | None => running.await.ok(),
        }
    };
    bounded("a run", 12, running).await
}
