//! Runs as their journals tell them: a list, and how each stands.
//!
//! Pure: entries in, rows and text out. Called by `cli::commands::runs`.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::apply::{Entry, JournalEntry, Outcome, Summary};
use crate::report::page::{Page, Role, piece};
use crate::report::table::{self, Column};
use crate::report::{Style, measure};

mod check;
mod journal;
mod standing;

pub use check::{RunCheck, RunChecks, Verdict, checks, checks_json};
pub use journal::{RunEntries, entries, entries_json};
pub use standing::standing;

/// Version of the JSON form.
pub const FORMAT_VERSION: u32 = 1;

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// It came to its end.
    Finished,
    /// It was stopped; `runs resume` finishes it.
    Stopped,
    /// It was killed, or is still running.
    Open,
    /// Its journal is not what was written.
    Broken,
}

impl State {
    /// The word on screen.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Open => "open",
            Self::Broken => "broken",
        }
    }
}

/// What a journal says about its run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Run {
    /// Its name.
    pub run: String,
    /// How it stands.
    pub state: State,
    /// When it began (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub started: Option<Timestamp>,
    /// When its last entry was written (UTC).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>")]
    pub updated: Option<Timestamp>,
    /// Hash of the plan it carries out.
    pub plan_hash: String,
    /// Changes of the plan.
    pub total: u32,
    /// Changes that have ended, by outcome.
    pub counts: BTreeMap<Outcome, u32>,
    /// What is wrong with the journal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

impl Run {
    /// Reads the entries of a journal.
    #[must_use]
    pub fn of(name: &str, entries: &[JournalEntry]) -> Self {
        let mut run = Self {
            run: name.to_owned(),
            state: State::Open,
            started: None,
            updated: entries.last().map(|entry| entry.time),
            plan_hash: String::new(),
            total: 0,
            counts: summary(entries).counts,
            trouble: None,
        };
        for entry in entries {
            match &entry.entry {
                Entry::Started { plan_hash, changes, .. } => {
                    run.started = Some(entry.time);
                    run.plan_hash.clone_from(plan_hash);
                    run.total = *changes;
                }
                Entry::Stopped { .. } => run.state = State::Stopped,
                Entry::Resumed { .. } => run.state = State::Open,
                Entry::Finished { .. } => run.state = State::Finished,
                _ => {}
            }
        }
        run
    }

    /// A run whose journal cannot be read.
    #[must_use]
    pub fn broken(name: &str, trouble: String) -> Self {
        Self { state: State::Broken, trouble: Some(trouble), ..Self::of(name, &[]) }
    }
}

/// The changes that have ended so far, and why the run stopped, if it did.
#[must_use]
pub fn summary(entries: &[JournalEntry]) -> Summary {
    let mut outcomes = BTreeMap::new();
    let mut stopped = None;
    for entry in entries {
        match &entry.entry {
            Entry::Outcome { change, ended } => {
                outcomes.insert(change.clone(), ended.clone());
            }
            Entry::Stopped { reason } => stopped = Some(reason.clone()),
            Entry::Resumed { .. } => stopped = None,
            _ => {}
        }
    }
    Summary::of(outcomes, stopped)
}

/// The list of runs, newest first as given.
#[must_use]
pub fn list(runs: &[Run], style: Style) -> String {
    let mut page = Page::new(style);
    if runs.is_empty() {
        page.line(0, &[piece(Role::Dim, "No runs.")]);
        return page.finish();
    }
    let columns = [
        Column::text("run", 23),
        Column::text("began", 17),
        Column::text("plan", 6),
        Column::text("state", 8),
        Column::number("changes"),
        Column::text("ended so far", 12),
    ];
    let rows: Vec<Vec<String>> = runs.iter().map(row).collect();
    table::write(&mut page, &columns, &rows);
    page.finish().replace(measure::NO_BREAK, " ")
}

fn row(run: &Run) -> Vec<String> {
    let ended: Vec<String> = Outcome::ALL
        .iter()
        .filter_map(|outcome| Some(format!("{} {}", run.counts.get(outcome)?, outcome.word())))
        .collect();
    let said = run.trouble.clone().unwrap_or_else(|| ended.join(" + "));
    vec![
        run.run.clone(),
        run.started.map(measure::instant).unwrap_or_default(),
        run.plan_hash.chars().take(6).collect(),
        run.state.word().to_owned(),
        measure::number(run.total.into()),
        said,
    ]
}

/// The list of runs as other programs read it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Runs {
    /// Version of this format.
    pub format_version: u32,
    /// Newest first.
    pub runs: Vec<Run>,
}

/// The list as JSON, with a line feed at its end.
#[must_use]
pub fn json(runs: &[Run]) -> String {
    page(&Runs { format_version: FORMAT_VERSION, runs: runs.to_vec() })
}

fn page(value: &impl Serialize) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::Ended;
    use crate::apply::journal::Chain;
    use crate::plan::Lift;
    use crate::plan::types::Reason;

    pub(super) fn journal(list: &[Entry]) -> Vec<JournalEntry> {
        let mut chain = Chain::default();
        let at: Timestamp = "2026-11-23T10:02:00Z".parse().unwrap();
        list.iter().map(|entry| chain.line(at, entry.clone()).unwrap().1).collect()
    }

    pub(super) fn started() -> Entry {
        Entry::Started {
            format_version: 1,
            run: None,
            plan_hash: "7f3c9a00".into(),
            tool: "palisade 0.1.0".into(),
            workspace: "w".into(),
            tenants: BTreeMap::new(),
            changes: 2,
            lifts: vec![Lift { code: "cap-run".into(), because: "IR-7781".into() }],
        }
    }

    #[test]
    fn a_journal_says_how_its_run_stands() {
        let done =
            |id: &str| Entry::Outcome { change: id.into(), ended: Ended::plain(Outcome::Done) };
        let stop = Entry::Stopped { reason: Reason::new("interrupted") };
        let resumed = Entry::Resumed { tool: "palisade 0.1.0".into(), withheld: None };
        let end = Entry::Finished { counts: BTreeMap::new(), total: 2 };
        for (list, state, ended) in [
            (vec![started(), done("a")], State::Open, 1),
            (vec![started(), done("a"), stop.clone()], State::Stopped, 1),
            (vec![started(), stop.clone(), resumed.clone(), done("a")], State::Open, 1),
            (vec![started(), stop, resumed, done("a"), done("b"), end], State::Finished, 2),
        ] {
            let run = Run::of("20261123T100200Z-7f3c9a", &journal(&list));
            assert_eq!((run.state, run.counts.values().sum::<u32>()), (state, ended));
            assert_eq!((run.total, run.plan_hash.as_str()), (2, "7f3c9a00"));
        }
    }

    #[test]
    fn the_list_fits_and_shows_broken_journals() {
        let runs = [
            Run::of("20261123T100200Z-7f3c9a", &journal(&[started()])),
            Run::broken("20261124T100200Z-7f3c9b", "line 3 is not an entry".into()),
        ];
        let text = list(&runs, Style::new(60, false));
        assert!(text.contains("open") && text.contains("broken"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
        let value: serde_json::Value = serde_json::from_str(&json(&runs)).unwrap();
        assert_eq!(value["runs"][1]["state"], "broken");
    }
}
