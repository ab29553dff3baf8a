//! `Exemption` as authors write it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// Why.
    #[schemars(example = &"a restart of the plant takes a day")]
    pub reason: Text,
    /// Who agreed.
    #[schemars(example = &"ciso@contoso.example")]
    pub approver: Text,
    /// When it stops holding. Every exemption ends.
    pub expires: TimestampText,
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
