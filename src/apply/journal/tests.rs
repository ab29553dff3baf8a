//! Lines, chains and names of runs.

use super::run_id::{is_run_id, run_id};
use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn journal() -> Vec<u8> {
    let mut chain = Chain::default();
    let entries = [
        Entry::Intent { change: "0a".into(), part: Part::Action, attempt: 1 },
        Entry::Answer {
            change: "0a".into(),
            part: Part::Action,
            answer: Noted::Accepted { action: Some("77".into()) },
        },
        Entry::Outcome {
            change: "0a".into(),
            ended: Ended::because(
                Outcome::Moved,
                Reason::new("action-in-flight").with("by", "ada"),
            ),
        },
        Entry::Finished { counts: [(Outcome::Moved, 1)].into(), total: 1 },
    ];
    let mut bytes = Vec::new();
    for entry in entries {
        let (line, _) = chain.line(at("2026-11-23T10:02:00.5Z"), entry).unwrap();
        bytes.extend(line);
    }
    bytes
}

#[test]
fn a_journal_reads_back_as_it_was_written() {
    let bytes = journal();
    let read = decode(&bytes).unwrap();
    assert_eq!(read.entries.len(), 4);
    assert_eq!((read.valid, read.cut), (bytes.len() as u64, 0));
    let mut again = Vec::new();
    let mut chain = Chain::default();
    for entry in read.entries {
        again.extend(chain.line(entry.time, entry.entry).unwrap().0);
    }
    assert_eq!(again, bytes);
}

#[test]
fn lines_are_for_other_programs_too() {
    let bytes = journal();
    let text = std::str::from_utf8(&bytes).unwrap();
    let first = text.lines().next().unwrap();
    assert_eq!(
        first,
        r#"{"seq":0,"time":"2026-11-23T10:02:00.5Z","prev":"0000000000000000000000000000000000000000000000000000000000000000","type":"intent","change":"0a","part":"action","attempt":1}"#
    );
}

#[test]
fn a_torn_last_line_is_cut_and_the_rest_holds() {
    let bytes = journal();
    let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for end in last..bytes.len() {
        let read = decode(&bytes[..end]).unwrap();
        assert_eq!(read.entries.len(), 3);
        assert_eq!((read.valid, read.cut), (last as u64, (end - last) as u64));
    }
    assert!(decode(b"").unwrap().chain.is_empty());
}

#[test]
fn every_flipped_bit_before_the_last_line_is_found() {
    let bytes = journal();
    let last = bytes[..bytes.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for at in 0..last {
        let mut edited = bytes.clone();
        edited[at] ^= 1;
        assert!(decode(&edited).is_err(), "flip at {at}");
    }
}

#[test]
fn a_removed_or_moved_line_is_named() {
    let bytes = journal();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let without = [lines[0], lines[2], lines[3]].concat();
    assert!(matches!(decode(&without), Err(Broken::Chain { line: 2 })));
    let swapped = [lines[0], lines[2], lines[1], lines[3]].concat();
    assert!(matches!(decode(&swapped), Err(Broken::Chain { line: 2 })));
    let headless = lines[1..].concat();
    assert!(matches!(decode(&headless), Err(Broken::Chain { line: 1 })));
    let garbage = [lines[0], b"{}\n"].concat();
    assert!(matches!(decode(&garbage), Err(Broken::Syntax { line: 2, .. })));
}

#[test]
fn runs_are_named_by_time_and_plan() {
    let id = run_id(at("2026-11-23T10:02:00.9Z"), "7f3c9a12ff");
    assert_eq!(id.as_str(), "20261123T100200Z-7f3c9a");
    assert!(is_run_id(id.as_str()));
    for other in [
        "",
        "lock",
        "20261123T100200Z",
        "20261123T100200Z-",
        "../20261123T100200Z-7f",
        "20261123T100200Z-7f/..",
    ] {
        assert!(!is_run_id(other), "{other}");
    }
}

#[test]
fn entries_have_a_schema() {
    let schema = schemars::schema_for!(JournalEntry);
    let text = serde_json::to_string(&schema).unwrap();
    for word in ["started", "intent", "planHash", "alreadySo"] {
        assert!(text.contains(word), "{word}");
    }
}
