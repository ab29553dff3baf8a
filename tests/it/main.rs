//! The test suite: one binary, one module for each area.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a helper of a test may end the test"
)]

mod alarm;
mod apply_end_to_end;
mod apply_freeze;
mod apply_kill;
mod apply_rig;
mod apply_waves;
mod cli_asked;
mod cli_emergency;
mod cli_flow;
mod cli_guards;
mod cli_interrupt;
mod cli_ownership;
mod cli_process;
mod cli_rollouts;
mod cli_rules;
mod cli_stop;
mod emulator_socket;
mod fuzz_corpus;
mod generated;
mod observe_faults;
mod policy_fixtures;
mod scenarios;
mod sim;
mod threat_model;
mod tidy;
