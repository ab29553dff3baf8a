//! Every guardrail as it stands over one plan: its value, where that comes from, what it counted.
//!
//! The same draft and the same rules as in `super::run`, looked at instead of enforced; called by
//! `plan::explain_guardrails`. Values are written as `palisade.yaml` takes them. A guardrail without
//! a row here is missing from `plan --explain-guardrails`: a test asks for every code.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::Verb;
use crate::plan::Input;
use crate::plan::circumstances::Circumstances;
use crate::plan::guards::{GUARDS, Ground, Left, Lifting, Measured, lifting, rego};
use crate::policy::limits::Remaining;
use crate::policy::workspace::{Caps, DomainControllers, Freeze, Guardrails, Limit, Rolling};

/// One guardrail, or one cap of a verb.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Guardrail {
    /// Code of its objections.
    pub code: String,
    /// Its setting; empty when there is none and it always stands.
    pub setting: String,
    /// The value in force, as the workspace file takes it; null for none.
    pub value: Value,
    /// Line of `palisade.yaml` that states the value, from 1; absent for the default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Whether `--lift` with its code lifts it.
    pub liftable: bool,
    /// What it counted in this plan; nothing when nothing concerned it.
    pub counted: Vec<Counted>,
}

/// What a guardrail counted in one scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Counted {
    /// Code of the objection it is or would be.
    pub code: String,
    /// Name of the tenant.
    pub tenant: String,
    /// What it is about: `run`, `group APAC-Kiosk`.
    pub scope: String,
    /// The verb concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<Verb>,
    /// Whether it objects.
    pub over: bool,
    /// Whether it only says something: it holds nothing.
    pub note: bool,
    /// Changes it is about: held when it objects and nobody lifts it.
    pub about: u32,
    /// How far from its limit, as a number of what it counts; absent where there is none, or when it
    /// is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left: Option<u64>,
    /// How far from its limit in time, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_seconds: Option<u64>,
    /// Why somebody lifted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifted: Option<String>,
    /// Its numbers and names.
    pub facts: BTreeMap<String, Value>,
}

/// A value in force, before anything is counted.
struct Setting(&'static str, String, Value);

/// Every guardrail in the order of their codes, without counts.
pub(in crate::plan) fn all(input: &Input<'_>) -> Vec<Guardrail> {
    let rails = &input.workspace.guardrails;
    let mut found = standing(rails, input.around);
    let rules: Vec<&str> = input.policies.rules.iter().map(|file| &*file.file).collect();
    found.push(Setting("rego-failed", rego::FILES.to_owned(), json!(rules)));
    for (verb, caps) in &rails.caps {
        found.extend(of_caps(*verb, caps));
    }
    found.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));
    let row = |Setting(code, setting, value)| Guardrail {
        code: code.to_owned(),
        line: rails.written.get(&setting).copied(),
        setting,
        value,
        liftable: lifting(code) == Some(Lifting::ByName),
        counted: Vec::new(),
    };
    found.into_iter().map(row).collect()
}

/// Guardrails of the whole plan.
fn standing(rails: &Guardrails, around: &Circumstances) -> Vec<Setting> {
    let set = |code, key: &str, value| Setting(code, format!("guardrails.{key}"), value);
    let verbs: Vec<&str> = rails.destructive.iter().map(|verb| verb.word()).collect();
    let runner = around.runner.as_ref();
    let machine = runner.map(|runner| {
        let addresses = runner.addresses().iter().map(ToString::to_string);
        runner.names().iter().cloned().chain(addresses).collect::<Vec<_>>()
    });
    let DomainControllers { also, except } = &rails.domain_controllers;
    let corrected = json!({ "also": also.is_some(), "except": except.is_some() });
    vec![
        set("cooldown", "cooldown", json!(rails.cooldown.to_string())),
        set("destructive", "destructive", json!(verbs)),
        set("domain-controller", "domainControllers", corrected),
        set("dwell", "dwell", json!(rails.dwell.to_string())),
        set("freeze-window", "freeze", rails.freeze.iter().map(window).collect()),
        Setting("frozen", "palisade.freeze".to_owned(), json!(around.freeze.is_some())),
        set("lease-missing", "requireLease", json!(rails.require_lease)),
        set("max-lease", "maxLease", json!(rails.max_lease.to_string())),
        set("orphaned-releases", "holdOrphanedReleases", json!(rails.hold_orphaned_releases)),
        set("protected", "protected", json!(rails.protected.is_some())),
        Setting("released-by-hand", "onManualRelease".to_owned(), json!("of each policy")),
        set("remaining", "remaining", remaining(rails.remaining)),
        set("inventory-grew", "shrink.inventory", limit(rails.shrink.inventory)),
        set("inventory-shrank", "shrink.inventory", limit(rails.shrink.inventory)),
        set("selection-grew", "shrink.selection", limit(rails.shrink.selection)),
        set("selection-shrank", "shrink.selection", limit(rails.shrink.selection)),
        Setting("self-lockout", String::new(), json!(machine.unwrap_or_default())),
    ]
}

fn window(freeze: &Freeze) -> Value {
    let zone = freeze.zone.iana_name().unwrap_or("UTC");
    let verbs: Vec<&str> = freeze.verbs.iter().map(|verb| verb.word()).collect();
    let mut window = json!({
        "name": &*freeze.name, "schedule": freeze.cron.text, "window": freeze.window.to_string(),
        "timeZone": zone,
    });
    if let (false, Some(members)) = (verbs.is_empty(), window.as_object_mut()) {
        members.insert("verbs".to_owned(), json!(verbs));
    }
    window
}

fn of_caps(verb: Verb, caps: &Caps) -> Vec<Setting> {
    let set =
        |code, key: &str, value| Setting(code, format!("guardrails.caps.{verb}.{key}"), value);
    let limits = [
        ("cap-fleet", "fleet", caps.fleet),
        ("cap-group", "group", caps.group),
        ("cap-run", "run", caps.run),
    ];
    let mut found: Vec<Setting> =
        limits.into_iter().map(|(code, key, value)| set(code, key, limit(value))).collect();
    found.push(set("cap-rolling", "rolling", rolling(caps.rolling)));
    found.push(set("cap-alert-rule", "alertRule", rolling(caps.alert_rule)));
    found
}

/// As the file takes it: `50`, `25%`, a share with its least number, `unlimited`.
fn limit(limit: Option<Limit>) -> Value {
    let share = |points: u32| match (points / 100, points % 100) {
        (whole, 0) => format!("{whole}%"),
        (whole, part) => format!("{whole}.{part:02}%"),
    };
    match limit {
        None => json!("unlimited"),
        Some(Limit::Count(count)) => json!(count),
        Some(Limit::Share { basis_points, at_least: 1 }) => json!(share(basis_points)),
        Some(Limit::Share { basis_points, at_least }) => {
            json!({ "share": share(basis_points), "atLeast": at_least })
        }
    }
}

fn rolling(rolling: Option<Rolling>) -> Value {
    rolling.map_or(
        Value::Null,
        |rolling| json!({ "count": rolling.count, "window": rolling.window.to_string() }),
    )
}

fn remaining(remaining: Remaining) -> Value {
    json!({ "least": limit(Some(remaining.least)), "groupsFrom": remaining.groups_from })
}

/// Adds what each guardrail says about the draft of one tenant.
pub(super) fn count(ground: &Ground<'_>, rails: &mut Vec<Guardrail>) {
    for measured in GUARDS.iter().flat_map(|guard| guard(ground)) {
        let (code, setting) = home(&measured.breach.code, &measured.breach.setting);
        let at = row(rails, code, setting);
        let counted = counted(ground, measured);
        if let Some(rail) = rails.get_mut(at) {
            rail.counted.push(counted);
        }
    }
}

fn counted(ground: &Ground<'_>, measured: Measured) -> Counted {
    let Measured { over, beyond, left, numbers, breach } = measured;
    let lifted = breach.lifted(&ground.scene.input.around.lifts).filter(|_| over);
    let objection = breach.objection(ground.scene.inventory.tenant(), lifted);
    let (left, left_seconds) = match left.filter(|_| !over) {
        Some(Left::Count(count)) => (Some(count.into()), None),
        Some(Left::Seconds(seconds)) => (None, Some(seconds)),
        None => (None, None),
    };
    let mut facts = objection.facts;
    facts.extend(numbers.into_iter().map(|(key, value)| (key.to_owned(), value)));
    Counted {
        code: objection.code,
        tenant: objection.tenant,
        scope: objection.scope,
        verb: objection.verb,
        over: over && objection.about > 0,
        note: beyond > 0 || over && objection.about == 0,
        about: objection.about,
        left,
        left_seconds,
        lifted: objection.lifted,
        facts,
    }
}

/// The row of what a guardrail says. One that has no row gets it, so that nothing is silent.
fn row(rails: &mut Vec<Guardrail>, code: &str, setting: &str) -> usize {
    let found = rails.iter().position(|it| it.code == code && it.setting == setting);
    found.unwrap_or_else(|| {
        rails.push(Guardrail {
            code: code.to_owned(),
            setting: setting.to_owned(),
            value: Value::Null,
            line: None,
            liftable: lifting(code) == Some(Lifting::ByName),
            counted: Vec::new(),
        });
        rails.len() - 1
    })
}

/// Code and setting under which a guardrail is listed that objects with several.
fn home<'c>(code: &'c str, setting: &'c str) -> (&'c str, &'c str) {
    match code {
        "self-lockout-shared" => ("self-lockout", setting),
        "protected-nobody" | "protected-unknown" if setting == "guardrails.protected" => {
            ("protected", setting)
        }
        "protected-nobody" | "protected-unknown" => {
            ("domain-controller", "guardrails.domainControllers")
        }
        // The objection names the file that is wrong.
        "rego-failed" => (code, rego::FILES),
        other => (other, setting),
    }
}

#[cfg(test)]
mod counts;
#[cfg(test)]
mod tests;
