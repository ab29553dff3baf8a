//! The freeze of a workspace: its file on a real disk, dropped in and taken away while runs go on,
//! and what must hold of it: while it is there nothing is sent, and a run that meets it ends soon.
//!
//! Windows in which changes are held are guardrails, and asked for in `on_guards`.

use std::path::PathBuf;
use std::sync::Mutex;

use jiff::{SignedDuration, Timestamp};
use palisade::apply::Summary;
use palisade::drive::apply::StopFlag;
use palisade::host::clock::Clock;
use palisade::model::Verb;
use palisade::plan::Freeze;
use palisade::plan::freeze::FILE;

use super::reference::mark;
use super::runs::Run;
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
}

/// When a freeze was there.
#[derive(Clone, Copy, Debug)]
struct Time {
    from: Timestamp,
    to: Option<Timestamp>,
}

/// The freeze file of one workspace.
pub(super) struct Freezes {
    folder: PathBuf,
    times: Mutex<Vec<Time>>,
}

impl Freezes {
    pub(super) fn new(folder: PathBuf) -> Self {
        std::fs::create_dir_all(&folder).unwrap();
        Self { folder, times: Mutex::default() }
    }

    /// The file is written, in one of the ways that people write it.
    pub(super) fn begin(&self, now: Timestamp) {
        let mut times = self.times.lock().unwrap();
        if times.last().is_some_and(|time| time.to.is_none()) {
            return;
        }
        let text = ["", "ask Ada first\n", "by: ada\nuntil: some day\n"][times.len() % 3];
        std::fs::write(self.folder.join(FILE), text).unwrap();
        times.push(Time { from: now, to: None });
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

    /// Drops the file in and takes it away again, and never ends by itself.
    pub(super) async fn play(&self, drop: Option<Drop>, clock: &dyn Clock) {
        if let Some(Drop { after, stays }) = drop {
            tokio::time::sleep(std::time::Duration::from_secs(after)).await;
            self.begin(clock.now());
            if let Some(stays) = stays {
                tokio::time::sleep(std::time::Duration::from_secs(stays)).await;
                self.end(clock.now());
            }
        }
        std::future::pending::<()>().await;
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
    let begins = marked.iter().filter(|(_, change)| !on_edits::is_afterword(run, change));
    let mut begins = begins.chain(&patched);
    if let Some((at, change)) =
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
    let shut = begins.find(|(at, change)| !lifted && guard.is_shut(*at) && taking(change));
    if let Some((at, change)) = shut {
        return Err(Broken::new(3, format!("sent at {at}, in a freeze window: {change}")));
    }
    if let Some((at, change)) =
        marked.iter().chain(&patched).find(|(at, _)| freezes.at(*at).is_some())
    {
        let since = freezes.at(*at);
        let what = format!("sent at {at} although frozen since {since:?}: {change}");
        return Err(Broken::new(3, what));
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

/// When requests of the run came since the last step, with the ids of their changes.
pub(super) fn sent(world: &World, run: &Run) -> Vec<(Timestamp, String)> {
    let ours: Vec<String> = run.plan.changes.iter().map(|change| change.id.to_string()).collect();
    let emulator = world.emulator();
    let fresh = emulator.log().iter().skip(world.seen.requests());
    let marked = fresh.filter_map(|logged| {
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
        (cancels == takes_back).then_some((logged.at, change))
    });
    marked.filter(|(_, change)| ours.contains(change)).collect()
}
