//! `--where tag=ir-7781`: a selector of the policy language, typed on the command line.
//!
//! The text becomes a policy document and goes through the same reader and checks as any policy,
//! so that terms, near-word hints and meanings are the same.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::cli::error::{CliError, Result};
use crate::diag::Finding;
use crate::policy::selector::DeviceExpr;
use crate::policy::{self, SourceText, Workspace};

/// Signs between a term's name and its value, longest first.
const SIGNS: [&str; 5] = [">=", "<=", "=", ">", "<"];

/// The selector of all conditions together; nothing when there is none.
///
/// # Errors
/// When a condition is not `TERM=VALUE` or its term or value is none of the policy language.
pub fn devices(
    conditions: &[String],
    workspace: Option<&Workspace>,
    now: Timestamp,
) -> Result<Option<DeviceExpr>> {
    if conditions.is_empty() {
        return Ok(None);
    }
    let terms: Vec<Value> = conditions.iter().map(|text| term(text)).collect::<Result<_>>()?;
    let document = json!({
        "apiVersion": "palisade/v1", "kind": "IsolationSet", "metadata": { "name": "where" },
        "spec": { "devices": { "all": terms }, "lease": "1h", "comment": "never applied" },
    });
    let source = SourceText { file: "--where".into(), text: document.to_string().into() };
    let loaded = policy::load(workspace, &[source], now);
    let mut errors = loaded.findings.iter().filter(|finding| finding.is_error());
    if let Some(first) = errors.next() {
        return Err(explain(first));
    }
    let found = loaded.set.and_then(|set| set.isolation.into_iter().next());
    Ok(found.map(|policy| policy.containment.devices))
}

fn explain(finding: &Finding) -> CliError {
    let error = CliError::new(format!("`--where`: {}", finding.message));
    error.help(finding.help.clone().unwrap_or_else(|| finding.code.help().to_owned()))
}

/// `risk>=medium` is the term `risk` with the value `>=medium`; commas make alternatives.
fn term(text: &str) -> Result<Value> {
    let split = text.char_indices().find_map(|(at, _)| {
        let rest = text.get(at..)?;
        let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign))?;
        Some((text.get(..at)?, *sign, rest.get(sign.len()..)?))
    });
    let Some((name, sign, value)) = split.filter(|(name, ..)| !name.is_empty()) else {
        return Err(CliError::new(format!("`--where {text}` is not TERM=VALUE")).help(
            "such as `tag=ir-7781`, `group=EMEA-Servers,EMEA-Workstations`, `risk>=medium`",
        ));
    };
    let prefix = if sign == "=" { "" } else { sign };
    let one = |part: &str| match (prefix, part) {
        ("", "true") => Value::Bool(true),
        ("", "false") => Value::Bool(false),
        _ => Value::String(format!("{prefix}{}", part.trim())),
    };
    let mut parts: Vec<Value> = value.split(',').map(one).collect();
    let value = match parts.len() {
        1 => parts.remove(0),
        _ => Value::Array(parts),
    };
    let mut map = Map::new();
    map.insert(name.trim().to_owned(), value);
    Ok(Value::Object(map))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_become_terms() {
        for (text, value) in [
            ("tag=ir-7781", json!({ "tag": "ir-7781" })),
            ("risk>=medium", json!({ "risk": ">=medium" })),
            ("seen<7d", json!({ "seen": "<7d" })),
            ("group=a, b", json!({ "group": ["a", "b"] })),
            ("joined=true", json!({ "joined": true })),
            ("name=a=b", json!({ "name": "a=b" })),
        ] {
            assert_eq!(term(text).unwrap(), value, "{text}");
        }
        assert!(term("tag").is_err() && term("=x").is_err());
    }
}
