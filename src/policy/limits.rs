//! Guardrails that look at groups, at time and at the last run, with their defaults; which verbs each
//! cap can count.
//!
//! Part of `policy::workspace::Guardrails`; filled in by the checks, read by `plan::guards`.

use crate::model::Verb;
use crate::policy::workspace::Limit;

/// A kind of cap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cap {
    /// Changes in one run.
    Run,
    /// Devices of one group in a state.
    Group,
    /// Devices of the tenant in a state.
    Fleet,
    /// Actions within a window.
    Rolling,
    /// Devices that one alert rule or incident takes within a window.
    AlertRule,
}

impl Cap {
    /// Every kind.
    pub const ALL: &'static [Self] =
        &[Self::Run, Self::Group, Self::Fleet, Self::Rolling, Self::AlertRule];

    /// Its key.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Group => "group",
            Self::Fleet => "fleet",
            Self::Rolling => "rolling",
            Self::AlertRule => "alertRule",
        }
    }

    /// Whether it can count changes of a verb: devices come newly into a state by actions that do not
    /// let go, a window counts actions of the service's history, alerts trigger what contains.
    #[must_use]
    pub fn counts(self, verb: Verb) -> bool {
        match self {
            Self::Run => true,
            Self::Group | Self::Fleet => verb.action().is_some() && !verb.lets_go(),
            Self::Rolling => verb.action().is_some(),
            Self::AlertRule => matches!(verb, Verb::Isolate | Verb::Restrict),
        }
    }
}

/// How much of a device group stays free of restriction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Remaining {
    /// At least so many, or such a share.
    pub least: Limit,
    /// Smaller groups are left out.
    pub groups_from: u32,
}

impl Default for Remaining {
    /// A quarter of every group of five or more.
    fn default() -> Self {
        Self { least: Limit::Share { basis_points: 2_500, at_least: 1 }, groups_from: 5 }
    }
}

impl Remaining {
    /// Nothing needs to stay free.
    pub const NONE: Self = Self { least: Limit::Count(0), groups_from: 0 };
}

/// How far counts of devices may move between two journalled runs, in either direction. None: as far
/// as they will.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shrink {
    /// Devices of a tenant.
    pub inventory: Option<Limit>,
    /// Devices that one policy selects.
    pub selection: Option<Limit>,
}

impl Default for Shrink {
    /// A fifth of the inventory and half of a selection, and small numbers freely.
    fn default() -> Self {
        let share = |basis_points, at_least| Some(Limit::Share { basis_points, at_least });
        Self { inventory: share(2_000, 10), selection: share(5_000, 25) }
    }
}

#[cfg(test)]
mod tests {
    use super::Cap;
    use crate::model::Verb;

    #[test]
    fn each_verb_has_the_caps_that_can_count_it() {
        let caps = |verb: Verb| -> Vec<&str> {
            Cap::ALL.iter().filter(|cap| cap.counts(verb)).map(|cap| cap.word()).collect()
        };
        for verb in Verb::ALL {
            let expected: &[&str] = match verb {
                Verb::Isolate | Verb::Restrict => {
                    &["run", "group", "fleet", "rolling", "alertRule"]
                }
                Verb::Offboard | Verb::Quarantine | Verb::Collect | Verb::Scan => {
                    &["run", "group", "fleet", "rolling"]
                }
                Verb::Release | Verb::Unrestrict => &["run", "rolling"],
                Verb::Cancel | Verb::Classify | Verb::Tag | Verb::Untag => &["run"],
            };
            assert_eq!(caps(*verb), expected, "{verb}");
        }
    }
}
