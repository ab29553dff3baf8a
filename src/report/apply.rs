//! A run as people follow it: the progress line and the table that adds up.
//!
//! Pure: a moment or the end of a run in, text out; `data` has the form for programs. Called by
//! `cli::commands::{apply, runs, demo}`.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::apply::{Ended, Outcome, Progress, Summary};
use crate::model::{RunId, Verb};
use crate::plan::types::{Change, Plan, Reason};
use crate::report::page::{Page, Piece, Role, join, piece, plain};
use crate::report::plan::rollout_line;
use crate::report::{Style, escape, measure, reason, rollout};

mod data;

pub use data::{ChangeResult, FORMAT_VERSION, RunResult, json, nothing_json, result};

/// Names up to so many are written for one reason; the JSON form has all.
const NAMES: usize = 20;

/// The moment of a run on one line: sent, accepted, pending, succeeded, failed, budget, time left.
#[must_use]
pub fn line(progress: &Progress, now: Timestamp) -> String {
    let number = |value: u32| measure::number(value.into());
    let mut parts = vec![
        format!("sent {} of {}", number(progress.sent), number(progress.total)),
        format!("accepted {}", number(progress.accepted)),
        format!("pending {}", number(progress.pending)),
        format!("succeeded {}", number(progress.succeeded)),
        format!("failed {}", number(progress.failed)),
    ];
    if progress.offline > 0 {
        parts.push(format!("offline {}", number(progress.offline)));
    }
    if progress.left > 0 {
        parts.push(format!("left alone {}", number(progress.left)));
    }
    if let Some(courses) = rollout::courses(&progress.courses, now) {
        parts.insert(0, courses);
    }
    if let Some(left) = progress.budget_left {
        parts.push(format!("{} calls left", number(left)));
    }
    match progress.eta {
        _ if progress.stopping => parts.push("stopping".to_owned()),
        Some(eta) => {
            let how = if progress.at_most { "at most" } else { "about" };
            parts.push(format!("{how} {} left", measure::between(now, eta)));
        }
        None => {}
    }
    parts.join(" · ").replace(measure::NO_BREAK, " ")
}

/// How the run ended: verbs by outcome, what did not end well and why, one line of verdict.
#[must_use]
pub fn table(run: &RunId, plan: &Plan, summary: &Summary, style: Style) -> String {
    let mut page = Page::new(style);
    let hash: String = plan.plan_hash.chars().take(6).collect();
    page.line(
        2,
        &join(vec![
            vec![piece(Role::Strong, format!("Run {}", escape::terminal(run.as_str())))],
            vec![plain(format!("plan {}", escape::terminal(&hash)))],
        ]),
    );
    for lift in &plan.lifts {
        page.line(7, &[piece(Role::Warn, "LIFTED "), plain(reason::lift(lift))]);
    }
    page.gap();
    let ended = ended(plan, summary);
    for verb in Verb::ALL {
        let counts = counts(ended.iter().filter(|(change, _)| change.verb == *verb));
        if !counts.is_empty() {
            row(&mut page, &format!("{} {verb}", verb.sign()), &counts);
        }
    }
    row(&mut page, "  total", &summary.counts);
    waves(&mut page, plan, &ended);
    troubles(&mut page, &ended);
    page.gap();
    page.line(2, &[piece(Role::Strong, verdict(summary))]);
    page.finish()
}

/// Changes of the plan with how each ended; one the run does not know was not attempted.
fn ended<'a>(plan: &'a Plan, summary: &'a Summary) -> Vec<(&'a Change, Ended)> {
    let end = |change: &Change| {
        summary.outcomes.get(&change.id).cloned().unwrap_or(Ended::plain(Outcome::NotAttempted))
    };
    plan.changes.iter().map(|change| (change, end(change))).collect()
}

fn counts<'a>(ended: impl Iterator<Item = &'a (&'a Change, Ended)>) -> BTreeMap<Outcome, u32> {
    let mut counts = BTreeMap::new();
    ended.for_each(|(_, ended)| *counts.entry(ended.outcome).or_insert(0) += 1);
    counts
}

fn row(page: &mut Page, label: &str, counts: &BTreeMap<Outcome, u32>) {
    let total: u32 = counts.values().sum();
    let mut line = vec![plain(format!("  {label:<13}{:>7} = ", measure::number(total.into())))];
    let mut first = true;
    for outcome in Outcome::ALL {
        let Some(count) = counts.get(outcome) else { continue };
        if !first {
            line.push(plain(" + "));
        }
        first = false;
        let text = format!("{} {}", measure::number((*count).into()), outcome.word());
        line.push(piece(role(*outcome), measure::unbroken(&text)));
    }
    if first {
        line.push(plain("0"));
    }
    page.line(25, &line);
}

const fn role(outcome: Outcome) -> Role {
    match outcome {
        Outcome::Done | Outcome::AlreadySo => Role::Good,
        Outcome::PendingOffline | Outcome::UnderWay | Outcome::Moved | Outcome::NotAttempted => {
            Role::Warn
        }
        Outcome::Failed | Outcome::Refused | Outcome::TimedOut => Role::Danger,
    }
}

/// The rollouts with more than one wave, wave by wave.
fn waves(page: &mut Page, plan: &Plan, ended: &[(&Change, Ended)]) {
    for it in plan.rollouts.iter().filter(|it| it.waves.len() > 1) {
        page.gap();
        rollout_line(page, it);
        for (number, _) in (1u32..).zip(&it.waves) {
            let own = |change: &Change| {
                change.wave == number
                    && change.tenant == it.tenant
                    && change.rollout.as_deref() == Some(&it.policy)
            };
            let counts = counts(ended.iter().filter(|(change, _)| own(change)));
            row(page, &format!("  wave {number}"), &counts);
        }
    }
}

/// Changes that ended alike.
type Block<'a> = Vec<(&'a Change, &'a Ended)>;

/// What did not end well, or did not stay so, by outcome and reason, with names.
fn troubles(page: &mut Page, ended: &[(&Change, Ended)]) {
    let mut grouped: BTreeMap<(Outcome, Verb, String), Block<'_>> = BTreeMap::new();
    for (change, ended) in ended {
        if !ended.outcome.is_good() || ended.is_changed_since() {
            let why = ended.reason.as_ref().map(shared).unwrap_or_default();
            grouped.entry((ended.outcome, change.verb, why)).or_default().push((change, ended));
        }
    }
    for ((outcome, verb, mut why), changes) in grouped {
        page.gap();
        if let [(_, Ended { reason: Some(reason), .. })] = &changes[..] {
            why = reason::sentence(reason);
        }
        let count = measure::count(changes.len());
        let mut head: Vec<Vec<Piece>> = vec![
            vec![piece(role(outcome), format!("{} {count}", outcome.word()))],
            vec![plain(verb.to_string())],
        ];
        if !why.is_empty() {
            head.push(vec![plain(why)]);
        }
        page.line(4, &join(head));
        let mut names: Vec<String> = changes
            .iter()
            .take(NAMES)
            .map(|(change, _)| escape::name(&change.target.name, escape::NAME_COLUMNS))
            .collect();
        names.sort();
        let more = changes.len().saturating_sub(NAMES);
        let tail =
            if more > 0 { format!(" … {} more", measure::count(more)) } else { String::new() };
        page.line(4, &[plain(format!("    {}{tail}", names.join(", ")))]);
    }
}

/// What a whole group says: without the facts that each device has of its own.
fn shared(reason: &Reason) -> String {
    let mut reason = reason.clone();
    for own in ["action", "created"] {
        reason.facts.remove(own);
    }
    reason::sentence(&reason)
}

/// One line: what to make of the run.
#[must_use]
pub fn verdict(summary: &Summary) -> String {
    let good = summary.count(Outcome::Done) + summary.count(Outcome::AlreadySo);
    let waiting = summary.count(Outcome::PendingOffline);
    let under_way = summary.count(Outcome::UnderWay);
    let rest = summary.total - good.min(summary.total);
    let text = if let Some(stopped) = &summary.stopped {
        let why = reason::sentence(stopped);
        format!("Stopped: {why}. {} of {} as planned.", count(good), count(summary.total))
    } else if rest == 0 {
        let changes = measure::plural(summary.total.into(), "change", "changes");
        let all = if summary.total == 1 { "" } else { "All " };
        format!("{all}{changes} as planned.")
    } else if rest == waiting {
        format!(
            "{} of {} as planned; {} queued for offline devices.",
            count(good),
            count(summary.total),
            count(waiting)
        )
    } else if rest == waiting + under_way {
        format!(
            "{} of {} as planned; the end of {} was not waited for.",
            count(good),
            count(summary.total),
            count(under_way)
        )
    } else {
        format!("Applied in part: {} of {} as planned.", count(good), count(summary.total))
    };
    let since = summary.outcomes.values().filter(|ended| ended.is_changed_since()).count();
    let text = match since {
        0 => text,
        since => format!("{text} Changed by somebody since: {}.", measure::count(since)),
    };
    text.replace(measure::NO_BREAK, " ")
}

/// What to do about a run that has not come to its end.
#[must_use]
pub fn going_on(run: &RunId, stopped: Option<&Reason>) -> String {
    let command = format!("`palisade runs resume {}`", escape::terminal(run.as_str()));
    match stopped.map(|reason| reason.code.as_str()) {
        Some("paused") => format!("Look at the devices; {command} goes on with the next wave."),
        Some("offline-limit") => format!("{command} goes on when enough devices have come back."),
        _ => format!("{command} finishes the run."),
    }
}

fn count(value: u32) -> String {
    measure::number(value.into())
}

#[cfg(test)]
mod tests;
