//! What tests share: sample media and tools.

pub mod databases;
pub mod media_files;
pub mod model;

pub use databases::{Database, databases};
