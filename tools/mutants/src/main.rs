//! Runs the mutants that `cargo mutants --list` names, all from one build.
//!
//! `cargo mutants` builds the program anew for each mutant, which for thousands of them takes days.
//! Here every mutant is compiled in at once, each behind a switch that an environment variable
//! turns (`weave`); those that do not compile that way are taken out until the rest does (`build`).
//! Each test then runs once to learn which mutants it reaches, and each mutant runs only against
//! the tests that reach it, quick ones first, until one fails (`trial`).
//!
//! Called by `just mutants`. It must never write into the checkout that it examines: all work
//! happens in a copy.

mod build;
mod list;
mod sites;
mod trial;
mod weave;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// Where things are.
struct Place {
    /// The checkout that is examined.
    source: PathBuf,
    /// The copy with the switches in it.
    copy: PathBuf,
}

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1);
    let (Some(source), Some(copy)) = (words.next(), words.next()) else {
        bail!("usage: palisade-mutants CHECKOUT COPY [FILE-OR-FUNCTION-PART ...]");
    };
    let only: Vec<String> = words.collect();
    let source = std::fs::canonicalize(&source).with_context(|| source.clone())?;
    let place = Place { source, copy: PathBuf::from(copy) };
    let mutants = list::read(&place.source)?;
    println!("{} mutants listed", mutants.len());
    let woven = build::until_it_compiles(&place, &mutants)?;
    trial::run(&place, &mutants, &woven, &only)
}
