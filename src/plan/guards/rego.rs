//! `rego-…`: what the organization's own rules say of the draft.
//!
//! `deny` holds the changes it names, or all of its verb, or all; one that names a change that is not
//! there holds all, since nobody knows what it meant. `warn` only says so. Sentences of one code,
//! verb and setting are one objection. Each `deny` and `warn` that fails or does not end holds
//! everything (`rego-failed`), beside what the others say: it never means that there is nothing to
//! object to, and lifting it lifts nothing that another rule denies.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::plan::draft;
use crate::plan::guards::{Breach, Ground, Measured};
use crate::policy::rego::{self, Answers, FAILED, Fault, Said};

/// Where rules stand.
pub(super) const FILES: &str = "guardrails/*.rego";

pub(super) fn measure(ground: &Ground<'_>) -> Vec<Measured> {
    let rules = &ground.scene.input.policies.rules;
    if rules.is_empty() {
        return Vec::new();
    }
    let Answers { said, faults } = rego::evaluate(rules, &plan(ground), &workspace(ground));
    let ended = faults.is_empty().then(|| ended(rules.len(), &said));
    let failed = faults.into_iter().map(|fault| failed(ground, fault));
    let objections = failed.chain(breaches(ground, said)).map(|breach| breach.measured(true));
    ended.into_iter().chain(objections).collect()
}

/// All rules came to an end.
fn ended(files: usize, said: &[Said]) -> Measured {
    let denials = said.iter().filter(|said| said.denies).count();
    let breach = Breach {
        code: FAILED.into(),
        scope: "rules".to_owned(),
        verb: None,
        setting: FILES.to_owned(),
        facts: Vec::new(),
        held: Vec::new(),
    };
    let measured = breach.measured(false).with("files", files).with("denials", denials);
    measured.with("warnings", said.len() - denials)
}

/// The draft as it would be published, and the present.
fn plan(ground: &Ground<'_>) -> Value {
    let draft = draft::preview(ground.scene, ground.draft);
    let mut plan = serde_json::to_value(draft).unwrap_or_default();
    if let Some(members) = plan.as_object_mut() {
        // It has no hash yet.
        members.remove("planHash");
        members.insert("now".to_owned(), ground.scene.input.now.to_string().into());
    }
    plan
}

fn workspace(ground: &Ground<'_>) -> Value {
    let workspace = ground.scene.input.workspace;
    let tenant = |tenant: &crate::policy::workspace::Tenant| json!({ "name": tenant.name, "tenantId": tenant.tenant_id, "site": tenant.site });
    let tenants: Vec<Value> = workspace.tenants.iter().map(tenant).collect();
    json!({ "id": workspace.id.as_str(), "tenants": tenants })
}

fn failed(ground: &Ground<'_>, fault: Fault) -> Breach {
    let Fault { file, line, column: _, message } = fault;
    Breach {
        code: FAILED.into(),
        scope: format!("{file}:{line}"),
        verb: None,
        setting: file.to_string(),
        facts: vec![("file", (&*file).into()), ("line", line.into()), ("msg", message.into())],
        held: ground.changes().map(|(at, _)| at).collect(),
    }
}

/// What objections are kept apart by: only a warning, code, verb, setting.
type Key = (bool, String, Option<String>, String);

/// What is said under one code.
#[derive(Default)]
struct Group {
    messages: BTreeSet<String>,
    held: BTreeSet<usize>,
}

fn breaches(ground: &Ground<'_>, said: Vec<Said>) -> Vec<Breach> {
    let places: BTreeMap<&str, usize> =
        ground.changes().map(|(at, change)| (change.id.as_str(), at)).collect();
    let mut groups: BTreeMap<Key, Group> = BTreeMap::new();
    for said in said {
        let held = if said.denies { held(ground, &places, &said) } else { BTreeSet::new() };
        let setting = said.setting.unwrap_or(said.file);
        let group = groups.entry((!said.denies, said.code, said.verb, setting)).or_default();
        group.messages.insert(said.message);
        group.held.extend(held);
    }
    let breach = |((_, code, verb, setting), group): (Key, Group)| {
        let more = group.messages.len().saturating_sub(1);
        let first = group.messages.into_iter().next().unwrap_or_default();
        let mut facts = vec![("msg", first.into())];
        facts.extend((more > 0).then(|| ("more", more.into())));
        let verb = verb.and_then(|word: String| verb_of(&word));
        let held = group.held.into_iter().collect();
        Breach { code: Cow::Owned(code), scope: "rule".to_owned(), verb, setting, facts, held }
    };
    groups.into_iter().map(breach).collect()
}

fn verb_of(word: &str) -> Option<crate::model::Verb> {
    crate::model::Verb::ALL.iter().copied().find(|verb| verb.word() == word)
}

/// Positions of the changes that a denial is about.
fn held(ground: &Ground<'_>, places: &BTreeMap<&str, usize>, said: &Said) -> BTreeSet<usize> {
    let at = |id: &String| places.get(id.as_str()).copied();
    let named: Option<BTreeSet<usize>> = said.changes.iter().map(at).collect();
    let of_verb = |word: &String| {
        let of = ground.changes().filter(|(_, change)| change.verb.word() == word);
        of.map(|(at, _)| at).collect()
    };
    let all = || ground.changes().map(|(at, _)| at).collect();
    match (named, &said.verb) {
        (Some(named), _) if !named.is_empty() => named,
        (Some(_), Some(word)) if verb_of(word).is_some() => of_verb(word),
        _ => all(),
    }
}

#[cfg(test)]
mod tests;
