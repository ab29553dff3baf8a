//! Runs of a simulated life: a plan is held against the present, begun, broken off and taken up
//! again, by the real engine and driver.
//!
//! Must never decide what is right: `on_runs` does.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use palisade::apply::journal::audit;
use palisade::apply::past::{begun, past};
use palisade::apply::{Engine, Options, Summary};
use palisade::drive::apply::{Ports, Service, run};
use palisade::drive::client::Client;
use palisade::emulator::Emulator;
use palisade::host::clock::Clock;
use palisade::plan::file::{CheckedPlan, VerifyContext, go_on, verify};
use palisade::plan::{Circumstances, Purpose};

use super::freezes::Freezes;
use super::guard::Guard;
use super::policy::Docs;
use super::transition::{Course, End};
use super::world::{Review, Site, World};
use super::{Broken, Check, on_plans, on_runs, twins};
use crate::apply_rig::{Memory, kill};

/// A run and the disk it writes to.
pub(super) struct Run {
    pub(super) plan: CheckedPlan,
    pub(super) purpose: Purpose,
    /// What its plan was made from.
    pub(super) docs: Docs,
    pub(super) guard: Guard,
    pub(super) memory: Memory,
    /// When its last life began and ended.
    pub(super) began: Timestamp,
    pub(super) ended: Timestamp,
    /// When the request of a change came first.
    pub(super) sent: BTreeMap<String, Timestamp>,
    /// When it stopped for a person.
    pub(super) paused: Vec<Timestamp>,
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
            let Some(review) = review else { continue };
            if let Some(run) = self.begin(*site, review).await? {
                begun.push((*site, run, *course));
            }
        }
        self.live(begun).await.map(drop)
    }

    /// Holds a plan against the present, and opens its run.
    pub(super) async fn begin(
        &mut self,
        site: usize,
        review: Review,
    ) -> Result<Option<Run>, Broken> {
        let (since, rooms) = (review.began, review.rooms.clone());
        let Some(run) = self.open(site, review)? else { return Ok(None) };
        let has_room = self.has_room(site, &run, &rooms, since).await?;
        Ok(has_room.then_some(run))
    }

    fn open(&mut self, site: usize, review: Review) -> Result<Option<Run>, Broken> {
        let Review { plan, docs, guard, purpose, .. } = review;
        let now = self.clock.now();
        let Site { workspace, policies, docs: current, guard: present, .. } = &self.sites[site];
        let policy_digest = Some(policies.digest.as_str());
        let context = VerifyContext { workspace, policy_digest, now };
        let checked = verify(plan.clone(), &context);
        let stale = docs != *current || guard != *present;
        match on_plans::verdict(&plan, &guard, &checked, stale, now)? {
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
                Run {
                    plan,
                    purpose,
                    docs,
                    guard,
                    memory: Memory::default(),
                    began: now,
                    ended: now,
                    sent: BTreeMap::new(),
                    paused: Vec::new(),
                }
            })),
        }
    }

    pub(super) async fn resume(&mut self, site: usize, course: &Course) -> Check {
        match self.sites[site].broken.pop() {
            Some(mut run) => {
                self.count("resumed");
                run.plan = self.reopened(site, &mut run)?;
                self.live(vec![(site, run, course)]).await.map(drop)
            }
            None => Ok(()),
        }
    }

    /// The plan of a run that goes on, as the present lets it.
    fn reopened(&self, site: usize, run: &mut Run) -> Result<CheckedPlan, Broken> {
        let Site { workspace, policies, .. } = &self.sites[site];
        let policy_digest = Some(policies.digest.as_str());
        let context = VerifyContext { workspace, policy_digest, now: self.clock.now() };
        let entries = run.memory.revive();
        let plan = go_on((*run.plan).clone(), &context, begun(&entries));
        plan.map_err(|error| Broken::new(7, format!("a run may not go on: {error}")))
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
            lives.push((site, run, self.client(site), self.sites[site].freezes.clone(), course));
        }
        let began = self.clock.now();
        let told = Mutex::default();
        let Self { names, clock, .. } = &*self;
        let around = Around { emulator: self.shared(), names, clock, told };
        let lived = match lives.as_mut_slice() {
            [(_, a, client, mine, course), (_, b, other, theirs, second)] => {
                let first = life(a, client, mine, course, &around);
                let second = life(b, other, theirs, second, &around);
                let (first, second) = tokio::join!(first, second);
                vec![first?, second?]
            }
            [(_, run, client, freezes, course)] => {
                vec![life(run, client, freezes, course, &around).await?]
            }
            _ => Vec::new(),
        };
        let happened = around.told.into_inner().unwrap();
        happened.into_iter().for_each(|what| self.count(what));
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
        let entries = run.memory.revive();
        let end = audit::audit(&name, &run.plan, &entries).unwrap_or(audit::End::None);
        let told = past(&name, &run.plan, &entries, end);
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

/// How long a run waits for a device to take up a containment.
pub(super) const PATIENCE: SignedDuration = SignedDuration::from_mins(8);

/// Waits shorter than usual: what is asked of a run does not depend on them.
fn options() -> Options {
    let (wait_containment, wait_scan) = (PATIENCE, SignedDuration::from_mins(20));
    Options { wait_containment, wait_scan, ..Options::default() }
}

/// What goes on around runs.
pub(super) struct Around<'w> {
    pub(super) emulator: &'w Mutex<Emulator>,
    pub(super) names: &'w [String],
    pub(super) clock: &'w Arc<dyn Clock>,
    /// What happened, for the tally.
    pub(super) told: Mutex<Vec<&'static str>>,
}

/// One life of a run: nothing when it was killed or its disk failed.
async fn life(
    run_: &mut Run,
    client: &Client,
    freezes: &Freezes,
    course: &Course,
    around: &Around<'_>,
) -> Result<Option<Summary>, Broken> {
    let clock = around.clock;
    let Course { end, freeze, again, .. } = *course;
    run_.began = clock.now();
    let history = run_.memory.revive();
    let engine = Engine::new(&run_.plan, &history, options(), "palisade/sim");
    let mut engine =
        engine.map_err(|error| Broken::new(7, format!("the journal is refused: {error}")))?;
    run_.memory.fail = match end {
        Some(End::Power(writes, bytes)) => Some((writes, bytes)),
        _ => None,
    };
    let stop = freezes.flag(freeze);
    let services: BTreeMap<Arc<str>, &dyn Service> =
        [(Arc::from("contoso"), client as &dyn Service)].into();
    let dropping = freezes.clock(freeze, &**clock);
    let ports =
        Ports { services: &services, journal: &mut run_.memory, clock: &dropping, stop: &stop };
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
    let running = async {
        tokio::select! {
            biased;
            ended = running => ended,
            () = freezes.play(freeze, &**clock) => None,
            () = twins::play(again, around) => None,
        }
    };
    let ended = bounded("a run", 12, running).await;
    run_.ended = clock.now();
    ended
}
