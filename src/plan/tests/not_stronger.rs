//! A person calls off what would have made a device stronger: what there is stays as long as anybody's lease says.

use super::fleet::{Fleet, Machine, ago, marked, marked_until};
use super::outlived::lasting;
use super::policies::{set, tag, workspace};
use super::{planned, rows};
use crate::model::ActionKind::{Isolate, Unisolate};
use crate::model::ActionStatus::{Cancelled, Pending, Succeeded};
use crate::model::{Isolation, IsolationMode, Span};
use crate::policy::PolicySet;
use crate::policy::selector::DeviceExpr;
use crate::policy::set::{IsolationPolicy, OnManualRelease};

pub(super) fn selective(name: &str, hours: u64, devices: DeviceExpr) -> IsolationPolicy {
    let mut policy = lasting(name, hours, devices);
    policy.isolation = IsolationMode::Selective;
    policy
}

/// Placed by that policy so many hours ago, for a lease of so many.
pub(super) fn placed(
    fleet: Fleet,
    policy: &str,
    hours: u64,
    lease: u64,
    level: Isolation,
) -> Fleet {
    let comment = marked_until("contoso-soc", policy, Span::from_hours(lease).after(ago(hours)));
    let fleet = fleet.action("pc-1", Isolate, Succeeded, ago(hours), &comment, "palisade");
    fleet.last_action(|action| action.isolation = Some(level))
}

/// An action of `aaa` that Ana called off an hour after it was asked for.
pub(super) fn called_off(fleet: Fleet, hours: u64) -> Fleet {
    let comment = marked_until("contoso-soc", "aaa", Span::from_hours(72).after(ago(hours)));
    let fleet = fleet.action("pc-1", Isolate, Cancelled, ago(hours), &comment, "palisade");
    fleet.last_action(|action| {
        let (requestor, comment) = ("ana@contoso.example".into(), "not full".into());
        let at = ago(hours - 1);
        let cancelled = crate::inventory::record::Cancelled { requestor, comment, at };
        action.cancelled = Some(Box::new(cancelled));
        action.updated = at;
    })
}

pub(super) fn plan(fleet: &Fleet, isolation: Vec<IsolationPolicy>) -> Vec<String> {
    rows(&planned(&PolicySet { isolation, ..set() }, &workspace(), fleet.build()))
}

pub(super) fn pc() -> Fleet {
    Fleet::of([Machine::new("pc-1").tag("ir")])
}

#[test]
fn another_policys_lease_runs_on() {
    let fleet = called_off(placed(pc(), "bbb", 3, 1, Isolation::Selective), 2);
    for bbb in ["ir", "else"] {
        let isolation = vec![
            lasting("aaa", 72, tag("ir")),
            selective("bbb", 1, tag(bbb)),
            selective("ccc", 72, tag("ir")),
        ];
        assert_eq!(plan(&fleet, isolation), ["held pc-1 isolation released-by-hand"]);
    }
}

#[test]
fn the_policy_whose_action_it_was_keeps_what_there_is() {
    let fleet = called_off(placed(pc(), "bbb", 3, 1, Isolation::Selective), 2);
    for bbb in ["ir", "else"] {
        let isolation = vec![lasting("aaa", 72, tag("ir")), selective("bbb", 1, tag(bbb))];
        assert_eq!(plan(&fleet, isolation), ["held pc-1 isolation released-by-hand"]);
    }
    // Of a free device it would have been the first hold: that was let go of.
    let free = called_off(pc(), 2);
    let isolation = vec![lasting("aaa", 72, tag("ir")), selective("ccc", 72, tag("ir"))];
    assert_eq!(plan(&free, isolation), ["held pc-1 isolation released-by-hand"]);
}

#[test]
fn it_runs_on_although_somebody_has_made_the_device_stronger_since() {
    let before = || called_off(placed(pc(), "bbb", 10, 72, Isolation::Selective), 9);
    let stronger = placed(before(), "ccc", 5, 1, Isolation::Full);
    let isolation = vec![selective("bbb", 72, tag("ir")), lasting("ccc", 1, tag("ir"))];
    assert_eq!(plan(&stronger, isolation), ["held pc-1 isolation weakening-needs-release"]);
    let own = placed(before(), "bbb", 5, 72, Isolation::Full);
    let isolation = vec![selective("ccc", 72, tag("ir")), lasting("bbb", 72, tag("else"))];
    assert_eq!(plan(&own, isolation), ["held pc-1 isolation weakening-needs-release"]);
}

/// She has let it go afterwards, or we have: it was free, and what another policy puts back is not for `aaa` to keep.
#[test]
fn what_was_free_in_between_is_not_kept_for_whom_she_had_refused() {
    let before = called_off(placed(pc(), "bbb", 10, 5, Isolation::Selective), 9);
    let by_hand = before.clone().by_hand("pc-1", Unisolate, Succeeded, ago(7));
    let comment = marked("contoso-soc", "bbb").replace("for a test", "no longer selected");
    let by_us = before.action("pc-1", Unisolate, Succeeded, ago(7), &comment, "palisade");
    for freed in [by_hand, by_us] {
        let back = placed(freed, "ccc", 6, 5, Isolation::Selective);
        let mut ccc = selective("ccc", 5, tag("ir"));
        ccc.containment.on_manual_release = OnManualRelease::Reassert;
        let isolation = vec![lasting("aaa", 72, tag("ir")), ccc];
        assert_eq!(plan(&back, isolation), ["do release pc-1 selective -> free (lease-ended)"]);
    }
}

#[test]
fn what_she_has_called_off_and_was_sent_once_more_is_taken_back() {
    let before = called_off(placed(pc(), "bbb", 10, 5, Isolation::Selective), 9);
    let comment = marked_until("contoso-soc", "aaa", Span::from_hours(72).after(ago(8)));
    let again = before.action("pc-1", Isolate, Pending, ago(8), &comment, "palisade");
    let isolation = vec![lasting("aaa", 72, tag("ir")), selective("bbb", 5, tag("ir"))];
    assert_eq!(plan(&again, isolation), ["do cancel pc-1 full -> selective (no-longer-wanted)"]);
}

/// The device was free when she called off what `aaa` had asked for: that stands against `aaa` on what another
/// policy has placed since, however long that has stood by now.
#[test]
fn who_was_refused_a_free_device_has_no_say_in_what_another_policy_placed_since() {
    let fleet = placed(called_off(pc(), 9), "bbb", 7, 5, Isolation::Selective);
    let isolation = vec![lasting("aaa", 72, tag("ir")), selective("bbb", 5, tag("ir"))];
    assert_eq!(plan(&fleet, isolation), ["do release pc-1 selective -> free (lease-ended)"]);
}
