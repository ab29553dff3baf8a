//! Globs over names, tags, releases and titles: one meaning for checks, interpreter and compiler.
//!
//! `*` is any text, `?` one character, `[abc]`, `[a-z]`, `[!a]` one of a set, `{a,b}` either, `\`
//! takes the next sign literally. Letter case never matters: both sides are folded to lower case.
//! In text beyond ASCII, `?` and sets see bytes, so that one `?` does not stand for one such letter.
//! A pattern that is not valid is refused when policies are checked and matches nothing here.

use globset::{GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

pub(crate) use crate::inventory::fold;
use crate::policy::selector::heads::Heads;

fn build(text: &str) -> Result<globset::Glob, globset::Error> {
    GlobBuilder::new(&fold(text))
        .literal_separator(false)
        .backslash_escape(true)
        .empty_alternates(true)
        .build()
}

/// Checks a pattern as the matchers read it, folded: `[Z-a]` is a range as it stands and none in
/// lower case.
///
/// # Errors
/// What is wrong with it, as a lower-case fragment.
pub fn check(text: &str) -> Result<(), String> {
    build(text).map(drop).map_err(|error| error.kind().to_string())
}

/// One compiled pattern.
#[derive(Clone, Debug)]
pub(crate) enum Matcher {
    /// Most patterns: compared piece by piece, several times faster than any automaton.
    Stars(Stars),
    /// With other signs.
    Glob(GlobMatcher),
    Invalid,
}

impl Matcher {
    pub(crate) fn new(text: &str) -> Self {
        if let Some(stars) = Stars::new(text) {
            return Self::Stars(stars);
        }
        build(text).map_or(Self::Invalid, |glob| Self::Glob(glob.compile_matcher()))
    }

    /// Whether the pattern covers a text that is folded already.
    pub(crate) fn covers(&self, folded: &str) -> bool {
        match self {
            Self::Stars(stars) => stars.covers(folded),
            Self::Glob(glob) => glob.is_match(folded),
            Self::Invalid => false,
        }
    }
}

/// A pattern without any sign but stars: the folded texts between them, the first at the beginning
/// and the last at the end. Two stars in a row are one, but beside a `/`, where they mean folders.
#[derive(Clone, Debug)]
pub(crate) struct Stars(Vec<Box<str>>);

impl Stars {
    fn new(text: &str) -> Option<Self> {
        let folders = text.contains("**") && text.contains('/');
        let other = folders || text.contains(['?', '[', ']', '{', '}', '\\']);
        (!other).then(|| Self(fold(text).split('*').map(Box::from).collect()))
    }

    fn covers<'t>(&self, folded: &'t str) -> bool {
        match &*self.0 {
            [] => false,
            [whole] => **whole == *folded,
            [first, between @ .., last] => {
                let rest =
                    folded.strip_prefix(&**first).and_then(|rest| rest.strip_suffix(&**last));
                let after =
                    |rest: &'t str, piece: &str| rest.split_once(piece).map(|(_, after)| after);
                let mut pieces = between.iter().map(|piece| &**piece);
                rest.and_then(|rest| pieces.try_fold(rest, after)).is_some()
            }
        }
    }
}

/// Many patterns, matched in one pass over a text. Those that say how a text begins or ends cost
/// nothing on texts that do not; the rest share one automaton.
#[derive(Clone, Debug)]
pub(crate) struct Matchers {
    /// Patterns of stars with their positions among the given ones, by how they begin …
    begin: Heads<(Stars, usize)>,
    /// … or by how they end, read backwards.
    end: Heads<(Stars, usize)>,
    set: Option<GlobSet>,
    /// Position among the given patterns, by position in the set: invalid ones are not in it.
    given: Vec<usize>,
}

impl Matchers {
    pub(crate) fn new<'a>(patterns: impl Iterator<Item = &'a str>) -> Self {
        let mut builder = GlobSetBuilder::new();
        let (mut begin, mut end, mut given) = (Vec::new(), Vec::new(), Vec::new());
        for (at, text) in patterns.enumerate() {
            let stars = Stars::new(text);
            let head = |piece: Option<&Box<str>>| piece.map(|piece| piece.as_bytes().to_vec());
            let first = stars.as_ref().and_then(|stars| head(stars.0.first()));
            let last = stars.as_ref().and_then(|stars| head(stars.0.last()));
            match (stars, first, last) {
                (Some(stars), Some(first), _) if !first.is_empty() => {
                    begin.push((first, (stars, at)));
                }
                (Some(stars), _, Some(mut last)) if !last.is_empty() => {
                    last.reverse();
                    end.push((last, (stars, at)));
                }
                _ => {
                    if let Ok(glob) = build(text) {
                        builder.add(glob);
                        given.push(at);
                    }
                }
            }
        }
        let set = if given.is_empty() { None } else { builder.build().ok() };
        Self { begin: Heads::new(begin), end: Heads::new(end), set, given }
    }

    /// Appends the positions of the patterns that cover a folded text, or `part`, a beginning of it
    /// that counts as well unless it is empty; some of them twice. `scratch` saves allocations.
    pub(crate) fn covering(
        &self,
        folded: &str,
        part: &str,
        scratch: &mut Scratch,
        out: &mut Vec<usize>,
    ) {
        let texts = [folded, part];
        let distinct = if part.is_empty() || part == folded { 1 } else { 2 };
        let texts = texts.iter().take(distinct);
        // What `part` begins with, the whole begins with too.
        self.begin.each(folded.as_bytes(), &mut |(stars, at)| {
            if texts.clone().any(|text| stars.covers(text)) {
                out.push(*at);
            }
        });
        for text in texts {
            if !self.end.is_empty() {
                scratch.backwards.clear();
                scratch.backwards.extend(text.bytes().rev());
                self.end.each(&scratch.backwards, &mut |(stars, at)| {
                    if stars.covers(text) {
                        out.push(*at);
                    }
                });
            }
            if let Some(set) = &self.set {
                set.matches_into(text, &mut scratch.found);
                out.extend(scratch.found.iter().filter_map(|at| self.given.get(*at)));
            }
        }
    }
}

/// What one pass over many texts uses again and again.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    backwards: Vec<u8>,
    found: Vec<usize>,
}

/// Whether a tag is meant as a pattern: only `*` and `?` make it one, since brackets occur in tags.
pub(crate) fn is_tag_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::inventory::host_part;

    #[test]
    fn a_set_of_patterns_does_not_take_a_text_for_a_path() {
        let matchers = Matchers::new(["**.", "a**b"].into_iter());
        let (mut scratch, mut found) = (Scratch::default(), Vec::new());
        matchers.covering("..", "", &mut scratch, &mut found);
        matchers.covering("ab", "", &mut scratch, &mut found);
        assert_eq!(found, [0, 1]);
    }

    proptest! {
        /// Every way to match says what the automaton of the one pattern says.
        #[test]
        fn all_ways_to_match_agree(
            patterns in proptest::collection::vec("[ab.é*]{0,6}|[ab*?{},\\[\\]]{0,5}", 0..12),
            texts in proptest::collection::vec("[abAB.é]{1,8}", 1..8),
        ) {
            let matchers = Matchers::new(patterns.iter().map(String::as_str));
            let mut scratch = Scratch::default();
            for text in texts.iter().map(|text| fold(text)) {
                let plain = |pattern: &str, text: &str| {
                    build(pattern).is_ok_and(|glob| glob.compile_matcher().is_match(text))
                };
                let (mut whole, mut either) = (Vec::new(), Vec::new());
                let host = host_part(&text);
                matchers.covering(&text, "", &mut scratch, &mut whole);
                matchers.covering(&text, host, &mut scratch, &mut either);
                for (at, pattern) in patterns.iter().enumerate() {
                    let wanted = plain(pattern, &text);
                    prop_assert_eq!(Matcher::new(pattern).covers(&text), wanted, "{} {}", pattern, text);
                    let times = whole.iter().filter(|found| **found == at).count();
                    prop_assert_eq!(times, usize::from(wanted), "{} {}", pattern, text);
                    let wanted = wanted || (!host.is_empty() && plain(pattern, host));
                    prop_assert_eq!(either.contains(&at), wanted, "{} {}", pattern, text);
                }
            }
        }
    }
}
