//! Logs: tracing events to stderr, as text or JSON lines; warnings and errors unless more is asked.
//!
//! The level comes from `--log`, else from `-v`, else from `PALISADE_LOG`, else it is `warn`. No
//! event may carry a secret: secret types print stars.

use tracing_subscriber::EnvFilter;

use crate::cli::args::{Global, LogFormat};
use crate::host::env::Env;

/// Starts logging for the process; a second start changes nothing.
pub fn start(global: &Global, env: &Env, color: bool) {
    let filter = EnvFilter::builder().parse_lossy(directives(global, env));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(color);
    // Starting twice happens in tests that run several commands in one process.
    let _ = match global.log_format {
        LogFormat::Text => builder.with_target(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
}

fn directives(global: &Global, env: &Env) -> String {
    if let Some(said) = &global.log {
        return said.clone();
    }
    match (global.verbose, env.get("PALISADE_LOG")) {
        (0, Some(said)) => said.to_owned(),
        (0, None) => "warn".to_owned(),
        (1, _) => "warn,palisade=info".to_owned(),
        (2, _) => "warn,palisade=debug".to_owned(),
        _ => "info,palisade=trace".to_owned(),
    }
}
