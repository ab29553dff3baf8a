//! Paths to endpoints: without regard to case, with or without the version segment.

/// An endpoint with the ids in its path, in the case they were sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `machines`
    Machines,
    /// `machines/{id}`
    Machine(String),
    /// `machines/{id}/{action}`
    Order(String, Ordered),
    /// `machines/findbyip(…)`, with the whole segment
    FindByIp(String),
    /// `machines/find(…)`, with the whole segment
    FindByKey(String),
    /// `machines/findbytag`
    FindByTag,
    /// `machines/{id}/tags`
    Tags(String),
    /// `machines/AddOrRemoveTagForMultipleMachines`
    TagsOfMany,
    /// `machines/{id}/setDeviceValue`
    Value(String),
    /// `machines/{id}/alerts`, and whether only their number is asked for
    MachineAlerts(String, bool),
    /// `alerts`
    Alerts,
    /// `alerts/{id}`
    Alert(String),
    /// `alerts/{id}/machine`
    AlertMachine(String),
    /// `alerts/batchUpdate`
    AlertBatch,
    /// `deviceavinfo`
    AvHealth,
    /// `exposureScore`
    Exposure,
    /// `exposureScore/ByMachineGroups`
    ExposureByGroup,
    /// `configurationScore`
    Configuration,
    /// `$metadata`
    Metadata,
    /// `machineactions`
    Actions,
    /// `machineactions/{id}`
    Action(String),
    /// `machineactions/{id}/cancel`
    Cancel(String),
    /// `machineactions/{id}/getPackageUri`
    PackageUri(String),
}

/// The actions that can be ordered for a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the paths' own")]
pub enum Ordered {
    Isolate,
    Unisolate,
    Restrict,
    Unrestrict,
    Scan,
    Offboard,
    Collect,
    Quarantine,
}

impl Ordered {
    fn of(segment: &str) -> Option<Self> {
        Some(match segment {
            "isolate" => Self::Isolate,
            "unisolate" => Self::Unisolate,
            "restrictcodeexecution" => Self::Restrict,
            "unrestrictcodeexecution" => Self::Unrestrict,
            "runantivirusscan" => Self::Scan,
            "offboard" => Self::Offboard,
            "collectinvestigationpackage" => Self::Collect,
            "stopandquarantinefile" => Self::Quarantine,
            _ => return None,
        })
    }
}

impl Endpoint {
    /// The endpoint of decoded path segments; `None` for a path the service does not know.
    #[must_use]
    pub fn of(path: &[String]) -> Option<Self> {
        let lower: Vec<String> = path.iter().map(|part| part.to_ascii_lowercase()).collect();
        let lower: Vec<&str> = lower.iter().map(String::as_str).collect();
        let (lower, path) = match lower.as_slice() {
            ["api", "v1.0", rest @ ..] => (rest, path.get(2..)?),
            ["api", rest @ ..] => (rest, path.get(1..)?),
            _ => return None,
        };
        let id = || path.get(1).cloned().unwrap_or_default();
        match lower {
            ["machines", rest @ ..] => Self::machines(rest, id()),
            ["machineactions"] => Some(Self::Actions),
            ["machineactions", _] => Some(Self::Action(id())),
            ["$metadata"] => Some(Self::Metadata),
            ["alerts"] => Some(Self::Alerts),
            ["alerts", "batchupdate"] => Some(Self::AlertBatch),
            ["alerts", _] => Some(Self::Alert(id())),
            ["alerts", _, "machine"] => Some(Self::AlertMachine(id())),
            ["deviceavinfo"] => Some(Self::AvHealth),
            ["exposurescore"] => Some(Self::Exposure),
            ["exposurescore", "bymachinegroups"] => Some(Self::ExposureByGroup),
            ["configurationscore"] => Some(Self::Configuration),
            ["machineactions", _, "cancel"] => Some(Self::Cancel(id())),
            ["machineactions", _, "getpackageuri"] => Some(Self::PackageUri(id())),
            _ => None,
        }
    }

    fn machines(rest: &[&str], id: String) -> Option<Self> {
        match rest {
            [] => Some(Self::Machines),
            ["findbytag"] => Some(Self::FindByTag),
            ["addorremovetagformultiplemachines"] => Some(Self::TagsOfMany),
            [one] if one.starts_with("findbyip(") => Some(Self::FindByIp(id)),
            [one] if one.starts_with("find(") => Some(Self::FindByKey(id)),
            [_] => Some(Self::Machine(id)),
            [_, "tags"] => Some(Self::Tags(id)),
            [_, "setdevicevalue"] => Some(Self::Value(id)),
            [_, "alerts"] => Some(Self::MachineAlerts(id, false)),
            [_, "alerts", "$count"] => Some(Self::MachineAlerts(id, true)),
            [_, action] => Ordered::of(action).map(|ordered| Self::Order(id, ordered)),
            _ => None,
        }
    }

    /// The methods it answers.
    #[must_use]
    pub const fn methods(&self) -> &'static [&'static str] {
        match self {
            Self::Machine(_) | Self::Alert(_) => &["GET", "PATCH"],
            Self::Order(..)
            | Self::Cancel(_)
            | Self::Tags(_)
            | Self::TagsOfMany
            | Self::Value(_)
            | Self::AlertBatch => &["POST"],
            _ => &["GET"],
        }
    }
}
