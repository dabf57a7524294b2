//! The language of the house: what a task, a step, a medium and an error are.
//!
//! Nothing here does IO, reads a clock or knows a word of the cloud's API.

pub mod clock;
pub mod crash;
pub mod error;
pub mod id;
pub mod media_info;
pub mod secret;
pub mod task;

pub use error::{Blame, Error, Kind, Result, Retry};
pub use media_info::MediaInfo;
pub use secret::Secret;
