//! A request as data, without host, token and correlation id.
//!
//! Built by `call` and `read`; `drive::client` puts it on the wire. The one place where a request
//! gets its address: `Origins::address` refuses every address that is not below the configured
//! root of the API the token is for.

use bytes::Bytes;
use http::Method;
use serde::Serialize;
use url::Url;

use crate::wire::api::{Api, Operation};

/// A request as data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outbound {
    /// What it does.
    pub operation: Operation,
    /// Its method.
    pub method: Method,
    /// Path below the API's root, encoded, without a leading slash.
    pub path: String,
    /// Query part, encoded, without the question mark; may be empty.
    pub query: String,
    /// JSON body; may be empty.
    pub body: Bytes,
    /// A whole address that the service handed out instead of path and query.
    pub link: Option<String>,
}

impl Outbound {
    /// A request without a body.
    #[must_use]
    pub fn get(operation: Operation, path: impl Into<String>, query: impl Into<String>) -> Self {
        Self {
            operation,
            method: Method::GET,
            path: path.into(),
            query: query.into(),
            body: Bytes::new(),
            link: None,
        }
    }

    /// A request that follows a link of the service; whether it may be followed is decided when it
    /// is addressed.
    #[must_use]
    pub fn follow(operation: Operation, link: &str) -> Self {
        Self { link: Some(link.to_owned()), ..Self::get(operation, "", "") }
    }

    /// A request with a JSON body.
    #[must_use]
    pub(crate) fn with_body(
        operation: Operation,
        method: Method,
        path: String,
        body: &impl Serialize,
    ) -> Self {
        // Bodies are structs of strings: writing them to memory cannot fail.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { method, body: body.into(), ..Self::get(operation, path, "") }
    }
}

/// The configured roots: the only places a bearer token may go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins {
    defender: Url,
    graph: Url,
}

impl Origins {
    /// Roots of both APIs; a trailing slash makes no difference.
    #[must_use]
    pub fn new(defender: &Url, graph: &Url) -> Self {
        Self { defender: as_folder(defender), graph: as_folder(graph) }
    }

    /// The root of an API.
    #[must_use]
    pub const fn root(&self, api: Api) -> &Url {
        match api {
            Api::Defender => &self.defender,
            Api::Graph => &self.graph,
        }
    }

    /// The whole address of a request, or `None` when it is not the configured origin of the API:
    /// another scheme, host, port, or an address with a user in it.
    #[must_use]
    pub fn address(&self, out: &Outbound) -> Option<Url> {
        let root = self.root(out.operation.api());
        let url = match &out.link {
            Some(link) => Url::parse(link).ok()?,
            None => {
                let mut url = root.join(&out.path).ok()?;
                url.set_query(Some(out.query.as_str()).filter(|query| !query.is_empty()));
                url
            }
        };
        let same = url.origin() == root.origin() && root.origin().is_tuple();
        (same && url.username().is_empty() && url.password().is_none()).then_some(url)
    }
}

fn as_folder(root: &Url) -> Url {
    let mut root = root.clone();
    root.set_query(None);
    root.set_fragment(None);
    if !root.path().ends_with('/') {
        let path = format!("{}/", root.path());
        root.set_path(&path);
    }
    root
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origins() -> Origins {
        let defender = Url::parse("https://api.security.example").unwrap();
        let graph = Url::parse("http://127.0.0.1:8400/graph").unwrap();
        Origins::new(&defender, &graph)
    }

    #[test]
    fn paths_are_put_below_the_root() {
        let out = Outbound::get(Operation::ListMachines, "api/machines", "$top=1");
        let url = origins().address(&out).map(String::from);
        assert_eq!(url.as_deref(), Some("https://api.security.example/api/machines?$top=1"));
        let out = Outbound::get(Operation::ListAlerts, "v1.0/security/alerts_v2", "");
        let url = origins().address(&out).map(String::from);
        assert_eq!(url.as_deref(), Some("http://127.0.0.1:8400/graph/v1.0/security/alerts_v2"));
    }

    #[test]
    fn only_the_configured_origin_of_the_same_api_is_addressed() {
        for (link, allowed) in [
            ("http://127.0.0.1:8400/v1.0/security/alerts_v2?$skiptoken=x", true),
            ("http://127.0.0.1:8401/v1.0/security/alerts_v2", false),
            ("https://127.0.0.1:8400/v1.0/security/alerts_v2", false),
            ("http://127.0.0.1.evil.example:8400/", false),
            ("http://evil@127.0.0.1:8400/", false),
            ("https://api.security.example/api/machines", false),
            ("//evil.example/x", false),
            ("data:text/plain,x", false),
            ("not a link", false),
        ] {
            let out = Outbound::follow(Operation::ListAlerts, link);
            assert_eq!(origins().address(&out).is_some(), allowed, "{link}");
        }
    }

    #[test]
    fn a_path_that_is_an_address_of_its_own_is_refused() {
        for path in ["//evil.example/api", "https://evil.example/api"] {
            let out = Outbound::get(Operation::ListMachines, path, "");
            assert_eq!(origins().address(&out), None, "{path}");
        }
    }
}
