//! Exemptions: warned of before they end, without effect afterwards, and watching what they accept.

use super::fleet::{Fleet, Machine, ago, now};
use super::policies::{exempt, isolate, set, tag, workspace};
use super::{planned, rows};
use crate::model::ActionKind::{Isolate, Unisolate};
use crate::model::ActionStatus::Succeeded;
use crate::model::{Facet, Isolation, Span};
use crate::plan::standing::ExemptionState::{Ended, Ending, Holding};
use crate::plan::types::{Level, Plan};
use crate::policy::PolicySet;
use crate::policy::set::Exemption;

fn plan(fleet: &Fleet, exemption: Exemption, wanted: bool) -> Plan {
    let isolation = if wanted { vec![isolate("ir", tag("ir"))] } else { Vec::new() };
    let policies = PolicySet { isolation, exemptions: vec![exemption], ..set() };
    planned(&policies, &workspace(), fleet.build())
}

fn pc() -> Fleet {
    Fleet::of([Machine::new("pc-1").tag("ir")])
}

fn until(expires: jiff::Timestamp) -> Exemption {
    exempt("vip", tag("ir"), &[Facet::Isolation], expires)
}

#[test]
fn an_exemption_warns_for_fourteen_days_and_holds_nothing_afterwards() {
    let day = Span::from_days(14);
    for (expires, state, codes, expected) in [
        (
            Span::from_secs(1).after(day.after(now())),
            Holding,
            vec![],
            "held pc-1 isolation exemption",
        ),
        (day.after(now()), Ending, vec!["exemption-ending"], "held pc-1 isolation exemption"),
        (
            Span::from_secs(1).after(now()),
            Ending,
            vec!["exemption-ending"],
            "held pc-1 isolation exemption",
        ),
        (now(), Ended, vec!["exemption-ended"], "do isolate pc-1 free -> full"),
    ] {
        let plan = plan(&pc(), until(expires), true);
        assert_eq!(rows(&plan), [expected], "{expires}");
        let said: Vec<_> = plan.objections.iter().map(|it| it.code.as_str()).collect();
        assert_eq!(said, codes, "{expires}");
        assert!(plan.objections.iter().all(|it| it.level == Level::Warn && it.held == 0));
        assert_eq!((plan.exemptions[0].state, plan.exemptions[0].devices), (state, 1));
    }
    // One that has ended and whose devices are left alone is not worth a word.
    let quiet = plan(&pc(), until(now()), false);
    assert!(quiet.objections.is_empty() && quiet.exemptions[0].state == Ended);
}

#[test]
fn an_accepted_value_is_quiet_whoever_put_it_there_and_watched() {
    let mut accepting = until(Span::from_days(90).after(now()));
    accepting.accepted.isolation = Some(Isolation::Full);
    let by_hand = pc().by_hand("pc-1", Isolate, Succeeded, ago(50));
    let ours = pc().by_us("pc-1", Isolate, Succeeded, ago(100), "ir");
    for fleet in [&by_hand, &ours] {
        for wanted in [true, false] {
            let plan = plan(fleet, accepting.clone(), wanted);
            assert_eq!(rows(&plan), [] as [&str; 0]);
            assert_eq!(plan.exemptions[0].accepted, 1);
        }
        let released = fleet.clone().by_hand("pc-1", Unisolate, Succeeded, ago(2));
        for wanted in [true, false] {
            let plan = plan(&released, accepting.clone(), wanted);
            assert_eq!(rows(&plan), ["held pc-1 isolation accepted-moved"]);
            let reason = &plan.held[0].reason;
            let facts = ["name", "accepted", "found"].map(|key| reason.text(key).unwrap());
            assert_eq!(facts, ["vip", "full", "free"]);
            assert_eq!(plan.exemptions[0].accepted, 0);
        }
    }
    let selective = by_hand.last_action(|row| row.isolation = Some(Isolation::Selective));
    let plan = plan(&selective, accepting, true);
    assert_eq!(rows(&plan), ["held pc-1 isolation accepted-moved"]);
    assert_eq!(plan.held[0].reason.text("action").as_deref(), Some("action-00000"));
}

#[test]
fn a_device_may_be_accepted_as_free() {
    let mut accepting = until(Span::from_days(90).after(now()));
    accepting.accepted.isolation = Some(Isolation::Free);
    assert_eq!(rows(&plan(&pc(), accepting.clone(), true)), [] as [&str; 0]);
    let taken = pc().by_hand("pc-1", Isolate, Succeeded, ago(2));
    assert_eq!(rows(&plan(&taken, accepting, true)), ["held pc-1 isolation accepted-moved"]);
}

/// No policy wants it, and nothing was ever done to it.
#[test]
fn a_device_without_a_history_is_watched_like_any_other() {
    for (value, accepted, row) in [
        (Isolation::Free, 1, &[][..]),
        (Isolation::Full, 0, &["held pc-1 isolation accepted-moved"][..]),
    ] {
        let mut accepting = until(Span::from_days(30).after(now()));
        accepting.accepted.isolation = Some(value);
        let plan = plan(&pc(), accepting, false);
        assert_eq!(rows(&plan), row, "{value:?}");
        assert_eq!(plan.exemptions[0].accepted, accepted, "{value:?}");
    }
}

#[test]
fn a_value_is_accepted_on_the_devices_of_the_exemption_alone() {
    let mut accepting = until(Span::from_days(90).after(now()));
    accepting.accepted.isolation = Some(Isolation::Full);
    let fleet = Fleet::of([Machine::new("pc-1").tag("ir"), Machine::new("pc-2")])
        .by_hand("pc-1", Isolate, Succeeded, ago(50))
        .by_hand("pc-2", Isolate, Succeeded, ago(50));
    let expected = ["foreign pc-2 isolation held-by-other"];
    assert_eq!(rows(&plan(&fleet, accepting.clone(), false)), expected);
    // One that has just ended accepts nothing, and its facet is not watched any longer.
    accepting.expires = now();
    let quiet = plan(&Fleet::of([Machine::new("pc-1").tag("ir")]), accepting, false);
    assert_eq!((rows(&quiet).len(), quiet.summary.total), (0, 0));
}
