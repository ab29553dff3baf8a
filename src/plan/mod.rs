//! Desired posture against observed posture: one disposition for each device and facet in scope.
//!
//! `plan()` is a pure function of policies, inventory, workspace and `now`. The result is data that
//! is published as it stands (`types`), sealed by a hash (`file`) and read by a second, independent
//! program before it leaves (`check`). Must never do I/O, await or read a clock.

pub mod types;

pub use types::{
    Change, Disposition, Entry, Level, Objection, Parameters, Plan, Risk as ChangeRisk, Summary,
    Target, TargetKind, TenantSection, Why,
};
