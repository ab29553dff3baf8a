//! Which API, which operation, which rate window.
//!
//! One row per operation that Palisade performs: the words for people, the application roles it
//! needs, the windows it is counted in. Called by request builders, the client and its errors.
//! Sources: Microsoft Learn, rate limits on each Defender API page; Graph throttling limits.

use std::fmt;

use crate::inventory::What;

/// An API with tokens and roles of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Api {
    /// Microsoft Defender for Endpoint.
    Defender,
    /// Microsoft Graph security.
    Graph,
}

impl Api {
    /// The name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Defender => "Defender API",
            Self::Graph => "Microsoft Graph",
        }
    }
}

impl fmt::Display for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the names are the meaning")]
pub enum Operation {
    SignIn(Api),
    ListMachines,
    GetMachine,
    ListActions,
    GetAction,
    ListAvHealth,
    ExposureScore,
    ExposureByGroup,
    ListAlerts,
    GetAlert,
    Isolate,
    Release,
    Restrict,
    Unrestrict,
    Scan,
    CancelAction,
    PatchAlert,
    CommentAlert,
}

impl Operation {
    /// The API it belongs to.
    #[must_use]
    pub const fn api(self) -> Api {
        match self {
            Self::SignIn(api) => api,
            Self::ListAlerts | Self::GetAlert | Self::PatchAlert | Self::CommentAlert => Api::Graph,
            _ => Api::Defender,
        }
    }

    /// The windows it is counted in.
    #[must_use]
    pub const fn class(self) -> RateClass {
        match self {
            Self::SignIn(_) => RateClass::SignIn,
            Self::ListMachines | Self::GetMachine => RateClass::Machines,
            Self::ListActions | Self::GetAction | Self::CancelAction => RateClass::MachineActions,
            Self::ListAvHealth => RateClass::AvHealth,
            Self::ExposureScore | Self::ExposureByGroup => RateClass::Scores,
            Self::ListAlerts | Self::GetAlert | Self::PatchAlert | Self::CommentAlert => {
                RateClass::Alerts
            }
            Self::Isolate | Self::Release | Self::Restrict | Self::Unrestrict | Self::Scan => {
                RateClass::Submit
            }
        }
    }

    /// The part of the observation it reads, if it reads one.
    #[must_use]
    pub const fn reads(self) -> Option<What> {
        match self {
            Self::ListMachines | Self::GetMachine => Some(What::Devices),
            Self::ListActions | Self::GetAction => Some(What::Actions),
            Self::ListAvHealth => Some(What::AvHealth),
            Self::ListAlerts | Self::GetAlert => Some(What::Alerts),
            Self::ExposureScore | Self::ExposureByGroup => Some(What::Scores),
            _ => None,
        }
    }

    /// Whether sending it twice does no more than sending it once.
    #[must_use]
    pub const fn is_read(self) -> bool {
        self.reads().is_some() || matches!(self, Self::SignIn(_))
    }

    /// The words for people.
    #[must_use]
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::SignIn(Api::Defender) => "sign in to the Defender API",
            Self::SignIn(Api::Graph) => "sign in to Microsoft Graph",
            Self::ListMachines => "list machines",
            Self::GetMachine => "get a machine",
            Self::ListActions => "list machine actions",
            Self::GetAction => "get a machine action",
            Self::ListAvHealth => "list antivirus health",
            Self::ExposureScore => "get the exposure score",
            Self::ExposureByGroup => "get exposure scores by device group",
            Self::ListAlerts => "list alerts",
            Self::GetAlert => "get an alert",
            Self::Isolate => "isolate a machine",
            Self::Release => "release a machine from isolation",
            Self::Restrict => "restrict code execution",
            Self::Unrestrict => "remove a code execution restriction",
            Self::Scan => "run an antivirus scan",
            Self::CancelAction => "cancel a machine action",
            Self::PatchAlert => "update an alert",
            Self::CommentAlert => "comment on an alert",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.phrase())
    }
}

/// Calls that the service counts together, per application and tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RateClass {
    /// The token endpoint: no published number, so none is kept.
    SignIn,
    /// Machines: list and get.
    Machines,
    /// Machine actions: list, get and cancel.
    MachineActions,
    /// Isolate, release, restrict, unrestrict and scan. The pages name the windows on each of
    /// these calls; whether they are counted one by one or together is not said, so together.
    Submit,
    /// Antivirus health.
    AvHealth,
    /// Scores: nothing is published; the usual windows are kept.
    Scores,
    /// Any call on a Graph alert.
    Alerts,
}

/// At most `limit` calls in any `seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// How many.
    pub limit: u32,
    /// In how many seconds.
    pub seconds: u32,
}

impl RateClass {
    /// Every class.
    pub const ALL: &'static [Self] = &[
        Self::SignIn,
        Self::Machines,
        Self::MachineActions,
        Self::Submit,
        Self::AvHealth,
        Self::Scores,
        Self::Alerts,
    ];

    /// The windows, shortest first.
    #[must_use]
    pub const fn windows(self) -> &'static [Window] {
        const USUAL: &[Window] =
            &[Window { limit: 100, seconds: 60 }, Window { limit: 1_500, seconds: 3_600 }];
        match self {
            Self::SignIn => &[],
            Self::Machines | Self::MachineActions | Self::Submit | Self::Scores => USUAL,
            Self::AvHealth => {
                &[Window { limit: 30, seconds: 60 }, Window { limit: 1_000, seconds: 3_600 }]
            }
            Self::Alerts => &[Window { limit: 150, seconds: 60 }],
        }
    }

    /// The words for people.
    #[must_use]
    pub const fn phrase(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Machines => "machine reads",
            Self::MachineActions => "machine action reads",
            Self::Submit => "machine action requests",
            Self::AvHealth => "antivirus health reads",
            Self::Scores => "score reads",
            Self::Alerts => "alert calls",
        }
    }
}
