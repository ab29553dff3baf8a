//! Policies of every kind with every selector term, as YAML, read by the real loader.

use std::path::Path;

use jiff::Timestamp;
use palisade::policy::{self, PolicySet, SourceText, Workspace};

use crate::Sizes;
use crate::bodies::{Dice, GROUPS, TAGS, TENANT, TENANT_ID, device_id, group};

pub(crate) fn workspace() -> Workspace {
    let text = format!(
        "apiVersion: palisade/v1\nkind: Workspace\nid: contoso-soc\ntenants:\n  - name: {TENANT}\n    \
         tenantId: {TENANT_ID}\nsites:\n  acme/emea: {{groups: [{}, {}]}}\n  acme/apac: {{tags: [tag-0001, tag-0002]}}\n",
        group(4),
        group(8),
    );
    let file = SourceText { file: "palisade.yaml".into(), text: text.into() };
    let (workspace, findings) = policy::load_workspace(&file, Path::new("."));
    workspace.unwrap_or_else(|| stop(&format!("{findings:#?}")))
}

/// The same without caps, so that nothing keeps a plan from having a change for every device.
pub(crate) fn uncapped() -> Workspace {
    let mut workspace = workspace();
    workspace.guardrails.caps.clear();
    workspace
}

pub(crate) fn load(workspace: &Workspace, sizes: Sizes, now: Timestamp) -> PolicySet {
    let documents = (0..sizes.policies).map(|number| document(sizes, number));
    read(workspace, documents.collect(), now)
}

/// Isolations of one shape of selector.
pub(crate) fn isolating(count: u32, selector: &dyn Fn(u32) -> String, now: Timestamp) -> PolicySet {
    let document = |number: u32| one("isolate", &format!("isolate-{number:04}"), &selector(number));
    read(&workspace(), (0..count).map(document).collect(), now)
}

/// One policy over one selector: `isolate`, or `scan` with a window that has closed.
pub(crate) fn single(kind: &str, selector: &str, now: Timestamp) -> PolicySet {
    read(&workspace(), vec![one(kind, kind, selector)], now)
}

fn one(kind: &str, name: &str, devices: &str) -> String {
    let (kind, rest) = match kind {
        "isolate" => ("IsolationSet", "  isolation: full\n  lease: 72h\n"),
        _ => (
            "ScanSchedule",
            "  scan: full\n  schedule: \"0 20 * * SAT\"\n  timeZone: Europe/Berlin\n  window: 8h\n",
        ),
    };
    format!(
        "apiVersion: palisade/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n  \
         devices: {devices}\n{rest}  comment: weekly\n"
    )
}

fn read(workspace: &Workspace, documents: Vec<String>, now: Timestamp) -> PolicySet {
    let text = documents.join("---\n");
    let file = SourceText { file: "policies/all.yaml".into(), text: text.into() };
    let loaded = policy::load(Some(workspace), &[file], now);
    loaded.set.unwrap_or_else(|| stop(&format!("{:#?}", loaded.findings)))
}

#[expect(clippy::panic, reason = "policies of our own making are valid or the benchmark is wrong")]
fn stop(why: &str) -> ! {
    panic!("{why}")
}

fn document(sizes: Sizes, number: u32) -> String {
    let mut dice = Dice::new(sizes.seed, 6, number);
    let devices = device_selector(sizes, number, &mut dice);
    let head = |kind: &str, name: &str| {
        format!(
            "apiVersion: palisade/v1\nkind: {kind}\nmetadata: {{name: {name}-{number:03}}}\nspec:\n"
        )
    };
    match number % 20 {
        0..=7 => format!(
            "{}  devices: {devices}\n  isolation: {}\n  lease: 72h\n  comment: contained\n",
            head("IsolationSet", "isolate"),
            ["selective", "full"][number as usize % 2],
        ),
        8..=11 => format!(
            "{}  devices: {{all: [{devices}, {{os: windows}}]}}\n  lease: 30d\n  comment: signed code only\n",
            head("CodeExecutionRestriction", "restrict"),
        ),
        12..=15 => format!(
            "{}  devices: {devices}\n  scan: quick\n  every: 7d\n  window: 24h\n  comment: scan\n",
            head("ScanSchedule", "scan"),
        ),
        16..=18 => format!(
            "{}  priority: {number}\n  alerts: {}\n  set: {{status: resolved, comment: known}}\n",
            head("AlertRule", "alerts"),
            alert_selector(number, &mut dice),
        ),
        _ => format!(
            "{}  devices: {devices}\n  reason: agreed\n  approver: boss@contoso.example\n  expires: 2027-06-01T00:00:00Z\n",
            head("Exemption", "exempt"),
        ),
    }
}

/// One of twenty shapes; together they have every term.
fn device_selector(sizes: Sizes, number: u32, dice: &mut Dice) -> String {
    let tag = format!("tag-{:04}", dice.below(TAGS));
    let term = match number / 20 * 7 + number % 20 {
        n if n % 20 == 0 => String::new(),
        n if n % 20 == 1 => format!("name: \"ws-{:04}*1\", ", dice.below(900)),
        n if n % 20 == 2 => format!("group: [{}, {}], ", group(dice.below(GROUPS)), group(3)),
        n if n % 20 == 3 => "site: [acme/emea, acme/apac], ".to_owned(),
        n if n % 20 == 4 => "os: [windows, windowsServer, linux], ".to_owned(),
        n if n % 20 == 5 => "version: \"2?H2\", ".to_owned(),
        n if n % 20 == 6 => format!("ip: 10.{}.0.0/16, ", dice.below(64)),
        n if n % 20 == 7 => "health: active, ".to_owned(),
        n if n % 20 == 8 => "risk: \">=medium\", ".to_owned(),
        n if n % 20 == 9 => "exposure: \"<=medium\", ".to_owned(),
        n if n % 20 == 10 => "value: \">=normal\", ".to_owned(),
        n if n % 20 == 11 => "onboarding: onboarded, ".to_owned(),
        n if n % 20 == 12 => "joined: true, ".to_owned(),
        n if n % 20 == 13 => "managedBy: Intune, ".to_owned(),
        n if n % 20 == 14 => "avStatus: [updated, notUpdated], ".to_owned(),
        n if n % 20 == 15 => "seen: \"<7d\", ".to_owned(),
        n if n % 20 == 16 => {
            return format!(
                "{{alert: {{severity: high, title: \"*Mimikatz*\"}}, tag: \"tag-{:02}*\"}}",
                number % 20
            );
        }
        n if n % 20 == 17 => return format!("{{incident: \"{}\"}}", dice.below(900)),
        n if n % 20 == 18 => {
            let id = |dice: &mut Dice| device_id(sizes.seed, dice.below(sizes.devices.max(1)));
            return format!("{{id: [\"{}\", \"{}\"]}}", id(dice), id(dice));
        }
        _ => {
            let other = dice.below(TAGS);
            return format!(
                "{{any: [{{tag: {tag}}}, {{tag: tag-{other:04}}}], not: {{value: high}}}}"
            );
        }
    };
    format!("{{{term}tag: {tag}}}")
}

/// One of twelve shapes; together they have every term over alerts.
fn alert_selector(number: u32, dice: &mut Dice) -> String {
    let incident = dice.below(900);
    let term = match (number / 20 * 3 + number % 20) % 12 {
        0 => "severity: \"<=low\"",
        1 => "status: [new, inProgress]",
        2 => "category: Execution",
        3 => "detectionSource: antivirus",
        4 => "serviceSource: microsoftDefenderForEndpoint",
        5 => "classification: unknown",
        6 => "assignedTo: nobody",
        7 => "mitreTechnique: T1059",
        8 => "created: \"<7d\"",
        9 => "device: {os: windows, joined: true}",
        10 => "not: {severity: high}",
        _ => "id: \"da1_1\"",
    };
    format!("{{title: \"*remote*\", {term}, incident: \"{incident}\"}}")
}
