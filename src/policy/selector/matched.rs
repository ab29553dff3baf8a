//! The terms by which a selector matches a device or alert: what plans quote under `because`.
//!
//! Only what is there is quoted, with its fact: a term that must not match says nothing, and under two
//! negations it is there again. Facts are untrusted text and are escaped by whoever shows them.

use jiff::Timestamp;

use crate::inventory::{AlertRow, Dev, Inventory, same};
use crate::policy::selector::ast::{AlertExpr, DeviceExpr, DeviceTerm};
use crate::policy::selector::interpret::{Hit, Meaning};
use crate::policy::selector::trigger::{self, Trigger};
use crate::policy::selector::walk;
use crate::policy::selector::words::{self, Alternative};

/// The positive terms by which a selector matches a device, with the facts, in the selector's
/// order: `tag=ir-7781`, `risk>=medium (high)`. Empty when it does not match.
#[must_use]
pub fn matched_terms(
    inventory: &Inventory,
    expr: &DeviceExpr,
    device: Dev,
    now: Timestamp,
) -> Vec<String> {
    DeviceTerms::new(inventory, expr, now).matched(device)
}

/// The positive terms by which a selector matches an alert, with the facts.
#[must_use]
pub fn matched_alert_terms(
    inventory: &Inventory,
    expr: &AlertExpr,
    alert: &AlertRow,
    now: Timestamp,
) -> Vec<String> {
    AlertTerms::new(inventory, expr, now).matched(alert)
}

/// `matched_terms` for many devices: globs are compiled and the author's words written once.
#[derive(Debug)]
pub struct DeviceTerms<'a> {
    meaning: Meaning<'a>,
    expr: &'a DeviceExpr,
    words: Vec<(&'a DeviceTerm, Words)>,
}

/// Key and alternatives of a term.
type Words = (&'static str, Vec<Alternative>);

impl<'a> DeviceTerms<'a> {
    /// Prepares a selector.
    #[must_use]
    pub fn new(inventory: &'a Inventory, expr: &'a DeviceExpr, now: Timestamp) -> Self {
        let mut words = Vec::new();
        walk::each_device_term(expr, &mut |term| words.push((term, words::device_term(term))));
        Self { meaning: Meaning::of_devices(inventory, expr, now), expr, words }
    }

    /// The positive terms by which the selector matches a device; empty when it does not.
    #[must_use]
    pub fn matched(&self, device: Dev) -> Vec<String> {
        let mut terms = Vec::new();
        self.collect(self.expr, true, device, &mut terms);
        terms
    }

    /// The alerts and incidents without which the selector would not match the device; empty when it
    /// does not match, or would match without any.
    #[must_use]
    pub fn triggers(&self, device: Dev) -> Vec<Trigger<'_>> {
        trigger::triggers(&self.meaning, self.expr, device).unwrap_or_default()
    }

    /// Collects terms of the branches that decide whether the selector `holds`: under a negation those
    /// that do not match. A branch that decides otherwise leaves nothing behind.
    fn collect(&self, expr: &DeviceExpr, holds: bool, device: Dev, out: &mut Vec<String>) -> bool {
        let before = out.len();
        let each = |part: &DeviceExpr| self.collect(part, holds, device, out);
        let decided = match (expr, holds) {
            (DeviceExpr::All(parts), true) => !parts.is_empty() && parts.iter().all(each),
            (DeviceExpr::All(parts), false) => parts.is_empty() || some(parts.iter().map(each)),
            (DeviceExpr::Any(parts), true) => some(parts.iter().map(each)),
            (DeviceExpr::Any(parts), false) => parts.iter().all(each),
            // What is void matches nothing, negated or not.
            (DeviceExpr::Not(part), _) if walk::is_void(part) => !holds,
            (DeviceExpr::Not(part), _) => self.collect(part, !holds, device, out),
            (DeviceExpr::Everything, true) => {
                push(out, "everything".to_owned());
                true
            }
            (DeviceExpr::Everything, false) => false,
            (DeviceExpr::Term(term), true) => match self.meaning.device_term(term, device) {
                Some(hit) => {
                    let mut words = self.words.iter().filter(|(of, _)| std::ptr::eq(*of, term));
                    if let Some((_, words)) = words.next() {
                        push(out, describe(words, &hit));
                    }
                    true
                }
                None => false,
            },
            (DeviceExpr::Term(term), false) => self.meaning.device_term(term, device).is_none(),
        };
        if !decided {
            out.truncate(before);
        }
        decided
    }
}

/// `matched_alert_terms` for many alerts: globs are compiled once.
#[derive(Debug)]
pub struct AlertTerms<'a> {
    meaning: Meaning<'a>,
    expr: &'a AlertExpr,
}

impl<'a> AlertTerms<'a> {
    /// Prepares a selector.
    #[must_use]
    pub fn new(inventory: &'a Inventory, expr: &'a AlertExpr, now: Timestamp) -> Self {
        Self { meaning: Meaning::of_alerts(inventory, expr, now), expr }
    }

    /// The positive terms by which the selector matches an alert; empty when it does not.
    #[must_use]
    pub fn matched(&self, alert: &AlertRow) -> Vec<String> {
        let mut terms = Vec::new();
        alert_terms(&self.meaning, self.expr, true, alert, &mut terms);
        terms
    }
}

/// Collects terms of the branches that decide; see `DeviceTerms::collect`.
fn alert_terms(
    meaning: &Meaning<'_>,
    expr: &AlertExpr,
    holds: bool,
    alert: &AlertRow,
    out: &mut Vec<String>,
) -> bool {
    let before = out.len();
    let each = |part: &AlertExpr| alert_terms(meaning, part, holds, alert, out);
    let decided = match (expr, holds) {
        (AlertExpr::All(parts), true) => !parts.is_empty() && parts.iter().all(each),
        (AlertExpr::All(parts), false) => parts.is_empty() || some(parts.iter().map(each)),
        (AlertExpr::Any(parts), true) => some(parts.iter().map(each)),
        (AlertExpr::Any(parts), false) => parts.iter().all(each),
        (AlertExpr::Not(part), _) if walk::is_void_alert(part) => !holds,
        (AlertExpr::Not(part), _) => alert_terms(meaning, part, !holds, alert, out),
        (AlertExpr::Term(term), true) => match meaning.alert_term(term, alert) {
            Some(hit) => {
                push(out, describe(&words::alert_term(term), &hit));
                true
            }
            None => false,
        },
        (AlertExpr::Term(term), false) => meaning.alert_term(term, alert).is_none(),
    };
    if !decided {
        out.truncate(before);
    }
    decided
}

/// Whether one of them is so; all are asked, because each has something to tell.
fn some(answers: impl Iterator<Item = bool>) -> bool {
    answers.fold(false, |any, answer| any | answer)
}

fn push(out: &mut Vec<String>, term: String) {
    if !out.contains(&term) {
        out.push(term);
    }
}

/// `tag=ir-7781`, or with the fact behind it when that is another text: `name=web-* (web-01)`.
fn describe((key, alternatives): &Words, hit: &Hit) -> String {
    match alternatives.get(hit.alternative) {
        Some(("=", value)) if same(value, &hit.fact) => format!("{key}={}", hit.fact),
        Some((sign, value)) => format!("{key}{sign}{value} ({})", hit.fact),
        None => format!("{key}={}", hit.fact),
    }
}
