//! What a plan was made from, as digests: of every file, and of all of them together.
//!
//! Over what files say and not over their bytes: the order of files and documents, formatting and
//! comments in YAML, names of policy files and the place of the folder change nothing. Rules in Rego
//! count with their text. Called by `load`; must never read a file.

use std::collections::BTreeMap;
use std::sync::Arc;

use ring::digest::{SHA256, digest};

/// What one file says, by the parts that count.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    /// The workspace file.
    Workspace,
    /// A policy document.
    Document,
    /// A rule in Rego.
    Rule,
}

impl Part {
    const fn word(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Document => "document",
            Self::Rule => "rule",
        }
    }

    /// The digest of a part; its kind is in it, so that no text passes for another kind.
    pub(super) fn digest(self, text: &str) -> String {
        of(&format!("{} {text}", self.word()))
    }
}

/// Digests of the files' parts, while they are gathered.
#[derive(Clone, Debug, Default)]
pub(super) struct Sources {
    parts: BTreeMap<Arc<str>, Vec<String>>,
}

impl Sources {
    /// Adds the digest of a part of a file.
    pub(super) fn add(&mut self, file: &Arc<str>, digest: String) {
        self.parts.entry(Arc::clone(file)).or_default().push(digest);
    }

    /// The digest over everything, and that of each file.
    pub(super) fn finish(self) -> (String, BTreeMap<Arc<str>, String>) {
        let whole = joined(self.parts.values().flatten().cloned().collect());
        let files = self.parts.into_iter().map(|(file, parts)| (file, joined(parts)));
        (whole, files.collect())
    }
}

/// The digest over digests in whatever order.
fn joined(mut digests: Vec<String>) -> String {
    digests.sort_unstable();
    of(&digests.join("\n"))
}

fn of(text: &str) -> String {
    let hash = digest(&SHA256, text.as_bytes());
    hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}
