//! `IsolationSet` and `CodeExecutionRestriction`: leases above all.

use crate::diag::{Code, words};
use crate::model::{IsolationMode, Span};
use crate::policy::checks::platform::{self, Wish};
use crate::policy::checks::{Cx, comment, device, leaf, rollout};
use crate::policy::rollout::Rollout;
use crate::policy::set::{
    Containment, Header, IsolationPolicy, Lease, Mode, OnExpiry, OnManualRelease, RestrictionPolicy,
};
use crate::policy::yaml::{Entry, Node};

/// Longest lease, whatever the workspace allows.
const LEASE_MAX: Span = Span::from_days(365);

pub(super) fn isolation(cx: &mut Cx<'_>, entry: &Entry, header: Header) -> Option<IsolationPolicy> {
    let spec = &entry.value;
    let isolation = match spec.get("isolation") {
        Some(node) => leaf::word::<IsolationMode>(cx, node),
        None => Some(IsolationMode::Full),
    };
    let wish = match isolation {
        Some(IsolationMode::Selective) => Wish::SelectiveIsolation,
        _ => Wish::Isolation,
    };
    let containment = containment(cx, entry, &header, wish)?;
    Some(IsolationPolicy { header, containment, isolation: isolation? })
}

pub(super) fn restriction(
    cx: &mut Cx<'_>,
    entry: &Entry,
    header: Header,
) -> Option<RestrictionPolicy> {
    let containment = containment(cx, entry, &header, Wish::Restriction)?;
    Some(RestrictionPolicy { header, containment })
}

fn containment(cx: &mut Cx<'_>, entry: &Entry, header: &Header, wish: Wish) -> Option<Containment> {
    let spec = &entry.value;
    let devices = spec.entry("devices");
    let expr = devices.and_then(|devices| device::expr(cx, devices));
    if let (Some(expr), Some(devices)) = (&expr, devices) {
        platform::check(cx, expr, wish, &devices.key_place);
    }
    let lease = lease(cx, entry);
    let rollout = rollout(cx, entry, lease);
    let comment = comment::comment(cx, spec, header);
    Some(Containment {
        mode: mode(spec)?,
        devices: expr?,
        lease: lease?,
        on_expiry: on_expiry(spec)?,
        renewal: number(spec, "renewal", 1)?,
        adopt: flag(spec, "adopt", false)?,
        on_manual_release: on_manual_release(spec)?,
        queue_offline: flag(spec, "queueOffline", true)?,
        rollout: rollout?,
        comment,
    })
}

/// The rollout of a policy, its own or the workspace's.
#[expect(clippy::option_option, reason = "absent and wrong are different answers")]
fn rollout(cx: &mut Cx<'_>, entry: &Entry, lease: Option<Lease>) -> Option<Option<Rollout>> {
    let written = rollout::optional(cx, &entry.value)?;
    let default = || cx.workspace.and_then(|workspace| workspace.defaults.rollout.clone());
    let Some(rollout) = written.or_else(default) else { return Some(None) };
    if let Some(lease) = lease {
        rollout::fits_lease(cx, entry, &rollout, lease)?;
    }
    Some(Some(rollout))
}

/// The lease of a policy, its own or the workspace's.
fn lease(cx: &mut Cx<'_>, entry: &Entry) -> Option<Lease> {
    let spec = &entry.value;
    match (spec.entry("lease"), spec.entry("until")) {
        (Some(lease), Some(until)) => {
            lease_for(cx, &lease.value);
            until_at(cx, &until.value);
            let message = "`until` stands beside `lease`";
            cx.report(Code::LeaseAndUntil, &until.key_place, message)
        }
        (Some(lease), None) => lease_for(cx, &lease.value),
        (None, Some(until)) => until_at(cx, &until.value),
        (None, None) => default_lease(cx, entry),
    }
}

fn default_lease(cx: &mut Cx<'_>, entry: &Entry) -> Option<Lease> {
    let workspace = cx.workspace;
    if let Some(span) = workspace.and_then(|workspace| workspace.defaults.lease) {
        return Some(Lease::For(span));
    }
    // Every restrictive posture ends. Where the workspace does not ask for a lease, the longest holds.
    if workspace.is_some_and(|workspace| !workspace.guardrails.require_lease) {
        return Some(Lease::For(longest(cx)));
    }
    cx.report(Code::MissingLease, &entry.key_place, "neither `lease` nor `until` is given")
}

fn lease_for(cx: &mut Cx<'_>, node: &Node) -> Option<Lease> {
    let span = leaf::duration(cx, node)?;
    let longest = longest(cx);
    if span > longest {
        let message = format!("a lease of {span} is longer than {longest}");
        return too_long(cx, node, message);
    }
    Some(Lease::For(span))
}

fn until_at(cx: &mut Cx<'_>, node: &Node) -> Option<Lease> {
    let at = leaf::timestamp(cx, node)?;
    if at <= cx.now {
        return cx.report(Code::UntilPast, &node.place, format!("{at} has passed"));
    }
    let longest = longest(cx);
    if at > longest.after(cx.now) {
        let message = format!("{at} is more than {longest} away");
        return too_long(cx, node, message);
    }
    Some(Lease::Until(at))
}

fn longest(cx: &Cx<'_>) -> Span {
    cx.workspace.map_or(LEASE_MAX, |workspace| workspace.guardrails.max_lease.min(LEASE_MAX))
}

fn too_long<T>(cx: &mut Cx<'_>, node: &Node, message: String) -> Option<T> {
    let longest = longest(cx);
    if longest < LEASE_MAX {
        let help = format!("`guardrails.maxLease` of the workspace is {longest}");
        return cx.advise(Code::LeaseTooLong, &node.place, message, help);
    }
    cx.report(Code::LeaseTooLong, &node.place, message)
}

/// `mode`; nothing when it is written and is none.
pub(super) fn mode(spec: &Node) -> Option<Mode> {
    match spec.get("mode") {
        None => Some(Mode::Enforce),
        Some(node) => match node.text()? {
            "enforce" => Some(Mode::Enforce),
            "audit" => Some(Mode::Audit),
            _ => None,
        },
    }
}

fn on_expiry(spec: &Node) -> Option<OnExpiry> {
    match spec.get("onExpiry") {
        None => Some(OnExpiry::Release),
        Some(node) => match node.text()? {
            "release" => Some(OnExpiry::Release),
            "hold" => Some(OnExpiry::Hold),
            _ => None,
        },
    }
}

fn on_manual_release(spec: &Node) -> Option<OnManualRelease> {
    match spec.get("onManualRelease") {
        None => Some(OnManualRelease::Respect),
        Some(node) => match node.text()? {
            "reassert" => Some(OnManualRelease::Reassert),
            "respect" => Some(OnManualRelease::Respect),
            "ask" => Some(OnManualRelease::Ask),
            _ => None,
        },
    }
}

/// A truth value or its default.
pub(super) fn flag(spec: &Node, key: &str, default: bool) -> Option<bool> {
    spec.get(key).map_or(Some(default), Node::bool)
}

/// A whole number or its default; limits are the schema's.
pub(super) fn number(spec: &Node, key: &str, default: u32) -> Option<u32> {
    match spec.get(key) {
        None => Some(default),
        Some(node) => u32::try_from(node.integer()?).ok(),
    }
}

/// A duration or nothing; the outer option is nothing when what is written is wrong.
pub(super) fn optional_duration(cx: &mut Cx<'_>, spec: &Node, key: &str) -> Option<Option<Span>> {
    match spec.get(key) {
        None => Some(None),
        Some(node) => leaf::duration(cx, node).map(Some),
    }
}

/// Words for a policy in a message.
pub(super) fn called(header: &Header) -> String {
    format!("{} {}", header.kind.word(), words::quote(header.name.as_str()))
}
