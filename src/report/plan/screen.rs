//! The plan on screen: the first page must suffice to approve or refuse.
//!
//! Called by `cli` for `plan`, `show`, `apply` and `demo`. Text only; numbers come from `view`.

use std::collections::BTreeSet;

use crate::model::Verb;
use crate::plan::types::{Disposition, Level, Objection, Plan, Risk, Rollout, TenantSection};
use crate::report::page::{Page, Piece, Role, join, piece, plain};
use crate::report::plan::detail;
use crate::report::plan::items::{self, mark};
use crate::report::plan::standing::{self, List};
use crate::report::plan::view::{self, ListRow, Section, VerbRow};
use crate::report::{Style, escape, measure, reason, rollout};

/// Column at which the notes of the table start.
const NOTES: usize = 24;

/// The whole screen: summary first, then details, then one line that says what to make of it.
#[must_use]
pub fn text(plan: &Plan, style: Style) -> String {
    let mut page = Page::new(style);
    let items = items::all(plan);
    let sections = view::sections(plan, &items);
    title(&mut page, plan);
    let many = sections.len() != 1;
    for section in &sections {
        if many {
            page.gap();
            tenant_line(&mut page, plan, section.tenant);
        }
        let leases = standing::lists(plan, &section.tenant.name);
        summary(&mut page, plan, section, &leases);
        section.blocks.iter().for_each(|block| detail::block(&mut page, plan, block));
        leases.iter().for_each(|list| list.blocks(&mut page, plan));
        if many {
            page.gap();
            let text =
                format!("{}: {}", escape::name(&section.tenant.name, 40), section_verdict(section));
            page.line(2, &[piece(Role::Strong, text)]);
        }
    }
    page.gap();
    sum(&mut page, plan);
    page.line(2, &[piece(Role::Strong, verdict(plan))]);
    page.finish()
}

/// The header: which plan, of what, how fresh, how long it holds.
pub(super) fn title(page: &mut Page, plan: &Plan) {
    let hash: String = plan.plan_hash.chars().take(6).collect();
    let mut groups = vec![vec![piece(
        Role::Strong,
        measure::unbroken(&format!("Plan {}", escape::terminal(&hash))),
    )]];
    match plan.tenants.as_slice() {
        [tenant] => groups.extend(tenant_facts(plan, tenant)),
        many => groups.push(vec![plain(measure::plural(many.len() as u64, "tenant", "tenants"))]),
    }
    let until = measure::time_near(plan.valid_until, plan.created_at);
    groups.push(vec![plain(measure::unbroken(&format!("valid until {until}")))]);
    if let Some(run) = &plan.undoes {
        let run = measure::unbroken(&format!("undoes run {}", escape::name(run, 40)));
        groups.push(vec![piece(Role::Warn, run)]);
    }
    if plan.study {
        groups.push(vec![piece(
            Role::Warn,
            "study only: made with `--now`, applied to loopback tenants only",
        )]);
    }
    page.line(2, &join(groups));
}

fn tenant_line(page: &mut Page, plan: &Plan, tenant: &TenantSection) {
    page.line(2, &join(tenant_facts(plan, tenant)));
}

fn tenant_facts(plan: &Plan, tenant: &TenantSection) -> Vec<Vec<Piece>> {
    let name = measure::unbroken(&format!("tenant {}", escape::name(&tenant.name, 40)));
    let devices = measure::plural(tenant.devices.into(), "device", "devices");
    let read = measure::unbroken(&format!("read {}", measure::instant(tenant.observed_at)));
    let mut facts = vec![vec![piece(Role::Name, name)]];
    if tenant.complete {
        facts.push(vec![plain(format!("{devices}, complete, {read}"))]);
    } else {
        facts.push(vec![plain(format!("{devices}, {read}"))]);
        let missing: Vec<String> =
            tenant.missing.iter().map(|what| escape::name(what, 120)).collect();
        facts.push(vec![
            piece(Role::Danger, "INCOMPLETE"),
            plain(format!(": {}", missing.join("; "))),
        ]);
    }
    let age = tenant.observed_at.duration_since(plan.created_at).abs().as_secs();
    if age > 600 {
        let age = measure::length(u64::try_from(age).unwrap_or(0));
        facts.push(vec![piece(Role::Warn, format!("read {age} away from the plan's time"))]);
    }
    facts
}

fn summary(page: &mut Page, plan: &Plan, section: &Section<'_>, leases: &[List<'_>]) {
    page.gap();
    if let Some((level, facts)) = &section.risk {
        let (role, word) = match level {
            Risk::High => (Role::Danger, "high"),
            Risk::Medium => (Role::Warn, "medium"),
            Risk::Low => (Role::Good, "low"),
        };
        let head = measure::unbroken(&format!("RISK {word}"));
        page.line(12, &[piece(role, head), plain("   "), plain(facts.join(" · "))]);
    }
    section.verbs.iter().for_each(|row| verb_row(page, row));
    section.lists.iter().for_each(|row| list_row(page, row));
    for list in leases {
        let mut line = row_head(list.sign, list.word, list.count(), Role::Strong);
        line.extend(join(list.notes(plan).into_iter().map(|note| vec![plain(note)]).collect()));
        page.line(NOTES, &line);
    }
    section.notices.iter().for_each(|notice| {
        let (role, word) = notice_mark(notice);
        let mut line = vec![piece(role, word), plain("   ")];
        line.extend(said(notice));
        page.line(7, &line);
    });
    calls(page, section);
}

fn row_head(sign: char, word: &str, count: u32, role: Role) -> Vec<Piece> {
    vec![
        plain("  "),
        piece(role, format!("{sign} {word}")),
        plain(" ".repeat(11usize.saturating_sub(word.len()))),
        plain(format!("{:>7}", measure::number(count.into()))),
        plain("   "),
    ]
}

fn verb_row(page: &mut Page, row: &VerbRow<'_>) {
    let mut line = row_head(row.verb.sign(), row.verb.word(), row.count, verb_role(row.verb));
    let mut groups: Vec<Vec<Piece>> =
        row.notes.iter().map(|note| vec![plain(note.clone())]).collect();
    for objection in &row.held {
        let (role, word) = notice_mark(objection);
        let count = measure::number(objection.about.max(objection.held).into());
        let mut group = vec![piece(role, measure::unbroken(&format!("{word} {count}")))];
        group.push(plain(": "));
        group.extend(said(objection));
        groups.push(group);
    }
    line.extend(join(groups));
    page.line(NOTES, &line);
}

/// The word before an objection and how it is painted.
pub(super) const fn notice_mark(objection: &Objection) -> (Role, &'static str) {
    match (objection.level, &objection.lifted) {
        (Level::Warn, _) => (Role::Warn, "NOTE"),
        (Level::Hold, None) => (Role::Danger, "HELD"),
        (Level::Hold, Some(_)) => (Role::Warn, "LIFTED"),
    }
}

/// What an objection says, the setting that would change it, and who lifted it and why.
fn said(objection: &Objection) -> Vec<Piece> {
    let setting = match objection.setting.as_str() {
        "" => String::new(),
        name => format!(" ({})", escape::name(name, 80)),
    };
    let mut pieces = vec![plain(reason::objection(objection)), plain(setting)];
    if let Some(why) = &objection.lifted {
        pieces.push(piece(Role::Warn, format!(" {}", reason::because(why))));
    }
    pieces
}

fn list_row(page: &mut Page, row: &ListRow) {
    let (sign, word) = mark(row.disposition);
    let mut line = row_head(sign, word, row.count, list_role(row.disposition));
    let groups = row
        .reasons
        .iter()
        .map(|(text, count)| {
            let number = measure::number((*count).into());
            vec![plain(format!("{number}\u{a0}{text}"))]
        })
        .collect();
    line.extend(join(groups));
    page.line(NOTES, &line);
}

/// How a verb is painted.
pub(super) const fn verb_role(verb: Verb) -> Role {
    match verb {
        Verb::Offboard | Verb::Isolate | Verb::Restrict | Verb::Quarantine => Role::Danger,
        Verb::Release | Verb::Unrestrict => Role::Good,
        Verb::Cancel | Verb::Classify => Role::Warn,
        Verb::Collect | Verb::Scan | Verb::Tag | Verb::Untag => Role::Strong,
    }
}

/// How a disposition is painted.
pub(super) const fn list_role(disposition: Disposition) -> Role {
    match disposition {
        Disposition::Held | Disposition::Unknown | Disposition::Cannot => Role::Warn,
        Disposition::Do => Role::Strong,
        Disposition::Foreign
        | Disposition::Changing
        | Disposition::Audit
        | Disposition::Unchanged => Role::Dim,
    }
}

fn calls(page: &mut Page, section: &Section<'_>) {
    let tenant = section.tenant;
    if section.changes == 0 {
        return;
    }
    let calls = measure::number(tenant.calls.into());
    let pace = match tenant.at_least_seconds {
        0 => "no wait for the rate windows".to_owned(),
        seconds => format!("at least {} at 1,500 an hour", measure::length(seconds)),
    };
    let mut groups = vec![vec![plain(format!("Calls: {calls}, {pace}"))]];
    if tenant.offline > 0 {
        let targets = measure::plural(tenant.offline.into(), "target", "targets");
        groups.push(vec![plain(format!("{targets} offline (would queue)"))]);
    }
    page.line(2, &join(groups));
    section.rollouts.iter().for_each(|it| rollout_line(page, it));
}

/// One rollout: its waves with their sizes, and what stops it.
pub(in crate::report) fn rollout_line(page: &mut Page, it: &Rollout) {
    let words = rollout::words(it);
    let groups = words.iter().map(|word| vec![plain(measure::unbroken(word))]).collect();
    let mut line = vec![piece(Role::Name, rollout::head(it)), plain(": ")];
    line.extend(join(groups));
    page.line(2, &line);
}

/// The line that adds up: every target and facet in scope, by disposition.
fn sum(page: &mut Page, plan: &Plan) {
    let count = |kind| plan.summary.dispositions.get(&kind).copied().unwrap_or(0);
    let parts: Vec<String> = [
        Disposition::Do,
        Disposition::Held,
        Disposition::Cannot,
        Disposition::Unknown,
        Disposition::Foreign,
        Disposition::Changing,
        Disposition::Audit,
        Disposition::Unchanged,
    ]
    .into_iter()
    .map(|kind| {
        measure::unbroken(&format!("{} {}", measure::number(count(kind).into()), mark(kind).1))
    })
    .collect();
    let total = measure::number(plan.summary.total.into());
    page.line(2, &[plain(format!("In scope: {total} = {}", parts.join(" + ")))]);
}

/// One line: what to make of the plan.
#[must_use]
pub fn verdict(plan: &Plan) -> String {
    let count = |kind| plan.summary.dispositions.get(&kind).copied().unwrap_or(0);
    let incomplete = plan.tenants.iter().any(|tenant| !tenant.complete);
    sentence(
        u32::try_from(plan.changes.len()).unwrap_or(u32::MAX),
        count(Disposition::Held),
        count(Disposition::Unknown),
        &lifted(plan.objections.iter()),
        incomplete,
    )
}

fn section_verdict(section: &Section<'_>) -> String {
    let count =
        |kind| section.lists.iter().find(|row| row.disposition == kind).map_or(0, |row| row.count);
    sentence(
        section.changes,
        count(Disposition::Held),
        count(Disposition::Unknown),
        &lifted(section.objections.iter().copied()),
        !section.tenant.complete,
    )
}

/// Codes of the objections that somebody lifted.
fn lifted<'a>(objections: impl Iterator<Item = &'a Objection>) -> BTreeSet<&'a str> {
    let lifted = objections.filter(|objection| objection.lifted.is_some());
    lifted.map(|objection| objection.code.as_str()).collect()
}

fn sentence(
    changes: u32,
    held: u32,
    unknown: u32,
    lifted: &BTreeSet<&str>,
    incomplete: bool,
) -> String {
    let mut text = match changes {
        0 if held == 0 && unknown == 0 => "Nothing to do".to_owned(),
        0 => "Nothing to do now".to_owned(),
        count => format!("{} to make", measure::plural(count.into(), "change", "changes")),
    };
    let mut parts: Vec<String> = [(held, "held"), (unknown, "unknown")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| format!("{} {word}", measure::number(count.into())))
        .collect();
    if !lifted.is_empty() {
        let codes: Vec<String> = lifted.iter().map(|code| escape::terminal(code)).collect();
        parts.push(format!("{} lifted", codes.join(", ")));
    }
    if !parts.is_empty() {
        text.push_str(&format!("; {}", parts.join(", ")));
    }
    text.push('.');
    if incomplete {
        text.push_str(" The observation is incomplete.");
    }
    text.replace(measure::NO_BREAK, " ")
}
