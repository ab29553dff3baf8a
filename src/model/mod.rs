//! The words of the domain: ids, devices, actions, facets, readings, leases, markers.
//!
//! Plain values without I/O, async or a clock. Every other module speaks in these words, and the
//! same words stand in YAML, JSON, on screen and in the docs. This module imports nothing of ours
//! and must never read a clock, the environment or a file.

pub mod action;
pub mod alert;
mod beside;
pub mod device;
pub mod duration;
pub mod facet;
pub mod ids;
pub mod marker;
pub mod reading;
pub mod text;

pub use action::{ActionKind, ActionStatus, ScanType};
pub use alert::{AlertStatus, Classification, Determination, Severity};
pub(crate) use beside::beside;
pub use device::{AvStatus, DeviceValue, Exposure, Health, Onboarding, OsFamily, Risk};
pub use duration::Span;
pub use facet::{Facet, Isolation, IsolationMode, Restriction, Verb};
pub use ids::{ActionId, AlertId, ChangeId, DeviceId, IncidentId, PolicyName, RunId, WorkspaceId};
pub use marker::Marker;
pub use reading::{Holder, Reading, UnknownReason};
