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
    assert_eq!(read.chain.len(), 4);
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
    let (rest, hash) = first.rsplit_once(",\"hash\":").unwrap();
    assert_eq!(hash.len(), 67, "{hash}");
    assert_eq!(
        format!("{rest}}}"),
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
    assert!(decode(b"").unwrap().chain.is_empty() && !decode(&bytes).unwrap().chain.is_empty());
}

#[test]
fn every_flipped_bit_is_found() {
    let bytes = journal();
    // Without its line feed a last line counts as torn.
    for at in 0..bytes.len() - 1 {
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
fn a_line_added_by_hand_is_found() {
    let bytes = journal();
    let text = std::str::from_utf8(&bytes).unwrap();
    let read = decode(&bytes).unwrap();
    let last = text.lines().last().unwrap();
    // With everything that a careful hand can copy; what stands in it is not what the hash is of.
    let added = last.replacen("\"seq\":3", "\"seq\":4", 1);
    let prev = &read.entries[3].prev;
    let (line, _) =
        read.chain.clone().line(read.entries[3].time, read.entries[3].entry.clone()).unwrap();
    let next = serde_json::from_slice::<JournalEntry>(&line[..line.len() - 1]).unwrap().prev;
    let added = format!("{text}{}\n", added.replacen(prev, &next, 1));
    assert!(matches!(decode(added.as_bytes()), Err(Broken::Edited { line: 5 })));
    let bare = format!(
        "{text}{{\"seq\":4,\"time\":\"2026-11-23T10:02:00Z\",\"prev\":\"{next}\",\"type\":\"resumed\",\"tool\":\"x\"}}\n"
    );
    assert!(matches!(decode(bare.as_bytes()), Err(Broken::Edited { line: 5 })));
}

#[test]
fn journals_of_the_first_days_are_read() {
    let line = r#"{"seq":0,"time":"2026-11-23T10:02:00.5Z","prev":"0000000000000000000000000000000000000000000000000000000000000000","type":"resumed","tool":"x"}"#;
    assert_eq!(decode(format!("{line}\n").as_bytes()).unwrap().entries.len(), 1);
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
        "20261123T100200Z0-7f3c9a",
        "2026/../100200Z/-7f3c9a",
        "20261123-100200Z-7f3c9a",
        "20261123T100200+-7f3c9a",
        "20261123T100200Z-7f3c9a7f3c9a7f3c9",
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
