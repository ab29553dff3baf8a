//! The emulator behind a loopback socket: what `palisade emulator` and the demo run.
//!
//! With `host` and `drive` the only place that touches the outside world: it binds a socket, reads a
//! clock, writes the ready file. Answers come from [`Emulator::handle`]; delays and broken
//! connections are made real here.

mod http;
mod wire;

use std::future::Future;
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::{fs, io};

use jiff::Timestamp;
use serde::Serialize;
use tokio::net::TcpListener;

use crate::emulator::scenario::{Scenario, ScenarioError};
use crate::emulator::{Config, Emulator};
use crate::host::clock::{Clock, HastenedClock, ManualClock, SystemClock};

/// Where the emulator's time comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ClockKind {
    /// The machine's clock, hastened by [`Config::speed`].
    #[default]
    Real,
    /// Stands still; moves by control requests only.
    Manual,
}

/// How to serve a tenant.
#[derive(Clone, Debug)]
pub struct Options {
    /// The address; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The tenant, its size, seed, switches, and how fast its time runs.
    pub config: Config,
    /// Text of a scenario that begins at the start.
    pub scenario: Option<String>,
    /// Where time comes from.
    pub clock: ClockKind,
    /// The time of the start; the present when missing.
    pub start: Option<Timestamp>,
    /// Written once requests are answered, and removed before.
    pub ready_file: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            config: Config::default(),
            scenario: None,
            clock: ClockKind::Real,
            start: None,
            ready_file: None,
        }
    }
}

/// Where the emulator answers and how to sign in: the ready file's content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ready {
    /// Root of the Defender API.
    pub defender: String,
    /// Root of Graph.
    pub graph: String,
    /// Root of sign-in.
    pub authority: String,
    /// The tenant.
    pub tenant_id: String,
    /// The application.
    pub client_id: String,
    /// Its secret, which opens nothing but this emulator.
    pub client_secret: String,
}

/// Why the emulator cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Lines of the scenario are wrong.
    #[error("the scenario has {} wrong lines", .0.len())]
    Scenario(Vec<ScenarioError>),
    /// The ready file cannot be written.
    #[error("cannot write the ready file `{}`", path.display())]
    ReadyFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

/// An emulator that listens.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    emulator: Arc<Mutex<Emulator>>,
    clock: Arc<dyn Clock>,
    ready: Ready,
}

impl Server {
    /// Seeds the tenant, plays the scenario's first lines, listens, writes the ready file. Requests
    /// wait until [`Server::run`].
    ///
    /// # Errors
    /// The scenario is wrong, the address is taken, the ready file cannot be written.
    pub async fn bind(options: Options) -> Result<Self, ServeError> {
        if let Some(path) = &options.ready_file {
            // A file of an earlier run would send clients to the wrong port.
            drop(fs::remove_file(path));
        }
        let clock = clock(&options);
        let now = clock.now();
        let scenario = options.scenario.as_deref().unwrap_or_default();
        let scenario = Scenario::parse(scenario).map_err(ServeError::Scenario)?;
        let mut emulator = Emulator::new(options.config, now);
        emulator.play(&scenario, now).map_err(ServeError::Scenario)?;

        let listen = |source| ServeError::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let ready = ready(&emulator, address);
        if let Some(path) = options.ready_file {
            write_ready(&path, &ready).map_err(|source| ServeError::ReadyFile { path, source })?;
        }
        Ok(Self { listener, emulator: Arc::new(Mutex::new(emulator)), clock, ready })
    }

    /// Where it answers.
    #[must_use]
    pub const fn ready(&self) -> &Ready {
        &self.ready
    }

    /// The emulator behind it.
    #[must_use]
    pub const fn emulator(&self) -> &Arc<Mutex<Emulator>> {
        &self.emulator
    }

    /// Answers requests until `shutdown` is ready or a control request asks for the end.
    pub async fn run(self, shutdown: impl Future<Output = ()> + Send) {
        serve(self.listener, self.emulator, self.clock, shutdown).await;
    }
}

/// Serves a tenant until `shutdown` is ready or a control request asks for the end.
///
/// # Errors
/// Those of [`Server::bind`].
pub async fn run(
    options: Options,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    Server::bind(options).await?.run(shutdown).await;
    Ok(())
}

/// Serves an emulator on a listener. Open connections may finish their answer when the end comes.
pub async fn serve(
    listener: TcpListener,
    emulator: Arc<Mutex<Emulator>>,
    clock: Arc<dyn Clock>,
    shutdown: impl Future<Output = ()> + Send,
) {
    http::serve(listener, emulator, clock, shutdown).await;
}

fn clock(options: &Options) -> Arc<dyn Clock> {
    let start = options.start.unwrap_or_else(|| SystemClock.now());
    match options.clock {
        ClockKind::Manual => Arc::new(ManualClock::new(start)),
        ClockKind::Real if options.start.is_none() && options.config.speed <= 1 => {
            Arc::new(SystemClock)
        }
        ClockKind::Real => Arc::new(HastenedClock::new(start, options.config.speed)),
    }
}

fn ready(emulator: &Emulator, address: SocketAddr) -> Ready {
    // A wildcard address can be bound, not called.
    let host = match address {
        address if address.ip().is_unspecified() => format!("127.0.0.1:{}", address.port()),
        address => address.to_string(),
    };
    let root = format!("http://{host}");
    let config = emulator.config();
    Ready {
        defender: root.clone(),
        graph: root.clone(),
        authority: root,
        tenant_id: config.tenant_id.clone(),
        client_id: config.client_id.clone(),
        client_secret: config.client_secret.clone(),
    }
}

/// Writes the file whole or not at all: whoever waits for it may read it at once.
fn write_ready(path: &Path, ready: &Ready) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(ready)?;
    text.push(b'\n');
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let beside = path.with_file_name(name);
    let written = fs::File::create(&beside).and_then(|mut file| {
        file.write_all(&text)?;
        file.sync_all()
    });
    let renamed = written.and_then(|()| fs::rename(&beside, path));
    if renamed.is_err() {
        drop(fs::remove_file(&beside));
    }
    renamed
}
