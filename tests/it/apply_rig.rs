//! A tenant, a workspace and the whole route from policies to a finished run, in one process under
//! a clock that moves only when everybody waits.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::Poll;

use jiff::{SignedDuration, Timestamp};
use palisade::apply::journal::{Chain, JournalEntry, decode};
use palisade::apply::{Engine, Entry, Options, Progress, Summary};
use palisade::drive::apply::{ApplyError, Journal, Ports, Service, StopFlag, run};
use palisade::drive::client::{Client, ClientOptions};
use palisade::drive::observe::{Alerts, Scope, observe};
use palisade::drive::progress::Silent;
use palisade::emulator::scenario::Scenario;
use palisade::emulator::tenant::machine::{Machine, MachineId};
use palisade::emulator::transport::InProcess;
use palisade::emulator::{Config, Emulator, Tenant};
use palisade::host::clock::{Clock, Pending};
use palisade::host::credential::{Credential, Secret};
use palisade::host::random::Seeded;
use palisade::inventory::Inventory;
use palisade::plan::file::{CheckedPlan, VerifyContext, verify};
use palisade::plan::{Input, Plan, plan};
use palisade::policy::workspace::{self, CredentialSource, Endpoints};
use palisade::policy::{PolicySet, SourceText, Workspace, load};

/// Runs a test under a clock that jumps to the next sleep when nothing else is to be done.
pub(crate) fn paused<T>(future: impl Future<Output = T>) -> T {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().start_paused(true);
    runtime.build().unwrap().block_on(future)
}

/// The runtime's paused clock as a calendar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calendar {
    start: Timestamp,
    base: tokio::time::Instant,
}

impl Calendar {
    fn new() -> Self {
        Self { start: start(), base: tokio::time::Instant::now() }
    }
}

impl Clock for Calendar {
    fn now(&self) -> Timestamp {
        self.start + SignedDuration::try_from(self.base.elapsed()).unwrap()
    }
    fn sleep_until(&self, at: Timestamp) -> Pending<'_, ()> {
        let wait = at.duration_since(self.now()).max(SignedDuration::ZERO);
        Box::pin(tokio::time::sleep(wait.unsigned_abs()))
    }
}

pub(crate) fn start() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

/// Everything around a run.
pub(crate) struct Rig {
    pub(crate) emulator: Arc<Mutex<Emulator>>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) workspace: Workspace,
    policies: PolicySet,
}

impl Rig {
    /// A tenant with so many plain devices, tagged by turns with `tags`.
    pub(crate) fn plain(
        devices: u32,
        tags: &[&str],
        policies: &str,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let config = Config::default();
        let mut tenant = Tenant::empty(&config, start());
        for n in 0..devices {
            let mut id = [0; 20];
            id[16..].copy_from_slice(&(n + 1).to_be_bytes());
            let name = format!("host-{n:04}.contoso.example");
            let mut machine = Machine::plain(MachineId(id), &name, "Windows11", start());
            machine.version = Some("23H2".into());
            if !tags.is_empty() {
                machine.add_tag(tags[n as usize % tags.len()]);
            }
            tenant.add_machine(machine);
        }
        Self::around(Emulator::with_tenant(config, tenant), policies, clock)
    }

    pub(crate) fn around(emulator: Emulator, policies: &str, clock: Arc<dyn Clock>) -> Self {
        let config = emulator.config().clone();
        let url = |text: &str| text.parse().unwrap();
        let endpoints = Endpoints {
            authority: url("http://127.0.0.1:8400"),
            defender: url("http://127.0.0.1:8400"),
            graph: url("http://127.0.0.1:8400"),
            defender_scope: "https://api.securitycenter.microsoft.com/.default".into(),
            graph_scope: "https://graph.microsoft.com/.default".into(),
        };
        let tenant = workspace::Tenant {
            name: "contoso".into(),
            tenant_id: config.tenant_id.as_str().into(),
            endpoints,
            credential: CredentialSource::ClientSecret,
            site: None,
        };
        let mut workspace = Workspace::new("contoso-soc".into(), vec![tenant]);
        workspace.guardrails.caps.clear();
        workspace.guardrails.remaining = palisade::policy::limits::Remaining::NONE;
        let files = [SourceText { file: "policies.yaml".into(), text: policies.into() }];
        let loaded = load(Some(&workspace), &files, start());
        let policies = loaded.set.unwrap_or_else(|| panic!("{:#?}", loaded.findings));
        Self { emulator: Arc::new(Mutex::new(emulator)), clock, workspace, policies }
    }

    /// A clock for `paused`.
    pub(crate) fn calendar() -> Arc<dyn Clock> {
        Arc::new(Calendar::new())
    }

    pub(crate) fn emulator(&self) -> MutexGuard<'_, Emulator> {
        self.emulator.lock().unwrap()
    }

    /// Plays lines of a scenario.
    pub(crate) fn play(&self, lines: &str) {
        let scenario = Scenario::parse(lines).unwrap();
        self.emulator().play(&scenario, self.clock.now()).unwrap();
    }

    /// A client as a process has one: its windows are empty at the start.
    pub(crate) fn client(&self) -> Client {
        let config = self.emulator().config().clone();
        let transport = Arc::new(InProcess::new(self.emulator.clone(), self.clock.clone()));
        let credential =
            Credential::with_secret(&config.client_id, Secret::new(config.client_secret));
        let options =
            ClientOptions { random: Arc::new(Seeded::new(7)), ..ClientOptions::default() };
        let tenant = &self.workspace.tenants[0];
        Client::new(tenant, credential, transport, self.clock.clone(), options)
    }

    pub(crate) async fn observe(&self, client: &Client) -> Inventory {
        let scope = Scope {
            av_health: !self.policies.scans.is_empty(),
            alerts: (!self.policies.alert_rules.is_empty()).then(Alerts::default),
            ..Scope::default()
        };
        observe(client, &scope, &Silent).await.unwrap()
    }

    /// A plan of what is to be done now.
    pub(crate) async fn plan(&self, client: &Client) -> Plan {
        let inventories = [self.observe(client).await];
        assert!(inventories[0].is_complete(), "{:?}", inventories[0].missing());
        let input = Input {
            policies: &self.policies,
            workspace: &self.workspace,
            inventories: &inventories,
            now: self.clock.now(),
            around: &palisade::plan::Circumstances::default(),
            study: false,
            tool: "palisade/test",
        };
        plan(&input).unwrap()
    }

    /// What a plan or a run is held against now.
    pub(crate) fn against(&self) -> VerifyContext<'_> {
        let policy_digest = Some(self.policies.digest.as_str());
        VerifyContext { workspace: &self.workspace, policy_digest, now: self.clock.now() }
    }

    pub(crate) fn check(&self, plan: Plan) -> CheckedPlan {
        let now = plan.created_at;
        let context = VerifyContext { workspace: &self.workspace, policy_digest: None, now };
        verify(plan, &context).unwrap()
    }

    /// One life of a run: `None` when it was killed.
    pub(crate) async fn life(
        &self,
        plan: &CheckedPlan,
        client: &Client,
        memory: &mut Memory,
        kill_after: Option<usize>,
    ) -> Option<Summary> {
        let history = memory.revive();
        let mut engine = Engine::new(plan, &history, Options::default(), "palisade/test").unwrap();
        let services: BTreeMap<Arc<str>, &dyn Service> =
            [(Arc::from("contoso"), client as &dyn Service)].into();
        let stop = StopFlag::default();
        let ports =
            Ports { services: &services, journal: memory, clock: &*self.clock, stop: &stop };
        let mut sums = |progress: &Progress| {
            let ended = progress.succeeded + progress.failed + progress.offline;
            assert!(progress.waiting + progress.pending + ended <= progress.total, "{progress:?}");
        };
        let run = run(&mut engine, ports, &mut sums);
        match kill_after {
            None => Some(run.await.unwrap()),
            Some(polls) => kill(run, polls).await.and_then(Result::ok),
        }
    }

    /// A run from its beginning to its end.
    pub(crate) async fn apply(&self, plan: &CheckedPlan) -> (Summary, Vec<JournalEntry>) {
        let mut memory = Memory::default();
        let summary = self.life(plan, &self.client(), &mut memory, None).await.unwrap();
        (summary, memory.revive())
    }

    /// Paths of requests that changed something and that the service took, with their number.
    pub(crate) fn taken(&self) -> BTreeMap<String, usize> {
        let emulator = self.emulator();
        let mut taken = BTreeMap::new();
        for logged in emulator.log() {
            let path = logged.uri.path();
            let changes = path.starts_with("/api/machine") || path.starts_with("/v1.0/security");
            if changes && logged.method != http::Method::GET && logged.status.is_success() {
                *taken.entry(format!("{} {path}", logged.method)).or_insert(0) += 1;
            }
        }
        taken
    }

    /// What was done twice: actions of one kind that were made on one device, comments of one text.
    pub(crate) fn twice(&self) -> Vec<String> {
        let emulator = self.emulator();
        let tenant = emulator.tenant();
        let mut seen = BTreeMap::new();
        for action in tenant.actions().iter().filter(|action| action.comment.contains("[palisade "))
        {
            *seen.entry(format!("{} on {}", action.kind.wire(), action.machine)).or_insert(0) += 1;
        }
        for alert in tenant.alerts() {
            for comment in &alert.comments {
                *seen.entry(format!("{} on {}", comment.text, alert.id)).or_insert(0) += 1;
            }
        }
        seen.into_iter().filter(|(_, count)| *count > 1).map(|(what, _)| what).collect()
    }
}

/// Polls a future so many times and drops it: what a kill leaves is what had left by then.
pub(crate) async fn kill<T>(future: impl Future<Output = T>, polls: usize) -> Option<T> {
    let mut future: Pin<&mut _> = pin!(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// A journal in memory that can fail like a disk of a machine that loses its power.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    bytes: Vec<u8>,
    chain: Chain,
    /// Appends until the power goes, and the bytes of that one that still arrive.
    pub(crate) fail: Option<(usize, usize)>,
}

impl Memory {
    /// The entries that a new process finds.
    pub(crate) fn revive(&mut self) -> Vec<JournalEntry> {
        let read = decode(&self.bytes).unwrap();
        self.bytes.truncate(usize::try_from(read.valid).unwrap());
        self.chain = read.chain;
        read.entries
    }
}

impl Journal for Memory {
    fn append(&mut self, now: Timestamp, entries: Vec<Entry>) -> Result<(), ApplyError> {
        let mut bytes = Vec::new();
        for entry in entries {
            bytes.extend(self.chain.line(now, entry).unwrap().0);
        }
        if let Some((left, tear)) = &mut self.fail {
            if *left == 0 {
                bytes.truncate(*tear);
                self.bytes.extend(bytes);
                return Err(ApplyError::NoRun { run: "power lost".to_owned() });
            }
            *left -= 1;
        }
        self.bytes.extend(bytes);
        Ok(())
    }
}
