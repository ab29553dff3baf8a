//! Globs over names, tags, releases and titles: one meaning for checks, interpreter and compiler.
//!
//! `*` is any text, `?` one character, `[abc]`, `[a-z]`, `[!a]` one of a set, `{a,b}` either, `\`
//! takes the next sign literally. Letter case never matters: both sides are folded to lower case.
//! In text beyond ASCII, `?` and sets see bytes, so that one `?` does not stand for one such letter.
//! A pattern that is not valid is refused when policies are checked and matches nothing here.

use globset::{GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};

pub(crate) use crate::inventory::fold;

/// Whether a pattern has any sign that is not literal.
#[must_use]
pub fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', ']', '{', '}', '\\'])
}

fn build(text: &str) -> Result<globset::Glob, globset::Error> {
    GlobBuilder::new(&fold(text))
        .literal_separator(false)
        .backslash_escape(true)
        .empty_alternates(true)
        .build()
}

/// Checks a pattern.
///
/// # Errors
/// What is wrong with it, as a lower-case fragment.
pub fn check(text: &str) -> Result<(), String> {
    build(text).map(drop).map_err(|error| error.kind().to_string())
}

/// One compiled pattern.
#[derive(Clone, Debug)]
pub(crate) struct Matcher(Option<GlobMatcher>);

impl Matcher {
    pub(crate) fn new(text: &str) -> Self {
        Self(build(text).ok().map(|glob| glob.compile_matcher()))
    }

    /// Whether the pattern covers a text that is folded already.
    pub(crate) fn covers(&self, folded: &str) -> bool {
        self.0.as_ref().is_some_and(|matcher| matcher.is_match(folded))
    }
}

/// Many patterns, matched in one pass over a text.
#[derive(Clone, Debug)]
pub(crate) struct Matchers {
    set: Option<GlobSet>,
    /// Position among the given patterns, by position in the set: invalid ones are not in it.
    given: Vec<usize>,
}

impl Matchers {
    pub(crate) fn new<'a>(patterns: impl Iterator<Item = &'a str>) -> Self {
        let mut builder = GlobSetBuilder::new();
        let mut given = Vec::new();
        for (at, glob) in patterns.map(build).enumerate() {
            if let Ok(glob) = glob {
                builder.add(glob);
                given.push(at);
            }
        }
        Self { set: builder.build().ok(), given }
    }

    /// Appends the positions of the patterns that cover a folded text; `scratch` saves allocations.
    pub(crate) fn covering(&self, folded: &str, scratch: &mut Vec<usize>, out: &mut Vec<usize>) {
        if let Some(set) = &self.set {
            set.matches_into(folded, scratch);
            out.extend(scratch.iter().filter_map(|at| self.given.get(*at)));
        }
    }
}

/// Whether a tag is meant as a pattern: only `*` and `?` make it one, since brackets occur in tags.
pub(crate) fn is_tag_pattern(text: &str) -> bool {
    text.contains(['*', '?'])
}
