//! The Defender, Graph and Entra APIs as data: what is sent, what comes back, at what pace.
//!
//! Everything here is a pure function of its arguments: calls become requests (`call`, `read`,
//! `outbound`, `token`), responses become errors or bodies (`answer`, `error`), lists become walks
//! that prove their completeness (`skip_walk`, `time_walk`), and rate windows become instants at
//! which the next call may leave (`budget`). `pages` reads bodies into the inventory's rows.
//! `drive::client` carries it out. Nothing in this module sends, waits, retries or reads a clock.

pub mod answer;
pub mod api;
pub mod budget;
pub mod call;
pub mod error;
pub mod hints;
pub mod odata;
pub mod outbound;
pub mod pages;
pub mod read;
pub mod retry;
pub mod roles;
pub mod skip_walk;
pub mod time_walk;
pub mod token;

pub use api::{Api, Operation, RateClass};
pub use call::{AlertPatch, Call};
pub use error::{ApiError, ErrorKind};
pub use outbound::Outbound;
pub use read::ActionFilter;
pub use roles::MissingRole;
