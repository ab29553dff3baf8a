//! What a script plays on: one tenant, a clock that jumps, and workspaces as folders on disk.
//!
//! Commands find the last plan, the last run and the last exit code here. What the product says is
//! gathered in one page, in the order in which it was said.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use palisade::cli::args::{Color, Global, LogFormat};
use palisade::cli::context::Context;
use palisade::cli::exit::Exit;
use palisade::drive::client::{Client, ClientOptions};
use palisade::emulator::scenario::Scenario;
use palisade::emulator::transport::InProcess;
use palisade::emulator::{Config, Emulator, Tenant};
use palisade::host::clock::Clock;
use palisade::host::credential::{Credential, Secret};
use palisade::host::env::Env;
use palisade::host::random::Seeded;
use palisade::host::terminal::{Terminal, Traits};
use palisade::plan::Plan;
use palisade::policy::workspace;

use crate::apply_rig::Rig;

/// Columns of every page.
pub(super) const COLUMNS: usize = 100;

/// The workspace of commands that name no other.
pub(super) const HOME: &str = "contoso-soc";

/// Everything a script plays on.
pub(super) struct Stage {
    pub(super) emulator: Arc<Mutex<Emulator>>,
    pub(super) clock: Arc<dyn Clock>,
    folder: tempfile::TempDir,
    pub(super) desks: BTreeMap<String, Desk>,
    /// What the last command ended with.
    pub(super) exit: Option<Exit>,
    /// Everything said by the last command.
    pub(super) said: String,
    /// Requests of the last apply that changed something and that the service took.
    pub(super) sent: usize,
    /// Hashes of the plans that were made, in their order.
    plans: Vec<String>,
}

/// One workspace and who works there.
pub(super) struct Desk {
    pub(super) root: PathBuf,
    pub(super) context: Context,
    page: Page,
    /// The last plan.
    pub(super) plan: Option<Plan>,
}

/// What was said on stdout and stderr.
#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Stage {
    /// An empty tenant; must be called under a paused clock.
    pub(super) fn new() -> Self {
        let clock = Rig::calendar();
        let config = Config::default();
        let tenant = Tenant::empty(&config, clock.now());
        Self {
            emulator: Arc::new(Mutex::new(Emulator::with_tenant(config, tenant))),
            clock,
            folder: tempfile::tempdir().unwrap(),
            desks: BTreeMap::new(),
            exit: None,
            said: String::new(),
            sent: 0,
            plans: Vec::new(),
        }
    }

    /// Remembers a plan: golden files call it by its number, since its hash follows from every
    /// detail of the plan's format.
    pub(super) fn note_plan(&mut self, plan: &Plan) {
        if !self.plans.contains(&plan.plan_hash) {
            self.plans.push(plan.plan_hash.clone());
        }
    }

    /// The text with numbers in the place of plan hashes.
    pub(super) fn numbered(&self, text: String) -> String {
        let plans = self.plans.iter().enumerate();
        plans.fold(text, |text, (at, hash)| {
            let whole = text.replace(hash, &format!("{:064}", at + 1));
            whole.replace(&hash[..6], &format!("{:06}", at + 1))
        })
    }

    pub(super) fn emulator(&self) -> MutexGuard<'_, Emulator> {
        self.emulator.lock().unwrap()
    }

    /// The desk of a workspace, which is set up the first time.
    pub(super) fn desk(&mut self, id: &str) -> &mut Desk {
        if !self.desks.contains_key(id) {
            let desk = Desk::new(&self.folder.path().join(id), Arc::clone(&self.clock));
            self.desks.insert(id.to_owned(), desk);
            self.write_workspace(id, "").unwrap();
        }
        self.desks.get_mut(id).unwrap()
    }

    /// Writes `palisade.yaml`: what every workspace has, and what the script says.
    pub(super) fn write_workspace(&mut self, id: &str, more: &str) -> Result<(), String> {
        let tenant_id = self.emulator().config().tenant_id.clone();
        let root = "http://127.0.0.1:8400";
        let text = format!(
            "apiVersion: palisade/v1\nkind: Workspace\nid: {id}\npolicies: [policies]\ntenants:\n  \
             - name: contoso\n    tenantId: {tenant_id}\n    endpoints: {{authority: {root}, \
             defender: {root}, graph: {root}}}\n{more}"
        );
        let file = self.desk(id).root.join("palisade.yaml");
        std::fs::write(file, text).map_err(|error| error.to_string())
    }

    /// Plays a line in the emulator's own language.
    pub(super) fn play(&self, line: &str) -> Result<(), String> {
        let scenario = Scenario::parse(line).map_err(|errors| errors[0].message.clone())?;
        let played = self.emulator().play(&scenario, self.clock.now());
        played.map_err(|errors| errors[0].message.clone())
    }

    /// A client as a new process has one: its windows are empty, it has no token.
    pub(super) fn client(&self, tenant: &workspace::Tenant) -> Client {
        let config = self.emulator().config().clone();
        let transport = Arc::new(InProcess::new(self.emulator.clone(), self.clock.clone()));
        let secret = Secret::new(config.client_secret);
        let credential = Credential::with_secret(&config.client_id, secret);
        let random = Arc::new(Seeded::new(7));
        let options = ClientOptions { random, ..ClientOptions::default() };
        Client::new(tenant, credential, transport, self.clock.clone(), options)
    }

    /// Requests so far that changed something and that the service took.
    pub(super) fn taken(&self) -> usize {
        let emulator = self.emulator();
        let taken = emulator.log().iter().filter(|logged| {
            let path = logged.uri.path();
            (path.starts_with("/api/machine") || path.starts_with("/v1.0/security"))
                && logged.method != http::Method::GET
                && logged.status.is_success()
        });
        taken.count()
    }
}

impl Desk {
    fn new(root: &Path, clock: Arc<dyn Clock>) -> Self {
        std::fs::create_dir_all(root.join("policies")).unwrap();
        let page = Page::default();
        let traits = Traits {
            columns: COLUMNS,
            color_out: false,
            color_err: false,
            watched: false,
            interactive: false,
            out_is_terminal: false,
        };
        let input = Box::new(Cursor::new(Vec::new()));
        let (out, err) = (Box::new(page.clone()), Box::new(page.clone()));
        let global = Global {
            dir: Some(root.to_path_buf()),
            tenant: Vec::new(),
            color: Color::Never,
            log: None,
            verbose: 0,
            log_format: LogFormat::Text,
        };
        let mut context = Context::new(global, Env::of([]), Terminal::of(out, err, input, traits));
        context.clock = clock;
        Self { root: root.to_path_buf(), context, page, plan: None }
    }

    /// Takes what was said so far; the workspace's folder, which is another one each time, is
    /// called `.`.
    pub(super) fn take_page(&self) -> String {
        let bytes = std::mem::take(&mut *self.page.0.lock().unwrap());
        let text = String::from_utf8(bytes).unwrap();
        text.replace(&*self.root.to_string_lossy(), ".")
    }

    /// A file of the workspace by its path there.
    pub(super) fn path(&self, name: &str) -> Result<PathBuf, String> {
        let outside = name.starts_with('/') || name.split('/').any(|part| part == "..");
        if outside { Err(format!("`{name}` lies outside")) } else { Ok(self.root.join(name)) }
    }
}
