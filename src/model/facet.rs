//! Facets of a target, the values they take, and the verbs that move them.
//!
//! Restrictive facets form a lattice: `full > selective > free` and `restricted > unrestricted`,
//! which is what `Ord` says here. Verbs are the only words for what Palisade does; there is no
//! create, update or destroy.

use crate::model::action::ActionKind;
use crate::model::device::words;
use serde::{Deserialize, Serialize};

words!(
    /// One aspect of a target.
    Facet, default Isolation {
        /// Network isolation.
        Isolation = "isolation" / "isolation",
        /// Restriction of code execution.
        CodeExecution = "codeExecution" / "codeExecution",
        /// Freshness of antivirus scans.
        Scan = "scan" / "scan",
        /// A quarantined file.
        QuarantinedFile = "quarantinedFile" / "quarantinedFile",
        /// An investigation package.
        InvestigationPackage = "investigationPackage" / "investigationPackage",
        /// Onboarding to the service.
        Onboarding = "onboarding" / "onboarding",
        /// Tags.
        Tags = "tags" / "tags",
        /// Device value.
        Value = "value" / "value",
        /// Verdict, status and assignee of an alert or incident.
        Classification = "classification" / "classification",
    }
);

words!(
    /// Isolation of a device, weakest first.
    Isolation, default Free {
        /// Not isolated.
        Free = "Free" / "free",
        /// Isolated with exceptions.
        Selective = "Selective" / "selective",
        /// Isolated but for the sensor.
        Full = "Full" / "full",
    }
);

words!(
    /// The isolation a policy asks for.
    IsolationMode, default Full {
        /// With the tenant's exceptions.
        Selective = "Selective" / "selective",
        /// Everything but the sensor's own traffic.
        Full = "Full" / "full",
    }
);

impl From<IsolationMode> for Isolation {
    fn from(mode: IsolationMode) -> Self {
        match mode {
            IsolationMode::Selective => Self::Selective,
            IsolationMode::Full => Self::Full,
        }
    }
}

words!(
    /// Code-execution restriction of a device, weakest first.
    Restriction, default Unrestricted {
        /// Anything runs.
        Unrestricted = "Unrestricted" / "unrestricted",
        /// Only files signed by a Microsoft-issued certificate run.
        Restricted = "Restricted" / "restricted",
    }
);

words!(
    /// What Palisade does, most dangerous first: this is the order on screen.
    Verb, default Scan {
        /// Offboard a device; there is no way back by API.
        Offboard = "offboard" / "offboard",
        /// Isolate a device.
        Isolate = "isolate" / "isolate",
        /// Restrict code execution.
        Restrict = "restrict" / "restrict",
        /// Stop and quarantine a file.
        Quarantine = "quarantine" / "quarantine",
        /// End an isolation.
        Release = "release" / "release",
        /// End a restriction.
        Unrestrict = "unrestrict" / "unrestrict",
        /// Cancel a pending action of ours.
        Cancel = "cancel" / "cancel",
        /// Set an alert's or incident's verdict, status or assignee.
        Classify = "classify" / "classify",
        /// Collect an investigation package.
        Collect = "collect" / "collect",
        /// Run an antivirus scan.
        Scan = "scan" / "scan",
        /// Add a tag or set the value.
        Tag = "tag" / "tag",
        /// Remove a tag.
        Untag = "untag" / "untag",
    }
);

impl Verb {
    /// The sign before the verb on screen; meaning never depends on colour.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Offboard => 'X',
            Self::Isolate => '!',
            Self::Release | Self::Unrestrict => '^',
            Self::Restrict => '#',
            Self::Quarantine => '%',
            Self::Cancel => '~',
            Self::Classify => '=',
            Self::Collect => '*',
            Self::Scan => '>',
            Self::Tag => '+',
            Self::Untag => '-',
        }
    }

    /// The machine action that carries the verb out, if it is one.
    #[must_use]
    pub const fn action(self) -> Option<ActionKind> {
        match self {
            Self::Offboard => Some(ActionKind::Offboard),
            Self::Isolate => Some(ActionKind::Isolate),
            Self::Release => Some(ActionKind::Unisolate),
            Self::Restrict => Some(ActionKind::RestrictCodeExecution),
            Self::Unrestrict => Some(ActionKind::UnrestrictCodeExecution),
            Self::Quarantine => Some(ActionKind::StopAndQuarantineFile),
            Self::Collect => Some(ActionKind::CollectInvestigationPackage),
            Self::Scan => Some(ActionKind::RunAntiVirusScan),
            Self::Cancel | Self::Classify | Self::Tag | Self::Untag => None,
        }
    }

    /// The verb that takes it back, if there is one.
    #[must_use]
    pub const fn inverse(self) -> Option<Self> {
        match self {
            Self::Isolate => Some(Self::Release),
            Self::Release => Some(Self::Isolate),
            Self::Restrict => Some(Self::Unrestrict),
            Self::Unrestrict => Some(Self::Restrict),
            Self::Classify => Some(Self::Classify),
            Self::Offboard
            | Self::Quarantine
            | Self::Cancel
            | Self::Collect
            | Self::Scan
            | Self::Tag
            | Self::Untag => None,
        }
    }

    /// Whether the service has no way to take the verb back.
    #[must_use]
    pub const fn is_destructive(self) -> bool {
        matches!(self, Self::Offboard | Self::Quarantine)
    }

    /// Whether the verb gives something back, or keeps something from being taken.
    #[must_use]
    pub const fn lets_go(self) -> bool {
        matches!(self, Self::Release | Self::Unrestrict | Self::Cancel)
    }

    /// Whether the verb takes something away from the person at the device.
    #[must_use]
    pub const fn is_restrictive(self) -> bool {
        matches!(self, Self::Offboard | Self::Isolate | Self::Restrict | Self::Quarantine)
    }
}
