//! Journals: what is read back is what was written, a changed line is noticed, and a run can be
//! taken up from any history without end or panic.
//!
//! The input is tried as a file and as entries without their chain, one a line; `@0`, `@1` and so on
//! stand for the plan's changes.

use palisade::apply::journal::{Chain, Entry, JournalEntry, decode};
use palisade::apply::step::{Answer, Event, Step};
use palisade::apply::{Engine, Options};
use palisade::plan::file::{self, CheckedPlan};

use super::made;

/// Tries the input in both ways.
pub fn run(data: &[u8]) {
    if let Ok(read) = decode(data) {
        assert_eq!(read.valid + read.cut, data.len() as u64);
        assert_eq!(read.entries.len() as u64, read.chain.len());
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let entries: Vec<Entry> = text.lines().take(200).filter_map(entry).collect();
    let (bytes, written) = chained(entries);
    let read = decode(&bytes);
    assert!(read.as_ref().is_ok_and(|read| read.entries == written), "{read:?}");
    changed(&bytes, &written, data.len());
    let checked = file::verify(made::plan().clone(), &made::against());
    if let Ok(checked) = checked {
        carried_out(&checked, &written);
    }
}

fn entry(line: &str) -> Option<Entry> {
    let mut line = line.to_owned();
    for (at, change) in made::plan().changes.iter().enumerate() {
        line = line.replace(&format!("\"@{at}\""), &format!("\"{}\"", change.id));
    }
    serde_json::from_str(&line).ok()
}

fn chained(entries: Vec<Entry>) -> (Vec<u8>, Vec<JournalEntry>) {
    let (mut chain, mut bytes, mut written) = (Chain::default(), Vec::new(), Vec::new());
    for entry in entries {
        if let Ok((line, entry)) = chain.line(made::now(), entry) {
            bytes.extend(line);
            written.push(entry);
        }
    }
    (bytes, written)
}

/// A changed byte is noticed, but in the last line, which nothing continues yet.
fn changed(bytes: &[u8], written: &[JournalEntry], seed: usize) {
    let last = bytes.iter().rev().skip(1).position(|byte| *byte == b'\n');
    let covered = last.map_or(0, |length| bytes.len() - 1 - length);
    if covered == 0 {
        return;
    }
    let at = seed.wrapping_mul(0x9e37_79b9) % covered;
    let mut changed = bytes.to_vec();
    changed[at] ^= 1 << (seed % 7);
    if let Ok(read) = decode(&changed) {
        let same = read.entries.iter().zip(written).all(|(read, written)| read == written);
        assert!(same && read.entries.len() < written.len(), "byte {at} changed unseen");
    }
}

/// Carries a run to its end against a service that answers nothing; it ends all the same.
pub fn carried_out(plan: &CheckedPlan, history: &[JournalEntry]) {
    let Ok(mut engine) = Engine::new(plan, history, Options::default(), "palisade/fuzz") else {
        return;
    };
    let mut now = made::now();
    for _ in 0..20_000 {
        match engine.poll(now) {
            Step::Record(ticket, _) => engine.handle(Event::Recorded(ticket), now),
            Step::Ask { ticket, .. } => {
                engine.handle(Event::Read(ticket, Err("no answer".to_owned())), now);
            }
            Step::Submit { ticket, .. } => {
                let answer = Answer::Ambiguous { why: "no answer".to_owned() };
                engine.handle(Event::Answered(ticket, answer), now);
            }
            Step::WaitUntil(at, why) => {
                assert!(at > now, "waits for the past: {why:?}");
                now = at;
            }
            Step::Done(summary) => {
                let sum: u32 = summary.counts.values().sum();
                assert_eq!(sum, summary.total, "{summary:?}");
                return;
            }
        }
    }
    panic!("the run does not end");
}
