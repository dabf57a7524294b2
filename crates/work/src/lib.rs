//! Executors: fetch → plan → run → put → tell.
//!
//! This crate acts; it decides nothing about states, which is `mps_tasks`' part, nor about what to do with a medium,
//! which is `mps_media`'s. A step works in a folder of its own, shows nothing before it has succeeded as a whole, and
//! may be cut off at any moment.

mod edit;
pub mod encrypt;
mod feature;
mod folder;
mod kit;
mod looks;
mod make;
mod medium;
mod prober;
mod put;
mod seal;
mod source;
mod storage;
mod tell;
mod upstream;

pub use edit::EditExecutor;
pub use feature::{BuildCell, FeatureExecutor, executors};
pub use folder::{Folder, Workshop};
pub use kit::{Kit, WorkLimits};
pub use prober::Prober;
pub use source::SourceExecutor;
pub use storage::{Buckets, Place, S3Bucket};
pub use tell::{UrlSender, Words};
