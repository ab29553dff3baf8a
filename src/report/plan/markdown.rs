//! A plan for a pull request's comment or a job's summary.
//!
//! A hidden marker says which plan it is, so that a bot finds its own comment again; one line of
//! verdict and the table follow; what takes something from somebody stands outside the fold; the
//! whole screen is folded. Never longer than 60,000 bytes: GitHub refuses 65,536 characters.

use crate::plan::types::{Disposition, Objection, Plan};
use crate::report::plan::blocks::Block;
use crate::report::plan::items::{self, mark};
use crate::report::plan::standing::{self, List};
use crate::report::plan::view::{self, Section};
use crate::report::plan::{screen, verdict};
use crate::report::{Style, escape, measure, reason, rollout};

/// Most bytes of one comment.
pub(super) const LIMIT: usize = 60_000;
/// Of those, for what stands outside the fold.
const OPEN: usize = 40_000;
/// Columns of the folded screen.
const COLUMNS: usize = 110;

/// The plan as GitHub-flavoured Markdown, at most 60,000 bytes.
#[must_use]
pub fn markdown(plan: &Plan) -> String {
    let items = items::all(plan);
    let sections = view::sections(plan, &items);
    let mut out = marker(plan);
    let hash: String = plan.plan_hash.chars().take(6).collect();
    let verdict = escape::markdown(&verdict(plan));
    out.push_str(&format!("### Palisade plan {}: {verdict}\n\n", escape::code_span(&hash)));
    for section in &sections {
        out.push_str(&open_part(plan, section));
    }
    let cut = out.len() > OPEN;
    truncate(&mut out, OPEN);
    if cut {
        out.push_str("\n\n_Cut here; the plan file has everything._\n");
    }
    out.push_str(&folded(plan, LIMIT.saturating_sub(out.len())));
    out
}

/// Says in a comment which plan this is. Names are ours or hexadecimal; JSON keeps them from
/// ending the comment.
fn marker(plan: &Plan) -> String {
    let tenants: Vec<&str> = plan.tenants.iter().map(|tenant| tenant.name.as_str()).collect();
    let about = serde_json::json!({
        "tool": "palisade", "workspace": plan.workspace, "tenants": tenants,
        "planHash": plan.plan_hash, "policyDigest": plan.policy_digest,
    });
    format!("<!-- {} -->\n", about.to_string().replace("--", "\\u002d\\u002d"))
}

fn open_part(plan: &Plan, section: &Section<'_>) -> String {
    let tenant = section.tenant;
    let mut out = format!(
        "**{}** · {} · {} · read {}\n\n",
        escape::markdown(&tenant.name),
        measure::plural(tenant.devices.into(), "device", "devices"),
        if tenant.complete { "complete" } else { "**INCOMPLETE**" },
        measure::instant(tenant.observed_at)
    );
    for what in &tenant.missing {
        out.push_str(&format!("- missing: {}\n", escape::markdown(what)));
    }
    if let Some((level, facts)) = &section.risk {
        let level = format!("{level:?}").to_lowercase();
        out.push_str(&format!("**RISK {level}** {}\n\n", escape::markdown(&facts.join(" · "))));
    }
    let leases = standing::lists(plan, &tenant.name);
    out.push_str(&table(plan, section, &leases));
    for it in &section.rollouts {
        let text = format!("{}: {}", rollout::head(it), rollout::words(it).join(" · "));
        out.push_str(&format!("- {}\n", escape::markdown(&text)));
    }
    if !section.rollouts.is_empty() {
        out.push('\n');
    }
    for block in &section.blocks {
        let restrictive = block.verb.is_some_and(crate::model::Verb::is_restrictive);
        if (block.disposition == Disposition::Do && restrictive) || block.is_orphaned() {
            out.push_str(&block_part(plan, block));
        }
    }
    leases.iter().for_each(|list| out.push_str(&list.markdown(plan)));
    if !leases.is_empty() {
        out.push('\n');
    }
    out.replace(measure::NO_BREAK, " ")
}

fn table(plan: &Plan, section: &Section<'_>, leases: &[List<'_>]) -> String {
    let Section { verbs, lists, notices, .. } = section;
    if verbs.is_empty() && lists.is_empty() && notices.is_empty() && leases.is_empty() {
        return String::new();
    }
    let mut out = String::from("| | | count | |\n|---|---|---:|---|\n");
    let mut row = |sign: char, word: &str, count: u32, notes: &[String]| {
        let notes: Vec<String> = notes.iter().map(|note| escape::markdown(note)).collect();
        let count = measure::number(count.into());
        let sign = escape::code_span(&sign.to_string());
        out.push_str(&format!("| {sign} | {word} | {count} | {} |\n", notes.join(" · ")));
    };
    for verb in &section.verbs {
        let mut notes = verb.notes.clone();
        notes.extend(verb.held.iter().map(|objection| {
            let count = measure::number(objection.about.max(objection.held).into());
            format!("{} {count}: {}", screen::notice_mark(objection).1, said(objection))
        }));
        row(verb.verb.sign(), verb.verb.word(), verb.count, &notes);
    }
    for list in &section.lists {
        let notes: Vec<String> =
            list.reasons.iter().map(|(text, count)| format!("{count} {text}")).collect();
        let (sign, word) = mark(list.disposition);
        row(sign, word, list.count, &notes);
    }
    for list in leases {
        row(list.sign, list.word, list.count(), &list.notes(plan));
    }
    for notice in &section.notices {
        row('!', screen::notice_mark(notice).1, notice.about.max(notice.held), &[said(notice)]);
    }
    out.push('\n');
    out
}

fn said(objection: &Objection) -> String {
    let because = objection.lifted.as_deref().map(reason::because).unwrap_or_default();
    let text = format!("{} ({}) {because}", reason::objection(objection), objection.setting);
    text.trim_end().to_owned()
}

fn block_part(plan: &Plan, block: &Block<'_>) -> String {
    let verb = block.verb.map_or_else(String::new, |verb| verb.to_string());
    let mut out = format!("**{verb} {}** · {}", block.count, escape::markdown(&block.what));
    if let Some(reason) = block.reason.as_ref().filter(|_| block.is_orphaned()) {
        let held = if block.disposition == Disposition::Held { "**HELD** " } else { "" };
        out.push_str(&format!(" · {held}{}", escape::markdown(reason)));
    }
    if let Some(end) = block.lease_end {
        let length = measure::between(plan.created_at, end);
        out.push_str(&format!(" · {length}, ends {}", measure::instant(end)));
    }
    for why in &block.policies {
        out.push_str(&format!(" · {}", escape::code_span(&format!("{}:{}", why.file, why.line))));
        out.push_str(&format!(" {}", escape::markdown(&why.name)));
    }
    out.push('\n');
    for (terms, count) in block.terms.iter().take(4) {
        out.push_str(&format!("- because {} ({count})\n", escape::code_span(terms)));
    }
    for names in &block.groups {
        let shown: Vec<String> = names
            .shown
            .iter()
            .map(|item| {
                let high = item.target().value == Some(crate::model::DeviceValue::High);
                let name = escape::code_span(&item.target().name);
                if high { format!("{name} **(value high)**") } else { name }
            })
            .collect();
        let group = names.group.map_or_else(|| "alerts".to_owned(), view::group_name);
        let more = if names.more > 0 { format!(" … {} more", names.more) } else { String::new() };
        let group = escape::markdown(&group);
        out.push_str(&format!("- {group} {}: {}{more}\n", names.count, shown.join(", ")));
    }
    out.push('\n');
    out
}

/// The screen inside a fold, cut at a line's end to fit into `room` bytes.
fn folded(plan: &Plan, room: usize) -> String {
    let mut screen = screen::text(plan, Style::new(COLUMNS, false));
    let fence = "`".repeat(longest_run(&screen).max(2) + 1);
    let head = format!("<details><summary>The whole plan</summary>\n\n{fence}text\n");
    let notice = "… cut here; `palisade show` with the plan file has everything\n";
    let tail = format!("{fence}\n\n</details>\n");
    let room = room.saturating_sub(head.len() + tail.len() + notice.len());
    if screen.len() > room {
        truncate(&mut screen, room);
        screen.push_str(notice);
    }
    format!("{head}{screen}{tail}")
}

fn longest_run(text: &str) -> usize {
    let (mut longest, mut run) = (0, 0);
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// Keeps whole lines within `room` bytes.
fn truncate(text: &mut String, room: usize) {
    if text.len() <= room {
        return;
    }
    let mut end = room;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let end = text.get(..end).and_then(|kept| kept.rfind('\n')).map_or(0, |at| at + 1);
    text.truncate(end);
}
