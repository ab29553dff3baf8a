//! Table tests of the endpoints, on the bytes of the answers.

mod actions;
mod alerts;
mod lists;
mod machines;
mod protocol;

use bytes::Bytes;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::emulator::config::Config;
use crate::emulator::tenant::{Group, Machine, MachineId, Tenant};
use crate::emulator::{Behaviour, Emulator};

/// Row 0: a Windows client with everything in its record.
pub(super) const PC: &str = "0a1b2c3d4e5f60718293a4b5c6d7e8f901234567";
/// Row 1: a Linux server.
pub(super) const LX: &str = "1111111111111111111111111111111111111111";
/// Row 2: a discovered device without a name.
pub(super) const UNMANAGED: &str = "2222222222222222222222222222222222222222";
/// Row 3: a phone.
pub(super) const PHONE: &str = "3333333333333333333333333333333333333333";
/// Row 4: a record merged into row 0.
pub(super) const MERGED: &str = "4444444444444444444444444444444444444444";

pub(super) const ROOT: &str = "https://api.security.microsoft.com";

/// An emulator with a few devices, a token and a clock.
pub(super) struct Kit {
    pub(super) emulator: Emulator,
    pub(super) now: Timestamp,
    token: String,
}

impl Kit {
    pub(super) fn new() -> Self {
        Self::with_roles(crate::emulator::config::ALL_ROLES)
    }

    pub(super) fn with_roles(roles: &[&str]) -> Self {
        let config = Config {
            devices: 0,
            app_name: "containment-bot".to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..Config::default()
        };
        let now = "2026-03-02T22:01:10.4401873Z".parse().unwrap();
        let tenant = devices(&config, now);
        let mut kit =
            Self { emulator: Emulator::with_tenant(config, tenant), now, token: String::new() };
        kit.token = kit.sign_in();
        kit
    }

    fn sign_in(&mut self) -> String {
        let config = self.emulator.config().clone();
        let form = format!(
            "grant_type=client_credentials&client_id={}&client_secret={}&scope=https%3A%2F%2Fapi.securitycenter.microsoft.com%2F.default",
            config.client_id, config.client_secret
        );
        let request = Request::post(format!("{ROOT}/{}/oauth2/v2.0/token", config.tenant_id))
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form))
            .unwrap();
        let response = self.emulator.handle(&request, self.now).response;
        let body: Value = serde_json::from_slice(response.body()).unwrap();
        body["access_token"].as_str().unwrap().to_owned()
    }

    /// Sends `GET /api/…` or another line with an optional body.
    pub(super) fn raw(&mut self, line: &str, body: &str) -> Response<Bytes> {
        let (method, path) = line.split_once(' ').unwrap();
        let request = Request::builder()
            .method(method)
            .uri(format!("{ROOT}{path}"))
            .header("authorization", format!("Bearer {}", self.token))
            .header("content-type", "application/json")
            .body(Bytes::copy_from_slice(body.as_bytes()))
            .unwrap();
        self.emulator.handle(&request, self.now).response
    }

    pub(super) fn text(&mut self, line: &str, body: &str) -> (u16, String) {
        let response = self.raw(line, body);
        let text = String::from_utf8(response.body().to_vec()).unwrap();
        (response.status().as_u16(), text)
    }

    pub(super) fn json(&mut self, line: &str, body: &str) -> (u16, Value) {
        let (status, text) = self.text(line, body);
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Status and `error.code` of a refusal.
    pub(super) fn refusal(&mut self, line: &str, body: &str) -> (u16, String) {
        let (status, body) = self.json(line, body);
        (status, body["error"]["code"].as_str().unwrap_or("no code").to_owned())
    }

    pub(super) fn get(&mut self, path: &str) -> Value {
        let (status, body) = self.json(&format!("GET {path}"), "");
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// The `id`s of a list.
    pub(super) fn ids(&mut self, path: &str) -> Vec<String> {
        let body = self.get(path);
        let rows = body["value"].as_array().unwrap().iter();
        rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }

    pub(super) fn pass(&mut self, seconds: i64) {
        self.now = self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        self.token = self.sign_in();
    }

    pub(super) fn behaviour(&mut self) -> &mut Behaviour {
        self.emulator.behaviour_mut()
    }
}

fn devices(config: &Config, now: Timestamp) -> Tenant {
    let id = |text: &str| MachineId::parse(text).unwrap();
    let time = |text: &str| -> Timestamp { text.parse().unwrap() };
    let mut tenant = Tenant::empty(config, now);
    tenant.groups.push(Group { id: 12, name: "EMEA-Servers".into() });
    let mut pc = Machine::plain(
        id(PC),
        "till-07.shop.example",
        "Windows11",
        time("2026-03-02T21:40:05.684607Z"),
    );
    pc.first_seen = time("2026-02-11T06:12:44.0173Z");
    pc.version = Some("24H2".into());
    pc.last_ip = Some("10.7.0.41".parse().unwrap());
    pc.last_external_ip = Some("203.0.113.9".parse().unwrap());
    pc.agent_version = Some("10.8800.26100.1".into());
    pc.os_build = Some(26_100);
    pc.risk = Some(crate::model::Risk::Low);
    pc.exposure = Some(crate::model::Exposure::Medium);
    pc.joined = Some(true);
    pc.tags = vec!["pos".into(), "ring-2".into()];
    pc.av_status = None;
    pc.managed_by = Some("Intune");
    pc.interfaces = vec![crate::emulator::tenant::machine::Interface {
        address: "10.7.0.41".parse().unwrap(),
        mac: Some([0x02, 0xaa, 0x55, 0x00, 0xc0, 0xde]),
        kind: Some("Ethernet"),
        status: "Up",
    }];
    tenant.add_machine(pc);
    let mut linux =
        Machine::plain(id(LX), "lx1.contoso.example", "Linux", time("2026-03-02T08:00:00Z"));
    linux.agent_version = Some("101.25072.0003".into());
    linux.group = 12;
    tenant.add_machine(linux);
    let mut unmanaged =
        Machine::plain(id(UNMANAGED), "x", "Windows10", time("2026-02-28T08:00:00Z"));
    unmanaged.name = None;
    unmanaged.onboarding = crate::model::Onboarding::CanBeOnboarded;
    unmanaged.risk = None;
    unmanaged.online = false;
    tenant.add_machine(unmanaged);
    tenant.add_machine(Machine::plain(id(PHONE), "mobile-1", "iOS", time("2026-03-01T08:00:00Z")));
    let mut merged = Machine::plain(
        id(MERGED),
        "till-07.shop.example",
        "Windows11",
        time("2026-01-15T08:00:00Z"),
    );
    merged.merged_into = Some(id(PC));
    merged.online = false;
    tenant.add_machine(merged);
    tenant
}
