//! Makes the copy with the switches, and takes out what does not compile until the rest does.
//!
//! A mutant is taken out when an error of the compiler points into its branch. What is taken out
//! is told, with the compiler's word: a type without a default or an arm that cannot go is no mutant at
//! all, what remains of them is left to `cargo mutants` itself. Called by `main`.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use crate::Place;
use crate::list::Mutant;
use crate::weave::{self, SWITCH};

/// The copy as it compiles.
pub struct Built {
    /// Mutants that are not in it, with what the compiler said of each.
    pub dropped: BTreeMap<usize, String>,
    /// The test programs.
    pub tests: Vec<String>,
}

/// A line of what cargo says.
#[derive(Deserialize)]
struct Line {
    message: Option<Message>,
    executable: Option<String>,
    profile: Option<Profile>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[derive(Deserialize)]
struct Message {
    level: String,
    message: String,
    rendered: Option<String>,
    spans: Vec<Part>,
    #[serde(default)]
    children: Vec<Message>,
}

#[derive(Deserialize)]
struct Part {
    file_name: String,
    byte_start: usize,
    byte_end: usize,
    expansion: Option<Box<Expansion>>,
}

#[derive(Deserialize)]
struct Expansion {
    span: Part,
}

/// Copies, weaves and compiles.
///
/// # Errors
/// When an error of the compiler points into no mutant, or a file cannot be read or written.
pub fn until_it_compiles(place: &Place, mutants: &[Mutant]) -> Result<Built> {
    copy(place)?;
    let memory = place.copy.join("dropped.json");
    // Known by name from the last time: numbers change with the list.
    let known: BTreeMap<String, String> = match fs::read(&memory) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(_) => BTreeMap::new(),
    };
    let known = |(id, mutant): (usize, &Mutant)| Some((id, known.get(&mutant.name)?.clone()));
    let mut dropped: BTreeMap<usize, String> =
        mutants.iter().enumerate().filter_map(known).collect();
    loop {
        let homeless = write(place, mutants, &dropped)?;
        dropped.extend(homeless.into_iter().map(|id| (id, "no place for a switch".to_owned())));
        let said = compile(place)?;
        let mut found = BTreeMap::new();
        let mut lost = Vec::new();
        let mut tests = Vec::new();
        for line in &said {
            if let (Some(path), Some(Profile { test: true })) = (&line.executable, &line.profile) {
                tests.push(path.clone());
            }
            let Some(message) = line.message.as_ref().filter(|said| said.level == "error") else {
                continue;
            };
            match culprits(place, message)? {
                ids if ids.is_empty() => lost.push(message.rendered.clone().unwrap_or_default()),
                ids => found.extend(ids.into_iter().map(|id| (id, message.message.clone()))),
            }
        }
        println!("{} mutants do not compile this way, {} errors besides", found.len(), lost.len());
        if found.is_empty() {
            if let Some(first) = lost.iter().find(|text| !text.starts_with("error: aborting")) {
                bail!("an error that no mutant explains:\n{first}");
            }
            return Ok(Built { dropped, tests });
        }
        dropped.extend(found);
        let names: BTreeMap<&str, &str> =
            dropped.iter().map(|(id, why)| (mutants[*id].name.as_str(), why.as_str())).collect();
        fs::write(&memory, serde_json::to_vec(&names)?)?;
    }
}

/// Copies what Git knows of the checkout.
fn copy(place: &Place) -> Result<()> {
    let listed =
        Command::new("git").args(["ls-files", "-z"]).current_dir(&place.source).output()?;
    for name in String::from_utf8(listed.stdout)?.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (place.source.join(name), place.copy.join(name));
        let Ok(bytes) = fs::read(&from) else { continue };
        if fs::read(&to).is_ok_and(|old| old == bytes) || name.starts_with("src/") && to.exists() {
            continue;
        }
        fs::create_dir_all(to.parent().context("a file stands in a folder")?)?;
        fs::copy(&from, &to)?;
    }
    Ok(())
}

/// Writes all sources with their switches; which mutants found no place.
fn write(
    place: &Place,
    mutants: &[Mutant],
    dropped: &BTreeMap<usize, String>,
) -> Result<Vec<usize>> {
    let mut files: BTreeMap<&str, Vec<(usize, &Mutant)>> = BTreeMap::new();
    for (id, mutant) in mutants.iter().enumerate() {
        files.entry(&mutant.file).or_default().push((id, mutant));
    }
    let mut homeless = Vec::new();
    let listed =
        Command::new("git").args(["ls-files", "src"]).current_dir(&place.source).output()?;
    for name in String::from_utf8(listed.stdout)?.lines() {
        let Ok(mut text) = fs::read_to_string(place.source.join(name)) else { continue };
        if let Some(mutants) = files.get(name) {
            let woven = weave::weave(&text, mutants, dropped).with_context(|| name.to_owned())?;
            homeless.extend(woven.homeless);
            text = woven.text;
        }
        if name == "src/lib.rs" {
            let features = "#![feature(core_intrinsics, const_eval_select)]\n#![allow(warnings, arithmetic_overflow, unconditional_panic)]\n";
            text = format!("{features}{text}\npub mod mutant_switch;\n");
        }
        put(&place.copy.join(name), &text)?;
    }
    let count = mutants.len();
    let switch = format!("const COUNT: usize = {count};\n{SWITCH}");
    put(&place.copy.join("src/mutant_switch.rs"), &switch)?;
    Ok(homeless)
}

fn put(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|old| old == text) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().context("a file stands in a folder")?)?;
    fs::write(path, text).with_context(|| path.display().to_string())
}

fn compile(place: &Place) -> Result<Vec<Line>> {
    let check = run(place, &["check", "--locked", "--lib", "--message-format=json"])?;
    let failed = |line: &Line| line.message.as_ref().is_some_and(|said| said.level == "error");
    if check.iter().any(failed) {
        return Ok(check);
    }
    run(place, &["test", "--locked", "--lib", "--test", "it", "--no-run", "--message-format=json"])
}

fn run(place: &Place, words: &[&str]) -> Result<Vec<Line>> {
    let said = Command::new("cargo")
        .args(words)
        .current_dir(&place.copy)
        .env("RUSTC_BOOTSTRAP", "palisade")
        .stderr(std::process::Stdio::inherit())
        .output()?;
    let lines = String::from_utf8(said.stdout)?;
    Ok(lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

/// The mutants that an error points at: the innermost branch around each of its places.
fn culprits(place: &Place, message: &Message) -> Result<BTreeSet<usize>> {
    let mut ids = BTreeSet::new();
    let all = message.spans.iter().chain(message.children.iter().flat_map(|child| &child.spans));
    for part in all {
        let mut part = part;
        while let Some(expansion) = &part.expansion {
            part = &expansion.span;
        }
        let Ok(text) = fs::read_to_string(place.copy.join(&part.file_name)) else { continue };
        ids.extend(branches(&text, part.byte_start, part.byte_end));
        if !ids.is_empty() {
            return Ok(ids);
        }
    }
    // A match that is not exhaustive once an arm can go: the help points behind its last arm.
    for part in message.children.iter().flat_map(|child| &child.spans) {
        let Ok(text) = fs::read_to_string(place.copy.join(&part.file_name)) else { continue };
        let before = &text[..part.byte_start.min(text.len())];
        let arm = before.rfind(" if !/*<").map(|open| &before[open + 8..]);
        let id = arm.and_then(|arm| arm.split_once("*/"));
        let id = id.and_then(|(id, _)| id.parse::<usize>().ok());
        ids.extend(id);
    }
    Ok(ids)
}

/// The mutants whose branches hold these bytes, or that stand within them when none does.
fn branches(text: &str, start: usize, end: usize) -> Vec<usize> {
    let mut around = Vec::new();
    let mut within = Vec::new();
    for (open, _) in text.match_indices("/*<") {
        let Some((number, _)) = text[open + 3..].split_once("*/") else { continue };
        let Ok(id) = number.parse::<usize>() else { continue };
        let Some(length) = text[open..].find(&format!("/*{id}>*/")) else { continue };
        let close = open + length;
        if open <= start && end <= close {
            around.push((length, id));
        } else if start <= open && close <= end {
            within.push(id);
        }
    }
    match around.into_iter().min() {
        Some((_, id)) => vec![id],
        None if within.len() <= 4 => within,
        None => Vec::new(),
    }
}
