//! The shape of a document: JSON Schema validation, its errors brought back to places and words.
//!
//! First the envelope, then the `spec` by the schema of its `kind`: one schema over all kinds would
//! answer every mistake with "not valid under any of the schemas". What a check of `policy::checks`
//! says about the same place is more precise and replaces what is said here (`load` sees to it).

pub(super) mod limit;
mod message;

use std::sync::{Arc, LazyLock};

use jsonschema::Validator;
use serde_json::Value;

use crate::diag::{Code, Finding};
use crate::policy::document::schemas;
use crate::policy::set::PolicyKind;
use crate::policy::yaml::Node;

/// A schema, compiled, with its text to look up what is allowed.
struct Shape {
    schema: Value,
    validator: Option<Validator>,
}

impl Shape {
    fn new(schema: Value) -> Self {
        // The schemas are ours; a test proves that they compile.
        let validator = jsonschema::draft202012::new(&schema).ok();
        Self { schema, validator }
    }
}

static ENVELOPE: LazyLock<Shape> = LazyLock::new(|| Shape::new(schemas::envelope()));
static WORKSPACE: LazyLock<Shape> = LazyLock::new(|| Shape::new(schemas::workspace()));
static SPECS: LazyLock<Vec<(PolicyKind, Shape)>> = LazyLock::new(|| {
    PolicyKind::ALL.iter().map(|kind| (*kind, Shape::new(schemas::spec(*kind)))).collect()
});

/// What is wrong with the envelope of a policy document.
#[must_use]
pub(super) fn envelope(file: &Arc<str>, root: &Node) -> Vec<Finding> {
    check(&ENVELOPE, file, root, root, &[])
}

/// What is wrong with the `spec` of a document of a kind.
#[must_use]
pub(super) fn spec(file: &Arc<str>, root: &Node, kind: PolicyKind) -> Vec<Finding> {
    let Some(spec) = root.get("spec") else { return Vec::new() };
    let Some((_, shape)) = SPECS.iter().find(|(known, _)| *known == kind) else {
        return Vec::new();
    };
    check(shape, file, root, spec, &["spec".to_owned()])
}

/// What is wrong with `palisade.yaml`.
#[must_use]
pub(super) fn workspace(file: &Arc<str>, root: &Node) -> Vec<Finding> {
    check(&WORKSPACE, file, root, root, &[])
}

fn check(
    shape: &Shape,
    file: &Arc<str>,
    root: &Node,
    part: &Node,
    prefix: &[String],
) -> Vec<Finding> {
    let Some(validator) = &shape.validator else {
        let message = "the schema of this kind cannot be used: a fault of this program";
        return vec![Finding::new(Code::WrongType, file, part.place.clone(), message)];
    };
    let value = part.to_json();
    let mut writer =
        message::Writer { file, root, prefix, schema: &shape.schema, findings: vec![] };
    for error in validator.iter_errors(&value) {
        writer.explain(&error);
    }
    writer.findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_compiles() {
        assert!(ENVELOPE.validator.is_some());
        assert!(WORKSPACE.validator.is_some());
        assert!(SPECS.iter().all(|(_, shape)| shape.validator.is_some()));
    }
}
