//! A machine record, and what no record shows: reachability and true posture.
//!
//! Fields as documented for `machine`, null where the service has null. Kept small: a fleet may have
//! a million of them. Times that move by themselves are computed, never stored on each tick.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use crate::emulator::random::Guid;
use crate::emulator::tenant::av::AvHealth;
use crate::model::{
    AvStatus, DeviceValue, Exposure, Health, Isolation, Onboarding, OsFamily, Restriction, Risk,
};

/// A device id: twenty bytes, forty lower-case hexadecimal digits on the wire.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MachineId(pub [u8; 20]);

impl MachineId {
    /// Reads forty hexadecimal digits of either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 40 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let mut bytes = [0u8; 20];
        for (slot, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).ok()?;
            *slot = u8::from_str_radix(pair, 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0u8; 40];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
            if let [high, low] = pair {
                *high = digit(byte >> 4);
                *low = digit(byte & 0x0f);
            }
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for MachineId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl serde::Serialize for MachineId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its address.
    pub address: IpAddr,
    /// MAC address; null for loopback.
    pub mac: Option<[u8; 6]>,
    /// `Ethernet`, `SoftwareLoopback`, …; sometimes missing.
    pub kind: Option<&'static str>,
    /// `Up`, `Down`.
    pub status: &'static str,
}

/// Metadata of a virtual machine in a cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are the service's own")]
pub struct VmMetadata {
    pub vm_id: Guid,
    pub cloud_provider: &'static str,
    pub resource_id: Arc<str>,
    pub subscription_id: Guid,
}

/// What is in force on the device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posture {
    /// Network isolation.
    pub isolation: Isolation,
    /// Code execution.
    pub restriction: Restriction,
    /// An unmanaged device that its neighbours block.
    pub contained: bool,
}

impl Posture {
    /// Nothing in force.
    pub const FREE: Self = Self {
        isolation: Isolation::Free,
        restriction: Restriction::Unrestricted,
        contained: false,
    };
}

/// One machine record.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the fields are the service's own, in its order")]
pub struct Machine {
    pub id: MachineId,
    pub merged_into: Option<MachineId>,
    pub potential_duplicate: bool,
    pub excluded: bool,
    pub exclusion_reason: Option<Arc<str>>,
    pub name: Option<Arc<str>>,
    pub first_seen: Timestamp,
    /// The last full report known; an online device reports every 24 hours from here on.
    pub reported: Timestamp,
    pub platform: Arc<str>,
    pub os_version: Option<Arc<str>>,
    pub processor: Option<&'static str>,
    pub version: Option<Arc<str>>,
    pub last_ip: Option<IpAddr>,
    pub last_external_ip: Option<IpAddr>,
    pub agent_version: Option<Arc<str>>,
    pub os_build: Option<i64>,
    /// As of the last report; see [`Machine::health`].
    pub base_health: Health,
    pub value: Option<DeviceValue>,
    /// `rbacGroupId`; 0 is ungrouped.
    pub group: u32,
    pub risk: Option<Risk>,
    pub exposure: Option<Exposure>,
    pub joined: Option<bool>,
    pub aad_id: Option<Guid>,
    pub tags: Vec<Arc<str>>,
    /// Missing in some captures: `None` leaves the property out.
    pub av_status: Option<AvStatus>,
    pub onboarding: Onboarding,
    pub architecture: Option<&'static str>,
    pub managed_by: Option<&'static str>,
    pub interfaces: Vec<Interface>,
    pub vm: Option<Box<VmMetadata>>,
    /// Antivirus health; `None` where there is no antivirus.
    pub av: Option<Box<AvHealth>>,
    /// Whether commands reach the device.
    pub online: bool,
    /// What is truly in force; no record shows it.
    pub posture: Posture,
    /// How many of its next actions fail on the device.
    pub failures: u32,
}

/// Between two full reports.
const REPORT: i64 = 24 * 3_600;
/// Without a report for this long, a device is inactive.
const INACTIVE: SignedDuration = SignedDuration::from_hours(7 * 24);

impl Machine {
    /// A reachable, onboarded device with nothing special about it.
    #[must_use]
    pub fn plain(id: MachineId, name: &str, platform: &str, seen: Timestamp) -> Self {
        Self {
            id,
            merged_into: None,
            potential_duplicate: false,
            excluded: false,
            exclusion_reason: None,
            name: Some(Arc::from(name)),
            first_seen: seen,
            reported: seen,
            platform: Arc::from(platform),
            os_version: None,
            processor: Some("x64"),
            version: None,
            last_ip: None,
            last_external_ip: None,
            agent_version: None,
            os_build: None,
            base_health: Health::Active,
            value: Some(DeviceValue::Normal),
            group: 0,
            risk: Some(Risk::None),
            exposure: Some(Exposure::Low),
            joined: Some(false),
            aad_id: None,
            tags: Vec::new(),
            av_status: Some(AvStatus::Updated),
            onboarding: Onboarding::Onboarded,
            architecture: Some("64-bit"),
            managed_by: Some("Unknown"),
            interfaces: Vec::new(),
            vm: None,
            av: AvHealth::where_supported(platform, seen),
            online: true,
            posture: Posture::FREE,
            failures: 0,
        }
    }

    /// The family of its operating system.
    #[must_use]
    pub fn family(&self) -> OsFamily {
        OsFamily::of_platform(&self.platform)
    }

    /// `lastSeen`: the last full report, which comes about every 24 hours while the device is online.
    #[must_use]
    pub fn last_seen(&self, now: Timestamp) -> Timestamp {
        let passed = now.as_second().saturating_sub(self.reported.as_second());
        if !self.online || passed < REPORT {
            return self.reported;
        }
        let whole = SignedDuration::from_secs(passed / REPORT * REPORT);
        let seen = self.reported.checked_add(whole).unwrap_or(self.reported);
        if seen > now { self.reported } else { seen }
    }

    /// `healthStatus`: an active device that has not reported for a week is inactive.
    #[must_use]
    pub fn health(&self, now: Timestamp) -> Health {
        let silent = now.duration_since(self.last_seen(now)) > INACTIVE;
        if self.base_health == Health::Active && silent {
            Health::Inactive
        } else {
            self.base_health
        }
    }

    /// Adds a tag unless it is there.
    pub fn add_tag(&mut self, tag: &str) {
        if !self.tags.iter().any(|held| &**held == tag) {
            self.tags.push(Arc::from(tag));
        }
    }

    /// Removes a tag if it is there.
    pub fn remove_tag(&mut self, tag: &str) {
        self.tags.retain(|held| &**held != tag);
    }
}
