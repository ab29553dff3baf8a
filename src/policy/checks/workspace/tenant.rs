//! Tenants, and the secrets that people put beside them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diag::{Code, Place, words};
use crate::policy::checks::workspace::cloud;
use crate::policy::checks::{Cx, header, leaf};
use crate::policy::workspace::{CredentialSource, Site, Tenant};
use crate::policy::yaml::{Content, Node};

/// All tenants; nothing when one of them is wrong.
pub(super) fn tenants(cx: &mut Cx<'_>, node: &Node) -> Option<Vec<Tenant>> {
    let Content::Seq(items) = &node.content else { return None };
    if items.is_empty() {
        return cx.report(Code::EmptyList, &node.place, "the list of tenants is empty");
    }
    let mut seen: BTreeMap<String, Place> = BTreeMap::new();
    let mut read = Vec::new();
    for item in items {
        unique(cx, item, "name", &mut seen);
        unique(cx, item, "tenantId", &mut seen);
        read.push(tenant(cx, item));
    }
    read.into_iter().collect()
}

/// Reports a name or id that another tenant has.
fn unique(cx: &mut Cx<'_>, item: &Node, key: &str, seen: &mut BTreeMap<String, Place>) {
    let Some(node) = item.get(key) else { return };
    let Some(text) = node.text() else { return };
    let word = format!("{key} {}", text.to_lowercase());
    if let Some(first) = seen.get(&word) {
        let message = format!("two tenants have the {key} {}", words::quote(text));
        let finding =
            crate::diag::Finding::new(Code::DuplicateTenant, cx.file, node.place.clone(), message)
                .label(cx.file, first.clone(), "the first one");
        cx.findings.push(finding);
    } else {
        seen.insert(word, node.place.clone());
    }
}

fn tenant(cx: &mut Cx<'_>, item: &Node) -> Option<Tenant> {
    let name = item.get("name").and_then(|node| header::name(cx, node)).map(Arc::from);
    let tenant_id = item.get("tenantId").and_then(|node| tenant_id(cx, node));
    let endpoints = cloud::endpoints(cx, item);
    let credential = credential(cx, item.get("credential"));
    let site = item.get("site").and_then(|node| leaf::text(cx, node));
    Some(Tenant { name: name?, tenant_id: tenant_id?, endpoints: endpoints?, credential, site })
}

/// The source of a credential. Something long is the credential itself, and is not repeated.
fn credential(cx: &mut Cx<'_>, node: Option<&Node>) -> CredentialSource {
    const LONGEST_WORD: usize = 24;
    match node.and_then(Node::text) {
        Some("federatedToken") => return CredentialSource::FederatedToken,
        Some(text) if text.len() > LONGEST_WORD => {
            if let Some(node) = node {
                let message = "`credential` holds what looks like a secret";
                cx.report::<()>(Code::SecretInFile, &node.place, message);
            }
        }
        _ => {}
    }
    CredentialSource::ClientSecret
}

fn tenant_id(cx: &mut Cx<'_>, node: &Node) -> Option<Arc<str>> {
    let text = node.text()?;
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    let digits = text.chars().all(|c| c == '-' || c.is_ascii_hexdigit());
    if digits && lengths == [8, 4, 4, 4, 12] {
        return Some(Arc::from(text.to_ascii_lowercase()));
    }
    let message = format!("{} is not a tenant id", words::quote(text));
    cx.report(Code::BadTenantId, &node.place, message)
}

/// Reports tenants that belong to a site the file does not have, once the sites are known.
pub(super) fn sites_exist(
    cx: &mut Cx<'_>,
    node: &Node,
    tenants: &[Tenant],
    sites: &BTreeMap<Arc<str>, Site>,
) {
    let Content::Seq(items) = &node.content else { return };
    for (item, tenant) in items.iter().zip(tenants) {
        let (Some(place), Some(site)) = (item.get("site").map(|node| &node.place), &tenant.site)
        else {
            continue;
        };
        let below = format!("{site}/");
        let known = sites.keys().any(|path| path == site || path.starts_with(&below));
        if !sites.is_empty() && !known {
            let message = format!("site {} is not in this workspace", words::quote(site));
            let help = match words::near(site, sites.keys().map(|path| &**path)) {
                Some(near) => format!("did you mean {}?", words::quote(near)),
                None => "add it under `sites`".to_owned(),
            };
            cx.advise::<()>(Code::UnknownSite, place, message, help);
        }
    }
}

/// Keys under which people write secrets, without case and separators.
const SECRET_KEYS: &[&str] = &[
    "secret",
    "clientsecret",
    "password",
    "passwd",
    "token",
    "accesstoken",
    "refreshtoken",
    "apikey",
    "privatekey",
    "certificate",
    "clientcertificate",
    "assertion",
    "clientassertion",
];

/// Reports every key that looks as if a secret stood there, at any depth.
pub(super) fn secrets(cx: &mut Cx<'_>, node: &Node) {
    for entry in node.entries() {
        let key: String = entry
            .key
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        if SECRET_KEYS.contains(&key.as_str()) {
            let message = format!("{} holds what looks like a secret", words::quote(&entry.key));
            // With its value: renderers show none of these lines.
            let place = entry.key_place.to(&entry.value.place);
            cx.report::<()>(Code::SecretInFile, &place, message);
        }
        secrets(cx, &entry.value);
    }
    if let Content::Seq(items) = &node.content {
        items.iter().for_each(|item| secrets(cx, item));
    }
}
