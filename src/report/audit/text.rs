//! An audit on screen: what is as intended, then what is not and why, with its evidence.
//!
//! Text only; numbers come from `Audit`. Untrusted names pass through `escape` here.

use std::collections::BTreeMap;

use crate::model::{DeviceValue, Facet};
use crate::plan::standing::{ExemptionRow, ExemptionState, LeaseRow};
use crate::report::audit::{Audit, Cause, Deviation, Evidence, PolicyAudit};
use crate::report::page::{Page, Role, join, piece, plain};
use crate::report::{Style, escape, measure, reason};

/// Devices of one kind up to so many are all written out.
const FOLD_ABOVE: usize = 12;
/// How many stand for a longer list; devices of high value never fold away.
const FOLD_TO: usize = 6;

/// The whole screen.
#[must_use]
pub fn text(audit: &Audit, style: Style) -> String {
    let mut page = Page::new(style);
    title(&mut page, audit);
    page.gap();
    audit.policies.iter().for_each(|policy| policy_line(&mut page, audit, policy));
    groups(audit).into_iter().for_each(|group| deviations(&mut page, audit, &group));
    lists(&mut page, audit);
    page.gap();
    page.line(2, &[plain(counts(audit))]);
    page.line(2, &[piece(Role::Strong, verdict(audit))]);
    page.finish()
}

/// One line that says what to make of it.
#[must_use]
pub(super) fn verdict(audit: &Audit) -> String {
    let faults = audit.faults();
    let incomplete = if audit.is_complete() { "" } else { "Incomplete observation. " };
    match faults {
        0 => format!("{incomplete}Everything that is known is as intended."),
        1 => format!("{incomplete}1 deviation."),
        many => format!("{incomplete}{} deviations.", measure::number(many.into())),
    }
}

/// The counts that add up.
pub(super) fn counts(audit: &Audit) -> String {
    let total: u32 = audit.deviating.values().sum::<u32>().saturating_add(audit.as_intended);
    let mut parts = vec![format!("{} as intended", measure::number(audit.as_intended.into()))];
    parts.extend(causes(&audit.deviating));
    format!("In scope: {} = {}", measure::number(total.into()), parts.join(" + "))
}

/// Counts by cause, each with its word.
pub(super) fn causes(counts: &BTreeMap<Cause, u32>) -> Vec<String> {
    let one = |(cause, count): (&Cause, &u32)| {
        measure::unbroken(&format!("{} {}", measure::number((*count).into()), cause.word()))
    };
    counts.iter().map(one).collect()
}

fn title(page: &mut Page, audit: &Audit) {
    let workspace = escape::name(&audit.workspace, 40);
    let head = measure::unbroken(&format!("Audit {workspace}"));
    let mut parts = vec![
        vec![piece(Role::Strong, head)],
        vec![plain(format!("at {}", measure::instant(audit.at)))],
    ];
    for tenant in &audit.tenants {
        let name = measure::unbroken(&format!("tenant {}", escape::name(&tenant.name, 40)));
        let devices = measure::plural(tenant.devices.into(), "device", "devices");
        let mut facts = vec![piece(Role::Name, name), plain(format!(" {devices}, "))];
        if tenant.complete {
            facts.push(plain("complete"));
        } else {
            let missing: Vec<String> =
                tenant.missing.iter().map(|what| escape::name(what, 120)).collect();
            facts.push(piece(Role::Danger, "INCOMPLETE"));
            facts.push(plain(format!(": {}", missing.join("; "))));
        }
        parts.push(facts);
    }
    page.line(2, &join(parts));
}

fn policy_line(page: &mut Page, audit: &Audit, policy: &PolicyAudit) {
    let row = &policy.policy;
    let well = policy.deviating.keys().all(|cause| !cause.is_fault());
    let (sign, role) = match (row.audit, well) {
        (true, _) => ("a", Role::Dim),
        (false, true) => ("+", Role::Good),
        (false, false) => ("!", Role::Warn),
    };
    let mut parts = vec![vec![
        piece(role, format!("  {sign} ")),
        piece(Role::Name, escape::name(&row.name, 60)),
        plain(format!(" {}", reason::facet(row.facet))),
    ]];
    if audit.tenants.len() > 1 {
        parts.push(vec![plain(format!("tenant {}", escape::name(&row.tenant, 40)))]);
    }
    if row.audit {
        let (would, selected) = (policy.would_do, row.selected);
        parts.push(vec![plain(format!(
            "audit only, would act on {}",
            measure::of(would, selected)
        ))]);
    } else {
        let share = measure::of(policy.as_intended, row.selected);
        parts.push(vec![plain(format!("{share} as intended"))]);
        parts.extend(causes(&policy.deviating).into_iter().map(|text| vec![plain(text)]));
    }
    let place = format!("{}:{}", escape::name(&row.file, 80), row.line);
    parts.push(vec![piece(Role::Dim, place)]);
    page.line(6, &join(parts));
}

/// Deviations that share tenant, facet, cause and short reason.
pub(super) fn groups(audit: &Audit) -> Vec<Vec<&Deviation>> {
    let mut groups: BTreeMap<(Cause, &str, Facet, String), Vec<&Deviation>> = BTreeMap::new();
    for deviation in &audit.deviations {
        let key = (deviation.cause, deviation.tenant.as_str(), deviation.facet, short(deviation));
        groups.entry(key).or_default().push(deviation);
    }
    groups.into_values().collect()
}

pub(super) fn short(deviation: &Deviation) -> String {
    deviation.reason.as_ref().map(reason::short).unwrap_or_default()
}

fn deviations(page: &mut Page, audit: &Audit, group: &[&Deviation]) {
    let Some(first) = group.first() else { return };
    page.gap();
    let head = format!("{} {}", first.cause.word(), measure::count(group.len()));
    let role = if first.cause.is_fault() { Role::Warn } else { Role::Dim };
    let mut parts =
        vec![vec![piece(role, measure::unbroken(&head))], vec![plain(reason::facet(first.facet))]];
    if audit.tenants.len() > 1 {
        parts.push(vec![plain(format!("tenant {}", escape::name(&first.tenant, 40)))]);
    }
    let short = short(first);
    if !short.is_empty() {
        parts.push(vec![plain(short)]);
    }
    page.line(4, &join(parts));
    for deviation in shown(group) {
        page.line(8, &join(device(deviation)));
    }
    let more = group.len().saturating_sub(shown(group).len());
    if more > 0 {
        let text = format!("    … {} more: `--format json` has all", measure::count(more));
        page.line(8, &[piece(Role::Dim, text)]);
    }
}

/// The deviations that are written out.
fn shown<'a>(group: &[&'a Deviation]) -> Vec<&'a Deviation> {
    let high = |deviation: &Deviation| deviation.target.value == Some(DeviceValue::High);
    let mut shown = group.to_vec();
    if group.len() > FOLD_ABOVE {
        shown.sort_by_key(|deviation| !high(deviation));
        let always = shown.iter().take_while(|deviation| high(deviation)).count();
        shown.truncate(always.max(FOLD_TO));
    }
    shown
}

fn device(deviation: &Deviation) -> Vec<Vec<crate::report::page::Piece>> {
    let target = &deviation.target;
    let name = if target.name.is_empty() { &target.id } else { &target.name };
    let name = measure::unbroken(&escape::name(name, escape::NAME_COLUMNS));
    let mut parts = vec![vec![plain("    "), piece(Role::Name, name)]];
    if target.value == Some(DeviceValue::High) {
        parts.push(vec![piece(Role::Danger, "value high")]);
    }
    parts.push(vec![plain(values(deviation))]);
    let policies: Vec<String> =
        deviation.because.iter().map(|why| escape::name(&why.name, 60)).collect();
    if !policies.is_empty() {
        parts.push(vec![plain(policies.join(", "))]);
    }
    parts.extend(evidence(&deviation.evidence).map(|text| vec![piece(Role::Dim, text)]));
    parts
}

/// `is full, intended free`.
pub(super) fn values(deviation: &Deviation) -> String {
    // The value of a scan is the time of the last one.
    let word = |value: &str| match value.parse() {
        Ok(at) => measure::instant(at),
        Err(_) => escape::name(value, 60),
    };
    let actual = deviation.actual.as_deref();
    let actual =
        actual.map_or_else(|| "not known".to_owned(), |value| format!("is {}", word(value)));
    match deviation.intended.as_deref() {
        Some(intended) if !intended.is_empty() => {
            format!("{actual}, intended {}", escape::name(intended, 60))
        }
        _ => format!("{actual}, nothing intended"),
    }
}

/// `action 2e9da… by ana since 2026-11-23 08:01Z`; nothing when nothing is known.
pub(super) fn evidence(evidence: &Evidence) -> Option<String> {
    let Evidence { action, requestor, at } = evidence;
    let action = action.as_deref().map(|id| format!("action {}", escape::name(id, 60)));
    let requestor = requestor.as_deref().map(|who| format!("by {}", escape::name(who, 60)));
    let at = at.as_deref().map(|at| match at.parse() {
        Ok(at) => format!("at {}", measure::instant(at)),
        Err(_) => format!("at {}", escape::name(at, 40)),
    });
    let parts: Vec<String> = [action, requestor, at].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(" "))
}

fn lists(page: &mut Page, audit: &Audit) {
    if !audit.ending.is_empty() {
        page.gap();
        page.line(2, &[piece(Role::Strong, "Leases that end within 24 h")]);
        audit.ending.iter().for_each(|row| page.line(8, &[plain(format!("  {}", lease(row)))]));
    }
    if !audit.leases.is_empty() {
        page.gap();
        page.line(2, &[piece(Role::Strong, "Leases that an edit moved")]);
        audit.leases.iter().for_each(|row| page.line(8, &[plain(format!("  {}", lease(row)))]));
    }
    if !audit.exemptions.is_empty() {
        page.gap();
        page.line(2, &[piece(Role::Strong, "Exemptions")]);
        for row in &audit.exemptions {
            let role = match row.state {
                ExemptionState::Holding => Role::Plain,
                ExemptionState::Ending | ExemptionState::Ended => Role::Warn,
            };
            page.line(8, &[piece(role, format!("  {}", exemption(audit, row)))]);
        }
    }
}

/// One lease in words.
pub(super) fn lease(row: &LeaseRow) -> String {
    let then = row.then.word();
    let name = if row.target.name.is_empty() { &row.target.id } else { &row.target.name };
    let policies: Vec<String> = row.because.iter().map(|why| escape::name(&why.name, 60)).collect();
    let mut parts = vec![
        escape::name(name, escape::NAME_COLUMNS),
        format!("{} {}", reason::facet(row.facet), escape::name(&row.value, 40)),
        format!("ends {}, then {then}", measure::instant(row.ends)),
        policies.join(", "),
    ];
    if let Some(moved) = &row.reason {
        parts.push(reason::short(moved));
        parts.extend(row.written.map(|at| format!("written {}", measure::instant(at))));
    }
    parts.join(" · ")
}

/// One exemption in words.
pub(super) fn exemption(audit: &Audit, row: &ExemptionRow) -> String {
    let ends = match row.state {
        ExemptionState::Ended => "ended",
        ExemptionState::Holding | ExemptionState::Ending => "ends",
    };
    let mut parts = vec![
        format!("exemption {}", escape::name(&row.name, 60)),
        measure::plural(row.devices.into(), "device", "devices"),
        format!("{ends} {}", measure::instant(row.expires)),
    ];
    if audit.tenants.len() > 1 {
        parts.push(format!("tenant {}", escape::name(&row.tenant, 40)));
    }
    if row.state == ExemptionState::Ending {
        parts.push(format!("in {}", measure::between(audit.at, row.expires)));
    }
    if row.accepted > 0 {
        parts.push(format!("{} as accepted", measure::number(row.accepted.into())));
    }
    parts.push(format!(
        "{} (approved by {})",
        escape::name(&row.reason, 120),
        escape::name(&row.approver, 60)
    ));
    parts.join(" · ")
}
