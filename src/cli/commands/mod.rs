//! One file for each command: its arguments, and a `run` that joins the inner modules.

pub mod accept;
pub mod apply;
pub mod audit;
pub mod cancel;
pub mod completions;
pub mod demo;
pub mod doctor;
pub mod emulator;
pub mod explain;
pub mod fmt;
pub mod freeze;
pub mod init;
pub mod list;
pub mod plan;
pub mod runs;
pub mod schema;
pub mod show;
pub mod undo;
pub mod validate;
