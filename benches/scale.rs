//! Benchmarks at scale.
fn main() {}
