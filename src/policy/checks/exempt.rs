//! `Exemption`: a ceiling that ends.

use crate::diag::Code;
use crate::model::{Facet, Isolation, Restriction, Span};
use crate::policy::checks::terms::list;
use crate::policy::checks::{Cx, device, leaf};
use crate::policy::set::{Accepted, Exemption, Header};
use crate::policy::yaml::{Entry, Node};

/// Facets in which something is taken away from the person at the device.
const RESTRICTIVE: &[Facet] =
    &[Facet::Isolation, Facet::CodeExecution, Facet::QuarantinedFile, Facet::Onboarding];

/// How long before its end an exemption is worth a warning.
const SOON: Span = Span::from_days(14);

pub(super) fn exemption(cx: &mut Cx<'_>, entry: &Entry, header: Header) -> Option<Exemption> {
    let spec = &entry.value;
    let devices = spec.entry("devices").and_then(|devices| device::expr(cx, devices));
    let facets = match spec.get("facets") {
        None => Some(RESTRICTIVE.to_vec()),
        Some(node) => list(cx, node, facet),
    };
    let reason = spec.get("reason").and_then(|node| leaf::text(cx, node));
    let approver = spec.get("approver").and_then(|node| leaf::text(cx, node));
    let expires = spec.get("expires").and_then(|node| expires(cx, node));
    let mut facets = facets?;
    facets.sort_unstable();
    facets.dedup();
    let accepted = accepted(cx, spec.get("accepted"), &facets)?;
    let (devices, reason, approver) = (devices?, reason?, approver?);
    Some(Exemption { header, devices, facets, accepted, reason, approver, expires: expires? })
}

/// Facets of devices; the verdict of an alert is none.
fn facet(_: &mut Cx<'_>, node: &Node) -> Option<Facet> {
    let text = node.text()?;
    let known = Facet::ALL.iter().copied().filter(|facet| *facet != Facet::Classification);
    known.into_iter().find(|facet| facet.word() == text)
}

/// Accepted values, each of a facet that the exemption covers: nothing watches another one.
fn accepted(cx: &mut Cx<'_>, node: Option<&Node>, facets: &[Facet]) -> Option<Accepted> {
    let Some(node) = node else { return Some(Accepted::default()) };
    for entry in node.entries() {
        let facet = Facet::parse(&entry.key);
        if facet.is_some_and(|facet| !facets.contains(&facet)) {
            let message = format!("`{}` is not among `facets`", entry.key);
            cx.report::<()>(Code::AcceptedNotExempt, &entry.key_place, message);
        }
    }
    // Other words were refused by the schema.
    let word = |key: &str| node.get(key).and_then(Node::text);
    let isolation = match word("isolation") {
        Some(text) => Some(Isolation::ALL.iter().copied().find(|value| value.word() == text)?),
        None => None,
    };
    let code_execution = match word("codeExecution") {
        Some(text) => Some(Restriction::ALL.iter().copied().find(|value| value.word() == text)?),
        None => None,
    };
    Some(Accepted { isolation, code_execution })
}

fn expires(cx: &mut Cx<'_>, node: &Node) -> Option<jiff::Timestamp> {
    let at = leaf::timestamp(cx, node)?;
    if at <= cx.now {
        let message = format!("the exemption ended at {at} and protects nothing");
        cx.report::<()>(Code::ExemptionExpired, &node.place, message);
    } else if at <= SOON.after(cx.now) {
        let left = u64::try_from(at.duration_since(cx.now).as_secs()).unwrap_or(0);
        let message = match left / 86_400 {
            0 => format!("the exemption ends at {at}, in less than a day"),
            1 => format!("the exemption ends at {at}, in 1 day"),
            days => format!("the exemption ends at {at}, in {days} days"),
        };
        cx.report::<()>(Code::ExemptionExpiresSoon, &node.place, message);
    }
    Some(at)
}
