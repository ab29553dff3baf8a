//! Guardrails that look at groups, at time and at the last run, with their defaults.
//!
//! Part of `policy::workspace::Guardrails`; filled in by the checks, read by `plan::guards`.

use crate::policy::workspace::Limit;

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
