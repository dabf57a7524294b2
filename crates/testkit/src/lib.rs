//! What tests share: databases, sample media and tools, the real server, and eyes and ears for its outputs.

pub mod bucket;
pub mod compare;
pub mod databases;
pub mod made;
pub mod media_files;
pub mod model;
pub mod receiver;
pub mod server;
pub mod web;

pub use databases::{Database, databases};
