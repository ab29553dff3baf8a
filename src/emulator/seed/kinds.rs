//! Where devices are and what runs there: places with their share of the fleet, platforms with
//! releases, builds and sensor versions.

use crate::emulator::random::Random;

/// A device's place in the company; most are groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    EmeaWorkstations,
    NaWorkstations,
    Latam,
    EmeaServers,
    NaServers,
    Datacenter,
    Kiosk,
    /// Phones and tablets, in no group.
    Roaming,
    /// Seen on the network, not onboarded, in no group.
    Discovered,
}

impl Place {
    /// A place by its share of the fleet; workstations dominate.
    pub(super) fn draw(random: &mut Random) -> Self {
        match random.below(1_000) {
            0..=369 => Self::EmeaWorkstations,
            370..=634 => Self::NaWorkstations,
            635..=714 => Self::Latam,
            715..=769 => Self::EmeaServers,
            770..=814 => Self::NaServers,
            815..=859 => Self::Datacenter,
            860..=914 => Self::Kiosk,
            915..=954 => Self::Roaming,
            _ => Self::Discovered,
        }
    }

    /// `rbacGroupId`.
    pub(super) const fn group(self) -> u32 {
        match self {
            Self::EmeaWorkstations => 101,
            Self::EmeaServers => 102,
            Self::NaWorkstations => 103,
            Self::NaServers => 104,
            Self::Kiosk => 107,
            Self::Latam => 112,
            Self::Datacenter => 119,
            Self::Roaming | Self::Discovered => 0,
        }
    }

    /// Whether people work at its devices.
    pub(super) const fn is_workstation(self) -> bool {
        matches!(self, Self::EmeaWorkstations | Self::NaWorkstations | Self::Latam)
    }

    /// Whether its devices are servers.
    pub(super) const fn is_server(self) -> bool {
        matches!(self, Self::EmeaServers | Self::NaServers | Self::Datacenter)
    }
}

/// A platform with one of its releases.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Release {
    pub(super) platform: &'static str,
    pub(super) version: Option<&'static str>,
    pub(super) build: Option<i64>,
    pub(super) agent: Option<&'static str>,
}

type Shares<T> = &'static [(u64, T)];

const WORKSTATION: Shares<&str> =
    &[(62, "Windows11"), (27, "Windows10"), (9, "macOS"), (2, "Linux")];
const SERVER: Shares<&str> = &[
    (4, "WindowsServer2012R2"),
    (14, "WindowsServer2016"),
    (34, "WindowsServer2019"),
    (32, "WindowsServer2022"),
    (16, "Linux"),
];
const DATACENTER: Shares<&str> =
    &[(45, "Linux"), (25, "WindowsServer2019"), (30, "WindowsServer2022")];
const KIOSK: Shares<&str> = &[(70, "Windows10"), (26, "Windows11"), (2, "Linux"), (2, "Android")];
const ROAMING: Shares<&str> = &[(55, "iOS"), (45, "Android")];
const DISCOVERED: Shares<&str> =
    &[(30, "Other"), (25, "Windows10"), (15, "Windows11"), (20, "Linux"), (10, "macOS")];

type Built = (Option<&'static str>, Option<i64>);

const WINDOWS_11: Shares<Built> = &[
    (50, (Some("24H2"), Some(26_100))),
    (35, (Some("23H2"), Some(22_631))),
    (10, (Some("25H2"), Some(26_200))),
    (5, (Some("22H2"), Some(22_621))),
];
const WINDOWS_10: Shares<Built> = &[
    (84, (Some("22H2"), Some(19_045))),
    (10, (Some("21H2"), Some(19_044))),
    (5, (Some("1809"), Some(17_763))),
    (1, (Some("1607"), Some(14_393))),
];
const MACOS: Shares<Built> =
    &[(60, (Some("15.6"), None)), (30, (Some("14.7"), None)), (10, (Some("13.7"), None))];
const LINUX: Shares<Built> =
    &[(50, (Some("22.4"), None)), (30, (Some("9.4"), None)), (20, (Some("12.0"), None))];

const WINDOWS_AGENT: Shares<&str> =
    &[(70, "10.8800.26100.1"), (25, "10.8792.19041.5438"), (5, "10.8210.22621.1011")];
/// The last one is older than isolation and scans need.
const UNIX_AGENT: Shares<&str> =
    &[(70, "101.25072.0003"), (26, "101.24092.0002"), (4, "101.62.74")];

/// One of the shares, by weight.
pub(super) fn weighted<T: Copy>(random: &mut Random, shares: &'static [(u64, T)]) -> Option<T> {
    let whole: u64 = shares.iter().map(|(share, _)| share).sum();
    let mut at = random.below(whole);
    for (share, item) in shares {
        if at < *share {
            return Some(*item);
        }
        at -= share;
    }
    None
}

/// A platform of the place.
pub(super) fn platform(random: &mut Random, place: Place) -> &'static str {
    let shares = match place {
        Place::EmeaWorkstations | Place::NaWorkstations | Place::Latam => WORKSTATION,
        Place::EmeaServers | Place::NaServers => SERVER,
        Place::Datacenter => DATACENTER,
        Place::Kiosk => KIOSK,
        Place::Roaming => ROAMING,
        Place::Discovered => DISCOVERED,
    };
    weighted(random, shares).unwrap_or("Other")
}

/// A release of the platform.
pub(super) fn release(random: &mut Random, platform: &'static str) -> Release {
    let (version, build) = match platform {
        "Windows11" => weighted(random, WINDOWS_11).unwrap_or_default(),
        "Windows10" => weighted(random, WINDOWS_10).unwrap_or_default(),
        "WindowsServer2012R2" => (None, Some(9_600)),
        "WindowsServer2016" => (Some("1607"), Some(14_393)),
        "WindowsServer2019" => (Some("1809"), Some(17_763)),
        "WindowsServer2022" => (Some("21H2"), Some(20_348)),
        "macOS" => weighted(random, MACOS).unwrap_or_default(),
        "Linux" => weighted(random, LINUX).unwrap_or_default(),
        "iOS" => (Some("18.6"), None),
        "Android" => (Some("15"), None),
        _ => (None, None),
    };
    let agent = match platform {
        "macOS" | "Linux" => weighted(random, UNIX_AGENT),
        "iOS" | "Android" => Some("1.0.7901.0101"),
        "Other" => None,
        _ => weighted(random, WINDOWS_AGENT),
    };
    Release { platform, version, build, agent }
}
