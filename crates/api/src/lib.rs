//! The door of the server: HTTP in the cloud's form, dispatch by name, authentication, limits, actions.
//!
//! It checks and records; it does no work on media, starts no process and reads no environment. What it is made
//! of is handed in as [`Parts`].

mod actions;
mod app;
mod assets;
mod auth;
pub mod bucket_door;
mod buckets;
mod dispatch;
mod entrance;
mod error;
mod expectation;
mod incoming;
mod inputs;
mod keys;
mod limits;
mod memory;
mod prober;
mod regions;
mod storage;
mod templates;
mod times;
mod tools;
mod triggers;

pub use app::{Answered, App, Hooks, MetricsText, NotReady, OnAnswered, Parts};
pub use buckets::BucketNames;
pub use dispatch::coverage;
pub use entrance::router;
pub use limits::Limits;
pub use prober::Prober;
pub use regions::Regions;
pub use tools::ToolsCell;
pub use triggers::Triggers;
