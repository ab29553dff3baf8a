//! Selector terms in an author's words: the key and each alternative as they stand in YAML.

use crate::policy::selector::ast::{AgeMatch, AlertTerm, DeviceTerm, Glob, OrderedMatch, OsMatch};

/// One alternative: the sign between key and value (`=`, `>=`, …) and the value.
pub(crate) type Alternative = (&'static str, String);

fn plain<T: ToString>(list: &[T]) -> Vec<Alternative> {
    list.iter().map(|value| ("=", value.to_string())).collect()
}

fn globs(list: &[Glob]) -> Vec<Alternative> {
    list.iter().map(|glob| ("=", glob.text.to_string())).collect()
}

fn ordered<T: ToString>(list: &[OrderedMatch<T>]) -> Vec<Alternative> {
    list.iter().map(|wanted| (sign(wanted.op.sign()), wanted.value.to_string())).collect()
}

fn ages(list: &[AgeMatch]) -> Vec<Alternative> {
    list.iter().map(|wanted| (sign(wanted.op.sign()), wanted.age.to_string())).collect()
}

fn sign(sign: &'static str) -> &'static str {
    if sign.is_empty() { "=" } else { sign }
}

/// Key and alternatives of a device term.
pub(crate) fn device_term(term: &DeviceTerm) -> (&'static str, Vec<Alternative>) {
    match term {
        DeviceTerm::Id(list) => ("id", plain(list)),
        DeviceTerm::Name(list) => ("name", globs(list)),
        DeviceTerm::Group(list) => ("group", plain(list)),
        DeviceTerm::Site(list) => {
            ("site", list.iter().map(|site| ("=", site.path.to_string())).collect())
        }
        DeviceTerm::Tag(list) => ("tag", globs(list)),
        DeviceTerm::Os(list) => {
            let word = |wanted: &OsMatch| match wanted {
                OsMatch::Family(family) => ("=", family.word().to_owned()),
                OsMatch::Platform(platform) => ("=", platform.to_string()),
            };
            ("os", list.iter().map(word).collect())
        }
        DeviceTerm::Version(list) => ("version", globs(list)),
        DeviceTerm::Ip(list) => ("ip", plain(list)),
        DeviceTerm::Health(list) => ("health", plain(list)),
        DeviceTerm::Risk(list) => ("risk", ordered(list)),
        DeviceTerm::Exposure(list) => ("exposure", ordered(list)),
        DeviceTerm::Value(list) => ("value", ordered(list)),
        DeviceTerm::Onboarding(list) => ("onboarding", plain(list)),
        DeviceTerm::Joined(wanted) => ("joined", plain(&[*wanted])),
        DeviceTerm::ManagedBy(list) => ("managedBy", plain(list)),
        DeviceTerm::AvStatus(list) => ("avStatus", plain(list)),
        DeviceTerm::Seen(list) => ("seen", ages(list)),
        DeviceTerm::Alert(_) => ("alert", vec![("=", "matching".to_owned())]),
        DeviceTerm::Incident(list) => ("incident", plain(list)),
    }
}

/// Key and alternatives of an alert term.
pub(crate) fn alert_term(term: &AlertTerm) -> (&'static str, Vec<Alternative>) {
    match term {
        AlertTerm::Id(list) => ("id", plain(list)),
        AlertTerm::Title(list) => ("title", globs(list)),
        AlertTerm::Severity(list) => ("severity", ordered(list)),
        AlertTerm::Status(list) => ("status", plain(list)),
        AlertTerm::Category(list) => ("category", plain(list)),
        AlertTerm::DetectionSource(list) => ("detectionSource", plain(list)),
        AlertTerm::ServiceSource(list) => ("serviceSource", plain(list)),
        AlertTerm::Classification(list) => ("classification", plain(list)),
        AlertTerm::AssignedTo(list) => {
            let name = |name: &Option<std::sync::Arc<str>>| {
                ("=", name.as_deref().unwrap_or("nobody").to_owned())
            };
            ("assignedTo", list.iter().map(name).collect())
        }
        AlertTerm::MitreTechnique(list) => ("mitreTechnique", plain(list)),
        AlertTerm::Incident(list) => ("incident", plain(list)),
        AlertTerm::Created(list) => ("created", ages(list)),
        AlertTerm::Device(_) => ("device", vec![("=", "matching".to_owned())]),
    }
}
