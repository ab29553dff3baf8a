//! From a device id to its row, without a hash map.
//!
//! Rows stand in the order of the ids' bytes. Defender's ids are evenly spread (they look like
//! SHA-1), so a table over the first bytes leaves a handful of rows to search; ids that are not
//! spread only make the search longer, never wrong. About one byte a device.

use std::cmp::Ordering;

use crate::model::DeviceId;

/// Where the ids of each prefix begin.
#[derive(Debug, Default)]
pub(crate) struct IdTable {
    /// How far a 32-bit prefix is shifted to become a position in `starts`.
    shift: u32,
    starts: Vec<u32>,
}

/// The order of rows.
pub(crate) fn order(left: &DeviceId, right: &DeviceId) -> Ordering {
    left.as_bytes().cmp(right.as_bytes()).then_with(|| left.cmp(right))
}

/// The first eight bytes of an id, padded with zeros: orders most pairs by itself.
pub(crate) fn prefix(id: &DeviceId) -> u64 {
    let mut first = [0u8; 8];
    first.iter_mut().zip(id.as_bytes()).for_each(|(slot, byte)| *slot = *byte);
    u64::from_be_bytes(first)
}

fn short(id: &DeviceId) -> u32 {
    u32::try_from(prefix(id) >> 32).unwrap_or(u32::MAX)
}

impl IdTable {
    /// A table over `ids`, which stand in `order`.
    pub(crate) fn new(ids: &[DeviceId]) -> Self {
        let bits = ids.len().max(2).ilog2().saturating_sub(2).clamp(1, 20);
        let shift = 32 - bits;
        let mut starts = Vec::with_capacity((1 << bits) + 1);
        for (row, id) in ids.iter().enumerate() {
            let slot = (short(id) >> shift) as usize;
            let row = u32::try_from(row).unwrap_or(u32::MAX);
            while starts.len() <= slot {
                starts.push(row);
            }
        }
        let rows = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        starts.resize((1 << bits) + 1, rows);
        Self { shift, starts }
    }

    /// Bytes on the heap.
    pub(crate) fn bytes(&self) -> usize {
        self.starts.capacity() * size_of::<u32>()
    }

    /// The row of an id.
    pub(crate) fn find(&self, ids: &[DeviceId], id: &DeviceId) -> Option<u32> {
        let slot = (short(id) >> self.shift) as usize;
        let start = *self.starts.get(slot)? as usize;
        let end = *self.starts.get(slot + 1)? as usize;
        let within = ids.get(start..end)?.binary_search_by(|probe| order(probe, id)).ok()?;
        u32::try_from(start + within).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_found_and_no_other() {
        for count in [0usize, 1, 2, 3, 100, 5_000] {
            let mut ids: Vec<DeviceId> = (0..count)
                .map(|n| {
                    let mixed = (n as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                    DeviceId::parse(&format!("{mixed:016x}{mixed:016x}{n:08x}"))
                })
                .chain((0..count / 7).map(|n| DeviceId::parse(&format!("dev-{n}"))))
                .collect();
            ids.sort_by(order);
            let table = IdTable::new(&ids);
            for (row, id) in ids.iter().enumerate() {
                assert_eq!(table.find(&ids, id), Some(row as u32), "{count}: {id}");
            }
            for absent in ["", "zz", "dev-x", &"0".repeat(40), &"f".repeat(40)] {
                assert_eq!(table.find(&ids, &DeviceId::parse(absent)), None, "{count}: {absent}");
            }
        }
    }
}
