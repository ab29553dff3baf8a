//! Laws about one pending action of ours on one device, over drawn histories: an ordinary one is waited for exactly
//! where a plan without it would send it, and the release of an undoing exactly where, had it been done, nobody who
//! has heard nothing would take the device again.

use jiff::Timestamp;

use super::behind::{IN_FLIGHT, lifted};
use super::fleet::{Fleet, ago, device_id, marked, marked_until};
use super::not_stronger::pc;
use super::outlived::lasting;
use super::policies::{set, tag, workspace};
use super::world::{Draw, applied};
use super::{planned_around, rows};
use crate::inventory::{Cancelled as CalledOff, readings};
use crate::model::ActionKind::{Isolate, Unisolate};
use crate::model::ActionStatus::{Cancelled, Pending, Succeeded};
use crate::model::{ActionStatus, Holder, Isolation, IsolationMode, Reading, Span, Verb};
use crate::plan::Circumstances;
use crate::plan::types::Plan;
use crate::policy::PolicySet;
use crate::policy::set::OnManualRelease::{Ask, Reassert, Respect};
use crate::policy::set::{IsolationPolicy, Lease, Mode, OnExpiry};

const NAMES: [&str; 3] = ["aaa", "bbb", "ccc"];
const HOURS: [u64; 4] = [5, 24, 72, 240];
const LEVELS: [Isolation; 2] = [Isolation::Full, Isolation::Selective];

/// What is drawn: policies, what happened to the device, and what of ours is pending.
struct World {
    policies: PolicySet,
    before: Fleet,
    name: &'static str,
    level: Isolation,
    releases: bool,
    /// How many hours ago it was sent.
    sent: u64,
    until: Timestamp,
}

impl World {
    fn drawn(seed: u64) -> Self {
        let draw = &mut Draw(seed);
        let isolation = NAMES.iter().filter_map(|name| policy(draw, name)).collect();
        let sent = 1 + draw.below(60);
        Self {
            policies: PolicySet { isolation, ..set() },
            before: history(draw),
            name: draw.pick(&NAMES),
            level: draw.pick(&LEVELS),
            releases: draw.chance(40),
            sent,
            until: Span::from_hours(draw.pick(&HOURS)).after(ago(sent)),
        }
    }

    /// With the action, whose comment is that before the marker.
    fn with(&self, text: &str, status: ActionStatus) -> Fleet {
        let comment =
            marked_until("contoso-soc", self.name, self.until).replace("for a test", text);
        let kind = if self.releases { Unisolate } else { Isolate };
        let fleet =
            self.before.clone().action("pc-1", kind, status, ago(self.sent), &comment, "palisade");
        let level = (!self.releases).then_some(self.level);
        fleet.last_action(|action| action.isolation = level)
    }

    fn plan(&self, around: &Circumstances, fleet: &Fleet) -> Plan {
        planned_around(around, &self.policies, &workspace(), fleet.build())
    }

    /// Whether a plan sends what is pending, or something on whose way it is.
    fn sends(&self, plan: &Plan) -> bool {
        let rank = |word: &str| Isolation::parse(word).unwrap();
        plan.changes.iter().any(|change| match change.verb {
            Verb::Release => self.releases,
            Verb::Isolate => {
                !self.releases && rank(&change.to) >= self.level && rank(&change.from) < self.level
            }
            _ => false,
        })
    }

    /// Who holds the device, if anybody does.
    fn holder(&self) -> Option<Holder> {
        let inventory = self.before.build();
        let device = inventory.find(&device_id("pc-1")).unwrap();
        let facts = readings::isolation(&inventory, device, &workspace().id);
        facts
            .placed
            .map(|placed| placed.by)
            .filter(|_| facts.reading != Reading::Known(Isolation::Free))
    }

    /// Whether something happened to the device after it was sent.
    fn has_moved(&self) -> bool {
        self.before.actions.iter().any(|action| action.updated > ago(self.sent))
    }

    fn has_word(&self, word: crate::policy::set::OnManualRelease) -> bool {
        self.policies.isolation.iter().any(|it| it.containment.on_manual_release == word)
    }
}

fn policy(draw: &mut Draw, name: &str) -> Option<IsolationPolicy> {
    let (lease, on) = (draw.pick(&HOURS), draw.pick(&["ir", "ir", "ir", "else"]));
    let mut policy = lasting(name, lease, tag(on));
    policy.isolation = draw.pick(&[IsolationMode::Full, IsolationMode::Selective]);
    let containment = &mut policy.containment;
    if draw.chance(10) {
        containment.mode = Mode::Audit;
    }
    if draw.chance(25) {
        containment.lease = Lease::Until(Span::from_hours(draw.below(150)).after(ago(50)));
    }
    if draw.chance(15) {
        containment.on_expiry = OnExpiry::Hold;
    }
    containment.renewal = draw.pick(&[1, 1, 2]);
    containment.adopt = draw.chance(25);
    containment.on_manual_release = draw.pick(&[Respect, Reassert, Ask, Ask]);
    draw.chance(65).then_some(policy)
}

/// Up to four things that happened to the device, one after the other.
fn history(draw: &mut Draw) -> Fleet {
    let mut hours: Vec<u64> = (0..draw.below(5)).map(|_| 3 + draw.below(100)).collect();
    hours.sort_unstable_by(|one, other| other.cmp(one));
    hours.into_iter().fold(pc(), |fleet, at| event(draw, fleet, at))
}

fn event(draw: &mut Draw, fleet: Fleet, hours: u64) -> Fleet {
    let (name, level) = (draw.pick(&NAMES), draw.pick(&LEVELS));
    let until = Span::from_hours(draw.pick(&HOURS)).after(ago(hours));
    let ours = marked_until("contoso-soc", name, until);
    let letting_go = |text: &str| marked("contoso-soc", name).replace("for a test", text);
    let act = |kind, status, comment: &str, by| {
        let level = (kind == Isolate).then_some(level);
        let fleet = fleet.action("pc-1", kind, status, ago(hours), comment, by);
        fleet.last_action(|action| action.isolation = level)
    };
    let undoing = ours.replace("for a test", &format!("undo of 20261120T020000Z-7f3c9a: {name}"));
    match draw.below(9) {
        0..=2 => act(Isolate, Succeeded, &ours, "palisade"),
        3 => act(Unisolate, Succeeded, "by hand", "ana@contoso.example"),
        4 => act(Isolate, Succeeded, "by hand", "ana@contoso.example"),
        5 => act(Unisolate, Succeeded, &letting_go(&format!("lease ended: {name}")), "palisade"),
        6 => act(Unisolate, Succeeded, &letting_go("no longer selected"), "palisade"),
        7 => act(draw.pick(&[Isolate, Unisolate]), Succeeded, &undoing, "palisade"),
        _ => {
            let at = ago(hours - draw.below(hours));
            act(Isolate, Cancelled, &ours, "palisade").last_action(|action| {
                action.updated = at;
                let (requestor, comment) = ("ana@contoso.example".into(), "not now".into());
                action.cancelled = Some(Box::new(CalledOff { requestor, comment, at }));
            })
        }
    }
}

/// Worlds that few others are like: what an undoing has put back is pending to be let go, and what was lifted is more
/// than others want.
const RARE: [u64; 2] = [1110, 4521];

#[test]
fn what_is_sent_is_waited_for_where_a_plan_without_it_would_send_it() {
    let (mut waited, mut cancelled) = (0, 0);
    for seed in (0..500).chain(RARE) {
        let world = World::drawn(seed);
        // A release of who is free already does nothing.
        if world.releases && world.holder().is_none() {
            continue;
        }
        let pending = world.with("for a test", Pending);
        let plan = world.plan(&Circumstances::default(), &pending);
        // Nothing has to be lifted again for what is pending.
        assert_eq!(rows(&plan), rows(&world.plan(&lifted(), &pending)), "seed {seed}");
        if rows(&plan) == IN_FLIGHT {
            waited += 1;
            let without = world.plan(&lifted(), &world.before);
            // What was lifted for a policy that asks stands although others may take less without being asked.
            let less = || without.changes.iter().any(|change| change.verb == Verb::Isolate);
            let sends = world.sends(&without) || world.has_word(Ask) && less();
            assert!(sends, "seed {seed}: waits, would do {:?}", rows(&without));
        } else {
            cancelled += 1;
            let verbs: Vec<_> = plan.changes.iter().map(|change| change.verb).collect();
            assert_eq!(verbs, [Verb::Cancel], "seed {seed}: {:?}", rows(&plan));
            let after = world.plan(&Circumstances::default(), &applied(pending, &plan));
            let asks = world.has_word(Ask);
            assert!(asks || !world.sends(&after), "seed {seed}: again {:?}", rows(&after));
        }
    }
    assert!(waited > 50 && cancelled > 50, "{waited} and {cancelled}");
}

#[test]
fn a_release_of_an_undoing_is_waited_for_where_nobody_would_have_taken_the_device_again() {
    let (mut waited, mut cancelled) = (0, 0);
    for seed in 0..3000 {
        let mut world = World::drawn(seed);
        // Where a lease is over the device is let go in either case.
        for policy in &mut world.policies.isolation {
            policy.containment.lease = Lease::For(Span::from_hours(240));
        }
        let text = format!("undo of 20261120T020000Z-7f3c9a: {}", world.name);
        if !world.releases
            || !world.holder().is_some_and(|by| by.is_ours())
            || world.has_moved()
            || world.has_word(Reassert)
        {
            continue;
        }
        let plan = world.plan(&Circumstances::default(), &world.with(&text, Pending));
        let done = world.plan(&Circumstances::default(), &world.with(&text, Succeeded));
        let taken = done.changes.iter().any(|change| change.verb == Verb::Isolate);
        let waits = rows(&plan) == IN_FLIGHT;
        assert_eq!(waits, !taken, "seed {seed}: {:?}, done {:?}", rows(&plan), rows(&done));
        if waits { waited += 1 } else { cancelled += 1 }
    }
    assert!(waited > 50 && cancelled > 5, "{waited} and {cancelled}");
}
