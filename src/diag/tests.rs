//! Codes are unique and told; places and near words are found as people would.

use super::*;
use std::collections::BTreeSet;

#[test]
fn codes_are_unique_kebab_case_words_with_title_and_help() {
    let mut seen = BTreeSet::new();
    for code in Code::ALL {
        let word = code.word();
        assert!(seen.insert(word), "`{word}` stands twice");
        assert!(word.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{word}");
        for text in [code.title(), code.help()] {
            assert!(
                !text.is_empty() && !text.ends_with('.') && !text.contains('\n'),
                "{word}: {text}"
            );
        }
        assert_eq!(Code::from_word(word), Some(*code));
    }
}

#[test]
fn near_words_are_those_a_person_meant() {
    let keys = ["devices", "isolation", "lease", "onExpiry", "mode", "adopt"];
    for (typed, meant) in [
        ("device", Some("devices")),
        ("isolaton", Some("isolation")),
        ("on_expiry", Some("onExpiry")),
        ("onexpiry", Some("onExpiry")),
        ("laese", Some("lease")),
        ("comment", None),
        ("", None),
        ("m", None),
    ] {
        assert_eq!(words::near(typed, keys), meant, "{typed}");
    }
}

#[test]
fn lists_read_like_sentences() {
    assert_eq!(words::any_of([]), "");
    assert_eq!(words::any_of(["a"]), "`a`");
    assert_eq!(words::any_of(["a", "b", "c"]), "`a`, `b` or `c`");
    assert_eq!(words::all_of(["a", "b"]), "`a` and `b`");
}

#[test]
fn user_words_cannot_steer_a_terminal() {
    assert_eq!(words::quote("a\u{1b}[31m`b\u{202e}"), "`a\\u{1b}[31m'b\\u{202e}`");
    assert_eq!(words::quote(&"x".repeat(99)).chars().count(), 66);
}

#[test]
fn places_count_characters_and_forget_a_byte_order_mark() {
    let text = "\u{feff}a: ü\r\nbb: x\r\n";
    let at = text.find('x').unwrap();
    let place = Place::of(text, at..at + 1);
    assert_eq!((place.line, place.column, place.end_line, place.end_column), (2, 5, 2, 6));
    let first = Place::of(text, 3..4);
    assert_eq!((first.line, first.column), (1, 1));
}

#[test]
fn findings_come_in_the_order_of_reading_and_once() {
    let file: Arc<str> = "a.yaml".into();
    let at = |line| Place { line, column: 1, end_line: line, end_column: 2, start: 0, end: 1 };
    let mut findings = vec![
        Finding::new(Code::WrongType, &file, at(4), "b"),
        Finding::new(Code::UnknownKey, &file, at(2), "a"),
        Finding::new(Code::UnknownKey, &file, at(2), "a"),
    ];
    sort(&mut findings);
    assert_eq!(findings.iter().map(|f| f.span.line).collect::<Vec<_>>(), [2, 4]);
}
