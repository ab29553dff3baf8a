//! Every guardrail as it stands over a plan: value, where it comes from, what it counted, how to
//! lift it.
//!
//! Pure: rows in, text or JSON out. Called by `cli::commands::plan`. Numbers are said with the same
//! sentences as objections.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::plan::types::{Level, Objection, Plan};
use crate::plan::{Counted, Guardrail};
use crate::report::page::{Page, Piece, Role, join, piece, plain};
use crate::report::{Style, escape, measure, reason};

/// Version of the JSON form.
pub const FORMAT_VERSION: u32 = 1;

/// Scopes that pass are named up to so many; the JSON form has all.
const PASSING: usize = 3;

/// The guardrails as other programs read them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Guardrails {
    /// Version of this format.
    pub format_version: u32,
    /// Hash of the plan they were counted over.
    pub plan_hash: String,
    /// Each guardrail, in the order of codes and settings.
    pub guardrails: Vec<Guardrail>,
}

/// The guardrails as JSON, with a line feed at its end.
#[must_use]
pub fn json(plan: &Plan, rails: &[Guardrail]) -> String {
    let all = Guardrails {
        format_version: FORMAT_VERSION,
        plan_hash: plan.plan_hash.clone(),
        guardrails: rails.to_vec(),
    };
    let mut text = serde_json::to_string_pretty(&all).unwrap_or_default();
    text.push('\n');
    text
}

/// The guardrails for people.
#[must_use]
pub fn text(plan: &Plan, rails: &[Guardrail], style: Style) -> String {
    let mut page = Page::new(style);
    let hash: String = plan.plan_hash.chars().take(6).collect();
    let title = format!("Guardrails over plan {}", escape::terminal(&hash));
    page.line(2, &[piece(Role::Strong, title)]);
    for rail in rails {
        page.gap();
        heading(&mut page, rail);
        let many = plan.tenants.len() > 1;
        for counted in rail.counted.iter().filter(|counted| counted.over) {
            line(&mut page, rail, counted, many);
        }
        let passing = passing(rail);
        for counted in passing.iter().take(PASSING) {
            line(&mut page, rail, counted, many);
        }
        if passing.len() > PASSING {
            let more = measure::count(passing.len() - PASSING);
            page.line(8, &[piece(Role::Dim, format!("    … {more} more pass"))]);
        }
    }
    page.gap();
    page.line(2, &[piece(Role::Strong, verdict(rails))]);
    page.finish()
}

/// Code, setting with its value and where that stands, and how to lift it.
fn heading(page: &mut Page, rail: &Guardrail) {
    let setting = match rail.setting.as_str() {
        "" => format!("always on: {}", value(&rail.value)),
        name => format!("{}: {}", escape::name(name, 80), value(&rail.value)),
    };
    let from = match rail.line {
        Some(line) => format!("palisade.yaml:{line}"),
        None => "default".to_owned(),
    };
    let lift = if rail.liftable {
        let words = format!("`--lift {} --because TEXT`", escape::terminal(&rail.code));
        format!("lifted by {}", measure::unbroken(&words))
    } else {
        "never lifted".to_owned()
    };
    let mut groups = vec![vec![piece(Role::Strong, escape::terminal(&rail.code))]];
    groups.push(vec![plain(setting)]);
    if !rail.setting.is_empty() {
        groups.push(vec![piece(Role::Dim, from)]);
    }
    groups.push(vec![piece(Role::Dim, lift)]);
    page.line(4, &join(groups));
    if rail.counted.is_empty() {
        page.line(4, &[piece(Role::Dim, "    nothing to count in this plan")]);
    }
}

/// What holds nothing: notes, then what passes, closest to its limit first.
fn passing(rail: &Guardrail) -> Vec<&Counted> {
    let mut passing: Vec<&Counted> = rail.counted.iter().filter(|it| !it.over).collect();
    passing.sort_by_key(|it| {
        (!it.note, it.left.unwrap_or(u64::MAX), it.left_seconds.unwrap_or(u64::MAX))
    });
    passing
}

fn line(page: &mut Page, rail: &Guardrail, counted: &Counted, many: bool) {
    let (role, word) = match (counted.over, &counted.lifted) {
        (false, _) if counted.note => (Role::Warn, "note".to_owned()),
        (false, _) => (Role::Good, "passes".to_owned()),
        (true, None) => (Role::Danger, format!("HELD {}", measure::number(counted.about.into()))),
        (true, Some(_)) => {
            (Role::Warn, format!("LIFTED {}", measure::number(counted.about.into())))
        }
    };
    let mut groups: Vec<Vec<Piece>> =
        vec![vec![plain("    "), piece(role, measure::unbroken(&word))]];
    if many {
        groups.push(vec![plain(format!("tenant {}", escape::name(&counted.tenant, 40)))]);
    }
    groups.push(vec![plain(reason::counted(&said(rail, counted), counted.over))]);
    let left = counted.left.map(measure::number).or(counted.left_seconds.map(measure::length));
    groups.extend(left.map(|left| vec![plain(format!("{left} left"))]));
    groups.extend(counted.lifted.iter().map(|why| vec![plain(reason::because(why))]));
    page.line(8, &join(groups));
}

/// What was counted, as an objection would say it.
fn said(rail: &Guardrail, counted: &Counted) -> Objection {
    Objection {
        code: counted.code.clone(),
        level: if counted.over { Level::Hold } else { Level::Warn },
        tenant: counted.tenant.clone(),
        scope: counted.scope.clone(),
        verb: counted.verb,
        about: counted.about,
        held: 0,
        lifted: None,
        setting: rail.setting.clone(),
        facts: counted.facts.clone(),
    }
}

/// A value as the file takes it, on one line.
fn value(value: &Value) -> String {
    let text = match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "none".to_owned(),
        Value::Array(items) => items.iter().map(self::value).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            let members = members.iter().map(|(key, part)| format!("{key} {}", self::value(part)));
            members.collect::<Vec<_>>().join(" · ")
        }
        Value::Number(number) => number.to_string(),
    };
    escape::name(&text, 200)
}

/// One line: what to make of them.
fn verdict(rails: &[Guardrail]) -> String {
    let holding = |rail: &&Guardrail| rail.counted.iter().any(|it| it.over && it.lifted.is_none());
    let lifted = |rail: &&Guardrail| rail.counted.iter().any(|it| it.lifted.is_some());
    let codes = |wanted: &dyn Fn(&&Guardrail) -> bool| {
        let mut codes: Vec<String> =
            rails.iter().filter(wanted).map(|rail| escape::terminal(&rail.code)).collect();
        codes.dedup();
        codes.join(", ")
    };
    let held = match codes(&holding).as_str() {
        "" => "No guardrail holds anything".to_owned(),
        codes => format!("Held by {codes}"),
    };
    match codes(&lifted).as_str() {
        "" => format!("{held}."),
        codes => format!("{held}; lifted: {codes}."),
    }
}

#[cfg(test)]
mod tests;
