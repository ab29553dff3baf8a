//! `ScanSchedule` as authors write it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::ScanType;
use crate::policy::document::ModeWord;
use crate::policy::document::device::DeviceSelector;
use crate::policy::document::leaf::{CommentText, CronText, DurationText, ZoneText};
use crate::policy::document::rollout::RolloutSpec;

/// Runs antivirus scans at set times. A scan that somebody else started counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ScanScheduleSpec {
    /// `enforce` (the default) or `audit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<ModeWord>,
    /// Which devices.
    pub devices: DeviceSelector,
    /// How deep. A full scan also satisfies a wish for a quick one.
    pub scan: ScanType,
    /// When, as a cron expression: minute, hour, day of month, month, day of week. This or `every`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<CronText>,
    /// So long after the last completed scan, and at once when there is none. This or `schedule`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every: Option<DurationText>,
    /// Zone in which the cron expression is read; `UTC` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<ZoneText>,
    /// A scan is due from the tick until the window closes; `8h` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<DurationText>,
    /// Devices start at different, always the same, times within the spread, which is shorter than
    /// the window; the workspace's `defaults.scanSpread`, or none, when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spread: Option<DurationText>,
    /// After a scan that failed or timed out, how long until the next try in the same window; `4h`
    /// when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_delay: Option<DurationText>,
    /// Whether a missed window is made up for; `false` when it is not given: it is reported only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub catch_up: Option<bool>,
    /// Whether offline devices are queued with the service or held; `false` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_offline: Option<bool>,
    /// In which waves the scans go out; all at once when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutSpec>,
    /// Comment of the actions; the policy's description, or its name, when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<CommentText>,
}
