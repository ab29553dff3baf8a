//! Endpoints of the clouds, and what may replace them.
//!
//! Hosts and authorities: Microsoft Learn, `exposed-apis-list`, `gov`, and Graph's national cloud
//! deployments. Tokens for the Defender API carry the legacy audience whatever host is called. The
//! audience of the government clouds is not documented; the API root is used there.

use std::sync::Arc;

use url::{Host, Url};

use crate::diag::{Code, words};
use crate::policy::checks::Cx;
use crate::policy::workspace::Endpoints;
use crate::policy::yaml::Node;

const COMMERCIAL_AUDIENCE: &str = "https://api.securitycenter.microsoft.com/.default";

/// Authority, Defender API and Graph of a cloud, and the scope of Defender tokens.
fn roots(cloud: &str) -> (&'static str, &'static str, &'static str, &'static str) {
    const LOGIN: &str = "https://login.microsoftonline.com";
    const LOGIN_US: &str = "https://login.microsoftonline.us";
    const GRAPH: &str = "https://graph.microsoft.com";
    const GOV: &str = "https://api-gov.securitycenter.microsoft.us";
    const GOV_AUDIENCE: &str = "https://api-gov.securitycenter.microsoft.us/.default";
    let defender = match cloud {
        "us" => "https://us.api.security.microsoft.com",
        "eu" => "https://eu.api.security.microsoft.com",
        "uk" => "https://uk.api.security.microsoft.com",
        "au" => "https://au.api.security.microsoft.com",
        "gcc" => {
            let root = "https://api-gcc.securitycenter.microsoft.us";
            return (LOGIN, root, GRAPH, "https://api-gcc.securitycenter.microsoft.us/.default");
        }
        "gccHigh" => return (LOGIN_US, GOV, "https://graph.microsoft.us", GOV_AUDIENCE),
        "dod" => return (LOGIN_US, GOV, "https://dod-graph.microsoft.us", GOV_AUDIENCE),
        _ => "https://api.security.microsoft.com",
    };
    (LOGIN, defender, GRAPH, COMMERCIAL_AUDIENCE)
}

/// Every cloud, as `cloud` names it.
const CLOUDS: &[&str] = &["commercial", "us", "eu", "uk", "au", "gcc", "gccHigh", "dod"];

impl Endpoints {
    /// Hosts that are neither this machine nor of any cloud of Microsoft's: the author's own.
    #[must_use]
    pub fn strangers(&self) -> Vec<&str> {
        let known = |url: &&Url| {
            CLOUDS.iter().any(|cloud| {
                let (authority, defender, graph, _) = roots(cloud);
                [authority, defender, graph]
                    .iter()
                    .filter_map(|root| Url::parse(root).ok())
                    .any(|root| root.origin() == url.origin())
            })
        };
        let own = [&self.authority, &self.defender, &self.graph];
        let strange = own.into_iter().filter(|url| !is_loopback(url) && !known(url));
        strange.filter_map(Url::host_str).collect()
    }
}

/// Endpoints of a tenant: the cloud's, replaced in part by the author's.
pub(super) fn endpoints(cx: &mut Cx<'_>, tenant: &Node) -> Option<Endpoints> {
    let cloud = tenant.get("cloud").and_then(Node::text).unwrap_or("commercial");
    let (authority, defender, graph, scope) = roots(cloud);
    let own = tenant.get("endpoints");
    let mut root = |key: &str, default: &str| match own.and_then(|own| own.get(key)) {
        Some(node) => endpoint(cx, node),
        None => Url::parse(default).ok(),
    };
    let (authority, defender, graph_root) =
        (root("authority", authority), root("defender", defender), root("graph", graph));
    Some(Endpoints {
        authority: authority?,
        defender: defender?,
        graph: graph_root?,
        defender_scope: Arc::from(scope),
        graph_scope: Arc::from(format!("{graph}/.default")),
    })
}

fn endpoint(cx: &mut Cx<'_>, node: &Node) -> Option<Url> {
    let text = node.text()?;
    // First of all, so that no other message repeats it.
    if text.split_once("://").is_some_and(|(_, rest)| rest.contains('@')) {
        return cx.report(Code::SecretInFile, &node.place, "the address carries a credential");
    }
    let url = match Url::parse(text) {
        Ok(url) if url.has_host() && matches!(url.scheme(), "http" | "https") => url,
        Ok(_) => {
            let message = format!("{} is not a web address", words::quote(text));
            return cx.report(Code::BadUrl, &node.place, message);
        }
        Err(error) => {
            let message = format!("{}: {error}", words::quote(text));
            return cx.report(Code::BadUrl, &node.place, message);
        }
    };
    if url.query().is_some() || url.fragment().is_some() || url.path() != "/" {
        let message = format!("{} has more than scheme and host", words::quote(text));
        return cx.report(Code::BadUrl, &node.place, message);
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        let message = format!("{} is not encrypted", words::quote(text));
        return cx.report(Code::InsecureEndpoint, &node.place, message);
    }
    Some(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
