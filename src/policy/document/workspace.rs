//! `palisade.yaml` as its author writes it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::model::Verb;
use crate::policy::document::ApiVersion;
use crate::policy::document::device::DeviceSelector;
use crate::policy::document::leaf::{
    CronText, DurationText, GuidText, NameText, OneOrMany, PathText, ShareText, SiteText, Text,
    UrlText, WorkspaceIdText, ZoneText,
};
use crate::policy::document::limits::{AlertRuleCapDocument, RemainingDocument, ShrinkDocument};
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

/// Limits on every plan.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GuardrailsDocument {
    /// Devices that nothing may restrict, whatever policies say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protected: Option<DeviceSelector>,
    /// Domain controllers are found by tag, group and name, and protected without being asked; this
    /// corrects what is found.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain_controllers: Option<DomainControllersDocument>,
    /// Windows of time in which changes are held.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze: Option<Vec<FreezeDocument>>,
    /// Verbs without a way back that policies may use: `offboard`, `quarantine`; none when it is not
    /// given.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<DestructiveVerbs>")]
    pub destructive: Option<Vec<Verb>>,
    /// Caps by verb. What is not written keeps its default: `isolate` 50 in a run, 25 % of a group, 10 %
    /// of the fleet; `restrict` 500, 50 % and 25 %; `offboard` 10, 5 % and 1 %.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(with = "VerbCaps")]
    pub caps: BTreeMap<Verb, CapsDocument>,
    /// Whether restrictive policies need an end; `true` when it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub require_lease: Option<bool>,
    /// Longest lease; `365d`, which is also the most, when it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_lease: Option<DurationText>,
    /// Whether the releases of a policy that is gone from the workspace are held until somebody lifts
    /// `orphaned-releases`; `true` when it is not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hold_orphaned_releases: Option<bool>,
    /// How much of each device group stays free of isolation and code restriction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remaining: Option<RemainingDocument>,
    /// How long a posture of ours lasts at least before we release it, unless its lease ends; `1h` when
    /// it is not given, `0s` for no such limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dwell: Option<DurationText>,
    /// How long a device that we released is not taken again; `30m` when it is not given, `0s` for no
    /// such limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<DurationText>,
    /// By how much the inventory and what a policy selects may shrink or grow since the last run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shrink: Option<ShrinkDocument>,
}

/// Corrects which devices count as domain controllers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct DomainControllersDocument {
    /// Devices that are domain controllers and do not look so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub also: Option<DeviceSelector>,
    /// Devices that look like domain controllers and are none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub except: Option<DeviceSelector>,
}

/// A window of time in which changes are held. Releasing and cancelling go on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FreezeDocument {
    /// What it is called in plans.
    pub name: NameText,
    /// When it opens, as a cron expression: minute, hour, day of month, month, day of week.
    pub schedule: CronText,
    /// How long it stays open.
    #[schemars(example = &"12h")]
    pub window: DurationText,
    /// Zone in which the cron expression is read; `UTC` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<ZoneText>,
    /// Verbs it holds, those that let go included when they are named; every verb but `release`,
    /// `unrestrict` and `cancel` when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<AnyVerbs>")]
    pub verbs: Option<Vec<Verb>>,
}

/// The schema of a list of verbs, at least one.
fn verbs(some: impl Fn(&Verb) -> bool) -> Schema {
    let words: Vec<&str> =
        Verb::ALL.iter().filter(|verb| some(verb)).map(|verb| verb.word()).collect();
    json_schema!({ "type": "array", "items": { "type": "string", "enum": words } })
}

/// The schema of a list of verbs.
#[derive(Debug)]
pub struct AnyVerbs;

impl JsonSchema for AnyVerbs {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "AnyVerbs".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        verbs(|_| true)
    }
}

/// The schema of a list of verbs without a way back.
#[derive(Debug)]
pub struct DestructiveVerbs;

impl JsonSchema for DestructiveVerbs {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "DestructiveVerbs".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        verbs(|verb| verb.is_destructive())
    }
}

/// The schema of caps by verb: a property for each verb, so that editors complete them.
#[derive(Debug)]
pub struct VerbCaps;

impl JsonSchema for VerbCaps {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "VerbCaps".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let caps = generator.subschema_for::<CapsDocument>();
        let properties: serde_json::Map<String, serde_json::Value> = Verb::ALL
            .iter()
            .map(|verb| (verb.word().to_owned(), caps.clone().to_value()))
            .collect();
        json_schema!({ "type": "object", "properties": properties, "additionalProperties": false })
    }
}

/// Caps of one verb.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct CapsDocument {
    /// At most so many in one run and tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<LimitDocument>,
    /// At most so many in one device group, counted with those already in the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<LimitDocument>,
    /// At most so many of the tenant's devices, counted with those already in the state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fleet: Option<LimitDocument>,
    /// At most so many in a window of time that ends now, whoever acted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolling: Option<RollingDocument>,
    /// At most so many devices that alerts of one title and detector, or one incident, make policies
    /// take in a window of time that ends now. `isolate` 20 and `restrict` 100 in 24 hours when it is
    /// not given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alert_rule: Option<AlertRuleCapDocument>,
}

/// A number (`50`), a share that rounds down (`5%`; at least one unless it is `0%`), a share with its
/// least number, or `unlimited`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LimitDocument {
    /// So many.
    Count(u32),
    /// A share, or `unlimited`.
    Share(String),
    /// A share and the least number it stands for.
    AtLeast(ShareAtLeast),
}

impl JsonSchema for LimitDocument {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Limit".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let share = generator.subschema_for::<ShareText>();
        let at_least = generator.subschema_for::<ShareAtLeast>();
        json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 0, "maximum": u32::MAX, "examples": [50] },
            share,
            { "type": "string", "const": "unlimited" },
            at_least
        ] })
    }
}

/// A share and the least number it stands for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
pub struct ShareAtLeast {
    /// The share.
    pub share: ShareText,
    /// The least number it stands for in a small group.
    pub at_least: u32,
}

/// So many in so long.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RollingDocument {
    /// How many.
    #[schemars(example = 100)]
    pub count: u32,
    /// In how long.
    #[schemars(example = &"24h")]
    pub window: DurationText,
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
