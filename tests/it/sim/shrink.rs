//! Lives that can be cut: which steps of a seed's life are kept, and with how many devices; and how
//! a failing one is made as short as it goes.
//!
//! Plain delta debugging: chunks of steps are left out as long as the same law stays broken, then
//! devices. A life prints as what `SIM` reads.

use std::fmt;
use std::str::FromStr;

use super::live;
use super::transition::{Transition, life};

/// A seed's life, or a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Life {
    pub(super) seed: u64,
    /// Numbers of the steps that are kept; all of them when absent.
    keep: Option<Vec<usize>>,
    /// Devices at most.
    pub(super) devices: usize,
}

impl Life {
    pub(super) const fn of(seed: u64) -> Self {
        Self { seed, keep: None, devices: usize::MAX }
    }

    /// The steps with their numbers in the whole life.
    pub(super) fn steps(&self) -> impl Iterator<Item = (usize, Transition)> {
        let all = life(self.seed).into_iter().enumerate();
        all.filter(|(at, _)| self.keep.as_ref().is_none_or(|keep| keep.contains(at)))
    }
}

/// `SEED`, `SEED/STEP,STEP,…` or `SEED/STEP,…/DEVICES`.
impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seed)?;
        if let Some(keep) = &self.keep {
            let steps: Vec<String> = keep.iter().map(ToString::to_string).collect();
            write!(f, "/{}", steps.join(","))?;
            if self.devices != usize::MAX {
                write!(f, "/{}", self.devices)?;
            }
        }
        Ok(())
    }
}

impl FromStr for Life {
    type Err = std::num::ParseIntError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('/');
        let seed = parts.next().unwrap_or_default().parse()?;
        let keep = parts.next().map(|steps| steps.split(',').map(str::parse).collect());
        let devices = parts.next().map_or(Ok(usize::MAX), str::parse)?;
        Ok(Self { seed, keep: keep.transpose()?, devices })
    }
}

/// What the person who runs the tests asks for.
#[expect(clippy::disallowed_methods, reason = "the product reads its variables in `host::env`")]
pub(super) fn asked(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Lives that are tried at most: a failing one is told within a minute or so.
const TRIES: usize = 150;

/// The shortest part of a life that was found in which the same law is broken.
pub(super) fn shrink(whole: Life, law: u8) -> Life {
    let mut tries = TRIES;
    let mut fails = |life: &Life| {
        tries = tries.saturating_sub(1);
        tries > 0 && live(life, false).1.is_some_and(|(_, broken)| broken.law == law)
    };
    let mut keep: Vec<usize> = whole.steps().map(|(at, _)| at).collect();
    let mut best = Life { keep: Some(keep.clone()), ..whole };
    let mut size = keep.len().div_ceil(2).max(1);
    loop {
        let mut at = 0;
        while at < keep.len() {
            let mut fewer = keep.clone();
            fewer.drain(at..(at + size).min(keep.len()));
            let candidate = Life { keep: Some(fewer.clone()), ..best.clone() };
            if fails(&candidate) {
                (keep, best) = (fewer, candidate);
            } else {
                at += size;
            }
        }
        if size == 1 {
            break;
        }
        size = size.div_ceil(2);
    }
    for devices in 1..10 {
        let candidate = Life { devices, ..best.clone() };
        if fails(&candidate) {
            return candidate;
        }
    }
    best
}

#[test]
fn a_life_reads_back_from_what_it_prints() {
    let cut = Life { seed: 7, keep: Some(vec![0, 3, 9]), devices: 2 };
    assert_eq!(cut.to_string(), "7/0,3,9/2");
    for life in [Life::of(12), Life { keep: Some(vec![1]), ..Life::of(3) }, cut] {
        assert_eq!(life.to_string().parse(), Ok(life));
    }
}
