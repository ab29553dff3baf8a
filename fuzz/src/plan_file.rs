//! Plan files: what was not written byte for byte is refused, and what was sealed anew by somebody
//! else never brings the program down.
//!
//! The input is tried as a file of its own and as edits of a real plan: each is two bytes of place,
//! one of length and the bytes to stand there.

use palisade::plan::Plan;
use palisade::plan::file::{self, PlanFileError};
use palisade::report::{self, Style};

use super::{journal, made};

/// Tries the input in both ways.
pub fn run(data: &[u8]) {
    whole(data);
    let edited = edited(data);
    let genuine = made::plan_file();
    let read = file::read(&edited);
    assert_eq!(read.is_ok(), edited == genuine, "an edited plan is taken");
    if let Ok(plan) = serde_json::from_slice::<Plan>(&edited) {
        forged(plan);
    }
}

fn whole(data: &[u8]) {
    let Ok(plan) = file::read(data) else { return };
    assert_eq!(file::to_bytes(&plan), data);
    let _ = file::verify(plan, &made::against());
}

fn edited(data: &[u8]) -> Vec<u8> {
    let mut bytes = made::plan_file().to_vec();
    let mut rest = data;
    while let [high, low, count, more @ ..] = rest {
        let at = usize::from(u16::from_be_bytes([*high, *low])) % bytes.len().max(1);
        let count = usize::from(*count).min(more.len());
        let (text, after) = more.split_at(count);
        let end = (at + text.len()).min(bytes.len());
        bytes.splice(at..end, text.iter().copied());
        rest = after;
    }
    bytes
}

/// Anybody can compute the hash. Such a plan is refused or carried out to its end, and shown.
fn forged(plan: Plan) {
    let sealed = file::seal(plan);
    let bytes = file::to_bytes(&sealed);
    let again = file::read(&bytes);
    if sealed.format_version != made::plan().format_version {
        assert!(matches!(again, Err(PlanFileError::Version { .. })), "{again:?}");
        return;
    }
    assert!(again.as_ref().is_ok_and(|again| *again == sealed), "{again:?}");
    let text = report::plan::text(&sealed, Style::new(100, false));
    let hidden = |c: char| c != '\n' && c != '\u{a0}' && report::escape::is_hidden(c);
    assert!(!text.chars().any(hidden), "{text:?}");
    let _ = report::plan::markdown(&sealed);
    if let Ok(checked) = file::verify(sealed, &made::against()) {
        journal::carried_out(&checked, &[]);
    }
}
