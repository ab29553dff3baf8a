//! The Defender API under `/api`.

use bytes::Bytes;
use http::{Response, StatusCode};
use jiff::Timestamp;

use crate::emulator::Emulator;
use crate::emulator::call::Call;
use crate::emulator::error::ApiError;

/// Answers everything that no other router took.
pub fn route(emulator: &mut Emulator, call: &Call<'_>, _now: Timestamp) -> Response<Bytes> {
    let message = format!("No resource was found that matches the request {}", call.raw_path);
    ApiError::new(StatusCode::NOT_FOUND, "NotFound", message).into_response(emulator.tenant.guid())
}
