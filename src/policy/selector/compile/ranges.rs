//! Rows by a key that selectors ask for ranges of: addresses, dates.
//!
//! The first few questions read every row, which is cheaper than putting them into order; from then
//! on rows are sorted and a question costs what it answers. Called by `devices`.

use std::ops::RangeInclusive;

use roaring::RoaringBitmap;

use crate::policy::selector::compile::devices::Bits;

/// How many questions are answered by reading every row.
const FEW: u32 = 16;

/// Pairs of key and row; a row may stand under several keys.
#[derive(Debug)]
pub(super) struct Ranges<K> {
    pairs: Vec<(K, u32)>,
    asked: u32,
}

impl<K: Ord + Copy> Ranges<K> {
    pub(super) fn new(pairs: Vec<(K, u32)>) -> Self {
        Self { pairs, asked: 0 }
    }

    /// Rows with a key inside the range; `rows` is the number of all rows.
    pub(super) fn within(&mut self, range: &RangeInclusive<K>, rows: usize) -> RoaringBitmap {
        self.asked = self.asked.saturating_add(1);
        if self.asked < FEW {
            let within = self.pairs.iter().filter(|(key, _)| range.contains(key));
            return packed(within, rows);
        }
        if self.asked == FEW {
            self.pairs.sort_unstable();
        }
        let start = self.pairs.partition_point(|(key, _)| key < range.start());
        let rest = self.pairs.get(start..).unwrap_or_default();
        let within = rest.get(..rest.partition_point(|(key, _)| key <= range.end()));
        let within = within.unwrap_or_default();
        if within.len() > rows / 64 {
            return packed(within.iter(), rows);
        }
        within.iter().map(|(_, row)| *row).collect()
    }
}

fn packed<'a, K: 'a>(pairs: impl Iterator<Item = &'a (K, u32)>, rows: usize) -> RoaringBitmap {
    let mut bits = Bits::new(rows);
    pairs.for_each(|(_, row)| bits.set(*row));
    bits.rows()
}

#[cfg(test)]
mod tests {
    use super::{FEW, Ranges};

    #[test]
    fn the_answer_does_not_depend_on_how_often_was_asked() {
        let pairs: Vec<(i32, u32)> = (0..500).map(|row| ((row * 37) % 101, row as u32)).collect();
        let mut ranges = Ranges::new(pairs.clone());
        for round in 0..FEW + 5 {
            let backwards = std::ops::RangeInclusive::new(60, 40);
            for range in [5..=5, 0..=100, 40..=60, 101..=200, backwards] {
                let within = pairs.iter().filter(|(key, _)| range.contains(key));
                let wanted: roaring::RoaringBitmap = within.map(|(_, row)| *row).collect();
                assert_eq!(ranges.within(&range, 500), wanted, "{range:?} in round {round}");
            }
        }
    }
}
