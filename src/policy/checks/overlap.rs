//! Alert rules of equal priority that can meet on one alert with different verdicts.
//!
//! A warning only: the planner proves it with an alert and makes it an error. Two title patterns count
//! as disjoint unless one would match the other's text; otherwise every pair of rules would overlap.

use std::sync::Arc;

use crate::diag::{Code, Finding, Place};
use crate::policy::checks::contain::called;
use crate::policy::checks::contradiction::clash;
use crate::policy::checks::expr::Sx;
use crate::policy::checks::facts::{Fact, conjuncts};
use crate::policy::selector::ast::AlertTerm;
use crate::policy::set::{Header, Verdict};

/// What is compared between two rules.
#[derive(Clone, Debug)]
pub(crate) struct RuleFacts {
    file: Arc<str>,
    place: Place,
    called: String,
    name: Arc<str>,
    priority: u32,
    enforces: bool,
    facts: Vec<Fact<AlertTerm>>,
    verdict: Verdict,
}

impl RuleFacts {
    pub(super) fn new(
        header: &Header,
        place: Place,
        priority: u32,
        enforces: bool,
        alerts: &Sx<AlertTerm>,
        verdict: &Verdict,
    ) -> Self {
        let mut facts = Vec::new();
        conjuncts(alerts, true, &mut facts, &mut Vec::new());
        Self {
            file: Arc::clone(&header.file),
            place,
            called: called(header),
            name: header.name.as_str().into(),
            priority,
            enforces,
            facts,
            verdict: verdict.clone(),
        }
    }
}

/// A warning for each pair of rules that can meet.
pub(crate) fn overlaps(rules: &[RuleFacts]) -> Vec<Finding> {
    let mut rules: Vec<&RuleFacts> = rules.iter().filter(|rule| rule.enforces).collect();
    rules.sort_by(|a, b| (a.priority, &a.name, &a.file).cmp(&(b.priority, &b.name, &b.file)));
    let mut findings = Vec::new();
    for (at, first) in rules.iter().enumerate() {
        let same = rules.iter().skip(at + 1).take_while(|other| other.priority == first.priority);
        for second in same.filter(|second| differ(&first.verdict, &second.verdict)) {
            let mut facts = first.facts.clone();
            facts.extend(second.facts.iter().cloned());
            if clash(&facts).is_some() || titles_apart(first, second) {
                continue;
            }
            let message =
                format!("{} and {} can match the same alert", first.called, second.called);
            let finding =
                Finding::new(Code::RuleOverlap, &second.file, second.place.clone(), message).label(
                    &first.file,
                    first.place.clone(),
                    "the other rule",
                );
            findings.push(finding);
        }
    }
    findings
}

fn differ(a: &Verdict, b: &Verdict) -> bool {
    fn apart<T: PartialEq>(a: &Option<T>, b: &Option<T>) -> bool {
        matches!((a, b), (Some(a), Some(b)) if a != b)
    }
    let Verdict { status, classification, determination, assigned_to, comment: _ } = a;
    apart(status, &b.status)
        || apart(classification, &b.classification)
        || apart(determination, &b.determination)
        || apart(assigned_to, &b.assigned_to)
}

fn titles_apart(a: &RuleFacts, b: &RuleFacts) -> bool {
    titles(a).iter().any(|left| {
        titles(b)
            .iter()
            .any(|right| left.iter().all(|left| right.iter().all(|right| !related(left, right))))
    })
}

fn titles(rule: &RuleFacts) -> Vec<Vec<String>> {
    let wanted = rule.facts.iter().filter(|fact| fact.holds);
    wanted
        .filter_map(|fact| match &fact.term {
            AlertTerm::Title(globs) => {
                Some(globs.iter().map(|glob| glob.text.to_lowercase()).collect())
            }
            _ => None,
        })
        .collect()
}

/// Whether one pattern would match the other's text, its stars taken literally.
fn related(left: &str, right: &str) -> bool {
    let matches = |pattern: &str, text: &str| {
        globset::Glob::new(pattern).is_ok_and(|glob| glob.compile_matcher().is_match(text))
    };
    matches(left, right) || matches(right, left)
}
