//! Whether the files of runs are what was written, for `runs verify`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{FORMAT_VERSION, page};
use crate::report::page::{Page, Role, piece, plain};
use crate::report::{Style, escape, measure};

/// Whether a run's files are what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// They are, and the run came to its end or was stopped.
    Ok,
    /// They are, and the run is under way.
    UnderWay,
    /// Nothing vouches for the end: the run was killed, or the end was cut off.
    NoEnd,
    /// They are not, or one is missing.
    Broken,
}

impl Verdict {
    /// Whether nobody has to look into it.
    #[must_use]
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Ok | Self::UnderWay)
    }
}

/// A run whose files were checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunCheck {
    /// Its name.
    pub run: String,
    /// What came of it.
    pub verdict: Verdict,
    /// Entries of its journal that hold.
    pub entries: u32,
    /// What is wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// Checked runs as other programs read them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RunChecks {
    /// Version of this format.
    pub format_version: u32,
    /// Oldest first.
    pub runs: Vec<RunCheck>,
}

/// Checked runs, one line each.
#[must_use]
pub fn checks(runs: &[RunCheck], style: Style) -> String {
    let mut page = Page::new(style);
    if runs.is_empty() {
        page.line(0, &[piece(Role::Dim, "No runs.")]);
    }
    for check in runs {
        let (word, role) = match check.verdict {
            Verdict::Ok => ("ok       ", Role::Good),
            Verdict::UnderWay => ("under way", Role::Good),
            Verdict::NoEnd => ("NO END   ", Role::Warn),
            Verdict::Broken => ("BROKEN   ", Role::Danger),
        };
        let entries = measure::plural(check.entries.into(), "entry", "entries");
        let what = check.trouble.as_deref().map_or(entries, |text| escape::name(text, 400));
        let run = escape::terminal(&check.run);
        page.line(11, &[piece(role, word), plain(format!("  {run}  {what}"))]);
    }
    page.finish().replace(measure::NO_BREAK, " ")
}

/// Checked runs as JSON, with a line feed at its end.
#[must_use]
pub fn checks_json(runs: &[RunCheck]) -> String {
    page(&RunChecks { format_version: FORMAT_VERSION, runs: runs.to_vec() })
}
