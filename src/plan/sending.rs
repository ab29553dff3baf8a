//! What a run of a plan may still send, from what was approved: the freeze windows that open while it
//! is under way, and a word against sending anything more.
//!
//! The windows are those of the workspace file that the plan was made from; a plan that lifts
//! `freeze-window` has none. Made by `file`, asked by the engine with its own `now`; must never read a
//! clock.

use jiff::Timestamp;

use crate::model::Verb;
use crate::plan::types::{Plan, Reason};
use crate::policy::Workspace;
use crate::policy::workspace::Freeze;

/// What a run may still send. The default one may send everything at any time.
#[derive(Clone, Debug, Default)]
pub struct Sending {
    windows: Vec<Freeze>,
    withheld: Option<Reason>,
}

/// A freeze window that is open.
#[derive(Debug)]
pub struct Opening<'a> {
    freeze: &'a Freeze,
    /// Which window, and until when.
    pub reason: Reason,
}

impl Opening<'_> {
    /// Whether it holds changes of a verb.
    #[must_use]
    pub fn holds(&self, verb: Verb) -> bool {
        self.freeze.holds(verb)
    }
}

impl Sending {
    pub(super) fn of(plan: &Plan, workspace: &Workspace, withheld: Option<Reason>) -> Self {
        let lifted = plan.lifts.iter().any(|lift| lift.code == "freeze-window");
        let windows = if lifted { Vec::new() } else { workspace.guardrails.freeze.clone() };
        Self { windows, withheld }
    }

    /// Sends nothing from now on, for this reason.
    pub fn withhold(&mut self, reason: Reason) {
        self.withheld = Some(reason);
    }

    /// By these windows alone, for tests of the engine.
    #[cfg(test)]
    pub(crate) const fn within(windows: Vec<Freeze>) -> Self {
        Self { windows, withheld: None }
    }

    /// Nothing, for this reason.
    #[cfg(test)]
    pub(crate) const fn nothing(reason: Reason) -> Self {
        Self { windows: Vec::new(), withheld: Some(reason) }
    }

    /// Why nothing more is sent, if so.
    #[must_use]
    pub const fn withheld(&self) -> Option<&Reason> {
        self.withheld.as_ref()
    }

    /// The windows that are open at `now`.
    pub fn open(&self, now: Timestamp) -> impl Iterator<Item = Opening<'_>> {
        self.windows.iter().filter_map(move |freeze| {
            let ends = freeze.open_until(now)?;
            let reason = Reason::new("freeze-window")
                .with("name", &*freeze.name)
                .with("ends", ends.to_string())
                .with("setting", "guardrails.freeze");
            Some(Opening { freeze, reason })
        })
    }

    /// When a window that holds a verb opens next after `now`, if one ever does.
    #[must_use]
    pub fn opens(&self, now: Timestamp, verb: Verb) -> Option<Timestamp> {
        let holding = self.windows.iter().filter(|freeze| freeze.holds(verb));
        holding.filter_map(|freeze| freeze.next(now)).min()
    }

    /// When a window opens or ends next after `now`, if one ever does.
    #[must_use]
    pub fn next(&self, now: Timestamp) -> Option<Timestamp> {
        let next = |freeze: &Freeze| freeze.open_until(now).or_else(|| freeze.next(now));
        self.windows.iter().filter_map(next).min()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Span;
    use crate::plan::Lift;
    use crate::policy::schedule::Cron;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn windows_open_and_end_in_their_zone_and_a_lift_takes_them_away() {
        let mut workspace = Workspace::new("soc".into(), Vec::new());
        workspace.guardrails.freeze = vec![Freeze {
            name: Arc::from("closing"),
            cron: Cron::parse("0 18 28 12 *").unwrap(),
            zone: jiff::tz::TimeZone::get("Europe/Berlin").unwrap(),
            window: Span::from_days(7),
            verbs: [Verb::Isolate].into(),
        }];
        let mut plan = Plan::default();
        let sending = Sending::of(&plan, &workspace, None);
        let (before, opens) = (at("2026-12-28T16:59:59Z"), at("2026-12-28T17:00:00Z"));
        assert_eq!((sending.open(before).count(), sending.next(before)), (0, Some(opens)));
        assert_eq!(sending.opens(before, Verb::Isolate), Some(opens));
        assert_eq!(sending.opens(before, Verb::Scan), None);
        let open: Vec<Opening<'_>> = sending.open(opens).collect();
        assert!(open[0].holds(Verb::Isolate) && !open[0].holds(Verb::Scan));
        let ends = at("2027-01-04T17:00:00Z");
        assert_eq!(open[0].reason.text("ends"), Some(ends.to_string()));
        assert_eq!(sending.next(opens), Some(ends));
        assert_eq!(sending.open(ends).count(), 0);
        plan.lifts = vec![Lift { code: "freeze-window".into(), because: "agreed".into() }];
        assert_eq!(Sending::of(&plan, &workspace, None).next(before), None);
    }
}
