//! The committed corpus of the fuzz targets, tried by every run of the tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[allow(unreachable_pub, dead_code, reason = "it is the library of a package of its own")]
#[path = "../../fuzz/src/lib.rs"]
mod fuzzed;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

fn inputs(target: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let entries = std::fs::read_dir(folder().join(target)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect()
}

#[test]
fn every_input_of_the_corpus_holds() {
    for (target, run) in fuzzed::TARGETS {
        let inputs = inputs(target);
        assert!(!inputs.is_empty(), "{target} has no corpus");
        for (path, input) in inputs {
            let ended = std::panic::catch_unwind(|| run(&input));
            assert!(ended.is_ok(), "{}", path.display());
        }
    }
}

#[test]
fn every_target_has_its_corpus_and_its_binary() {
    let targets: BTreeSet<String> =
        fuzzed::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    let names = |path: &str, ending: &str| -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let entries = std::fs::read_dir(folder).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.map(|name| name.trim_end_matches(ending).to_owned()).collect()
    };
    assert_eq!(names("fuzz/corpus", ""), targets);
    assert_eq!(names("fuzz/fuzz_targets", ".rs"), targets);
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml");
    let manifest = std::fs::read_to_string(manifest).unwrap();
    assert!(targets.iter().all(|name| manifest.contains(&format!("name = \"{name}\""))));
}

#[test]
fn the_corpus_stays_small() {
    let sizes = fuzzed::TARGETS.iter().flat_map(|(target, _)| inputs(target));
    let bytes: usize = sizes.map(|(_, input)| input.len()).sum();
    assert!(bytes < 1_000_000, "{bytes} bytes");
}
