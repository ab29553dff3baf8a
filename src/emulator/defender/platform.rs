//! Which action works on which operating system and under which plan.
//!
//! Source: Microsoft Learn, `respond-machine-alerts` (2025-12-31) and the actions' own pages; where
//! they differ, the broader and newer respond page holds.

use http::StatusCode;

use crate::emulator::config::Plan;
use crate::emulator::defender::endpoint::Ordered;
use crate::emulator::error::ApiError;
use crate::emulator::tenant::Machine;
use crate::emulator::tenant::action::Containment;
use crate::model::{Onboarding, OsFamily};

/// First client on macOS and Linux with isolation and scans.
const UNIX_CLIENT: [u64; 3] = [101, 98, 84];

/// Checks that the device can do what is asked.
///
/// # Errors
/// 400 `OsPlatformNotSupported`, `ClientVersionNotSupported` or `InvalidInput`.
pub fn check(
    machine: &Machine,
    what: Ordered,
    isolation: Option<Containment>,
) -> Result<(), ApiError> {
    let managed = machine.onboarding == Onboarding::Onboarded;
    if isolation == Some(Containment::UnManagedDevice) {
        return if managed {
            Err(ApiError::bad(
                "InvalidInput",
                "Only devices that are not onboarded can be contained",
            ))
        } else {
            Ok(())
        };
    }
    // A contained device has no other way back than this.
    if what == Ordered::Unisolate && machine.posture.contained {
        return Ok(());
    }
    let family = machine.family();
    let selective = isolation == Some(Containment::Selective);
    if !managed || !supports(machine, family, what, selective) {
        return Err(ApiError::bad(
            "OsPlatformNotSupported",
            format!(
                "Action is not supported on this device: {} ({})",
                machine.platform,
                machine.onboarding.wire()
            ),
        ));
    }
    if needs_unix_client(family, what) && agent_below(machine, UNIX_CLIENT) {
        let [a, b, c] = UNIX_CLIENT;
        return Err(ApiError::bad(
            "ClientVersionNotSupported",
            format!("Client version is not supported, minimum is {a}.{b}.{c}"),
        ));
    }
    Ok(())
}

fn supports(machine: &Machine, family: OsFamily, what: Ordered, selective: bool) -> bool {
    match (family, what) {
        (OsFamily::Windows, Ordered::Restrict | Ordered::Unrestrict | Ordered::Scan) => {
            client_since(machine, 1709)
        }
        (OsFamily::Windows, _) => client_since(machine, 1703),
        (OsFamily::WindowsServer, Ordered::Restrict | Ordered::Unrestrict) => {
            server_year(machine) >= 2019
        }
        (OsFamily::WindowsServer, _) => server_year(machine) >= 2012,
        (OsFamily::Linux, Ordered::Isolate) => !selective,
        (OsFamily::Macos | OsFamily::Linux, _) => {
            matches!(what, Ordered::Isolate | Ordered::Unisolate | Ordered::Scan | Ordered::Collect)
        }
        (OsFamily::Android | OsFamily::Ios | OsFamily::Other, _) => false,
    }
}

/// Windows 11, or Windows 10 of at least that release. An unknown release passes.
fn client_since(machine: &Machine, release: u32) -> bool {
    match &*machine.platform {
        "Windows11" => true,
        "Windows10" => {
            let version = machine.version.as_deref().unwrap_or_default();
            // From 20H2 on releases have a letter and are newer than every number.
            version.parse::<u32>().map_or(true, |number| number >= release)
        }
        platform => platform.starts_with("Windows10") || platform.starts_with("Windows11"),
    }
}

/// The year in `WindowsServer2012R2`; 2008 R2 and nameless ones are too old, other names too new.
fn server_year(machine: &Machine) -> u32 {
    let digits = machine.platform.trim_start_matches("WindowsServer");
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    match (digits.get(..end).and_then(|year| year.parse().ok()), digits) {
        (Some(2012), "2012") => 0,
        (Some(year), _) => year,
        (None, _) => 2019,
    }
}

const fn needs_unix_client(family: OsFamily, what: Ordered) -> bool {
    matches!(family, OsFamily::Macos | OsFamily::Linux)
        && matches!(what, Ordered::Isolate | Ordered::Unisolate | Ordered::Scan)
}

fn agent_below(machine: &Machine, least: [u64; 3]) -> bool {
    let Some(version) = machine.agent_version.as_deref() else { return false };
    let mut parts = version.split('.').map(|part| part.parse::<u64>().unwrap_or(0));
    let held = [(); 3].map(|()| parts.next().unwrap_or(0));
    held < least
}

/// Checks that the tenant's plan has the action.
///
/// # Errors
/// 403 `DisabledFeature`.
pub fn check_plan(plan: Plan, what: Ordered) -> Result<(), ApiError> {
    let has = match plan {
        Plan::Two => true,
        Plan::Business => what != Ordered::Quarantine,
        Plan::One => matches!(
            what,
            Ordered::Scan | Ordered::Isolate | Ordered::Unisolate | Ordered::Quarantine
        ),
    };
    if has {
        return Ok(());
    }
    let message = "The feature is not part of the tenant's plan";
    Err(ApiError::new(StatusCode::FORBIDDEN, "DisabledFeature", message))
}
