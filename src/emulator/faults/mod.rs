//! Scripted faults: what goes wrong with a call before, instead of or after its effect.
//!
//! [`Faults::meet`] is asked once per request and answers with the [`Script`] of that request: whether
//! the tenant sees it at all, and what becomes of the answer. Faults come from scenario files and the
//! control endpoint; control requests themselves meet none.

mod answer;
mod page;

#[cfg(test)]
mod tests;

pub use answer::HTML as HTML_BODY;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, DATE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;

use crate::emulator::call::Call;
use crate::emulator::random::Random;
use crate::emulator::{Cut, Reply, control, glob};

/// Which requests a fault meets, and how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matcher {
    /// The method; `None` for any.
    pub method: Option<Method>,
    /// Pattern of the path: `*` within a segment, `**` across.
    pub path: String,
    /// A text that the decoded query has to contain.
    pub query: Option<String>,
    /// The first matching call that is met, counted from 1.
    pub first: u64,
    /// From there on, each how-many-th.
    pub every: u64,
    /// How many calls are met; `None` for all.
    pub times: Option<u64>,
}

/// When a connection fails: before the tenant has seen the request, or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// The request has no effect.
    Before,
    /// The request takes effect, the caller does not learn of it.
    After,
}

/// `Retry-After`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetryAfter {
    /// In seconds.
    Seconds(u64),
    /// As a date that lies that many seconds ahead.
    Date(u64),
}

/// What a fault answers instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instead {
    /// The status.
    pub status: StatusCode,
    /// `Retry-After`, if there shall be one.
    pub retry_after: Option<RetryAfter>,
    /// The body; `None` for the body the API gives with that status.
    pub body: Option<String>,
    /// Its media type; `None` for the API's.
    pub content_type: Option<String>,
    /// Whether the request takes effect all the same.
    pub when: When,
}

/// How many rows of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// All of them.
    All,
    /// The last ones.
    Last(usize),
}

/// What is wrong with the link to the next page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// There is none.
    Missing,
    /// It leads to the page it stands on.
    Stale,
    /// The names of its options are gone, so the filter is lost (observed in 2022).
    Nameless,
    /// It is no URL.
    Malformed,
    /// It leads to a host that must not see the token.
    Foreign,
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Another answer.
    Instead(Instead),
    /// The answer comes late; the effect does not.
    Delay(SignedDuration),
    /// The connection is reset.
    Reset(When),
    /// No answer ever comes.
    Hang(When),
    /// The connection is refused.
    Refuse,
    /// The body ends early: after that many bytes, in its middle for `None`.
    Truncate(Option<usize>),
    /// The right body under a wrong media type.
    ContentType(String),
    /// A wrong body under the right status.
    Body(String),
    /// The `Date` header deviates.
    Skew(SignedDuration),
    /// Rows of a page are missing.
    LoseRows(Rows),
    /// The first rows of the next matching page are the last ones of this page.
    RepeatRows(usize),
    /// The link to the next page is wrong.
    Link(Link),
}

impl Effect {
    /// Whether there is only room for one such effect on a call.
    const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::Instead(_) | Self::Reset(_) | Self::Hang(_) | Self::Refuse | Self::Truncate(_)
        )
    }

    /// Whether the tenant never sees the request.
    const fn hides(&self) -> bool {
        match self {
            Self::Instead(instead) => matches!(instead.when, When::Before),
            Self::Reset(when) | Self::Hang(when) => matches!(when, When::Before),
            Self::Refuse => true,
            _ => false,
        }
    }
}

/// A fault as it was scripted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which requests it meets.
    pub matcher: Matcher,
    /// What goes wrong with them.
    pub effect: Effect,
    /// The line that asked for it.
    pub text: String,
}

/// A fault with its counts.
#[derive(Debug)]
struct Pending {
    fault: Fault,
    seen: u64,
    met: u64,
    /// Calls it was due on and another fault took.
    owed: u64,
    /// Rows held over for the next page.
    held: Vec<Box<RawValue>>,
    number: u64,
}

/// The faults still to come.
#[derive(Debug, Default)]
pub struct Faults {
    pending: Vec<Pending>,
    next: u64,
}

/// What happens to one request.
#[derive(Clone, Debug, Default)]
pub struct Script {
    /// Numbers and effects of the faults that meet it.
    effects: Vec<(u64, Effect)>,
}

impl Script {
    /// Whether the tenant never sees the request.
    #[must_use]
    pub fn hides(&self) -> bool {
        self.effects.iter().any(|(_, effect)| effect.hides())
    }
}

impl Faults {
    /// Adds a fault after those that are there.
    pub fn add(&mut self, fault: Fault) {
        let number = self.next;
        self.next += 1;
        self.pending.push(Pending { fault, seen: 0, met: 0, owed: 0, held: Vec::new(), number });
    }

    /// Forgets all faults.
    pub fn clear(&mut self) {
        self.pending.clear();
    }

    /// The lines of the faults still to come, with how many calls each one has met.
    pub fn lines(&self) -> impl Iterator<Item = (&str, u64)> {
        self.pending.iter().filter(|p| !p.is_over()).map(|p| (p.fault.text.as_str(), p.met))
    }

    /// What happens to this request. Of several faults that would each take the whole answer the
    /// first one is met; the others keep their turn.
    pub fn meet(&mut self, request: &Request<Bytes>) -> Script {
        let mut script = Script::default();
        if control::is_control(request.uri().path()) {
            return script;
        }
        self.pending.retain(|pending| !pending.is_over() || !pending.held.is_empty());
        let mut taken = false;
        for pending in &mut self.pending {
            let last = pending.fault.effect.is_final();
            if !pending.fault.matcher.matches(request) {
                continue;
            }
            if pending.meet(last && taken) {
                taken |= last;
                script.effects.push((pending.number, pending.fault.effect.clone()));
            } else if !pending.held.is_empty() {
                script.effects.push((pending.number, Effect::RepeatRows(0)));
            }
        }
        script
    }

    /// What becomes of the answer on its way back; `None` when the tenant never saw the request.
    pub fn finish(
        &mut self,
        script: &Script,
        call: &Call<'_>,
        response: Option<Response<Bytes>>,
        now: Timestamp,
    ) -> Reply {
        let mut reply = Reply::from(response.unwrap_or_default());
        let mut skew = SignedDuration::ZERO;
        for (number, effect) in &script.effects {
            self.apply(*number, effect, call, &mut reply, &mut skew, now);
        }
        let at = now.checked_add(skew).unwrap_or(now);
        if let Ok(date) = HeaderValue::from_str(&http_date(at)) {
            reply.response.headers_mut().insert(DATE, date);
        }
        reply
    }

    fn apply(
        &mut self,
        number: u64,
        effect: &Effect,
        call: &Call<'_>,
        reply: &mut Reply,
        skew: &mut SignedDuration,
        now: Timestamp,
    ) {
        match effect {
            Effect::Instead(instead) => {
                let id = Random::new(number, now.as_microsecond().cast_unsigned()).guid();
                reply.response = answer::instead(instead, call, id, now);
            }
            Effect::Delay(span) => reply.delay = reply.delay.saturating_add(*span),
            Effect::Reset(_) => reply.cut = Some(Cut::Dropped),
            Effect::Hang(_) => reply.cut = Some(Cut::Hung),
            Effect::Refuse => reply.cut = Some(Cut::Refused),
            Effect::Truncate(sent) => {
                let whole = reply.response.body().len();
                let sent = sent.unwrap_or(whole / 2).min(whole.saturating_sub(1));
                reply.cut = Some(Cut::Truncated(sent));
            }
            Effect::ContentType(kind) => {
                if let Ok(kind) = HeaderValue::from_str(kind) {
                    reply.response.headers_mut().insert(CONTENT_TYPE, kind);
                }
            }
            Effect::Body(text) => *reply.response.body_mut() = Bytes::from(text.clone()),
            Effect::Skew(span) => *skew = skew.saturating_add(*span),
            Effect::LoseRows(rows) => page::change(&mut reply.response, |page| page.lose(*rows)),
            Effect::RepeatRows(count) => {
                let pending = self.pending.iter_mut().find(|pending| pending.number == number);
                let Some(pending) = pending else { return };
                page::change(&mut reply.response, |page| page.repeat(&mut pending.held, *count));
            }
            Effect::Link(link) => page::change(&mut reply.response, |page| page.link(*link, call)),
        }
    }
}

impl Matcher {
    /// Any call of that path.
    #[must_use]
    pub fn path(path: &str) -> Self {
        let path = path.to_owned();
        Self { method: None, path, query: None, first: 1, every: 1, times: Some(1) }
    }

    fn matches(&self, request: &Request<Bytes>) -> bool {
        let query = |wanted: &String| {
            let sent = request.uri().query().unwrap_or_default().replace('+', " ");
            percent_encoding::percent_decode_str(&sent).decode_utf8_lossy().contains(wanted)
        };
        let path = percent_encoding::percent_decode_str(request.uri().path());
        self.method.as_ref().is_none_or(|method| method == request.method())
            && glob::matches(&self.path, &path.decode_utf8_lossy())
            && self.query.as_ref().is_none_or(query)
    }
}

impl Pending {
    fn is_over(&self) -> bool {
        self.fault.matcher.times.is_some_and(|times| self.met >= times)
    }

    /// Counts a matching call; whether it is met. One that is due while another fault takes the
    /// answer is owed to the next call.
    fn meet(&mut self, taken: bool) -> bool {
        let matcher = &self.fault.matcher;
        self.seen += 1;
        let since = self.seen.checked_sub(matcher.first);
        let left = matcher.times.is_none_or(|times| self.met + self.owed < times);
        let due = left && since.is_some_and(|since| since % matcher.every.max(1) == 0);
        self.owed += u64::from(due);
        if taken || self.owed == 0 {
            return false;
        }
        self.owed -= 1;
        self.met += 1;
        true
    }
}

/// A time as HTTP headers have it.
#[must_use]
pub fn http_date(at: Timestamp) -> String {
    at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}
