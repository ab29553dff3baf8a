//! Seeded tenants from ten devices to a million, the same for the same size, seed and instant.
//!
//! Every device is drawn from a generator of its own, so that devices do not depend on how many
//! were made before them. The first rows are a fixed cast, so that even ten devices contain
//! something of interest; oddities (duplicates, merged and stale records, hostile names) sit at
//! fixed strides. All names are invented. Never reads a clock: `now` is an argument.

mod alerts;
mod devices;
mod history;
mod kinds;
mod names;
mod oddities;
mod sorts;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::emulator::config::Config;
use crate::emulator::dates;
use crate::emulator::random::Random;
use crate::emulator::tenant::{Group, Tenant};

/// The tenant of a configuration as it is at `now`.
#[must_use]
pub fn fleet(config: &Config, now: Timestamp) -> Tenant {
    let mut tenant = Tenant::empty(config, now);
    tenant.groups = groups();
    let mut seeder =
        Seeder { seed: config.seed, devices: config.devices, now, words: HashMap::new() };
    for row in 0..config.devices {
        let machine = devices::machine(&mut seeder, &tenant, row);
        tenant.add_machine(machine);
    }
    oddities::returns(&seeder, &mut tenant);
    history::write(&mut seeder, &mut tenant);
    alerts::write(&mut seeder, &mut tenant);
    tenant
}

/// What the parts of the seed share.
#[derive(Debug)]
struct Seeder {
    seed: u64,
    devices: u32,
    now: Timestamp,
    words: HashMap<&'static str, Arc<str>>,
}

impl Seeder {
    /// A text that many rows share, kept once.
    fn word(&mut self, text: &'static str) -> Arc<str> {
        Arc::clone(self.words.entry(text).or_insert_with(|| Arc::from(text)))
    }

    /// A generator for one row and purpose.
    const fn random(&self, purpose: u64, row: u32) -> Random {
        Random::new(self.seed ^ (purpose << 40), row as u64 + 1)
    }

    /// An instant between `least` and `most` seconds ago, with 0 to 7 digits of a second.
    fn ago(&self, random: &mut Random, least: u64, most: u64) -> Timestamp {
        let seconds = least + random.below(most.saturating_sub(least).max(1));
        let step = match random.below(20) {
            0 => 1_000_000_000,
            1..=3 => 1_000_000,
            4..=7 => 1_000,
            _ => 100,
        };
        let nanos = random.below(1_000_000_000) / step * step;
        let back = SignedDuration::new(seconds.cast_signed(), i32::try_from(nanos).unwrap_or(0));
        dates::whole_ticks(self.now.checked_sub(back).unwrap_or(self.now))
    }
}

/// A day in seconds.
const DAY: u64 = 86_400;

/// The device groups, as an administrator numbered them over the years.
fn groups() -> Vec<Group> {
    let group = |id, name: &str| Group { id, name: Arc::from(name) };
    vec![
        group(101, "EMEA-Workstations"),
        group(102, "EMEA-Servers"),
        group(103, "NA-Workstations"),
        group(104, "NA-Servers"),
        group(107, "APAC-Kiosk"),
        group(112, "LATAM"),
        group(119, "Datacenter"),
    ]
}
