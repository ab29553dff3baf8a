//! The sentence for each reason and objection code: the only place where codes become English.
//!
//! A reason is a code with facts; the plan file keeps those, people read what is made here. Each
//! code has a short form for grouping (it names only what a whole group shares) and a sentence for
//! one target. `{fact}` is replaced, `[…]` disappears when a fact inside it is missing. A code that
//! is not listed prints itself with all its facts, so that a newer plan is never silent.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::model::Facet;
use crate::plan::Lift;
use crate::plan::types::{Objection, Reason};
use crate::report::{escape, measure};

mod counts;
mod table;

use counts::COUNTS;
use table::{OBJECTIONS, REASONS};

/// How a run went on.
#[must_use]
pub fn resumed(tool: &str, withheld: Option<&Reason>) -> String {
    match withheld {
        Some(why) => format!("by {tool}; nothing more is sent: {}", sentence(why)),
        None => format!("by {tool}"),
    }
}

/// The short form, shared by a group of targets: `exemption vip-laptops (ends 2026-11-26 10:02Z)`.
#[must_use]
pub fn short(reason: &Reason) -> String {
    let known = REASONS.iter().find(|(code, ..)| *code == table::listed(&reason.code));
    known
        .and_then(|(_, short, _)| fill(short, &reason.facts))
        .unwrap_or_else(|| escape::terminal(&reason.code.replace('-', " ")))
}

/// The sentence about one target, without a full stop.
#[must_use]
pub fn sentence(reason: &Reason) -> String {
    let known = REASONS.iter().find(|(code, ..)| *code == table::listed(&reason.code));
    known
        .and_then(|(_, _, sentence)| fill(sentence, &reason.facts))
        .unwrap_or_else(|| generic(&reason.code, &reason.facts))
}

/// What a guardrail says, with its numbers; the setting is not in it.
#[must_use]
pub fn objection(objection: &Objection) -> String {
    let mut facts = objection.facts.clone();
    facts.entry("scope".to_owned()).or_insert_with(|| objection.scope.clone().into());
    facts.entry("held".to_owned()).or_insert_with(|| objection.held.into());
    facts.entry("code".to_owned()).or_insert_with(|| objection.code.clone().into());
    let known = OBJECTIONS.iter().find(|(code, _)| *code == table::listed(&objection.code));
    known.and_then(|(_, text)| fill(text, &facts)).unwrap_or_else(|| {
        let about = escape::terminal(&objection.scope);
        format!("{about}: {}", generic(&objection.code, &objection.facts))
    })
}

/// What a guardrail counted, whether it objects or not.
#[must_use]
pub fn counted(said: &Objection, over: bool) -> String {
    let listed = COUNTS.iter().find(|(code, ..)| *code == table::listed(&said.code));
    let Some((_, passes, added)) = listed else { return objection(said) };
    let mut facts = said.facts.clone();
    facts.entry("scope".to_owned()).or_insert_with(|| said.scope.clone().into());
    if over {
        let added = added.and_then(|text| fill(text, &facts));
        let added = added.map(|text| format!(" · {text}")).unwrap_or_default();
        return format!("{}{added}", objection(said));
    }
    passes.iter().find_map(|text| fill(text, &facts)).unwrap_or_else(|| objection(said))
}

/// Which guardrail somebody lifted, and why: `cap-run because “IR-7781”`.
#[must_use]
pub fn lift(lift: &Lift) -> String {
    format!("{} {}", escape::terminal(&lift.code), because(&lift.because))
}

/// Why an objection is lifted, in the words of who lifted it.
#[must_use]
pub fn because(text: &str) -> String {
    format!("because “{}”", escape::name(text, 500))
}

/// The word for a facet inside a sentence.
#[must_use]
pub const fn facet(facet: Facet) -> &'static str {
    match facet {
        Facet::Isolation => "isolation",
        Facet::CodeExecution => "code execution",
        Facet::Scan => "scan",
        Facet::QuarantinedFile => "quarantined file",
        Facet::InvestigationPackage => "investigation package",
        Facet::Onboarding => "onboarding",
        Facet::Tags => "tags",
        Facet::Value => "device value",
        Facet::Classification => "classification",
    }
}

fn generic(code: &str, facts: &BTreeMap<String, Value>) -> String {
    let told =
        |(key, value): (&String, &Value)| format!("{} {}", escape::name(key, 60), fact(key, value));
    let facts: Vec<String> = facts.iter().map(told).collect();
    let code = escape::terminal(code);
    if facts.is_empty() { code } else { format!("{code} ({})", facts.join(", ")) }
}

/// Fills a template; nothing when a fact outside `[…]` is missing.
fn fill(template: &str, facts: &BTreeMap<String, Value>) -> Option<String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some(open) = rest.find(['[', '{']) {
        let (before, from) = rest.split_at(open);
        out.push_str(before);
        if let Some(inner) = from.strip_prefix('[') {
            let (optional, after) = inner.split_once(']')?;
            out.push_str(&fill(optional, facts).unwrap_or_default());
            rest = after;
        } else {
            let (key, after) = from.strip_prefix('{')?.split_once('}')?;
            out.push_str(&fact(key, facts.get(key)?));
            rest = after;
        }
    }
    out.push_str(rest);
    Some(out)
}

/// One fact for people: times to the minute, shares as percentages, numbers with separators.
fn fact(key: &str, value: &Value) -> String {
    match value {
        Value::String(text) if key == "group" => escape::name(measure::group(text), 120),
        Value::String(text) => match text.parse::<Timestamp>() {
            Ok(at) => measure::instant(at),
            Err(_) => escape::name(text, 120),
        },
        Value::Number(number) => match number.as_u64() {
            Some(value) if key.ends_with("BasisPoints") => measure::basis_points(value),
            Some(value) if key.ends_with("Seconds") => measure::length(value),
            Some(value) => measure::number(value),
            None => number.to_string(),
        },
        Value::Array(items) => {
            items.iter().map(|item| fact(key, item)).collect::<Vec<_>>().join(", ")
        }
        other => escape::name(&other.to_string(), 120),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_code_prints_itself_with_its_facts() {
        let reason = Reason::new("brand-new").with("limit", 1_200).with("who", "a\x1bb");
        assert_eq!(sentence(&reason), "brand-new (limit 1,200, who a\\u{1b}b)");
        assert_eq!(short(&reason), "brand new");
        // A plan file from elsewhere may have anything for the name of a fact.
        let reason = Reason::new("brand-new").with("a\x1b[2Jb", 1);
        assert_eq!(sentence(&reason), "brand-new (a\\u{1b}[2Jb 1)");
    }

    #[test]
    fn devices_without_a_group_have_a_word() {
        let reason = Reason::new("cap-group").with("group", "");
        assert_eq!(short(&reason), "over the cap of ungrouped");
    }

    #[test]
    fn optional_parts_vanish_with_their_facts() {
        let facts = Reason::new("x").with("name", "vip").facts;
        assert_eq!(fill("exemption {name}[ (ends {expires})]", &facts).unwrap(), "exemption vip");
        assert_eq!(fill("needs {nothing}", &facts), None);
    }

    #[test]
    fn every_template_is_well_formed_and_listed_once() {
        assert!(REASONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert!(OBJECTIONS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let texts = REASONS.iter().flat_map(|(_, short, long)| [*short, *long]);
        assert!(COUNTS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let counts = COUNTS.iter().flat_map(|(_, passes, added)| passes.iter().chain(added));
        let texts = texts.chain(counts.copied());
        for text in texts.chain(OBJECTIONS.iter().map(|(_, text)| *text)) {
            let count = |c| text.matches(c).count();
            assert_eq!(count('['), count(']'), "{text}");
            assert_eq!(count('{'), count('}'), "{text}");
        }
    }
}
