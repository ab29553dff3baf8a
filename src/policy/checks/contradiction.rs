//! Terms that can never hold together: a selector with them matches nothing, which nobody meant.
//!
//! Sound and incomplete: what is reported is certain, and what is not reported may still match nothing
//! in a given fleet.

use std::collections::BTreeSet;

use crate::diag::{Code, Finding, Place, words};
use crate::policy::checks::Cx;
use crate::policy::checks::expr::Sx;
use crate::policy::checks::facts::{Domain, Fact, Fielded, conjuncts};

/// Reports each contradiction of a selector once.
pub(super) fn check<T: Fielded + Clone>(cx: &mut Cx<'_>, selector: &Sx<T>) {
    nothing(cx, selector, true);
    walk(cx, selector, true, &[]);
}

fn walk<T: Fielded + Clone>(cx: &mut Cx<'_>, selector: &Sx<T>, holds: bool, above: &[Fact<T>]) {
    let mut facts = above.to_vec();
    let mut choices = Vec::new();
    conjuncts(selector, holds, &mut facts, &mut choices);
    if let Some(clash) = clash(&facts) {
        report(cx, &clash);
        return;
    }
    for (branches, holds) in choices {
        branches.iter().for_each(|branch| walk(cx, branch, holds, &facts));
    }
}

/// `not: {everything: true}`.
fn nothing<T>(cx: &mut Cx<'_>, selector: &Sx<T>, holds: bool) {
    match selector {
        Sx::Everything(place) if !holds => {
            cx.report::<()>(Code::Contradiction, place, "`not` everything matches nothing");
        }
        Sx::Everything(_) | Sx::Term(..) => {}
        Sx::Not(part) => nothing(cx, part, !holds),
        Sx::All(parts) | Sx::Any(parts) => parts.iter().for_each(|part| nothing(cx, part, holds)),
    }
}

/// Facts that cannot both be so; the second may be the first.
pub(super) struct Clash {
    field: &'static str,
    first: Place,
    second: Place,
    why: Why,
}

enum Why {
    /// No value is left.
    NoValue,
    /// A term and its `not`.
    Denied,
    /// Younger and older.
    Ages,
}

fn report(cx: &mut Cx<'_>, clash: &Clash) {
    let field = words::quote(clash.field);
    let alone = clash.first == clash.second;
    let message = match clash.why {
        Why::NoValue if alone => format!("no value of {field} fits"),
        Why::NoValue => format!("no value of {field} fits both terms"),
        Why::Denied => format!("{field} is wanted and excluded at once"),
        Why::Ages => format!("no age of {field} fits both terms"),
    };
    let mut finding = Finding::new(Code::Contradiction, cx.file, clash.second.clone(), message);
    if !alone {
        finding = finding.label(cx.file, clash.first.clone(), "cannot hold together with this");
    }
    cx.findings.push(finding);
}

/// The first clash among facts that must all be so.
pub(super) fn clash<T: Fielded>(facts: &[Fact<T>]) -> Option<Clash> {
    facts.iter().enumerate().find_map(|(at, fact)| {
        let field = fact.term.field();
        let before: Vec<(&Fact<T>, Domain)> = facts
            .iter()
            .take(at + 1)
            .filter(|earlier| earlier.term.field() == field)
            .map(|earlier| (earlier, earlier.term.domain()))
            .collect();
        let (first, why) = against(fact, &before)?;
        Some(Clash { field, first, second: fact.place.clone(), why })
    })
}

/// The fact with which `fact`, the last of `same`, cannot be so.
fn against<T: Fielded>(fact: &Fact<T>, same: &[(&Fact<T>, Domain)]) -> Option<(Place, Why)> {
    let (_, earlier) = same.split_last()?;
    let partner =
        earlier.last().map_or_else(|| fact.place.clone(), |(other, _)| other.place.clone());
    match fact.term.domain() {
        Domain::Mask { full, .. } => {
            let left = same.iter().fold(full, |left, (fact, domain)| match domain {
                Domain::Mask { wanted, .. } if fact.holds => left & wanted,
                Domain::Mask { excluded, .. } => left & !excluded,
                _ => left,
            });
            (left == 0).then_some((partner, Why::NoValue))
        }
        Domain::Names { single, .. } if words_clash(same, single) => {
            let excluded = same.iter().any(|(fact, _)| !fact.holds);
            Some((partner, if excluded { Why::Denied } else { Why::NoValue }))
        }
        Domain::Names { .. } => denied(fact, earlier),
        Domain::Ages { .. } => ages_clash(same).then_some((partner, Why::Ages)),
        Domain::Opaque => denied(fact, earlier),
    }
}

fn denied<T: Fielded>(fact: &Fact<T>, earlier: &[(&Fact<T>, Domain)]) -> Option<(Place, Why)> {
    let mut other = earlier.iter();
    let other = other.find(|(other, _)| other.holds != fact.holds && other.term == fact.term)?;
    Some((other.0.place.clone(), Why::Denied))
}

fn words_clash<T>(same: &[(&Fact<T>, Domain)], single: bool) -> bool {
    let sets = |holds: bool| {
        same.iter().filter(move |(fact, _)| fact.holds == holds).filter_map(|(_, domain)| {
            match domain {
                Domain::Names { set, .. } => Some(set),
                _ => None,
            }
        })
    };
    let excluded: BTreeSet<&String> = sets(false).flatten().collect();
    if single {
        let mut wanted = sets(true);
        let Some(first) = wanted.next() else { return false };
        let mut left: BTreeSet<&String> = first.iter().collect();
        wanted.for_each(|set| left.retain(|word| set.contains(*word)));
        return left.iter().all(|word| excluded.contains(*word));
    }
    // A device has many tags; it fails only where each alternative is excluded.
    let mut wanted = sets(true);
    wanted.any(|set| set.iter().all(|word| excluded.contains(word)))
}

fn ages_clash<T>(same: &[(&Fact<T>, Domain)]) -> bool {
    let (mut youngest, mut oldest) = (0u64, u64::MAX);
    for (fact, domain) in same {
        let Domain::Ages { below, above } = domain else { continue };
        match (fact.holds, below, above) {
            (true, Some(below), None) => oldest = oldest.min(*below),
            (true, None, Some(above)) => youngest = youngest.max(*above),
            (false, Some(below), None) => youngest = youngest.max(*below),
            (false, None, Some(above)) => oldest = oldest.min(*above),
            _ => {}
        }
    }
    youngest > oldest
}
