//! Control routes: move the clock, script faults, look at the log.

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;

use crate::emulator::Emulator;
use crate::emulator::call::Call;

/// Answers a control route; `None` when the path is none.
pub fn route(
    _emulator: &mut Emulator,
    _call: &Call<'_>,
    _now: Timestamp,
) -> Option<Response<Bytes>> {
    None
}
