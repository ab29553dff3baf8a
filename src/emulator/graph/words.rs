//! Graph's spellings, and what it withholds from callers that did not ask for newer enum members.
//!
//! Members declared after `unknownFutureValue` are replaced by that sentinel unless the request
//! carries `Prefer: include-unknown-enum-members`. Source: Graph metadata v1.0 (msgraph-sdk 1.65.0).

use crate::model::Health;

/// The sentinel.
pub(super) const SENTINEL: &str = "unknownFutureValue";

/// Members of `serviceSource` that have to be asked for.
const NEWER_SERVICES: &[&str] = &[
    "microsoftDefenderForCloud",
    "microsoftSentinel",
    "microsoftInsiderRiskManagement",
    "microsoftThreatIntelligence",
    "microsoftSecurityForAI",
];

/// Members of `detectionSource` that have to be asked for.
const NEWER_DETECTIONS: &[&str] = &[
    "microsoftDefenderForCloud",
    "microsoftDefenderThreatIntelligenceAnalytics",
    "microsoftSentinel",
    "scheduledAlerts",
    "builtInMl",
    "nrtAlerts",
];

/// Members of `serviceSource`, for filters.
pub(super) const SERVICES: &[&str] = &[
    "unknown",
    "microsoftDefenderForEndpoint",
    "microsoftDefenderForIdentity",
    "microsoftDefenderForCloudApps",
    "microsoftDefenderForOffice365",
    "microsoft365Defender",
    "azureAdIdentityProtection",
    "microsoftAppGovernance",
    "dataLossPrevention",
    SENTINEL,
    "microsoftDefenderForCloud",
    "microsoftSentinel",
    "microsoftInsiderRiskManagement",
    "microsoftThreatIntelligence",
    "microsoftSecurityForAI",
];

/// The Defender API's `detectionSource` in Graph's spelling.
const DETECTIONS: &[(&str, &str)] = &[
    ("WindowsDefenderAtp", "microsoftDefenderForEndpoint"),
    ("WindowsDefenderAv", "antivirus"),
    ("WindowsDefenderSmartScreen", "smartScreen"),
    ("CustomerTI", "customTi"),
    ("CustomDetection", "customDetection"),
    ("AutomatedInvestigation", "automatedInvestigation"),
    ("Manual", "manual"),
];

/// A word as the caller gets to see it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    /// Whether the caller asked for newer members.
    pub(super) newer: bool,
}

impl Seen {
    /// `serviceSource`.
    pub(super) fn service(self, word: &'static str) -> &'static str {
        self.pick(word, NEWER_SERVICES)
    }

    /// `detectionSource`, from the Defender API's spelling.
    pub(super) fn detection(self, word: &'static str) -> &'static str {
        let found = DETECTIONS.iter().find(|(theirs, _)| *theirs == word);
        self.pick(found.map_or(word, |(_, ours)| ours), NEWER_DETECTIONS)
    }

    fn pick(self, word: &'static str, newer: &[&str]) -> &'static str {
        if newer.contains(&word) && !self.newer { SENTINEL } else { word }
    }
}

/// `productName` of a service source.
pub(super) fn product(service: &str) -> &'static str {
    match service {
        "microsoftDefenderForIdentity" => "Microsoft Defender for Identity",
        "microsoftDefenderForCloudApps" => "Microsoft Defender for Cloud Apps",
        "microsoftDefenderForOffice365" => "Microsoft Defender for Office 365",
        "azureAdIdentityProtection" => "Microsoft Entra ID Protection",
        "microsoftDefenderForCloud" => "Microsoft Defender for Cloud",
        "microsoftSentinel" => "Microsoft Sentinel",
        "microsoftDefenderForEndpoint" => "Microsoft Defender for Endpoint",
        _ => "Microsoft Defender XDR",
    }
}

/// A word of the Defender API with its first letter in lower case: the rule for most enums.
pub(super) fn lower_first(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}

/// `healthStatus` of device evidence.
pub(super) fn health(health: Health) -> String {
    lower_first(health.wire())
}
