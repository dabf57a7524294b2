//! From stored tasks to what the API answers and calls back.
//!
//! Answers are made of typed structures, so that absent members are printed as the vendor prints them, and pass
//! through [`redact`] last: no secret of a caller leaves through an answer or a callback.

pub mod event;
pub mod metadata;
pub mod redact;
pub mod task;
#[cfg(test)]
mod task_tests;
pub mod times;

pub use metadata::describe;
pub use redact::redact;
pub use task::{detail, simple, workflow};
