//! The JSON Schemas we publish (draft 2020-12), made from the real types.
//!
//! `palisade schema` prints them, `schemas/` holds them, a test keeps both the same. Editors complete
//! and check policies with `policy.schema.json`, which chooses the shape of `spec` by `kind`. Validation
//! in `policy::shape` uses the same parts, one by one, for better messages. Called by `cli`.

use serde_json::{Map, Value, json};

use crate::apply::journal;
use crate::plan;
use crate::policy::document::schemas;
use crate::policy::set::PolicyKind;
use crate::report::audit;

/// Where the schemas' `$id`s live; they are names, nothing is fetched from there.
const BASE: &str = "https://palisade.example/schemas/";

/// Every schema with its file name, in the order of names.
#[must_use]
pub fn all() -> Vec<(&'static str, Value)> {
    vec![
        ("audit.schema.json", finish("audit.schema.json", "A Palisade audit", audit::schema())),
        (
            "journal.schema.json",
            finish("journal.schema.json", "One line of a Palisade journal", journal::schema()),
        ),
        (
            "plan.schema.json",
            finish("plan.schema.json", "A Palisade plan file", plan::file::schema()),
        ),
        ("policy.schema.json", finish("policy.schema.json", "A Palisade policy", policy())),
        (
            "workspace.schema.json",
            finish("workspace.schema.json", "A Palisade workspace", schemas::workspace()),
        ),
    ]
}

/// One schema by its short name: a kind of policy, `policy`, `workspace`, `plan`, `audit` or `journal`.
#[must_use]
pub fn named(name: &str) -> Option<Value> {
    if let Some(kind) = PolicyKind::ALL.iter().find(|kind| kind.word().eq_ignore_ascii_case(name)) {
        let file = format!("{}.schema.json", kind.word());
        return Some(finish(&file, &format!("A Palisade {}", kind.word()), of_kind(*kind)));
    }
    let file = format!("{}.schema.json", name.to_ascii_lowercase());
    all().into_iter().find(|(known, _)| *known == file).map(|(_, schema)| schema)
}

/// The names that `named` knows.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let files = ["policy", "workspace", "plan", "audit", "journal"];
    files.into_iter().chain(PolicyKind::ALL.iter().map(|kind| kind.word())).collect()
}

/// The text of a schema file.
#[must_use]
pub fn text(schema: &Value) -> String {
    let mut text = serde_json::to_string_pretty(schema).unwrap_or_default();
    text.push('\n');
    text
}

fn finish(file: &str, title: &str, mut schema: Value) -> Value {
    if let Some(members) = schema.as_object_mut() {
        members.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
        members.insert("$id".to_owned(), json!(format!("{BASE}{file}")));
        members.insert("title".to_owned(), json!(title));
    }
    schema
}

/// Envelope and `spec` of one kind.
fn of_kind(kind: PolicyKind) -> Value {
    let mut schema = schemas::envelope();
    let mut spec = schemas::spec(kind);
    hoist(&mut schema, &mut spec);
    if let Some(properties) = schema.pointer_mut("/properties").and_then(Value::as_object_mut) {
        properties.insert("kind".to_owned(), json!({"const": kind.word()}));
        properties.insert("spec".to_owned(), spec);
    }
    schema
}

/// Envelope, and `spec` by `kind`.
fn policy() -> Value {
    let mut schema = schemas::envelope();
    let mut branches = Vec::new();
    for kind in PolicyKind::ALL {
        let mut spec = schemas::spec(*kind);
        hoist(&mut schema, &mut spec);
        branches.push(json!({
            "if": {"properties": {"kind": {"const": kind.word()}}, "required": ["kind"]},
            "then": {"properties": {"spec": spec}},
        }));
    }
    if let Some(members) = schema.as_object_mut() {
        members.insert("allOf".to_owned(), Value::Array(branches));
    }
    schema
}

/// Moves the shared definitions of a part to the whole; `$ref`s go on pointing at them.
fn hoist(whole: &mut Value, part: &mut Value) {
    let Some(part) = part.as_object_mut() else { return };
    part.remove("$schema");
    let Some(Value::Object(found)) = part.remove("$defs") else { return };
    let Some(whole) = whole.as_object_mut() else { return };
    let definitions = whole.entry("$defs").or_insert_with(|| Value::Object(Map::new()));
    if let Some(definitions) = definitions.as_object_mut() {
        definitions.extend(found);
    }
}
