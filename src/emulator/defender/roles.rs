//! Which application roles open which endpoint, and what is said when one is missing.
//!
//! Action roles do not include read; stop-and-quarantine needs two roles at once. Source: Microsoft
//! Learn, the pages of the endpoints, and observed messages.

use http::{Method, StatusCode};

use crate::emulator::config::{Behaviour, ForbiddenWording};
use crate::emulator::defender::endpoint::{Endpoint, Ordered};
use crate::emulator::error::ApiError;
use crate::emulator::signin::Caller;

const READ: &[&str] = &["Machine.Read.All", "Machine.ReadWrite.All"];
const ALERT_READ: &[&str] = &["Alert.Read.All", "Alert.ReadWrite.All"];
const ALERT_WRITE: &[&str] = &["Alert.ReadWrite.All"];
const WRITE: &[&str] = &["Machine.ReadWrite.All"];
/// Any role that could have started an action may cancel one.
const CANCEL: &[&str] = &[
    "Machine.CollectForensics",
    "Machine.Isolate",
    "Machine.LiveResponse",
    "Machine.Offboard",
    "Machine.RestrictExecution",
    "Machine.Scan",
    "Machine.StopAndQuarantine",
];

/// Sets of roles: of each set the caller needs one.
type Needs = &'static [&'static [&'static str]];

/// Checks the caller's roles.
///
/// # Errors
/// 403 `Forbidden` that names the roles.
pub fn check(
    endpoint: &Endpoint,
    method: &Method,
    caller: &Caller,
    behaviour: &Behaviour,
) -> Result<(), ApiError> {
    let writes = *method != Method::GET;
    for any_of in needs(endpoint, writes, behaviour.strict_roles) {
        if !any_of.iter().any(|role| caller.has(role)) {
            return Err(forbidden(any_of, caller, behaviour.forbidden));
        }
    }
    Ok(())
}

const fn needs(endpoint: &Endpoint, writes: bool, strict: bool) -> Needs {
    match endpoint {
        Endpoint::Metadata => &[],
        Endpoint::Machine(_) if writes => &[WRITE],
        Endpoint::Tags(_) | Endpoint::TagsOfMany | Endpoint::Value(_) => &[WRITE],
        Endpoint::Machines
        | Endpoint::Machine(_)
        | Endpoint::FindByIp(_)
        | Endpoint::FindByKey(_)
        | Endpoint::FindByTag
        | Endpoint::AlertMachine(_)
        | Endpoint::AvHealth => &[READ],
        Endpoint::Alert(_) if writes => &[ALERT_WRITE],
        Endpoint::AlertBatch => &[ALERT_WRITE],
        Endpoint::Alerts | Endpoint::Alert(_) | Endpoint::MachineAlerts(..) => &[ALERT_READ],
        Endpoint::Exposure | Endpoint::ExposureByGroup | Endpoint::Configuration => {
            &[&["Score.Read.All"]]
        }
        Endpoint::Actions | Endpoint::Action(_) | Endpoint::PackageUri(_) if strict => &[WRITE],
        Endpoint::Actions | Endpoint::Action(_) | Endpoint::PackageUri(_) => &[READ],
        Endpoint::Cancel(_) => &[CANCEL],
        Endpoint::Order(_, what) => match what {
            Ordered::Isolate | Ordered::Unisolate => &[&["Machine.Isolate"]],
            Ordered::Restrict | Ordered::Unrestrict => &[&["Machine.RestrictExecution"]],
            Ordered::Scan => &[&["Machine.Scan"]],
            Ordered::Offboard => &[&["Machine.Offboard"]],
            Ordered::Collect => &[&["Machine.CollectForensics"]],
            Ordered::Quarantine => &[&["Machine.StopAndQuarantine"], READ],
        },
    }
}

fn forbidden(any_of: &[&str], caller: &Caller, wording: ForbiddenWording) -> ApiError {
    let message = match wording {
        ForbiddenWording::Newer => format!(
            "Missing application roles. API required roles: {}, application roles: {}.",
            any_of.join(","),
            caller.roles.join(",")
        ),
        ForbiddenWording::Older => format!(
            "The application does not have any of the required application permissions ({}) to access the resource.",
            any_of.join(", ")
        ),
    };
    ApiError::new(StatusCode::FORBIDDEN, "Forbidden", message)
}
