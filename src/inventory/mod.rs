//! One immutable observation of a tenant: devices, action history, scan times, alerts.
//!
//! Columns with interned values and bitmap indexes, filled page by page through `Builder`. Merged,
//! duplicate and stale records are resolved by `build` (the rule stands in `resolve`), so that
//! `devices()` yields each device once. Completeness travels with the data: a partial observation
//! never looks smaller, it looks partial. Readings (`readings`) are derived from the action
//! history. This module does no I/O, reads no clock and imports only `model`.

mod build;
mod builder;
mod columns;
mod device;
mod flags;
mod footprint;
mod history;
mod ids;
mod index;
pub mod readings;
pub mod record;
mod resolve;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;
mod text;
mod view;

pub use builder::Builder;
pub(crate) use columns::Moment;
pub use columns::is_unset;
pub use footprint::Footprint;
pub use record::{ActionRow, AlertRow, AvRow, Cancelled, DeviceRow, Missing, What};
pub(crate) use text::{fold, fold_into, folded, host_part, same};
pub use view::{Dev, Inventory};
