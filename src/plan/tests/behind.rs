//! What is behind a pending action of ours: it is waited for as long as a plan of now would send it, and no longer.

use super::fleet::{Fleet, ago, marked, marked_until, now};
use super::not_stronger::{called_off, pc, placed, plan, selective};
use super::outlived::{by_alert, lasting};
use super::policies::{exempt, restrict, set, tag, workspace};
use super::{planned, planned_around, rows};
use crate::inventory::What;
use crate::model::ActionKind::{self, Isolate, Unisolate};
use crate::model::ActionStatus::{Pending, Succeeded};
use crate::model::{Facet, Isolation, Span};
use crate::plan::{Circumstances, Lift};
use crate::policy::PolicySet;
use crate::policy::set::{IsolationPolicy, Lease, OnExpiry, OnManualRelease};

pub(super) const IN_FLIGHT: [&str; 1] = ["changing pc-1 isolation in-flight"];

/// Ana's isolation of that level, so many hours ago.
pub(super) fn of_ana(hours: u64, level: Isolation) -> Fleet {
    let fleet = pc().by_hand("pc-1", Isolate, Succeeded, ago(hours));
    fleet.last_action(|action| action.isolation = Some(level))
}

/// An isolation of `aaa` that waits for its device.
fn waiting(fleet: Fleet, hours: u64, level: Isolation) -> Fleet {
    let comment = marked_until("contoso-soc", "aaa", Span::from_hours(72).after(ago(hours)));
    let fleet = fleet.action("pc-1", Isolate, Pending, ago(hours), &comment, "palisade");
    fleet.last_action(|action| action.isolation = Some(level))
}

fn strengthening(fleet: Fleet) -> Fleet {
    waiting(fleet, 1, Isolation::Full)
}

fn word(word: OnManualRelease, mut policy: IsolationPolicy) -> IsolationPolicy {
    policy.containment.on_manual_release = word;
    policy
}

fn adopting(mut policy: IsolationPolicy) -> IsolationPolicy {
    policy.containment.adopt = true;
    policy
}

pub(super) fn lifted() -> Circumstances {
    let lift = Lift { code: "released-by-hand".into(), because: "IR".into() };
    Circumstances { lifts: vec![lift], ..Default::default() }
}

#[test]
fn what_was_lifted_by_name_is_waited_for() {
    use OnManualRelease::{Ask, Reassert};
    let aaa = || word(Ask, lasting("aaa", 72, tag("ir")));
    let ccc = || word(Reassert, selective("ccc", 72, tag("ir")));
    let put_back = placed(pc(), "bbb", 10, 72, Isolation::Selective);
    let put_back = put_back.by_hand("pc-1", Unisolate, Succeeded, ago(8));
    for (fleet, isolation) in [
        // Its own device, that of another policy, and one that who may has put back.
        (called_off(placed(pc(), "aaa", 10, 72, Isolation::Selective), 9), vec![aaa()]),
        (
            called_off(placed(pc(), "bbb", 10, 72, Isolation::Selective), 9),
            vec![aaa(), selective("bbb", 72, tag("ir"))],
        ),
        (placed(put_back, "ccc", 6, 72, Isolation::Selective), vec![aaa(), ccc()]),
    ] {
        let policies = PolicySet { isolation: isolation.clone(), ..set() };
        let first = planned_around(&lifted(), &policies, &workspace(), fleet.build());
        assert_eq!(rows(&first), ["do isolate pc-1 selective -> full (released-by-hand)"]);
        assert_eq!(plan(&strengthening(fleet), isolation), IN_FLIGHT);
    }
}

#[test]
fn a_strengthening_that_nobody_wants_is_taken_back_while_a_weaker_lease_runs() {
    let before = placed(pc(), "bbb", 3, 72, Isolation::Selective);
    let bbb = || selective("bbb", 72, tag("ir"));
    for (isolation, reason) in [
        (vec![lasting("aaa", 72, tag("else")), bbb()], "no-longer-selected"),
        (vec![selective("aaa", 72, tag("ir")), bbb()], "no-longer-wanted"),
        (vec![bbb()], "policy-gone"),
    ] {
        let policies = PolicySet { isolation, ..set() };
        let plan = planned(&policies, &workspace(), strengthening(before.clone()).build());
        assert_eq!(rows(&plan), [format!("do cancel pc-1 full -> selective ({reason})")]);
        // A reviewer sees whose wish is taken back, and not only who else wants the device.
        let names = plan.changes[0].because.iter().map(|why| why.name.as_str());
        assert!(names.into_iter().any(|name| name == "aaa"), "{reason}");
    }
    let isolation = || vec![lasting("aaa", 72, tag("ir")), bbb()];
    assert_eq!(plan(&strengthening(before.clone()), isolation()), IN_FLIGHT);
    // Ana refused it, and it was sent once more.
    let refused = strengthening(called_off(before, 2));
    assert_eq!(
        plan(&refused, isolation()),
        ["do cancel pc-1 full -> selective (no-longer-wanted)"]
    );
}

#[test]
fn a_persons_word_about_a_strengthening_counts_for_nothing_else() {
    let before = || called_off(placed(pc(), "aaa", 10, 72, Isolation::Selective), 9);
    let aaa = || lasting("aaa", 72, tag("ir"));
    let comment = marked_until("contoso-soc", "aaa", Span::from_hours(72).after(ago(1)));
    let fleet = before().action("pc-1", Unisolate, Pending, ago(1), &comment, "palisade");
    // Its lease runs on: nothing lets the device go.
    let release = plan(&fleet, vec![aaa()]);
    assert_eq!(release, ["do cancel pc-1 free -> selective (no-longer-wanted)"]);
    // Nothing is lifted for who asks where no lease runs any longer.
    let over = called_off(placed(pc(), "bbb", 10, 5, Isolation::Selective), 9);
    let short = word(OnManualRelease::Ask, lasting("aaa", 9, tag("ir")));
    let found = plan(&strengthening(over), vec![short, selective("bbb", 5, tag("ir"))]);
    assert_eq!(found, ["do cancel pc-1 full -> selective (no-longer-wanted)"]);
}

#[test]
fn what_is_pending_over_an_analysts_hold_is_what_adopting_it_would_send() {
    let young = || of_ana(10, Isolation::Selective);
    let aaa = || lasting("aaa", 72, tag("ir"));
    // Her hold is older than the lease of who adopts it.
    let old = of_ana(80, Isolation::Selective);
    let sent = plan(&old, vec![adopting(aaa())]);
    assert_eq!(sent, ["do isolate pc-1 selective -> full (adopted)"]);
    assert_eq!(plan(&strengthening(old), vec![adopting(aaa())]), IN_FLIGHT);
    // Who is left does not adopt.
    for isolation in [
        vec![adopting(lasting("aaa", 72, tag("else"))), lasting("bbb", 72, tag("ir"))],
        vec![aaa()],
    ] {
        let found = plan(&strengthening(young()), isolation);
        assert!(found[0].starts_with("do cancel pc-1 full -> selective"), "{found:?}");
    }
}

#[test]
fn a_pending_release_of_ours_does_not_let_go_what_an_analyst_has_placed_since() {
    let comment = marked_until("contoso-soc", "aaa", ago(20));
    let ended = marked("contoso-soc", "aaa").replace("for a test", "lease ended: aaa");
    let fleet = pc().action("pc-1", Isolate, Succeeded, ago(92), &comment, "palisade");
    let fleet = fleet.action("pc-1", Unisolate, Pending, ago(5), &ended, "palisade");
    let aaa = || lasting("aaa", 72, tag("ir"));
    assert_eq!(plan(&fleet, vec![aaa()]), IN_FLIGHT);
    // Asked for before or after ours, and done while ours is pending.
    for (created, updated) in [(6, 4), (3, 3)] {
        let fleet = fleet.clone().by_hand("pc-1", Isolate, Succeeded, ago(created));
        let fleet = fleet.last_action(|action| action.updated = ago(updated));
        for isolation in [vec![aaa()], vec![adopting(aaa())], vec![]] {
            let found = plan(&fleet, isolation);
            assert_eq!(found, ["do cancel pc-1 free -> full (no-longer-wanted)"]);
        }
        // Nobody restricts a device that is exempt or protected, and nobody lets go what is hers.
        let policies = PolicySet {
            isolation: vec![aaa()],
            exemptions: vec![exempt(
                "vip",
                tag("ir"),
                &[Facet::Isolation],
                Span::from_days(9).after(now()),
            )],
            ..set()
        };
        let mut guarded = workspace();
        guarded.guardrails.protected = Some(tag("ir"));
        for plan in [
            planned(&policies, &workspace(), fleet.build()),
            planned(&PolicySet { isolation: vec![aaa()], ..set() }, &guarded, fleet.build()),
        ] {
            assert_eq!(rows(&plan), ["do cancel pc-1 free -> full (no-longer-wanted)"]);
        }
        // Nor does it wait until it can be told whether some other policy selects the device.
        let doubt = fleet.lacks(What::Alerts);
        let found = plan(&doubt, vec![aaa(), lasting("bbb", 72, by_alert())]);
        assert_eq!(found, ["do cancel pc-1 free -> full (no-longer-wanted)"]);
    }
    // Without anybody's hold behind it nothing is taken back on a doubt.
    let doubt = strengthening(pc()).lacks(What::Alerts);
    assert_eq!(plan(&doubt, vec![lasting("bbb", 72, by_alert())]), IN_FLIGHT);
}

#[test]
fn a_lease_is_spent_although_its_name_stands_behind_many_others() {
    for (count, length) in [(2, 63), (5, 63), (20, 20), (24, 40)] {
        let name = |n: usize| format!("{n:02}-{}", "x".repeat(length - 3));
        let isolation: Vec<_> = (0..count).map(|n| lasting(&name(n), 1, tag("ir"))).collect();
        let policies = PolicySet { isolation, ..set() };
        let comment = |fleet: &Fleet| {
            let plan = planned(&policies, &workspace(), fleet.build());
            plan.changes[0].parameters.comment.clone().unwrap()
        };
        let fleet = pc();
        let fleet =
            fleet.clone().action("pc-1", Isolate, Succeeded, ago(5), &comment(&fleet), "palisade");
        let ended = comment(&fleet);
        assert!(ended.starts_with("lease ended: ") && !ended.contains('…'), "{ended}");
        let fleet = fleet.action("pc-1", Unisolate, Succeeded, ago(2), &ended, "palisade");
        let found = rows(&planned(&policies, &workspace(), fleet.build()));
        assert_eq!(found, ["held pc-1 isolation lease-spent"], "{count} names of {length}");
    }
}

/// What a plan of now would not send: it leaves things as they are.
#[test]
fn what_is_pending_and_makes_nothing_stronger_is_taken_back() {
    use Isolation::{Full, Selective};
    let of = |level| match level {
        Selective => selective("aaa", 72, tag("ir")),
        _ => lasting("aaa", 72, tag("ir")),
    };
    for (there, pending) in [(Full, Full), (Selective, Selective), (Full, Selective)] {
        // Over hers it would make her hold ours, to be let go when its lease is over.
        let hers = of_ana(3, there);
        assert!(plan(&hers, vec![adopting(of(pending))]).is_empty());
        for (fleet, policy) in
            [(hers, adopting(of(pending))), (placed(pc(), "aaa", 3, 72, there), of(there))]
        {
            let found = plan(&waiting(fleet, 5, pending), vec![policy]);
            assert!(found[0].starts_with("do cancel pc-1 "), "{there:?} {pending:?}: {found:?}");
        }
    }
    // Though more is wanted: that is sent when this is gone.
    let less = waiting(placed(pc(), "aaa", 3, 72, Selective), 5, Selective);
    let found = plan(&less, vec![of(Full)]);
    assert_eq!(found, ["do cancel pc-1 selective -> selective (no-longer-wanted)"]);
    let mut aaa = restrict("aaa", tag("ir"));
    aaa.containment.adopt = true;
    let fleet = pc().by_hand("pc-1", ActionKind::RestrictCodeExecution, Succeeded, ago(3));
    let comment = marked_until("contoso-soc", "aaa", Span::from_hours(72).after(ago(5)));
    let kind = ActionKind::RestrictCodeExecution;
    let fleet = fleet.action("pc-1", kind, Pending, ago(5), &comment, "palisade");
    let policies = PolicySet { restriction: vec![aaa], ..set() };
    let found = rows(&planned(&policies, &workspace(), fleet.build()));
    assert!(found[0].starts_with("do cancel pc-1 "), "{found:?}");
}

#[test]
fn full_is_not_waited_for_where_selective_is_wanted_unless_the_service_does_not_say_which() {
    let pending = |level| {
        let fleet = waiting(pc(), 2, Isolation::Full);
        fleet.last_action(|action| action.isolation = level)
    };
    let aaa = || selective("aaa", 72, tag("ir"));
    let found = plan(&pending(Some(Isolation::Full)), vec![aaa()]);
    assert_eq!(found, ["do cancel pc-1 full -> free (no-longer-wanted)"]);
    assert_eq!(plan(&pending(Some(Isolation::Selective)), vec![aaa()]), IN_FLIGHT);
    assert_eq!(plan(&pending(None), vec![aaa()]), IN_FLIGHT);
    // Where that is in force already, whatever it is adds nothing that is wanted.
    let there = strengthening(placed(pc(), "aaa", 3, 72, Isolation::Selective));
    let there = there.last_action(|action| action.isolation = None);
    let found = plan(&there, vec![aaa()]);
    assert_eq!(found, ["do cancel pc-1 full -> selective (no-longer-wanted)"]);
}

#[test]
fn what_asks_is_neither_proposed_nor_waited_for_without_a_lease_left() {
    let ended = marked("contoso-soc", "aaa").replace("for a test", "lease ended: aaa");
    let used = placed(pc(), "aaa", 40, 5, Isolation::Full);
    let used = used.action("pc-1", Unisolate, Succeeded, ago(34), &ended, "palisade");
    let over = |lease| {
        let mut aaa = word(OnManualRelease::Ask, lasting("aaa", 5, tag("ir")));
        aaa.containment.lease = lease;
        aaa
    };
    for (fleet, aaa) in
        [(pc(), over(Lease::Until(ago(1)))), (used, over(Lease::For(Span::from_hours(5))))]
    {
        let fleet = called_off(placed(fleet, "bbb", 30, 72, Isolation::Selective), 20);
        let isolation = vec![aaa, selective("bbb", 72, tag("ir"))];
        let policies = PolicySet { isolation: isolation.clone(), ..set() };
        let lifted = planned_around(&lifted(), &policies, &workspace(), fleet.build());
        assert!(lifted.changes.is_empty(), "{:?}", rows(&lifted));
        let found = plan(&waiting(fleet, 4, Isolation::Full), isolation);
        assert_eq!(found, ["do cancel pc-1 full -> selective (no-longer-wanted)"]);
    }
}

/// She let the device go while it was pending: nobody lifted that.
#[test]
fn what_was_sent_before_a_persons_word_was_not_lifted() {
    let aaa = || word(OnManualRelease::Ask, lasting("aaa", 72, tag("ir")));
    let ccc = word(OnManualRelease::Reassert, selective("ccc", 72, tag("ir")));
    let sent = |hours| {
        let fleet =
            waiting(placed(pc(), "bbb", 10, 72, Isolation::Selective), hours, Isolation::Full);
        fleet.by_hand("pc-1", Unisolate, Succeeded, ago(8))
    };
    let found = plan(&sent(9), vec![aaa()]);
    assert_eq!(found, ["do cancel pc-1 full -> free (no-longer-wanted)"]);
    assert_eq!(plan(&sent(7), vec![aaa()]), IN_FLIGHT);
    let put_back = |hours| placed(sent(hours), "ccc", 6, 72, Isolation::Selective);
    let found = plan(&put_back(9), vec![aaa(), ccc.clone()]);
    assert_eq!(found, ["do cancel pc-1 full -> selective (no-longer-wanted)"]);
    assert_eq!(plan(&put_back(7), vec![aaa(), ccc]), IN_FLIGHT);
}

/// Whoever lets the device go after it was sent takes back that it was lifted, whatever was said before; and it was
/// lifted for none but the policy that it was sent for.
#[test]
fn what_was_lifted_is_for_one_policy_and_until_the_next_word() {
    let aaa = || word(OnManualRelease::Ask, lasting("aaa", 72, tag("ir")));
    let sent = |fleet| waiting(called_off(fleet, 10), 8, Isolation::Full);
    let fleet = placed(pc(), "aaa", 30, 72, Isolation::Selective);
    assert_eq!(plan(&sent(fleet.clone()), vec![aaa()]), IN_FLIGHT);
    let gone = sent(fleet).by_hand("pc-1", Unisolate, Succeeded, ago(7));
    let found = plan(&gone, vec![aaa()]);
    assert_eq!(found, ["do cancel pc-1 full -> free (no-longer-wanted)"]);
    // `bbb`, which reasserts, has sent it, and is gone.
    let fleet = placed(pc(), "aaa", 30, 72, Isolation::Full);
    let fleet = fleet.by_hand("pc-1", Unisolate, Succeeded, ago(8));
    let comment = marked_until("contoso-soc", "bbb", Span::from_hours(72).after(ago(7)));
    let fleet = fleet.action("pc-1", Isolate, Pending, ago(7), &comment, "palisade");
    assert_eq!(plan(&fleet, vec![aaa()]), ["do cancel pc-1 full -> free (policy-gone)"]);
}

#[test]
fn a_strengthening_is_not_waited_for_without_a_lease_left() {
    let ended = marked("contoso-soc", "aaa").replace("for a test", "lease ended: aaa");
    let fleet = placed(pc(), "aaa", 40, 5, Isolation::Full);
    let fleet = fleet.action("pc-1", Unisolate, Succeeded, ago(34), &ended, "palisade");
    let fleet = strengthening(placed(fleet, "aaa", 20, 72, Isolation::Selective));
    let mut aaa = lasting("aaa", 72, tag("ir"));
    let found = plan(&fleet, vec![aaa.clone()]);
    assert_eq!(found, ["do cancel pc-1 full -> selective (no-longer-wanted)"]);
    aaa.containment.renewal = 3;
    assert_eq!(plan(&fleet, vec![aaa]), IN_FLIGHT);
}

#[test]
fn a_release_is_taken_back_where_the_policy_says_by_now_that_the_device_stays() {
    let ended = marked("contoso-soc", "aaa").replace("for a test", "lease ended: aaa");
    let held = placed(pc(), "aaa", 80, 72, Isolation::Full);
    let fleet = held.clone().action("pc-1", Unisolate, Pending, ago(2), &ended, "palisade");
    let mut aaa = lasting("aaa", 72, tag("ir"));
    assert_eq!(plan(&fleet, vec![aaa.clone()]), IN_FLIGHT);
    aaa.containment.on_expiry = OnExpiry::Hold;
    assert_eq!(plan(&held, vec![aaa.clone()]), ["held pc-1 isolation on-expiry-hold"]);
    let found = plan(&fleet, vec![aaa]);
    assert_eq!(found, ["do cancel pc-1 free -> full (no-longer-wanted)"]);
}

/// Nothing is to be let go, and who wants the device would have to wait for it.
#[test]
fn a_release_of_who_is_free_is_taken_back_where_somebody_wants_the_device() {
    let gone = marked("contoso-soc", "aaa").replace("for a test", "no longer selected");
    let fleet = pc().action("pc-1", Unisolate, Pending, ago(2), &gone, "palisade");
    let found = plan(&fleet, vec![lasting("aaa", 72, tag("ir"))]);
    assert_eq!(found, ["do cancel pc-1 free -> free (no-longer-wanted)"]);
    assert_eq!(plan(&fleet, vec![lasting("aaa", 72, tag("else"))]), IN_FLIGHT);
}
