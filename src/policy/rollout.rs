//! How the changes of a policy go out: in which waves, with which pauses and limits.
//!
//! What an author wrote, compiled; `plan` makes exact numbers of it and publishes them, so that an
//! apply weighs no policy. Called by `policy::checks` and `plan::rollouts`.

use crate::model::Span;
use crate::policy::workspace::Limit;

/// `rollout:` of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollout {
    /// Sizes of the waves in their order, of the changes that a plan makes for the policy in one
    /// tenant. What they leave is one more wave.
    pub waves: Vec<Limit>,
    /// How long nothing more is sent after a wave has ended.
    pub bake: Span,
    /// How many failures are borne, of the changes in the waves begun so far; one more stops the
    /// rollout.
    pub failure_limit: Limit,
    /// How many changes of a wave may still be pending on offline devices when the next one begins.
    pub pending_offline: Limit,
    /// When a person has to go on.
    pub pause: Pause,
}

/// When a person has to go on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pause {
    /// Never.
    #[default]
    Never,
    /// After the first wave.
    First,
    /// After every wave but the last.
    Each,
}

impl Rollout {
    /// A rollout in these waves, with the limits of one that states nothing else.
    #[must_use]
    pub const fn in_waves(waves: Vec<Limit>) -> Self {
        Self {
            waves,
            bake: Span::from_secs(0),
            failure_limit: Limit::Share { basis_points: 1_000, at_least: 1 },
            pending_offline: Limit::Share { basis_points: 5_000, at_least: 1 },
            pause: Pause::Never,
        }
    }

    /// The sizes of its waves for so many changes: shares are of all of them, rounded down and at
    /// least one; a wave for which nobody is left is none.
    #[must_use]
    pub fn sizes(&self, changes: u32) -> Vec<u32> {
        let mut left = changes;
        let mut sizes = Vec::new();
        for wave in &self.waves {
            let size = wave.of(changes).min(left);
            left -= size;
            sizes.push(size);
        }
        sizes.push(left);
        sizes.retain(|size| *size > 0);
        sizes
    }

    /// Whether the first wave takes everybody.
    #[must_use]
    pub fn is_at_once(&self) -> bool {
        matches!(self.waves.first(), Some(Limit::Share { basis_points: 10_000, .. }))
    }

    /// How long all its bakes take together when every wave has a member.
    #[must_use]
    pub fn bakes(&self) -> Span {
        if self.is_at_once() {
            return Span::from_secs(0);
        }
        let whole: u32 = self
            .waves
            .iter()
            .map(|wave| match wave {
                Limit::Share { basis_points, .. } => *basis_points,
                Limit::Count(_) => 0,
            })
            .sum();
        // Shares that make up the whole leave no wave for the rest.
        let between = self.waves.len() - usize::from(whole >= 10_000);
        Span::from_secs(self.bake.as_secs().saturating_mul(between as u64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(percent: u32) -> Limit {
        Limit::Share { basis_points: percent * 100, at_least: 1 }
    }

    #[test]
    fn sizes_are_exact_and_add_up() {
        let staged = [share(1), share(10), share(50)];
        let counted = [Limit::Count(2), Limit::Count(5)];
        for (waves, changes, sizes) in [
            (&staged[..], 0, &[][..]),
            (&staged, 1, &[1]),
            (&staged, 2, &[1, 1]),
            (&staged, 3, &[1, 1, 1]),
            (&staged, 10, &[1, 1, 5, 3]),
            (&staged, 199, &[1, 19, 99, 80]),
            (&staged, 1_000, &[10, 100, 500, 390]),
            (&counted, 1, &[1]),
            (&counted, 7, &[2, 5]),
            (&counted, 9, &[2, 5, 2]),
            (&[share(50), share(50)], 5, &[2, 2, 1]),
            (&[share(50), share(50)], 6, &[3, 3]),
            (&[share(100)], 6, &[6]),
        ] {
            let rollout = Rollout::in_waves(waves.to_vec());
            assert_eq!(rollout.sizes(changes), sizes, "{waves:?} of {changes}");
        }
    }

    #[test]
    fn bakes_lie_between_the_waves() {
        for (waves, hours) in [
            (vec![share(1), share(10), share(50)], 3),
            (vec![share(50), share(50)], 1),
            (vec![Limit::Count(5)], 1),
            (vec![share(100)], 0),
        ] {
            let rollout = Rollout { bake: Span::from_hours(1), ..Rollout::in_waves(waves) };
            assert_eq!(rollout.bakes(), Span::from_hours(hours), "{rollout:?}");
        }
    }
}
