//! Observing an emulated tenant while things go wrong: the same inventory, or one that says that it
//! is partial, never a smaller one.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use palisade::drive::client::{Client, ClientOptions};
use palisade::drive::observe::{Alerts, Scope, observe};
use palisade::drive::progress::Silent;
use palisade::emulator::scenario::Scenario;
use palisade::emulator::transport::InProcess;
use palisade::emulator::{Config, Emulator};
use palisade::host::clock::{Clock, ManualClock};
use palisade::host::credential::{Credential, Secret};
use palisade::host::random::Seeded;
use palisade::inventory::{Inventory, What};
use palisade::policy::workspace::{CredentialSource, Endpoints, Tenant};

fn start() -> Timestamp {
    "2026-11-24T10:00:00Z".parse().unwrap()
}

struct Rig {
    emulator: Arc<Mutex<Emulator>>,
    clock: Arc<ManualClock>,
    client: Client,
}

impl Rig {
    fn new(config: Config, scenario: &str) -> Self {
        let tenant = Tenant {
            name: "contoso".into(),
            tenant_id: config.tenant_id.as_str().into(),
            endpoints: Endpoints {
                authority: "http://127.0.0.1:8400".parse().unwrap(),
                defender: "http://127.0.0.1:8400".parse().unwrap(),
                graph: "http://127.0.0.1:8400".parse().unwrap(),
                defender_scope: "https://api.securitycenter.microsoft.com/.default".into(),
                graph_scope: "https://graph.microsoft.com/.default".into(),
            },
            credential: CredentialSource::ClientSecret,
            site: None,
        };
        let secret = Secret::new(config.client_secret.clone());
        let credential = Credential::with_secret(&config.client_id, secret);
        let clock = Arc::new(ManualClock::new(start()));
        let mut emulator = Emulator::new(config, start());
        emulator.play(&Scenario::parse(scenario).unwrap(), start()).unwrap();
        let emulator = Arc::new(Mutex::new(emulator));
        let transport = InProcess::new(emulator.clone(), clock.clone());
        let options =
            ClientOptions { random: Arc::new(Seeded::new(3)), ..ClientOptions::default() };
        let client = Client::new(&tenant, credential, Arc::new(transport), clock.clone(), options);
        Self { emulator, clock, client }
    }

    async fn observe(&self) -> Inventory {
        let scope = Scope {
            av_health: true,
            alerts: Some(Alerts::default()),
            scores: true,
            ..Scope::default()
        };
        observe(&self.client, &scope, &Silent).await.unwrap()
    }

    /// Calls that were answered with this status.
    fn answered(&self, status: u16) -> usize {
        let emulator = self.emulator.lock().unwrap();
        emulator.log().iter().filter(|logged| logged.status.as_u16() == status).count()
    }
}

fn config(devices: u32) -> Config {
    Config { devices, seed: 7, ..Config::default() }
}

/// What must be the same: every device, action and alert by its id.
fn contents(inventory: &Inventory) -> (Vec<String>, Vec<String>, Vec<String>) {
    let devices = inventory.devices().map(|dev| inventory.id(dev).to_string());
    let mut actions: Vec<String> =
        inventory.all_actions().iter().map(|row| row.id.to_string()).collect();
    actions.sort();
    let mut alerts: Vec<String> = inventory.alerts().iter().map(|row| row.id.to_string()).collect();
    alerts.sort();
    let mut devices: Vec<String> = devices.collect();
    devices.sort();
    (devices, actions, alerts)
}

const LISTS: &[&str] =
    &["/api/machines", "/api/machineactions", "/api/deviceavinfo", "/v1.0/security/alerts_v2"];

#[tokio::test]
async fn faults_at_any_call_change_nothing() {
    let calm = Rig::new(config(300), "").observe().await;
    assert!(calm.is_complete(), "{:?}", calm.missing());
    let calm = contents(&calm);
    assert!(!calm.0.is_empty() && !calm.1.is_empty() && !calm.2.is_empty());
    for fault in [
        "429 retry-after 3",
        "429 retry-after date 20",
        "429",
        "500",
        "502 html",
        "503 x3 html",
        "401",
        "reset before",
        "reset after",
        "hang before",
        "refuse",
        "truncate half",
        "truncate 1",
        "content-type text/html",
        "body <html>",
        "body {}",
        "lose-rows all",
        "lose-rows 1",
        "lose-rows 40",
        "repeat-rows 3",
        "delay 20s",
        "next-link stale",
        "next-link foreign",
        "next-link malformed",
        "next-link missing",
        "skew 2h",
    ] {
        for list in LISTS {
            for nth in 1..=3 {
                let line = format!("fault {fault} on GET {list} nth {nth}");
                let rig = Rig::new(config(300), &line);
                let inventory = rig.observe().await;
                assert!(inventory.is_complete(), "{line}: {:?}", inventory.missing());
                assert_eq!(contents(&inventory), calm, "{line}");
                let took = rig.clock.now().duration_since(start());
                assert!(took < SignedDuration::from_mins(6), "{line}: {took}");
            }
        }
    }
}

#[tokio::test]
async fn a_sign_in_that_stumbles_is_tried_again() {
    for fault in ["503 html", "reset after", "429 retry-after 2", "truncate half", "body {}"] {
        let line = format!("fault {fault} on POST /*/oauth2/v2.0/token x2");
        let rig = Rig::new(config(20), &line);
        assert!(rig.observe().await.is_complete(), "{line}");
    }
}

#[tokio::test]
async fn what_stays_broken_is_missing() {
    let parts = [What::Devices, What::Actions, What::AvHealth, What::Alerts];
    for fault in ["503", "reset before", "403", "body {}"] {
        for (list, what) in LISTS.iter().zip(parts) {
            let line = format!("fault {fault} on GET {list} x*");
            let inventory = Rig::new(config(60), &line).observe().await;
            let missing: Vec<What> = inventory.missing().iter().map(|m| m.what).collect();
            assert!(missing.contains(&what), "{line}: {missing:?}");
            // A fleet without machines is doubted as well when other lists speak of machines.
            assert!(missing.iter().all(|other| *other == what), "{line}: {missing:?}");
        }
    }
}

#[tokio::test]
async fn a_fleet_that_seems_empty_is_doubted_when_it_has_a_history() {
    let inventory =
        Rig::new(config(60), "fault lose-rows all on GET /api/machines x*").observe().await;
    assert_eq!(inventory.len(), 0);
    assert!(inventory.is_partial(What::Devices));
}

#[tokio::test]
async fn fleets_of_several_pages_are_walked_whole_through_lost_pages() {
    let rig = Rig::new(config(10_400), "");
    let calm = rig.observe().await;
    assert!(calm.is_complete(), "{:?}", calm.missing());
    assert_eq!(rig.answered(429), 0);
    for fault in ["lose-rows all nth 2", "lose-rows 3000 nth 1", "repeat-rows 200 nth 1"] {
        let line = format!("fault {fault} on GET /api/machines");
        let other = Rig::new(config(10_400), &line).observe().await;
        assert!(other.is_complete(), "{line}: {:?}", other.missing());
        assert_eq!(contents(&other).0, contents(&calm).0, "{line}");
    }
}

#[tokio::test]
async fn many_observations_in_a_row_never_meet_a_429() {
    let rig = Rig::new(config(50), "");
    for _ in 0..120 {
        assert!(rig.observe().await.is_complete());
    }
    assert_eq!(rig.answered(429), 0);
    assert!(rig.clock.now() > start() + SignedDuration::from_mins(1), "the windows were kept");
}
