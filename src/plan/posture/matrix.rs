//! What the service can do on which platform.
//!
//! Source: Microsoft Learn, `respond-machine-alerts` (2025-12-31) and the API pages, the narrower of
//! the two where they disagree. A release the service does not tell (`version`, sensor) passes: the
//! service itself refuses with `OsPlatformNotSupported` or `ClientVersionNotSupported`. Families
//! that are not listed get nothing. Asked by `decide` and `scan`.

use crate::inventory::{Dev, Inventory};
use crate::model::{IsolationMode, Onboarding, OsFamily};
use crate::plan::types::Reason;

/// Sensors on macOS and Linux older than this take no response actions.
const LEAST_UNIX_SENSOR: [u32; 3] = [101, 98, 84];

/// Why the device cannot be isolated in this way, if so.
pub(super) fn isolate(inventory: &Inventory, device: Dev, mode: IsolationMode) -> Option<Reason> {
    let least = match mode {
        IsolationMode::Full => 1703,
        IsolationMode::Selective => 1709,
    };
    onboarded(inventory, device).or_else(|| match inventory.os(device) {
        OsFamily::Windows => client(inventory, device, least),
        OsFamily::WindowsServer => server(inventory, device, &["2008", "2012"], &["2012r2"]),
        OsFamily::Macos => sensor(inventory, device),
        OsFamily::Linux if mode == IsolationMode::Selective => Some(
            Reason::new("isolation-type-unsupported")
                .with("platform", inventory.platform(device))
                .with("isolationType", mode.word()),
        ),
        OsFamily::Linux => sensor(inventory, device),
        OsFamily::Android | OsFamily::Ios | OsFamily::Other => Some(platform(inventory, device)),
    })
}

/// Why code execution cannot be restricted on the device, if so.
pub(super) fn restrict(inventory: &Inventory, device: Dev) -> Option<Reason> {
    onboarded(inventory, device).or_else(|| match inventory.os(device) {
        OsFamily::Windows => client(inventory, device, 1709),
        OsFamily::WindowsServer => server(inventory, device, &["2008", "2012", "2016"], &[]),
        OsFamily::Macos | OsFamily::Linux | OsFamily::Android | OsFamily::Ios | OsFamily::Other => {
            Some(platform(inventory, device))
        }
    })
}

/// Why no antivirus scan can be run on the device, if so.
pub(in crate::plan) fn scan(inventory: &Inventory, device: Dev) -> Option<Reason> {
    onboarded(inventory, device).or_else(|| match inventory.os(device) {
        OsFamily::Windows => client(inventory, device, 1709),
        OsFamily::WindowsServer => server(inventory, device, &["2008"], &[]),
        OsFamily::Macos | OsFamily::Linux => sensor(inventory, device),
        OsFamily::Android | OsFamily::Ios | OsFamily::Other => Some(platform(inventory, device)),
    })
}

/// Actions reach devices with our sensor only. Offboarded devices still say `onboarded`.
pub(in crate::plan) fn onboarded(inventory: &Inventory, device: Dev) -> Option<Reason> {
    let status = inventory.onboarding(device);
    (status != Onboarding::Onboarded)
        .then(|| Reason::new("not-onboarded").with("onboarding", status.word()))
}

fn platform(inventory: &Inventory, device: Dev) -> Reason {
    Reason::new("platform-unsupported").with("platform", inventory.platform(device))
}

/// Windows 10 from a release on, Windows 11; nothing older.
fn client(inventory: &Inventory, device: Dev, least: u32) -> Option<Reason> {
    let name = inventory.platform(device).to_ascii_lowercase();
    if !name.starts_with("windows10") && !name.starts_with("windows11") {
        return Some(platform(inventory, device));
    }
    // `1703` is older than `20H2`: only the early releases are plain numbers.
    let version = inventory.version(device);
    let old = version.parse::<u32>().is_ok_and(|release| release >= 1507 && release < least);
    old.then(|| {
        Reason::new("version-unsupported")
            .with("platform", inventory.platform(device))
            .with("version", version)
            .with("least", least.to_string())
    })
}

/// Windows Server but for some years; `except` takes names out of that again.
fn server(inventory: &Inventory, device: Dev, years: &[&str], except: &[&str]) -> Option<Reason> {
    let name = inventory.platform(device).to_ascii_lowercase();
    let year = name.strip_prefix("windowsserver").unwrap_or_default();
    let too_old = years.iter().any(|old| year.starts_with(old));
    let spared = except.iter().any(|name| year.starts_with(name));
    (too_old && !spared).then(|| platform(inventory, device))
}

fn sensor(inventory: &Inventory, device: Dev) -> Option<Reason> {
    let version = inventory.agent_version(device);
    let numbers: Option<Vec<u32>> = version.split('.').map(|part| part.parse().ok()).collect();
    let old = numbers.is_some_and(|numbers| numbers.as_slice() < LEAST_UNIX_SENSOR.as_slice());
    old.then(|| {
        let [a, b, c] = LEAST_UNIX_SENSOR;
        Reason::new("sensor-too-old").with("version", version).with("least", format!("{a}.{b}.{c}"))
    })
}
