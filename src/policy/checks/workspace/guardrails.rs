//! `guardrails:` of the workspace: what is written replaces a default, what is not keeps it.

use std::collections::BTreeMap;

use crate::diag::{Code, words};
use crate::model::Span;
use crate::policy::checks::workspace::{caps, held};
use crate::policy::checks::{Cx, device, leaf};
use crate::policy::limits::Remaining;
use crate::policy::selector::DeviceExpr;
use crate::policy::shape::limit::{FORMS, of_text};
use crate::policy::workspace::{DomainControllers, Guardrails, Limit, Workspace};
use crate::policy::yaml::{Content, Entry, Node};

/// Longest lease anybody may allow.
const LEASE_MAX: Span = Span::from_days(365);

pub(super) fn guardrails(cx: &mut Cx<'_>, entry: &Entry, workspace: &Workspace) -> Guardrails {
    let node = &entry.value;
    let protected = selector(cx, node, "protected", workspace);
    let mut rails = Guardrails { protected, ..Guardrails::default() };
    if let Some(node) = node.get("domainControllers") {
        rails.domain_controllers = DomainControllers {
            also: selector(cx, node, "also", workspace),
            except: selector(cx, node, "except", workspace),
        };
    }
    rails.freeze = held::freezes(cx, node.get("freeze"));
    rails.destructive = held::destructive(cx, node.get("destructive"));
    settings("guardrails", node, &mut rails.written);
    caps::read(cx, node.get("caps"), &mut rails.caps);
    if let Some(required) = node.get("requireLease").and_then(Node::bool) {
        rails.require_lease = required;
    }
    if let Some(hold) = node.get("holdOrphanedReleases").and_then(Node::bool) {
        rails.hold_orphaned_releases = hold;
    }
    if let Some(node) = node.get("maxLease")
        && let Some(span) = leaf::duration(cx, node)
    {
        if span > LEASE_MAX {
            let message = format!("{span} is longer than a lease may ever be, {LEASE_MAX}");
            cx.report::<()>(Code::LeaseTooLong, &node.place, message);
        } else {
            rails.max_lease = span;
        }
    }
    if let Some(node) = node.get("remaining") {
        rails.remaining = remaining(cx, node, rails.remaining);
    }
    for (key, setting) in [("dwell", &mut rails.dwell), ("cooldown", &mut rails.cooldown)] {
        if let Some(span) = node.get(key).and_then(|node| span_or_none(cx, node)) {
            *setting = span;
        }
    }
    if let Some(node) = node.get("shrink") {
        for (key, setting) in
            [("inventory", &mut rails.shrink.inventory), ("selection", &mut rails.shrink.selection)]
        {
            if let Some(read) = node.get(key).and_then(|node| limit(cx, node)) {
                *setting = read;
            }
        }
    }
    rails
}

/// A length of time; here `0s` is one, and takes the limit away.
fn span_or_none(cx: &mut Cx<'_>, node: &Node) -> Option<Span> {
    let none = |span: &Span| span.as_secs() == 0;
    let zero = node.text().and_then(|text| Span::parse(text).ok()).filter(none);
    zero.or_else(|| leaf::duration(cx, node))
}

fn remaining(cx: &mut Cx<'_>, node: &Node, default: Remaining) -> Remaining {
    let least = node.get("least").and_then(|node| limit(cx, node));
    let from = node.get("groupsFrom").and_then(Node::integer);
    Remaining {
        least: least.map_or(default.least, |least| least.unwrap_or(Limit::Count(0))),
        groups_from: from.and_then(|from| u32::try_from(from).ok()).unwrap_or(default.groups_from),
    }
}

/// A selector of devices. It may name sites, which are known by now.
fn selector(cx: &mut Cx<'_>, node: &Node, key: &str, workspace: &Workspace) -> Option<DeviceExpr> {
    let entry = node.entry(key)?;
    let mut inner = Cx::new(cx.file, cx.now, Some(workspace));
    let expr = device::expr(&mut inner, entry);
    cx.findings.append(&mut inner.findings);
    expr
}

/// The line of every key below `node`, by its path.
fn settings(path: &str, node: &Node, written: &mut BTreeMap<String, u32>) {
    for entry in node.entries() {
        let path = format!("{path}.{}", entry.key);
        settings(&path, &entry.value, written);
        written.insert(path, entry.key_place.line);
    }
}

/// A limit, or that there is none; nothing when it cannot be read.
pub(super) fn limit(cx: &mut Cx<'_>, node: &Node) -> Option<Option<Limit>> {
    match &node.content {
        Content::Number(_) => {
            let count = u32::try_from(node.integer()?).ok()?;
            Some(Some(Limit::Count(count)))
        }
        Content::Text(text) if text == "unlimited" => Some(None),
        Content::Text(text) => {
            let share =
                basis_points(text).map(|basis_points| Limit::Share { basis_points, at_least: 1 });
            let message = format!("{} is neither a count nor a share", words::quote(text));
            let help = || of_text(text).unwrap_or_else(|| FORMS.to_owned());
            let Some(share) = share else {
                return cx.advise(Code::BadPercentage, &node.place, message, help());
            };
            Some(Some(share))
        }
        Content::Map(_) => {
            let at_least = node.get("atLeast")?.integer()?;
            share(cx, node.get("share")?, u32::try_from(at_least).ok()?).map(Some)
        }
        Content::Null | Content::Bool(_) | Content::Seq(_) | Content::Broken => None,
    }
}

/// `5%`, `2.5%`, `0%`: at most two decimals, at most 100.
pub(in crate::policy::checks) fn share(
    cx: &mut Cx<'_>,
    node: &Node,
    at_least: u32,
) -> Option<Limit> {
    let text = node.text()?;
    if let Some(basis_points) = basis_points(text) {
        return Some(Limit::Share { basis_points, at_least });
    }
    let message = format!("{} is not a share", words::quote(text));
    cx.report(Code::BadPercentage, &node.place, message)
}

fn basis_points(text: &str) -> Option<u32> {
    let number = text.strip_suffix('%')?.trim_end();
    let (whole, part) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 || whole.len() > 3 {
        return None;
    }
    let hundredths: u32 = format!("{part:0<2}").parse().ok()?;
    let points = whole.parse::<u32>().ok()? * 100 + hundredths;
    (points <= 10_000).then_some(points)
}

#[cfg(test)]
mod tests {
    use super::basis_points;

    #[test]
    fn shares_are_exact() {
        for (text, points) in [
            ("5%", Some(500)),
            ("2.5%", Some(250)),
            ("2.05%", Some(205)),
            ("0%", Some(0)),
            ("100%", Some(10_000)),
            ("100.01%", None),
            ("5", None),
            ("-5%", None),
            ("1e2%", None),
            (".5%", None),
            ("0.001%", None),
        ] {
            assert_eq!(basis_points(text), points, "{text}");
        }
    }
}
