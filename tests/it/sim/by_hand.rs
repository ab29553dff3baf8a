//! What a person lets go: people who release what a workspace holds, and what `onManualRelease` of
//! its policies must make of it afterwards.
//!
//! In plain words: a policy never takes again by itself what a person took from it, nor does another
//! policy before the end that the marker had named. `respect` leaves it, `ask` wants a word for it
//! first, `reassert` puts it back and says so. Who let go what is read off the tenant's own history;
//! histories in which it is open to dispute who took over from whom are not judged.

use jiff::Timestamp;
use palisade::emulator::tenant::Action;
use palisade::model::ActionStatus;
use palisade::plan::{Change, Plan};

use super::guard::Guard;
use super::on_plans::{Scene, side_of};
use super::policy::{Doc, Kind, Pick, name};
use super::reference::{Mark, Side, Truth, is_of, marked, strength};
use super::settle::concerns;
use super::transition::{Course, Draw, Transition};
use super::world::World;
use super::{Broken, Check, on_undo};

/// The guardrail that asks, and the reason of what stays released.
const CODE: &str = "released-by-hand";

/// What a policy says about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Manual {
    /// Nothing, which means that it is respected.
    Unsaid,
    Respect,
    Ask,
    Reassert,
}

impl Manual {
    pub(super) fn draw(draw: &mut Draw) -> Self {
        draw.pick(&[Self::Unsaid, Self::Respect, Self::Ask, Self::Ask, Self::Reassert])
    }

    /// The key of a document's `spec`, when it is written.
    pub(super) const fn yaml(self) -> &'static str {
        match self {
            Self::Unsaid => "",
            Self::Respect => ", onManualRelease: respect",
            Self::Ask => ", onManualRelease: ask",
            Self::Reassert => ", onManualRelease: reassert",
        }
    }
}

/// A run, people who let go some of what it holds, and what the workspace makes of it: at once, after
/// a while, or when the end that the markers named is over.
pub(super) fn draw(draw: &mut Draw, site: usize, life: &mut Vec<Transition>) {
    if draw.chance(40) {
        return outlast(draw, site, life);
    }
    let slot = draw.below(2);
    let full = draw.chance(70);
    let kind = draw.pick(&[Kind::Isolate { full }, Kind::Restrict]);
    if draw.chance(70) {
        let doc = Doc::draw(draw);
        let pick = draw.pick(&[Pick::Everything, Pick::NotTag(0), Pick::Tag(1)]);
        let doc = Doc { kind, pick, audit: false, ..doc };
        life.push(Transition::Edit { site, slot, doc: Some(doc) });
    }
    life.push(Transition::Apply(site, Course::default()));
    life.push(Transition::Wait(3));
    for _ in 0..1 + draw.below(3) {
        life.push(Transition::LetGo { site, nth: draw.below(16) });
    }
    life.push(Transition::Wait(draw.pick(&[4, 4, 45, 60 * 30, 60 * 80])));
    // Another policy wants the same, and has nothing to do with it once the end is over.
    if draw.chance(30) {
        let doc = Doc { kind, pick: Pick::Everything, audit: false, ..Doc::draw(draw) };
        life.push(Transition::Edit { site, slot, doc: None });
        life.push(Transition::Edit { site, slot: slot + 1, doc: Some(doc) });
    }
    for _ in 0..1 + draw.below(2) {
        life.push(match draw.below(3) {
            0 => Transition::Lift { site, code: CODE },
            _ => Transition::Plan(site),
        });
        life.push(Transition::Apply(site, Course::draw(draw)));
    }
}

/// People let go what one policy holds, the end that its markers named passes, and another policy
/// wants the same: it has nothing to do with it by then.
fn outlast(draw: &mut Draw, site: usize, life: &mut Vec<Transition>) {
    let (slot, full) = (draw.below(2), draw.chance(70));
    let kind = draw.pick(&[Kind::Isolate { full }, Kind::Restrict]);
    let doc =
        |draw: &mut Draw| Doc { kind, audit: false, rollout: None, queue: true, ..Doc::draw(draw) };
    let pick = draw.pick(&[Pick::Everything, Pick::NotTag(0)]);
    let first = Doc { pick, lease: draw.pick(&[1, 24]), renewal: 1, ..doc(draw) };
    let manual = draw.pick(&[Manual::Unsaid, Manual::Respect, Manual::Ask]);
    let second = Doc { pick: Pick::Everything, manual, ..doc(draw) };
    life.push(Transition::Guard { site, guard: Guard::default() });
    life.push(Transition::Edit { site, slot, doc: Some(first) });
    life.extend([Transition::Apply(site, Course::default()), Transition::Wait(3)]);
    for _ in 0..2 + draw.below(2) {
        life.push(Transition::LetGo { site, nth: draw.below(16) });
    }
    life.push(Transition::Wait(60 * 30));
    life.push(Transition::Edit { site, slot: slot + 2, doc: Some(second) });
    life.push(Transition::Apply(site, Course::draw(draw)));
}

/// Somebody lets go one of the devices that the workspace holds.
pub(super) fn let_go(world: &mut World, site: usize, nth: usize) {
    let (id, now) = (world.sites[site].id, world.clock.now());
    let held: Vec<String> = world.truth(|truth| {
        let sides = |row| [(row, Side::Network, "release"), (row, Side::Code, "unrestrict")];
        let all = truth.rows().flat_map(sides);
        let ours = all.filter(|(row, side, _)| truth.standing(*row, *side, now).is_of(id));
        let words =
            ours.map(|(row, _, verb)| format!("{verb} {}", truth.0.machine(row).unwrap().id));
        words.collect()
    });
    let who = ["ana@contoso.example", "ana@contoso.example", "Sentinel"][nth % 3];
    if let Some(what) = held.get(nth % held.len().max(1)) {
        world.play(&format!("act {who} {what} comment \"not needed\""));
        world.count("let go");
    }
}

/// Whether a person let go at once of what a workspace had placed there.
fn is_taken_away(done: &[&Action], at: usize, site: &str) -> bool {
    let (placed, Some(next)) = (done[at], done.get(at + 1)) else { return false };
    let by_person = marked(next).is_none() || (is_of(next, site) && on_undo::is_undoing(next));
    let ours = is_of(placed, site) && strength(placed) > 0;
    ours && strength(next) == 0 && by_person
}

/// Whether the policy of that name put it there; long names stand shortened in a marker.
fn is_named(mark: &Mark, name: &str) -> bool {
    match mark.policy.split_once('~') {
        Some((begin, _)) => name.starts_with(begin),
        None => mark.policy == name,
    }
}

impl Truth<'_> {
    /// Whether a person's release of the free device stands against the policy.
    fn stands_against(
        self,
        row: u32,
        side: Side,
        site: &str,
        policy: &str,
        now: Timestamp,
    ) -> bool {
        let mut done: Vec<&Action> = self
            .actions(row, side)
            .filter(|action| action.status == ActionStatus::Succeeded && action.updated <= now)
            .collect();
        done.sort_by_key(|action| (action.updated, action.created));
        let own = done.iter().rposition(|action| {
            let named = marked(action).is_some_and(|mark| is_named(&mark, policy));
            named && is_of(action, site) && strength(action) > 0
        });
        let lasts = |at: usize| on_undo::until(done[at]).is_some_and(|end| end > now);
        // What others lost counts from the policy's own last taking.
        let mut since = own.map_or(0, |at| at + 1)..done.len();
        own.is_some_and(|at| is_taken_away(&done, at, site))
            || since.any(|at| is_taken_away(&done, at, site) && lasts(at))
    }
}

impl Scene<'_> {
    /// The wishes on a device, each with whether a person's release stands against it; none where
    /// something is on its way or in force.
    fn after_release(&self, row: u32, side: Side) -> Vec<(&Doc, String, bool)> {
        let (truth, site) = (self.truth, self.site.id);
        let calm = truth.is_quiet_since(row, side, self.began)
            && truth.in_flight(row, side, self.began).next().is_none();
        if !calm || truth.standing(row, side, self.began).level > 0 {
            return Vec::new();
        }
        let traits = truth.traits(row);
        let docs =
            self.site.docs.iter().filter(|(_, doc)| {
                concerns(doc.kind, side) && !doc.audit && doc.pick.selects(&traits)
            });
        let now = self.plan.created_at;
        let wish = |(slot, doc): (&usize, _)| {
            let name = name(*slot);
            let stands = truth.stands_against(row, side, site, &name, now);
            (doc, name, stands)
        };
        docs.map(wish).collect()
    }

    fn is_lifted(&self) -> bool {
        self.plan.lifts.iter().any(|lift| lift.code == CODE)
    }

    /// Law 6: nothing takes again what a person let go, but as its policy says.
    pub(super) fn let_go_may(&self, change: &Change) -> Check {
        let place = self.truth.row(&change.target.id).zip(side_of(change.facet));
        let Some((row, side)) = place.filter(|_| super::on_guards::takes(change)) else {
            return Ok(());
        };
        let wrong = |what: &str| Err(Broken::new(6, format!("{what}: {change:?}")));
        let said = change.reason.as_ref().map(|reason| reason.code.as_str());
        for (doc, name, _) in self.after_release(row, side).iter().filter(|wish| wish.2) {
            if !change.because.iter().any(|why| why.name == *name) {
                continue;
            }
            match doc.manual {
                Manual::Unsaid | Manual::Respect => return wrong("a person let it go"),
                Manual::Ask if !self.is_lifted() => return wrong("nobody was asked"),
                Manual::Ask => {}
                Manual::Reassert if said != Some("reasserted") => {
                    return wrong("it does not say that it was let go");
                }
                Manual::Reassert => {}
            }
        }
        Ok(())
    }

    /// Whether every policy of a change may take again what a person called off, and it says so.
    /// Another policy than that of the action has nothing to do with it once the named end is over.
    pub(super) fn puts_back(&self, change: &Change, action: &Action) -> bool {
        let lasts = on_undo::until(action).is_some_and(|end| end > self.plan.created_at);
        let owner = marked(action);
        let stands = |name: &str| lasts || owner.as_ref().is_some_and(|mark| is_named(mark, name));
        let said = change.reason.as_ref().map(|reason| reason.code.as_str());
        let mut policies = self.site.docs.iter().filter(|(slot, _)| {
            let name = name(**slot);
            stands(&name) && change.because.iter().any(|why| why.name == name)
        });
        policies.all(|(_, doc)| match doc.manual {
            Manual::Unsaid | Manual::Respect => false,
            Manual::Ask => self.is_lifted(),
            Manual::Reassert => said == Some("reasserted"),
        })
    }

    /// Law 6: what stays released is told, what is to be put back is wanted.
    pub(super) fn let_go_must(&self) -> Check {
        for row in self.truth.rows() {
            for side in [Side::Network, Side::Code] {
                let wishes = self.after_release(row, side);
                let exempt = self.exempt(&self.truth.traits(row), side);
                match wishes.iter().all(|wish| wish.2) {
                    _ if wishes.is_empty() || exempt => {}
                    true => self.told(row, side, &wishes)?,
                    false => self.open(row, side, &wishes)?,
                }
            }
        }
        Ok(())
    }

    /// A release stands against no policy but that it took the device from, once the end is over.
    fn open(&self, row: u32, side: Side, wishes: &[(&Doc, String, bool)]) -> Check {
        let fresh = |name: &str| {
            let mut all = self.truth.actions(row, side);
            all.all(|action| {
                let mark = marked(action);
                let other = mark.as_ref().is_some_and(|mark| mark.site != self.site.id);
                let own = mark.is_some_and(|mark| is_named(&mark, name));
                // What was cancelled while it was pending was let go too, or not: nobody can tell here.
                let called_off = action.cancellation.is_some() && is_of(action, self.site.id);
                !other && !own && !called_off && !action.comment.contains(name)
            })
        };
        let may = |doc: &Doc| matches!(doc.manual, Manual::Reassert);
        let able = wishes.iter().filter(|(doc, _, stands)| !stands || may(doc));
        let able: Vec<&Doc> = able.map(|wish| wish.0).collect();
        let clear = wishes.iter().all(|(_, name, stands)| *stands || fresh(name));
        let id = self.truth.0.machine(row).unwrap().id.to_string();
        let held = self.is_held(&id, side);
        let mut changes = self.plan.changes.iter();
        let wanted = changes.any(|it| it.target.id == id && side_of(it.facet) == Some(side));
        let traits = self.truth.traits(row);
        match clear && !held && self.can(row, side, &traits, &able) && !wanted {
            true => Err(Broken::new(6, format!("{id} {side:?} is left free of {wishes:?}"))),
            false => Ok(()),
        }
    }

    /// Whether a guardrail that has nothing to do with releases holds something there.
    fn is_held(&self, id: &str, side: Side) -> bool {
        let objects = |code: &str| {
            let mut objections = self.plan.objections.iter();
            objections.any(|it| it.held > 0 && it.code == code && code != CODE)
        };
        let mut rows = self.plan.held.iter();
        rows.any(|it| {
            it.target.id == id && side_of(it.facet) == Some(side) && objects(&it.reason.code)
        })
    }

    fn told(&self, row: u32, side: Side, wishes: &[(&Doc, String, bool)]) -> Check {
        let id = self.truth.0.machine(row).unwrap().id.to_string();
        let all = |said: &[Manual]| wishes.iter().all(|wish| said.contains(&wish.0.manual));
        let here = |target: &str, facet| target == id && side_of(facet) == Some(side);
        let wanted = || self.plan.changes.iter().any(|it| here(&it.target.id, it.facet));
        let row_of = |code: &str| {
            self.plan.held.iter().any(|it| here(&it.target.id, it.facet) && it.reason.code == code)
        };
        let wrong =
            |what: &str| Err(Broken::new(6, format!("{what}: {id} {side:?} of {wishes:?}")));
        let held = self.plan.objections.iter().find(|it| it.held > 0 && it.code != CODE);
        if all(&[Manual::Unsaid, Manual::Respect]) && !row_of(CODE) {
            return wrong("nobody says that it stays released");
        }
        if held.is_some() || !self.ready(row, side, &self.truth.traits(row)) {
            return Ok(());
        }
        let asked = || self.plan.objections.iter().any(|it| it.code == CODE && it.held > 0);
        let asks = || row_of(CODE) && asked();
        if all(&[Manual::Ask]) && !(if self.is_lifted() { wanted() } else { asks() }) {
            return wrong("nobody is asked");
        }
        if all(&[Manual::Reassert]) && !wanted() {
            return wrong("it is not put back");
        }
        Ok(())
    }
}

/// What happened how often.
pub(super) fn tally(world: &mut World, plan: &Plan) {
    let put_back = |code| {
        let of = |change: &&Change| change.reason.as_ref().is_some_and(|it| it.code == code);
        plan.changes.iter().filter(of).count()
    };
    let asked = plan.objections.iter().filter(|it| it.code == CODE && it.held > 0).count();
    let respected = plan.held.iter().filter(|it| it.reason.code == CODE).count();
    for (what, count) in [
        ("asked", asked),
        ("respected", respected.saturating_sub(asked)),
        ("reasserted", put_back("reasserted")),
        ("put back after asking", put_back(CODE)),
    ] {
        for _ in 0..count {
            world.count(what);
        }
    }
}
