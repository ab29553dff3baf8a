//! Everything that may happen in a simulated life, and lives drawn from a seed.
//!
//! A life is a plain list that depends on nothing but its seed, so that `shrink` may leave any part
//! out: devices, policies and faults are numbers that the world takes modulo what it has. Must
//! never look at the product.

use super::accepts::Accept;
use super::alerts::{Sort, TITLES, Work};
use super::deeds::{Deed, FAULTS, SWITCHES, What};
use super::freezes::Drop;
use super::guard::Guard;
use super::policy::{Doc, Kind, Pick};
use super::twins::{self, Again};
use super::{by_hand, freezes, lifts, regrets, rooms};

/// The two workspaces that share the tenant.
pub(super) const SITES: usize = 2;

/// Numbers from a seed (splitmix64).
#[derive(Clone, Debug)]
pub(super) struct Draw(pub(super) u64);

impl Draw {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub(super) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap()
    }
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
    pub(super) fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }
}

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Transition {
    /// So many minutes pass.
    Wait(u32),
    /// Somebody else does something.
    Deed(Deed),
    /// The inventory of the fleet changes: a tag comes or goes.
    Tag { device: usize, tag: usize, on: bool },
    /// The API begins to misbehave.
    Fault(usize),
    /// It behaves again.
    Calm,
    /// The service decides differently what its documentation leaves open.
    Switch(usize),
    /// A policy is written, replaced or deleted.
    Edit { site: usize, slot: usize, doc: Option<Doc> },
    /// The guardrails of a workspace change.
    Guard { site: usize, guard: Guard },
    /// The workspace's freeze file is written or taken away.
    Freeze { site: usize, on: bool },
    /// A plan is made and kept for review.
    Plan(usize),
    /// A plan is made with the objections of one code lifted, and kept for review.
    Lift { site: usize, code: &'static str },
    /// The plan under review is applied; without one, a new one is.
    Apply(usize, Course),
    /// Both workspaces apply at the same time.
    Both(Course, Course),
    /// A run that was killed or stopped goes on.
    Resume(usize, Course),
    /// One of the last runs is undone: so many before the last.
    Undo { site: usize, back: usize, course: Course },
    /// The undoing is planned and kept for review.
    PlanUndo { site: usize, back: usize },
    /// Somebody acts on a device that the plan under review wants to change.
    Touch { site: usize, nth: usize },
    /// Somebody takes again what the workspace has let go.
    TakeAnew { site: usize, nth: usize },
    /// An alert comes up, and somebody may be quick to look at it.
    Raise(Sort, Option<Work>),
    /// Somebody accepts what is live on a device.
    Accept(usize, Accept),
    /// Calm, until nothing is left to do.
    Settle,
    /// A person lets go something that the workspace holds.
    LetGo { site: usize, nth: usize },
    /// One of the codes that hold something in a plan is lifted.
    LiftHeld { site: usize, nth: usize },
    /// A freeze window will open in so many seconds.
    Eve { site: usize, seconds: i64 },
    /// A device gets another record, or its records become one.
    Again { device: usize, again: Again },
}

/// How a run goes.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
    /// How it is broken off, if it is.
    pub(super) end: Option<End>,
    /// A freeze that begins meanwhile.
    pub(super) freeze: Option<Drop>,
    /// What becomes of a device's records meanwhile.
    pub(super) again: Option<twins::Midway>,
    /// What others do meanwhile, so many seconds in.
    pub(super) meanwhile: Vec<(u32, Deed)>,
}

/// How a run is broken off.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// The process is killed after so many of its turns.
    Kill(usize),
    /// The disk fails after so many writes, so many bytes into one.
    Power(usize, usize),
    /// Somebody presses Ctrl-C after so many seconds.
    Stop(u64),
}

impl Course {
    pub(super) fn draw(draw: &mut Draw) -> Self {
        let turns = draw.pick(&[6, 25]);
        let end = match draw.below(10) {
            0..=2 => Some(End::Kill(draw.below(turns))),
            3 | 4 => Some(End::Power(draw.below(12), draw.below(600))),
            5 => Some(End::Stop(draw.below(60) as u64)),
            _ => None,
        };
        let count = if draw.chance(50) { 1 + draw.below(4) } else { 0 };
        let meanwhile = (0..count).map(|_| {
            let most = draw.pick(&[30, 120, 1_200]);
            (u32::try_from(draw.below(most)).unwrap(), Deed::draw(draw))
        });
        let meanwhile = meanwhile.collect();
        let freeze = draw.chance(10).then(|| Drop {
            after: draw.pick(&[2, 10, 70, 600]) * (1 + draw.below(5) as u64),
            stays: draw.chance(40).then(|| draw.below(300) as u64),
            look: draw.chance(60).then(|| draw.below(30)),
        });
        let again = draw.chance(6).then(|| twins::Midway::draw(draw, None));
        Self { end, freeze, again, meanwhile }
    }
}

fn edit(draw: &mut Draw, site: usize) -> Transition {
    let slot = draw.below(5);
    let doc = (!draw.chance(25)).then(|| Doc::draw(draw));
    Transition::Edit { site, slot, doc }
}

/// A run, and what follows when it is broken off.
fn apply(draw: &mut Draw, site: usize, life: &mut Vec<Transition>) {
    let course = Course::draw(draw);
    let (broken, frozen) = (course.end.is_some(), course.freeze.is_some());
    life.push(Transition::Apply(site, course));
    if frozen && draw.chance(80) {
        life.push(Transition::Freeze { site, on: false });
    }
    if (broken || frozen) && draw.chance(70) {
        match draw.below(4) {
            0 => life.push(Transition::Wait(draw.pick(&[1, 20, 60 * 5]))),
            1 => life.push(Transition::Deed(Deed::draw(draw))),
            _ => {}
        }
        life.push(Transition::Resume(site, Course::draw(draw)));
    }
    if draw.chance(25) {
        undo(draw, site, life);
    }
}

/// Others may have acted since the run; what is undone may itself be undone.
fn undo(draw: &mut Draw, site: usize, life: &mut Vec<Transition>) {
    for _ in 0..draw.below(3) {
        life.push(Transition::Deed(Deed::draw(draw)));
    }
    if draw.chance(50) {
        life.push(Transition::Wait(draw.pick(&[1, 30, 60 * 5])));
    }
    for back in 0..1 + draw.below(2) {
        let back = if draw.chance(70) { 0 } else { back + draw.below(3) };
        life.push(Transition::Undo { site, back, course: Course::draw(draw) });
    }
}

/// Changes that could be made beside something that cannot be read.
fn unread(draw: &mut Draw, site: usize, life: &mut Vec<Transition>) {
    for kind in [Kind::Scan { full: draw.chance(50) }, Kind::Isolate { full: true }] {
        let doc = Doc { kind, pick: Pick::Everything, audit: false, ..Doc::draw(draw) };
        life.push(Transition::Edit { site, slot: draw.below(5), doc: Some(doc) });
    }
    let unread = FAULTS.iter().position(|fault| fault.contains("deviceavinfo")).unwrap();
    life.push(Transition::Fault(unread));
    life.push(Transition::Apply(site, Course::draw(draw)));
    life.push(Transition::Calm);
}

/// One thing, or a few that belong together.
fn next(draw: &mut Draw, life: &mut Vec<Transition>) {
    let site = draw.below(SITES);
    match draw.below(28) {
        0 => life.push(Transition::Wait(draw.pick(&[1, 10, 60, 60 * 8, 60 * 30, 60 * 100]))),
        1 | 2 => life.push(Transition::Deed(Deed::draw(draw))),
        3 | 4 => {
            let (device, tag) = (draw.below(64), draw.below(3));
            life.push(Transition::Tag { device, tag, on: draw.chance(60) });
        }
        5..=8 => {
            life.push(Transition::Fault(draw.below(FAULTS.len())));
            if draw.chance(80) {
                apply(draw, site, life);
            }
        }
        9 => life.push(Transition::Switch(draw.below(SWITCHES.len()))),
        10 => life.push(edit(draw, site)),
        11 => life.push(Transition::Guard { site, guard: Guard::draw(draw) }),
        12..=14 => {
            life.push(Transition::Plan(site));
            if draw.chance(15) {
                life.push(edit(draw, site));
            }
            if draw.chance(50) {
                life.push(Transition::Touch { site, nth: draw.below(16) });
            }
            for _ in 0..draw.below(4) {
                life.push(Transition::Deed(Deed::draw(draw)));
            }
            if draw.chance(60) {
                life.push(Transition::Wait(draw.pick(&[4, 12, 45])));
            }
            apply(draw, site, life);
        }
        15 | 16 => apply(draw, site, life),
        17 => life.push(Transition::Both(Course::draw(draw), Course::draw(draw))),
        18 => life.push(Transition::Resume(site, Course::draw(draw))),
        19 => undo(draw, site, life),
        21 => lifts::draw(draw, site, life),
        20 => {
            let on = draw.chance(40);
            life.push(Transition::Freeze { site, on });
            if on && draw.chance(60) {
                apply(draw, site, life);
            }
        }
        23 => alerts(draw, site, life),
        24 => accept(draw, site, life),
        27 if draw.chance(30) => rooms::draw(draw, site, life),
        27 => regrets::draw(draw, site, life),
        25 if draw.chance(50) => twins::draw(draw, site, life),
        25 => by_hand::draw(draw, site, life),
        26 => match draw.below(9) {
            0 => unread(draw, site, life),
            1 | 8 => regrets::draw(draw, site, life),
            2 | 3 => freezes::draw(draw, site, life),
            _ => lifts::draw(draw, site, life),
        },
        _ => life.push(Transition::Calm),
    }
}

/// Somebody makes alerts of one title fire on device after device, and a policy isolates for them.
fn trigger(draw: &mut Draw, site: usize, life: &mut Vec<Transition>) {
    let (slot, title) = (draw.below(5), draw.below(TITLES.len()));
    life.push(Transition::Edit { site, slot, doc: Some(Doc::triggered(draw, title)) });
    let guard = Guard { trigger: Some(draw.pick(&[1, 1, 2])), ..Guard::default() };
    life.push(Transition::Guard { site, guard });
    for _ in 0..2 {
        for _ in 0..2 + draw.below(2) {
            life.push(Transition::Raise(Sort::titled(draw, title), None));
        }
        apply(draw, site, life);
    }
}

/// A deviation is accepted, and what is accepted may change again.
fn accept(draw: &mut Draw, site: usize, life: &mut Vec<Transition>) {
    let device = draw.below(64);
    let by_hand = |draw: &mut Draw| {
        let verbs = ["isolate full", "isolate selective", "restrict", "release", "unrestrict"];
        Transition::Deed(Deed { device, what: What::Analyst(draw.pick(&verbs)) })
    };
    for again in [true, false] {
        if draw.chance(85) {
            life.push(by_hand(draw));
            life.push(Transition::Wait(draw.pick(&[1, 12, 60])));
        }
        if again || draw.chance(40) {
            life.push(Transition::Accept(site, Accept::draw(draw, device)));
            apply(draw, site, life);
        }
    }
}

/// An alert, and rules for it.
fn alerts(draw: &mut Draw, site: usize, life: &mut Vec<Transition>) {
    if draw.chance(60) {
        let (slot, doc) = (draw.below(5), Some(Doc::rule(draw)));
        life.push(Transition::Edit { site, slot, doc });
        for _ in 0..draw.below(3) {
            life.push(Transition::Raise(Sort::draw(draw), None));
        }
    }
    if draw.chance(50) {
        return trigger(draw, site, life);
    }
    for _ in 0..1 + draw.below(2) {
        let work = draw.chance(40).then(|| Work::draw(draw));
        life.push(Transition::Raise(Sort::draw(draw), work));
    }
    if draw.chance(50) {
        // While the plan lies for review, an analyst is at work.
        life.push(Transition::Plan(site));
        for device in 0..4 {
            let what = What::Alert(Work::draw(draw));
            life.push(Transition::Deed(Deed { device, what }));
        }
        life.push(Transition::Wait(draw.pick(&[4, 12])));
    }
    apply(draw, site, life);
}

/// Two rules of one rank that contradict each other: chance brings that about too seldom.
fn rivals(draw: &mut Draw, life: &mut Vec<Transition>) {
    let doc = Doc::rule(draw);
    let Kind::Alerts(rule) = doc.kind else { return };
    for (slot, who) in [(0, "soc@contoso.example"), (1, "ir@contoso.example")] {
        let kind = Kind::Alerts(rule.assigning(who));
        let doc = Some(Doc { kind, audit: false, ..doc.clone() });
        life.push(Transition::Edit { site: 0, slot, doc });
    }
}

/// A life.
pub(super) fn life(seed: u64) -> Vec<Transition> {
    let mut draw = Draw(seed ^ 0x5eed);
    let mut life = Vec::new();
    for site in 0..SITES {
        for slot in 0..1 + draw.below(3) {
            life.push(Transition::Edit { site, slot, doc: Some(Doc::draw(&mut draw)) });
        }
        if draw.chance(50) {
            life.push(Transition::Guard { site, guard: Guard::draw(&mut draw) });
        }
    }
    for _ in 0..5 + draw.below(7) {
        next(&mut draw, &mut life);
    }
    if seed % 50 == 7 {
        rivals(&mut draw, &mut life);
    }
    life.push(Transition::Settle);
    life
}
