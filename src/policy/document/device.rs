//! The selector of devices as authors write it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{AvStatus, Health, Onboarding};
use crate::policy::document::alert::AlertSelector;
use crate::policy::document::leaf::{
    AgeText, ExposureText, GlobText, IncidentText, IpText, OneOrMany, OsText, RiskText, SiteText,
    Text, True, ValueText,
};

/// Which devices. Terms of one mapping must all match; a list is a choice; `all`, `any` and `not`
/// nest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
#[schemars(extend("minProperties" = 1))]
pub struct DeviceSelector {
    /// Every device. There is no other way to say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub everything: Option<True>,
    /// Every one of these selectors matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub all: Option<Vec<Self>>,
    /// At least one of these selectors matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub any: Option<Vec<Self>>,
    /// This selector does not match.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not: Option<Box<Self>>,
    /// Device id, as in the portal's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<OneOrMany<Text>>,
    /// Device name, full or host part, without regard to case; `*`, `?` and `[…]` stand for
    /// characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<OneOrMany<GlobText>>,
    /// Device group, without regard to case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"EMEA-Workstations")]
    pub group: Option<OneOrMany<Text>>,
    /// Site of the workspace, with everything below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<OneOrMany<SiteText>>,
    /// Tag, without regard to case; `*` and `?` stand for characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"ir-7781")]
    pub tag: Option<OneOrMany<GlobText>>,
    /// Operating system: a family (`windows`, `windowsServer`, `macos`, `linux`, `android`, `ios`) or
    /// an exact platform such as `Windows11`. `windows` means clients only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub os: Option<OneOrMany<OsText>>,
    /// Release of the operating system such as `24H2`; `*` and `?` stand for characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"24H2")]
    pub version: Option<OneOrMany<GlobText>>,
    /// Address or network; the last internal address and those of all interfaces count.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<OneOrMany<IpText>>,
    /// Health of the sensor.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health: Option<OneOrMany<Health>>,
    /// Risk score, or a comparison such as `">=medium"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub risk: Option<OneOrMany<RiskText>>,
    /// Exposure level, or a comparison such as `">=medium"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exposure: Option<OneOrMany<ExposureText>>,
    /// Device value, or a comparison such as `">=normal"`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<OneOrMany<ValueText>>,
    /// Onboarding status.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onboarding: Option<OneOrMany<Onboarding>>,
    /// Whether the device is joined to Entra.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub joined: Option<bool>,
    /// Who manages the device, without regard to case.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"Intune")]
    pub managed_by: Option<OneOrMany<Text>>,
    /// Status of the antivirus.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub av_status: Option<OneOrMany<AvStatus>>,
    /// Age of the last full report: `"<7d"` is younger, `">30d"` is older.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<OneOrMany<AgeText>>,
    /// Devices that are evidence of an alert that matches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert: Option<Box<AlertSelector>>,
    /// Devices of an incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<OneOrMany<IncidentText>>,
}
