//! How much memory an inventory keeps, counted from its own columns.
//!
//! Counted rather than measured, so that a test can hold the promise of 150 bytes a device on any
//! machine; the benchmark prints the process's resident memory beside it.

use std::mem::size_of;
use std::sync::Arc;

use roaring::RoaringBitmap;

use crate::inventory::columns::{Columns, Profile};
use crate::inventory::index::Index;
use crate::inventory::record::{ActionRow, Cancelled};
use crate::inventory::view::{Inventory, Words};

/// Bytes on the heap, by part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Columns of devices, the words behind them and the table of ids.
    pub columns: usize,
    /// Bitmaps for selectors.
    pub indexes: usize,
    /// Ends of scans by antivirus health.
    pub scans: usize,
    /// Action history, texts included; shared texts are counted each time.
    pub history: usize,
}

impl Footprint {
    /// Everything that grows with the number of devices.
    #[must_use]
    pub const fn of_devices(&self) -> usize {
        self.columns + self.indexes + self.scans
    }
}

fn heap<T>(list: &Vec<T>) -> usize {
    list.capacity() * size_of::<T>()
}

fn shared(texts: &Vec<Arc<str>>) -> usize {
    // Two counters stand before the text of an `Arc`.
    heap(texts) + texts.iter().map(|text| text.len() + 2 * size_of::<usize>()).sum::<usize>()
}

impl Inventory {
    /// The memory that the inventory keeps.
    #[must_use]
    pub fn footprint(&self) -> Footprint {
        Footprint {
            columns: columns(&self.columns) + words(&self.values) + self.table.bytes(),
            indexes: index(&self.index),
            scans: heap(&self.quick) + heap(&self.full),
            history: history(self.all_actions()),
        }
    }
}

fn columns(columns: &Columns) -> usize {
    heap(&columns.ids)
        + columns.names.bytes()
        + heap(&columns.groups)
        + heap(&columns.profiles)
        + heap(&columns.tags)
        + heap(&columns.flags)
        + heap(&columns.seen)
        + columns.addresses.bytes()
}

fn words(words: &Words) -> usize {
    let texts = [
        &words.groups,
        &words.platforms,
        &words.versions,
        &words.agents,
        &words.managers,
        &words.tags,
    ];
    let sets = words.tag_sets.iter().map(|set| set.len() * size_of::<u32>()).sum::<usize>();
    texts.into_iter().map(shared).sum::<usize>()
        + words.profiles.capacity() * size_of::<Profile>()
        + heap(&words.tag_sets)
        + sets
}

fn index(index: &Index) -> usize {
    let all = [
        &index.groups,
        &index.platforms,
        &index.versions,
        &index.managers,
        &index.tags,
        &index.health,
        &index.risk,
        &index.exposure,
        &index.value,
        &index.onboarding,
        &index.av_status,
        &index.joined,
    ];
    // A bitmap's serialized form is its containers with a few bytes of header for each.
    let rows = |rows: &RoaringBitmap| size_of::<RoaringBitmap>() + rows.serialized_size();
    all.into_iter().flatten().map(rows).sum()
}

fn history(actions: &[ActionRow]) -> usize {
    let texts = |row: &ActionRow| {
        let texts = [row.id.as_str(), &row.requestor, &row.comment, &row.source];
        let own = texts.map(|text| text.len() + 2 * size_of::<usize>()).iter().sum::<usize>();
        let cancelled = row.cancelled.as_ref().map_or(0, |cancelled| {
            size_of::<Cancelled>() + cancelled.requestor.len() + cancelled.comment.len()
        });
        own + cancelled
    };
    actions.iter().map(|row| size_of::<ActionRow>() + texts(row)).sum()
}
