//! The JSON Schemas we publish (draft 2020-12), made from the real types.
//!
//! `palisade schema` prints them, `schemas/` holds them, a test keeps both the same. Editors complete
//! and check policies with `policy.schema.json`, which chooses the shape of `spec` by `kind`. Validation
//! in `policy::shape` uses the same parts, one by one, for better messages. Called by `cli`.

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use crate::apply::journal;
use crate::plan;
use crate::policy::document::schemas;
use crate::policy::set::PolicyKind;
use crate::report::apply::RunResult;
use crate::report::audit;
use crate::report::checks::Checks;
use crate::report::explain::ExplainedDevices;
use crate::report::findings::Findings;
use crate::report::freeze::FreezeStatus;
use crate::report::guardrails::Guardrails;
use crate::report::inventory::{ActionLine, AlertLine, DeviceLine, Listed, Listing, Scores};
use crate::report::runs::{RunChecks, RunEntries, Runs};

/// Where the schemas' `$id`s live; they are names, nothing is fetched from there.
const BASE: &str = "https://palisade.example/schemas/";

/// Short name, title, and what makes the schema.
type Published = (&'static str, &'static str, fn() -> Value);

/// What other programs read of commands, by short name: title and the type itself.
const PUBLISHED: &[Published] = &[
    ("actions", "Machine actions as `palisade actions` lists them", || of::<Rows<ActionLine>>()),
    ("alerts", "Alerts as `palisade alerts` lists them", || of::<Rows<AlertLine>>()),
    ("audit", "A Palisade audit", audit::schema),
    ("devices", "Devices as `palisade devices` lists them", || of::<Rows<DeviceLine>>()),
    ("doctor", "The checks of `palisade doctor`", || of::<Checks>()),
    ("explain", "Devices as `palisade explain` explains them", || of::<ExplainedDevices>()),
    ("findings", "What `palisade validate` found", || of::<Findings<'static>>()),
    ("freeze", "Whether a Palisade workspace is frozen", || of::<FreezeStatus>()),
    ("guardrails", "Guardrails as `palisade plan --explain-guardrails` explains them", || {
        of::<Guardrails>()
    }),
    ("journal", "One line of a Palisade journal", journal::schema),
    ("plan", "A Palisade plan file", plan::file::schema),
    ("run", "How a Palisade run ended", || of::<RunResult>()),
    ("run-checks", "What `palisade runs verify` found", || of::<RunChecks>()),
    ("run-entries", "The journal of a Palisade run", || of::<RunEntries>()),
    ("runs", "Palisade runs", || of::<Runs>()),
    ("scores", "Exposure scores as `palisade scores` shows them", || of::<Listed<Vec<Scores>>>()),
];

type Rows<T> = Listed<Vec<Listing<T>>>;

fn of<T: JsonSchema>() -> Value {
    schemars::schema_for!(T).to_value()
}

/// Every schema with its file name, in the order of names.
#[must_use]
pub fn all() -> Vec<(String, Value)> {
    let authored: [Published; 2] = [
        ("policy", "A Palisade policy", policy),
        ("workspace", "A Palisade workspace", schemas::workspace),
    ];
    let mut all: Vec<(String, Value)> = PUBLISHED
        .iter()
        .chain(&authored)
        .map(|(name, title, schema)| {
            let file = format!("{name}.schema.json");
            let schema = finish(&file, title, schema());
            (file, schema)
        })
        .collect();
    all.sort_by(|left, right| left.0.cmp(&right.0));
    all
}

/// One schema by its short name: a kind of policy, or the name of a file without `.schema.json`.
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
    let published = PUBLISHED.iter().map(|(name, ..)| *name);
    let kinds = PolicyKind::ALL.iter().map(|kind| kind.word());
    ["policy", "workspace"].into_iter().chain(published).chain(kinds).collect()
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
