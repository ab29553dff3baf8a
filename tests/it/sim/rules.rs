//! Alert rules of a simulated workspace: as the author writes them, and what they mean to the
//! reference model.
//!
//! `policy` draws and writes them; `on_alerts` asks `wish` what they want of an alert. In the
//! plainest words; shares nothing with the product's selectors and planner.

use std::fmt::Write as _;

use palisade::emulator::tenant::Handling;
use palisade::model::{AlertStatus, Classification, Determination, Severity};

use super::alerts::Look;
use super::policy::{Doc, Kind, Pick, name};
use super::reference::{Mark, mark};
use super::transition::Draw;
use super::world::Site;

/// An alert rule, beside what every document has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    /// A pattern of the title, and whether it must match or must not.
    title: Option<(&'static str, bool)>,
    /// The lowest and the highest severity.
    severity: Option<(Severity, Severity)>,
    /// Empty for any.
    status: &'static [AlertStatus],
    /// Whether a device of the alert must be one that the document picks.
    pub(super) device: bool,
    priority: u32,
    overwrite: bool,
    set: Set,
}

/// What an alert is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) status: Option<AlertStatus>,
    pub(super) classification: Option<Classification>,
    pub(super) determination: Option<Determination>,
    pub(super) assigned_to: Option<&'static str>,
    pub(super) comment: bool,
}

const PATTERNS: &[(&str, bool)] = &[
    ("*mimikatz*", true),
    ("Suspicious*", true),
    ("*behavior", true),
    ("*", true),
    ("*MIMIKATZ*", false),
];
const LOW: (Severity, Severity) = (Severity::Unknown, Severity::Medium);
const HIGH: (Severity, Severity) = (Severity::Medium, Severity::High);
const NEW: &[AlertStatus] = &[AlertStatus::New];
const OPEN: &[AlertStatus] = &[AlertStatus::New, AlertStatus::InProgress];

impl Set {
    /// A status only ever goes forward, so that two rules cannot hand an alert to each other for ever.
    fn draw(draw: &mut Draw, only_new: bool) -> Self {
        let verdict = match draw.below(6) {
            0 | 1 => (
                Some(Classification::InformationalExpectedActivity),
                Some(Determination::SecurityTesting),
            ),
            2 => (Some(Classification::FalsePositive), Some(Determination::NotMalicious)),
            3 => (Some(Classification::TruePositive), None),
            _ => (None, None),
        };
        let status = match draw.below(3) {
            0 => Some(AlertStatus::Resolved),
            1 if only_new => Some(AlertStatus::InProgress),
            _ => None,
        };
        let assigned_to = draw.chance(30).then_some("soc@contoso.example");
        let (classification, determination) = verdict;
        let set = Self { status, classification, determination, assigned_to, comment: false };
        let comment = draw.chance(50) || set == Self::default();
        Self { comment, ..set }
    }

    fn yaml(self) -> String {
        let Self { status, classification, determination, assigned_to, comment } = self;
        let mut members = Vec::new();
        members.extend(status.map(|it| format!("status: {}", it.word())));
        members.extend(classification.map(|it| format!("classification: {}", it.word())));
        members.extend(determination.map(|it| format!("determination: {}", it.word())));
        members.extend(assigned_to.map(|it| format!("assignedTo: {it}")));
        members.extend(comment.then(|| "comment: by rule".to_owned()));
        members.join(", ")
    }

    fn contradicts(self, other: Self) -> bool {
        fn apart<T: PartialEq>(a: Option<T>, b: Option<T>) -> bool {
            a.zip(b).is_some_and(|(a, b)| a != b)
        }
        apart(self.status, other.status)
            || apart(self.classification, other.classification)
            || apart(self.determination, other.determination)
            || apart(self.assigned_to, other.assigned_to)
    }
}

impl Rule {
    pub(super) fn draw(draw: &mut Draw) -> Self {
        let status = draw.pick(&[&[][..], NEW, NEW, OPEN]);
        Self {
            title: Some(draw.pick(PATTERNS)),
            severity: draw.chance(35).then(|| draw.pick(&[LOW, HIGH])),
            status,
            device: draw.chance(30),
            priority: draw.pick(&[50, 100, 100]),
            overwrite: draw.chance(25),
            set: Set::draw(draw, status == NEW),
        }
    }

    /// The same rule with that assignee.
    pub(super) fn assigning(self, who: &'static str) -> Self {
        Self { set: Set { assigned_to: Some(who), ..self.set }, ..self }
    }

    /// Everything of the document but its head.
    pub(super) fn yaml(self, mode: &str, pick: &str) -> String {
        let Self { title, severity, status, device, priority, overwrite, set } = self;
        let mut terms = Vec::new();
        terms.extend(title.map(|(pattern, holds)| match holds {
            true => format!("title: \"{pattern}\""),
            false => format!("not: {{title: \"{pattern}\"}}"),
        }));
        terms.extend(severity.map(|(_, most)| match most {
            Severity::High => "severity: \">=medium\"".to_owned(),
            _ => "severity: \"<=medium\"".to_owned(),
        }));
        if !status.is_empty() {
            let words: Vec<&str> = status.iter().map(|status| status.word()).collect();
            terms.push(format!("status: [{}]", words.join(", ")));
        }
        terms.extend(device.then(|| format!("device: {pick}")));
        let (terms, set) = (terms.join(", "), set.yaml());
        let mut spec = format!("mode: {mode}, priority: {priority}, alerts: {{{terms}}}");
        let _ = write!(spec, ", set: {{{set}}}, overwriteAnalyst: {overwrite}");
        spec
    }

    fn selects(self, pick: Pick, alert: &Look) -> bool {
        let title = self.title.is_none_or(|(pattern, holds)| {
            let (title, text) = (alert.title.to_lowercase(), pattern.to_lowercase());
            let bare = text.trim_matches('*');
            let matches = match (text.starts_with('*'), text.ends_with('*')) {
                (true, true) => title.contains(bare),
                (false, true) => title.starts_with(bare),
                (true, false) => title.ends_with(bare),
                (false, false) => title == text,
            };
            matches == holds
        });
        title
            && self
                .severity
                .is_none_or(|(least, most)| least <= alert.severity && alert.severity <= most)
            && (self.status.is_empty() || self.status.contains(&alert.handling.status))
            && (!self.device || alert.devices.iter().any(|device| pick.selects(device)))
    }
}

/// Rules that select an alert, with their names, in the order in which they go.
pub(super) fn selecting<'s>(site: &'s Site, alert: &Look) -> Vec<(String, &'s Doc, Rule)> {
    let mut found: Vec<(String, &Doc, Rule)> = Vec::new();
    for (slot, doc) in &site.docs {
        match doc.kind {
            Kind::Alerts(rule) if rule.selects(doc.pick, alert) => {
                found.push((name(*slot), doc, rule));
            }
            _ => {}
        }
    }
    found.sort_by(|(a, _, left), (b, _, right)| (left.priority, a).cmp(&(right.priority, b)));
    found
}

/// What the rules of a workspace want of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// No rule in force selects it.
    Unselected,
    /// It is so already.
    Nothing,
    /// Two rules of one rank contradict each other.
    Conflict,
    /// A person's verdict stands in the way.
    Judged,
    /// Somebody took the rule's word back.
    Undone,
    /// To be set, by the rule of this name.
    Do(String, Set),
}

pub(super) fn wish(site: &Site, alert: &Look) -> Wish {
    let rules = selecting(site, alert);
    let mut rules = rules.iter().filter(|(_, doc, _)| !doc.audit);
    let Some((name, _, rule)) = rules.next() else { return Wish::Unselected };
    let mut rivals = rules.take_while(|(.., other)| other.priority == rule.priority);
    if rivals.any(|(.., other)| other.set.contradicts(rule.set)) {
        return Wish::Conflict;
    }
    let now = &alert.handling;
    let marks = marks(site, alert);
    let by_rule = || marks.iter().filter(|(mark, _)| is_called(&mark.policy, name));
    let judged = now.classification != Classification::Unknown
        || now.determination != Determination::Unknown;
    let persons = judged && !rule.overwrite && !is_given(now, &marks);
    let assigned = now.assigned_to.as_deref().unwrap_or_default().to_lowercase();
    let mut set = Set {
        status: rule.set.status.filter(|wanted| *wanted != now.status),
        classification: rule.set.classification.filter(|wanted| *wanted != now.classification),
        determination: rule.set.determination.filter(|wanted| *wanted != now.determination),
        assigned_to: rule.set.assigned_to.filter(|wanted| *wanted != assigned),
        comment: false,
    };
    let verdict = set.classification.is_some() || set.determination.is_some();
    if by_rule().next_back().is_some_and(|(_, text)| text.starts_with("undo of "))
        && set != Set::default()
    {
        return Wish::Undone;
    }
    if persons && verdict {
        return Wish::Judged;
    }
    // The service keeps a classification and its determination together.
    if set.classification.is_some() {
        set.determination = rule.set.determination;
    }
    let said = by_rule().next().is_some();
    set.comment = verdict || rule.set.comment && !said && !persons;
    if set == Set::default() { Wish::Nothing } else { Wish::Do(name.clone(), set) }
}

/// Whether the verdict is the one that the last comment of ours which names any says.
fn is_given(now: &Handling, marks: &[(Mark, &str)]) -> bool {
    let named = marks.iter().rev().find_map(|(_, text)| {
        let (_, rest) = text.split_once("(verdict ")?;
        rest.split_once(')').map(|(note, _)| note.to_owned())
    });
    named == Some(format!("{}/{}", now.classification.word(), now.determination.word()))
}

/// Comments of the alert that are the workspace's own, oldest first.
fn marks<'a>(site: &Site, alert: &'a Look) -> Vec<(Mark, &'a str)> {
    let marked = alert.comments.iter().filter_map(|text| Some((mark(text)?, text.as_str())));
    marked.filter(|(mark, _)| mark.site == site.id).collect()
}

/// Whether a marker names that policy: a long name stands there with its end cut off.
pub(super) fn is_called(marked: &str, name: &str) -> bool {
    match marked.split_once('~') {
        Some((kept, _)) => name.starts_with(kept),
        None => marked == name,
    }
}
