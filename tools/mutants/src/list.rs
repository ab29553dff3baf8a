//! The mutants, as `cargo mutants --list` names them.
//!
//! Which files are examined says `.cargo/mutants.toml` of the checkout. Called by `main`.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

/// One mutant. Its number is its place in the list.
#[derive(Clone, Debug, Deserialize)]
pub struct Mutant {
    pub name: String,
    pub file: String,
    pub genre: Genre,
    pub replacement: String,
    pub span: Span,
    function: Option<Function>,
}

#[derive(Clone, Debug, Deserialize)]
struct Function {
    return_type: String,
}

impl Mutant {
    /// Whether the function returns something that only its body names: a second return of another
    /// type does not compile, but an iterator can be emptied and given another element.
    pub fn is_opaque(&self) -> bool {
        let opaque = |function: &Function| function.return_type.contains("impl ");
        self.genre == Genre::FnValue && self.function.as_ref().is_some_and(opaque)
    }
}

/// What is changed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
pub enum Genre {
    FnValue,
    BinaryOperator,
    UnaryOperator,
    MatchArm,
    MatchArmGuard,
    StructField,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Span {
    pub start: Position,
    pub end: Position,
}

/// Line and column, both counted from 1.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Hash)]
pub struct Position {
    pub line: usize,
    pub column: usize,
}

/// Reads the list.
///
/// # Errors
/// When `cargo mutants` cannot be run or says something that is no list.
pub fn read(source: &Path) -> Result<Vec<Mutant>> {
    let listed = Command::new("cargo")
        .args(["mutants", "--list", "--json"])
        .current_dir(source)
        .output()
        .context(
            "cargo mutants cannot be run; `cargo install cargo-mutants --locked` installs it",
        )?;
    if !listed.status.success() {
        bail!("cargo mutants: {}", String::from_utf8_lossy(&listed.stderr));
    }
    serde_json::from_slice(&listed.stdout).context("the list of cargo mutants")
}
