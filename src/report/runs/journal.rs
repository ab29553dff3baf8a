//! The entries of a journal, for `runs show --entries`: a line each, or as they are.

use schemars::JsonSchema;
use serde::Serialize;

use super::{FORMAT_VERSION, page};
use crate::apply::{Entry, JournalEntry};
use crate::report::page::Page;
use crate::report::table::{self, Column};
use crate::report::{Style, escape, reason};

/// A journal as other programs read it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RunEntries {
    /// Version of this format.
    pub format_version: u32,
    /// Its entries, oldest first.
    pub entries: Vec<JournalEntry>,
}

/// The entries of a journal as JSON, with a line feed at its end.
#[must_use]
pub fn entries_json(entries: &[JournalEntry]) -> String {
    page(&RunEntries { format_version: FORMAT_VERSION, entries: entries.to_vec() })
}

/// The entries of a journal, one line each, for `runs show --entries`.
#[must_use]
pub fn entries(entries: &[JournalEntry], style: Style) -> String {
    let mut page = Page::new(style);
    let columns = [
        Column::number("#"),
        Column::text("time", 20),
        Column::text("entry", 12),
        Column::text("what", 20),
    ];
    let rows: Vec<Vec<String>> = entries
        .iter()
        .map(|entry| {
            let (kind, what) = told(&entry.entry);
            vec![
                entry.seq.to_string(),
                entry.time.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
                kind.to_owned(),
                what,
            ]
        })
        .collect();
    table::write(&mut page, &columns, &rows);
    page.finish()
}

fn told(entry: &Entry) -> (&'static str, String) {
    match entry {
        Entry::Started { plan_hash, tool, changes, lifts, .. } => {
            let lifted: Vec<String> = lifts.iter().map(reason::lift).collect();
            let lifted = if lifted.is_empty() {
                String::new()
            } else {
                format!("; lifted: {}", lifted.join(", "))
            };
            ("started", format!("{changes} changes of plan {plan_hash} by {tool}{lifted}"))
        }
        Entry::Intent { change, part, attempt } => {
            ("intent", format!("{change} {} attempt {attempt}", word(part)))
        }
        Entry::Answer { change, part, answer } => {
            ("answer", format!("{change} {} {}", word(part), word(answer)))
        }
        Entry::Looked { change, part, found, action, absent } => {
            let found = match (found, absent) {
                (true, _) => "found",
                (false, true) => "absent",
                (false, false) => "not found yet",
            };
            let action = action.as_ref().map(ToString::to_string).unwrap_or_default();
            ("looked", format!("{change} {} {found} {action}", word(part)))
        }
        Entry::State { change, action, status } => ("state", format!("{change} {action} {status}")),
        Entry::Outcome { change, ended } => {
            let why = ended.reason.as_ref().map(reason::sentence).unwrap_or_default();
            ("outcome", format!("{change} {} {why}", ended.outcome.word()))
        }
        Entry::WaveBegun { policy, wave, .. } => {
            ("wave", format!("{} wave {wave} began", escape::name(policy, 80)))
        }
        Entry::WaveEnded { policy, wave, failures, offline, .. } => {
            let policy = escape::name(policy, 80);
            let counts = format!("{failures} failed so far, {offline} pending offline");
            ("wave", format!("{policy} wave {wave} ended: {counts}"))
        }
        Entry::WavePaused { policy, wave, .. } => {
            ("wave", format!("{} wave {wave} waits for a person", escape::name(policy, 80)))
        }
        Entry::RolloutHalted { reason: why, .. } => ("halted", reason::sentence(why)),
        Entry::Verification { tenant, confirmed, different } => {
            ("verification", format!("{tenant}: {confirmed} confirmed, {different} different"))
        }
        Entry::Stopped { reason: why } => ("stopped", reason::sentence(why)),
        Entry::Resumed { tool, withheld } => ("resumed", reason::resumed(tool, withheld.as_ref())),
        Entry::Finished { total, .. } => ("finished", format!("{total} changes")),
    }
}

/// A published value without its quotes: the words of the journal file itself.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(text)) => text,
        Ok(other) => other.to_string(),
        Err(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::types::Reason;
    use crate::report::runs::tests::{journal, started};

    #[test]
    fn each_entry_is_one_line() {
        let list = journal(&[started(), Entry::Stopped { reason: Reason::new("interrupted") }]);
        let text = entries(&list, Style::new(80, false));
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains("stopped"), "{text}");
        let wide = entries(&list, Style::new(200, false));
        assert!(wide.contains("; lifted: cap-run because “IR-7781”"), "{wide}");
    }
}
