//! After every step: what the workspaces have done in the tenant, whoever told them to.
//!
//! Nothing is done twice, nothing that no plan said, nothing on a device that had moved in good
//! time, nothing against another holder; and only own actions are cancelled.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use palisade::emulator::tenant::Action;
use palisade::model::{ActionKind, Verb};

use super::reference::{Truth, mark, marked, side, strength};
use super::runs::Known;
use super::world::{Site, World};
use super::{Broken, Check};

/// A reading may be so old when a request leaves: the engine's minute, and the slowest answers of
/// the service on top.
pub(super) const READ_AGE: SignedDuration = SignedDuration::from_secs(180);

/// What the log of requests has shown so far: by change, when requests that carry its marker came.
#[derive(Debug, Default)]
pub(super) struct Seen {
    requests: usize,
    sent: BTreeMap<String, Vec<Timestamp>>,
}

impl Seen {
    /// How many requests there were.
    pub(super) const fn requests(&self) -> usize {
        self.requests
    }

    fn read(&mut self, world: &palisade::emulator::Emulator) {
        for logged in world.log().iter().skip(self.requests) {
            self.requests += 1;
            let body = String::from_utf8_lossy(&logged.body);
            let Some((_, rest)) = body.rsplit_once("[palisade ") else { continue };
            let Some((marker, _)) = rest.split_once(']') else { continue };
            if let Some(mark) = mark(&format!("[palisade {marker}]")) {
                let cancels = logged.uri.path().ends_with("/cancel");
                let key = if cancels { cancelling(&mark.change) } else { mark.change };
                self.sent.entry(key).or_default().push(logged.at);
            }
        }
    }
}

/// What tells the cancelling of an action from its sending: both carry the mark of one change when a
/// rollout is stopped.
fn cancelling(change: &str) -> String {
    format!("{change}/cancel")
}

pub(super) fn check(world: &mut World) -> Check {
    let mut seen = std::mem::take(&mut world.seen);
    seen.read(&world.emulator());
    let checked = world.truth(|truth| {
        let mut made: BTreeMap<String, u32> = BTreeMap::new();
        for action in truth.0.actions() {
            let Some(mark) = marked(action) else { continue };
            let Some(site) = world.sites.iter().find(|site| site.id == mark.site) else { continue };
            let Some(known) = site.known.get(&mark.change) else {
                return Err(Broken::new(6, format!("no plan said so: {action:?}")));
            };
            let times = made.entry(mark.change.clone()).or_insert(0);
            *times += 1;
            if *times > 1 {
                return Err(Broken::new(7, format!("made twice: {action:?}")));
            }
            one(truth, site, known, action)?;
            sent_once(&seen, &mark.change, action.created, action)?;
        }
        truth.0.actions().iter().try_for_each(|action| cancelled(&world.sites, &seen, action))
    });
    world.seen = seen;
    checked
}

/// An action of ours.
fn one(truth: Truth<'_>, site: &Site, known: &Known, action: &Action) -> Check {
    let Known { planned, change } = known;
    let wanted = match change.verb {
        Verb::Isolate => ActionKind::Isolate,
        Verb::Release => ActionKind::Unisolate,
        Verb::Restrict => ActionKind::RestrictCodeExecution,
        Verb::Unrestrict => ActionKind::UnrestrictCodeExecution,
        Verb::Scan => ActionKind::RunAntiVirusScan,
        other => return Err(Broken::new(6, format!("{other} made an action: {action:?}"))),
    };
    let device = truth.0.machine(action.machine).map(|machine| machine.id.to_string());
    if action.kind != wanted || device.as_deref() != Some(&*change.target.id) {
        return Err(Broken::new(6, format!("the plan said {change:?}, done was {action:?}")));
    }
    let Some(side) = side(&action.kind) else { return Ok(()) };
    // What came between the plan and the last look must have been seen.
    let looked = action.created - READ_AGE;
    let between = truth
        .actions_on(action.machine, side)
        .find(|other| other.id != action.id && other.created > *planned && other.created < looked);
    if let Some(other) = between {
        let what = format!("the device had moved: {other:?} came before {action:?}");
        return Err(Broken::new(4, what));
    }
    if strength(action) == 0 {
        let before = truth.standing(action.machine, side, looked);
        let then = truth.standing(action.machine, side, action.created);
        if !before.is_of(site.id) && !then.is_of(site.id) {
            let what = format!("{} released what {:?} holds: {action:?}", site.id, then.by);
            return Err(Broken::new(6, what));
        }
    }
    Ok(())
}

/// No request leaves when an earlier one has taken effect.
pub(super) fn sent_once(
    seen: &Seen,
    change: &str,
    effect: Timestamp,
    action: &impl std::fmt::Debug,
) -> Check {
    let since = seen.sent.get(change).map_or(&[][..], Vec::as_slice);
    let after = since.iter().filter(|at| **at >= effect).count();
    if after > 1 {
        return Err(Broken::new(7, format!("sent again, {after} times: {action:?}")));
    }
    Ok(())
}

/// A cancelling of ours is of an action of ours.
fn cancelled(sites: &[Site], seen: &Seen, action: &Action) -> Check {
    let Some(cancellation) = &action.cancellation else { return Ok(()) };
    let Some(mark) = cancellation.comment.as_deref().and_then(mark) else { return Ok(()) };
    let Some(site) = sites.iter().find(|site| site.id == mark.site) else { return Ok(()) };
    let planned = site.known.get(&mark.change).map(|known| &known.change);
    let is_planned = planned.is_some_and(|change| {
        change.verb == Verb::Cancel
            && change.parameters.action_id.as_deref() == Some(&action.id.to_string())
    });
    // A rollout that stops takes back what is on its way.
    let is_own = marked(action).is_some_and(|own| own.change == mark.change);
    let is_halted = is_own && planned.is_some_and(|change| change.rollout.is_some());
    if !(is_planned || is_halted) || !super::reference::is_of(action, site.id) {
        return Err(Broken::new(6, format!("cancelled what is not ours: {action:?}")));
    }
    sent_once(seen, &cancelling(&mark.change), cancellation.at, action)
}
