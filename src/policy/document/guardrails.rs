//! `guardrails:` of `palisade.yaml` as its author writes it.
//!
//! Called by `workspace`, whose part it is; `limits` has what is shared with others. What a description
//! says here stands in the schema.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::model::Verb;
use crate::policy::document::device::DeviceSelector;
use crate::policy::document::leaf::{CronText, DurationText, NameText, ShareText, ZoneText};
use crate::policy::document::limits::{AlertRuleCapDocument, RemainingDocument, ShrinkDocument};

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
