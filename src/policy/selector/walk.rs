//! Questions about a selector that need no inventory: is it void, which globs has it, what must
//! have been read for its answer to hold.

use std::collections::BTreeSet;

use crate::inventory::What;
use crate::policy::selector::ast::{AlertExpr, AlertTerm, DeviceExpr, DeviceTerm, Glob, SiteRef};

/// Whether a selector is void: an author cannot write it, and no input may turn it into
/// "everything".
///
/// A term without alternatives is void, `All` is void when it is empty or any part is, `Any` when
/// each part is, `Not` and nested selectors when what they hold is. A void selector matches
/// nothing, `Not` of it matches nothing too.
#[must_use]
pub fn is_void(expr: &DeviceExpr) -> bool {
    match expr {
        DeviceExpr::Everything => false,
        DeviceExpr::All(parts) => parts.is_empty() || parts.iter().any(is_void),
        DeviceExpr::Any(parts) => parts.iter().all(is_void),
        DeviceExpr::Not(part) => is_void(part),
        DeviceExpr::Term(term) => is_void_term(term),
    }
}

/// Whether a selector over alerts is void; see `is_void`.
#[must_use]
pub fn is_void_alert(expr: &AlertExpr) -> bool {
    match expr {
        AlertExpr::All(parts) => parts.is_empty() || parts.iter().any(is_void_alert),
        AlertExpr::Any(parts) => parts.iter().all(is_void_alert),
        AlertExpr::Not(part) => is_void_alert(part),
        AlertExpr::Term(term) => is_void_alert_term(term),
    }
}

fn is_void_term(term: &DeviceTerm) -> bool {
    match term {
        DeviceTerm::Id(list) => list.is_empty(),
        DeviceTerm::Name(list) | DeviceTerm::Tag(list) | DeviceTerm::Version(list) => {
            list.is_empty()
        }
        DeviceTerm::Group(list) | DeviceTerm::ManagedBy(list) => list.is_empty(),
        DeviceTerm::Site(sites) => sites.iter().all(maps_to_nothing),
        DeviceTerm::Os(list) => list.is_empty(),
        DeviceTerm::Ip(list) => list.is_empty(),
        DeviceTerm::Health(list) => list.is_empty(),
        DeviceTerm::Risk(list) => list.is_empty(),
        DeviceTerm::Exposure(list) => list.is_empty(),
        DeviceTerm::Value(list) => list.is_empty(),
        DeviceTerm::Onboarding(list) => list.is_empty(),
        DeviceTerm::Joined(_) => false,
        DeviceTerm::AvStatus(list) => list.is_empty(),
        DeviceTerm::Seen(list) => list.is_empty(),
        DeviceTerm::Alert(expr) => is_void_alert(expr),
        DeviceTerm::Incident(list) => list.is_empty(),
    }
}

fn maps_to_nothing(site: &SiteRef) -> bool {
    site.groups.is_empty() && site.tags.is_empty() && site.tenants.is_empty()
}

fn is_void_alert_term(term: &AlertTerm) -> bool {
    match term {
        AlertTerm::Title(list) => list.is_empty(),
        AlertTerm::Severity(list) => list.is_empty(),
        AlertTerm::Status(list) => list.is_empty(),
        AlertTerm::Id(list)
        | AlertTerm::Category(list)
        | AlertTerm::DetectionSource(list)
        | AlertTerm::ServiceSource(list)
        | AlertTerm::MitreTechnique(list) => list.is_empty(),
        AlertTerm::Classification(list) => list.is_empty(),
        AlertTerm::AssignedTo(list) => list.is_empty(),
        AlertTerm::Incident(list) => list.is_empty(),
        AlertTerm::Created(list) => list.is_empty(),
        AlertTerm::Device(expr) => is_void(expr),
    }
}

/// What must have been read completely for a selector's answer to hold. When one of these is
/// partial, a device that is not selected may only look so: nothing may be released because of it.
#[must_use]
pub fn reads(expr: &DeviceExpr) -> BTreeSet<What> {
    let mut found = BTreeSet::from([What::Devices]);
    each_device_term(expr, &mut |term| {
        if matches!(term, DeviceTerm::Alert(_) | DeviceTerm::Incident(_)) {
            found.insert(What::Alerts);
        }
    });
    found
}

/// What must have been read completely for a selector over alerts to hold.
#[must_use]
pub fn alert_reads(expr: &AlertExpr) -> BTreeSet<What> {
    let mut found = BTreeSet::from([What::Alerts]);
    each_alert_term(expr, &mut |term| {
        if let AlertTerm::Device(expr) = term {
            found.extend(reads(expr));
        }
    });
    found
}

/// Each term of a selector, outermost first; terms nested in alert terms are not visited.
pub(crate) fn each_device_term<'a>(expr: &'a DeviceExpr, visit: &mut dyn FnMut(&'a DeviceTerm)) {
    match expr {
        DeviceExpr::Everything => {}
        DeviceExpr::All(parts) | DeviceExpr::Any(parts) => {
            parts.iter().for_each(|part| each_device_term(part, visit));
        }
        DeviceExpr::Not(part) => each_device_term(part, visit),
        DeviceExpr::Term(term) => visit(term),
    }
}

/// Each term of a selector over alerts; terms nested in device terms are not visited.
pub(crate) fn each_alert_term<'a>(expr: &'a AlertExpr, visit: &mut dyn FnMut(&'a AlertTerm)) {
    match expr {
        AlertExpr::All(parts) | AlertExpr::Any(parts) => {
            parts.iter().for_each(|part| each_alert_term(part, visit));
        }
        AlertExpr::Not(part) => each_alert_term(part, visit),
        AlertExpr::Term(term) => visit(term),
    }
}

/// Every glob of a selector, nested ones included.
pub(crate) fn device_globs(expr: &DeviceExpr, visit: &mut dyn FnMut(&Glob)) {
    each_device_term(expr, &mut |term| match term {
        DeviceTerm::Name(globs) | DeviceTerm::Tag(globs) | DeviceTerm::Version(globs) => {
            globs.iter().for_each(&mut *visit);
        }
        DeviceTerm::Alert(expr) => alert_globs(expr, visit),
        _ => {}
    });
}

/// Every glob of a selector over alerts, nested ones included.
pub(crate) fn alert_globs(expr: &AlertExpr, visit: &mut dyn FnMut(&Glob)) {
    each_alert_term(expr, &mut |term| match term {
        AlertTerm::Title(globs) => globs.iter().for_each(&mut *visit),
        AlertTerm::Device(expr) => device_globs(expr, visit),
        _ => {}
    });
}
