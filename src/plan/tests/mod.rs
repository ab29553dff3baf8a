//! The planner as a whole: small fleets, one change at a time, the dispositions that follow.

mod file;
mod fleet;
