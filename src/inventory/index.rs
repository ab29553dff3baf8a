//! Bitmaps of rows for each value of a column: what selectors are computed from.
//!
//! Built once, at the end of `build`. A value costs a roaring bitmap: two bytes a row while it is
//! rare, one bit a row of the fleet when it is common. Values are the columns' own numbers.

use roaring::RoaringBitmap;

use crate::inventory::columns::{Columns, Values};
use crate::inventory::flags::Flags;

/// Bitmaps by value number; for the closed enums, by position in `ALL`.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) groups: Vec<RoaringBitmap>,
    pub(crate) platforms: Vec<RoaringBitmap>,
    pub(crate) versions: Vec<RoaringBitmap>,
    pub(crate) managers: Vec<RoaringBitmap>,
    pub(crate) tags: Vec<RoaringBitmap>,
    pub(crate) health: Vec<RoaringBitmap>,
    pub(crate) risk: Vec<RoaringBitmap>,
    pub(crate) exposure: Vec<RoaringBitmap>,
    pub(crate) value: Vec<RoaringBitmap>,
    pub(crate) onboarding: Vec<RoaringBitmap>,
    pub(crate) av_status: Vec<RoaringBitmap>,
    /// Not joined, joined.
    pub(crate) joined: Vec<RoaringBitmap>,
}

impl Index {
    pub(crate) fn new(columns: &Columns, values: &Values) -> Self {
        let profiles: Vec<(u32, u32, u32)> = values
            .profiles
            .items
            .iter()
            .map(|profile| (profile.platform, profile.version, profile.managed_by))
            .collect();
        let profile = |row: &u32| profiles.get(*row as usize).copied().unwrap_or_default();
        let of = |pick: fn((u32, u32, u32)) -> u32| {
            by_value(columns.profiles.iter().map(move |row| pick(profile(row))))
        };
        let few = |pick: fn(Flags) -> u32| dense(&columns.flags, pick);
        Self {
            groups: by_value(columns.groups.iter().copied()),
            platforms: of(|(platform, _, _)| platform),
            versions: of(|(_, version, _)| version),
            managers: of(|(_, _, manager)| manager),
            tags: by_tag(columns, values),
            health: few(|flags| flags.health() as u32),
            risk: few(|flags| flags.risk() as u32),
            exposure: few(|flags| flags.exposure() as u32),
            value: few(|flags| flags.value() as u32),
            onboarding: few(|flags| flags.onboarding() as u32),
            av_status: few(|flags| flags.av_status() as u32),
            joined: few(|flags| u32::from(flags.joined())),
        }
    }
}

/// Bitmaps of a column with any number of values: counted, laid out by value, then packed.
fn by_value(column: impl Iterator<Item = u32> + Clone) -> Vec<RoaringBitmap> {
    spread(column.zip(0u32..))
}

fn by_tag(columns: &Columns, values: &Values) -> Vec<RoaringBitmap> {
    let sets = &values.tag_sets.items;
    let tags = |set: u32| sets.get(set as usize).map_or(&[] as &[u32], Vec::as_slice);
    spread(
        columns
            .tags
            .iter()
            .zip(0u32..)
            .flat_map(move |(set, row)| tags(*set).iter().map(move |tag| (*tag, row))),
    )
}

/// Rows of each value, given pairs of value and row in ascending order of rows.
fn spread(pairs: impl Iterator<Item = (u32, u32)> + Clone) -> Vec<RoaringBitmap> {
    let mut ends: Vec<usize> = Vec::new();
    for (value, _) in pairs.clone() {
        let value = value as usize;
        if ends.len() <= value {
            ends.resize(value + 1, 0);
        }
        if let Some(count) = ends.get_mut(value) {
            *count += 1;
        }
    }
    let mut total = 0;
    for end in &mut ends {
        total += *end;
        *end = total - *end;
    }
    // `ends` holds starts now and moves to the ends while rows are laid out.
    let mut rows = vec![0u32; total];
    for (value, row) in pairs {
        if let Some(at) = ends.get_mut(value as usize) {
            if let Some(slot) = rows.get_mut(*at) {
                *slot = row;
            }
            *at += 1;
        }
    }
    let mut start = 0;
    ends.into_iter()
        .map(|end| {
            let of_value = rows.get(start..end).unwrap_or(&[]);
            start = end;
            bitmap(of_value)
        })
        .collect()
}

/// A bitmap of ascending rows.
pub(crate) fn bitmap(rows: &[u32]) -> RoaringBitmap {
    RoaringBitmap::from_sorted_iter(rows.iter().copied())
        .unwrap_or_else(|_| rows.iter().copied().collect())
}

/// Bitmaps of a field with at most eight values, through plain bit vectors.
fn dense(flags: &[Flags], pick: fn(Flags) -> u32) -> Vec<RoaringBitmap> {
    let mut bits = vec![vec![0u8; flags.len().div_ceil(8)]; 8];
    for (row, flags) in flags.iter().enumerate() {
        let of_value = bits.get_mut(pick(*flags) as usize);
        if let Some(byte) = of_value.and_then(|bytes| bytes.get_mut(row / 8)) {
            *byte |= 1 << (row % 8);
        }
    }
    bits.iter().map(|bytes| RoaringBitmap::from_lsb0_bytes(0, bytes)).collect()
}
