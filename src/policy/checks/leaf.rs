//! Single values: durations, instants, patterns, networks, words, comparisons.

use std::net::IpAddr;
use std::sync::Arc;

use ipnet::IpNet;
use jiff::Timestamp;

use crate::diag::{Code, words};
use crate::model::text::is_blank;
use crate::model::{
    AlertStatus, AvStatus, Classification, Determination, DeviceValue, Exposure, Health,
    IncidentId, IsolationMode, Onboarding, Risk, ScanType, Severity, Span,
};
use crate::policy::checks::Cx;
use crate::policy::selector::ast::{AgeMatch, Glob, Op, OrderedMatch};
use crate::policy::selector::glob;
use crate::policy::yaml::{Content, Node};

/// An enum with words of its own.
pub(super) trait Word: Copy + PartialEq + 'static {
    /// Every member, lowest first.
    const MEMBERS: &'static [Self];
    /// The policy's word.
    fn spelled(self) -> &'static str;
}

macro_rules! word {
    ($($name:ident)+) => {$(
        impl Word for $name {
            const MEMBERS: &'static [Self] = Self::ALL;
            fn spelled(self) -> &'static str {
                self.word()
            }
        }
    )+};
}
word!(AlertStatus AvStatus Classification Determination DeviceValue Exposure Health IsolationMode Onboarding Risk ScanType Severity);

/// A word of an enum. A comparison is refused here; any other word was refused by the schema.
pub(super) fn word<T: Word>(cx: &mut Cx<'_>, node: &Node) -> Option<T> {
    let text = node.text()?;
    if text.starts_with(['<', '>', '=']) {
        let rest = text.trim_start_matches(['<', '>', '=']).trim();
        let message = format!("{} compares, but these words have no order", words::quote(text));
        let help = match find::<T>(rest) {
            Some(_) => format!("write {}, or a list of words", words::quote(rest)),
            None => {
                format!("use {}", words::any_of(T::MEMBERS.iter().map(|member| member.spelled())))
            }
        };
        return cx.advise(Code::NotOrdered, &node.place, message, help);
    }
    find(text)
}

fn find<T: Word>(text: &str) -> Option<T> {
    T::MEMBERS.iter().copied().find(|member| member.spelled() == text)
}

/// `medium` or `>=medium`.
pub(super) fn ordered<T: Word>(cx: &mut Cx<'_>, node: &Node) -> Option<OrderedMatch<T>> {
    let text = node.text()?;
    let (op, rest) = split_op(text);
    let op = op.unwrap_or(Op::Eq);
    if let Some(value) = find(rest) {
        return Some(OrderedMatch { op, value });
    }
    let members = T::MEMBERS.iter().map(|member| member.spelled());
    let message = format!("{} is not known", words::quote(rest));
    let help = match words::near(rest, members.clone()) {
        Some(near) => format!("did you mean {}?", words::quote(&format!("{}{near}", op.sign()))),
        None => format!("use {}, or a comparison such as `\">=medium\"`", words::any_of(members)),
    };
    cx.advise(Code::UnknownValue, &node.place, message, help)
}

fn split_op(text: &str) -> (Option<Op>, &str) {
    for (sign, op) in [("<=", Op::Le), (">=", Op::Ge), ("<", Op::Lt), (">", Op::Gt)] {
        if let Some(rest) = text.strip_prefix(sign) {
            return (Some(op), rest.trim_start());
        }
    }
    (None, text)
}

/// `"<7d"`.
pub(super) fn age(cx: &mut Cx<'_>, node: &Node) -> Option<AgeMatch> {
    let text = node.text()?;
    let (op, rest) = split_op(text);
    let Some(op) = op else {
        let message = format!("{} does not say younger or older", words::quote(text));
        let help = "write `\"<7d\"` for younger than seven days, `\">30d\"` for older than thirty";
        return cx.advise(Code::BadDuration, &node.place, message, help);
    };
    match Span::parse(rest) {
        Ok(age) => Some(AgeMatch { op, age }),
        Err(error) => {
            let message = format!("{}: {error}", words::quote(text));
            cx.report(Code::BadDuration, &node.place, message)
        }
    }
}

/// A length of time.
pub(super) fn duration(cx: &mut Cx<'_>, node: &Node) -> Option<Span> {
    let text = match &node.content {
        Content::Text(text) => text,
        Content::Number(number) => {
            let message = format!("{number} has no unit");
            return cx.report(Code::BadDuration, &node.place, message);
        }
        _ => return None,
    };
    match Span::parse(text) {
        Ok(span) if span.as_secs() == 0 => {
            cx.report(Code::BadDuration, &node.place, "a duration of nothing")
        }
        Ok(span) => Some(span),
        Err(error) => {
            let message = format!("{}: {error}", words::quote(text));
            cx.report(Code::BadDuration, &node.place, message)
        }
    }
}

/// An instant.
pub(super) fn timestamp(cx: &mut Cx<'_>, node: &Node) -> Option<Timestamp> {
    let text = node.text()?;
    if let Ok(at) = text.parse() {
        return Some(at);
    }
    let is_date = text.parse::<jiff::civil::Date>().is_ok();
    let is_local = text.parse::<jiff::civil::DateTime>().is_ok();
    let message = format!("{} is not an instant", words::quote(text));
    let help = if is_date && text.len() == 10 {
        format!("add time and offset: `{text}T00:00:00Z`")
    } else if is_local {
        format!("add an offset: `{text}Z`")
    } else {
        Code::BadTimestamp.help().to_owned()
    };
    cx.advise(Code::BadTimestamp, &node.place, message, help)
}

/// Text that says something.
pub(super) fn text(cx: &mut Cx<'_>, node: &Node) -> Option<Arc<str>> {
    let text = node.text()?;
    if is_blank(text) {
        return cx.report(Code::EmptyText, &node.place, "the text is empty");
    }
    Some(Arc::from(text))
}

/// A device group. Groups are compared whole; one may still be called so.
pub(super) fn group(cx: &mut Cx<'_>, node: &Node) -> Option<Arc<str>> {
    let group = text(cx, node)?;
    if group.contains(['*', '?']) {
        let message = format!("{} is compared whole, not as a pattern", words::quote(&group));
        cx.report::<()>(Code::GroupPattern, &node.place, message);
    }
    Some(group)
}

/// A pattern that compiles.
pub(super) fn glob(cx: &mut Cx<'_>, node: &Node) -> Option<Glob> {
    let pattern = text(cx, node)?;
    match glob::check(&pattern) {
        Ok(()) => Some(Glob { text: pattern }),
        Err(fault) => {
            let message = format!("{}: {fault}", words::quote(&pattern));
            cx.report(Code::BadGlob, &node.place, message)
        }
    }
}

/// A network, or an address as a network of one.
pub(super) fn network(cx: &mut Cx<'_>, node: &Node) -> Option<IpNet> {
    let text = node.text()?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(IpNet::from(address));
    }
    let Ok(network) = text.parse::<IpNet>() else {
        let message = format!("{} is neither an address nor a network", words::quote(text));
        return cx.report(Code::BadCidr, &node.place, message);
    };
    let exact = network.trunc();
    if exact == network {
        return Some(network);
    }
    let message = format!("{} has bits beyond its prefix", words::quote(text));
    let help =
        format!("write `{exact}` for the network or `{}` for the one address", network.addr());
    cx.advise(Code::BadCidr, &node.place, message, help)
}

/// An incident id.
pub(super) fn incident(cx: &mut Cx<'_>, node: &Node) -> Option<IncidentId> {
    if let Some(number) = node.integer().filter(|number| *number > 0) {
        return Some(IncidentId::from(number.to_string()));
    }
    let text = node.text()?;
    if !text.is_empty() && text.chars().all(|c| c.is_ascii_digit()) {
        return Some(IncidentId::from(text));
    }
    cx.report(Code::BadIncidentId, &node.place, format!("{} is not a number", words::quote(text)))
}

/// A MITRE technique.
pub(super) fn technique(cx: &mut Cx<'_>, node: &Node) -> Option<Arc<str>> {
    let text = node.text()?;
    let digits =
        |part: &str, count| part.len() == count && part.chars().all(|c| c.is_ascii_digit());
    let good = text.strip_prefix('T').is_some_and(|rest| match rest.split_once('.') {
        Some((technique, sub)) => digits(technique, 4) && digits(sub, 3),
        None => digits(rest, 4),
    });
    if good {
        return Some(Arc::from(text));
    }
    cx.report(Code::BadTechnique, &node.place, format!("{} is not a technique", words::quote(text)))
}
