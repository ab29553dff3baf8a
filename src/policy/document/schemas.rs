//! JSON Schemas (draft 2020-12) of the documents, generated from the types beside this file.
//!
//! Used twice: `policy::shape` validates with them, `crate::schema` publishes them. A null never
//! appears in a document, so the `null` that optional fields would allow is taken out again: it
//! hides the inner error behind an `anyOf` and shows up in completions.

use schemars::generate::SchemaSettings;
use schemars::transform::{RestrictFormats, transform_subschemas};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value};

use crate::policy::document as doc;
use crate::policy::set::PolicyKind;

/// The schema of a type, without `null` for absent members.
#[must_use]
pub fn of<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12()
        .with(|settings| settings.inline_subschemas = false)
        .with_transform(RestrictFormats::default())
        .with_transform(without_null);
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// The schema of what every document has; `spec` may be any mapping.
#[must_use]
pub fn envelope() -> Value {
    of::<doc::Envelope<Map<String, Value>>>()
}

/// The schema of the `spec` of a kind.
#[must_use]
pub fn spec(kind: PolicyKind) -> Value {
    match kind {
        PolicyKind::IsolationSet => of::<doc::IsolationSetSpec>(),
        PolicyKind::CodeExecutionRestriction => of::<doc::CodeExecutionRestrictionSpec>(),
        PolicyKind::ScanSchedule => of::<doc::ScanScheduleSpec>(),
        PolicyKind::AlertRule => of::<doc::AlertRuleSpec>(),
        PolicyKind::Exemption => of::<doc::ExemptionSpec>(),
    }
}

/// The schema of `palisade.yaml`.
#[must_use]
pub fn workspace() -> Value {
    of::<doc::WorkspaceDocument>()
}

/// Takes `null` out of types, unions, enums and defaults.
fn without_null(schema: &mut Schema) {
    if let Some(object) = schema.as_object_mut() {
        strip(object);
    }
    transform_subschemas(&mut without_null, schema);
}

fn strip(object: &mut Map<String, Value>) {
    if object.get("default") == Some(&Value::Null) {
        object.remove("default");
    }
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = types.as_slice() {
            let only = only.clone();
            object.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(members)) = object.get_mut("enum") {
        members.retain(|member| !member.is_null());
    }
    let is_null = |branch: &Value| branch.get("type") == Some(&Value::from("null"));
    let Some(Value::Array(branches)) = object.get_mut("anyOf") else { return };
    if !branches.iter().any(is_null) {
        return;
    }
    branches.retain(|branch| !is_null(branch));
    if let [Value::Object(only)] = branches.as_slice() {
        let only = only.clone();
        object.remove("anyOf");
        for (key, value) in only {
            object.entry(key).or_insert(value);
        }
    }
}
