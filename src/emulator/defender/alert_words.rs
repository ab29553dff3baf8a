//! The Defender API's spellings of verdicts, which differ from Graph's and, between its own pages,
//! from each other. Written values may be any documented spelling; read ones are of the alert page.

use crate::model::{AlertStatus, Classification, Determination, Severity};

/// `severity`.
#[must_use]
pub const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Unknown => "UnSpecified",
        Severity::Informational => "Informational",
        Severity::Low => "Low",
        Severity::Medium => "Medium",
        Severity::High => "High",
    }
}

/// `status`.
#[must_use]
pub const fn status(status: AlertStatus) -> &'static str {
    match status {
        AlertStatus::Unknown => "Unknown",
        AlertStatus::New => "New",
        AlertStatus::InProgress => "InProgress",
        AlertStatus::Resolved => "Resolved",
    }
}

/// `classification`; null without a verdict.
#[must_use]
pub const fn classification(classification: Classification) -> Option<&'static str> {
    match classification {
        Classification::Unknown => None,
        Classification::FalsePositive => Some("FalsePositive"),
        Classification::TruePositive => Some("TruePositive"),
        Classification::InformationalExpectedActivity => Some("InformationalExpectedActivity"),
    }
}

/// `determination`; null without a verdict.
#[must_use]
pub const fn determination(determination: Determination) -> Option<&'static str> {
    Some(match determination {
        Determination::Unknown => return None,
        Determination::MultiStagedAttack => "MultiStagedAttack",
        Determination::MaliciousUserActivity => "MaliciousUserActivity",
        Determination::CompromisedAccount => "CompromisedUser",
        Determination::Malware => "Malware",
        Determination::Phishing => "Phishing",
        Determination::UnwantedSoftware => "UnwantedSoftware",
        Determination::SecurityTesting => "SecurityTesting",
        Determination::LineOfBusinessApplication => "LineOfBusinessApplication",
        Determination::ConfirmedActivity => "ConfirmedUserActivity",
        Determination::NotMalicious => "Clean",
        Determination::NotEnoughDataToValidate => "InsufficientData",
        Determination::Apt => "Apt",
        Determination::SecurityPersonnel => "SecurityPersonnel",
        Determination::Other => "Other",
    })
}

/// What may be written as `status`.
pub const STATUSES: &[&str] = &["New", "InProgress", "Resolved"];

/// What may be written as `classification`.
pub const CLASSIFICATIONS: &[(&str, Classification)] = &[
    ("TruePositive", Classification::TruePositive),
    ("FalsePositive", Classification::FalsePositive),
    ("InformationalExpectedActivity", Classification::InformationalExpectedActivity),
    ("Informational, expected activity", Classification::InformationalExpectedActivity),
];

/// What may be written as `determination`: the union of the pages. No pairing with the
/// classification is enforced; a documented sample breaks the documented table.
pub const DETERMINATIONS: &[(&str, Determination)] = &[
    ("MultiStagedAttack", Determination::MultiStagedAttack),
    ("MaliciousUserActivity", Determination::MaliciousUserActivity),
    ("CompromisedUser", Determination::CompromisedAccount),
    ("Malware", Determination::Malware),
    ("Phishing", Determination::Phishing),
    ("UnwantedSoftware", Determination::UnwantedSoftware),
    ("SecurityTesting", Determination::SecurityTesting),
    ("LineOfBusinessApplication", Determination::LineOfBusinessApplication),
    ("ConfirmedActivity", Determination::ConfirmedActivity),
    ("ConfirmedUserActivity", Determination::ConfirmedActivity),
    ("NotMalicious", Determination::NotMalicious),
    ("Clean", Determination::NotMalicious),
    ("InsufficientData", Determination::NotEnoughDataToValidate),
    ("NoEnoughDataToValidate", Determination::NotEnoughDataToValidate),
    ("Other", Determination::Other),
];
