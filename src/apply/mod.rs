//! Carrying a plan out, without touching anything: the engine is told events and says steps.
//!
//! `Engine` decides, `drive::apply` does: it sends, reads, waits and writes the journal, and reports
//! back. Everything follows from the plan, the events and `now`, so that a run can be simulated,
//! killed at any step and resumed. `journal` has the entries and their hash chain; `judge` compares
//! what is read with what the plan expects and wants. Must never do I/O, await or read a clock.

pub mod engine;
pub mod journal;
pub mod judge;
pub mod options;
pub mod outcome;
pub mod past;
pub mod step;

pub use engine::Engine;
pub use journal::{Entry, JournalEntry};
pub use options::Options;
pub use outcome::{Course, CourseState, Ended, Outcome, Progress, Summary};
pub use step::{Answer, Event, Filter, Lane, Question, Seen, Send, Step, Ticket, Wait};
