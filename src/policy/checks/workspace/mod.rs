//! `palisade.yaml`: tenants and sites first, then what refers to them.

mod caps;
mod cloud;
pub(in crate::policy::checks) mod guardrails;
mod held;
mod tenant;

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::diag::{Code, words};
use crate::model::{Span, WorkspaceId, marker};
use crate::policy::checks::terms::list;
use crate::policy::checks::{Cx, header, leaf, rollout};
use crate::policy::workspace::{Defaults, Observe, Site, Tenant, Workspace};
use crate::policy::yaml::{Entry, Node};

/// Reads the workspace; nothing when a part without which there is none is wrong.
pub(crate) fn workspace(cx: &mut Cx<'_>, root: &Node, folder: &Path) -> Option<Workspace> {
    header::api_version(cx, root);
    tenant::secrets(cx, root);
    let id = root.get("id").and_then(|node| id(cx, node));
    let tenants = root.get("tenants").and_then(|node| tenant::tenants(cx, node));
    let sites = sites(cx, root.get("sites"), tenants.as_deref().unwrap_or_default());
    if let (Some(node), Some(tenants)) = (root.get("tenants"), &tenants) {
        tenant::sites_exist(cx, node, tenants, &sites);
    }
    let policies = root.get("policies").map(|node| list(cx, node, path));
    let journal = root.get("journal").map(|node| path(cx, node));
    let validity = root.get("planValidity").map(|node| leaf::duration(cx, node));
    // What follows needs a workspace to look sites up in, even when its file is not usable.
    let usable = id.is_some() && tenants.is_some();
    let id = id.unwrap_or_else(|| WorkspaceId::from("unnamed"));
    let mut workspace = Workspace::new(id, tenants.unwrap_or_default());
    workspace.root = folder.to_path_buf();
    workspace.sites = sites;
    workspace.defaults = defaults(cx, root.get("defaults"));
    workspace.observe = observe(cx, root.get("observe"));
    if let Some(entry) = root.entry("guardrails") {
        workspace.guardrails = guardrails::guardrails(cx, entry, &workspace);
    }
    lease_fits(cx, root, &workspace);
    if let Some(policies) = policies {
        workspace.policies = policies?;
    }
    if let Some(journal) = journal {
        workspace.journal = journal?;
    }
    if let Some(validity) = validity {
        workspace.plan_validity = validity?;
    }
    usable.then_some(workspace)
}

fn id(cx: &mut Cx<'_>, node: &Node) -> Option<WorkspaceId> {
    let text = header::name(cx, node)?;
    let length = text.chars().count();
    if length > marker::WORKSPACE_MAX {
        let most = marker::WORKSPACE_MAX;
        let message = format!("the id has {length} characters, at most {most} fit into a marker");
        return cx.report(Code::BadName, &node.place, message);
    }
    Some(WorkspaceId::from(text))
}

/// A path below the workspace: what leaves it could read or write anything.
fn path(cx: &mut Cx<'_>, node: &Node) -> Option<PathBuf> {
    let text = leaf::text(cx, node)?;
    let path = PathBuf::from(text.replace('\\', "/"));
    let inside =
        path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if inside {
        return Some(path);
    }
    let message = format!("{} leads out of the workspace", words::quote(&text));
    cx.report(Code::BadPath, &node.place, message)
}

fn sites(cx: &mut Cx<'_>, node: Option<&Node>, tenants: &[Tenant]) -> BTreeMap<Arc<str>, Site> {
    let mut sites = BTreeMap::new();
    for entry in node.map(Node::entries).unwrap_or_default() {
        if let Some(path) = site_path(cx, entry) {
            sites.insert(path, site(cx, &entry.value, tenants));
        }
    }
    sites
}

fn site_path(cx: &mut Cx<'_>, entry: &Entry) -> Option<Arc<str>> {
    let good = |part: &str| {
        !part.is_empty()
            && part.chars().all(|c| {
                c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.')
            })
    };
    if entry.key.split('/').all(good) {
        return Some(Arc::from(entry.key.as_str()));
    }
    let message = format!("{} is not a site path", words::quote(&entry.key));
    let help = "write lower-case names with `/` between them, such as `acme/emea/london`";
    cx.advise(Code::BadName, &entry.key_place, message, help)
}

fn site(cx: &mut Cx<'_>, node: &Node, tenants: &[Tenant]) -> Site {
    let texts = |cx: &mut Cx<'_>, key: &str| {
        node.get(key).and_then(|node| list(cx, node, leaf::text)).unwrap_or_default()
    };
    let groups = node.get("groups").and_then(|node| list(cx, node, leaf::group));
    let (groups, tags) = (groups.unwrap_or_default(), texts(cx, "tags"));
    let known = |cx: &mut Cx<'_>, node: &Node| {
        let name = leaf::text(cx, node)?;
        if tenants.is_empty() || tenants.iter().any(|tenant| tenant.name == name) {
            return Some(name);
        }
        let names = tenants.iter().map(|tenant| &*tenant.name);
        let message = format!("tenant {} is not in this workspace", words::quote(&name));
        let help = match words::near(&name, names.clone()) {
            Some(near) => format!("did you mean {}?", words::quote(near)),
            None => format!("use {}", words::any_of(names)),
        };
        cx.advise(Code::UnknownTenant, &node.place, message, help)
    };
    let tenants = node.get("tenants").and_then(|node| list(cx, node, known)).unwrap_or_default();
    Site { groups, tags, tenants }
}

fn defaults(cx: &mut Cx<'_>, node: Option<&Node>) -> Defaults {
    let get = |key: &str| node.and_then(|node| node.get(key));
    let span = |cx: &mut Cx<'_>, key: &str| get(key).and_then(|node| leaf::duration(cx, node));
    Defaults {
        lease: span(cx, "lease"),
        comment_suffix: get("commentSuffix").and_then(|node| leaf::text(cx, node)),
        scan_spread: span(cx, "scanSpread"),
        rollout: node
            .and_then(|node| node.entry("rollout"))
            .and_then(|entry| rollout::read(cx, entry)),
    }
}

fn observe(cx: &mut Cx<'_>, node: Option<&Node>) -> Observe {
    let mut observe = Observe::default();
    let get = |key: &str| node.and_then(|node| node.get(key));
    let evidence = get("isolation").filter(|node| matches!(node.text(), Some("hunting" | "both")));
    if let Some(node) = evidence {
        let message = "advanced hunting is not read: it would confirm and dispute nothing";
        let help =
            "write `isolation: history`, or leave it out: the action history shows isolation";
        cx.advise::<()>(Code::UnknownValue, &node.place, message, help);
    }
    if let Some(span) = get("alerts").and_then(|node| leaf::duration(cx, node)) {
        observe.alerts = span;
    }
    observe
}

/// The default lease must itself be one that policies may have.
fn lease_fits(cx: &mut Cx<'_>, root: &Node, workspace: &Workspace) {
    let node = root.get("defaults").and_then(|node| node.get("lease"));
    let most: Span = workspace.guardrails.max_lease;
    if let (Some(node), Some(lease)) = (node, workspace.defaults.lease)
        && lease > most
    {
        let message = format!("the default lease is {lease}, at most {most} is allowed");
        cx.report::<()>(Code::LeaseTooLong, &node.place, message);
    }
}
