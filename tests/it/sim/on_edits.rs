//! After every step: what the workspaces have done to alerts, whoever told them to.
//!
//! A request that sets something carries no marker; the tenant notes who changed which alert when,
//! and each change of ours must answer for exactly one change of a plan. Nothing is done twice,
//! nothing that no plan said, nothing on an alert that had moved in good time. Called by `world`,
//! `on_runs` and `freezes`.

use jiff::Timestamp;
use palisade::apply::{Ended, Outcome};
use palisade::emulator::tenant::AlertEdit;
use palisade::model::Verb;
use palisade::plan::Change;

use super::freezes::Sent;
use super::on_actions::{READ_AGE, sent_once};
use super::on_alerts::{after, sets};
use super::reference::mark;
use super::runs::{Known, Run};
use super::world::{Site, World};
use super::{Broken, Check};

/// A look at an alert that reached whoever took it.
struct Looked {
    at: Timestamp,
    caller: Option<String>,
    alert: String,
    /// Whether it came with the answer to a request that set something.
    by_setting: bool,
}

/// Looks since the last step, oldest first.
fn looks(world: &World) -> Vec<Looked> {
    let emulator = world.emulator();
    let fresh = emulator.log().iter().skip(world.seen.requests());
    let reached = fresh.filter(|logged| logged.status.is_success() && logged.cut.is_none());
    let looked = |logged: &palisade::emulator::log::Logged| {
        let (folder, alert) = logged.uri.path().rsplit_once('/')?;
        let by_setting = logged.method == http::Method::PATCH;
        let tells =
            folder.ends_with("/alerts_v2") && (by_setting || logged.method == http::Method::GET);
        let (caller, alert) = (logged.caller.clone(), alert.to_owned());
        tells.then_some(Looked { at: logged.at, caller, alert, by_setting })
    };
    reached.filter_map(looked).collect()
}

/// The last look that the workspace took at the alert before an edit of its own.
fn last_look(
    site: &Site,
    id: &str,
    looks: &[Looked],
    edit: &AlertEdit,
) -> Result<Timestamp, Broken> {
    let of = |look: &&Looked| {
        let own = look.caller.as_deref() == Some(site.client_id()) && look.alert == id;
        own && look.at <= edit.at && (!look.by_setting || edit.comment.is_some())
    };
    let last = looks.iter().rev().find(of).map(|look| look.at);
    last.filter(|at| *at >= edit.at - READ_AGE)
        .ok_or_else(|| Broken::new(4, format!("last looked at {last:?}: {edit:?} of {id}")))
}

/// Looks at what was done to alerts since the last time.
pub(super) fn check(world: &mut World) -> Check {
    let looks = looks(world);
    let (from, sites) = (world.edits, std::mem::take(&mut world.sites));
    let mut sites = sites;
    let mut tally = Vec::new();
    let checked = world.truth(|truth| {
        let edits = truth.0.alert_edits();
        for (at, edit) in edits.iter().enumerate().skip(from) {
            let Some(site) = sites.iter_mut().find(|site| site.app_name() == &*edit.by) else {
                continue;
            };
            let id = &truth.0.alert(edit.alert).unwrap().id;
            let looked = last_look(site, id, &looks, edit)?;
            match &edit.comment {
                Some(text) => commented(site, id, text, (edits, at), looked)?,
                None => patched(site, id, (edits, at), looked)?,
            }
            tally.push(if edit.comment.is_some() { "alert comments" } else { "alerts changed" });
        }
        Ok(edits.len())
    });
    world.sites = sites;
    tally.into_iter().for_each(|what| world.count(what));
    world.edits = checked?;
    Ok(())
}

/// Law 7 at the end of a step: no comment is sent again that has arrived.
pub(super) fn comments(world: &World) -> Check {
    world.truth(|truth| {
        for alert in truth.0.alerts() {
            for comment in &alert.comments {
                let Some(mark) = mark(&comment.text) else { continue };
                sent_once(&world.seen, &mark.change, comment.at, comment)?;
            }
        }
        Ok(())
    })
}

/// All edits, and which of them is looked at.
type Edits<'e> = (&'e [AlertEdit], usize);

/// Somebody else, or we by another change, changed the alert before the last look.
fn moved(known: &Known, (edits, at): Edits<'_>, looked: Timestamp) -> Option<AlertEdit> {
    let edit = &edits[at];
    let mut between = edits[..at].iter().rev().take_while(|other| other.at >= known.planned);
    between.find(|other| other.alert == edit.alert && other.at < looked).cloned()
}

/// The alert's properties were set by us.
fn patched(site: &mut Site, id: &str, edits: Edits<'_>, looked: Timestamp) -> Check {
    let edit = &edits.0[edits.1];
    let fits = |known: &&Known| {
        let change = &known.change;
        *change.target.id == *id
            && sets(change)
            && known.planned <= edit.at
            && after(&change.parameters, &edit.before) == edit.after
    };
    let candidates: Vec<&Known> = site.known.values().filter(fits).collect();
    let Some(known) = candidates
        .iter()
        .filter(|known| !site.patched.contains_key(&known.change.id.to_string()))
        .max_by_key(|known| known.planned)
    else {
        let law = if candidates.is_empty() { 6 } else { 7 };
        return Err(Broken::new(law, format!("no plan said so, or done before: {edit:?} of {id}")));
    };
    if let Some(other) = moved(known, edits, looked) {
        return Err(Broken::new(4, format!("the alert had moved: {other:?} came before {edit:?}")));
    }
    let change = known.change.id.to_string();
    site.patched.insert(change, edit.clone());
    Ok(())
}

/// We commented on the alert.
fn commented(
    site: &Site,
    id: &str,
    text: &str,
    (edits, at): Edits<'_>,
    looked: Timestamp,
) -> Check {
    let edit = &edits[at];
    let wrong = |law, what: &str| Err(Broken::new(law, format!("{what}: {edit:?} of {id}")));
    let mark = mark(text).filter(|mark| mark.site == site.id);
    let Some(known) = mark.as_ref().and_then(|mark| site.known.get(&mark.change)) else {
        return wrong(6, "no plan said so");
    };
    let change = &known.change;
    if *change.target.id != *id || change.parameters.comment.as_deref() != Some(text) {
        return wrong(6, "the plan said otherwise");
    }
    let twice = |other: &AlertEdit| other.alert == edit.alert && other.comment == edit.comment;
    if edits[..at].iter().any(twice) {
        return wrong(7, "commented twice");
    }
    if !sets(change) {
        return match moved(known, (edits, at), looked) {
            Some(other) => wrong(4, &format!("the alert had moved by {other:?}")),
            None => Ok(()),
        };
    }
    // It follows what it speaks of, and that is still so when it is last looked at.
    let own = |other: &&AlertEdit| other.alert == edit.alert;
    let is_so = |other: &AlertEdit| after(&change.parameters, &other.after) == other.after;
    let mut since = edits[..at].iter().filter(own).filter(|other| other.at >= known.planned);
    if !since.any(is_so) {
        return wrong(5, "what it speaks of was never set");
    }
    let last = edits[..at].iter().rev().filter(own).find(|other| other.at < looked);
    let moved = last.filter(|last| last.at >= known.planned && !is_so(last));
    let set_since = edits[..at].iter().filter(own).any(|other| other.at >= looked && is_so(other));
    match moved.filter(|_| !set_since) {
        Some(last) => wrong(4, &format!("what it speaks of was taken back by {last:?}")),
        None => Ok(()),
    }
}

/// An outcome of a change of an alert is what is the case.
pub(super) fn outcome(world: &World, site: usize, change: &Change, ended: &Ended) -> Check {
    let lie = |what: &str| Err(Broken::new(5, format!("{what}: {ended:?} of {change:?}")));
    let (site, id) = (&world.sites[site], change.id.to_string());
    world.truth(|truth| {
        let alert = truth.0.find_alert(&change.target.id);
        let Some(alert) = alert.and_then(|row| truth.0.alert(row)) else { return Ok(()) };
        let wrote = |text: &str| mark(text).is_some_and(|mark| mark.change == id);
        let commented = alert.comments.iter().any(|comment| wrote(&comment.text));
        let patched = site.patched.contains_key(&id);
        // A request whose answer was lost and whose effect somebody has undone cannot be told from
        // one that never arrived.
        let stands = site.patched.get(&id).is_some_and(|edit| alert.handling() == edit.after);
        match ended.outcome {
            Outcome::Done if change.parameters.comment.is_some() && !commented => {
                lie("its comment is not there")
            }
            Outcome::Done if sets(change) && !patched && !was_so(truth.0, change) => {
                lie("it was never set")
            }
            Outcome::NotAttempted | Outcome::Refused if commented || stands => {
                lie("it was done all the same")
            }
            _ => Ok(()),
        }
    })
}

/// Whether somebody has ever left the alert as the change wants it: a request that was lost and
/// whose wish somebody else has fulfilled cannot be told from one that arrived.
fn was_so(tenant: &palisade::emulator::Tenant, change: &Change) -> bool {
    let row = tenant.find_alert(&change.target.id);
    let mut edits = tenant.alert_edits().iter().filter(|edit| Some(edit.alert) == row);
    edits.any(|edit| after(&change.parameters, &edit.after) == edit.after)
}

/// When requests of a run that set something on alerts came since the last step, with the ids of
/// their changes: they carry no marker.
pub(super) fn sent(world: &World, run: &Run) -> Vec<Sent> {
    let Some(site) = world.sites.iter().find(|site| *site.id == *run.plan.workspace) else {
        return Vec::new();
    };
    let emulator = world.emulator();
    let fresh = emulator.log().iter().enumerate().skip(world.seen.requests());
    let patches = fresh.filter(|(_, logged)| {
        logged.method == http::Method::PATCH && logged.caller.as_deref() == Some(site.client_id())
    });
    let change = |path: &str| {
        let (_, alert) = path.rsplit_once('/')?;
        run.plan.changes.iter().find(|it| it.verb == Verb::Classify && it.target.id == *alert)
    };
    patches
        .filter_map(|(number, logged)| {
            let change = change(logged.uri.path())?.id.to_string();
            Some(Sent { number, at: logged.at, change })
        })
        .filter(|sent| sent.at >= run.began && sent.at <= run.ended)
        .collect()
}

/// Whether a marked request of the run is the comment that follows what was set: what has begun is
/// finished.
pub(super) fn is_afterword(run: &Run, change: &str) -> bool {
    let mut own = run.plan.changes.iter().filter(|it| it.id.to_string() == change);
    own.any(|it| it.verb == Verb::Classify && sets(it))
}

/// Law 10: what an undoing has taken back is as it was before the run.
pub(super) fn is_restored(
    site: &Site,
    undone: &Change,
    taken_back: &Change,
) -> Result<bool, Broken> {
    let of = |change: &Change| site.patched.get(&change.id.to_string());
    let (Some(first), Some(back)) = (of(undone), of(taken_back)) else { return Ok(false) };
    if back.before == first.after && back.after != first.before {
        let what = format!("{undone:?} met {:?}, now {:?}", first.before, back.after);
        return Err(Broken::new(10, what));
    }
    Ok(back.before == first.after)
}
