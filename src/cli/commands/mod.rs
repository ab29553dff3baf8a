//! One file for each command: its arguments, and a `run` that joins the inner modules.

pub mod completions;
pub mod init;
pub mod schema;
pub mod show;
pub mod validate;
