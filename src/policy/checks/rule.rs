//! `AlertRule`: what is set, and whether the verdict makes sense.

use crate::diag::{Code, words};
use crate::model::{AlertStatus, Classification, Determination};
use crate::policy::checks::contain::{flag, mode, number};
use crate::policy::checks::overlap::RuleFacts;
use crate::policy::checks::{Cx, alert, comment, leaf, rollout};
use crate::policy::set::{AlertRule, Header, Mode, Verdict};
use crate::policy::yaml::{Content, Entry, Node};

/// Priority of rules that state none.
const PRIORITY: u32 = 100;

pub(super) fn rule(
    cx: &mut Cx<'_>,
    entry: &Entry,
    header: Header,
) -> Option<(AlertRule, RuleFacts)> {
    let spec = &entry.value;
    let alerts = spec.entry("alerts").and_then(|alerts| alert::spanned(cx, alerts));
    let set = spec.entry("set").and_then(|set| verdict(cx, set));
    let rollout = rollout::optional(cx, spec);
    let alerts_place = spec.entry("alerts").map(|alerts| alerts.key_place.clone());
    let (alerts, set, mode) = (alerts?, set?, mode(spec)?);
    let priority = number(spec, "priority", PRIORITY)?;
    let facts =
        RuleFacts::new(&header, alerts_place?, priority, mode == Mode::Enforce, &alerts, &set);
    let rule = AlertRule {
        header,
        mode,
        priority,
        alerts: alert::plain(alerts),
        set,
        overwrite_analyst: flag(spec, "overwriteAnalyst", false)?,
        rollout: rollout?,
    };
    Some((rule, facts))
}

fn verdict(cx: &mut Cx<'_>, entry: &Entry) -> Option<Verdict> {
    let set = &entry.value;
    match &set.content {
        Content::Null => return cx.report(Code::EmptyVerdict, &entry.key_place, "`set` is empty"),
        Content::Map(entries) if entries.is_empty() => {
            return cx.report(Code::EmptyVerdict, &set.place, "`set` is empty");
        }
        Content::Map(_) => {}
        _ => return None,
    }
    let status = optional(cx, set, "status", |cx, node| {
        leaf::word::<AlertStatus>(cx, node).filter(|status| *status != AlertStatus::Unknown)
    });
    let classification = optional(cx, set, "classification", leaf::word::<Classification>);
    let determination = optional(cx, set, "determination", leaf::word::<Determination>);
    let assigned_to = optional(cx, set, "assignedTo", leaf::text);
    let comment = optional(cx, set, "comment", comment::written);
    if let (Some(classification), Some(Some(determination))) = (classification, determination) {
        fits(cx, set, classification, determination)?;
    }
    Some(Verdict {
        status: status?,
        classification: classification?,
        determination: determination?,
        assigned_to: assigned_to?,
        comment: comment?,
    })
}

/// A member or nothing; the outer option is nothing when what is written is wrong.
fn optional<T>(
    cx: &mut Cx<'_>,
    set: &Node,
    key: &str,
    read: impl Fn(&mut Cx<'_>, &Node) -> Option<T>,
) -> Option<Option<T>> {
    match set.get(key) {
        None => Some(None),
        Some(node) => read(cx, node).map(Some),
    }
}

/// The pairing of Microsoft Learn, `update-alert`. The service does not enforce it, so a wrong pair
/// would stand in the tenant unnoticed.
fn fits(
    cx: &mut Cx<'_>,
    set: &Node,
    classification: Option<Classification>,
    determination: Determination,
) -> Option<()> {
    let place = &set.get("determination")?.place;
    let word = words::quote(determination.word());
    let Some(classification) = classification else {
        let fitting = Classification::ALL
            .iter()
            .filter(|known| known.determinations().contains(&determination));
        let help = match words::any_of(fitting.map(|known| known.word())) {
            none if none.is_empty() => "it is no longer used with any classification".to_owned(),
            fitting => format!("add `classification`: {fitting}"),
        };
        let message = format!("determination {word} stands without a classification");
        return cx.advise(Code::DeterminationMismatch, place, message, help);
    };
    let fitting = classification.determinations();
    if fitting.contains(&determination) {
        return Some(());
    }
    let message =
        format!("determination {word} does not fit {}", words::quote(classification.word()));
    let fitting = words::any_of(fitting.iter().map(|known| known.word()));
    cx.advise(Code::DeterminationMismatch, place, message, format!("use {fitting}"))
}
