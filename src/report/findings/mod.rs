//! Findings about what a person wrote, as text, JSON, SARIF and GitHub annotations.
//!
//! One list in, one `String` out, for each format. The order is that of reading; where a format cuts
//! (annotations), errors come first and the cut is said. Called by `cli`; prints nothing.

mod annotations;
mod json;
mod sarif;
mod text;

#[cfg(test)]
mod tests;

pub use annotations::github;
pub use json::{Findings, json};
pub use sarif::sarif;
pub use text::text;
