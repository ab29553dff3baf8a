//! Palisade keeps a fleet's response posture in Git.
//!
//! The route of data, which is also the reading order of the modules:
//!
//! ```text
//! files ─▶ policy (documents ─▶ checks ─▶ PolicySet) ──────────────┐
//! service ─▶ drive::observe ─▶ wire ─▶ inventory ─▶ readings ──────┤
//!                                                                   ▼
//!                                      plan (desired x observed ─▶ draft ─▶ guardrails ─▶ Plan)
//!                                                                   ▼
//!                    report (text, JSON, …) ◀── plan file ──▶ apply (engine) ⇄ drive::apply ⇄ service
//!                                                                   ▼
//!                                                                journal
//! ```
//!
//! The middle is pure: `now`, randomness and everything read arrive as arguments. Only `host`,
//! `drive`, `cli` and `emulator::serve` touch the outside world. `ARCHITECTURE.md` has the map and
//! the invariants; `tests/it/tidy.rs` enforces the import directions.

pub mod apply;
pub mod cli;
pub mod diag;
pub mod drive;
pub mod emulator;
pub mod host;
pub mod inventory;
pub mod model;
pub mod plan;
pub mod policy;
pub mod report;
pub mod schema;
pub mod wire;
