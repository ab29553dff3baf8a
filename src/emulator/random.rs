//! Numbers that look random and follow from a seed: SplitMix64, and GUIDs made from it.
//!
//! Nothing here is secret or unpredictable, on purpose: the same seed gives the same tenant, byte
//! for byte. Used by `seed` and by the tenant for ids and jitter.

use std::fmt;

/// A deterministic generator.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator for a seed and a purpose; different purposes give unrelated sequences.
    #[must_use]
    pub const fn new(seed: u64, purpose: u64) -> Self {
        Self(mix(seed ^ mix(purpose ^ 0x9e37_79b9_7f4a_7c15)))
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub const fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 { 0 } else { ((self.next() as u128 * bound as u128) >> 64) as u64 }
    }

    /// True `part` times in `whole`.
    pub const fn chance(&mut self, part: u64, whole: u64) -> bool {
        self.below(whole) < part
    }

    /// One of the items; `None` only for none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        let index = self.below(items.len() as u64);
        items.get(usize::try_from(index).unwrap_or(0))
    }

    /// Bytes.
    pub fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut out = [0u8; N];
        for chunk in out.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(word.get(..chunk.len()).unwrap_or(&[0; 8]));
        }
        out
    }

    /// A GUID of the random kind.
    pub fn guid(&mut self) -> Guid {
        let mut bytes: [u8; 16] = self.bytes();
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        Guid(bytes)
    }
}

/// The finishing step of SplitMix64: spreads every bit over all.
#[must_use]
pub const fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A GUID; prints in lower case with hyphens.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// Reads the hyphenated form, without regard to case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 36 || !text.is_ascii() {
            return None;
        }
        let hyphens = [8, 13, 18, 23];
        let mut digits = String::with_capacity(32);
        for (index, c) in text.char_indices() {
            match (hyphens.contains(&index), c) {
                (true, '-') => {}
                (false, c) if c.is_ascii_hexdigit() => digits.push(c),
                _ => return None,
            }
        }
        u128::from_str_radix(&digits, 16).ok().map(|number| Self(number.to_be_bytes()))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, byte) in self.0.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for Guid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let draw = |seed, purpose| {
            let mut random = Random::new(seed, purpose);
            (random.next(), random.guid(), random.below(10))
        };
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
        assert_eq!(Random::new(1, 1).below(0), 0);
    }

    #[test]
    fn guids_round_trip() {
        let guid = Random::new(7, 7).guid();
        let text = guid.to_string();
        assert_eq!(text.len(), 36);
        assert_eq!(Guid::parse(&text.to_uppercase()), Some(guid));
        for bad in [
            "",
            "7b3b1e0a",
            "7b3b1e0a-55aa-4b0c-9a52-0d7f3b1f9c1g",
            "7b3b1e0a55aa-4b0c-9a52-0d7f3b1f9c1000",
        ] {
            assert_eq!(Guid::parse(bad), None, "{bad}");
        }
    }
}
