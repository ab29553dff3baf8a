//! The log of requests received: what tests and people look at afterwards.
//!
//! Secrets never enter it: credentials in headers are left out, those in token requests are struck
//! out. Bodies are kept up to a limit, and so is the number of entries: the oldest go first.

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE};
use http::{HeaderMap, Method, Request, StatusCode, Uri};
use jiff::Timestamp;

use crate::emulator::signin::read_unverified;
use crate::emulator::{Cut, Reply};

/// How much of a body is kept, in bytes.
const BODY_LIMIT: usize = 64 * 1024;
/// How many entries are kept at most; half of them go at a time.
const ENTRY_LIMIT: usize = 200_000;

/// One request with the status it got.
#[derive(Clone, Debug)]
pub struct Logged {
    /// Its number, counted from 0 over the emulator's life.
    pub number: u64,
    /// When it arrived, by the emulator's clock.
    pub at: Timestamp,
    /// Its method.
    pub method: Method,
    /// Its target.
    pub uri: Uri,
    /// Its headers, without credentials.
    pub headers: HeaderMap,
    /// Client id of the application, as the token said; not verified.
    pub caller: Option<String>,
    /// Its body, cut at 64 KiB, without secrets.
    pub body: Bytes,
    /// The length of the whole body.
    pub size: usize,
    /// The status it got.
    pub status: StatusCode,
    /// How the connection failed, when it did: then the caller never saw the status.
    pub cut: Option<Cut>,
}

/// The requests received, oldest first.
#[derive(Debug, Default)]
pub struct Log {
    entries: Vec<Logged>,
    next: u64,
}

impl Log {
    /// The entries still kept.
    #[must_use]
    pub fn entries(&self) -> &[Logged] {
        &self.entries
    }

    /// How many requests were received in all.
    #[must_use]
    pub const fn received(&self) -> u64 {
        self.next
    }

    /// Forgets the entries; numbers go on.
    pub fn clear(&mut self) {
        self.entries.clear();
    }

    /// Notes a request and its answer.
    pub fn push(&mut self, request: &Request<Bytes>, reply: &Reply, at: Timestamp) {
        if self.entries.len() >= ENTRY_LIMIT {
            self.entries.drain(..ENTRY_LIMIT / 2);
        }
        let mut headers = request.headers().clone();
        let caller = headers.remove(AUTHORIZATION).and_then(|value| {
            let token = value.to_str().ok()?.split_once(' ')?.1.trim().to_owned();
            read_unverified(&token).map(|claims| claims.appid)
        });
        headers.remove(COOKIE);
        self.entries.push(Logged {
            number: self.next,
            at,
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers,
            caller,
            body: kept_body(request),
            size: request.body().len(),
            status: reply.response.status(),
            cut: reply.cut,
        });
        self.next += 1;
    }
}

/// The body as it is kept.
fn kept_body(request: &Request<Bytes>) -> Bytes {
    let body = request.body();
    let path = request.uri().path();
    if !path.ends_with("/token") {
        return body.slice(..body.len().min(BODY_LIMIT));
    }
    let secret = |key: &str| matches!(key, "client_secret" | "client_assertion" | "password");
    let mut out = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in url::form_urlencoded::parse(body).take(64) {
        out.append_pair(&key, if secret(&key) { "***" } else { &value });
    }
    let text = out.finish();
    if text.len() > BODY_LIMIT { Bytes::new() } else { Bytes::from(text) }
}

#[cfg(test)]
mod tests {
    use http::Response;

    use super::*;

    #[test]
    fn secrets_stay_out() {
        let mut log = Log::default();
        let request = Request::post("/t/oauth2/v2.0/token")
            .header("authorization", "Basic YTpodW50ZXIy")
            .header("user-agent", "test/1")
            .body(Bytes::from_static(b"client_id=a&client_secret=hunter2&grant_type=x"))
            .unwrap();
        let reply = Reply::from(Response::new(Bytes::new()));
        log.push(&request, &reply, Timestamp::UNIX_EPOCH);
        let entry = &log.entries()[0];
        let text = format!("{entry:?}");
        assert!(!text.contains("hunter2") && !text.contains("YTpodW"), "{text}");
        assert_eq!(entry.body, "client_id=a&client_secret=***&grant_type=x");
        assert_eq!(entry.size, 46);
        assert_eq!(entry.headers.get("user-agent").unwrap(), "test/1");
        log.clear();
        log.push(&request, &reply, Timestamp::UNIX_EPOCH);
        assert_eq!((log.entries()[0].number, log.received()), (1, 2));
    }

    #[test]
    fn long_bodies_are_cut_and_old_entries_go() {
        let mut log = Log::default();
        let request = Request::post("/x").body(Bytes::from(vec![b'a'; BODY_LIMIT + 1])).unwrap();
        let reply = Reply::from(Response::new(Bytes::new()));
        for _ in 0..=ENTRY_LIMIT {
            log.push(&request, &reply, Timestamp::UNIX_EPOCH);
        }
        assert_eq!(log.entries().len(), ENTRY_LIMIT / 2 + 1);
        assert_eq!(log.entries()[0].body.len(), BODY_LIMIT);
        assert_eq!(log.entries()[0].size, BODY_LIMIT + 1);
        assert_eq!(log.received(), ENTRY_LIMIT as u64 + 1);
    }
}
