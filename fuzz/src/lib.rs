//! What is fuzzed, and what must hold for every input.
//!
//! The fuzz targets call these functions with what they invent; `tests/it/fuzz_corpus.rs` includes
//! this file and calls them with the committed corpus, so that an input that once broke something
//! is tried by every run of the tests. An input is wrong when a function panics.

pub mod journal;
pub mod made;
pub mod plan_file;
pub mod policy;
pub mod response;
pub mod scalar;
pub mod selector;

/// A name, which is also the folder in the corpus, and what is called with an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("journal", journal::run),
    ("plan_file", plan_file::run),
    ("policy", policy::run),
    ("response", response::run),
    ("scalar", scalar::run),
    ("selector", selector::run),
];
