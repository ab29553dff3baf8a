//! Law 3: a tighter guardrail never adds a change, whichever setting is tightened and however many
//! of them at once; nor does a lift that is missing, a run to compare with or a runner that is known.
//! What it may add is what lets go: the cancelling of an action that would restrict a device which is
//! protected by now, and, where `maxLease` was lowered, the end of what has lasted for longer.
//!
//! `destructive` is not among them: no kind of document wants a verb that it speaks about.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::fleet::TENANT_ID;
use super::world::{Draw, NAMES, devices, fleet, guarded, policies};
use super::{ids, planned_around};
use crate::model::{Span, Verb};
use crate::plan::circumstances::{LastSeen, Runner};
use crate::plan::guards::liftable;
use crate::plan::types::{Baseline, Change, Entry, Plan};
use crate::plan::{Circumstances, Lift};
use crate::policy::limits::{Remaining, Shrink};
use crate::policy::schedule::Cron;
use crate::policy::selector::DeviceExpr;
use crate::policy::workspace::{Freeze, Guardrails, Limit, Rolling};

fn count(draw: &mut Draw, below: u64) -> u32 {
    u32::try_from(draw.below(below)).unwrap()
}

fn lower(limit: Option<Limit>, draw: &mut Draw) -> Option<Limit> {
    match limit {
        None => draw.chance(30).then_some(Limit::Count(1)),
        Some(Limit::Count(most)) => Some(Limit::Count(count(draw, u64::from(most) + 1))),
        Some(Limit::Share { basis_points, at_least }) => {
            Some(Limit::Share { basis_points: basis_points / 2, at_least })
        }
    }
}

fn lower_rolling(rolling: Option<Rolling>, draw: &mut Draw) -> Option<Rolling> {
    match rolling {
        None => draw.chance(30).then_some(Rolling { count: 1, window: Span::from_hours(24) }),
        Some(Rolling { count: most, window }) => Some(Rolling {
            count: count(draw, u64::from(most) + 1),
            window: Span::from_secs(window.as_secs() * 2),
        }),
    }
}

/// More devices than before, those of before included.
fn wider(expr: Option<&DeviceExpr>, draw: &mut Draw) -> DeviceExpr {
    DeviceExpr::Any(expr.cloned().into_iter().chain([devices(draw)]).collect())
}

/// A window that is open now, or one that is not.
fn window(draw: &mut Draw) -> Freeze {
    let verbs = [Verb::Isolate, Verb::Release, Verb::Scan];
    Freeze {
        name: Arc::from(format!("window-{}", draw.below(1_000))),
        cron: Cron::parse(["0 * * * *", "0 3 * * *"][usize::from(draw.chance(30))]).unwrap(),
        zone: TimeZone::UTC,
        window: Span::from_hours(1),
        verbs: verbs.into_iter().filter(|_| draw.chance(40)).collect(),
    }
}

/// One setting after another, each with even chances.
fn tighten(draw: &mut Draw, rails: &mut Guardrails) {
    for caps in rails.caps.values_mut() {
        if draw.chance(50) {
            continue;
        }
        caps.run = lower(caps.run, draw);
        caps.group = lower(caps.group, draw);
        caps.fleet = lower(caps.fleet, draw);
        caps.rolling = lower_rolling(caps.rolling, draw);
        caps.alert_rule = lower_rolling(caps.alert_rule, draw);
    }
    if let (Limit::Count(least), true) = (rails.remaining.least, draw.chance(50)) {
        let least = Limit::Count(least + count(draw, 4));
        rails.remaining = Remaining { least, groups_from: 1 };
    }
    for span in [&mut rails.dwell, &mut rails.cooldown] {
        *span = Span::from_secs(span.as_secs() + 3_600 * draw.below(100));
    }
    if draw.chance(50) {
        rails.protected = Some(wider(rails.protected.as_ref(), draw));
    }
    let controllers = &mut rails.domain_controllers;
    if draw.chance(30) {
        controllers.also = Some(wider(controllers.also.as_ref(), draw));
    }
    if draw.chance(50) {
        controllers.except = None;
    }
    if draw.chance(30) {
        let more = window(draw);
        rails.freeze.push(more);
    }
    if draw.chance(30) {
        rails.max_lease = Span::from_hours(1 + draw.below(rails.max_lease.as_secs() / 3_600));
    }
    if draw.chance(70) {
        let Shrink { inventory, selection } = rails.shrink;
        let mut narrow = |limit: Option<Limit>| {
            lower(limit.or(draw.chance(60).then_some(Limit::Count(2))), draw)
        };
        rails.shrink = Shrink { inventory: narrow(inventory), selection: narrow(selection) };
    }
    rails.require_lease |= draw.chance(50);
    rails.hold_orphaned_releases |= draw.chance(50);
}

/// What a plan may rest on: a run to compare with, lifts, the machine that runs us.
fn around(draw: &mut Draw, plan: &Plan) -> Circumstances {
    let mut around = Circumstances::default();
    let mut jumped = |now: u32| now * count(draw, 4) + count(draw, 3);
    let devices = jumped(plan.tenants[0].devices);
    let seen = plan.seen(&plan.tenants[0]).selected.into_iter();
    let selected = seen.map(|(policy, now)| (policy, jumped(now))).collect();
    let last = LastSeen { run: "a run".into(), counts: Baseline { devices, selected } };
    if draw.chance(60) {
        around.last.tenants.insert(TENANT_ID.into(), last);
    }
    let codes = plan.objections.iter().map(|objection| objection.code.clone());
    let lift = |code| Lift { code, because: "a test".into() };
    around.lifts = codes.collect::<BTreeSet<_>>().into_iter().map(lift).collect();
    around.lifts.retain(|lift| may_lift(&lift.code) && draw.chance(50));
    around
}

/// What a tighter guardrail may ask for that a looser one does not.
fn lets_go(change: &Change, sooner: bool, before: &Plan) -> bool {
    let code = change.reason.as_ref().map_or("", |reason| reason.code.as_str());
    // Where everybody else's lease is over, the policy that placed it decides, and may want it no longer.
    let stays = |row: &Entry| {
        let spared = row.reason.code == "protected-in-force";
        row.target.id == change.target.id && row.verb == Some(change.verb) && !spared
    };
    let left = matches!(code, "policy-gone" | "no-longer-selected" | "policy-in-audit")
        && !before.held.iter().any(stays);
    match change.verb {
        Verb::Cancel => {
            code == "protected-pending" || sooner && (left || code == "no-longer-wanted")
        }
        Verb::Release | Verb::Unrestrict => {
            sooner && (left || matches!(code, "lease-ended" | "lease-shortened"))
        }
        _ => false,
    }
}

fn may_lift(code: &str) -> bool {
    liftable().any(|known| known == code)
}

/// Plans of a drawn world before and after its guardrails are tightened, and whether leases may last
/// less long now.
fn tightened(seed: u64) -> (Plan, Plan, bool) {
    let mut draw = Draw(seed);
    let (fleet, policies) = (fleet(&mut draw), policies(&mut draw));
    let mut loose = guarded(&mut draw);
    // What a workspace may have had before somebody tightened it.
    loose.guardrails.require_lease = draw.chance(50);
    loose.guardrails.freeze.extend(draw.chance(20).then(|| window(&mut draw)));
    loose.guardrails.domain_controllers.except = draw.chance(30).then(|| devices(&mut draw));
    // The usual minimums are larger than these fleets.
    let some = |draw: &mut Draw| draw.chance(30).then(|| Limit::Count(count(draw, 4)));
    loose.guardrails.shrink = Shrink { inventory: some(&mut draw), selection: some(&mut draw) };
    let free = planned_around(&Circumstances::default(), &policies, &loose, fleet.build());
    let before = around(&mut draw, &free);
    let (mut tight, mut after) = (loose.clone(), before.clone());
    tighten(&mut draw, &mut tight.guardrails);
    after.lifts.retain(|_| draw.chance(70));
    after.runner = draw.chance(30).then(|| {
        let name = NAMES[count(&mut draw, NAMES.len() as u64) as usize];
        Runner::new([name.to_owned()], [])
    });
    let before = planned_around(&before, &policies, &loose, fleet.build());
    let after = planned_around(&after, &policies, &tight, fleet.build());
    let sooner = tight.guardrails.max_lease < loose.guardrails.max_lease;
    (before, after, sooner)
}

/// Whether a count that jumped holds something.
fn shrink_holds(plan: &Plan) -> bool {
    let of_shrink = |code: &str| code.ends_with("-shrank") || code.ends_with("-grew");
    plan.objections.iter().any(|it| it.held > 0 && of_shrink(&it.code))
}

/// What the tighter guardrails of that world do, and no looser ones did, though they may not.
fn added(seed: u64) -> (Vec<Change>, Plan, Plan) {
    let (before, after, sooner) = tightened(seed);
    let known = ids(&before);
    let new = |change: &&Change| !known.contains(&*change.id.to_string());
    let added = after.changes.iter().filter(new).filter(|change| !lets_go(change, sooner, &before));
    (added.cloned().collect(), before, after)
}

/// Worlds in which a shorter `maxLease` lets go what another policy had placed.
const RARE: [u64; 3] = [0xda4f_635a_0c3c_78ae, 0xb806_3d55_e6b1_22a4, 0x7804_be27_740c_fc97];

#[test]
fn a_tighter_guardrail_never_adds_a_change() {
    // A guardrail that never holds anything cannot add a change either.
    let (mut shrinks, mut only_tight) = (0, 0);
    for seed in (0..64).chain(RARE) {
        let (added, before, after) = added(seed);
        assert!(added.is_empty(), "seed {seed}: {added:?}");
        shrinks += u32::from(shrink_holds(&after));
        only_tight += u32::from(shrink_holds(&after) && !shrink_holds(&before));
    }
    assert!(shrinks >= 12 && only_tight >= 4, "{shrinks} of 67, {only_tight} by tightening");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn nor_does_it_in_any_other_world(seed: u64) {
        let (added, ..) = added(seed);
        prop_assert!(added.is_empty(), "{added:?}");
    }

    /// A lift gives back what that guardrail held and nothing else, and nothing that is never lifted.
    #[test]
    fn a_lift_adds_only_what_its_own_code_held(seed: u64) {
        let mut draw = Draw(seed);
        let (fleet, policies) = (fleet(&mut draw), policies(&mut draw));
        let mut workspace = guarded(&mut draw);
        workspace.guardrails.freeze.extend(draw.chance(20).then(|| window(&mut draw)));
        let strict = planned_around(&Circumstances::default(), &policies, &workspace, fleet.build());
        let codes: BTreeSet<String> =
            strict.objections.iter().map(|objection| objection.code.clone()).collect();
        for code in codes {
            let lift = Lift { code: code.clone(), because: "a test".into() };
            let around = Circumstances { lifts: vec![lift], ..Circumstances::default() };
            let lifted = planned_around(&around, &policies, &workspace, fleet.build());
            prop_assert!(ids(&strict).is_subset(&ids(&lifted)), "{code} takes away");
            let known = ids(&strict);
            let added = lifted.changes.iter().filter(|change| !known.contains(&*change.id.to_string()));
            let held = |change: &&Change| {
                strict.held.iter().any(|row| {
                    row.target.id == change.target.id
                        && row.facet == change.facet
                        && row.reason.code == code
                })
            };
            let others: Vec<&Change> = added.filter(|change| !held(change)).collect();
            prop_assert!(others.is_empty(), "{code} gives {others:?}");
            prop_assert!(may_lift(&code) || ids(&lifted) == ids(&strict), "{code}");
        }
    }
}
