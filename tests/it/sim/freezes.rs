//! The freeze of a workspace: its file on a real disk, dropped in and taken away while runs go on,
//! and what must hold of it: while it is there nothing is sent, and a run that meets it ends soon.
//!
//! Windows in which changes are held are guardrails, and asked for in `on_guards`.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use palisade::apply::Summary;
use palisade::drive::apply::StopFlag;
use palisade::emulator::Emulator;
use palisade::host::clock::{Clock, Pending};
use palisade::model::Verb;
use palisade::plan::Freeze;
use palisade::plan::freeze::FILE;

use super::guard::Guard;
use super::policy::{Doc, Kind, Pick, Rollout};
use super::reference::mark;
use super::runs::Run;
use super::transition::{Course, Draw, Transition};
use super::world::{Site, World};
use super::{Broken, Check, on_edits, on_guards};

/// What is in flight when a freeze begins is answered by then, or given up.
const SETTLED: SignedDuration = SignedDuration::from_mins(10);

/// A freeze that somebody drops into a run, so many seconds in, and how long it stays if not for
/// good.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drop {
    pub(super) after: u64,
    pub(super) stays: Option<u64>,
    /// For good, and at the run's so many-th look at the clock instead: between any two of its steps.
    pub(super) look: Option<usize>,
}

/// The clock of a run, at a look at which the file is dropped in.
#[derive(Debug)]
pub(super) struct Dropping<'f> {
    freezes: &'f Freezes,
    clock: &'f dyn Clock,
    left: Mutex<Option<usize>>,
}

impl Clock for Dropping<'_> {
    fn now(&self) -> Timestamp {
        let now = self.clock.now();
        let mut left = self.left.lock().unwrap();
        if *left == Some(0) {
            self.freezes.begin(now);
        }
        *left = left.and_then(|left| left.checked_sub(1));
        now
    }
    fn sleep_until(&self, at: Timestamp) -> Pending<'_, ()> {
        self.clock.sleep_until(at)
    }
}

/// A window that is about to open, and a run that it opens upon.
pub(super) fn draw(draw: &mut Draw, site: usize, life: &mut Vec<Transition>) {
    if draw.chance(80) {
        let (doc, full) = (Doc::draw(draw), draw.chance(70));
        let (kind, rollout) = (Kind::Isolate { full }, Rollout::draw(draw));
        let rollout = draw.chance(50).then_some(rollout);
        let doc = Doc { kind, rollout, pick: Pick::Everything, audit: false, ..doc };
        life.push(Transition::Edit { site, slot: draw.below(5), doc: Some(doc) });
    }
    life.push(Transition::Eve { site, seconds: draw.pick(&[4, 5, 6, 8, 60, 200]) });
    life.push(Transition::Apply(site, Course::draw(draw)));
}

/// So many seconds before a window of the workspace opens.
pub(super) async fn eve(world: &mut World, site: usize, seconds: i64) -> Check {
    let now = TimeZone::UTC.to_datetime(world.clock.now());
    let guard = Guard { window: Some((now.hour() + 1) % 24), ..world.sites[site].guard.clone() };
    let passed = i64::from(now.minute()) * 60 + i64::from(now.second());
    let left = (3_600 - passed - seconds).max(0);
    world.clock.sleep_until(world.clock.now() + SignedDuration::from_secs(left)).await;
    world.guard(site, &guard)
}

/// When a freeze was there.
#[derive(Clone, Copy, Debug)]
struct Time {
    from: Timestamp,
    /// How many requests had come by then: several may come in one instant.
    requests: usize,
    to: Option<Timestamp>,
}

/// The freeze file of one workspace.
#[derive(Debug)]
pub(super) struct Freezes {
    folder: PathBuf,
    emulator: Arc<Mutex<Emulator>>,
    times: Mutex<Vec<Time>>,
}

impl Freezes {
    pub(super) fn new(folder: PathBuf, emulator: Arc<Mutex<Emulator>>) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder, emulator, times: Mutex::default() }
    }

    /// The file is written, in one of the ways that people write it.
    pub(super) fn begin(&self, now: Timestamp) {
        let mut times = self.times.lock().unwrap();
        if times.last().is_some_and(|time| time.to.is_none()) {
            return;
        }
        let text = ["", "ask Ada first\n", "by: ada\nuntil: some day\n"][times.len() % 3];
        std::fs::write(self.folder.join(FILE), text).unwrap();
        let requests = self.emulator.lock().unwrap().log().len();
        times.push(Time { from: now, requests, to: None });
    }

    /// The file is taken away.
    pub(super) fn end(&self, now: Timestamp) {
        let mut times = self.times.lock().unwrap();
        if let Some(time) = times.last_mut().filter(|time| time.to.is_none()) {
            time.to = Some(now);
            std::fs::remove_file(self.folder.join(FILE)).unwrap();
        }
    }

    /// The freeze that is in force, as a command reads it.
    pub(super) fn read(&self) -> Option<Freeze> {
        palisade::drive::apply::frozen(&self.folder)
    }

    /// What stops a run: the file is looked at only where there may be one, which is dear.
    pub(super) fn flag(&self, drop: Option<Drop>) -> StopFlag {
        match drop.is_some() || self.read().is_some() {
            true => StopFlag::with_freeze(&self.folder),
            false => StopFlag::default(),
        }
    }

    /// The clock that a run reads.
    pub(super) fn clock<'f>(&'f self, drop: Option<Drop>, clock: &'f dyn Clock) -> Dropping<'f> {
        Dropping { freezes: self, clock, left: Mutex::new(drop.and_then(|drop| drop.look)) }
    }

    /// Drops the file in and takes it away again, and never ends by itself.
    pub(super) async fn play(&self, drop: Option<Drop>, clock: &dyn Clock) {
        if let Some(Drop { after, stays, look: None }) = drop {
            tokio::time::sleep(std::time::Duration::from_secs(after)).await;
            self.begin(clock.now());
            if let Some(stays) = stays {
                tokio::time::sleep(std::time::Duration::from_secs(stays)).await;
                self.end(clock.now());
            }
        }
        std::future::pending::<()>().await;
    }

    /// The freeze in which a request came, since when.
    fn met_by(&self, sent: &Sent) -> Option<Timestamp> {
        let times = self.times.lock().unwrap();
        let before = |time: &&Time| sent.number < time.requests;
        let met = |time: &&Time| !before(time) && time.to.is_none_or(|to| sent.at < to);
        times.iter().find(met).map(|time| time.from)
    }

    /// The freeze that was in force at that instant, since when.
    fn at(&self, now: Timestamp) -> Option<Timestamp> {
        let times = self.times.lock().unwrap();
        let there = |time: &&Time| time.from < now && time.to.is_none_or(|to| now < to);
        times.iter().find(there).map(|time| time.from)
    }
}

/// Asked after each life of a run.
pub(super) fn check(world: &mut World, site: usize, run: &Run, summary: Option<&Summary>) -> Check {
    let freezes = world.sites[site].freezes.clone();
    let (marked, patched) = (sent(world, run), on_edits::sent(world, run));
    let Site { docs, guard, .. } = &world.sites[site];
    // What has begun is finished, unless the workspace is frozen.
    let begins = marked.iter().filter(|it| !on_edits::is_afterword(run, &it.change));
    let mut begins = begins.chain(&patched);
    if let Some(Sent { at, change, .. }) =
        begins.clone().next().filter(|_| *docs != run.docs || *guard != run.guard)
    {
        let what = format!("sent at {at} although the files have changed: {change}");
        return Err(Broken::new(4, what));
    }
    let lifted = run.plan.lifts.iter().any(|lift| lift.code == "freeze-window");
    let taking = |id: &String| {
        run.plan
            .changes
            .iter()
            .any(|change| change.id.to_string() == *id && on_guards::takes(change))
    };
    let shut = begins.find(|it| !lifted && guard.is_shut(it.at) && taking(&it.change));
    if let Some(Sent { at, change, .. }) = shut {
        return Err(Broken::new(3, format!("sent at {at}, in a freeze window: {change}")));
    }
    for request @ Sent { at, change, .. } in marked.iter().chain(&patched) {
        if let Some(since) = freezes.met_by(request) {
            let what = format!("sent at {at} although frozen since {since}: {change}");
            return Err(Broken::new(3, what));
        }
    }
    let Some(summary) = summary else { return Ok(()) };
    let now = run.ended;
    if freezes.at(now).is_some_and(|since| since.max(run.began) + SETTLED < now) {
        return Err(Broken::new(9, format!("goes on under a freeze until {now}: {summary:?}")));
    }
    if summary.stopped.as_ref().is_some_and(|reason| reason.code == "frozen") {
        world.count("frozen");
    }
    Ok(())
}

/// A request of a run: which one of all, when it came and for which change.
pub(super) struct Sent {
    pub(super) number: usize,
    pub(super) at: Timestamp,
    pub(super) change: String,
}

/// Requests of the run that came since the last step.
pub(super) fn sent(world: &World, run: &Run) -> Vec<Sent> {
    let ours: Vec<String> = run.plan.changes.iter().map(|change| change.id.to_string()).collect();
    let emulator = world.emulator();
    let fresh = emulator.log().iter().enumerate().skip(world.seen.requests());
    let marked = fresh.filter_map(|(number, logged)| {
        // A rollout that stops takes back what is on its way, under the mark of the change.
        let takes_back = logged.uri.path().ends_with("/cancel");
        let body = String::from_utf8_lossy(&logged.body);
        let (_, rest) = body.rsplit_once("[palisade ")?;
        let (words, _) = rest.split_once(']')?;
        let change = mark(&format!("[palisade {words}]"))?.change;
        let cancels = run
            .plan
            .changes
            .iter()
            .any(|it| it.verb == Verb::Cancel && it.id.to_string() == change);
        (cancels == takes_back).then_some(Sent { number, at: logged.at, change })
    });
    marked.filter(|sent| ours.contains(&sent.change)).collect()
}
