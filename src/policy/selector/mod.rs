//! Selectors: which devices and alerts a policy means.
//!
//! `ast` is what the checks make of YAML and the only form other modules see. `compile` turns it
//! into set algebra over the inventory's indexes, `interpret` is the plain per-device meaning that
//! property tests hold against it. Evaluation is pure and total.

pub mod ast;

pub use ast::{AlertExpr, AlertTerm, DeviceExpr, DeviceTerm};
