//! An apply of two hundred changes, killed at random moments and resumed from what its journal holds.

use std::path::Path;

use palisade::apply::journal::decode;
use palisade::apply::{Options, Outcome};
use palisade::drive::apply::{
    ApplyError, OpenRun, Ports, Service, StopFlag, apply, find_run, run, runs,
};
use palisade::host::files::FileError;

use crate::apply_rig::{Memory, Rig, paused};

const POLICIES: &str = "\
apiVersion: palisade/v1
kind: IsolationSet
metadata: {name: ir-7781}
spec: {devices: {tag: case}, isolation: full, lease: 72h, comment: IR-7781}
---
apiVersion: palisade/v1
kind: CodeExecutionRestriction
metadata: {name: kiosks}
spec: {devices: {tag: [kiosk, case]}, lease: 30d, comment: signed code only}
---
apiVersion: palisade/v1
kind: ScanSchedule
metadata: {name: weekly}
spec: {devices: {tag: lab}, scan: quick, every: 7d, comment: weekly scan}
";

/// The same numbers for the same seed, everywhere.
struct Draw(u64);

impl Draw {
    fn below(&mut self, most: u64) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % most).unwrap()
    }
}

#[test]
fn fifty_seeds_of_two_hundred_changes_killed_and_resumed() {
    let mut lives = 0;
    for seed in 0..50 {
        lives += paused(one(seed, POLICIES));
    }
    assert!(lives > 150, "too few kills to show anything: {lives} lives");
}

/// Every policy in waves: with a bake, with pauses, and both in one run.
#[test]
fn ten_seeds_in_waves_killed_and_resumed() {
    let with = |text: &str, name: &str, rollout: &str| {
        let name = format!("metadata: {{name: {name}}}\nspec: {{");
        assert!(text.contains(&name));
        text.replace(&name, &format!("{name}rollout: {{{rollout}}}, "))
    };
    let policies = with(POLICIES, "ir-7781", "waves: [10%, 30%], bake: 5m, pause: first");
    let policies = with(&policies, "kiosks", "waves: [5, 20], bake: 1m");
    let policies = with(&policies, "weekly", "waves: [50%], pause: each");
    let mut lives = 0;
    for seed in 0..10 {
        lives += paused(one(seed, &policies));
    }
    assert!(lives > 40, "too few kills to show anything: {lives} lives");
}

async fn one(seed: u64, policies: &str) -> usize {
    let mut draw = Draw(seed);
    let rig = Rig::plain(150, &["case", "kiosk", "lab"], policies, Rig::calendar());
    // Answers travel, so that a kill falls between an effect and its answer.
    rig.play("fault delay 300ms x* on ANY /api/**");
    if seed % 2 == 1 {
        rig.play("fault reset after x* nth 5 every 17 on POST /api/machines/*/*");
        rig.play("fault 503 x* nth 9 every 23 on ANY /api/**");
    }
    let plan = rig.check(rig.plan(&rig.client()).await);
    assert_eq!(plan.changes.len(), 200);
    let mut memory = Memory::default();
    let mut lives = 0;
    let summary = loop {
        lives += 1;
        let most = 30 + 15 * lives;
        let kill = if lives % 3 == 2 {
            memory.fail = Some((draw.below(most), draw.below(3_000)));
            None
        } else {
            memory.fail = None;
            Some(draw.below(most))
        };
        let polls = kill.unwrap_or(usize::MAX);
        let life = rig.life(&plan, &rig.client(), &mut memory, Some(polls)).await;
        // A run that stops for a person is gone on with.
        if let Some(summary) = life.filter(|summary| summary.stopped.is_none()) {
            break summary;
        }
    };
    assert_eq!(summary.count(Outcome::Done), 200, "seed {seed}: {:?}", summary.counts);
    assert!(rig.twice().is_empty(), "seed {seed}: {:?}", rig.twice());
    let taken = rig.taken();
    assert_eq!(taken.len(), 200);
    assert!(taken.values().all(|count| *count == 1), "seed {seed}: {taken:#?}");
    rig.play("clear faults");
    let left = rig.plan(&rig.client()).await;
    assert!(left.changes.is_empty(), "seed {seed}: {:#?}", left.changes);
    usize::try_from(lives).unwrap()
}

fn services(
    client: &palisade::drive::client::Client,
) -> std::collections::BTreeMap<std::sync::Arc<str>, &dyn Service> {
    [(std::sync::Arc::from("contoso"), client as &dyn Service)].into()
}

/// Runs on disk: the folder, the lock, a stop, a resume, a journal that somebody edits.
#[test]
fn a_stopped_run_on_disk_is_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("runs");
    paused(async {
        let rig = Rig::plain(150, &["case", "kiosk", "lab"], POLICIES, Rig::calendar());
        let client = rig.client();
        let plan = rig.check(rig.plan(&client).await);
        let stop = StopFlag::default();
        let raise = stop.clone();
        let locked = root.clone();
        let other = plan.clone();
        let now = rig.clock.now();
        let mut observer = |progress: &palisade::apply::Progress| {
            if progress.sent >= 40 && !raise.is_raised() {
                // A second runner is kept apart while this one is at it.
                let error = OpenRun::create(&locked, &other, now).unwrap_err();
                assert!(matches!(error, ApplyError::File(FileError::Locked { .. })), "{error}");
                raise.raise();
            }
        };
        let options = Options::default();
        let (id, summary) =
            apply(&plan, options, &root, &services(&client), &*rig.clock, &stop, &mut observer)
                .await
                .unwrap();
        assert!(summary.stopped.is_some());
        let sent = rig.taken().len();
        // The eight that were about to leave when the flag was raised have stayed here.
        assert!((32..200).contains(&sent), "{sent}");
        assert_eq!(usize::try_from(summary.count(Outcome::NotAttempted)).unwrap(), 200 - sent);
        assert_eq!(find_run(&root, "last").unwrap(), id);

        let resumed = |name: &str| {
            OpenRun::resume(&root, name, &rig.against(), Options::default(), "palisade/test")
        };
        assert!(matches!(resumed("nothing"), Err(ApplyError::NoRun { .. })));
        let (mut open, _, mut engine) = resumed(id.as_str()).unwrap();
        let stop = StopFlag::default();
        let services = services(&client);
        let ports = Ports {
            services: &services,
            journal: &mut open.ledger,
            clock: &*rig.clock,
            stop: &stop,
        };
        let summary = run(&mut engine, ports, &mut |_| {}).await.unwrap();
        assert_eq!(summary.count(Outcome::Done), 200);
        assert!(rig.taken().values().all(|count| *count == 1));
        drop(open);

        // A finished run tells its end and writes nothing.
        let journal = root.join(id.as_str()).join("journal.jsonl");
        let before = std::fs::read(&journal).unwrap();
        let (mut open, _, mut engine) = resumed("last").unwrap();
        let ports = Ports {
            services: &services,
            journal: &mut open.ledger,
            clock: &*rig.clock,
            stop: &stop,
        };
        let again = run(&mut engine, ports, &mut |_| {}).await.unwrap();
        assert_eq!(again, summary);
        assert_eq!(std::fs::read(&journal).unwrap(), before);
        drop(open);
        edited(&root, &journal);
        assert!(matches!(resumed("last"), Err(ApplyError::Broken { .. })));
    });
}

fn edited(root: &Path, journal: &Path) {
    let found = runs(root).unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].entries.is_ok() && found[0].plan().is_ok());
    let text = std::fs::read_to_string(journal).unwrap();
    assert!(decode(text.as_bytes()).is_ok());
    std::fs::write(journal, text.replacen("\"attempt\":1", "\"attempt\":2", 1)).unwrap();
    assert!(runs(root).unwrap()[0].entries.is_err());
}
