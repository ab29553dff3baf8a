//! Leases that end soon and leases that were moved, as rows of the table and as blocks under it.
//!
//! Called by `screen` and `markdown`; numbers and names come from here for both.

use std::collections::BTreeMap;

use crate::model::DeviceValue;
use crate::plan::standing::LeaseRow;
use crate::plan::types::Plan;
use crate::report::page::{Page, Role, join, piece, plain};
use crate::report::plan::view;
use crate::report::{escape, measure, reason};

/// Names up to so many are all written out.
const FOLD_ABOVE: usize = 8;
/// How many names stand for a longer list.
const FOLD_TO: usize = 3;

/// A list of leases, as the table has it.
pub(super) struct List<'a> {
    pub(super) sign: char,
    pub(super) word: &'static str,
    pub(super) rows: Vec<&'a LeaseRow>,
}

/// The lists of one tenant that are not empty.
pub(super) fn lists<'a>(plan: &'a Plan, tenant: &str) -> Vec<List<'a>> {
    let of = |sign, word, rows: &'a [LeaseRow]| List {
        sign,
        word,
        rows: rows.iter().filter(|row| row.tenant == tenant).collect(),
    };
    let lists = [of('e', "ending", &plan.ending), of('~', "lease", &plan.leases)];
    lists.into_iter().filter(|list| !list.rows.is_empty()).collect()
}

impl List<'_> {
    /// How many.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.rows.len()).unwrap_or(u32::MAX)
    }

    /// What the table says beside the count.
    pub(super) fn notes(&self, plan: &Plan) -> Vec<String> {
        let mut counts: BTreeMap<String, u64> = BTreeMap::new();
        for row in &self.rows {
            let text = match &row.reason {
                Some(reason) if self.word == "lease" => reason::short(reason),
                _ => format!("in 24 h, then {}", row.then.word()),
            };
            *counts.entry(text).or_default() += 1;
        }
        let note = |(text, count): (String, u64)| format!("{} {text}", measure::number(count));
        let mut notes: Vec<String> = counts.into_iter().map(note).collect();
        if self.word == "ending" {
            let first = self.rows.iter().map(|row| row.ends).min();
            notes.extend(first.map(|at| {
                measure::unbroken(&format!("first {}", measure::time_near(at, plan.created_at)))
            }));
        } else {
            notes.push("no call".to_owned());
        }
        notes
    }

    /// Rows that say the same of several devices, with the devices.
    fn groups(&self) -> Vec<Vec<&LeaseRow>> {
        let mut groups: BTreeMap<_, Vec<&LeaseRow>> = BTreeMap::new();
        for row in &self.rows {
            let policies: Vec<&str> = row.because.iter().map(|why| why.name.as_str()).collect();
            let moved = row.reason.as_ref().map(reason::short);
            let minutes = row.ends.as_second() / 60;
            groups.entry((row.facet, minutes, policies, moved)).or_default().push(*row);
        }
        groups.into_values().collect()
    }

    /// The devices, under the summary.
    pub(super) fn blocks(&self, page: &mut Page, plan: &Plan) {
        for group in self.groups() {
            let Some(row) = group.first() else { continue };
            page.gap();
            let head = format!("{} {} {}", self.sign, self.word, measure::count(group.len()));
            let mut heading = vec![
                vec![piece(Role::Strong, measure::unbroken(&head))],
                vec![plain(format!(
                    "{} {}",
                    reason::facet(row.facet),
                    escape::name(&row.value, 40)
                ))],
            ];
            if plan.tenants.len() > 1 {
                heading.push(vec![plain(format!("tenant {}", escape::name(&row.tenant, 40)))]);
            }
            heading.push(vec![plain(end(plan, row))]);
            if let Some(reason) = row.reason.as_ref().filter(|_| self.word == "lease") {
                heading.push(vec![piece(Role::Warn, reason::short(reason))]);
            }
            heading.extend(row.because.iter().map(|why| {
                let place = format!("{}:{}", escape::name(&why.file, 80), why.line);
                vec![
                    piece(Role::Dim, place),
                    plain(" "),
                    piece(Role::Name, escape::name(&why.name, 60)),
                ]
            }));
            page.line(4, &join(heading));
            page.line(8, &[plain("    "), plain(names(&group, measure::unbroken))]);
        }
    }

    /// The devices, as a list in Markdown.
    pub(super) fn markdown(&self, plan: &Plan) -> String {
        let mut out = String::new();
        for group in self.groups() {
            let Some(row) = group.first() else { continue };
            let policies: Vec<String> =
                row.because.iter().map(|why| escape::markdown(&why.name)).collect();
            let mut about = vec![
                format!("{} {}", reason::facet(row.facet), escape::markdown(&row.value)),
                end(plan, row),
                policies.join(", "),
            ];
            if let Some(reason) = row.reason.as_ref().filter(|_| self.word == "lease") {
                about.push(escape::markdown(&reason::short(reason)));
            }
            let names = names(&group, escape::code_span);
            let count = group.len();
            out.push_str(&format!("- {} {count} · {}: {names}\n", self.word, about.join(" · ")));
        }
        out
    }
}

fn end(plan: &Plan, row: &LeaseRow) -> String {
    let left = measure::between(plan.created_at, row.ends);
    let end = format!("ends {} (in {left}), then {}", measure::instant(row.ends), row.then.word());
    match row.written.filter(|_| row.reason.is_some()) {
        Some(written) => format!("{end}, written {}", measure::instant(written)),
        None => end,
    }
}

/// Names by group; those of high value never fold away.
fn names(rows: &[&LeaseRow], dress: impl Fn(&str) -> String) -> String {
    let mut groups: BTreeMap<&str, Vec<&LeaseRow>> = BTreeMap::new();
    for row in rows {
        groups.entry(&row.target.group).or_default().push(row);
    }
    let group = |(group, mut rows): (&str, Vec<&LeaseRow>)| {
        let high = |row: &&LeaseRow| row.target.value == Some(DeviceValue::High);
        rows.sort_by_key(|row| (!high(row), row.target.name.as_str(), row.target.id.as_str()));
        let always = rows.iter().take_while(|row| high(row)).count();
        let total = rows.len();
        if total - always > FOLD_ABOVE {
            rows.truncate(always + FOLD_TO);
        }
        let name = |row: &&LeaseRow| {
            let shown = if row.target.name.is_empty() { &row.target.id } else { &row.target.name };
            let name = dress(&escape::name(shown, escape::NAME_COLUMNS));
            if high(row) { format!("{name} (value high)") } else { name }
        };
        let names: Vec<String> = rows.iter().map(name).collect();
        let more = match total - rows.len() {
            0 => String::new(),
            more => format!(" … {} more", measure::count(more)),
        };
        let group = view::group_name(group);
        format!("{group} {}: {}{more}", measure::count(total), names.join(", "))
    };
    groups.into_iter().map(group).collect::<Vec<_>>().join(" · ")
}
