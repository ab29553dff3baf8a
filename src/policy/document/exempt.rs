//! `Exemption` as authors write it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Isolation, Restriction};
use crate::policy::document::device::DeviceSelector;
use crate::policy::document::leaf::{OneOrMany, Text, TimestampText};

/// Devices that policies never touch, whatever they say.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExemptionSpec {
    /// Which devices.
    pub devices: DeviceSelector,
    /// Which aspects are never touched; every restrictive one when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facets: Option<OneOrMany<FacetWord>>,
    /// Values that these devices are accepted to have, whoever put them there. While a device has
    /// its value nothing is said about it; when the value is another one, plan and audit show it.
    /// `palisade accept` writes this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted: Option<AcceptedSpec>,
    /// Why.
    #[schemars(example = &"a restart of the plant takes a day")]
    pub reason: Text,
    /// Who agreed.
    #[schemars(example = &"ciso@contoso.example")]
    pub approver: Text,
    /// When it stops holding. Every exemption ends.
    pub expires: TimestampText,
}

/// Accepted values by aspect; each aspect is one of `facets`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AcceptedSpec {
    /// The isolation: `free`, `selective` or `full`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<Isolation>,
    /// Code execution: `unrestricted` or `restricted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code_execution: Option<Restriction>,
}

/// An aspect of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum FacetWord {
    /// Network isolation.
    Isolation,
    /// Restriction of code execution.
    CodeExecution,
    /// Antivirus scans.
    Scan,
    /// Quarantined files.
    QuarantinedFile,
    /// Investigation packages.
    InvestigationPackage,
    /// Onboarding.
    Onboarding,
    /// Tags.
    Tags,
    /// Device value.
    Value,
}
