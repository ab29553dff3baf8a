//! `rollout`: waves that add up, and bakes that end before what they are for.

use crate::diag::Code;
use crate::model::Span;
use crate::policy::checks::workspace::guardrails::share;
use crate::policy::checks::{Cx, leaf};
use crate::policy::rollout::{Pause, Rollout};
use crate::policy::set::Lease;
use crate::policy::workspace::Limit;
use crate::policy::yaml::{Content, Entry, Node};

/// Longest bake: a run waits for it, and somebody waits for the run.
const BAKE_MAX: Span = Span::from_hours(24);

/// `rollout` of a policy or nothing; the outer option is nothing when what is written is wrong.
#[expect(clippy::option_option, reason = "absent and wrong are different answers")]
pub(super) fn optional(cx: &mut Cx<'_>, spec: &Node) -> Option<Option<Rollout>> {
    match spec.entry("rollout") {
        None => Some(None),
        Some(entry) => read(cx, entry).map(Some),
    }
}

/// A rollout as it is written.
pub(super) fn read(cx: &mut Cx<'_>, entry: &Entry) -> Option<Rollout> {
    let node = &entry.value;
    let waves = waves(cx, node.entry("waves")?);
    let bake = node.get("bake").map(|node| bake(cx, node));
    let failure_limit = node.get("failureLimit").map(|node| amount(cx, node));
    let pending_offline = node.get("pendingOffline").map(|node| amount(cx, node));
    let mut rollout = Rollout::in_waves(waves?);
    if let Some(bake) = bake {
        rollout.bake = bake?;
    }
    if let Some(limit) = failure_limit {
        rollout.failure_limit = limit?;
    }
    if let Some(limit) = pending_offline {
        rollout.pending_offline = limit?;
    }
    rollout.pause = pause(node)?;
    single(cx, node, &rollout);
    Some(rollout)
}

fn waves(cx: &mut Cx<'_>, entry: &Entry) -> Option<Vec<Limit>> {
    let mut waves = Vec::new();
    let (mut whole, mut good) = (0, true);
    for node in entry.value.members() {
        let Some(wave) = amount(cx, node) else {
            good = false;
            continue;
        };
        if wave.of(u32::MAX) == 0 {
            good = false;
            cx.report::<()>(Code::EmptyWave, &node.place, "a wave of nobody");
            continue;
        }
        if let Limit::Share { basis_points, .. } = wave {
            let before = whole;
            whole += basis_points;
            if before <= 10_000 && whole > 10_000 {
                good = false;
                let message = format!("with this wave the shares add up to {}", percent(whole));
                cx.report::<()>(Code::WavesOverWhole, &node.place, message);
            }
        }
        if waves.last().is_some_and(|last| is_smaller(wave, *last)) {
            let message = "this wave is smaller than the one before";
            cx.report::<()>(Code::WavesDecrease, &node.place, message);
        }
        waves.push(wave);
    }
    (good && !waves.is_empty()).then_some(waves)
}

/// Whether one amount is less than another of its sort, whatever it is of.
const fn is_smaller(wave: Limit, than: Limit) -> bool {
    match (wave, than) {
        (Limit::Count(wave), Limit::Count(than)) => wave < than,
        (
            Limit::Share { basis_points: wave, at_least: _ },
            Limit::Share { basis_points: than, at_least: _ },
        ) => wave < than,
        (Limit::Count(_), Limit::Share { .. }) | (Limit::Share { .. }, Limit::Count(_)) => false,
    }
}

fn percent(basis_points: u32) -> String {
    match (basis_points / 100, basis_points % 100) {
        (whole, 0) => format!("{whole}%"),
        (whole, part) => format!("{whole}.{part:02}%"),
    }
}

/// A number or a share; a share that is none has been refused by the schema or is here.
fn amount(cx: &mut Cx<'_>, node: &Node) -> Option<Limit> {
    match &node.content {
        Content::Number(_) => u32::try_from(node.integer()?).ok().map(Limit::Count),
        Content::Text(_) => share(cx, node, 1),
        Content::Null | Content::Bool(_) | Content::Map(_) | Content::Seq(_) | Content::Broken => {
            None
        }
    }
}

fn bake(cx: &mut Cx<'_>, node: &Node) -> Option<Span> {
    let span = leaf::duration(cx, node)?;
    if span <= BAKE_MAX {
        return Some(span);
    }
    let message = format!("a bake of {span} is longer than {BAKE_MAX}");
    cx.report(Code::BakeTooLong, &node.place, message)
}

fn pause(node: &Node) -> Option<Pause> {
    match node.get("pause") {
        None => Some(Pause::Never),
        Some(node) => match node.text()? {
            "never" => Some(Pause::Never),
            "first" => Some(Pause::First),
            "each" => Some(Pause::Each),
            _ => None,
        },
    }
}

/// Warns of what never happens because the first wave takes everybody.
fn single(cx: &mut Cx<'_>, node: &Node, rollout: &Rollout) {
    if !rollout.is_at_once() {
        return;
    }
    for key in ["bake", "pause"] {
        if let Some(entry) = node.entry(key).filter(|entry| entry.value.text() != Some("never")) {
            let message = format!("`{key}` beside a first wave of 100%");
            cx.report::<()>(Code::RolloutAtOnce, &entry.key_place, message);
        }
    }
}

/// The bakes of a restrictive policy end before the lease of the first wave does. `spec` is where a
/// default that does not fit is reported.
pub(super) fn fits_lease(
    cx: &mut Cx<'_>,
    spec: &Entry,
    rollout: &Rollout,
    lease: Lease,
) -> Option<()> {
    let most = match lease {
        Lease::For(span) => span,
        Lease::Until(until) => {
            let left = until.duration_since(cx.now).as_secs();
            Span::from_secs(u64::try_from(left).unwrap_or(0))
        }
    };
    fits(cx, spec, rollout, most, "the lease")
}

/// The bakes of a scan schedule end before its window closes.
pub(super) fn fits_window(
    cx: &mut Cx<'_>,
    spec: &Entry,
    rollout: &Rollout,
    window: Span,
) -> Option<()> {
    fits(cx, spec, rollout, window, "the window")
}

fn fits(cx: &mut Cx<'_>, spec: &Entry, rollout: &Rollout, most: Span, of: &str) -> Option<()> {
    let bakes = rollout.bakes();
    if bakes < most {
        return Some(());
    }
    let written = spec.value.get("rollout");
    let place = match written.map(|node| node.get("bake").unwrap_or(node)) {
        Some(node) => node.place.clone(),
        None => spec.key_place.clone(),
    };
    let whose = if written.is_some() { "the bakes" } else { "the bakes of `defaults.rollout`" };
    let message = format!("{whose} take {bakes} together, {of} ends after {most}");
    cx.report(Code::BakeTooLong, &place, message)
}
