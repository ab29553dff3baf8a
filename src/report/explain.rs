//! Why policies mean a device or not: each term, matched or not, with the fact that decided it.
//!
//! Pure: inventory and policies in, a tree and its text out. Called by `cli::commands::explain`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::inventory::readings::{self, Facts};
use crate::inventory::{Dev, Inventory};
use crate::model::{Holder, Reading, ScanType, WorkspaceId};
use crate::policy::PolicySet;
use crate::policy::selector::explain::{Explanation, explain_device};
use crate::policy::selector::{DeviceExpr, alerts_matching};
use crate::policy::set::{Header, Mode};
use crate::report::inventory::DeviceLine;
use crate::report::page::{Page, Role, join, piece, plain};
use crate::report::{Style, escape, measure};

/// Version of the JSON form.
pub const FORMAT_VERSION: u32 = 1;

/// One device and what policies make of it.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Explained {
    /// Name of the tenant.
    pub tenant: String,
    /// The device.
    pub device: DeviceLine,
    /// Its posture, aspect by aspect, in words.
    pub posture: Vec<Aspect>,
    /// Every policy that selects devices.
    pub policies: Vec<PolicyAnswer>,
    /// Alert rules with the device's alerts that they match.
    pub alert_rules: Vec<RuleAnswer>,
}

/// One aspect of a device's posture.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Aspect {
    /// `isolation`, `codeExecution`, …
    pub name: String,
    /// What is known, and who put it there.
    pub reading: String,
}

/// What one policy makes of the device.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PolicyAnswer {
    /// Kind of the document.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// File, relative to the workspace.
    pub file: String,
    /// Line of the document.
    pub line: u32,
    /// Whether it only reports.
    pub audit: bool,
    /// Whether it selects the device.
    pub matched: bool,
    /// Its selector, term by term.
    pub selector: Node,
}

/// A term, or `all`, `any`, `not` with parts.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Node {
    /// The term as a policy writes it.
    pub term: String,
    /// Whether it matches.
    pub matched: bool,
    /// What the inventory says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fact: Option<String>,
    /// What it is made of.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Self>,
}

/// An alert rule and the device's alerts.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RuleAnswer {
    /// Its name.
    pub name: String,
    /// File, relative to the workspace.
    pub file: String,
    /// Line of the document.
    pub line: u32,
    /// Titles of the device's alerts that it matches.
    pub alerts: Vec<String>,
}

/// Explains one device.
#[must_use]
pub fn explain(
    inventory: &Inventory,
    policies: &PolicySet,
    ours: &WorkspaceId,
    device: Dev,
    now: Timestamp,
) -> Explained {
    let answer = |header: &Header, mode: Mode, devices: &DeviceExpr| {
        let tree = explain_device(inventory, devices, device, now);
        PolicyAnswer {
            kind: header.kind.word().to_owned(),
            name: header.name.to_string(),
            file: header.file.to_string(),
            line: header.line,
            audit: mode == Mode::Audit,
            matched: tree.matched,
            selector: node(tree),
        }
    };
    let PolicySet {
        isolation,
        restriction,
        scans,
        alert_rules,
        exemptions,
        rules: _,
        digest: _,
        files: _,
    } = policies;
    let mut answers = Vec::new();
    answers.extend(isolation.iter().map(|policy| {
        answer(&policy.header, policy.containment.mode, &policy.containment.devices)
    }));
    answers.extend(restriction.iter().map(|policy| {
        answer(&policy.header, policy.containment.mode, &policy.containment.devices)
    }));
    answers.extend(scans.iter().map(|policy| answer(&policy.header, policy.mode, &policy.devices)));
    answers.extend(
        exemptions.iter().map(|policy| answer(&policy.header, Mode::Enforce, &policy.devices)),
    );
    let rules = alert_rules.iter().map(|rule| {
        let matching = alerts_matching(inventory, &rule.alerts, now);
        let own = matching.iter().filter_map(|at| {
            let alert = inventory.alerts().get(usize::try_from(at).ok()?)?;
            inventory.alert_devices(alert).contains(&device).then(|| alert.title.to_string())
        });
        RuleAnswer {
            name: rule.header.name.to_string(),
            file: rule.header.file.to_string(),
            line: rule.header.line,
            alerts: own.collect(),
        }
    });
    Explained {
        tenant: inventory.tenant().to_owned(),
        device: DeviceLine::of(inventory, device),
        posture: posture(inventory, ours, device),
        policies: answers,
        alert_rules: rules.collect(),
    }
}

fn node(tree: Explanation) -> Node {
    let Explanation { text, matched, fact, parts } = tree;
    Node { term: text, matched, fact, parts: parts.into_iter().map(node).collect() }
}

fn posture(inventory: &Inventory, ours: &WorkspaceId, device: Dev) -> Vec<Aspect> {
    let aspect = |name: &str, reading: String| Aspect { name: name.to_owned(), reading };
    let scan = |kind| match inventory.last_scan(device, kind) {
        Some(at) => format!("last completed {}", measure::instant(at).replace('\u{a0}', " ")),
        None => "none known".to_owned(),
    };
    vec![
        aspect("isolation", reading(&readings::isolation(inventory, device, ours))),
        aspect("codeExecution", reading(&readings::restriction(inventory, device, ours))),
        aspect("quickScan", scan(ScanType::Quick)),
        aspect("fullScan", scan(ScanType::Full)),
    ]
}

fn reading<T: std::fmt::Display>(facts: &Facts<T>) -> String {
    match &facts.reading {
        Reading::Known(value) => match &facts.placed {
            Some(placed) => {
                let since = measure::instant(placed.completed).replace('\u{a0}', " ");
                format!("{value} since {since}, {}", holder(&placed.by))
            }
            None => value.to_string(),
        },
        Reading::Changing { from, to, action, by } => {
            format!("changing from {from} to {to} by action {action}, {}", holder(by))
        }
        Reading::Unknown(why) => format!("unknown ({})", why.code()),
    }
}

fn holder(holder: &Holder) -> String {
    match holder {
        Holder::Ours { policy, .. } => format!("placed by our policy {policy}"),
        Holder::OtherWorkspace { workspace } => format!("placed by workspace {workspace}"),
        Holder::Named { requestor } => format!("placed by {requestor}"),
        Holder::Nobody => "nobody is named".to_owned(),
    }
}

/// The devices for people.
#[must_use]
pub fn text(explained: &[Explained], style: Style) -> String {
    let mut page = Page::new(style);
    for one in explained {
        page.gap();
        device(&mut page, one);
        for policy in &one.policies {
            page.gap();
            answer(&mut page, policy);
        }
        for rule in one.alert_rules.iter().filter(|rule| !rule.alerts.is_empty()) {
            page.gap();
            let head = piece(Role::Good, "+ AlertRule");
            let name = piece(Role::Name, format!(" {}", escape::terminal(&rule.name)));
            let place = format!(" · {}:{}", escape::terminal(&rule.file), rule.line);
            page.line(4, &[head, name, piece(Role::Dim, place)]);
            for title in &rule.alerts {
                page.line(6, &[plain(format!("    alert “{}”", escape::name(title, 80)))]);
            }
        }
    }
    page.finish()
}

fn device(page: &mut Page, one: &Explained) {
    let DeviceLine { id, name, group, platform, health, risk, exposure, value, .. } = &one.device;
    let title = piece(Role::Strong, format!("device {}", escape::name(name, 80)));
    let tenant = plain(format!("tenant {}", escape::name(&one.tenant, 40)));
    page.line(2, &join(vec![vec![title], vec![tenant]]));
    let seen = one.device.last_seen.map(measure::instant).unwrap_or_default();
    let tags = one.device.tags.join(", ");
    let facts = [
        ("id", id.as_str()),
        ("group", group),
        ("platform", platform),
        ("health", health),
        ("risk", risk),
        ("exposure", exposure),
        ("value", value),
        ("onboarding", &one.device.onboarding),
        ("tags", &tags),
        ("seen", &seen),
    ];
    for (label, text) in facts {
        field(page, label, text);
    }
    for aspect in &one.posture {
        field(page, &aspect.name, &aspect.reading);
    }
}

fn field(page: &mut Page, label: &str, text: &str) {
    if !text.is_empty() {
        let text = escape::name(text, 400);
        page.line(18, &[piece(Role::Dim, format!("    {label:<14}")), plain(text)]);
    }
}

fn answer(page: &mut Page, policy: &PolicyAnswer) {
    let (sign, role) = if policy.matched { ('+', Role::Good) } else { ('-', Role::Dim) };
    let head = piece(role, format!("{sign} {}", policy.kind));
    let name = piece(Role::Name, format!(" {}", escape::terminal(&policy.name)));
    let mut groups = vec![
        vec![head, name],
        vec![piece(Role::Dim, format!("{}:{}", escape::terminal(&policy.file), policy.line))],
        vec![plain(if policy.matched { "selects the device" } else { "does not select it" })],
    ];
    if policy.audit {
        groups.push(vec![piece(Role::Warn, "audit only")]);
    }
    page.line(4, &join(groups));
    tree(page, &policy.selector, 4);
}

/// A matched term is marked `+`, one that does not match `-`.
fn tree(page: &mut Page, node: &Node, indent: usize) {
    let (sign, role) = if node.matched { ('+', Role::Good) } else { ('-', Role::Warn) };
    let mut line = vec![
        plain(" ".repeat(indent)),
        piece(role, format!("{sign} ")),
        plain(escape::name(&node.term, 120)),
    ];
    if let Some(fact) = &node.fact {
        let fact = if fact.is_empty() { "nothing".to_owned() } else { escape::name(fact, 120) };
        line.push(piece(Role::Dim, format!("   is {fact}")));
    }
    page.line(indent + 4, &line);
    node.parts.iter().for_each(|part| tree(page, part, indent + 2));
}

/// Explained devices as other programs read them.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ExplainedDevices {
    /// Version of this format.
    pub format_version: u32,
    /// Every device of that name.
    pub devices: Vec<Explained>,
}

/// The devices as JSON, with a line feed at its end.
#[must_use]
pub fn json(explained: &[Explained]) -> String {
    let page = ExplainedDevices { format_version: FORMAT_VERSION, devices: explained.to_vec() };
    let mut text = serde_json::to_string_pretty(&page).unwrap_or_default();
    text.push('\n');
    text
}
