//! The codes of objections, and whether a word lifts each.
//!
//! One line for each code, in alphabetical order. A code is lifted by its own name (`--lift CODE
//! --because TEXT`) or never; there is no third way and no word for several. Asked by `guards`
//! and, for what may be typed, by `cli`. The finished plan's checker has a list of its own.

use crate::policy::rego;

/// Whether an objection can be lifted for one plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifting {
    /// By its own code, with a reason.
    ByName,
    /// Never: it protects a device from everybody, or lifting it would not say what to do.
    Never,
}

use Lifting::{ByName, Never};

const CODES: &[(&str, Lifting)] = &[
    ("cap-alert-rule", ByName),
    ("cap-fleet", ByName),
    ("cap-group", ByName),
    ("cap-rolling", ByName),
    ("cap-run", ByName),
    ("cooldown", ByName),
    ("destructive", ByName),
    ("domain-controller", Never),
    ("dwell", ByName),
    ("freeze-window", ByName),
    ("frozen", Never),
    ("inventory-grew", ByName),
    ("inventory-shrank", ByName),
    ("lease-missing", Never),
    ("max-lease", ByName),
    ("orphaned-releases", ByName),
    ("protected", Never),
    ("protected-nobody", Never),
    ("protected-unknown", Never),
    ("rego-failed", ByName),
    ("released-by-hand", ByName),
    ("remaining", ByName),
    ("rule-conflict", Never),
    ("selection-grew", ByName),
    ("selection-shrank", ByName),
    ("self-lockout", Never),
    ("self-lockout-shared", Never),
];

/// Whether objections of this code can be lifted; none for a code that no guardrail has. Rules of
/// an organization make codes of their own.
#[must_use]
pub fn lifting(code: &str) -> Option<Lifting> {
    let listed = CODES.iter().find(|(known, _)| *known == code).map(|(_, lifting)| *lifting);
    listed.or_else(|| rego::is_code(code).then_some(ByName))
}

/// Every code that may be lifted, in alphabetical order.
pub fn liftable() -> impl Iterator<Item = &'static str> + Clone {
    CODES.iter().filter(|(_, lifting)| *lifting == ByName).map(|(code, _)| *code)
}

/// Every code, in alphabetical order.
#[cfg(test)]
pub(super) fn codes() -> impl Iterator<Item = &'static str> {
    CODES.iter().map(|(code, _)| *code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_stands_once_and_in_order() {
        assert!(CODES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!((lifting("protected"), lifting("rego-own")), (Some(Never), Some(ByName)));
        for none in
            ["rego", "rego-", "rego-*", "rego-A", "rego-a--b", "rego-\u{1b}", "rego-invalid"]
        {
            assert_eq!(lifting(none), None, "{none:?}");
        }
        assert_eq!((lifting("cap-run"), lifting("all")), (Some(ByName), None));
    }

    #[test]
    fn the_page_names_every_code_and_how_it_is_lifted() {
        let page = include_str!("../../../docs/guardrails.md");
        for (code, lifting) in CODES {
            let word = if *lifting == ByName { "by name" } else { "never" };
            let row = page
                .lines()
                .find(|line| line.starts_with('|') && line.contains(&format!("`{code}`")));
            let listed = row.is_some_and(|row| row.ends_with(&format!("| {word} |")));
            assert!(
                listed || *code == "rule-conflict" && page.contains("`rule-conflict`"),
                "{code}"
            );
        }
    }
}
