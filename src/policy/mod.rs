//! What an operator writes: YAML text to checked, compiled policies.
//!
//! `load` never stops at the first problem: every finding of every file comes back at once.
//! Called by `cli`; must never read a file, the clock or an inventory while parsing.

mod checks;
mod digest;
pub mod document;
pub mod layout;
pub mod limits;
pub mod load;
pub mod rego;
pub mod rollout;
pub mod schedule;
pub mod selector;
pub mod set;
mod shape;
pub mod workspace;
pub mod yaml;

pub use load::{FILE_MAX, Loaded, SourceText, load, load_workspace};
pub use set::PolicySet;
pub use workspace::Workspace;
