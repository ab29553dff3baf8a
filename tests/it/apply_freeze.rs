//! A freeze in the middle of a run: nothing more leaves, and the run is finished later.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;
use palisade::apply::step::{Answer, Lane, Question, Seen, Send};
use palisade::apply::{Engine, Options, Outcome};
use palisade::drive::apply::{Ports, Service, StopFlag, run};
use palisade::drive::client::{Client, Gate};
use palisade::host::clock::Pending;

use crate::apply_rig::{Memory, Rig, paused};

const POLICY: &str = "\
apiVersion: palisade/v1
kind: IsolationSet
metadata: {name: ir-7781}
spec:
  devices: {tag: case}
  isolation: full
  lease: 72h
  comment: IR-7781 containment
";

/// A service where somebody freezes the workspace while a request leaves.
struct Freezing<'a> {
    client: &'a Client,
    file: PathBuf,
    /// The request, from 1.
    at: usize,
    sent: AtomicUsize,
}

impl Service for Freezing<'_> {
    fn submit<'a>(&'a self, send: &'a Send, gate: &'a Gate<'a>) -> Pending<'a, Answer> {
        if self.sent.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            std::fs::write(&self.file, "").unwrap();
        }
        Service::submit(self.client, send, gate)
    }
    fn ask<'a>(&'a self, question: &'a Question) -> Pending<'a, Result<Seen, String>> {
        self.client.ask(question)
    }
    fn pace(&self, lane: Lane) -> Option<(Timestamp, u32)> {
        Service::pace(self.client, lane)
    }
}

#[test]
fn nothing_leaves_after_the_file_is_there_and_resume_sends_the_rest_once() {
    for at in [1, 3, 8, 9, 20] {
        paused(async {
            let rig = Rig::plain(30, &["case"], POLICY, Rig::calendar());
            let client = rig.client();
            let plan = rig.check(rig.plan(&client).await);
            assert_eq!(plan.changes.len(), 30);
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("palisade.freeze");
            let (file, sent) = (file.clone(), AtomicUsize::new(0));
            let service = Freezing { client: &client, file: file.clone(), at, sent };
            let services: BTreeMap<Arc<str>, &dyn Service> =
                [(Arc::from("contoso"), &service as &dyn Service)].into();
            let stop = StopFlag::with_freeze(folder.path());
            let mut memory = Memory::default();
            let mut engine = Engine::new(&plan, &[], Options::default(), "palisade/test").unwrap();
            let ports = Ports {
                services: &services,
                journal: &mut memory,
                clock: &*rig.clock,
                stop: &stop,
            };
            let summary = run(&mut engine, ports, &mut |_| {}).await.unwrap();
            assert_eq!(summary.stopped.as_ref().map(|reason| &*reason.code), Some("frozen"));
            assert_eq!(rig.taken().values().sum::<usize>(), at - 1);
            assert!(summary.count(Outcome::NotAttempted) >= u32::try_from(31 - at).unwrap());

            std::fs::remove_file(&file).unwrap();
            let summary = rig.life(&plan, &rig.client(), &mut memory, None).await.unwrap();
            assert_eq!(summary.count(Outcome::Done), 30, "{summary:#?}");
            assert_eq!(rig.taken().values().sum::<usize>(), 30);
            assert!(rig.twice().is_empty(), "{:?}", rig.twice());
        });
    }
}
