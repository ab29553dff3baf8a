//! The outside world as capabilities: clock, HTTP, files, terminal, environment, credentials.
//!
//! The only module, with `drive`, `cli` and `emulator::serve`, that may touch it. Inner modules get
//! what they need as arguments.

pub mod clock;
pub mod credential;
pub mod env;
pub mod files;
pub mod http;
pub mod random;
pub mod runner;
pub mod terminal;
pub mod transport;
