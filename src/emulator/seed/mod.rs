//! Seeded fleets.

use jiff::Timestamp;

use crate::emulator::config::Config;
use crate::emulator::tenant::Tenant;

/// The tenant of a configuration as it is at `now`.
#[must_use]
pub fn fleet(config: &Config, now: Timestamp) -> Tenant {
    Tenant::empty(config, now)
}
