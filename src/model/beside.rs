//! Two computations side by side: the only place where the pure middle uses a second core.
//!
//! Worth it only where each side takes milliseconds on a large fleet. Neither side sees the other,
//! so the result is the same on one core. Called by `inventory` and `plan`; must never share
//! anything that changes.

use std::panic::resume_unwind;
use std::thread;

/// Both results; `right` runs on a thread of its own when that is worth it and one can be had.
pub(crate) fn beside<L, R: Send>(
    worth_it: bool,
    left: impl FnOnce() -> L,
    right: impl Fn() -> R + Sync,
) -> (L, R) {
    if !worth_it {
        return (left(), right());
    }
    thread::scope(|scope| {
        let other = thread::Builder::new().spawn_scoped(scope, &right);
        let left = left();
        let right = match other {
            Ok(other) => other.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => right(),
        };
        (left, right)
    })
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn both_results_come_back_and_a_panic_is_not_swallowed() {
        let text = String::from("ab");
        for worth_it in [false, true] {
            let both = beside(worth_it, || text.len(), || text.to_uppercase());
            assert_eq!(both, (2, "AB".to_owned()));
            let none: [u8; 0] = [];
            let broken = || beside(worth_it, || 1, || none.first().unwrap() + 1);
            assert!(std::panic::catch_unwind(broken).is_err());
        }
    }
}
