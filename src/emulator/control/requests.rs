//! The log over HTTP: `GET /_emulator/requests?since=N&method=POST&path=/api/**&limit=100`.

use serde::Serialize;
use std::collections::BTreeMap;

use crate::emulator::call::Call;
use crate::emulator::log::Logged;
use crate::emulator::{Cut, glob};

/// How many entries an answer has when the caller names no limit.
const USUAL: usize = 1_000;

#[derive(Serialize)]
pub(super) struct Page<'a> {
    requests: Vec<Entry<'a>>,
    /// The number to continue with as `since`; missing when nothing is left.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<u64>,
}

#[derive(Serialize)]
struct Entry<'a> {
    number: u64,
    at: jiff::Timestamp,
    method: &'a str,
    path: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<&'a str>,
    status: u16,
    /// `refused`, `reset`, `hung`, `truncated`, when the connection failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caller: Option<&'a str>,
    size: usize,
    headers: BTreeMap<&'a str, String>,
    body: std::borrow::Cow<'a, str>,
}

pub(super) fn page<'a>(entries: &'a [Logged], call: &Call<'_>) -> Page<'a> {
    let number = |name| call.option(name).and_then(|text| text.parse::<u64>().ok());
    let since = number("since").unwrap_or(0);
    let limit = number("limit").and_then(|limit| usize::try_from(limit).ok()).unwrap_or(USUAL);
    let method = call.option("method");
    let path = call.option("path");
    let mut wanted = entries.iter().filter(|entry| {
        entry.number >= since
            && method.is_none_or(|method| entry.method.as_str().eq_ignore_ascii_case(method))
            && path.is_none_or(|pattern| glob::matches(pattern, entry.uri.path()))
    });
    let requests = wanted.by_ref().take(limit).map(entry).collect();
    Page { requests, next: wanted.next().map(|entry| entry.number) }
}

fn entry(entry: &Logged) -> Entry<'_> {
    let headers = entry.headers.iter().map(|(name, value)| {
        (name.as_str(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    });
    Entry {
        number: entry.number,
        at: entry.at,
        method: entry.method.as_str(),
        path: entry.uri.path(),
        query: entry.uri.query(),
        status: entry.status.as_u16(),
        cut: entry.cut.map(|cut| match cut {
            Cut::Refused => "refused",
            Cut::Dropped => "reset",
            Cut::Hung => "hung",
            Cut::Truncated(_) => "truncated",
        }),
        caller: entry.caller.as_deref(),
        size: entry.size,
        headers: headers.collect(),
        body: String::from_utf8_lossy(&entry.body),
    }
}
