//! The name of a run: `20261123T100200Z-7f3c9a`, sortable by time, with the plan's first digits.

use jiff::Timestamp;

use crate::model::RunId;

/// The name of a run of the plan with this hash that begins at `now`.
#[must_use]
pub fn run_id(now: Timestamp, plan_hash: &str) -> RunId {
    let digits: String = plan_hash.chars().filter(char::is_ascii_alphanumeric).take(6).collect();
    RunId::from(format!("{}-{digits}", now.strftime("%Y%m%dT%H%M%SZ")))
}

/// Whether a text has the shape of a run's name. What lies in a journal folder under another name
/// is left alone, and a name from outside never leads out of that folder.
#[must_use]
pub fn is_run_id(text: &str) -> bool {
    let Some((time, digits)) = text.split_once('-') else { return false };
    let bytes = time.as_bytes();
    bytes.len() == 16
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 => *byte == b'T',
            15 => *byte == b'Z',
            _ => byte.is_ascii_digit(),
        })
        && !digits.is_empty()
        && digits.len() <= 16
        && digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
}
