//! What a term says about its field, in a form that can be compared with another term.

use std::collections::BTreeSet;

use crate::diag::Place;
use crate::policy::checks::expr::Sx;
use crate::policy::checks::leaf::Word;
use crate::policy::selector::ast::{AgeMatch, Op, OrderedMatch};

/// A term that knows its field.
pub(crate) trait Fielded: PartialEq {
    /// The key in YAML.
    fn field(&self) -> &'static str;
    /// The values it allows.
    fn domain(&self) -> Domain;
}

/// The values a term allows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Domain {
    /// A choice among few words, one bit each.
    Mask {
        /// Bits that are allowed when the term must hold.
        wanted: u64,
        /// Bits that are ruled out when it must not hold.
        excluded: u64,
        /// All bits.
        full: u64,
    },
    /// A choice among any words.
    Names {
        /// The words, lower-case.
        set: BTreeSet<String>,
        /// Whether the field has one value; tags and patterns have many.
        single: bool,
    },
    /// Ages in seconds: younger than `below`, older than `above`; either or both.
    Ages {
        /// Some alternative allows ages up to here.
        below: Option<u64>,
        /// Some alternative allows ages from here on.
        above: Option<u64>,
    },
    /// Nothing can be said but whether two terms are the same.
    Opaque,
}

pub(super) const fn mask(bits: u64, full: u64) -> Domain {
    Domain::Mask { wanted: bits, excluded: bits, full }
}

/// A list of words of an enum.
pub(super) fn exact<T: Word>(list: &[T]) -> Domain {
    mask(bits(|member| list.contains(member)), bits::<T>(|_| true))
}

/// A list of words and comparisons.
pub(super) fn ordered<T: Word + PartialOrd>(list: &[OrderedMatch<T>]) -> Domain {
    let holds = |member: &T| list.iter().any(|each| each.op.holds(member, &each.value));
    mask(bits(holds), bits::<T>(|_| true))
}

fn bits<T: Word>(keep: impl Fn(&T) -> bool) -> u64 {
    let each = T::MEMBERS.iter().enumerate();
    each.filter(|(_, member)| keep(member)).fold(0, |mask, (at, _)| mask | 1 << at)
}

pub(super) fn names(single: bool, words: impl Iterator<Item = String>) -> Domain {
    Domain::Names { set: words.collect(), single }
}

pub(super) fn ages(list: &[AgeMatch]) -> Domain {
    let (mut below, mut above) = (None, None);
    for AgeMatch { op, age } in list {
        let age = age.as_secs();
        match op {
            Op::Lt | Op::Le => below = Some(below.map_or(age, |now: u64| now.max(age))),
            Op::Gt | Op::Ge => above = Some(above.map_or(age, |now: u64| now.min(age))),
            Op::Eq => {}
        }
    }
    Domain::Ages { below, above }
}

/// A term that must hold, or must not.
#[derive(Clone, Debug)]
pub(crate) struct Fact<T> {
    pub(crate) term: T,
    pub(crate) holds: bool,
    pub(crate) place: Place,
}

/// The facts that must all be so when the selector matches, and what remains as alternatives.
pub(crate) fn conjuncts<'s, T: Clone>(
    selector: &'s Sx<T>,
    holds: bool,
    facts: &mut Vec<Fact<T>>,
    choices: &mut Vec<(&'s [Sx<T>], bool)>,
) {
    match (selector, holds) {
        (Sx::Term(term, place), _) => {
            facts.push(Fact { term: term.clone(), holds, place: place.clone() });
        }
        (Sx::Not(part), _) => conjuncts(part, !holds, facts, choices),
        (Sx::All(parts), true) | (Sx::Any(parts), false) => {
            parts.iter().for_each(|part| conjuncts(part, holds, facts, choices));
        }
        (Sx::Any(parts), true) | (Sx::All(parts), false) => choices.push((parts, holds)),
        (Sx::Everything(_), _) => {}
    }
}
