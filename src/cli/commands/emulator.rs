//! `palisade emulator`: a fake tenant behind a loopback socket.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::ValueEnum;
use jiff::Timestamp;

use crate::cli::context::{self, Context, shown};
use crate::cli::error::{CliError, Result};
use crate::cli::exit::Exit;
use crate::cli::{interrupt, runtime};
use crate::emulator::Config;
use crate::emulator::serve::{ClockKind, Options, ServeError, Server};

/// Serve an emulated tenant on loopback: sign-in, Defender API, Graph alerts.
///
/// The ready file is one JSON object with `defender`, `graph`, `authority`, `tenantId`, `clientId`
/// and `clientSecret`; it is also written to stdout. Ctrl-C or `POST /_emulator/stop` ends it.
#[derive(Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  palisade emulator --ready-file ready.json\n  palisade emulator --devices 100000 --seed 7\n  palisade emulator --clock manual --start 2026-11-23T10:00:00Z\n  palisade emulator --scenario faults.txt --speed 60"
)]
pub struct Emulator {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8400")]
    pub listen: SocketAddr,
    /// Devices in the fleet, up to a million.
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub devices: u32,
    /// Everything that looks random follows from this number.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub seed: u64,
    /// File with a scenario: faults, switches, hands of others.
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// Where the emulator's time comes from.
    #[arg(long, value_enum, default_value_t)]
    pub clock: EmulatorClock,
    /// How many times faster than real its clock runs.
    #[arg(long, value_name = "FACTOR", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub speed: u32,
    /// The time at its start [default: now].
    #[arg(long, value_name = "RFC3339")]
    pub start: Option<Timestamp>,
    /// File that says where it answers and how to sign in, once it does.
    #[arg(long, value_name = "FILE")]
    pub ready_file: Option<PathBuf>,
}

/// Where the emulator's time comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum EmulatorClock {
    /// The machine's clock.
    #[default]
    Real,
    /// Moves by control requests only (`POST /_emulator/advance`).
    Manual,
}

impl Emulator {
    /// Serves until it is told to stop.
    ///
    /// # Errors
    /// When the scenario is wrong, the address is taken or a file cannot be used.
    pub fn run(self, context: &mut Context) -> Result<Exit> {
        let scenario = self.scenario.as_ref().map(|file| context::read(file)).transpose()?;
        let options = Options {
            listen: self.listen,
            config: Config {
                devices: self.devices,
                seed: self.seed,
                speed: self.speed,
                ..Config::default()
            },
            scenario: scenario.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            clock: match self.clock {
                EmulatorClock::Real => ClockKind::Real,
                EmulatorClock::Manual => ClockKind::Manual,
            },
            start: self.start,
            ready_file: self.ready_file.clone(),
        };
        runtime::block_on(async {
            let server = Server::bind(options).await.map_err(refused)?;
            let ready = serde_json::to_string_pretty(server.ready()).unwrap_or_default();
            context.data(&format!("{ready}\n"))?;
            let place = &server.ready().defender;
            context
                .note(&format!("emulator of {} devices at {place}; Ctrl-C ends it", self.devices));
            if let Some(file) = &self.ready_file {
                context.note(&format!("try: palisade init play --emulator {}", shown(file)));
            }
            server.run(interrupt::signal()).await;
            Ok(Exit::Done)
        })
    }
}

fn refused(error: ServeError) -> CliError {
    match &error {
        ServeError::Scenario(wrong) => {
            let lines: Vec<String> = wrong.iter().map(ToString::to_string).collect();
            lines.into_iter().fold(CliError::from(error), CliError::help)
        }
        ServeError::Listen { .. } => {
            CliError::from(error).help("another port: `--listen 127.0.0.1:0` takes a free one")
        }
        ServeError::ReadyFile { .. } => error.into(),
    }
}
