//! What is generated and committed is current: schemas and the pages made from tables.

use std::path::{Path, PathBuf};

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn bless() -> bool {
    std::env::var_os("BLESS").is_some()
}

fn check(name: &str, expected: &str) {
    let path = path(name);
    if bless() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == expected,
        "{name} is not current; run `just gen`, or `BLESS=1 cargo test --test it generated`"
    );
}

#[test]
fn schemas_are_current() {
    let mut names = Vec::new();
    for (name, schema) in palisade::schema::all() {
        check(&format!("schemas/{name}"), &palisade::schema::text(&schema));
        names.push(name);
    }
    let mut found: Vec<String> = std::fs::read_dir(path("schemas"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    found.sort();
    assert_eq!(found, names, "schemas/ holds exactly what `palisade schema --write` writes");
}

#[test]
fn every_schema_compiles_and_every_shipped_policy_satisfies_it() {
    let schema = palisade::schema::named("policy").unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    for name in palisade::schema::names() {
        let schema = palisade::schema::named(name).unwrap_or_else(|| panic!("no schema {name}"));
        jsonschema::draft202012::new(&schema).unwrap();
    }
    let mut seen = 0;
    for folder in std::fs::read_dir(path("policies")).unwrap() {
        let folder = folder.unwrap().path();
        for file in folder.read_dir().into_iter().flatten() {
            let file = file.unwrap().path();
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(
                text.starts_with(
                    "# yaml-language-server: $schema=../../schemas/policy.schema.json\n"
                ),
                "{}: the editor's hint is the first line",
                file.display()
            );
            let value: serde_json::Value = serde_yaml::from_str(&text).unwrap();
            let errors: Vec<String> =
                validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:?}", file.display());
            seen += 1;
        }
    }
    assert_eq!(seen, 10);
}

#[test]
fn a_mistake_in_a_spec_is_found_by_the_combined_schema() {
    let schema = palisade::schema::named("policy").unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let text = "apiVersion: palisade/v1\nkind: IsolationSet\nmetadata: {name: a}\nspec: {devices: {tga: x}}\n";
    let value: serde_json::Value = serde_yaml::from_str(text).unwrap();
    assert!(!validator.is_valid(&value));
}

#[test]
fn the_page_of_codes_is_current() {
    let head = "# Codes\n\nWhat `palisade validate` can say. A code is never renamed; every one has a fixture under\n`tests/fixtures/policy/`.\n\n";
    check("docs/codes.md", &format!("{head}{}\n", palisade::diag::page::findings()));
}
