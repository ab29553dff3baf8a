//! The system under simulation: one fake tenant, two workspaces with their policies, plans and
//! runs (`runs`), and the real planner, engine, client and journal between them, in one process
//! under a paused clock.
//!
//! `step` lets one transition happen; what must hold afterwards is asked of `on_plans`, `on_runs`
//! and `on_actions`. Must never decide what is right.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use jiff::SignedDuration;
use palisade::drive::client::{Client, ClientOptions};
use palisade::drive::observe::{Alerts, Scope, observe};
use palisade::drive::progress::Silent;
use palisade::emulator::scenario::Scenario;
use palisade::emulator::tenant::AlertEdit;
use palisade::emulator::transport::InProcess;
use palisade::emulator::{App, Emulator};
use palisade::host::clock::Clock;
use palisade::host::credential::{Credential, Secret};
use palisade::host::random::Seeded;
use palisade::inventory::Inventory;
use palisade::plan::undo::Past;
use palisade::plan::{Circumstances, Input, Plan, Purpose, plan};
use palisade::policy::{PolicySet, SourceText, Workspace, load, load_workspace};

use super::deeds::{FAULTS, SWITCHES};
use super::fleet::fleet;
use super::freezes::Freezes;
use super::guard::Guard;
use super::on_plans::Scene;
use super::on_waves::Order;
use super::policy::{Docs, TAGS};
use super::reference::Truth;
use super::rooms::Room;
use super::runs::{Known, Run, bounded};
use super::transition::{SITES, Transition};
use super::{
    Broken, Check, by_hand, freezes, lifts, on_actions, on_alerts, on_edits, on_plans, on_reads,
    regrets, settle, twins,
};
use crate::apply_rig::{Rig, start};

pub(super) const SITE: [&str; SITES] = ["alpha-soc", "beta-soc"];

/// Requests and answers travel, so that a kill falls between an effect and its answer.
const CALM: &str = "clear faults\nfault delay 200ms x* on ANY /api/**\nfault delay 200ms x* on ANY \
                    /v1.0/**";

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
    pub(super) review: Option<Review>,
    /// Runs that were broken off.
    pub(super) broken: Vec<Run>,
    /// Runs that have ended or were broken off, as their journals tell them, oldest first.
    pub(super) past: Vec<Past>,
    /// Its freeze file.
    pub(super) freezes: Arc<Freezes>,
    /// Changes of plans whose runs began.
    pub(super) known: BTreeMap<String, Known>,
    /// What changes did to the properties of alerts.
    pub(super) patched: BTreeMap<String, AlertEdit>,
    app: App,
}

impl Site {
    /// What the tenant calls its application.
    pub(super) fn app_name(&self) -> &str {
        &self.app.name
    }

    /// The application's id.
    pub(super) fn client_id(&self) -> &str {
        &self.app.client_id
    }
}

/// A plan and what it was made from.
pub(super) struct Review {
    pub(super) plan: Plan,
    pub(super) docs: Docs,
    pub(super) guard: Guard,
    pub(super) purpose: Purpose,
    /// When its observation began, and what its caps left then.
    pub(super) began: jiff::Timestamp,
    pub(super) rooms: Vec<Room>,
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
    /// How much of what was done to alerts was looked at.
    pub(super) edits: usize,
    /// Who went before whom in the waves of a policy.
    pub(super) order: Order,
    /// Whether the API misbehaves.
    pub(super) faulty: bool,
    random: u64,
    /// Where the workspaces lie.
    _disk: tempfile::TempDir,
}

impl World {
    /// The beginning of a life, with at most so many devices.
    pub(super) fn new(seed: u64, devices: usize) -> Self {
        let (config, tenant, names) = fleet(seed, devices);
        let apps = config.apps();
        let disk = tempfile::tempdir().unwrap();
        let emulator = Arc::new(Mutex::new(Emulator::with_tenant(config, tenant)));
        let shared = emulator.clone();
        let sites = SITE.into_iter().zip(apps).map(|(id, app)| Site {
            id,
            workspace: workspace(&Guard::default(), id),
            guard: Guard::default(),
            docs: Docs::new(),
            policies: PolicySet::default(),
            review: None,
            broken: Vec::new(),
            past: Vec::new(),
            freezes: Arc::new(Freezes::new(disk.path().join(id), shared.clone())),
            known: BTreeMap::new(),
            patched: BTreeMap::new(),
            app,
        });
        let mut world = Self {
            emulator,
            clock: Rig::calendar(),
            sites: sites.collect(),
            names,
            tally: Tally::new(),
            seen: on_actions::Seen::default(),
            edits: 0,
            order: Order::new(),
            faulty: false,
            random: seed,
            _disk: disk,
        };
        for site in 0..SITES {
            world.load(site).unwrap();
        }
        world.play(CALM);
        world
    }

    pub(super) fn shared(&self) -> &Mutex<Emulator> {
        &self.emulator
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

    /// The API behaves.
    pub(super) fn calm(&mut self) {
        self.play(CALM);
        self.faulty = false;
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
                self.faulty = true;
                self.play(&format!("{CALM}\nfault {}", FAULTS[at % FAULTS.len()]));
            }
            Transition::Calm => self.calm(),
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
            Transition::Guard { site, guard } => self.guard(*site, guard)?,
            Transition::Freeze { site, on: true } => {
                self.sites[*site].freezes.begin(self.clock.now());
            }
            Transition::Freeze { site, on: false } => {
                self.sites[*site].freezes.end(self.clock.now());
            }
            Transition::Plan(site) => {
                let made = self.plan(*site, Circumstances::default()).await?;
                self.sites[*site].review = made;
            }
            Transition::Lift { site, code } => lifts::lift(self, *site, code).await?,
            Transition::LiftHeld { site, nth } => lifts::held(self, *site, *nth).await?,
            Transition::Eve { site, seconds } => freezes::eve(self, *site, *seconds).await?,
            Transition::LetGo { site, nth } => by_hand::let_go(self, *site, *nth),
            Transition::Again { device, again } => twins::happen(self, *device, *again),
            Transition::Apply(site, course) => self.apply(&[(*site, course)]).await?,
            Transition::Both(first, second) => self.apply(&[(0, first), (1, second)]).await?,
            Transition::Resume(site, course) => self.resume(*site, course).await?,
            Transition::Undo { site, back, course } => self.undo(*site, *back, course).await?,
            Transition::PlanUndo { site, back } => regrets::plan(self, *site, *back).await?,
            Transition::Touch { site, nth } => regrets::touch(self, *site, *nth),
            Transition::TakeAnew { site, nth } => regrets::take_anew(self, *site, *nth),
            Transition::Raise(sort, work) => self.raise(*sort, *work),
            Transition::Accept(site, accept) => self.accept(*site, accept).await?,
            Transition::Settle => settle::settle(self).await?,
        }
        on_edits::check(self)?;
        on_actions::check(self)?;
        on_edits::comments(self)
    }

    /// Puts other guardrails into the workspace's file.
    pub(super) fn guard(&mut self, at: usize, guard: &Guard) -> Check {
        let site = &mut self.sites[at];
        site.guard = guard.clone();
        site.workspace = workspace(guard, site.id);
        self.load(at)
    }

    /// Reads the policies of a workspace, in two orders.
    pub(super) fn load(&mut self, site: usize) -> Check {
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
    pub(super) fn client(&mut self, site: usize) -> Client {
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
        mut around: Circumstances,
    ) -> Result<Option<Review>, Broken> {
        let client = self.client(site);
        let av_health = !self.sites[site].policies.scans.is_empty();
        let alerts = on_alerts::are_needed(&self.sites[site], &around).then(Alerts::default);
        let scope = Scope { av_health, alerts, ..Scope::default() };
        let began = self.clock.now();
        let observed = bounded("an observation", 2, observe(&client, &scope, &Silent)).await?;
        let Ok(inventory) = observed else {
            self.count("observations refused");
            return Ok(None);
        };
        on_reads::observation(self, &inventory, began)?;
        if alerts.is_some() {
            self.truth(|truth| on_alerts::observation(truth, &inventory, began))?;
        }
        let inventories = [inventory];
        around.freeze = self.sites[site].freezes.read();
        let made = self.input(site, &inventories, &around, plan);
        let made = made.map_err(|error| Broken::new(5, format!("no plan: {error}")))?;
        self.count(if inventories[0].is_complete() { "plans" } else { "partial plans" });
        on_plans::plan(self, site, &made, &around, &inventories, began)?;
        let rooms = self
            .truth(|truth| Scene { truth, site: &self.sites[site], began, plan: &made }.rooms());
        let Site { docs, guard, .. } = &self.sites[site];
        let (docs, guard, purpose) = (docs.clone(), guard.clone(), around.purpose);
        Ok(Some(Review { plan: made, docs, guard, purpose, began, rooms }))
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

    /// Puts other guardrails in force; the workspace as it was before.
    pub(super) fn tighten(&mut self, site: usize, guard: &Guard) -> Workspace {
        let site = &mut self.sites[site];
        std::mem::replace(&mut site.workspace, workspace(guard, site.id))
    }
}

/// The workspace as its author wrote it.
fn workspace(guard: &Guard, id: &str) -> Workspace {
    let text = guard.yaml(id).into();
    let file = SourceText { file: "palisade.yaml".into(), text };
    let (workspace, findings) = load_workspace(&file, Path::new(""));
    workspace.unwrap_or_else(|| panic!("{findings:#?}"))
}
