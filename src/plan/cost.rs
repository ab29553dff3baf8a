//! What an apply costs: calls, and the least time the service's rate windows leave for them.
//!
//! The windows are 100 calls a minute and 1,500 an hour for each endpoint (Microsoft Learn, API
//! pages, 2026-07). How the engine reads is told by two numbers below; waiting for devices is not
//! counted, since nobody knows how long they take. Called by `draft`.

use crate::model::Verb;
use crate::plan::types::{Change, TargetKind};

const PER_MINUTE: u64 = 100;
const PER_HOUR: u64 = 1_500;
/// Devices whose actions one list call reads again before acting, and actions one call polls.
const PER_LIST: u64 = 40;

/// The cost of one tenant's changes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) calls: u32,
    pub(super) at_least_seconds: u64,
}

/// Adds up the calls: each device change is one request, read again before and polled at least once
/// by list, and looked at once more at the end; each alert is read, set, commented on and read.
pub(super) fn of(changes: &[Change]) -> Cost {
    let (mut actions, mut cancels, mut alerts) = (0u64, 0u64, 0u64);
    for change in changes {
        let parameters = &change.parameters;
        match (change.target.kind, change.verb) {
            (TargetKind::Device, Verb::Cancel) => cancels += 1,
            (TargetKind::Device, _) => actions += 1,
            (TargetKind::Alert | TargetKind::Incident, _) => {
                let sets = parameters.status.is_some()
                    || parameters.classification.is_some()
                    || parameters.determination.is_some()
                    || parameters.assigned_to.is_some();
                alerts += 2 + u64::from(sets) + u64::from(parameters.comment.is_some());
            }
        }
    }
    let lists = 3 * (actions + cancels).div_ceil(PER_LIST);
    // Cancelling shares its windows with reading actions.
    let lanes = [actions, cancels + lists, alerts];
    Cost {
        calls: u32::try_from(lanes.iter().sum::<u64>()).unwrap_or(u32::MAX),
        at_least_seconds: lanes.into_iter().map(least_seconds).max().unwrap_or(0),
    }
}

/// When the last of so many calls may start, counted from the first.
fn least_seconds(calls: u64) -> u64 {
    let Some(before) = calls.checked_sub(1) else { return 0 };
    before / PER_HOUR * 3_600 + before % PER_HOUR / PER_MINUTE * 60
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::tests::fleet::{Fleet, Machine};
    use crate::plan::tests::planned;
    use crate::plan::tests::policies::{isolate, set, tag, workspace};
    use crate::plan::types::Parameters;
    use crate::policy::PolicySet;

    /// An isolation, to be changed.
    fn isolation() -> Change {
        let policies = PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() };
        let fleet = Fleet::of([Machine::new("pc-1").tag("ir")]);
        planned(&policies, &workspace(), fleet.build()).changes.remove(0)
    }

    #[test]
    fn devices_are_acted_on_and_listed_three_times() {
        let some = |verb, count| vec![Change { verb, ..isolation() }; count];
        for (changes, calls) in [
            (vec![], 0),
            (some(Verb::Isolate, 1), 4),
            (some(Verb::Isolate, 40), 43),
            (some(Verb::Isolate, 41), 47),
            (some(Verb::Cancel, 2), 5),
            ([some(Verb::Isolate, 40), some(Verb::Cancel, 1)].concat(), 47),
        ] {
            assert_eq!(of(&changes).calls, calls, "{} changes", changes.len());
        }
    }

    #[test]
    fn alerts_are_read_set_when_there_is_something_to_set_commented_on_and_read() {
        let text = || Some("x".to_owned());
        let none = Parameters::default;
        for (parameters, calls) in [
            (none(), 2),
            (Parameters { status: text(), ..none() }, 3),
            (Parameters { classification: text(), ..none() }, 3),
            (Parameters { determination: text(), ..none() }, 3),
            (Parameters { assigned_to: text(), ..none() }, 3),
            (Parameters { comment: text(), ..none() }, 3),
            (Parameters { status: text(), classification: text(), comment: text(), ..none() }, 4),
        ] {
            let mut change = Change { verb: Verb::Classify, parameters, ..isolation() };
            change.target.kind = TargetKind::Alert;
            assert_eq!(of(&[change.clone()]).calls, calls, "{:?}", change.parameters);
            assert_eq!(of(&[change.clone(), change]).calls, 2 * calls);
        }
    }

    #[test]
    fn a_plan_tells_its_cost_for_each_tenant() {
        let policies = PolicySet { isolation: vec![isolate("ir", tag("ir"))], ..set() };
        let fleet = Fleet::of((0..101).map(|n| Machine::new(&format!("pc-{n}")).tag("ir")));
        let plan = planned(&policies, &workspace(), fleet.build());
        let Cost { calls, at_least_seconds } = of(&plan.changes);
        assert_eq!((calls, at_least_seconds), (110, 60));
        let told = &plan.tenants[0];
        assert_eq!((told.calls, told.at_least_seconds), (calls, at_least_seconds));
    }

    #[test]
    fn the_rate_windows_decide_how_long_it_takes() {
        for (calls, seconds) in [
            (0, 0),
            (1, 0),
            (100, 0),
            (101, 60),
            (300, 120),
            (1_500, 840),
            (1_501, 3_600),
            (2_940, 4_440),
        ] {
            assert_eq!(least_seconds(calls), seconds, "{calls}");
        }
    }
}
