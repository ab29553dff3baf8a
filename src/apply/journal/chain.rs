//! Lines of a journal and the hashes that chain them.
//!
//! Each line carries the SHA-256 of the line before it, so that a line cannot be changed, removed
//! or put elsewhere without every later one showing it, and its own, for the last one has none after
//! it. A last line without its line feed was cut
//! off by a crash before it was synced: nothing was done because of it, and it is dropped.

use std::fmt::Write as _;

use jiff::Timestamp;
use ring::digest::{SHA256, digest};

use crate::apply::journal::{Entry, JournalEntry};

/// The `prev` of the first line.
const GENESIS: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The end of a chain: what the next line continues.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    seq: u64,
    prev: String,
}

impl Default for Chain {
    fn default() -> Self {
        Self { seq: 0, prev: GENESIS.to_owned() }
    }
}

impl Chain {
    /// The next line, with its line feed, and the entry it holds.
    ///
    /// # Errors
    /// When a value cannot be written as JSON, which no entry contains.
    pub fn line(
        &mut self,
        time: Timestamp,
        entry: Entry,
    ) -> Result<(Vec<u8>, JournalEntry), serde_json::Error> {
        let prev = self.prev.clone();
        let mut entry = JournalEntry { seq: self.seq, time, prev, entry, hash: None };
        entry.hash = Some(hash(&serde_json::to_vec(&entry)?));
        let mut line = serde_json::to_vec(&entry)?;
        self.seq += 1;
        self.prev = hash(&line);
        line.push(b'\n');
        Ok((line, entry))
    }

    /// Number of lines so far.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.seq
    }

    /// Whether nothing has been written.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.seq == 0
    }
}

/// A journal that was read back whole.
#[derive(Clone, Debug)]
pub struct Journal {
    /// The entries in order.
    pub entries: Vec<JournalEntry>,
    /// Where the next line continues.
    pub chain: Chain,
    /// Bytes that hold `entries`; what lies behind them is `cut`.
    pub valid: u64,
    /// Bytes of an incomplete last line.
    pub cut: u64,
}

/// Why a journal is not what was written.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// A line that is not an entry.
    #[error("line {line} of the journal is not an entry")]
    Syntax {
        /// From 1.
        line: u64,
        /// What the parser says.
        #[source]
        source: serde_json::Error,
    },
    /// A line that does not continue the one before it.
    #[error("line {line} of the journal does not continue the line before it")]
    Chain {
        /// From 1.
        line: u64,
    },
    /// A line whose own hash is not that of its content.
    #[error("line {line} of the journal is not as it was written")]
    Edited {
        /// From 1.
        line: u64,
    },
    /// A line out of order.
    #[error("line {line} of the journal has number {found}, {expected} is due")]
    Order {
        /// From 1.
        line: u64,
        /// As it stands there.
        found: u64,
        /// As it should be.
        expected: u64,
    },
}

/// Reads a journal and checks its chain; an incomplete last line is left out and counted.
///
/// # Errors
/// Names the first line that is not an entry, is out of order or does not continue the one before.
pub fn decode(bytes: &[u8]) -> Result<Journal, Broken> {
    let valid = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let (whole, torn) = bytes.split_at(valid);
    let mut chain = Chain::default();
    let mut entries = Vec::new();
    for line in whole.split_inclusive(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let number = chain.seq + 1;
        let entry: JournalEntry = serde_json::from_slice(line)
            .map_err(|source| Broken::Syntax { line: number, source })?;
        if entry.prev != chain.prev {
            return Err(Broken::Chain { line: number });
        }
        // Journals of the first days have no hashes of their own, and then none of their lines has.
        let first: &JournalEntry = entries.first().unwrap_or(&entry);
        if (first.hash.is_some() || entry.hash.is_some()) && !is_sealed(line, entry.hash.as_deref())
        {
            return Err(Broken::Edited { line: number });
        }
        if entry.seq != chain.seq {
            return Err(Broken::Order { line: number, found: entry.seq, expected: chain.seq });
        }
        chain = Chain { seq: number, prev: hash(line) };
        entries.push(entry);
    }
    Ok(Journal { entries, chain, valid: valid as u64, cut: torn.len() as u64 })
}

/// Whether the hash at the end of a line is that of the rest of it.
fn is_sealed(line: &[u8], said: Option<&str>) -> bool {
    let Some(said) = said else { return false };
    let seal = format!(",\"hash\":\"{said}\"}}");
    let Some(body) = line.strip_suffix(seal.as_bytes()) else { return false };
    hash(&[body, b"}"].concat()) == *said
}

fn hash(line: &[u8]) -> String {
    let digest = digest(&SHA256, line);
    digest.as_ref().iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
