//! House rules a program can see: import directions, module headers, purity, length of files and
//! functions. The lists of exceptions may only shrink.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use source::{load, load_all};

/// Who may import whom; `ARCHITECTURE.md` has the same table.
const DIRECTIONS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("diag", &[]),
    ("inventory", &["model"]),
    ("policy", &["model", "diag", "inventory"]),
    ("plan", &["model", "policy", "inventory"]),
    ("apply", &["model", "inventory", "plan"]),
    ("wire", &["model", "inventory"]),
    ("report", &["model", "diag", "inventory", "policy", "plan", "apply"]),
    ("emulator", &["model", "host"]),
    ("host", &["model", "policy"]),
    ("drive", &["model", "inventory", "policy", "plan", "apply", "wire", "host"]),
    ("schema", &["model", "diag", "policy", "plan", "apply", "report"]),
    (
        "cli",
        &[
            "model",
            "diag",
            "inventory",
            "policy",
            "plan",
            "apply",
            "wire",
            "report",
            "emulator",
            "host",
            "drive",
            "schema",
        ],
    ),
];

/// What only the edge may touch, and where the edge is.
const IMPURE: &[&str] =
    &["tokio", "reqwest", "std::fs", "std::env", "std::net::Tcp", "std::process"];
const EDGE: &[&str] =
    &["host/", "drive/", "cli/", "emulator/serve", "emulator/transport", "main.rs"];

#[test]
fn modules_import_only_in_the_stated_directions() {
    let allowed: BTreeMap<&str, &[&str]> = DIRECTIONS.iter().copied().collect();
    let mut wrong = String::new();
    for file in load() {
        let Some(rules) = allowed.get(file.module()) else {
            assert!(
                matches!(file.module(), "lib" | "main"),
                "{}: module not in the table",
                file.path
            );
            continue;
        };
        for (line, target) in file.imports() {
            if target != file.module()
                && allowed.contains_key(target.as_str())
                && !rules.contains(&target.as_str())
            {
                let _ = writeln!(
                    wrong,
                    "{}:{line}: `{}` may not import `{target}`",
                    file.path,
                    file.module()
                );
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn the_table_in_the_architecture_is_the_table_that_is_enforced() {
    let text = source::read("ARCHITECTURE.md");
    for (module, may) in DIRECTIONS {
        let start = format!("| `{module}` |");
        let row = text.lines().find(|line| line.starts_with(&start));
        let row = row.unwrap_or_else(|| panic!("ARCHITECTURE.md has no row for `{module}`"));
        let last = row.trim_end_matches('|').rsplit('|').next().unwrap_or_default();
        if last.trim() == "everything" {
            continue;
        }
        let named: BTreeSet<&str> = last
            .split('`')
            .skip(1)
            .step_by(2)
            .map(|name| name.split(' ').next().unwrap_or(name))
            .collect();
        assert_eq!(named, may.iter().copied().collect(), "ARCHITECTURE.md, row `{module}`");
    }
}

#[test]
fn every_module_says_at_its_head_why_it_exists() {
    let headless: Vec<String> = load_all()
        .into_iter()
        .filter(|file| !file.text.starts_with("//! "))
        .map(|file| file.path)
        .collect();
    assert!(headless.is_empty(), "no `//!` header: {headless:?}");
}

#[test]
fn only_the_edge_touches_the_outside_world() {
    let mut wrong = String::new();
    for file in load() {
        if EDGE.iter().any(|edge| file.path.contains(&format!("src/{edge}"))) {
            continue;
        }
        for (number, line) in file.code().lines().enumerate() {
            for word in IMPURE {
                if source::has_path(line, word) {
                    let _ =
                        writeln!(wrong, "{}:{}: `{word}` outside the edge", file.path, number + 1);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn files_and_functions_stay_short() {
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    for file in load_all() {
        let lines = file.code().lines().count();
        if lines > 500 {
            found.insert(file.path.clone(), lines);
        }
        for (name, length) in file.functions() {
            if length > 70 {
                found.insert(format!("{}::{name}", file.path), length);
            }
        }
    }
    let listed = source::ratchet();
    let mut wrong = String::new();
    for (what, length) in &found {
        match listed.get(what) {
            None => {
                let _ =
                    writeln!(wrong, "{what} {length}: too long (500 lines a file, 70 a function)");
            }
            Some(limit) if length > limit => {
                let _ = writeln!(wrong, "{what} {length}: has grown, it was {limit}");
            }
            Some(_) => {}
        }
    }
    for what in listed.keys().filter(|what| !found.contains_key(*what)) {
        let _ = writeln!(wrong, "{what}: short enough now, take it off tests/it/tidy/ratchet.txt");
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[test]
fn no_promise_stands_in_the_code() {
    let mut wrong = String::new();
    for file in load_all() {
        for word in ["todo!(", "unimplemented!(", "#[ignore", "FIXME", "XXX"] {
            if file.text.contains(word) {
                let _ = writeln!(wrong, "{}: `{word}`", file.path);
            }
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
