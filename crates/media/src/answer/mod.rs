//! From stored tasks to what the API answers and calls back.
//!
//! Answers are made of typed structures, so that absent members are printed as the vendor prints them, and pass
//! through [`mps_wire::redact`] last: no secret of a caller leaves through an answer or a callback.

pub mod edit;
pub mod event;
pub mod metadata;
pub mod schedule;
pub mod task;
#[cfg(test)]
mod task_tests;
pub mod times;

pub use metadata::describe;
pub use task::{detail, workflow};
