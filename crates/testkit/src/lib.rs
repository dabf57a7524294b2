//! What tests share: sample media and tools.

pub mod media_files;
