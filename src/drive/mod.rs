//! Loops that join the pure machines to the host: the client, the observation, the apply.
//!
//! Called by `cli`. The only module that both decides with `wire` or `apply` and acts with `host`;
//! it holds no rule of its own about what may be done to a device.

pub mod apply;
pub mod client;
#[cfg(test)]
pub(crate) mod fake;
pub mod observe;
pub mod progress;
