//! What the service says a device is: closed and open enums with the wire's spelling.
//!
//! Reading is case-insensitive and never fails: a word that is not documented becomes the `Unknown`
//! or `Other` member, because one new word must not hide ten thousand devices. Source of the
//! members: Microsoft Learn, `defender-endpoint/api/machine`.

use serde::{Deserialize, Serialize};

/// Declares an enum with its wire word, its policy word and case-insensitive reading.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, default $default:ident { $($(#[$vdoc:meta])* $variant:ident = $wire:literal / $policy:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $policy)] $variant),+
        }
        impl $name {
            /// Every member, lowest first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The service's spelling.
            #[must_use]
            pub const fn wire(self) -> &'static str {
                match self { $(Self::$variant => $wire),+ }
            }
            /// The spelling in policies, plan files and on screen.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $policy),+ }
            }
            /// Reads the service's or the policy's spelling, without regard to case.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                $(if text.eq_ignore_ascii_case($wire) || text.eq_ignore_ascii_case($policy) {
                    return Some(Self::$variant);
                })+
                None
            }
            /// Reads the service's spelling; an undocumented or missing word is the neutral member.
            #[must_use]
            pub fn from_wire(text: &str) -> Self {
                Self::parse(text).unwrap_or(Self::$default)
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.word())
            }
        }
    };
}
pub(crate) use words;

words!(
    /// `healthStatus`: how the sensor is doing.
    Health, default Unknown {
        /// Reports as it should.
        Active = "Active" / "active",
        /// Has not reported for more than seven days.
        Inactive = "Inactive" / "inactive",
        /// Reports, but commands may not reach it.
        ImpairedCommunication = "ImpairedCommunication" / "impairedCommunication",
        /// Reports without sensor data.
        NoSensorData = "NoSensorData" / "noSensorData",
        /// Both of the above.
        NoSensorDataImpairedCommunication = "NoSensorDataImpairedCommunication" / "noSensorDataImpairedCommunication",
        /// Not said, or a word that is not documented.
        Unknown = "Unknown" / "unknown",
    }
);

words!(
    /// `riskScore`, lowest first; a null on the wire reads as `none`.
    Risk, default None {
        /// No risk, or not said.
        None = "None" / "none",
        /// Informational.
        Informational = "Informational" / "informational",
        /// Low.
        Low = "Low" / "low",
        /// Medium.
        Medium = "Medium" / "medium",
        /// High.
        High = "High" / "high",
    }
);

words!(
    /// `exposureLevel`, lowest first.
    Exposure, default None {
        /// None, or not said.
        None = "None" / "none",
        /// Low.
        Low = "Low" / "low",
        /// Medium.
        Medium = "Medium" / "medium",
        /// High.
        High = "High" / "high",
    }
);

words!(
    /// `deviceValue`, lowest first; null reads as `normal`.
    DeviceValue, default Normal {
        /// Low.
        Low = "Low" / "low",
        /// Normal, or not said.
        Normal = "Normal" / "normal",
        /// High: these devices never fold away on screen.
        High = "High" / "high",
    }
);

words!(
    /// `onboardingStatus`. There is no "offboarded" value: such devices stay `onboarded`.
    Onboarding, default InsufficientInfo {
        /// Managed by the sensor.
        Onboarded = "Onboarded" / "onboarded",
        /// Discovered, could be onboarded.
        CanBeOnboarded = "CanBeOnboarded" / "canBeOnboarded",
        /// Discovered, cannot be onboarded.
        Unsupported = "Unsupported" / "unsupported",
        /// Not enough known, or a word that is not documented.
        InsufficientInfo = "InsufficientInfo" / "insufficientInfo",
    }
);

words!(
    /// `defenderAvStatus`; often missing, which reads as `unknown`.
    AvStatus, default Unknown {
        /// Does not report.
        NotReporting = "NotReporting" / "notReporting",
        /// Switched off.
        Disabled = "Disabled" / "disabled",
        /// Signatures out of date.
        NotUpdated = "NotUpdated" / "notUpdated",
        /// Up to date.
        Updated = "Updated" / "updated",
        /// Not supported there.
        NotSupported = "NotSupported" / "notSupported",
        /// Not said.
        Unknown = "Unknown" / "unknown",
    }
);

words!(
    /// A family of operating systems, derived from the open set of `osPlatform` strings.
    OsFamily, default Other {
        /// Windows clients.
        Windows = "Windows" / "windows",
        /// Windows Server.
        WindowsServer = "WindowsServer" / "windowsServer",
        /// macOS.
        Macos = "macOS" / "macos",
        /// Linux distributions.
        Linux = "Linux" / "linux",
        /// Android.
        Android = "Android" / "android",
        /// iOS and iPadOS.
        Ios = "iOS" / "ios",
        /// Everything else: supports nothing the platform matrix does not grant.
        Other = "Other" / "other",
    }
);

impl OsFamily {
    /// The family of an `osPlatform` string. Unmapped strings are `Other`.
    #[must_use]
    pub fn of_platform(platform: &str) -> Self {
        const LINUX: &[&str] = &[
            "linux",
            "ubuntu",
            "debian",
            "redhat",
            "rhel",
            "centos",
            "suse",
            "sles",
            "fedora",
            "oraclelinux",
            "amazonlinux",
            "rocky",
            "almalinux",
            "mariner",
            "azurelinux",
        ];
        let lower = platform.to_ascii_lowercase();
        if lower.starts_with("windowsserver") || lower.starts_with("azurestackhci") {
            Self::WindowsServer
        } else if lower.starts_with("windows") {
            Self::Windows
        } else if lower.starts_with("macos") {
            Self::Macos
        } else if lower.starts_with("ios") || lower.starts_with("ipados") {
            Self::Ios
        } else if lower.starts_with("android") {
            Self::Android
        } else if LINUX.iter().any(|name| lower.starts_with(name)) {
            Self::Linux
        } else {
            Self::Other
        }
    }
}
