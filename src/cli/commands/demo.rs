//! `palisade demo`: the whole story in under two minutes, on an emulated tenant.
//!
//! The emulator and the client share one hastened clock, so that devices answer within seconds and
//! both agree on the time. Everything passes over HTTP on loopback, as it would with the service.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use tokio::net::TcpListener;

use crate::cli::context::{Context, shown};
use crate::cli::error::{CliError, Doing as _, Result};
use crate::cli::exit::Exit;
use crate::cli::planning::Observed;
use crate::cli::starter::{self, New};
use crate::cli::{applying, planning, runtime, scope, workspace};
use crate::emulator::{Config, Emulator, serve};
use crate::host::clock::{Clock as _, HastenedClock, SystemClock};
use crate::host::{env::Env, files};
use crate::plan::file::{self, VerifyContext};
use crate::plan::{Circumstances, Plan};
use crate::report::{apply as result, plan as screen};

/// See it work: emulate a tenant, validate the starter pack, plan, apply, plan again.
///
/// Asks nothing, talks to this machine only, leaves nothing running. The workspace with its
/// policies, plan and journal stays, to go on by hand.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade demo\n  palisade demo --devices 5000 --keep ./play"
)]
pub struct Demo {
    /// Devices in the emulated tenant.
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(10..=20_000))]
    pub devices: u32,
    /// Folder of the workspace [default: a new one among the temporary files].
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// How many times faster than real the demo's time runs.
const SPEED: u32 = 120;

/// When the demo's time begins: a working day, the same for everybody, so that every demo tells the
/// same story.
const START: &str = "2026-11-24T10:00:00Z";

impl Demo {
    /// Tells the story.
    ///
    /// # Errors
    /// When any step fails: this is also a test of the program.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let folder = self.folder()?;
        let clock = HastenedClock::new(START.parse::<Timestamp>()?, SPEED);
        context.clock = Arc::new(clock);
        runtime::block_on(async {
            let config = Config { devices: self.devices, ..Config::default() };
            let now = context.clock.now();
            let listener =
                TcpListener::bind(("127.0.0.1", 0)).await.doing("cannot listen on loopback")?;
            let address = listener.local_addr().doing("cannot listen on loopback")?;
            let root = format!("http://{address}");
            context.env = sign_in(&config);
            let tenant_id = config.tenant_id.clone();
            let emulator = Arc::new(Mutex::new(Emulator::new(config, now)));
            let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
            let clock = Arc::clone(&context.clock);
            let server = tokio::spawn(serve::serve(listener, emulator, clock, async {
                drop(stopped.await);
            }));
            let new = New {
                id: "demo",
                tenant: "emulator",
                tenant_id: &tenant_id,
                endpoints: Some([&root, &root, &root]),
                pack: true,
            };
            let ended = self.story(context, &folder, &new).await;
            drop(stop);
            server.await.doing("the emulator has failed")?;
            ended
        })
    }

    fn folder(&self) -> Result<PathBuf> {
        let folder = match &self.keep {
            Some(folder) => folder.clone(),
            None => {
                let stamp = SystemClock.now().strftime("%Y%m%d-%H%M%S").to_string();
                let name = format!("palisade-demo-{stamp}-{}", std::process::id());
                std::env::temp_dir().join(name)
            }
        };
        if folder.join(workspace::FILE).exists() {
            return Err(CliError::new(format!("`{}` has a workspace already", shown(&folder)))
                .help("name a new folder with `--keep DIR`"));
        }
        files::create_folder(&folder)?;
        Ok(folder)
    }

    async fn story(&self, context: &mut Context, folder: &Path, new: &New<'_>) -> Result<Exit> {
        let devices = crate::report::measure::number(self.devices.into());
        step(
            context,
            &format!("An emulated tenant of {devices} devices, its time {SPEED} times as fast"),
        )?;
        starter::write(folder, new)?;

        step(context, "Validate the starter pack")?;
        let project = workspace::read(folder, None, context.clock.now())?;
        let (workspace, policies) = project.usable(context)?;
        let (documents, files) = (project.documents, project.sources.len());
        context.data(&format!("{documents} documents in {files} files, no error\n"))?;

        step(context, "Plan: what policies want, compared with what the tenant is")?;
        let scope = scope::for_policies(workspace, policies, context.clock.now());
        let Observed { clients, inventories } =
            planning::observe(context, workspace, &scope).await?;
        let around = &Circumstances::default();
        let plan = planning::plan(context, workspace, policies, &inventories, around, None)?;
        let plan_file = folder.join("demo.plan.json");
        files::write_atomic(&plan_file, &file::to_bytes(&plan))?;
        let text = screen::text(&plan, context.style());
        context.data(&text)?;

        step(context, "Apply exactly that plan, over HTTP")?;
        let now = context.clock.now();
        let against = VerifyContext { workspace, policy_digest: Some(&policies.digest), now };
        let plan = file::verify(plan, &against).map_err(applying::refused)?;
        let ran = applying::start(context, workspace, &plan, &clients).await?;
        let text = result::table(&ran.run, &plan, &ran.summary, context.style());
        context.data(&text)?;

        step(context, "Plan again")?;
        let Observed { inventories, .. } = planning::observe(context, workspace, &scope).await?;
        let again = planning::plan(context, workspace, policies, &inventories, around, None)?;
        context.data(&format!("{}\n", screen::verdict(&again)))?;

        farewell(context, folder, &plan_file, &ran)?;
        Ok(if again.changes.is_empty() {
            applying::exit_of(&ran.summary)
        } else {
            unfinished(&again)
        })
    }
}

/// The emulator's own application; nothing of the real environment is used.
fn sign_in(config: &Config) -> Env {
    Env::of([
        ("AZURE_CLIENT_ID", config.client_id.as_str()),
        ("AZURE_CLIENT_SECRET", config.client_secret.as_str()),
    ])
}

fn step(context: &mut Context, title: &str) -> Result<()> {
    use crate::report::page::{Page, Role, piece};
    let mut page = Page::new(context.style());
    page.line(3, &[piece(Role::Strong, format!("== {title}"))]);
    context.data(&format!("\n{}\n", page.finish()))
}

const fn unfinished(_again: &Plan) -> Exit {
    Exit::Partly
}

fn farewell(
    context: &mut Context,
    folder: &Path,
    plan_file: &Path,
    ran: &applying::Ran,
) -> Result<()> {
    step(context, "Go on by hand")?;
    let policies = folder.join("policies");
    let text = format!(
        "plan      {}\njournal   {}\npolicies  {}\n\n\
         palisade show {}\n\
         palisade -C {} runs show\n\
         palisade emulator --ready-file ready.json     # a tenant to play with, in another terminal\n\
         palisade init play --emulator ready.json\n",
        shown(plan_file),
        shown(&ran.folder.join("journal.jsonl")),
        shown(&policies),
        shown(plan_file),
        shown(folder),
    );
    context.data(&text)
}
