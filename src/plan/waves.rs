//! Who is in which wave: a hash of target and policy decides, and high value goes last.
//!
//! A device has the same place in the row in every plan, and nobody can choose who goes first. A
//! device of high value is never in the first wave while there is another one to go before it, also
//! when so few are left that one wave would take them all; only an author who sends everything at
//! once (`[100%]`) has no first wave.
//! Called by `rollouts`.

use ring::digest::{SHA256, digest};

use crate::model::DeviceValue;
use crate::plan::types::Target;

/// The wave of each target, from 1, and the sizes as they came out: `sizes` add up to the targets,
/// and what a first wave lacks in devices of lesser value moves to the last one.
pub(super) fn draw(
    policy: &str,
    targets: &[&Target],
    mut sizes: Vec<u32>,
    at_once: bool,
) -> (Vec<u32>, Vec<u32>) {
    let high = |target: &Target| target.value == Some(DeviceValue::High);
    let others = targets.iter().filter(|target| !high(target)).count();
    if sizes.len() == 1 && !at_once && others > 0 && others < targets.len() {
        sizes.push(0);
    }
    if others > 0
        && let [first, .., last] = sizes.as_mut_slice()
    {
        let fits = u32::try_from(others).unwrap_or(u32::MAX).min(*first);
        *last += *first - fits;
        *first = fits;
    }
    let mut row: Vec<(bool, u64, &str, usize)> = targets
        .iter()
        .enumerate()
        .map(|(at, target)| (high(target), point(&target.id, policy), target.id.as_str(), at))
        .collect();
    row.sort_unstable();
    let mut waves = vec![1; targets.len()];
    let numbers = (1u32..).zip(&sizes).flat_map(|(wave, size)| (0..*size).map(move |_| wave));
    for ((.., at), wave) in row.into_iter().zip(numbers) {
        if let Some(slot) = waves.get_mut(at) {
            *slot = wave;
        }
    }
    (waves, sizes)
}

/// The place in the row.
fn point(target: &str, policy: &str) -> u64 {
    let hash = digest(&SHA256, format!("{target}|{policy}").as_bytes());
    hash.as_ref().iter().take(8).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::types::TargetKind;

    fn targets(low: usize, high: usize) -> Vec<Target> {
        let target = |n: usize, value| Target {
            kind: TargetKind::Device,
            id: format!("{n:040x}"),
            name: String::new(),
            group: String::new(),
            value: Some(value),
        };
        let low = (0..low).map(|n| target(n, DeviceValue::Normal));
        low.chain((1_000..1_000 + high).map(|n| target(n, DeviceValue::High))).collect()
    }

    fn drawn(targets: &[Target], sizes: &[u32]) -> (Vec<u32>, Vec<u32>) {
        draw("IsolationSet/ir", &targets.iter().collect::<Vec<_>>(), sizes.to_vec(), false)
    }

    #[test]
    fn sizes_are_kept_and_high_value_goes_last() {
        for (low, high, sizes, came) in [
            (10, 0, &[1, 4, 5][..], &[1, 4, 5][..]),
            (8, 2, &[1, 4, 5], &[1, 4, 5]),
            (2, 8, &[5, 5], &[2, 8]),
            (1, 9, &[4, 3, 3], &[1, 3, 6]),
            // Nobody of lesser value is there to go first.
            (0, 9, &[4, 5], &[4, 5]),
            (0, 3, &[3], &[3]),
            (3, 0, &[3], &[3]),
            // One wave would take them all.
            (2, 1, &[3], &[2, 1]),
        ] {
            let targets = targets(low, high);
            let (waves, sizes) = drawn(&targets, sizes);
            assert_eq!(sizes, came, "{low} and {high}");
            for (wave, size) in (1u32..).zip(&sizes) {
                let members = waves.iter().filter(|member| **member == wave).count();
                assert_eq!(u32::try_from(members).unwrap(), *size);
            }
            let first_high = waves.iter().skip(low).any(|wave| *wave == 1);
            assert_eq!(first_high, low == 0 && high > 0, "{low} and {high}");
            let last_low = waves.iter().take(low).max();
            assert!(waves.iter().skip(low).all(|wave| last_low.is_none_or(|low| wave >= low)));
        }
    }

    #[test]
    fn the_row_is_the_same_in_any_order_and_another_for_another_policy() {
        let forth = targets(40, 3);
        let back: Vec<Target> = forth.iter().rev().cloned().collect();
        let (waves, _) = drawn(&forth, &[4, 10, 29]);
        let (mut turned, _) = drawn(&back, &[4, 10, 29]);
        turned.reverse();
        assert_eq!(waves, turned);
        let all: Vec<&Target> = forth.iter().collect();
        assert_ne!(waves, draw("IsolationSet/other", &all, vec![4, 10, 29], false).0);
    }
}
