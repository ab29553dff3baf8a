//! The loop's own parts: calls as they are sent, the flag, answers, names of runs.

use std::sync::Arc;

use super::service::call;
use super::*;
use crate::apply::step::Send;
use crate::model::{AlertStatus, Classification, IsolationMode};
use crate::plan::types::Reason;
use crate::wire::Call;
use crate::wire::call::AlertPatch;

#[test]
fn what_the_engine_sends_is_what_the_client_calls() {
    let device = crate::model::DeviceId::parse("d");
    let comment: Arc<str> = "x".into();
    let isolate = Send::Isolate {
        device: device.clone(),
        mode: IsolationMode::Selective,
        comment: comment.clone(),
    };
    let expected = Call::Isolate {
        device: device.clone(),
        comment: comment.clone(),
        isolation_type: IsolationMode::Selective,
    };
    assert_eq!(call(&isolate), expected);
    let release = Send::Release { device: device.clone(), comment: comment.clone() };
    assert_eq!(call(&release), Call::Release { device, comment });
    for (named, patched) in [
        (None, None),
        (Some("ada@contoso.example"), Some(Some("ada@contoso.example".into()))),
        // An empty name takes the assignee away; leaving it out would keep it.
        (Some(""), Some(None)),
    ] {
        let patch = Send::Patch {
            alert: "a".into(),
            status: Some(AlertStatus::Resolved),
            classification: Some(Classification::FalsePositive),
            determination: None,
            assigned_to: named.map(Arc::from),
        };
        let expected = AlertPatch {
            status: Some(AlertStatus::Resolved),
            classification: Some(Classification::FalsePositive),
            determination: None,
            assigned_to: patched,
        };
        assert_eq!(call(&patch), Call::PatchAlert { alert: "a".into(), patch: expected });
    }
}

#[tokio::test]
async fn a_flag_that_was_raised_is_heard_by_all_who_ask() {
    let flag = StopFlag::default();
    let other = flag.clone();
    assert!(!other.is_raised());
    let heard = tokio::spawn(async move { other.raised().await });
    tokio::task::yield_now().await;
    flag.raise();
    heard.await.unwrap();
    // Raised before anybody waits, it is heard at once.
    flag.raised().await;
}

/// A clock that stands, whose sleeps end at once and are kept.
#[derive(Debug, Default)]
struct Sleeps(std::sync::Mutex<Vec<Timestamp>>);

impl Clock for Sleeps {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }
    fn sleep_until(&self, at: Timestamp) -> crate::host::clock::Pending<'_, ()> {
        self.0.lock().unwrap().push(at);
        Box::pin(std::future::ready(()))
    }
}

/// A freeze or a Ctrl-C that comes after the engine was told last must not be waited out.
#[tokio::test]
async fn what_the_engine_was_not_told_of_ends_a_wait_soon() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Sleeps::default());
    let second = |second| Timestamp::from_second(second).unwrap();
    std::fs::write(folder.path().join(crate::plan::freeze::FILE), "").unwrap();
    let frozen = StopFlag::with_freeze(folder.path());
    let mut flight = Flight::default();
    for heard in [false, true] {
        wait(&mut flight, &clock, second(900), &frozen, heard).await;
    }
    assert_eq!(*clock.0.lock().unwrap(), [second(1), second(900)]);
    let raised = StopFlag::default();
    raised.raise();
    wait(&mut flight, &clock, second(900), &raised, false).await;
    assert_eq!(clock.0.lock().unwrap().len(), 2);
}

#[test]
fn answers_are_returned_as_they_arrive() {
    let mut flight = Flight::default();
    flight.add(async { Event::Stop(Reason::new("interrupted")) });
    flight.add(std::future::pending());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert_eq!(flight.poll(&mut context).len(), 1);
    assert!(flight.poll(&mut context).is_empty());
    assert!(!flight.is_empty());
}

#[test]
fn names_of_runs_are_found_by_either_end() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in ["20261123T100200Z-7f3c9a", "20261124T100200Z-00c9a1", "notes"] {
        std::fs::create_dir(root.join(name)).unwrap();
    }
    let find = |name: &str| find_run(root, name).map(|id| id.to_string());
    assert_eq!(find("last").unwrap(), "20261124T100200Z-00c9a1");
    assert_eq!(find("7f3c9a").unwrap(), "20261123T100200Z-7f3c9a");
    assert_eq!(find("20261124").unwrap(), "20261124T100200Z-00c9a1");
    assert!(matches!(find("2026"), Err(ApplyError::SeveralRuns { .. })));
    assert!(matches!(find("notes"), Err(ApplyError::NoRun { .. })));
    assert!(matches!(find(""), Err(ApplyError::NoRun { .. })));
    assert!(runs(&root.join("none")).unwrap().is_empty());
}

#[test]
fn runs_of_one_second_are_named_in_the_order_in_which_they_began() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let now = "2026-11-23T10:02:00Z".parse().unwrap();
    // The hashes fall, the names rise.
    for hash in ["ffffff00", "88888800", "00000000"] {
        let plan = crate::plan::Plan { plan_hash: hash.to_owned(), ..crate::plan::Plan::default() };
        drop(OpenRun::create(root, &plan, now).unwrap());
        assert!(find_run(root, "last").unwrap().as_str().ends_with(&hash[..6]), "{hash}");
    }
    assert_eq!(find_run(root, "last").unwrap().as_str(), "20261123T100202Z-000000");
}

#[test]
fn a_run_is_active_while_somebody_holds_its_lock() {
    let folder = tempfile::tempdir().unwrap();
    let now = "2026-11-23T10:02:00Z".parse().unwrap();
    let plan = crate::plan::Plan { plan_hash: "7f3c9a".to_owned(), ..crate::plan::Plan::default() };
    let other = "20261123T100200Z-00c9a1".into();
    let open = OpenRun::create(folder.path(), &plan, now).unwrap();
    let id = open.id.clone();
    assert!(is_active(folder.path(), &id).unwrap());
    assert!(!is_active(folder.path(), &other).unwrap());
    drop(open);
    assert!(!is_active(folder.path(), &id).unwrap());
}

mod last {
    //! The run that the next plan is compared with.

    use std::path::Path;

    use super::super::Journal as _;
    use super::super::folder::{OpenRun, last_run};
    use crate::apply::Entry;
    use crate::plan::Plan;
    use crate::plan::file::seal;
    use crate::plan::types::TenantSection;
    use crate::policy::Workspace;
    use crate::policy::workspace::Tenant;

    const IDS: [&str; 2] =
        ["11111111-2222-3333-4444-555555555555", "22222222-2222-3333-4444-555555555555"];

    fn workspace() -> Workspace {
        let (loaded, findings) = crate::policy::load_workspace(
            &crate::policy::SourceText {
                file: "palisade.yaml".into(),
                text: format!(
                    "apiVersion: palisade/v1\nkind: Workspace\nid: soc\ntenants:\n  \
                     - {{name: one, tenantId: {}}}\n  - {{name: two, tenantId: {}}}\n",
                    IDS[0], IDS[1]
                )
                .into(),
            },
            Path::new("."),
        );
        loaded.unwrap_or_else(|| panic!("{findings:?}"))
    }

    /// A run at that hour whose plan saw so many devices in each of these tenants.
    fn run(root: &Path, hour: u32, seen: &[(usize, u32)]) -> std::path::PathBuf {
        let section = |(tenant, devices): &(usize, u32)| TenantSection {
            tenant_id: IDS[*tenant].to_owned(),
            devices: *devices,
            groups: [(String::new(), *devices)].into(),
            ..TenantSection::default()
        };
        let plan = seal(Plan {
            format_version: 1,
            workspace: "soc".to_owned(),
            tenants: seen.iter().map(section).collect(),
            ..Plan::default()
        });
        let now = format!("2026-11-23T{hour:02}:00:00Z").parse().unwrap();
        let mut open = OpenRun::create(root, &plan, now).unwrap();
        let started = Entry::Started {
            format_version: 1,
            run: None,
            plan_hash: plan.plan_hash,
            tool: "palisade/test".to_owned(),
            workspace: "soc".to_owned(),
            tenants: std::collections::BTreeMap::new(),
            changes: 0,
            lifts: Vec::new(),
        };
        open.ledger.append(now, vec![started]).unwrap();
        open.path
    }

    fn seen(root: &Path) -> (Vec<u32>, Vec<String>) {
        let workspace: Workspace = workspace();
        let last = last_run(root, &workspace);
        let of = |tenant: &Tenant| Some(last.tenants.get(&*tenant.tenant_id)?.counts.devices);
        let devices = workspace.tenants.iter().filter_map(of).collect();
        (devices, last.unreadable.into_values().collect())
    }

    #[test]
    fn each_tenant_is_taken_from_the_newest_run_that_has_it() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(seen(&root.join("none")), (vec![], vec![]));
        run(root, 7, &[(0, 70), (1, 71)]);
        run(root, 8, &[(1, 81)]);
        assert_eq!(seen(root), (vec![70, 81], vec![]));
        // Killed before it began: nothing was done, and it is no measure.
        let never = run(root, 9, &[(0, 1), (1, 1)]);
        std::fs::remove_file(never.join("journal.jsonl")).unwrap();
        assert_eq!(seen(root), (vec![70, 81], vec![]));
    }

    #[test]
    fn a_run_that_was_tampered_with_is_named_and_an_older_one_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        run(root, 7, &[(0, 70), (1, 71)]);
        let newest = run(root, 8, &[(0, 80), (1, 81)]);
        let plan = newest.join("plan.json");
        let text = std::fs::read_to_string(&plan).unwrap();
        std::fs::write(&plan, text.replace("80", "8")).unwrap();
        let (devices, said) = seen(root);
        assert_eq!((devices, said.len()), (vec![70, 71], 1), "{said:?}");
        // Another plan, sealed again, is not the one that the journal began with.
        let other = run(root, 9, &[(0, 9), (1, 9)]);
        std::fs::copy(other.join("plan.json"), &plan).unwrap();
        std::fs::remove_dir_all(other).unwrap();
        let (devices, said) = seen(root);
        let expected = "its plan is not the one that its journal began with";
        assert_eq!((devices, said), (vec![70, 71], vec![expected.to_owned()]));
        std::fs::remove_file(&plan).unwrap();
        assert_eq!(seen(root).1.len(), 1);
    }
}
