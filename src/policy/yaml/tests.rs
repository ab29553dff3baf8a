//! Trees with places: what is read, what is refused, and where.

use std::sync::Arc;

use super::*;
use crate::diag::Code;

fn read(text: &str) -> Parsed {
    let file: Arc<str> = "p.yaml".into();
    parse(&file, text)
}

fn codes(text: &str) -> Vec<(Code, u32, u32)> {
    read(text).findings.iter().map(|f| (f.code, f.span.line, f.span.column)).collect()
}

/// The text of every key and value, taken from its place.
fn slices<'t>(text: &'t str, node: &Node, out: &mut Vec<&'t str>) {
    match &node.content {
        Content::Seq(items) => items.iter().for_each(|item| slices(text, item, out)),
        Content::Map(entries) => {
            for entry in entries {
                out.push(&text[entry.key_place.bytes()]);
                slices(text, &entry.value, out);
            }
        }
        _ => out.push(&text[node.place.bytes()]),
    }
}

#[test]
fn every_key_and_value_has_its_place() {
    for bom in ["", "\u{feff}"] {
        for end in ["\n", "\r\n"] {
            let text = format!("{bom}ä: 'x y'{end}b:{end}  - c: [1, \"ü\"]{end}  - ~{end}");
            let parsed = read(&text);
            let mut found = Vec::new();
            slices(&text, &parsed.documents[0], &mut found);
            assert_eq!(found, ["ä", "'x y'", "b", "c", "1", "\"ü\"", "~"], "{text:?}");
            let b = parsed.documents[0].entry("b").unwrap();
            assert_eq!((b.key_place.line, b.key_place.column), (2, 1));
            let first = parsed.documents[0].entry("ä").unwrap();
            assert_eq!((first.key_place.line, first.key_place.column), (1, 1));
            assert_eq!(first.value.place.column, 4);
        }
    }
}

#[test]
fn blocks_end_with_their_last_value() {
    let text = "spec:\n  a: 1\n  b: |\n    line\n    two\n\n\nnext: 2\n";
    let root = read(text).documents.remove(0);
    let spec = root.get("spec").unwrap();
    assert_eq!(&text[spec.place.bytes()], "a: 1\n  b: |\n    line\n    two");
    assert_eq!((spec.place.line, spec.place.end_line), (2, 5));
    assert_eq!(spec.get("b").unwrap().text(), Some("line\ntwo\n"));
}

#[test]
fn bare_words_follow_the_core_schema() {
    let json = |text: &str| read(text).documents[0].to_json();
    assert_eq!(
        json("[true, False, null, 12, -3, 0x1f, 0o17, 1.5, 1e3, 1_000, 24H2, 5%, +x, .5, '12']"),
        serde_json::json!([
            true, false, null, 12, -3, 31, 15, 1.5, 1000.0, "1_000", "24H2", "5%", "+x", 0.5, "12"
        ])
    );
}

#[test]
fn what_others_read_differently_is_refused() {
    assert_eq!(codes("a: no\nb: 'no'\nc: nobody\n"), [(Code::AmbiguousWord, 1, 4)]);
    assert_eq!(codes("a: [Yes, ON, oFf]\n").len(), 2);
    assert_eq!(codes("a: 0755\nb: 0\nc: 0.5\n"), [(Code::LeadingZero, 1, 4)]);
}

#[test]
fn duplicates_anchors_tags_and_strange_keys_are_refused_with_their_place() {
    let parsed = read("a: 1\nb: 2\na: 3\n");
    assert_eq!(parsed.findings[0].labels[0].span.line, 1);
    assert_eq!(codes("a: 1\nb: 2\na: 3\n"), [(Code::DuplicateKey, 3, 1)]);
    assert_eq!(codes("a: &x 1\nb: *x\n"), [(Code::YamlAlias, 1, 4), (Code::YamlAlias, 2, 4)]);
    assert_eq!(codes("a: {<<: *x}\n"), [(Code::YamlAlias, 1, 5), (Code::YamlAlias, 1, 9)]);
    assert_eq!(codes("a: !!str 1\n"), [(Code::YamlTag, 1, 4)]);
    assert_eq!(codes("? [a, b]\n: 1\n"), [(Code::YamlKey, 1, 3)]);
}

#[test]
fn after_a_syntax_error_the_next_document_is_read() {
    let parsed = read("a: [1\n---\nb: 2\n---\nc: ]\n---\nd: 4\n");
    let keys: Vec<&str> = parsed.documents.iter().map(|d| d.entries()[0].key.as_str()).collect();
    assert_eq!(keys, ["b", "d"]);
    assert_eq!(parsed.findings.len(), 2);
    assert!(parsed.findings.iter().all(|f| f.code == Code::YamlSyntax));
}

#[test]
fn a_tab_is_explained() {
    assert_eq!(codes("a:\n\tb: 1\n"), [(Code::YamlTab, 2, 1)]);
}

#[test]
fn deep_nesting_ends_the_document_and_not_the_program() {
    let deep = format!("{}{}", "[".repeat(40), "]".repeat(40));
    assert_eq!(codes(&format!("a: {deep}\n---\nb: 1\n"))[0].0, Code::YamlDepth);
    assert_eq!(read(&format!("a: {deep}\n---\nb: 1\n")).documents.len(), 1);
    let absurd = "[".repeat(100_000);
    assert_eq!(codes(&absurd).len(), 1);
    let blocks: String = (0..500).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert_eq!(codes(&blocks)[0].0, Code::YamlDepth);
}

#[test]
fn an_alias_bomb_costs_nothing() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..30 {
        let list = vec![format!("*a{}", level - 1); 9].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{list}]\n"));
    }
    let parsed = read(&bomb);
    assert!(parsed.findings.iter().all(|f| f.code == Code::YamlAlias));
    assert_eq!(parsed.findings.len(), 30 + 29 * 9);
}

#[test]
fn empty_texts_hold_no_documents() {
    for text in ["", "\u{feff}", "# only a comment\n", "---\n---\n", "\n\n"] {
        assert!(read(text).documents.is_empty(), "{text:?}");
        assert!(read(text).findings.is_empty(), "{text:?}");
    }
}
