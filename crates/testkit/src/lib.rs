//! What tests share: sample media and tools.

pub mod databases;
pub mod media_files;

pub use databases::{Database, databases};
