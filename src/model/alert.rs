//! Alerts: severity, status, classification, determination, with the spellings of both APIs.
//!
//! The Defender API and Graph name the same verdicts differently, and Graph says `unknown` where
//! Defender says null. One enum with read aliases keeps a plan free of permanent drift. Source:
//! Graph metadata (msgraph-sdk 1.65.0) and Microsoft Learn, `update-alert`.

use crate::model::device::words;
use serde::{Deserialize, Serialize};

words!(
    /// Severity, lowest first.
    Severity, default Unknown {
        /// Not said (`UnSpecified` in the Defender API).
        Unknown = "unknown" / "unknown",
        /// Informational.
        Informational = "informational" / "informational",
        /// Low.
        Low = "low" / "low",
        /// Medium.
        Medium = "medium" / "medium",
        /// High.
        High = "high" / "high",
    }
);

words!(
    /// Work status of an alert.
    AlertStatus, default Unknown {
        /// Not said.
        Unknown = "unknown" / "unknown",
        /// Nobody works on it.
        New = "new" / "new",
        /// Somebody does.
        InProgress = "inProgress" / "inProgress",
        /// Closed.
        Resolved = "resolved" / "resolved",
    }
);

words!(
    /// The verdict on an alert.
    Classification, default Unknown {
        /// No verdict: null in the Defender API, the word `unknown` in Graph.
        Unknown = "unknown" / "unknown",
        /// Not a threat at all.
        FalsePositive = "falsePositive" / "falsePositive",
        /// A threat.
        TruePositive = "truePositive" / "truePositive",
        /// Real, but expected.
        InformationalExpectedActivity = "informationalExpectedActivity" / "informationalExpectedActivity",
    }
);

words!(
    /// The finer verdict below a classification.
    Determination, default Unknown {
        /// No verdict.
        Unknown = "unknown" / "unknown",
        /// True positive: several stages.
        MultiStagedAttack = "multiStagedAttack" / "multiStagedAttack",
        /// True positive: a person with ill intent.
        MaliciousUserActivity = "maliciousUserActivity" / "maliciousUserActivity",
        /// True positive: an account taken over.
        CompromisedAccount = "compromisedAccount" / "compromisedAccount",
        /// True positive: malware.
        Malware = "malware" / "malware",
        /// True positive: phishing.
        Phishing = "phishing" / "phishing",
        /// True positive: unwanted software.
        UnwantedSoftware = "unwantedSoftware" / "unwantedSoftware",
        /// Expected: a security test.
        SecurityTesting = "securityTesting" / "securityTesting",
        /// Expected: a line-of-business application.
        LineOfBusinessApplication = "lineOfBusinessApplication" / "lineOfBusinessApplication",
        /// Expected: confirmed by the person concerned.
        ConfirmedActivity = "confirmedActivity" / "confirmedActivity",
        /// False positive: clean.
        NotMalicious = "notMalicious" / "notMalicious",
        /// False positive: not enough data.
        NotEnoughDataToValidate = "notEnoughDataToValidate" / "notEnoughDataToValidate",
        /// Deprecated since 2022, still in the metadata.
        Apt = "apt" / "apt",
        /// Deprecated since 2022, still in the metadata.
        SecurityPersonnel = "securityPersonnel" / "securityPersonnel",
        /// Any classification: something else.
        Other = "other" / "other",
    }
);

impl Classification {
    /// Reads any documented spelling, the Defender API's display text included.
    #[must_use]
    pub fn read(text: Option<&str>) -> Self {
        match text {
            None | Some("") => Self::Unknown,
            Some(text) if text.eq_ignore_ascii_case("Informational, expected activity") => {
                Self::InformationalExpectedActivity
            }
            Some(text) => Self::from_wire(text),
        }
    }

    /// The determinations that fit, as documented for the Defender API.
    #[must_use]
    pub const fn determinations(self) -> &'static [Determination] {
        match self {
            Self::Unknown => &[Determination::Unknown],
            Self::FalsePositive => &[
                Determination::NotMalicious,
                Determination::NotEnoughDataToValidate,
                Determination::Other,
            ],
            Self::TruePositive => &[
                Determination::MultiStagedAttack,
                Determination::MaliciousUserActivity,
                Determination::CompromisedAccount,
                Determination::Malware,
                Determination::Phishing,
                Determination::UnwantedSoftware,
                Determination::Other,
            ],
            Self::InformationalExpectedActivity => &[
                Determination::SecurityTesting,
                Determination::LineOfBusinessApplication,
                Determination::ConfirmedActivity,
                Determination::Other,
            ],
        }
    }
}

impl Determination {
    /// Reads any documented spelling of either API.
    #[must_use]
    pub fn read(text: Option<&str>) -> Self {
        const ALIASES: &[(&str, Determination)] = &[
            ("compromisedUser", Determination::CompromisedAccount),
            ("confirmedUserActivity", Determination::ConfirmedActivity),
            ("clean", Determination::NotMalicious),
            ("insufficientData", Determination::NotEnoughDataToValidate),
            ("noEnoughDataToValidate", Determination::NotEnoughDataToValidate),
        ];
        let Some(text) = text.filter(|text| !text.is_empty()) else { return Self::Unknown };
        Self::parse(text)
            .or_else(|| {
                let alias = ALIASES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text));
                alias.map(|(_, meaning)| *meaning)
            })
            .unwrap_or(Self::Other)
    }
}
