//! Selectors: which devices and alerts a policy means.
//!
//! `ast` is what the checks make of YAML and the only form other modules see. `compile` turns it
//! into set algebra over the inventory's indexes, `interpret` is the plain per-device meaning that
//! property tests hold against it, `explain` names the terms and facts behind an answer, `matched`
//! those that a plan quotes, `trigger` the alerts; `walk` answers what needs no inventory. Evaluation
//! is pure and total.

pub mod ast;
pub mod compile;
pub mod explain;
pub mod glob;
mod heads;
pub mod interpret;
pub mod matched;
pub mod trigger;
pub mod walk;
mod words;

pub use ast::{AlertExpr, AlertTerm, DeviceExpr, DeviceTerm};
pub use compile::{Compiler, alerts_matching, select, select_all};
pub use explain::{Explanation, explain_alert, explain_device};
pub use interpret::{matches_alert, matches_device};
pub use matched::{AlertTerms, DeviceTerms, matched_alert_terms, matched_terms};
pub use trigger::Trigger;
pub use walk::{alert_reads, is_void, is_void_alert, reads};

#[cfg(test)]
mod tests;
