//! `palisade.yaml` as its author writes it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::policy::document::ApiVersion;
use crate::policy::document::guardrails::GuardrailsDocument;
use crate::policy::document::leaf::{
    DurationText, GuidText, NameText, OneOrMany, PathText, SiteText, Text, UrlText, WorkspaceIdText,
};
use crate::policy::document::rollout::RolloutSpec;

/// The workspace: tenants, guardrails and defaults for all policies below it. Never holds a secret.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkspaceDocument {
    /// Version of the document format.
    pub api_version: ApiVersion,
    /// `Workspace`.
    pub kind: WorkspaceKind,
    /// Marks everything this workspace does in a tenant; at most 30 characters. Never change it while
    /// devices are held: they would count as somebody else's.
    pub id: WorkspaceIdText,
    /// Folders and files with policies, relative to this file; `policies` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policies: Option<OneOrMany<PathText>>,
    /// Tenants that the policies govern.
    #[schemars(length(min = 1))]
    pub tenants: Vec<TenantDocument>,
    /// Sites by path, such as `acme/emea/london`: what `site` terms of selectors mean.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sites: BTreeMap<String, SiteDocument>,
    /// Limits on every plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guardrails: Option<GuardrailsDocument>,
    /// What policies may leave out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub defaults: Option<DefaultsDocument>,
    /// How tenants are read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observe: Option<ObserveDocument>,
    /// Folder of the journals, relative to this file; `.palisade/runs` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(example = &".palisade/runs")]
    pub journal: Option<PathText>,
    /// How long after its making a plan may be applied; `30m` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_validity: Option<DurationText>,
}

/// `Workspace`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub enum WorkspaceKind {
    /// The workspace.
    #[default]
    Workspace,
}

/// One tenant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TenantDocument {
    /// Name in this workspace, for `--tenant` and reports.
    pub name: NameText,
    /// Directory (tenant) id.
    pub tenant_id: GuidText,
    /// Cloud; decides the endpoints. `commercial` when it is not given; `us`, `eu`, `uk` and `au` are
    /// regional hosts of the commercial cloud.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cloud: Option<Cloud>,
    /// Endpoints that differ from the cloud's, whole or in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoints: Option<EndpointsDocument>,
    /// Where the credential comes from; `clientSecret` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialWord>,
    /// Site the whole tenant belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteText>,
}

/// A cloud.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum Cloud {
    /// The public cloud.
    #[default]
    Commercial,
    /// The public cloud, host in the United States.
    Us,
    /// The public cloud, host in the European Union.
    Eu,
    /// The public cloud, host in the United Kingdom.
    Uk,
    /// The public cloud, host in Australia.
    Au,
    /// US government community cloud.
    Gcc,
    /// US government community cloud, high.
    GccHigh,
    /// US department of defense.
    Dod,
}

/// Where a credential comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum CredentialWord {
    /// `AZURE_CLIENT_ID` and `AZURE_CLIENT_SECRET` of the environment.
    ClientSecret,
    /// `AZURE_CLIENT_ID` and the file named by `AZURE_FEDERATED_TOKEN_FILE`.
    FederatedToken,
}

/// API roots: scheme and host, `https` unless the host is this machine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct EndpointsDocument {
    /// Token authority.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authority: Option<UrlText>,
    /// Defender API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defender: Option<UrlText>,
    /// Graph.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph: Option<UrlText>,
}

/// What a site maps to. A site without groups and tags is the whole of its tenants.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SiteDocument {
    /// Device groups of the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<OneOrMany<Text>>,
    /// Tags that put a device into the site.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<OneOrMany<Text>>,
    /// Tenants the site is confined to; those of the nearest site above that names some, or all, when
    /// it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenants: Option<OneOrMany<NameText>>,
}

/// What policies may leave out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DefaultsDocument {
    /// Lease of restrictive policies without `lease` and `until`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<DurationText>,
    /// Appended to the comment of every action.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"(Contoso SOC, +49 30 1234)")]
    pub comment_suffix: Option<Text>,
    /// Spread of scan schedules that state none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scan_spread: Option<DurationText>,
    /// Rollout of restrictive policies that state none. One that must act at once says
    /// `rollout: {waves: [100%]}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutSpec>,
}

/// How tenants are read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct ObserveDocument {
    /// What shows whether a device is isolated; `history` when it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub isolation: Option<EvidenceWord>,
    /// How far back alerts are read; `30d` when it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alerts: Option<DurationText>,
}

/// What shows whether a device is isolated. Advanced hunting is none of them yet: a word that is taken
/// and not honoured would look like a second opinion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(inline)]
pub enum EvidenceWord {
    /// The history of machine actions.
    History,
}
