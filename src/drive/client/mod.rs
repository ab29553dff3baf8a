//! One tenant's service as a handful of calls: token, budget, bounded retry.
//!
//! Called by `observe`, `apply` and the commands that read. A call that changes something is never
//! sent a second time after an ambiguous answer; that decision belongs to the engine.

pub mod submitted;

pub use submitted::{Accepted, Submitted};
