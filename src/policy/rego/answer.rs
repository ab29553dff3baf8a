//! What a `deny` or `warn` may give: texts, or objects with a text and more.

use serde_json::Value;

use crate::model::text::is_blank;
use crate::policy::rego::code;

/// One sentence of a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    /// Whether it denies, or only warns.
    pub denies: bool,
    /// The package, without `data.`.
    pub package: String,
    /// A file of the package, relative to the workspace.
    pub file: String,
    /// `msg`; may quote untrusted text.
    pub message: String,
    /// The code of its objection, out of `code` or the package.
    pub code: String,
    /// Ids of changes it is about; all when it names none.
    pub changes: Vec<String>,
    /// The verb it is about.
    pub verb: Option<String>,
    /// The setting that would change it.
    pub setting: Option<String>,
}

/// The sentences of one rule, or why they are none.
pub(super) fn read(
    value: &Value,
    denies: bool,
    package: &str,
    file: &str,
) -> Result<Vec<Said>, String> {
    let Value::Array(items) = value else {
        return Err(format!("gives {}, not a set of texts or objects", kind(value)));
    };
    let said = |item: &Value| {
        let blank = Said {
            denies,
            package: package.to_owned(),
            file: file.to_owned(),
            message: String::new(),
            code: String::new(),
            changes: Vec::new(),
            verb: None,
            setting: None,
        };
        one(item, package, blank)
    };
    items.iter().map(said).collect()
}

fn one(item: &Value, package: &str, mut said: Said) -> Result<Said, String> {
    let mut own = None;
    match item {
        Value::String(text) => said.message.clone_from(text),
        Value::Object(members) => {
            for (key, value) in members {
                let text = || value.as_str().map(str::to_owned);
                let wrong = || format!("gives {} as `{key}`", kind(value));
                match key.as_str() {
                    "msg" => said.message = text().ok_or_else(wrong)?,
                    "code" => own = Some(text().ok_or_else(wrong)?),
                    "verb" => said.verb = Some(text().ok_or_else(wrong)?),
                    "setting" => said.setting = Some(text().ok_or_else(wrong)?),
                    "changes" => said.changes = ids(value).ok_or_else(wrong)?,
                    _ => return Err(format!("gives `{key}`, which is none of {KEYS}")),
                }
            }
        }
        other => return Err(format!("gives {}, not a text or an object", kind(other))),
    }
    if is_blank(&said.message) {
        return Err("gives no `msg`".to_owned());
    }
    said.code = match own {
        Some(own) => code::of(&own).map_err(|why| format!("gives a `code` that {why}"))?,
        None => code::of(package).map_err(|why| format!("gives no `code`, and its name {why}"))?,
    };
    Ok(said)
}

const KEYS: &str = "`msg`, `code`, `changes`, `verb` and `setting`";

fn ids(value: &Value) -> Option<Vec<String>> {
    let ids = value.as_array()?.iter();
    let mut ids: Vec<String> =
        ids.map(|id| id.as_str().map(str::to_owned)).collect::<Option<_>>()?;
    ids.sort();
    ids.dedup();
    Some(ids)
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
