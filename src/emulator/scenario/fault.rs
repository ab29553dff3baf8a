//! `fault EFFECT [OPTIONS] on METHOD PATH [OPTIONS]`

use http::{Method, StatusCode};

use super::line::Words;
use crate::emulator::faults::{
    Effect, Fault, HTML_BODY, Instead, Link, Matcher, RetryAfter, Rows, When,
};

pub(super) fn read(words: &mut Words, text: &str) -> Result<Fault, String> {
    let mut effect = effect(words)?;
    let mut matcher = Matcher::path("**");
    let mut placed = false;
    while let Some(word) = words.next() {
        if word == "on" {
            matcher.method = method(&words.need("a method")?)?;
            matcher.path = words.need("a path")?;
            if !matcher.path.starts_with(['/', '*']) {
                return Err(format!("the path `{}` does not begin with `/`", matcher.path));
            }
            placed = true;
        } else if !counting(&word, words, &mut matcher)? {
            option(&word, words, &mut effect)?;
        }
    }
    if !placed {
        return Err("`on METHOD PATH` is missing".to_owned());
    }
    Ok(Fault { matcher, effect, text: text.trim().to_owned() })
}

fn effect(words: &mut Words) -> Result<Effect, String> {
    let word = words.need("what goes wrong")?;
    Ok(match word.as_str() {
        "delay" => {
            let span = words.span("how long")?;
            if span.is_negative() {
                return Err("a delay cannot be negative".to_owned());
            }
            Effect::Delay(span)
        }
        "reset" => Effect::Reset(when(words)),
        "hang" => Effect::Hang(when(words)),
        "refuse" => Effect::Refuse,
        "truncate" => match words.need("how many bytes")?.as_str() {
            "half" => Effect::Truncate(None),
            bytes => {
                let bytes = bytes.parse().map_err(|_| format!("`{bytes}` is not a number"))?;
                Effect::Truncate(Some(bytes))
            }
        },
        "content-type" => Effect::ContentType(words.need("a media type")?),
        "body" => Effect::Body(words.need("a body")?),
        "skew" => Effect::Skew(words.span("how much")?),
        "lose-rows" => match words.need("how many rows")?.as_str() {
            "all" => Effect::LoseRows(Rows::All),
            count => {
                let count = count.parse().map_err(|_| format!("`{count}` is not a number"))?;
                Effect::LoseRows(Rows::Last(count))
            }
        },
        "repeat-rows" => {
            let count = words.number("how many rows")?;
            Effect::RepeatRows(usize::try_from(count).unwrap_or(usize::MAX))
        }
        "next-link" => Effect::Link(link(&words.need("what is wrong with the link")?)?),
        status => Effect::Instead(instead(status)?),
    })
}

fn instead(word: &str) -> Result<Instead, String> {
    let status = word.parse::<u16>().ok().filter(|status| (200..=599).contains(status));
    let status = status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.ok_or_else(|| {
        format!(
            "`{word}` is not a fault; there are a status, delay, reset, hang, refuse, truncate, content-type, body, skew, lose-rows, repeat-rows, next-link"
        )
    })?;
    Ok(Instead { status, retry_after: None, body: None, content_type: None, when: When::Before })
}

fn when(words: &mut Words) -> When {
    if words.take("after") {
        return When::After;
    }
    words.take("before");
    When::Before
}

fn link(word: &str) -> Result<Link, String> {
    Ok(match word {
        "missing" => Link::Missing,
        "stale" => Link::Stale,
        "nameless" => Link::Nameless,
        "malformed" => Link::Malformed,
        "foreign" => Link::Foreign,
        other => {
            return Err(format!(
                "`{other}` is not one of missing, stale, nameless, malformed, foreign"
            ));
        }
    })
}

fn method(word: &str) -> Result<Option<Method>, String> {
    if word == "*" || word == "ANY" {
        return Ok(None);
    }
    let known = [Method::GET, Method::POST, Method::PATCH, Method::PUT, Method::DELETE];
    let found = known.into_iter().find(|method| method.as_str() == word);
    found.map(Some).ok_or_else(|| format!("`{word}` is not a method; `ANY` is one"))
}

/// `xN`, `x*`, `nth N`, `every N`, `query TEXT`; `false` when the word is none of them.
fn counting(word: &str, words: &mut Words, matcher: &mut Matcher) -> Result<bool, String> {
    match word {
        "x*" => matcher.times = None,
        "nth" => matcher.first = positive(words.number("which call")?)?,
        "every" => matcher.every = positive(words.number("how many calls")?)?,
        "query" => matcher.query = Some(words.need("a part of the query")?),
        word => match word.strip_prefix('x').and_then(|count| count.parse().ok()) {
            Some(count) => matcher.times = Some(positive(count)?),
            None => return Ok(false),
        },
    }
    Ok(true)
}

fn positive(number: u64) -> Result<u64, String> {
    if number == 0 { Err("calls are counted from 1".to_owned()) } else { Ok(number) }
}

/// `retry-after N`, `retry-after date N`, `body TEXT`, `type TYPE`, `html`, `after-effect`
fn option(word: &str, words: &mut Words, effect: &mut Effect) -> Result<(), String> {
    let Effect::Instead(instead) = effect else {
        return Err(format!("`{word}` does not belong to this fault"));
    };
    match word {
        "retry-after" => {
            let date = words.take("date");
            let seconds = words.number("how many seconds")?;
            instead.retry_after =
                Some(if date { RetryAfter::Date(seconds) } else { RetryAfter::Seconds(seconds) });
        }
        "body" => instead.body = Some(words.need("a body")?),
        "type" => instead.content_type = Some(words.need("a media type")?),
        "html" => {
            instead.body = Some(HTML_BODY.to_owned());
            instead.content_type = Some("text/html".to_owned());
        }
        "after-effect" => instead.when = When::After,
        other => return Err(format!("`{other}` is not an option of a fault")),
    }
    Ok(())
}
