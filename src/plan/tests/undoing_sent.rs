//! What an undoing has sent and is pending: it is waited for like what it has done, as far as that would stay so.

use jiff::Timestamp;

use super::behind::{IN_FLIGHT, of_ana};
use super::fleet::{Fleet, ago, marked, marked_until, now};
use super::not_stronger::{pc, placed, plan, selective};
use super::outlived::{by_alert, lasting};
use super::policies::{exempt, set, tag, workspace};
use super::{planned, rows};
use crate::inventory::What;
use crate::model::ActionKind::{Isolate, Unisolate};
use crate::model::ActionStatus::{Pending, Succeeded};
use crate::model::{ActionStatus, Facet, Isolation, Span};
use crate::policy::PolicySet;
use crate::policy::set::{IsolationPolicy, OnExpiry, OnManualRelease};

fn undoing(until: Timestamp) -> String {
    let comment = marked_until("contoso-soc", "aaa", until);
    comment.replace("for a test", "undo of 20261120T020000Z-7f3c9a: aaa")
}

fn later() -> Timestamp {
    Span::from_hours(50).after(now())
}

/// An undoing puts the device back, asked so many hours ago.
fn back(fleet: Fleet, hours: u64, until: Timestamp) -> Fleet {
    fleet.action("pc-1", Isolate, Pending, ago(hours), &undoing(until), "palisade")
}

fn aaa(on: &str) -> Vec<IsolationPolicy> {
    vec![lasting("aaa", 72, tag(on))]
}

#[test]
fn it_puts_back_for_the_rest_of_the_lease() {
    assert_eq!(plan(&back(pc(), 2, later()), aaa("else")), IN_FLIGHT);
    let over = back(pc(), 2, ago(1));
    let found = plan(&over, aaa("else"));
    assert_eq!(found, ["do cancel pc-1 full -> free (no-longer-selected)"]);
    // Whoever wants the device by now takes a lease of its own, and not one that is over already.
    let found = plan(&over, aaa("ir"));
    assert_eq!(found, ["do cancel pc-1 full -> free (no-longer-wanted)"]);
    // What would make the device no stronger than another policy holds it is of no use.
    let held = placed(pc(), "bbb", 1, 72, Isolation::Full);
    let found = plan(&back(held, 2, later()), vec![lasting("bbb", 72, tag("ir"))]);
    assert_eq!(found, ["do cancel pc-1 full -> full (policy-gone)"]);
    // A device that became exempt is not isolated by it.
    let end = Span::from_days(9).after(now());
    let exemptions = vec![exempt("vip", tag("ir"), &[Facet::Isolation], end)];
    let policies = PolicySet { isolation: aaa("else"), exemptions, ..set() };
    let found = rows(&planned(&policies, &workspace(), back(pc(), 2, later()).build()));
    assert_eq!(found, ["do cancel pc-1 full -> free (no-longer-wanted)"]);
}

/// Not over what somebody else holds, however weak, and whatever could not be read: that would become ours.
#[test]
fn it_takes_nothing_from_anybody_else() {
    let other = |level| {
        let comment = marked("other-soc", "zzz");
        let fleet = pc().action("pc-1", Isolate, Succeeded, ago(1), &comment, "palisade");
        fleet.last_action(|action| action.isolation = Some(level))
    };
    for level in [Isolation::Full, Isolation::Selective] {
        for fleet in [of_ana(1, level), other(level)] {
            let expected = format!("do cancel pc-1 full -> {} (no-longer-selected)", level.word());
            let fleet = back(fleet, 2, later());
            assert_eq!(plan(&fleet, aaa("else")), [expected.as_str()]);
            let isolation = vec![lasting("aaa", 72, tag("else")), lasting("bbb", 72, by_alert())];
            assert_eq!(plan(&fleet.lacks(What::Alerts), isolation), [expected]);
        }
    }
    // Ana let the device go after the undoing had asked for it.
    let gone = |hours| {
        let fleet = placed(back(pc(), hours, later()), "bbb", 8, 72, Isolation::Selective);
        fleet.by_hand("pc-1", Unisolate, Succeeded, ago(7))
    };
    let isolation = || vec![lasting("aaa", 72, tag("ir")), selective("bbb", 72, tag("ir"))];
    let found = plan(&gone(9), isolation());
    assert_eq!(found, ["do cancel pc-1 full -> free (no-longer-wanted)"]);
    assert_eq!(plan(&gone(6), isolation()), IN_FLIGHT);
}

#[test]
fn it_lets_go_what_the_run_had_taken() {
    let held = placed(pc(), "aaa", 5, 72, Isolation::Full);
    let release = |fleet: Fleet| {
        fleet.action("pc-1", Unisolate, Pending, ago(2), &undoing(later()), "palisade")
    };
    assert_eq!(plan(&release(held), aaa("ir")), IN_FLIGHT);
    let found = plan(&release(of_ana(1, Isolation::Full)), aaa("ir"));
    assert_eq!(found, ["do cancel pc-1 free -> full (no-longer-wanted)"]);
}

/// Had it let the device go at once, a policy that it does not name would hold it by now.
#[test]
fn its_word_counts_for_others_until_the_end_that_was_written() {
    let bbb = || vec![lasting("bbb", 72, tag("ir"))];
    let sent = |lease, status: ActionStatus| {
        let fleet = placed(pc(), "aaa", 12, lease, Isolation::Full);
        fleet.action("pc-1", Unisolate, status, ago(11), &undoing(ago(7)), "palisade")
    };
    assert_eq!(plan(&sent(5, Succeeded), bbb()), ["do isolate pc-1 free -> full"]);
    assert_eq!(plan(&sent(5, Pending), bbb()), ["do cancel pc-1 free -> full (no-longer-wanted)"]);
    assert_eq!(plan(&sent(24, Succeeded), bbb()), ["held pc-1 isolation released-by-hand"]);
    assert_eq!(plan(&sent(24, Pending), bbb()), IN_FLIGHT);
    // To the one that it names it counts for good, and one that says `reassert` takes the device when it is free.
    assert_eq!(plan(&sent(5, Pending), aaa("ir")), IN_FLIGHT);
    let mut reasserts = bbb();
    reasserts[0].containment.on_manual_release = OnManualRelease::Reassert;
    assert_eq!(plan(&sent(24, Pending), reasserts), IN_FLIGHT);
    // One whose own lease on it is over does not take part, unless it keeps the device for all that.
    let mut over = lasting("bbb", 6, tag("ir"));
    assert_eq!(plan(&sent(5, Pending), vec![over.clone()]), IN_FLIGHT);
    over.containment.on_expiry = OnExpiry::Hold;
    let found = plan(&sent(5, Pending), vec![over]);
    assert_eq!(found, ["do cancel pc-1 free -> full (no-longer-wanted)"]);
    // Who is free already is let go by it as well as by nothing.
    let free = pc().action("pc-1", Unisolate, Pending, ago(11), &undoing(ago(7)), "palisade");
    assert_eq!(plan(&free, bbb()), IN_FLIGHT);
}
