//! A request taken apart once: host, decoded path segments, decoded query options, body.
//!
//! Path matching of the service is without regard to case and spaces in a query arrive as space,
//! `%20` or `+`. Used by every router of the emulator; decides nothing.

use bytes::Bytes;
use http::{HeaderMap, Method, Request};
use percent_encoding::percent_decode_str;

/// One request, read.
#[derive(Debug)]
pub struct Call<'a> {
    /// The method.
    pub method: &'a Method,
    /// The headers.
    pub headers: &'a HeaderMap,
    /// The body.
    pub body: &'a Bytes,
    /// Decoded path segments without empty ones.
    pub path: Vec<String>,
    /// Decoded query options in the order given.
    pub query: Vec<(String, String)>,
    /// Scheme and host the caller used, without a slash at the end.
    pub origin: String,
    /// The path as it was sent.
    pub raw_path: &'a str,
    /// The query as it was sent.
    pub raw_query: Option<&'a str>,
}

impl<'a> Call<'a> {
    /// Takes a request apart. Bytes that are not UTF-8 once decoded become U+FFFD.
    #[must_use]
    pub fn read(request: &'a Request<Bytes>) -> Self {
        let uri = request.uri();
        let path = uri.path().split('/').filter(|part| !part.is_empty()).map(decode).collect();
        let query = uri.query().unwrap_or_default();
        let query = query.split('&').filter(|pair| !pair.is_empty()).map(read_pair).collect();
        Self {
            method: request.method(),
            headers: request.headers(),
            body: request.body(),
            path,
            query,
            origin: origin(request),
            raw_path: uri.path(),
            raw_query: uri.query(),
        }
    }

    /// The whole URL as the caller sent it.
    #[must_use]
    pub fn url(&self) -> String {
        let (mark, query) = self.raw_query.map_or(("", ""), |query| ("?", query));
        format!("{}{}{mark}{query}", self.origin, self.raw_path)
    }

    /// The first query option of that name, without regard to case.
    #[must_use]
    pub fn option(&self, name: &str) -> Option<&str> {
        let found = self.query.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The segment at `index` in lower case; empty beyond the end.
    #[must_use]
    pub fn segment(&self, index: usize) -> String {
        self.path.get(index).map(|part| part.to_ascii_lowercase()).unwrap_or_default()
    }

    /// A header's text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn read_pair(pair: &str) -> (String, String) {
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    (decode(&key.replace('+', " ")), decode(&value.replace('+', " ")))
}

/// The origin as the caller wrote it. A loopback host without a scheme is plain HTTP.
fn origin(request: &Request<Bytes>) -> String {
    let uri = request.uri();
    let host = match uri.authority() {
        Some(authority) => authority.as_str(),
        None => {
            let header = request.headers().get(http::header::HOST);
            header.and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1")
        }
    };
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let loopback = name == "localhost" || name == "[::1]" || name.starts_with("127.");
    let scheme = uri.scheme_str().unwrap_or(if loopback { "http" } else { "https" });
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_apart_and_decoded() {
        let request = Request::builder()
            .uri("/API/machines//a%20b?$filter=a+eq+'x%2By'&%24top=5&flag")
            .header("host", "127.0.0.1:8400")
            .body(Bytes::new())
            .unwrap();
        let call = Call::read(&request);
        assert_eq!(call.path, ["API", "machines", "a b"]);
        assert_eq!(call.segment(0), "api");
        assert_eq!(call.segment(9), "");
        assert_eq!(call.option("$filter"), Some("a eq 'x+y'"));
        assert_eq!(call.option("$TOP"), Some("5"));
        assert_eq!(call.option("flag"), Some(""));
        assert_eq!(call.origin, "http://127.0.0.1:8400");
    }

    #[test]
    fn the_origin_is_the_one_called() {
        for (uri, host, origin) in [
            (
                "https://api.security.microsoft.com/api/machines",
                None,
                "https://api.security.microsoft.com",
            ),
            ("/api", Some("api.example"), "https://api.example"),
            ("/api", Some("[::1]:80"), "http://[::1]:80"),
            ("/api", None, "http://127.0.0.1"),
        ] {
            let mut request = Request::builder().uri(uri);
            if let Some(host) = host {
                request = request.header("host", host);
            }
            assert_eq!(Call::read(&request.body(Bytes::new()).unwrap()).origin, origin);
        }
    }
}
