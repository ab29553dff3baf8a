//! The blocks under the summary, and every field of one device.
//!
//! Called by `screen` and `show`. Untrusted names pass through `escape` here.

use crate::model::DeviceValue;
use crate::plan::types::{Change, Disposition, Plan, Rollout, TargetKind, Why};
use crate::report::page::{Page, Piece, Role, join, piece, plain};
use crate::report::plan::blocks::{Block, Names};
use crate::report::plan::items::{Item, mark};
use crate::report::plan::screen::{list_role, rollout_line, verb_role};
use crate::report::plan::view;
use crate::report::{escape, measure, reason, rollout};

/// So many combinations of terms are written out.
const TERM_SETS: usize = 4;

/// One block: what, how long, which policies; because; names by group.
pub(super) fn block(page: &mut Page, plan: &Plan, block: &Block<'_>) {
    page.gap();
    heading(page, plan, block);
    because(page, block);
    let wide = block.groups.iter().map(|names| head_width(names)).max().unwrap_or(0).min(40);
    block.groups.iter().for_each(|names| name_line(page, names, wide));
}

fn heading(page: &mut Page, plan: &Plan, block: &Block<'_>) {
    let number = measure::number(block.count.into());
    let head = match (block.disposition, block.verb) {
        (Disposition::Do, Some(verb)) => {
            piece(verb_role(verb), measure::unbroken(&format!("{} {verb} {number}", verb.sign())))
        }
        (kind, _) => {
            let (sign, word) = mark(kind);
            piece(list_role(kind), measure::unbroken(&format!("{sign} {word} {number}")))
        }
    };
    let mut groups = vec![vec![head]];
    if block.disposition != Disposition::Do {
        let what = block
            .verb
            .map_or_else(|| reason::facet(block.facet).to_owned(), |verb| verb.to_string());
        groups.push(vec![plain(what)]);
    }
    if plan.tenants.len() > 1 {
        groups.push(vec![plain(format!("tenant {}", escape::name(block.tenant, 40)))]);
    }
    if !block.what.is_empty() {
        groups.push(vec![plain(escape::name(&block.what, 120))]);
    }
    if let Some(end) = block.lease_end {
        let length = measure::between(plan.created_at, end);
        groups.push(vec![plain(format!("{length}, ends {}", measure::instant(end)))]);
    }
    if let Some(reason) = &block.reason {
        groups.push(vec![piece(Role::Warn, reason.clone())]);
    }
    if let Some(it) = rollout_of(plan, block.tenant, block.rollout) {
        groups.push(vec![plain(rollout::short(it))]);
    }
    groups.extend(block.policies.iter().map(|why| policy(why)));
    page.line(4, &join(groups));
}

fn rollout_of<'a>(plan: &'a Plan, tenant: &str, policy: Option<&str>) -> Option<&'a Rollout> {
    let policy = policy?;
    plan.rollouts.iter().find(|it| it.tenant == tenant && it.policy == policy)
}

/// The rollouts that the shown changes go by, wave by wave.
pub(super) fn rollouts(page: &mut Page, plan: &Plan, items: &[Item<'_>]) {
    let named = |it: &&Rollout| {
        items.iter().any(|item| match item {
            Item::Change(change) => {
                change.tenant == it.tenant && change.rollout.as_deref() == Some(&it.policy)
            }
            Item::Entry(..) => false,
        })
    };
    for it in plan.rollouts.iter().filter(named) {
        page.gap();
        rollout_line(page, it);
        rollout::waves(it).iter().for_each(|wave| page.line(6, &[plain(format!("    {wave}"))]));
    }
}

fn policy(why: &Why) -> Vec<Piece> {
    // A policy that is gone, or that nobody asked, has a name from the marker and no place.
    let place = match why.file.as_str() {
        "" => "policy".to_owned(),
        file => format!("{}:{}", escape::name(file, 80), why.line),
    };
    vec![piece(Role::Dim, place), plain(" "), piece(Role::Name, escape::name(&why.name, 60))]
}

fn because(page: &mut Page, block: &Block<'_>) {
    match block.terms.as_slice() {
        [] => {}
        [(terms, _)] => page.line(8, &[piece(Role::Dim, "    because "), plain(terms.clone())]),
        many => {
            let mut groups: Vec<Vec<Piece>> = many
                .iter()
                .take(TERM_SETS)
                .map(|(terms, count)| {
                    vec![plain(format!("{terms} ({})", measure::number((*count).into())))]
                })
                .collect();
            if many.len() > TERM_SETS {
                let rest = measure::count(many.len() - TERM_SETS);
                groups.push(vec![plain(format!("… {rest} more combinations"))]);
            }
            let mut line = vec![piece(Role::Dim, "    because ")];
            line.extend(join(groups));
            page.line(8, &line);
        }
    }
}

fn head(names: &Names<'_>) -> String {
    let number = measure::number(names.count.into());
    let group = names.group.map_or_else(|| "alerts".to_owned(), view::group_name);
    measure::unbroken(&format!("{group} {number}"))
}

fn head_width(names: &Names<'_>) -> usize {
    unicode_width::UnicodeWidthStr::width(head(names).as_str())
}

fn name_line(page: &mut Page, names: &Names<'_>, wide: usize) {
    let head = head(names);
    // On a narrow page the names go under their group.
    let wide = if wide * 2 > page.width() { 0 } else { wide };
    let pad = wide.saturating_sub(head_width(names));
    let mut line = vec![plain("    "), plain(head), plain(" ".repeat(pad + 3))];
    let last = names.shown.len().saturating_sub(1);
    for (at, item) in names.shown.iter().enumerate() {
        line.extend(name(item));
        line.push(plain(if at < last { ", " } else { "" }));
    }
    if names.more > 0 {
        line.push(piece(Role::Dim, format!(" … {} more", measure::number(names.more.into()))));
    }
    page.line(4 + if wide == 0 { 4 } else { wide + 3 }, &line);
}

/// A device's name, or an alert's title with its id, and what is special about it.
fn name(item: &Item<'_>) -> Vec<Piece> {
    let target = item.target();
    let shown = escape::name(
        if target.name.is_empty() { &target.id } else { &target.name },
        escape::NAME_COLUMNS,
    );
    let mut pieces = match target.kind {
        TargetKind::Device => vec![plain(measure::unbroken(&shown))],
        TargetKind::Alert | TargetKind::Incident => vec![
            plain(format!("“{shown}”")),
            piece(Role::Dim, format!(" {}", escape::name(&target.id, 40))),
        ],
    };
    if target.value == Some(DeviceValue::High) {
        pieces.push(piece(Role::Danger, measure::unbroken(" (value high)")));
    }
    pieces
}

/// Everything the plan says about one target and facet.
pub(super) fn one(page: &mut Page, plan: &Plan, item: &Item<'_>) {
    page.gap();
    let target = item.target();
    let kind = match target.kind {
        TargetKind::Device => "device",
        TargetKind::Alert => "alert",
        TargetKind::Incident => "incident",
    };
    let title = format!("{kind} {}", escape::name(&target.name, 80));
    page.line(
        2,
        &[piece(Role::Strong, title), plain(format!(" · {}", reason::facet(item.facet())))],
    );
    let mut field = |label: &str, text: String| {
        if !text.is_empty() {
            page.line(18, &[piece(Role::Dim, format!("    {label:<14}")), plain(text)]);
        }
    };
    field("id", escape::name(&target.id, 120));
    field("tenant", escape::name(item.tenant(), 60));
    if target.kind == TargetKind::Device {
        field("group", view::group_name(&target.group));
    }
    field("value", target.value.map_or_else(String::new, |value| value.to_string()));
    field("disposition", mark(item.disposition()).1.to_owned());
    field("verb", item.verb().map_or_else(String::new, |verb| verb.to_string()));
    field("from", escape::name(item.from().unwrap_or_default(), 120));
    field("to", escape::name(item.to().unwrap_or_default(), 120));
    field("reason", item.reason().map_or_else(String::new, reason::sentence));
    if let Item::Change(change) = item {
        change_fields(&mut field, plan, change);
    }
    for why in item.because() {
        let terms: Vec<String> = why.terms.iter().map(|term| escape::name(term, 80)).collect();
        let place = format!("{}:{}", escape::terminal(&why.file), why.line);
        let name =
            format!("{place} {} {}", escape::terminal(&why.kind), escape::terminal(&why.name));
        field(
            "because",
            if terms.is_empty() { name } else { format!("{name}: {}", terms.join(", ")) },
        );
    }
}

fn change_fields(field: &mut impl FnMut(&str, String), plan: &Plan, change: &Change) {
    field("change", escape::terminal(change.id.as_str()));
    if let Some(end) = change.lease_end {
        let length = measure::between(plan.created_at, end);
        field("lease", format!("{length}, ends {}", measure::instant(end)));
    }
    field("risk", format!("{:?}", change.risk).to_lowercase());
    let wave = match rollout_of(plan, &change.tenant, change.rollout.as_deref()) {
        Some(it) => format!("{} of {} · {}", change.wave, it.waves.len(), rollout::short(it)),
        None => "none, it waits for no other".to_owned(),
    };
    field("wave", wave);
    let expects = &change.expects;
    let evidence = expects.evidence.as_deref().unwrap_or("no action in the history");
    field(
        "expects",
        format!("{} (newest: {})", escape::name(&expects.value, 120), escape::name(evidence, 80)),
    );
    if let Some(at) = change.parameters.not_before {
        field("not before", measure::instant(at));
    }
    field("comment", escape::name(change.parameters.comment.as_deref().unwrap_or_default(), 400));
    field("cancels", escape::name(change.parameters.action_id.as_deref().unwrap_or_default(), 80));
}
