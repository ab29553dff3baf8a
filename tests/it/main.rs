//! The test suite: one binary, one module for each area.

mod cli_flow;
mod cli_interrupt;
mod cli_process;
mod emulator_socket;
mod generated;
mod tidy;
