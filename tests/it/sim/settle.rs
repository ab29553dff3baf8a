//! Calm: what must come to be when nobody interferes.
//!
//! Faults are over, devices are online. Both workspaces plan and apply in turn until neither has
//! anything to do, which must be soon; nothing that was just done is wanted again. Weeks later
//! nothing is held any longer whose lease has ended.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use palisade::model::{Facet, Verb};
use palisade::plan::{Change, Circumstances, Lift, Plan};

use super::policy::{Kind, Traits};
use super::reference::Side;
use super::transition::{Course, SITES};
use super::world::World;
use super::{Broken, Check, accepts, on_alerts, twins};

/// Rounds in which everything must have come to rest. Several actions of ours may hang on one
/// device, and each plan cancels one.
const ROUNDS: usize = 12;

pub(super) async fn settle(world: &mut World) -> Check {
    // What others were to do during the last run happens first.
    world.wait(30).await;
    world.play(
        "clear faults\nswitch conflicts time-based\nswitch out-of-order off\nswitch \
         reisolation-sticks off\nswitch failures-per-mille 0\nswitch isolate-takes 66s",
    );
    twins::settle(world);
    for name in world.names.clone() {
        world.play(&format!("online {name}\nfail {name} 0"));
    }
    world.faulty = false;
    world.give_up();
    world.sites.iter().for_each(|site| site.freezes.end(world.clock.now()));
    world.wait(30).await;
    on_alerts::give_way(world)?;
    come_to_rest(world).await?;
    on_alerts::at_rest(world)?;
    // Longer than any lease with its renewals, and again for what was taken only then.
    for _ in 0..2 {
        if !holds_any(world) && !accepts::holds_any(world) {
            break;
        }
        world.wait(60 * 24 * 20).await;
        come_to_rest(world).await?;
        nothing_lasts(world)?;
    }
    Ok(())
}

async fn come_to_rest(world: &mut World) -> Check {
    let mut lifts: Vec<BTreeSet<String>> = vec![BTreeSet::new(); SITES];
    for _ in 0..ROUNDS {
        let mut busy = false;
        for (site, lifts) in lifts.iter_mut().enumerate() {
            let lift = |code: &String| Lift { code: code.clone(), because: "calm".to_owned() };
            let given: Vec<Lift> = lifts.iter().map(lift).collect();
            let Some(review) = world
                .plan(site, Circumstances { lifts: given, ..Circumstances::default() })
                .await?
            else {
                return Err(Broken::new(9, "nobody can sign in although it is calm".to_owned()));
            };
            let held = review.plan.objections.iter().filter(|objection| objection.held > 0);
            let codes: Vec<String> = held.map(|objection| objection.code.clone()).collect();
            let added = codes.into_iter().filter(|code| lifts.insert(code.clone())).count();
            busy |= !review.plan.changes.is_empty() || added > 0;
            apply(world, site, review).await?;
        }
        if !busy {
            return Ok(());
        }
        world.wait(1).await;
    }
    Err(Broken::new(1, "it does not come to rest although nobody interferes".to_owned()))
}

/// Applies a plan; what it has done must not be wanted again.
async fn apply(world: &mut World, site: usize, review: super::world::Review) -> Check {
    let before = review.plan.clone();
    let Some(run) = world.begin(site, review).await? else { return Ok(()) };
    let course = Course::default();
    let mut summaries = world.live(vec![(site, run, &course)]).await?;
    // Whoever waits for a person hears from one.
    for _ in 0..ROUNDS {
        let Some(run) = world.sites[site].broken.pop() else { break };
        summaries.extend(world.live(vec![(site, run, &course)]).await?);
    }
    let done = |plan: &Plan| -> BTreeSet<(String, Facet, String)> {
        plan.changes
            .iter()
            .filter(|change| change.verb != Verb::Cancel)
            .filter(|change| {
                summaries.iter().any(|summary| summary.outcomes[&change.id].outcome.is_good())
            })
            .map(wanted)
            .collect()
    };
    let done = done(&before);
    let Some(after) = world.plan(site, Circumstances::default()).await? else { return Ok(()) };
    let again = after.plan.changes.iter().find(|change| done.contains(&wanted(change)));
    match again {
        Some(change) => {
            let id = &change.target.id;
            let first = before.changes.iter().find(|first| first.target.id == *id);
            let ended: Vec<_> = summaries.iter().map(|summary| &summary.outcomes).collect();
            let history = world.truth(|truth| format!("{:#?}", truth.history(id)));
            let what = format!(
                "done, and wanted again: {change:?} after {first:?} in {ended:?}: {history}"
            );
            Err(Broken::new(1, what))
        }
        None => Ok(()),
    }
}

/// What a change is about. Of an alert, what one rule has done may let another select it.
fn wanted(change: &Change) -> (String, Facet, String) {
    let rule = change.because.first().filter(|_| change.verb == Verb::Classify);
    let rule = rule.map(|why| why.name.clone()).unwrap_or_default();
    (change.target.id.clone(), change.facet, rule)
}

/// Whether any restriction of ours is in force.
fn holds_any(world: &World) -> bool {
    let now = world.clock.now();
    world.truth(|truth| {
        let mut sides = truth.rows().flat_map(|row| [(row, Side::Network), (row, Side::Code)]);
        sides.any(|(row, side)| {
            let standing = truth.standing(row, side, now);
            world.sites.iter().any(|site| standing.is_of(site.id))
        })
    })
}

/// No restriction of ours is left whose leases have all ended.
fn nothing_lasts(world: &World) -> Check {
    let now = world.clock.now();
    world.truth(|truth| {
        for row in truth.rows() {
            let traits = truth.traits(row);
            for side in [Side::Network, Side::Code] {
                let standing = truth.standing(row, side, now);
                let Some(action) = standing.by else { continue };
                let holder = world.sites.iter().find(|site| standing.is_of(site.id));
                let Some(site) = holder else { continue };
                let keeps = site.docs.values().any(|doc| {
                    let hours = i64::from(doc.lease) * i64::from(doc.renewal);
                    let runs = action.updated + SignedDuration::from_hours(hours) > now;
                    concerns(doc.kind, side)
                        && !doc.audit
                        && doc.pick.selects(&traits)
                        && (doc.hold || runs)
                });
                if !keeps {
                    let what = format!("nothing ends it: {action:?} on {traits:?}");
                    return Err(Broken::new(9, what));
                }
            }
        }
        Ok(())
    })
}

pub(super) const fn concerns(kind: Kind, side: Side) -> bool {
    matches!(
        (kind, side),
        (Kind::Isolate { .. }, Side::Network)
            | (Kind::Restrict, Side::Code)
            | (Kind::Scan { .. }, Side::Scan)
    )
}

/// Whether any policy of the workspace in force wants the device restricted on that side.
pub(super) fn is_wanted(site: &super::world::Site, side: Side, traits: &Traits) -> bool {
    site.docs.values().any(|doc| concerns(doc.kind, side) && !doc.audit && doc.pick.selects(traits))
}
