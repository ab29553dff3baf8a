//! Randomness as a capability: the system's for real, a seeded one for tests and simulation.
//!
//! Used for correlation ids and for jitter. Nothing secret is made of it.

use std::sync::{Mutex, PoisonError};

use ring::rand::{SecureRandom, SystemRandom};

/// Gives random bits.
pub trait Random: Send + Sync + std::fmt::Debug {
    /// Fills `bytes`.
    fn fill(&self, bytes: &mut [u8]);

    /// 64 random bits.
    fn next(&self) -> u64 {
        let mut bytes = [0; 8];
        self.fill(&mut bytes);
        u64::from_le_bytes(bytes)
    }

    /// A random GUID (version 4).
    fn guid(&self) -> String {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        let value = u128::from_be_bytes(bytes);
        let value = value & !(0xf << 76) | (0x4 << 76);
        let value = value & !(0x3 << 62) | (0x2 << 62);
        let hex = format!("{value:032x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
    }
}

/// The operating system's generator.
#[derive(Clone, Debug)]
pub struct SystemEntropy(SystemRandom);

impl SystemEntropy {
    /// The generator.
    #[must_use]
    pub fn new() -> Self {
        Self(SystemRandom::new())
    }
}

impl Default for SystemEntropy {
    fn default() -> Self {
        Self::new()
    }
}

impl Random for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        if self.0.fill(bytes).is_err() {
            // Without the system's generator, uniqueness must do: jitter and correlation ids are
            // no secrets, and failing here would help nobody.
            Seeded::new(u64::from(std::process::id())).fill(bytes);
        }
    }
}

/// The same sequence for the same seed.
#[derive(Debug)]
pub struct Seeded(Mutex<u64>);

impl Seeded {
    /// A generator that starts from `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(Mutex::new(seed))
    }
}

impl Random for Seeded {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for chunk in bytes.chunks_mut(8) {
            // SplitMix64.
            *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut word = *state;
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^= word >> 31;
            for (slot, byte) in chunk.iter_mut().zip(word.to_le_bytes()) {
                *slot = byte;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_a_sequence_and_guids_have_their_form() {
        let (one, two) = (Seeded::new(7), Seeded::new(7));
        assert_eq!([one.next(), one.next()], [two.next(), two.next()]);
        let (guid, other) = (one.guid(), one.guid());
        assert_ne!(guid, other);
        let parts: Vec<usize> = guid.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert_eq!(guid.as_bytes().get(14), Some(&b'4'));
        assert!(matches!(guid.as_bytes().get(19), Some(b'8' | b'9' | b'a' | b'b')));
        assert_ne!(SystemEntropy::new().next(), SystemEntropy::new().next());
    }
}
