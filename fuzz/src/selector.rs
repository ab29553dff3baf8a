//! Selectors: the compiled form selects exactly what the plain reading of each device does, and
//! nothing written grows into "every device".

use jiff::Timestamp;
use palisade::policy::selector::{
    self, AlertExpr, AlertTerm, DeviceExpr, DeviceTerm, alerts_matching, explain_device,
    matches_alert, matches_device, select,
};
use palisade::policy::{self, SourceText};

use super::made;

/// Reads the text as the devices of a policy and as the alerts of a rule.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if text.len() > 4_096 {
        return;
    }
    let body: String = text.lines().map(|line| format!("    {line}\n")).collect();
    let devices = format!(
        "apiVersion: palisade/v1\nkind: IsolationSet\nmetadata: {{name: fuzzed}}\nspec:\n  \
         isolation: full\n  lease: 1h\n  comment: fuzzed\n  devices:\n{body}"
    );
    let alerts = format!(
        "apiVersion: palisade/v1\nkind: AlertRule\nmetadata: {{name: fuzzed}}\nspec:\n  \
         set: {{status: resolved}}\n  alerts:\n{body}"
    );
    for text in [devices, alerts] {
        let source = SourceText { file: "fuzzed.yaml".into(), text: text.into() };
        let loaded = policy::load(None, std::slice::from_ref(&source), made::now());
        let Some(set) = loaded.set else { continue };
        set.isolation.iter().for_each(|policy| devices_agree(&policy.containment.devices));
        set.alert_rules.iter().for_each(|rule| alerts_agree(&rule.alerts));
    }
}

fn devices_agree(expr: &DeviceExpr) {
    let (inventory, now): (_, Timestamp) = (made::inventory(), made::now());
    let selected = select(inventory, expr, now);
    for device in inventory.devices() {
        let plain = matches_device(inventory, expr, device, now);
        assert_eq!(selected.contains(device.0), plain, "{expr:?}");
        let _ = explain_device(inventory, expr, device, now);
    }
    // A device of which nothing is known is selected by "everything" and by what is not said of
    // it, and by nothing else.
    if !says_all(expr) {
        let nobody = inventory.find(&made::nobody());
        let taken = nobody.is_some_and(|device| selected.contains(device.0));
        assert!(!taken, "{expr:?}");
    }
    if selector::is_void(expr) {
        assert!(selected.is_empty(), "{expr:?}");
    }
}

/// Whether something in it may match what the service has not said: `everything`, a negation, a
/// word for "not known".
fn says_all(expr: &DeviceExpr) -> bool {
    use DeviceTerm::{Incident, Ip, Name, Tag, Version};
    match expr {
        DeviceExpr::Everything | DeviceExpr::Not(_) => true,
        DeviceExpr::All(parts) | DeviceExpr::Any(parts) => parts.iter().any(says_all),
        DeviceExpr::Term(term) => {
            !matches!(term, Name(_) | Tag(_) | Version(_) | Ip(_) | Incident(_))
        }
    }
}

fn alerts_agree(expr: &AlertExpr) {
    let (inventory, now) = (made::inventory(), made::now());
    let selected = alerts_matching(inventory, expr, now);
    for (row, alert) in (0_u32..).zip(inventory.alerts()) {
        assert_eq!(selected.contains(row), matches_alert(inventory, expr, alert, now), "{expr:?}");
    }
    if let AlertExpr::Term(AlertTerm::Device(devices)) = expr {
        devices_agree(devices);
    }
}
