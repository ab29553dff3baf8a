//! Waves: which change waits for which others to have ended.
//!
//! Membership is a hash of device and policy, so that a device is in the same wave in every plan and
//! nobody can choose who goes first. Letting go always comes first: it takes nothing from anybody.
//! Devices of high value are never in the first wave when there is another one. Called by `draft`.

use ring::digest::{SHA256, digest};

use crate::model::{DeviceValue, Verb};
use crate::plan::types::Change;

/// Everything at once: the default.
pub(super) const ONE: &[u32] = &[10_000];

/// Puts each change into a wave. `shares` are the waves' sizes in hundredths of a percent; whatever
/// they leave goes into the last one.
pub(super) fn assign(changes: &mut [Change], shares: &[u32]) {
    let last = u32::try_from(shares.len()).unwrap_or(u32::MAX).max(1);
    for change in changes {
        let first = if change.target.value == Some(DeviceValue::High) { 2 } else { 1 };
        change.wave = match change.verb {
            Verb::Release | Verb::Unrestrict | Verb::Cancel => 1,
            _ => drawn(change, shares).clamp(first.min(last), last),
        };
    }
}

/// The wave that the hash of device and policy falls into, from 1.
fn drawn(change: &Change, shares: &[u32]) -> u32 {
    let policy = change.because.first().map_or("", |why| why.name.as_str());
    let hash = digest(&SHA256, format!("{}|{policy}", change.target.id).as_bytes());
    let point = hash.as_ref().iter().take(8).fold(0u64, |sum, byte| sum << 8 | u64::from(*byte));
    let mut rest = point % 10_000;
    for (wave, share) in (1u32..).zip(shares) {
        match rest.checked_sub(u64::from(*share)) {
            Some(left) => rest = left,
            None => return wave,
        }
    }
    u32::MAX
}
