//! Whether a workspace is frozen, for people and programs.
//!
//! Pure. Called by `cli::commands::freeze`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::plan::Freeze;
use crate::plan::freeze::FILE;
use crate::report::{measure, reason};

/// Version of the JSON form.
pub const FORMAT_VERSION: u32 = 1;

/// Whether a workspace is frozen, by whom and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FreezeStatus {
    /// Version of this format.
    pub format_version: u32,
    /// Whether applies are refused now.
    pub frozen: bool,
    /// Name of the freeze file, beside `palisade.yaml`.
    pub file: String,
    /// Who froze it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// When (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub at: Option<Timestamp>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// When it ends by itself, or ended (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub until: Option<Timestamp>,
    /// What of the file could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// One line.
#[must_use]
pub fn text(freeze: Option<&Freeze>, now: Timestamp) -> String {
    let text = match freeze {
        None => "not frozen".to_owned(),
        Some(freeze) if freeze.is_in_force(now) => reason::sentence(&freeze.reason()),
        Some(freeze) => {
            let until = freeze.until.map(measure::instant).unwrap_or_default();
            format!("not frozen: the freeze ended at {until}")
        }
    };
    format!("{text}\n").replace(measure::NO_BREAK, " ")
}

/// As JSON, with a line feed at its end.
#[must_use]
pub fn json(freeze: Option<&Freeze>, now: Timestamp) -> String {
    let said = freeze.cloned().unwrap_or_default();
    let status = FreezeStatus {
        format_version: FORMAT_VERSION,
        frozen: freeze.is_some_and(|freeze| freeze.is_in_force(now)),
        file: FILE.to_owned(),
        by: said.by,
        at: said.at,
        because: said.because,
        until: said.until,
        trouble: said.trouble,
    };
    let mut text = serde_json::to_string_pretty(&status).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_and_the_json_say_the_same() {
        let now: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        let ended = Freeze::parse("by: ada\nuntil: 2026-11-26T09:00:00Z");
        let bare = Freeze::default();
        for (freeze, line, frozen) in [
            (None, "not frozen\n", false),
            (Some(&bare), "the workspace is frozen\n", true),
            (Some(&ended), "not frozen: the freeze ended at 2026-11-26 09:00Z\n", false),
        ] {
            assert_eq!(text(freeze, now), line);
            let status: FreezeStatus = serde_json::from_str(&json(freeze, now)).unwrap();
            assert_eq!((status.frozen, status.format_version), (frozen, 1));
        }
        let loud = Freeze::parse("by: a\u{1b}[31mda\nbecause: x\nat: now");
        assert_eq!(
            text(Some(&loud), now),
            "the workspace is frozen by a [31mda: x (the file cannot be read whole: `at` is not a time)\n"
        );
    }
}
