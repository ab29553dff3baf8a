//! Weaves switches into a file: each mutant stands beside the original and is chosen at run time.
//!
//! `a == b` becomes `(if on(7) { a != b } else { a == b })`. A mutated branch holds the original
//! text of its parts, because only one mutant is on at a time; so the text grows with the depth of
//! an expression and not with the number of combinations. Comments mark the branches, so that an
//! error of the compiler can be traced to its mutant. Called by `build`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::ops::Range;

use anyhow::Result;

use crate::list::{Genre, Mutant, Position};
use crate::sites::{self, Site};

/// The switch itself, added to the copy as a module of its own.
pub const SWITCH: &str = r#"
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
static ON: AtomicU32 = AtomicU32::new(u32::MAX);
static SEEN: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];
const fn never(_: u32) -> bool { false }
fn asked(id: u32) -> bool {
    let on = ON.load(Relaxed);
    if on < u32::MAX - 1 { return on == id; }
    first(id)
}
#[cold]
fn first(id: u32) -> bool {
    if ON.load(Relaxed) == u32::MAX {
        let on = std::env::var("MUTANT").ok().and_then(|on| on.parse().ok());
        ON.store(on.unwrap_or(u32::MAX - 1), Relaxed);
        return asked(id);
    }
    if !SEEN[id as usize].swap(true, Relaxed) {
        if let Ok(file) = std::env::var("MUTANT_TRACE") {
            use std::io::Write;
            let file = std::fs::OpenOptions::new().append(true).create(true).open(file);
            if let Ok(mut file) = file { let _ = file.write_all(format!("{id}\n").as_bytes()); }
        }
    }
    false
}
pub const fn on(id: u32) -> bool { core::intrinsics::const_eval_select((id,), never, asked) }
"#;

/// A place to change: bytes of the original, and what happens there.
struct Edit<'a> {
    at: Range<usize>,
    kind: Kind<'a>,
}

enum Kind<'a> {
    /// A choice between branches, else the original.
    Choice { branches: Vec<(usize, String)>, parts: Vec<Range<usize>> },
    /// A guard: forced true, forced false, or its arm gone.
    Guard { yes: Option<usize>, no: Vec<usize> },
    /// An arm without a guard that can go.
    Arm(usize),
    /// A body that returns something else at once.
    Body(Vec<(usize, &'a str)>),
    /// Words around a body.
    Words(String),
    /// A field in short form that can take the value of the base.
    ShortField { id: usize, name: String, base: String },
}

/// A file with switches, and the numbers of those that found no place.
pub struct Woven {
    pub text: String,
    pub homeless: Vec<usize>,
}

/// Weaves the mutants of one file into its text, without those in `dropped`.
///
/// # Errors
/// When the file is no Rust.
pub fn weave(
    text: &str,
    mutants: &[(usize, &Mutant)],
    dropped: &BTreeMap<usize, String>,
) -> Result<Woven> {
    let sites = sites::find(text)?;
    let lines: Vec<usize> =
        std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
    let mut homeless = Vec::new();
    let mut edits: BTreeMap<(usize, usize, u8), Edit<'_>> = BTreeMap::new();
    for (id, mutant) in mutants.iter().filter(|(id, _)| !dropped.contains_key(id)) {
        let (id, start) = (*id, mutant.span.start);
        if mutant.is_opaque() {
            let Some(tail) = instead(id, &mutant.replacement) else {
                homeless.push(id);
                continue;
            };
            let (start, end) = (offset(text, &lines, start), offset(text, &lines, mutant.span.end));
            words(&mut edits, start, "({ ");
            // The body ends once, whatever follows it.
            if !matches!(edits.get(&(end, 0, 0)), Some(Edit { kind: Kind::Words(_), .. })) {
                words(&mut edits, end, " })");
            }
            if let Some(Edit { kind: Kind::Words(words), .. }) = edits.get_mut(&(end, 0, 0)) {
                words.push_str(&tail);
            }
            continue;
        }
        if mutant.genre == Genre::FnValue {
            let at = offset(text, &lines, start);
            let edit = edits
                .entry((at, 0, 0))
                .or_insert_with(|| Edit { at: at..at, kind: Kind::Body(Vec::new()) });
            if let Kind::Body(values) = &mut edit.kind {
                values.push((id, &mutant.replacement));
            }
            continue;
        }
        match sites.get(&(mutant.genre, start)) {
            Some(site) => add(&mut edits, text, id, mutant, site),
            None => homeless.push(id),
        }
    }
    let edits: Vec<Edit<'_>> = edits.into_values().collect();
    Ok(Woven { text: render(text, 0..text.len(), &edits), homeless })
}

/// What follows an iterator that a mutant empties, and gives one element of its own.
fn instead(id: usize, replacement: &str) -> Option<String> {
    let gone = format!(".filter(|_| {})", marked(id, &format!("!{}", on(id))));
    if replacement == "::std::iter::empty()" {
        return Some(gone);
    }
    let element = replacement.strip_prefix("::std::iter::once(")?.strip_suffix(')')?;
    let one = marked(id, &format!("{}.then(|| {element})", on(id)));
    Some(format!("{gone}.chain({one})"))
}

fn words(edits: &mut BTreeMap<(usize, usize, u8), Edit<'_>>, at: usize, words: &str) {
    edits
        .entry((at, 0, 0))
        .or_insert_with(|| Edit { at: at..at, kind: Kind::Words(words.to_owned()) });
}

fn offset(text: &str, lines: &[usize], at: Position) -> usize {
    let start = lines[at.line - 1];
    let rest = &text[start..];
    start + rest.char_indices().nth(at.column - 1).map_or(rest.len(), |(byte, _)| byte)
}

/// Longer places come first among those that start together, insertions before them.
fn key(at: &Range<usize>, rank: u8) -> (usize, usize, u8) {
    (at.start, if at.is_empty() { 0 } else { usize::MAX - at.len() }, rank)
}

fn add<'a>(
    edits: &mut BTreeMap<(usize, usize, u8), Edit<'a>>,
    text: &str,
    id: usize,
    mutant: &'a Mutant,
    site: &Site,
) {
    let mut choice = |at: &Range<usize>, parts: Vec<Range<usize>>, branch: String| {
        let edit = edits.entry(key(at, 1)).or_insert_with(|| Edit {
            at: at.clone(),
            kind: Kind::Choice { branches: Vec::new(), parts },
        });
        if let Kind::Choice { branches, .. } = &mut edit.kind {
            branches.push((id, branch));
        }
    };
    match site {
        Site::Binary { whole, left, right } => {
            let (l, r) = (&text[left.clone()], &text[right.clone()]);
            choice(
                whole,
                vec![left.clone(), right.clone()],
                format!("{l} {} {r}", mutant.replacement),
            );
        }
        Site::Unary { whole, inner } => {
            choice(whole, vec![inner.clone()], text[inner.clone()].to_owned());
        }
        Site::Guard { whole } => {
            let edit = edits.entry(key(whole, 0)).or_insert_with(|| Edit {
                at: whole.clone(),
                kind: Kind::Guard { yes: None, no: Vec::new() },
            });
            if let Kind::Guard { yes, no } = &mut edit.kind {
                if mutant.replacement == "true" { *yes = Some(id) } else { no.push(id) }
            }
        }
        Site::Arm { guard: Some(guard), .. } => {
            let edit = edits.entry(key(guard, 0)).or_insert_with(|| Edit {
                at: guard.clone(),
                kind: Kind::Guard { yes: None, no: Vec::new() },
            });
            if let Kind::Guard { no, .. } = &mut edit.kind {
                no.push(id);
            }
        }
        Site::Arm { pattern_end, guard: None } => {
            let at = *pattern_end..*pattern_end;
            edits.insert(key(&at, 0), Edit { at, kind: Kind::Arm(id) });
        }
        Site::Field { name, value: Some(value), base, .. } => {
            choice(value, vec![value.clone()], format!("({}).{name}", &text[base.clone()]));
        }
        Site::Field { name, value: None, end, base } => {
            let (at, base) = (*end..*end, text[base.clone()].to_owned());
            let kind = Kind::ShortField { id, name: name.clone(), base };
            edits.insert(key(&at, 0), Edit { at, kind });
        }
    }
}

/// A branch between the comments that name its mutant.
fn marked(id: usize, branch: &str) -> String {
    format!("/*<{id}*/{branch}/*{id}>*/")
}

fn on(id: usize) -> String {
    format!("crate::mutant_switch::on({id})")
}

/// The text of `range` with what lies in it switched.
fn render(text: &str, range: Range<usize>, edits: &[Edit<'_>]) -> String {
    let mut out = String::new();
    let mut at = range.start;
    let mut rest = edits;
    while let Some((edit, others)) = rest.split_first() {
        rest = others;
        let here = &edit.at;
        if here.start < at || here.end > range.end || here.start < range.start {
            continue;
        }
        out.push_str(&text[at..here.start]);
        write_edit(&mut out, text, edit, others);
        at = here.end;
    }
    out.push_str(&text[at..range.end]);
    out
}

fn write_edit(out: &mut String, text: &str, edit: &Edit<'_>, inner: &[Edit<'_>]) {
    match &edit.kind {
        Kind::Body(values) => {
            for (id, value) in values {
                let value = marked(*id, &format!("return {value};"));
                let _ = write!(out, "if {} {{ {value} }} ", on(*id));
            }
        }
        Kind::Choice { branches, parts } => {
            out.push('(');
            for (id, branch) in branches {
                let _ = write!(out, "if {} {{ {} }} else ", on(*id), marked(*id, branch));
            }
            out.push_str("{ ");
            let mut at = edit.at.start;
            for part in parts {
                out.push_str(&text[at..part.start]);
                out.push_str(&render(text, part.clone(), inner));
                at = part.end;
            }
            out.push_str(&text[at..edit.at.end]);
            out.push_str(" })");
        }
        Kind::Guard { yes, no } => {
            let original = render(text, edit.at.clone(), inner);
            let no: String =
                no.iter().map(|id| format!("!{} && ", marked(*id, &on(*id)))).collect();
            match yes {
                Some(yes) => {
                    let _ = write!(out, "{no}({} || ({original}))", marked(*yes, &on(*yes)));
                }
                None => {
                    let _ = write!(out, "{no}({original})");
                }
            }
        }
        Kind::Words(words) => out.push_str(words),
        Kind::Arm(id) => {
            let _ = write!(out, " if !{}", marked(*id, &on(*id)));
        }
        Kind::ShortField { id, name, base } => {
            let value = marked(*id, &format!("({base}).{name}"));
            let _ = write!(out, ": (if {} {{ {value} }} else {{ {name} }})", on(*id));
        }
    }
}
