//! The system under simulation: one fake tenant, two workspaces with their policies, plans and
//! runs, and the real planner, engine, client and journal between them, in one process under a
//! paused clock.
//!
//! `step` lets one transition happen; what must hold afterwards is asked of `on_plans`, `on_runs`
//! and `on_actions`. Must never decide what is right.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use palisade::apply::{Engine, Options, Summary};
use palisade::drive::apply::{Ports, Service, StopFlag, run};
use palisade::drive::client::{Client, ClientOptions};
use palisade::drive::observe::{Scope, observe};
use palisade::drive::progress::Silent;
use palisade::emulator::scenario::Scenario;
use palisade::emulator::tenant::Group;
use palisade::emulator::tenant::machine::{Machine, MachineId};
use palisade::emulator::transport::InProcess;
use palisade::emulator::{App, Config, Emulator, Tenant};
use palisade::host::clock::Clock;
use palisade::host::credential::{Credential, Secret};
use palisade::host::random::Seeded;
use palisade::inventory::Inventory;
use palisade::plan::file::{CheckedPlan, VerifyContext, verify};
use palisade::plan::{Circumstances, Input, Lift, Plan, plan};
use palisade::policy::{PolicySet, SourceText, Workspace, load, load_workspace};

use super::policy::{Docs, GROUPS, Guard, TAGS};
use super::reference::Truth;
use super::transition::{Course, Draw, End, FAULTS, SITES, SWITCHES, Transition};
use super::{Broken, Check, on_actions, on_plans, on_runs, settle};
use crate::apply_rig::{Memory, Rig, kill, start};

pub(super) const SITE: [&str; SITES] = ["alpha-soc", "beta-soc"];

/// Requests and answers travel, so that a kill falls between an effect and its answer.
const CALM: &str = "clear faults\nfault delay 200ms x* on ANY /api/**";

/// What happened how often: a simulation in which nothing happens shows nothing.
pub(super) type Tally = BTreeMap<String, u64>;

/// A workspace.
pub(super) struct Site {
    pub(super) id: &'static str,
    pub(super) workspace: Workspace,
    pub(super) guard: Guard,
    pub(super) docs: Docs,
    pub(super) policies: PolicySet,
    /// The plan that lies for review.
    review: Option<Review>,
    /// Runs that were broken off.
    broken: Vec<Run>,
    /// Changes of plans whose runs began.
    pub(super) known: BTreeMap<String, Known>,
    app: App,
}

/// A plan and what it was made from.
pub(super) struct Review {
    pub(super) plan: Plan,
    docs: Docs,
    guard: Guard,
}

/// A run and the disk it writes to.
pub(super) struct Run {
    pub(super) plan: CheckedPlan,
    pub(super) memory: Memory,
}

/// A change that a run may carry out.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) planned: Timestamp,
    pub(super) change: palisade::plan::Change,
}

/// See the module.
pub(super) struct World {
    emulator: Arc<Mutex<Emulator>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) sites: Vec<Site>,
    pub(super) names: Vec<String>,
    pub(super) tally: Tally,
    /// Requests of the log that were looked at, and the markers they carried.
    pub(super) seen: on_actions::Seen,
    random: u64,
}

fn fleet(seed: u64, most: usize) -> (Config, Tenant, Vec<String>) {
    let mut draw = Draw(seed ^ 0xf1ee7);
    let other = App {
        client_id: "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee".to_owned(),
        client_secret: "another-secret".to_owned(),
        name: "palisade-beta".to_owned(),
        roles: Config::default().roles,
    };
    let config = Config { devices: 0, seed, other_apps: vec![other], ..Config::default() };
    let mut tenant = Tenant::empty(&config, start());
    for (id, name) in (1..).zip(GROUPS) {
        tenant.groups.push(Group { id, name: Arc::from(*name) });
    }
    let mut names = Vec::new();
    for n in 0..4 + draw.below(6) {
        let mut id = [0; 20];
        id[19] = u8::try_from(n + 1).unwrap();
        let name = format!("pc-{n}.contoso.example");
        let platforms =
            ["Windows11", "Windows11", "Windows11", "WindowsServer2022", "Ubuntu", "iOS"];
        let mut machine = Machine::plain(MachineId(id), &name, draw.pick(&platforms), start());
        machine.group = draw.pick(&[1, 1, 2]);
        machine.agent_version = Some("101.25000.0001".into());
        for tag in TAGS {
            if draw.chance(35) {
                machine.add_tag(tag);
            }
        }
        machine.online = !draw.chance(12);
        if n < most {
            tenant.add_machine(machine);
            names.push(name);
        }
    }
    (config, tenant, names)
}

impl World {
    /// The beginning of a life, with at most so many devices.
    pub(super) fn new(seed: u64, devices: usize) -> Self {
        let (config, tenant, names) = fleet(seed, devices);
        let apps = config.apps();
        let emulator = Arc::new(Mutex::new(Emulator::with_tenant(config, tenant)));
        let sites = SITE.into_iter().zip(apps).map(|(id, app)| Site {
            id,
            workspace: workspace(&Guard::default(), id),
            guard: Guard::default(),
            docs: Docs::new(),
            policies: PolicySet::default(),
            review: None,
            broken: Vec::new(),
            known: BTreeMap::new(),
            app,
        });
        let mut world = Self {
            emulator,
            clock: Rig::calendar(),
            sites: sites.collect(),
            names,
            tally: Tally::new(),
            seen: on_actions::Seen::default(),
            random: seed,
        };
        for site in 0..SITES {
            world.load(site).unwrap();
        }
        world.play(CALM);
        world
    }

    pub(super) fn emulator(&self) -> MutexGuard<'_, Emulator> {
        self.emulator.lock().unwrap()
    }

    /// Looks at the tenant from behind, as it is now.
    pub(super) fn truth<T>(&self, look: impl FnOnce(Truth<'_>) -> T) -> T {
        let mut emulator = self.emulator();
        let now = self.clock.now();
        emulator.tenant_mut().advance(now);
        look(Truth(emulator.tenant()))
    }

    pub(super) fn count(&mut self, what: &str) {
        *self.tally.entry(what.to_owned()).or_insert(0) += 1;
    }

    pub(super) fn play(&self, lines: &str) {
        let scenario = Scenario::parse(lines).unwrap();
        self.emulator().play(&scenario, self.clock.now()).unwrap();
    }

    pub(super) async fn wait(&self, minutes: u32) {
        let span = SignedDuration::from_mins(i64::from(minutes));
        self.clock.sleep_until(self.clock.now() + span).await;
    }

    /// Lets something happen, then asks whether everything is as it must be.
    pub(super) async fn step(&mut self, transition: &Transition) -> Check {
        match transition {
            Transition::Wait(minutes) => self.wait(*minutes).await,
            Transition::Deed(deed) => self.play(&deed.line(&self.names)),
            Transition::Tag { device, tag, on } => {
                let name = &self.names[device % self.names.len()];
                let word = if *on { "tag" } else { "untag" };
                self.play(&format!("{word} {name} {}", TAGS[*tag]));
            }
            // One at a time: nothing tells two lying pages in a row from the truth.
            Transition::Fault(at) => {
                self.play(&format!("{CALM}\nfault {}", FAULTS[at % FAULTS.len()]));
            }
            Transition::Calm => self.play(CALM),
            Transition::Switch(at) => {
                self.play(&format!("switch {}", SWITCHES[at % SWITCHES.len()]));
            }
            Transition::Edit { site, slot, doc } => {
                let docs = &mut self.sites[*site].docs;
                match doc {
                    Some(doc) => drop(docs.insert(*slot, doc.clone())),
                    None => drop(docs.remove(slot)),
                }
                self.load(*site)?;
            }
            Transition::Guard { site: at, guard } => {
                let site = &mut self.sites[*at];
                site.guard = guard.clone();
                site.workspace = workspace(guard, site.id);
                self.load(*at)?;
            }
            Transition::Plan(site) => {
                let made = self.plan(*site, &[]).await?;
                self.sites[*site].review = made;
            }
            Transition::Apply(site, course) => self.apply(&[(*site, course)]).await?,
            Transition::Both(first, second) => self.apply(&[(0, first), (1, second)]).await?,
            Transition::Resume(site, course) => self.resume(*site, course).await?,
            Transition::Settle => settle::settle(self).await?,
        }
        on_actions::check(self)
    }

    /// Reads the policies of a workspace, in two orders.
    fn load(&mut self, site: usize) -> Check {
        let site = &mut self.sites[site];
        let mut files: Vec<SourceText> = Vec::new();
        for (slot, doc) in &site.docs {
            let file = format!("policies/{slot}.yaml").into();
            files.push(SourceText { file, text: doc.yaml(*slot, start()).into() });
        }
        let now = self.clock.now();
        let loaded = load(Some(&site.workspace), &files, now);
        let Some(policies) = loaded.set else {
            return Err(Broken::new(0, format!("policies are refused: {:#?}", loaded.findings)));
        };
        let whole: String = files.iter().rev().map(|file| format!("---\n{}", file.text)).collect();
        let one = [SourceText { file: "policies/all.yaml".into(), text: whole.into() }];
        let other = load(Some(&site.workspace), &one, now).set.unwrap_or_default();
        if !files.is_empty() && other.digest != policies.digest {
            return Err(Broken::new(2, "the order of documents changes the digest".to_owned()));
        }
        site.policies = policies;
        Ok(())
    }

    /// A client as a new process has one.
    fn client(&mut self, site: usize) -> Client {
        self.random += 1;
        let site = &self.sites[site];
        let transport = Arc::new(InProcess::new(self.emulator.clone(), self.clock.clone()));
        let secret = Secret::new(site.app.client_secret.clone());
        let credential = Credential::with_secret(&site.app.client_id, secret);
        let random = Arc::new(Seeded::new(self.random));
        let options = ClientOptions { random, ..ClientOptions::default() };
        Client::new(&site.workspace.tenants[0], credential, transport, self.clock.clone(), options)
    }

    /// Plans for a workspace; nothing when nobody could sign in.
    pub(super) async fn plan(
        &mut self,
        site: usize,
        lifts: &[Lift],
    ) -> Result<Option<Review>, Broken> {
        let client = self.client(site);
        let scope =
            Scope { av_health: !self.sites[site].policies.scans.is_empty(), ..Scope::default() };
        let began = self.clock.now();
        let observed = bounded("an observation", 2, observe(&client, &scope, &Silent)).await?;
        let Ok(inventory) = observed else {
            self.count("observations refused");
            return Ok(None);
        };
        on_plans::observation(self, &inventory, began)?;
        let inventories = [inventory];
        let around = Circumstances { lifts: lifts.to_vec(), ..Circumstances::default() };
        let made = self.input(site, &inventories, &around, plan);
        let made = made.map_err(|error| Broken::new(5, format!("no plan: {error}")))?;
        self.count(if inventories[0].is_complete() { "plans" } else { "partial plans" });
        on_plans::plan(self, site, &made, &inventories, began)?;
        let Site { docs, guard, .. } = &self.sites[site];
        Ok(Some(Review { plan: made, docs: docs.clone(), guard: guard.clone() }))
    }

    /// Gives the planner its input.
    pub(super) fn input<T>(
        &self,
        site: usize,
        inventories: &[Inventory],
        around: &Circumstances,
        ask: impl FnOnce(&Input<'_>) -> T,
    ) -> T {
        let Site { workspace, policies, .. } = &self.sites[site];
        let now = self.clock.now();
        let tool = "palisade/sim";
        ask(&Input { policies, workspace, inventories, now, around, study: false, tool })
    }

    /// Applies the plans under review, or new ones, at the same time.
    async fn apply(&mut self, courses: &[(usize, &Course)]) -> Check {
        let mut begun = Vec::new();
        for (site, course) in courses {
            let review = match self.sites[*site].review.take() {
                Some(review) => Some(review),
                None => self.plan(*site, &[]).await?,
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
        let Review { plan, docs, guard } = review;
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
                Run { plan, memory: Memory::default() }
            })),
        }
    }

    async fn resume(&mut self, site: usize, course: &Course) -> Check {
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
            on_runs::check(self, site, &mut run, summary.as_ref(), began)?;
            match summary {
                Some(summary) if summary.stopped.is_none() => summaries.push(summary),
                _ => self.sites[site].broken.push(run),
            }
        }
        Ok(summaries)
    }

    /// Puts other guardrails in force; the workspace as it was before.
    pub(super) fn tighten(&mut self, site: usize, guard: &Guard) -> Workspace {
        let site = &mut self.sites[site];
        std::mem::replace(&mut site.workspace, workspace(guard, site.id))
    }

    /// Leaves runs that were broken off as they are.
    pub(super) fn give_up(&mut self) {
        self.sites.iter_mut().for_each(|site| site.broken.clear());
    }
}

/// Awaits something that must end within so many hours of simulated time.
async fn bounded<T>(what: &str, hours: u64, future: impl Future<Output = T>) -> Result<T, Broken> {
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

/// The workspace as its author wrote it.
fn workspace(guard: &Guard, id: &str) -> Workspace {
    let text = guard.yaml(id).into();
    let file = SourceText { file: "palisade.yaml".into(), text };
    let (workspace, findings) = load_workspace(&file, Path::new(""));
    workspace.unwrap_or_else(|| panic!("{findings:#?}"))
}
