//! Why a device or alert is selected, or not: each term with the fact that decided it.
//!
//! `explain_device` is the whole tree for a person; what plans quote is in `matched`. Facts are
//! untrusted text and are escaped by whoever shows them.

use jiff::Timestamp;

use crate::inventory::{AlertRow, Dev, Inventory};
use crate::policy::selector::ast::{AlertExpr, AlertTerm, DeviceExpr, DeviceTerm};
use crate::policy::selector::interpret::Meaning;
use crate::policy::selector::words::{self, Alternative};

/// One node of a selector with its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The term (`tag=ir-7781|ir-7790`), or `all`, `any`, `not`, `everything`.
    pub text: String,
    /// Whether it matches.
    pub matched: bool,
    /// For a term, what the inventory says; empty when it says nothing. Untrusted text.
    pub fact: Option<String>,
    /// What it is made of.
    pub parts: Vec<Self>,
}

/// Why a device is selected, or not.
#[must_use]
pub fn explain_device(
    inventory: &Inventory,
    expr: &DeviceExpr,
    device: Dev,
    now: Timestamp,
) -> Explanation {
    let meaning = Meaning::of_devices(inventory, expr, now);
    Explainer { inventory, meaning: &meaning }.device(expr, device)
}

/// Why an alert is selected, or not.
#[must_use]
pub fn explain_alert(
    inventory: &Inventory,
    expr: &AlertExpr,
    alert: &AlertRow,
    now: Timestamp,
) -> Explanation {
    let meaning = Meaning::of_alerts(inventory, expr, now);
    Explainer { inventory, meaning: &meaning }.alert(expr, alert)
}

/// `tag=a|b`, `risk>=medium`.
fn term_text((key, alternatives): (&str, Vec<Alternative>)) -> String {
    let mut text = key.to_owned();
    for (at, (sign, value)) in alternatives.iter().enumerate() {
        match (at, *sign) {
            (0, sign) => text.push_str(sign),
            (_, "=") => text.push('|'),
            (_, sign) => {
                text.push('|');
                text.push_str(sign);
            }
        }
        text.push_str(value);
    }
    text
}

struct Explainer<'a> {
    inventory: &'a Inventory,
    meaning: &'a Meaning<'a>,
}

impl Explainer<'_> {
    fn device(&self, expr: &DeviceExpr, device: Dev) -> Explanation {
        let matched = self.meaning.device(expr, device);
        let node =
            |text: &str, parts| Explanation { text: text.to_owned(), matched, fact: None, parts };
        let parts = |parts: &[DeviceExpr]| {
            parts.iter().map(|part| self.device(part, device)).collect::<Vec<_>>()
        };
        match expr {
            DeviceExpr::Everything => node("everything", Vec::new()),
            DeviceExpr::All(list) => node("all", parts(list)),
            DeviceExpr::Any(list) => node("any", parts(list)),
            DeviceExpr::Not(part) => node("not", vec![self.device(part, device)]),
            DeviceExpr::Term(term) => {
                let hit = self.meaning.device_term(term, device);
                let fact = hit.map_or_else(|| self.device_fact(term, device), |hit| hit.fact);
                let parts = match term {
                    DeviceTerm::Alert(expr) => self.alerts_of(expr, device),
                    _ => Vec::new(),
                };
                let text = term_text(words::device_term(term));
                Explanation { text, matched, fact: Some(fact), parts }
            }
        }
    }

    /// The alerts of a device, each with its answer.
    fn alerts_of(&self, expr: &AlertExpr, device: Dev) -> Vec<Explanation> {
        let alerts = self.inventory.device_alerts(device);
        let explained = alerts.map(|alert| {
            let is_all = matches!(expr, AlertExpr::All(_));
            named(format!("alert {}", alert.id), &alert.title, self.alert(expr, alert), is_all)
        });
        explained.collect()
    }

    fn alert(&self, expr: &AlertExpr, alert: &AlertRow) -> Explanation {
        let matched = self.meaning.alert(expr, alert);
        let node =
            |text: &str, parts| Explanation { text: text.to_owned(), matched, fact: None, parts };
        let parts = |parts: &[AlertExpr]| {
            parts.iter().map(|part| self.alert(part, alert)).collect::<Vec<_>>()
        };
        match expr {
            AlertExpr::All(list) => node("all", parts(list)),
            AlertExpr::Any(list) => node("any", parts(list)),
            AlertExpr::Not(part) => node("not", vec![self.alert(part, alert)]),
            AlertExpr::Term(term) => {
                let hit = self.meaning.alert_term(term, alert);
                let fact = hit.map_or_else(|| alert_fact(term, alert), |hit| hit.fact);
                let parts = match term {
                    AlertTerm::Device(expr) => self
                        .inventory
                        .alert_devices(alert)
                        .into_iter()
                        .map(|device| {
                            let is_all = matches!(**expr, DeviceExpr::All(_));
                            let text = format!("device {}", self.inventory.id(device));
                            let name = self.inventory.name(device);
                            named(text, name, self.device(expr, device), is_all)
                        })
                        .collect(),
                    _ => Vec::new(),
                };
                let text = term_text(words::alert_term(term));
                Explanation { text, matched, fact: Some(fact), parts }
            }
        }
    }

    /// What the inventory says about the field of a term that does not match.
    fn device_fact(&self, term: &DeviceTerm, device: Dev) -> String {
        let inventory = self.inventory;
        match term {
            DeviceTerm::Id(_) => inventory.id(device).to_string(),
            DeviceTerm::Name(_) => inventory.name(device).to_owned(),
            DeviceTerm::Group(_) | DeviceTerm::Site(_) => inventory.group(device).to_owned(),
            DeviceTerm::Tag(_) => join(inventory.tags(device)),
            DeviceTerm::Os(_) => inventory.platform(device).to_owned(),
            DeviceTerm::Version(_) => inventory.version(device).to_owned(),
            DeviceTerm::Ip(_) => join(inventory.ips(device)),
            DeviceTerm::Health(_) => inventory.health(device).to_string(),
            DeviceTerm::Risk(_) => inventory.risk(device).to_string(),
            DeviceTerm::Exposure(_) => inventory.exposure(device).to_string(),
            DeviceTerm::Value(_) => inventory.value(device).to_string(),
            DeviceTerm::Onboarding(_) => inventory.onboarding(device).to_string(),
            DeviceTerm::Joined(_) => inventory.joined(device).to_string(),
            DeviceTerm::ManagedBy(_) => inventory.managed_by(device).to_owned(),
            DeviceTerm::AvStatus(_) => inventory.av_status(device).to_string(),
            DeviceTerm::Seen(_) => {
                inventory.last_seen(device).map_or("never".to_owned(), |seen| seen.to_string())
            }
            DeviceTerm::Alert(_) => join(inventory.device_alerts(device).map(|alert| &alert.id)),
            DeviceTerm::Incident(_) => {
                let incidents = inventory.device_alerts(device);
                join(incidents.filter_map(|alert| alert.incident.as_ref()))
            }
        }
    }
}

/// What an expression says of one alert or device, under its name. The parts of an `all` stand there
/// directly; anything else keeps its own line, or its words and its fact would be lost.
fn named(text: String, name: &str, says: Explanation, is_all: bool) -> Explanation {
    let matched = says.matched;
    let parts = if is_all { says.parts } else { vec![says] };
    Explanation { text, matched, fact: Some(name.to_owned()), parts }
}

fn alert_fact(term: &AlertTerm, alert: &AlertRow) -> String {
    match term {
        AlertTerm::Id(_) => alert.id.to_string(),
        AlertTerm::Title(_) => alert.title.to_string(),
        AlertTerm::Severity(_) => alert.severity.to_string(),
        AlertTerm::Status(_) => alert.status.to_string(),
        AlertTerm::Category(_) => alert.category.to_string(),
        AlertTerm::DetectionSource(_) => alert.detection_source.to_string(),
        AlertTerm::ServiceSource(_) => alert.service_source.to_string(),
        AlertTerm::Classification(_) => alert.classification.to_string(),
        AlertTerm::AssignedTo(_) => alert.assigned_to.as_deref().unwrap_or("nobody").to_owned(),
        AlertTerm::MitreTechnique(_) => join(&alert.mitre),
        AlertTerm::Incident(_) => join(&alert.incident),
        AlertTerm::Created(_) => alert.created.to_string(),
        AlertTerm::Device(_) => join(&alert.devices),
    }
}

fn join<T: ToString>(list: impl IntoIterator<Item = T>) -> String {
    list.into_iter().map(|item| item.to_string()).collect::<Vec<_>>().join(", ")
}
