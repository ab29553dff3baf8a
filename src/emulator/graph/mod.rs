//! Microsoft Graph security: alerts.

pub mod error;

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;

use crate::emulator::Emulator;
use crate::emulator::call::Call;

/// Answers a Graph route; `None` when the path is none.
pub fn route(
    _emulator: &mut Emulator,
    _call: &Call<'_>,
    _now: Timestamp,
) -> Option<Response<Bytes>> {
    None
}
