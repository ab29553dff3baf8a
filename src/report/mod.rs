//! Values to text: what a person reads, and the formats other programs read.
//!
//! Pure: every function takes values and a [`Style`] and gives back a `String` (or writes into a
//! `fmt`/`io` writer); nothing is printed here. Numbers are computed once, in `view` types, and all
//! formats show the same ones. Called by `cli`. Must never read a clock, a terminal's size or the
//! environment, and never write text from the service without escaping it first.

pub mod apply;
pub mod audit;
pub mod checks;
pub mod escape;
pub mod explain;
pub mod findings;
pub mod freeze;
pub mod guardrails;
pub mod inventory;
pub mod measure;
pub mod page;
pub mod plan;
pub mod reason;
pub mod rollout;
pub mod runs;
pub mod table;

pub use page::Style;
